"""Relaxed max pooling: the same values, a gradient for everything that was nearly the largest."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.attribution import relaxed_max_pool, relaxed_max_pooling


@pytest.fixture
def values() -> Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_formula_by_hand() -> None:
    window = torch.tensor([[1.0, 2.0], [0.0, 3.0]]).view(1, 1, 2, 2)
    assert relaxed_max_pool(window, 2).item() == pytest.approx((14 / 4) / (6 / 4 + 0.01))


def test_values_are_the_largest_exactly_and_the_gradient_is_the_formulas(values: Tensor) -> None:
    ways = [
        lambda v: F.max_pool2d(v, 3, 2, 1),
        lambda v: F.max_pool2d(v, kernel_size=3, stride=2, padding=1),
        lambda v: torch.max_pool2d(v, 3, 2, 1),
        torch.nn.MaxPool2d(3, 2, 1),
    ]
    values.requires_grad_(True)
    (expected,) = torch.autograd.grad(relaxed_max_pool(values, 3, 2, 1).sum(), values)
    for way in ways:
        with relaxed_max_pooling():
            pooled = way(values)
        assert torch.equal(pooled, F.max_pool2d(values, 3, 2, 1))
        (gradient,) = torch.autograd.grad(pooled.sum(), values)
        torch.testing.assert_close(gradient, expected, rtol=0, atol=0)


def test_a_close_second_gets_nearly_as_much_as_the_winner() -> None:
    window = torch.tensor([[1.0, 0.99], [0.0, 0.0]]).view(1, 1, 2, 2).requires_grad_(True)
    (plain,) = torch.autograd.grad(F.max_pool2d(window, 2).sum(), window)
    assert plain.flatten().tolist() == [1, 0, 0, 0]
    with relaxed_max_pooling():
        pooled = F.max_pool2d(window, 2)
    (smooth,) = torch.autograd.grad(pooled.sum(), window)
    first, second = smooth.flatten().tolist()[:2]
    assert second / first == pytest.approx(1, abs=0.05)


def test_padding_with_minus_infinity_counts_nothing(values: Tensor) -> None:
    padded = F.pad(values, (0, 1, 0, 1), value=float("-inf")).requires_grad_(True)
    with relaxed_max_pooling():
        pooled = F.max_pool2d(padded, 3, 2)
    (gradient,) = torch.autograd.grad(pooled.sum(), padded)
    assert gradient.isfinite().all()
    assert gradient[..., -1].abs().sum() == 0


def test_everything_else_is_left_alone(values: Tensor) -> None:
    with relaxed_max_pooling():
        pooled, indices = F.max_pool2d(values, 2, return_indices=True)
        average = F.avg_pool2d(values, 2)
    torch.testing.assert_close(average, F.avg_pool2d(values, 2), rtol=0, atol=0)
    assert indices.dtype == torch.int64
    values.requires_grad_(True)
    (after,) = torch.autograd.grad(F.max_pool2d(values, 2).sum(), values)
    assert int((after != 0).sum()) == pooled.numel()  # the winners alone


def test_dilation_is_refused(values: Tensor) -> None:
    with refuses("dilation: 2 cannot be relaxed; only a max pooling with dilation 1 can"), relaxed_max_pooling():
        F.max_pool2d(values, 2, dilation=2)
