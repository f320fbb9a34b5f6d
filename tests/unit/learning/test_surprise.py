"""Surprise: torch's own, and numbers by hand."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses

from innervision.learning.surprise import cross_entropy


def test_agrees_with_torch_whatever_the_axes() -> None:
    generator = torch.Generator().manual_seed(0)
    for size in ((), (4,), (2, 3)):
        logits = 3 * torch.randn(*size, 7, generator=generator)
        tokens = torch.randint(7, size, generator=generator)
        expected = F.cross_entropy(logits.view(-1, 7), tokens.view(-1), reduction="none").view(size)
        torch.testing.assert_close(cross_entropy(logits, tokens), expected)


def test_a_fair_coin_surprises_by_the_logarithm_of_two() -> None:
    assert math.isclose(float(cross_entropy(torch.tensor([5.0, 5.0]), torch.tensor(1))), math.log(2), rel_tol=1e-6)


def test_stays_finite_where_logits_are_far_apart() -> None:
    found = cross_entropy(torch.tensor([[0.0, 2000.0], [-1e4, -1e4]]), torch.tensor([0, 0]))
    torch.testing.assert_close(found, torch.tensor([2000.0, math.log(2)]), atol=1e-3, rtol=0)  # float32 near 10,000


def test_refuses_what_does_not_fit() -> None:
    with refuses("tokens: shape (3,) does not fit logits of shape (2, 5)"):
        cross_entropy(torch.zeros(2, 5), torch.zeros(3, dtype=torch.long))
    with refuses("tokens: from 0 to 5; the vocabulary has 0 to 4"):
        cross_entropy(torch.zeros(2, 5), torch.tensor([0, 5]))
