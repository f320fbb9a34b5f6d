"""Icons point where they were told to, and a grid has one for each position."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from innervision import load, record
from innervision.atlas import activation_grid, draw_icons
from innervision.data import load_sample


def test_each_icon_leans_towards_its_own_direction() -> None:
    mini = load("mini")
    images = load_sample().images[[0, 5, 9, 14]].float() / 255
    with torch.no_grad():
        directions = record(mini, images, "mixed3b")["mixed3b"][:, :, 8, 8]
        icons = draw_icons(mini, "mixed3b", 100 * directions, size=32, steps=32)
        centres = record(mini, icons, "mixed3b")["mixed3b"][:, :, 8, 8]
    cosines = F.cosine_similarity(centres[:, None], directions[None], dim=2)
    assert cosines.argmax(dim=1).tolist() == [0, 1, 2, 3]
    assert float(icons.min()) >= 0
    assert float(icons.max()) <= 1


def test_length_does_not_matter_and_a_silent_direction_is_no_error() -> None:
    mini = load("mini")
    vector = torch.eye(128)[:1]
    directions = torch.cat([vector, 7 * vector, 0 * vector])
    icons = draw_icons(mini, "mixed3a", directions, size=16, steps=2, batch_size=1)
    assert icons.isfinite().all()
    torch.testing.assert_close(icons[0], icons[1])


def test_grid_has_an_icon_and_a_strength_for_each_position() -> None:
    mini = load("mini")
    image = load_sample().images[3].float() / 255
    grid = activation_grid(mini, "mixed4a", image, size=8, steps=1)
    with torch.no_grad():
        activation = record(mini, image[None], "mixed4a")["mixed4a"][0]
    assert grid.icons.shape == (64, 3, 8, 8)
    torch.testing.assert_close(grid.strengths, activation.square().sum(dim=0).sqrt())
