"""Penalties against hand counts."""

from __future__ import annotations

import torch

from innervision.optvis.penalties import blur, blur_distance, boundary_complexity, l1, l2, total_variation


def test_of_plain_images_is_zero() -> None:
    assert torch.equal(total_variation(torch.rand(4, 3, 1, 1).expand(4, 3, 5, 6)), torch.zeros(4))


def test_counts_differences_down_and_right_by_themselves() -> None:
    rows, columns = torch.arange(4.0)[:, None], torch.arange(5.0)[None, :]
    ramp = (2 * rows - 3 * columns).expand(2, 3, 4, 5)  # 2 to the one below, 3 to the one at the right
    torch.testing.assert_close(total_variation(ramp), torch.full((2,), 5.0))


def test_each_image_by_itself_and_all_colours() -> None:
    images = torch.zeros(2, 3, 2, 2)
    images[1, 0, 0, 0] = 1.0  # one red pixel: one of 6 differences down, one of 6 to the right
    torch.testing.assert_close(total_variation(images), torch.tensor([0.0, 1 / 3]))


def test_l1_and_l2_are_means_from_a_centre() -> None:
    values = torch.tensor([[1.0, -3.0], [0.5, 0.5]])
    torch.testing.assert_close(l1(values), torch.tensor([2.0, 0.5]))
    torch.testing.assert_close(l1(values, 0.5), torch.tensor([2.0, 0.0]))
    torch.testing.assert_close(l2(values), torch.tensor([5**0.5, 0.5]), rtol=0, atol=1e-5)
    plain = torch.full((1, 3, 2, 2), 0.5, requires_grad=True)
    (gradient,) = torch.autograd.grad(l2(plain, 0.5).sum(), plain)
    assert torch.equal(gradient, torch.zeros_like(plain))


def test_blur_is_a_weighted_mean_of_what_lies_inside() -> None:
    images = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    blurred = blur(images, 3)
    around = images[0, 1, 1:4, 2:5]
    expected = (around.sum() + around[1, 1]) / 2 / 5  # the middle counts 1, its eight neighbours ½
    torch.testing.assert_close(blurred[0, 1, 2, 3], expected)
    corner = images[0, 1, :2, :2]
    torch.testing.assert_close(blurred[0, 1, 0, 0], (corner.sum() + corner[0, 0]) / 2 / 2.5)
    torch.testing.assert_close(blur(torch.ones(1, 1, 4, 4), 5), torch.ones(1, 1, 4, 4))


def test_climbing_against_blur_distance_mixes_the_blur_in() -> None:
    images = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    (gradient,) = torch.autograd.grad(-blur_distance(images).sum(), images)
    torch.testing.assert_close(images + 0.3 * gradient, 0.7 * images + 0.3 * blur(images, 3))


def test_boundary_complexity_sees_the_border_alone() -> None:
    plain = torch.full((1, 3, 12, 12), 0.5)
    inside, outside = plain.clone(), plain.clone()
    inside[..., 6, 6] = 1  # its blur reaches two pixels, not the border of 3
    outside[..., 0, 0] = 1
    assert float(boundary_complexity(plain, 3)) == 0
    assert float(boundary_complexity(inside, 3)) == 0
    assert float(boundary_complexity(outside, 3)) > 0
    assert float(boundary_complexity(inside, 6)) > 0
    bright = torch.full((1, 3, 12, 12), 0.75)
    cells = 3 * (12 * 12 - 6 * 6)
    torch.testing.assert_close(boundary_complexity(bright, 3), torch.tensor([0.8 * 0.25**2 * cells]))
    torch.testing.assert_close(boundary_complexity(bright), torch.tensor([0.8 * 0.25**2 * 3 * 144]))  # all border
    assert float(boundary_complexity(bright, 3, center=0.75)) == 0
