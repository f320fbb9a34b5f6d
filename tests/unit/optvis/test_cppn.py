"""The small network: grey at first, each image its own, the same picture at any size."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate
from innervision.optvis.cppn import CPPN, LAYERS


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def awake(batch: int, size: tuple[int, int], **options: int) -> CPPN:
    """With a last layer that is not 0."""
    drawing = CPPN(batch, size, generator(), **options)  # type: ignore[arg-type]
    with torch.no_grad():
        drawing.weights[-1].copy_(torch.randn(drawing.weights[-1].shape, generator=generator(1)))
    return drawing


@pytest.mark.parametrize("size", [(8, 12), (9, 7), (1, 1)])
def test_starts_grey_and_every_parameter_moves_it_once_awake(size: tuple[int, int]) -> None:
    assert torch.equal(CPPN(2, size, generator()).image(), torch.full((2, 3, *size), 0.5))
    drawing = awake(2, size)
    image = drawing.image()
    assert image.shape == (2, 3, *size)
    assert float(image.detach().min()) >= 0
    assert float(image.detach().max()) <= 1
    (image * torch.rand(image.shape, generator=generator(2))).sum().backward()
    assert len(drawing.parameters()) == 2 * LAYERS
    for parameter in drawing.parameters():
        assert parameter.is_leaf
        assert parameter.grad is not None
        if size != (1, 1):  # one place, at the origin: the first weights have nothing to say
            assert (parameter.grad.flatten(1).abs().sum(dim=1) > 0).all()


def test_images_have_networks_of_their_own() -> None:
    drawing = awake(2, (6, 6))
    image = drawing.image()
    assert not torch.allclose(image[0], image[1])
    (gradient,) = torch.autograd.grad(image[0].sum(), drawing.weights[3])
    assert (gradient[0] != 0).any()
    assert (gradient[1] == 0).all()


def test_the_picture_is_the_same_at_any_size() -> None:
    small, large = (awake(1, (side, side), hidden=6, layers=3).image().detach() for side in (16, 48))
    torch.testing.assert_close(large[..., 1::3, 1::3], small, rtol=0, atol=1e-5)  # middles of the same pixels
    wide = awake(1, (16, 48), hidden=6, layers=3).image().detach()
    torch.testing.assert_close(wide, large[..., 16:32, :], rtol=0, atol=1e-5)


def test_weights_are_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = (CPPN(2, (4, 4), generator()).weights[1] for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, CPPN(2, (4, 4), generator(1)).weights[1])
    assert torch.equal(torch.get_rng_state(), before)


def test_colours_are_correlated_by_the_matrix_given() -> None:
    mixed, plain = awake(1, (8, 8)), awake(1, (8, 8))
    plain.correlation = None
    expected = torch.sigmoid(correlate(torch.logit(plain.image()), PUBLISHED_COLOR_CORRELATION))
    torch.testing.assert_close(mixed.image(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("options", [{"hidden": 0, "layers": 8}, {"hidden": 24, "layers": 1}])
def test_refusals(options: dict[str, int]) -> None:
    with refuses(f"hidden, layers: {options['hidden']}, {options['layers']} are too few; give at least 1 and 2"):
        CPPN(1, (4, 4), generator(), hidden=options["hidden"], layers=options["layers"])
