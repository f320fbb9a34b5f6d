"""Coarse parameters: sizes, what is shared, noise from the generator alone, gradients, errors."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate
from innervision.optvis.parametrizations import Fourier, ParametrizationFactory
from innervision.optvis.pyramids import SHARED_LEVELS, LaplacianPyramid, LowResolution, Shared

ALL = [LowResolution, LaplacianPyramid, Shared]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("parametrization", ALL)
@pytest.mark.parametrize("size", [(8, 12), (9, 7), (3, 3)])
def test_images_are_in_range_and_every_parameter_moves_them(
    parametrization: ParametrizationFactory, size: tuple[int, int]
) -> None:
    drawing = parametrization(3, size, generator())
    assert all(parameter.is_leaf and parameter.requires_grad for parameter in drawing.parameters())
    image = drawing.image()
    assert image.shape == (3, 3, *size)
    assert float((image.detach() - 0.5).abs().max()) < 0.2
    (image * torch.rand(image.shape, generator=generator(1))).sum().backward()
    for parameter in drawing.parameters():
        assert parameter.grad is not None
        assert (parameter.grad != 0).any()
    with torch.no_grad():
        for parameter in drawing.parameters():
            parameter.mul_(1e4)
        assert float(drawing.image().min()) >= 0
        assert float(drawing.image().max()) <= 1


@pytest.mark.parametrize("parametrization", ALL)
def test_noise_is_from_the_generator_alone(parametrization: ParametrizationFactory) -> None:
    before = torch.get_rng_state()
    first, second, other = (parametrization(2, (16, 16), generator(seed)).image() for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_low_resolution_enlarges_a_small_image() -> None:
    drawing = LowResolution(2, (12, 20), generator(), reduction=4, correlation=None)
    assert drawing.parameters()[0].shape == (2, 3, 3, 5)
    with torch.no_grad():
        drawing.values.copy_(torch.linspace(-1, 1, 5).expand(2, 3, 3, 5))
    image = torch.logit(drawing.image().detach())
    # Middles of the coarse pixels lie at 1.5, 5.5, … where the straight line between them is exact.
    expected = (torch.linspace(-1, 1, 5)[None] + 0.5 * torch.tensor([[-1.0], [1.0]]) * 0.5 / 4).T.flatten()
    torch.testing.assert_close(image[0, 0, 0, [1, 2, 5, 6, 9, 10, 13, 14, 17, 18]][1:-1], expected[1:-1])
    with torch.no_grad():
        drawing.values.fill_(0.7)
    torch.testing.assert_close(torch.logit(drawing.image()), torch.full((2, 3, 12, 20), 0.7))


def test_colours_are_correlated_by_the_matrix_given() -> None:
    plain = LowResolution(1, (8, 8), generator(), correlation=None).image()
    mixed = LowResolution(1, (8, 8), generator()).image()
    expected = torch.sigmoid(correlate(torch.logit(plain), PUBLISHED_COLOR_CORRELATION))
    torch.testing.assert_close(mixed, expected, rtol=0, atol=1e-6)


def test_laplacian_pyramid_is_a_sum_of_sizes() -> None:
    drawing = LaplacianPyramid(1, (16, 24), generator(), levels=3, correlation=None)
    assert [tuple(level.shape[2:]) for level in drawing.parameters()] == [(16, 24), (8, 12), (4, 6)]
    with torch.no_grad():
        for level, value in zip(drawing.parameters(), (0.1, 0.2, 0.4), strict=True):
            level.fill_(value)
    torch.testing.assert_close(torch.logit(drawing.image()), torch.full((1, 3, 16, 24), 0.7))


def test_shared_levels_are_the_same_for_all_or_a_path_between_two_ends() -> None:
    drawing = Shared(5, (16, 16), generator(), levels=((1, 2), (2, 8)), correlation=None)
    own, same, ends = drawing.parameters()
    assert own.shape == Fourier(5, (16, 16), generator()).coefficients.shape
    assert (same.shape, ends.shape) == ((1, 3, 8, 8), (2, 3, 2, 2))
    with torch.no_grad():
        own.zero_()
        same.fill_(0.5)
        ends[0], ends[1] = -1, 1
    expected = 0.5 + torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 3, 16, 16)
    torch.testing.assert_close(torch.logit(drawing.image()), expected, rtol=0, atol=1e-5)
    assert len(Shared(5, (16, 16), generator()).parameters()) == 1 + len(SHARED_LEVELS)


def test_refusals() -> None:
    with refuses("reduction: 0 enlarges; give a whole number, at least 1"):
        partial(LowResolution, reduction=0)(1, (8, 8), generator())
    with refuses("levels: 0 is too few; give a whole number, at least 1"):
        partial(LaplacianPyramid, levels=0)(1, (8, 8), generator())
