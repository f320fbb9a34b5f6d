"""Transforms: sizes, ranges, what comes from outside, and where randomness comes from."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from innervision.optvis.transforms import (
    compose,
    jitter,
    one_pose,
    pad,
    random_rotate,
    random_scale,
    standard_transforms,
    unseen_transforms,
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def coordinates(height: int, width: int) -> Tensor:
    """An image whose first colour is its row and whose second is its column."""
    rows, columns = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    return torch.stack([rows, columns, rows])[None]


def test_pad_surrounds_by_grey(generator: torch.Generator) -> None:
    padded = pad(2)(torch.ones(1, 3, 3, 4), generator)
    assert padded.shape == (1, 3, 7, 8)
    assert torch.equal(padded[:, :, 2:5, 2:6], torch.ones(1, 3, 3, 4))
    assert float(padded.sum()) == pytest.approx(3 * (12 + 0.5 * (56 - 12)))


def test_jitter_cuts_every_place_about_equally_often(generator: torch.Generator) -> None:
    images = coordinates(7, 9)
    corners = Counter()
    for _ in range(1800):
        cut = jitter(2)(images, generator)
        assert cut.shape == (1, 3, 5, 7)
        row, column = int(cut[0, 0, 0, 0]), int(cut[0, 1, 0, 0])
        assert torch.equal(cut, images[:, :, row : row + 5, column : column + 7])
        corners[row, column] += 1
    assert set(corners) == {(row, column) for row in range(3) for column in range(3)}
    assert min(corners.values()) > 140  # 200 expected, standard deviation 13


def test_jitter_by_nothing_changes_nothing(generator: torch.Generator) -> None:
    images = torch.rand(2, 3, 4, 4)
    assert torch.equal(jitter(0)(images, generator), images)


def test_scale_sizes_and_draws_every_factor(generator: torch.Generator) -> None:
    sizes = Counter(
        tuple(random_scale([0.5, 1.0, 1.25])(torch.rand(1, 3, 10, 21), generator).shape[2:]) for _ in range(300)
    )
    assert set(sizes) == {(5, 10), (10, 21), (12, 26)}
    assert min(sizes.values()) > 60  # 100 expected, standard deviation 8


def test_scale_by_one_changes_nothing(generator: torch.Generator) -> None:
    images = torch.rand(2, 3, 5, 6)
    torch.testing.assert_close(random_scale([1.0])(images, generator), images, rtol=0, atol=1e-6)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_exact_and_counter_clockwise(generator: torch.Generator, turns: int) -> None:
    images = torch.rand(2, 3, 6, 6)
    turned = random_rotate([90 * turns])(images, generator)
    torch.testing.assert_close(turned, images.rot90(turns, dims=(2, 3)), rtol=0, atol=1e-5)


def test_rotation_agrees_with_scipy_on_an_oblong(generator: torch.Generator) -> None:
    images = torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(3))
    turned = random_rotate([7.0])(images, generator)[0].numpy()
    expected = np.stack([ndimage.rotate(plane, 7.0, reshape=False, order=1, cval=0.5) for plane in images[0].numpy()])
    inner = (slice(None), slice(2, -2), slice(2, -2))  # scipy treats the outermost ring differently
    np.testing.assert_allclose(turned[inner], expected[inner], rtol=0, atol=1e-5)


def test_rotation_brings_in_grey(generator: torch.Generator) -> None:
    turned = random_rotate([45])(torch.ones(1, 3, 10, 10), generator)
    torch.testing.assert_close(turned[0, :, 0, 0], torch.full((3,), 0.5))
    torch.testing.assert_close(turned[0, :, 5, 5], torch.ones(3))


def test_rotation_draws_from_its_list_only(generator: torch.Generator) -> None:
    ramp = (torch.arange(21.0) - 10).expand(1, 3, 21, 21)
    angles = Counter()
    for _ in range(200):
        turned = random_rotate([-10, 0, 10])(ramp, generator)[0, 0, 5:16, 5:16]
        across, down = float(turned.diff(dim=1).mean()), float(turned.diff(dim=0).mean())
        angles[round(math.degrees(math.atan2(-down, across)))] += 1
    assert set(angles) in ({-10, 0, 10},)
    assert min(angles.values()) > 40  # 67 expected, standard deviation 7


def test_compose_applies_in_order_from_one_generator(generator: torch.Generator) -> None:
    images = torch.rand(1, 3, 8, 8)
    both = compose([jitter(3), random_rotate([10, 20, 30]), pad(1)])(images, torch.Generator().manual_seed(5))
    other = torch.Generator().manual_seed(5)
    expected = pad(1)(random_rotate([10, 20, 30])(jitter(3)(images, other), other), other)
    assert torch.equal(both, expected)
    assert compose([])(images, generator) is images


def test_one_draw_serves_the_whole_batch_and_gradients_pass() -> None:
    image = torch.rand(1, 3, 32, 32)
    images = image.expand(4, 3, 32, 32).clone().requires_grad_(True)
    shown = standard_transforms(32)(images, torch.Generator().manual_seed(1))
    assert all(torch.equal(shown[0], other) for other in shown[1:])
    shown.sum().backward()
    assert images.grad is not None
    assert images.grad[:, :, 16, 16].min() > 0


@pytest.mark.parametrize("transforms", [standard_transforms, unseen_transforms])
def test_only_the_generator_decides(transforms: object) -> None:
    images = torch.rand(1, 3, 40, 40)
    before = torch.get_rng_state()
    results = [transforms(40)(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]  # type: ignore[operator]
    assert torch.equal(results[0], results[1])
    assert results[0].shape != results[2].shape or not torch.equal(results[0], results[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_standard_transforms_are_lucids_at_128_and_shrink(generator: torch.Generator) -> None:
    sizes = {standard_transforms(128)(torch.zeros(1, 3, 128, 128), generator).shape[-1] for _ in range(200)}
    assert sizes == {int((128 + 24 - 8) * (1 + (i - 5) / 50)) - 4 for i in range(11)}
    small = {standard_transforms(32)(torch.zeros(1, 3, 32, 32), generator).shape[-1] for _ in range(200)}
    assert small == {int((32 + 6 - 4) * (1 + (i - 5) / 50)) - 2 for i in range(11)}


ONE_AFTER_THE_OTHER = [
    (3, 2, [1.0], [0], 4, 1e-5),  # nothing to interpolate
    (6, 4, [0.9, 1.1], [0], 4, 0.01),
    (6, 4, [1.0], [-10, 10], 4, 0.01),
    (6, 4, [0.9, 1.0, 1.1], [-10, 0, 10], 4, 0.01),
]


@pytest.mark.parametrize(("border", "first", "factors", "degrees", "second", "tolerance"), ONE_AFTER_THE_OTHER)
@pytest.mark.parametrize("seed", range(4))
def test_one_pose_is_five_transforms_one_after_the_other(
    border: int, first: int, factors: list[float], degrees: list[float], second: int, tolerance: float, seed: int
) -> None:
    """Up to the second interpolation, which on waves this long (24 pixels and more) changes little."""
    rows, columns = coordinates(48, 64)[0, 0], coordinates(48, 64)[0, 1]
    waves = torch.stack([(rows / 4).sin(), (columns / 5).cos(), ((rows + columns) / 6).sin()])
    fade = (rows * torch.pi / 47).sin() * (columns * torch.pi / 63).sin()  # grey at the edges, as beyond them
    images = torch.stack([0.5 + 0.4 * waves * fade, 0.5 - 0.4 * waves * fade])
    several = [pad(border), jitter(first), random_scale(factors), random_rotate(degrees), jitter(second)]
    generators = [torch.Generator().manual_seed(seed) for _ in range(2)]
    expected = compose(several)(images, generators[0])
    shown = one_pose(border, first, factors, degrees, second)(images, generators[1])
    torch.testing.assert_close(shown, expected, rtol=0, atol=tolerance)
    assert torch.equal(generators[0].get_state(), generators[1].get_state())


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8, 12, 16, 20, 64])
def test_standard_transforms_leave_most_of_small_images(generator: torch.Generator, size: int) -> None:
    for _ in range(30):
        shown = standard_transforms(size)(torch.zeros(1, 3, size, size), generator)
        assert shown.shape[-1] >= 0.6 * size
