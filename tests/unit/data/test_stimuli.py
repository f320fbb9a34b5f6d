"""Stimuli: they move by parts of a pixel and stay what they are; areas as geometry says; turns by quarters."""

from __future__ import annotations

import doctest
import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.data import stimuli
from innervision.data.stimuli import canvas, draw_circle, draw_corner, draw_curve, draw_line, shapes

SHAPES: list[Callable[..., Tensor]] = [
    lambda **rest: draw_curve(25, 8, 2, 16, **rest),
    lambda **rest: draw_line(25, 2, 16, **rest),
    lambda **rest: draw_corner(25, 70, 2, 8, **rest),
    lambda **rest: draw_circle(7, 2, **rest),
]
NEEDS = {"draw_curve": {"radius": 8.0}}
ALL = {name: partial(getattr(stimuli, name), **NEEDS.get(name, {})) for name in stimuli.__all__}


def coverage(images: Tensor) -> Tensor:
    return 2 * images[:, 0].double() - 1


@pytest.mark.parametrize("draw", SHAPES)
def test_a_part_of_a_pixel_moves_the_centroid_and_keeps_the_area(draw: Callable[..., Tensor]) -> None:
    moves = torch.linspace(0, 1, 11)
    covered = coverage(draw(row=moves, column=-2 * moves, size=51))
    area = covered.sum(dim=(1, 2))
    pixels = torch.arange(51.0).double()
    rows, columns = ((covered.sum(dim=axis) * pixels).sum(dim=1) / area for axis in (2, 1))
    assert float((area / area[0] - 1).abs().max()) < 0.005  # half a percent
    assert float((rows - rows[0] - moves).abs().max()) < 0.01  # pixels
    assert float((columns - columns[0] + 2 * moves).abs().max()) < 0.01


@pytest.mark.parametrize("draw", ALL.values(), ids=ALL)
def test_whole_pixels_move_pixels_and_values_stay_in_range(draw: Callable[..., Tensor]) -> None:
    first, moved = draw(30.0, contrast=-0.8), draw(30.0, row=2, column=-3, contrast=-0.8)
    torch.testing.assert_close(moved[..., 2:, :-3], first[..., :-2, 3:], rtol=0, atol=1e-6)
    assert first.shape == (1, 3, 33, 33)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1


def test_areas_as_geometry_says() -> None:
    areas = [float(coverage(draw(size=51)).sum()) for draw in SHAPES]
    assert areas == pytest.approx([32, 32, 32, 2 * math.pi * 7 * 2], rel=0.005)  # width times length


@pytest.mark.parametrize("name", [name for name in stimuli.__all__ if name != "draw_circle"])
def test_a_quarter_turn_turns_the_picture(name: str) -> None:
    draw = ALL[name]
    torch.testing.assert_close(draw(110), torch.rot90(draw(20), 1, (2, 3)), rtol=0, atol=1e-5)


def test_a_curve_of_large_radius_is_a_line_and_a_long_one_a_circle() -> None:
    torch.testing.assert_close(draw_curve(40, 1e5), draw_line(40), rtol=0, atol=1e-3)
    whole = draw_curve(0, 7, length=100, column=7)  # its circle's middle is then the image's
    torch.testing.assert_close(whole, draw_circle(7), rtol=0, atol=1e-6)


def test_a_batch_is_its_images_one_by_one() -> None:
    angles, radii = torch.tensor([0.0, 50, 200]), torch.tensor([4.0, 8, 20])
    alone = torch.cat([draw_curve(float(angle), float(radius)) for angle, radius in zip(angles, radii, strict=True)])
    torch.testing.assert_close(draw_curve(angles, radii), alone, rtol=0, atol=1e-6)


def test_refusals() -> None:
    with refuses("radius: 0 is not above 0 pixels"):
        draw_curve(0, 0)
    with refuses("contrast: 2 is not between -1 and 1"):
        draw_line(0, contrast=2)
    with refuses("size: 0 × 5 has no pixels; give at least 1 × 1"):
        draw_line(0, size=(0, 5))


def test_docstrings_say_what_happens() -> None:
    for module in (canvas, shapes):
        assert doctest.testmod(module, extraglobs={"torch": torch}).failed == 0
