"""Comparing with a picture: values by hand, the picture itself is best, errors."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.optvis.matching import Beside, activation_difference, against, caricature, gram, inversion
from innervision.optvis.parametrizations import Fourier, Pixel


def given(*values: float) -> Tensor:
    """One image, as many channels as values, 1 × 1."""
    return torch.tensor(values).reshape(1, -1, 1, 1)


@pytest.fixture
def targets() -> dict[str, Tensor]:
    return {"a": given(3.0, 4.0), "b": given(0.0, 2.0)}


def test_inversion_is_minus_the_relative_squared_distance(targets: dict[str, Tensor]) -> None:
    drawn = {"a": given(3.0, 9.0), "b": given(1.0, 2.0)}
    torch.testing.assert_close(inversion(targets)(drawn), torch.tensor([-(25 / 25 + 1 / 4) / 2]))
    assert float(inversion(targets)(targets)) == 0
    assert str(inversion(targets)) == "inversion(a, b)"


def test_caricature_is_the_dot_product_times_the_cosine(targets: dict[str, Tensor]) -> None:
    drawn = {"a": given(6.0, 8.0), "b": given(2.0, 2.0)}
    for power in (0, 1, 4):
        expected = (2 * 1 + 1 * 0.5 ** (power / 2)) / 2
        torch.testing.assert_close(caricature(targets, power)(drawn), torch.tensor([expected]))
        torch.testing.assert_close(caricature(targets, power)(targets), torch.tensor([1.0]))
    torch.testing.assert_close(caricature({"a": targets["a"]}, 2)({"a": given(-3.0, -4.0)}), torch.tensor([-(0.1**2)]))
    assert str(caricature(targets, 4)) == "caricature(a, b, cosine ^ 4)"


def test_each_drawing_with_its_own_target_or_all_with_one() -> None:
    targets = {"a": torch.cat([given(1.0, 0.0), given(0.0, 2.0)])}
    drawn = {"a": torch.cat([given(5.0, 7.0), given(5.0, 7.0)])}
    torch.testing.assert_close(caricature(targets)(drawn), torch.tensor([5.0, 3.5]))
    one = {"a": targets["a"][:1]}
    torch.testing.assert_close(caricature(one)(drawn), torch.tensor([5.0, 5.0]))


def test_difference_is_summed_over_layers(targets: dict[str, Tensor]) -> None:
    drawn = {"a": given(3.0, 9.0), "b": given(1.0, 1.0)}
    torch.testing.assert_close(activation_difference(targets)(drawn), torch.tensor([2.5 + 1.0]))
    assert float(activation_difference(targets)(targets)) == 0


def test_gram_keeps_style_and_forgets_places() -> None:
    activation = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]).reshape(1, 2, 1, 2)
    torch.testing.assert_close(gram(activation), torch.tensor([[[2.5, 5.5], [5.5, 12.5]]]))
    moved = activation.flip(3)
    style = activation_difference({"a": activation}, gram)
    assert float(style({"a": moved})) == 0
    assert float(activation_difference({"a": activation})({"a": moved})) > 0
    assert float(style({"a": activation.expand(1, 2, 3, 2)})) == 0  # other sizes may be compared


@pytest.mark.parametrize("make", [inversion, caricature, partial(caricature, cosine_power=2), activation_difference])
def test_gradients_reach_the_drawing_and_not_the_target(make: partial) -> None:
    target, drawn = given(3.0, 4.0).requires_grad_(True), given(1.0, 2.0).requires_grad_(True)
    make({"a": target})({"a": drawn}).sum().backward()
    assert drawn.grad is not None
    assert (drawn.grad != 0).any()
    assert target.grad is None


def test_silent_targets_give_finite_numbers() -> None:
    for make in (inversion, caricature, activation_difference):
        assert make({"a": given(0.0, 0.0)})({"a": given(0.0, 0.0)}).isfinite().all()


@pytest.mark.parametrize("make", [inversion, caricature, activation_difference])
def test_wrong_targets(make: partial, targets: dict[str, Tensor]) -> None:
    with refuses("targets: is empty; give at least one {layer: activation}"):
        make({})
    with refuses(
        "targets: 'a' has shape (1, 2, 1, 1) and the drawing's activation (1, 2, 2, 1); "
        "draw at the picture's size with transforms=[], or use 'against'"
    ):
        make(targets)({"a": torch.zeros(1, 2, 2, 1), "b": given(1.0, 1.0)})


def test_against_compares_the_first_image_with_the_second(targets: dict[str, Tensor]) -> None:
    drawn = {"a": given(6.0, 8.0), "b": given(2.0, 2.0)}
    both = {name: torch.cat([drawn[name], targets[name]]) for name in targets}
    objective = against(caricature, ["a", "b"], cosine_power=2)
    assert objective.images == 2
    expected = float(caricature(targets, 2)(drawn))
    torch.testing.assert_close(objective(both), torch.tensor([expected, 0.0]))
    assert str(objective) == "caricature(a, b, cosine ^ 2)"
    assert str(against(inversion, "a")) == "inversion(a)"


def test_beside_puts_a_fixed_picture_after_each_drawing() -> None:
    pictures = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    drawing = Beside(4, (8, 8), torch.Generator().manual_seed(1), pictures=pictures)
    alone = Fourier(2, (8, 8), torch.Generator().manual_seed(1))
    images = drawing.image()
    assert torch.equal(images[1::2], pictures)
    assert torch.equal(images[::2], alone.image())
    assert torch.equal(drawing.parameters()[0], alone.parameters()[0])
    images.sum().backward()
    assert drawing.parameters()[0].grad is not None
    smaller = Beside(4, (4, 6), torch.Generator(), pictures=pictures, parametrization=Pixel)
    assert smaller.image().shape == (4, 3, 4, 6)
    with refuses("pictures: 2 for 3 images; give one for each objective made by 'against'"):
        Beside(3, (8, 8), torch.Generator(), pictures=pictures)
