"""Directions: dot products and cosines by hand, what power 0 means, errors."""

from __future__ import annotations

import math

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.optvis.directions import cosine, direction, direction_unit
from innervision.optvis.objectives import channel, unit

VECTOR = torch.tensor([3.0, 4.0])


@pytest.fixture
def activations() -> dict[str, Tensor]:
    """One image, two channels, 1 × 3: along the vector, at a right angle to it, against it."""
    return {"a": torch.tensor([[6.0, -4.0, -3.0], [8.0, 3.0, -4.0]]).reshape(1, 2, 1, 3).requires_grad_(True)}


def test_the_dot_product_is_averaged_over_positions(activations: dict[str, Tensor]) -> None:
    torch.testing.assert_close(direction("a", VECTOR)(activations), torch.tensor([(50.0 + 0 - 25) / 3]))
    assert str(direction("a", VECTOR)) == "a·v"


def test_a_basis_vector_is_a_channel() -> None:
    activations = {"a": torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0))}
    basis = torch.eye(4)[2]
    torch.testing.assert_close(direction("a", basis)(activations), channel("a", 2)(activations))
    torch.testing.assert_close(direction_unit("a", basis)(activations), unit("a", 2)(activations))
    torch.testing.assert_close(direction_unit("a", basis, 0, 5)(activations), unit("a", 2, 0, 5)(activations))


@pytest.mark.parametrize("power", [1, 2, 4])
def test_each_position_counts_by_its_cosine_floored_at_a_tenth(activations: dict[str, Tensor], power: int) -> None:
    # cosines 1, 0 and -1; the last two count as 0.1. Lengths gain 1e-4, 1 part in 50,000 of the smallest.
    expected = (50 * 1 + 0 - 25 * 0.1**power) / 3
    value = direction("a", VECTOR, cosine_power=power)(activations)
    torch.testing.assert_close(value, torch.tensor([expected]), rtol=4e-4, atol=0)
    assert str(direction("a", VECTOR, power)) == f"a·v (cosine ^ {power})"


def test_a_picture_at_a_right_angle_still_moves() -> None:
    activation = torch.tensor([-4.0, 3.0]).reshape(1, 2, 1, 1).requires_grad_(True)
    value = direction("a", VECTOR, cosine_power=4)({"a": activation})
    (gradient,) = torch.autograd.grad(value.sum(), activation)
    torch.testing.assert_close(gradient.flatten(), VECTOR * 0.1**4)


def test_gradients_stay_finite_where_nothing_is_active() -> None:
    activation = torch.zeros(1, 2, 2, 2, requires_grad=True)
    for objective in (direction("a", VECTOR, cosine_power=2), cosine("a", VECTOR)):
        (gradient,) = torch.autograd.grad(objective({"a": activation}).sum(), activation)
        assert gradient.isfinite().all()


def test_direction_unit_reads_one_position(activations: dict[str, Tensor]) -> None:
    torch.testing.assert_close(direction_unit("a", VECTOR, 0, 2)(activations), torch.tensor([-25.0]))
    torch.testing.assert_close(direction_unit("a", VECTOR)(activations), torch.tensor([0.0]))
    assert str(direction_unit("a", VECTOR)) == "a·v@centre"
    assert str(direction_unit("a", VECTOR, 0, 2, cosine_power=2)) == "a·v@0,2 (cosine ^ 2)"


def test_cosine_does_not_care_how_strong(activations: dict[str, Tensor]) -> None:
    torch.testing.assert_close(cosine("a", VECTOR)(activations), torch.tensor([0.0]), rtol=0, atol=1e-6)
    first = {"a": activations["a"][..., :1]}
    torch.testing.assert_close(cosine("a", 7 * VECTOR)(first), torch.tensor([1.0]))
    lean = {"a": torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)}
    torch.testing.assert_close(cosine("a", torch.ones(2))(lean), torch.tensor([math.sqrt(0.5)]))


def test_logits_have_directions_too() -> None:
    logits = {"logits": torch.tensor([[1.0, 2.0]])}
    torch.testing.assert_close(direction("logits", VECTOR)(logits), torch.tensor([11.0]))


@pytest.mark.parametrize("make", [direction, direction_unit, cosine])
def test_wrong_vectors(activations: dict[str, Tensor], make: object) -> None:
    with refuses("vector: shape (1, 2) is no direction; give a tensor of one number per channel"):
        make("a", VECTOR[None])  # type: ignore[operator]
    with refuses("vector: list is no direction; give a tensor of one number per channel"):
        make("a", [3.0, 4.0])  # type: ignore[operator]
    with refuses("vector: has 3 numbers; 'a' has 2 channels"):
        make("a", torch.ones(3))(activations)  # type: ignore[operator]
