"""Transparency: laying on, random backgrounds, the trade between objective and paint."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.optvis.joint import Joint, together
from innervision.optvis.objectives import DRAWING, IMAGE, Objective, of_image
from innervision.optvis.penalties import blur_distance
from innervision.optvis.transparency import Transparent, is_transparent, lay_on, on_random_backgrounds, transparent


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_images_have_colours_and_opacity() -> None:
    drawing = Transparent(2, (8, 10), generator())
    image = drawing.image()
    assert image.shape == (2, 4, 8, 10)
    assert float((image.detach() - 0.5).abs().max()) < 0.3
    image.square().sum().backward()
    assert len(drawing.parameters()) == 2
    for parameter in drawing.parameters():
        assert parameter.grad is not None
        assert (parameter.grad != 0).any()
    assert torch.equal(Transparent(2, (8, 10), generator()).image(), image)
    assert is_transparent(drawing)
    assert not is_transparent(drawing.colors)


def test_lay_on_mixes_by_opacity() -> None:
    drawings = torch.tensor([0.2, 0.4, 0.6, 0.25]).reshape(1, 4, 1, 1)
    torch.testing.assert_close(lay_on(drawings, 1.0).flatten(), torch.tensor([0.8, 0.85, 0.9]))
    torch.testing.assert_close(lay_on(drawings).flatten(), torch.tensor([0.425, 0.475, 0.525]))
    behind = torch.rand(1, 3, 1, 1, generator=generator())
    assert torch.equal(lay_on(drawings * torch.tensor([1.0, 1, 1, 0]).view(1, 4, 1, 1), behind), behind)


def test_random_backgrounds_are_new_each_time_and_for_each_drawing() -> None:
    clear = torch.zeros(2, 4, 32, 32)
    source = generator()
    first, second = on_random_backgrounds(clear, source), on_random_backgrounds(clear, source)
    assert first.shape == (2, 3, 32, 32)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    assert torch.equal(on_random_backgrounds(clear, generator()), first)
    assert 0 <= float(first.min()) < float(first.max()) <= 1
    assert float(first.std()) > 0.05
    opaque = torch.rand(2, 4, 32, 32, generator=generator())
    opaque[:, 3] = 1
    assert torch.equal(on_random_backgrounds(opaque, generator()), opaque[:, :3])


def test_the_objective_is_traded_against_paint() -> None:
    drawn = torch.rand(2, 4, 6, 6, generator=generator(), requires_grad=True)
    bright = of_image(lambda images: images.mean(dim=(1, 2, 3)), "bright")
    activations = {IMAGE: drawn[:, :3], DRAWING: drawn}
    opacity = drawn[:, 3:]
    expected = bright(activations) * (1 - opacity.mean(dim=(1, 2, 3))) - 0.2 * blur_distance(opacity)
    objective = transparent(bright, smoothing=0.2)
    torch.testing.assert_close(objective(activations), expected)
    assert str(objective) == "transparent(bright)"
    objective(activations).sum().backward()
    assert drawn.grad is not None
    assert (drawn.grad[:, 3] != 0).any()


def test_a_joint_objective_stays_joint() -> None:
    assert transparent(together("a:1", 3)).images == 3  # type: ignore[attr-defined]
    assert not isinstance(transparent("a:1"), Joint)
    assert isinstance(transparent("a:1"), Objective)


@pytest.mark.parametrize("channels", [3, 5])
def test_a_drawing_without_opacity_is_refused(channels: int) -> None:
    drawn = torch.rand(1, channels, 4, 4)
    with refuses(
        "parametrization: 'bright' is to be transparent, but the drawing has no opacity; "
        "give parametrization='transparent'"
    ):
        transparent(Objective(lambda activations: activations[IMAGE].mean(dim=(1, 2, 3)), "bright"))(
            {IMAGE: drawn, DRAWING: drawn}
        )
