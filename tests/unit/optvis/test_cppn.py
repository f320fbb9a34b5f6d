"""The small network: each image its own, places that mean the same at any size, pictures that do not run away."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate, decorrelate
from innervision.optvis.cppn import CPPN, DEVIATION, LAYERS


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [(8, 12), (9, 7), (1, 1)])
def test_images_are_in_range_and_every_parameter_moves_them(size: tuple[int, int]) -> None:
    drawing = CPPN(2, size, generator())
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
    drawing = CPPN(2, (6, 6), generator())
    image = drawing.image()
    assert not torch.allclose(image[0], image[1])
    (gradient,) = torch.autograd.grad(image[0].sum(), drawing.weights[3])
    assert (gradient[0] != 0).any()
    assert (gradient[1] == 0).all()


def test_a_place_means_the_same_at_any_size() -> None:
    small, large, wide = (CPPN(1, size, generator()).places.view(2, *size) for size in ((16, 16), (48, 48), (16, 48)))
    torch.testing.assert_close(large[:, 1::3, 1::3], small, rtol=0, atol=1e-6)  # middles of the same pixels
    torch.testing.assert_close(wide, large[:, 16:32], rtol=0, atol=1e-6)
    assert (small[0, :, 0] < small[0, :, -1]).all()  # column first, then row
    assert (small[1, 0] < small[1, -1]).all()


def test_a_picture_does_not_run_away_with_its_last_bias() -> None:
    drawing = CPPN(4, (16, 16), generator())
    with torch.no_grad():
        drawing.biases[-1].add_(1000.0)
    images = drawing.image().detach()
    assert (images.std(dim=(2, 3)).mean(dim=1) > 0.05).all()
    plain = decorrelate(torch.logit(images), PUBLISHED_COLOR_CORRELATION)
    torch.testing.assert_close(plain.std(dim=(1, 2, 3)), torch.full((4,), DEVIATION), rtol=1e-3, atol=0)


def test_weights_are_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = (CPPN(2, (4, 4), generator()).weights[1] for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, CPPN(2, (4, 4), generator(1)).weights[1])
    assert torch.equal(torch.get_rng_state(), before)


def test_colours_are_correlated_by_the_matrix_given() -> None:
    mixed, plain = CPPN(1, (8, 8), generator()), CPPN(1, (8, 8), generator())
    plain.correlation = None
    expected = torch.sigmoid(correlate(torch.logit(plain.image()), PUBLISHED_COLOR_CORRELATION))
    torch.testing.assert_close(mixed.image(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("options", [{"hidden": 0, "layers": 8}, {"hidden": 24, "layers": 1}])
def test_refusals(options: dict[str, int]) -> None:
    with refuses(f"hidden, layers: {options['hidden']}, {options['layers']} are too few; give at least 1 and 2"):
        CPPN(1, (4, 4), generator(), hidden=options["hidden"], layers=options["layers"])
