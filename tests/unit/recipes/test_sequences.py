"""What the recipes of transformers share."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from innervision.learning.surprise import cross_entropy
from innervision.recipes.sequences import WARM_UP_SHARE, next_token_loss, one_cycle, surprises


class CountsUp(nn.Module):
    """Says that the next of five tokens is one more, with so much conviction."""

    def __init__(self, conviction: float):
        super().__init__()
        self.conviction = nn.Parameter(torch.tensor(conviction))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.conviction * nn.functional.one_hot((tokens + 1) % 5, 5).float()


def test_who_foretells_the_next_token_has_no_loss_and_who_guesses_has_that_of_guessing() -> None:
    up, still = torch.tensor([[0, 1, 2, 3, 4, 0]]), torch.tensor([[2, 2, 2, 2, 2, 2]])
    assert next_token_loss(CountsUp(50.0), (up,)).item() < 1e-6
    assert next_token_loss(CountsUp(50.0), (still,)).item() == pytest.approx(50.0)
    assert next_token_loss(CountsUp(0.0), (up,)).item() == pytest.approx(math.log(5))


def test_the_loss_is_the_mean_of_what_the_course_calls_surprise() -> None:
    tokens = torch.randint(0, 5, (7, 11), generator=torch.Generator().manual_seed(0))
    network = CountsUp(1.5)
    expected = cross_entropy(network(tokens[:, :-1]), tokens[:, 1:])
    torch.testing.assert_close(surprises(network, tokens), expected)
    torch.testing.assert_close(next_token_loss(network, (tokens,)), expected.mean())


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nearly_nothing() -> None:
    optimizer, scheduler = one_cycle(CountsUp(0.0), 0.2, 0.01, 100)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step() if len(rates) < 100 else None
    highest = max(range(100), key=rates.__getitem__)
    assert rates[highest] == pytest.approx(0.2)
    assert highest == pytest.approx(100 * WARM_UP_SHARE, abs=1)
    assert rates[-1] < 1e-3 * rates[highest]
    assert optimizer.param_groups[0]["weight_decay"] == 0.01
