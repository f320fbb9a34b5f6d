"""One-sided factorisation: what was planted is found, shuffled weights hold nothing, and limits are as stated."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from tests.unit.refusals import refuses
from torch import Tensor

from innervision import load
from innervision.circuits import expanded_weights, factorize_weights

INPUTS, FACTORS = 24, 3


def planted(seed: int, noise: float = 0.0, outputs: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, the groups of channels they were made of (each channel in one), and kernels of both signs."""
    generator = torch.Generator().manual_seed(seed)
    groups = torch.arange(INPUTS) % FACTORS == torch.arange(FACTORS)[:, None]
    channels = F.normalize(groups * (0.2 + torch.rand(FACTORS, INPUTS, generator=generator)), dim=1)
    kernels = torch.randn(outputs, FACTORS, 5, 5, generator=generator)
    weights = torch.einsum("ofrc,fi->oirc", kernels, channels)
    drawn = torch.randn(weights.shape, generator=generator)
    return weights + noise * drawn * weights.norm() / drawn.norm(), channels, kernels


def matched(found: Tensor, true: Tensor) -> Tensor:
    """Cosines between factors, each with the one that it fits best, none twice."""
    cosines = F.normalize(found.flatten(1), dim=1) @ F.normalize(true.flatten(1), dim=1).T
    return cosines[linear_sum_assignment(-cosines.numpy())]


@pytest.mark.parametrize("seed", range(20))
def test_planted_factors_are_found(seed: int) -> None:
    weights, channels, kernels = planted(seed)
    found = factorize_weights(weights, FACTORS)
    assert float(matched(found.channels, channels).min()) > 0.999
    assert float(matched(found.kernels.transpose(0, 1), kernels.transpose(0, 1)).min()) > 0.999
    assert found.unexplained < 0.01
    torch.testing.assert_close(
        torch.einsum("ofrc,fi->oirc", found.kernels, found.channels), weights, rtol=0, atol=0.02 * float(weights.max())
    )


@pytest.mark.parametrize("seed", range(20))
def test_noise_of_a_fifth_leaves_the_groups_and_shuffling_does_not(seed: int) -> None:
    weights, channels, _ = planted(seed, noise=0.2)
    found = factorize_weights(weights, FACTORS)
    assert float(matched(found.channels, channels).min()) > 0.95
    order = torch.randperm(weights.numel(), generator=torch.Generator().manual_seed(seed))
    shuffled = factorize_weights(weights.flatten()[order].view_as(weights), FACTORS)
    assert found.unexplained < 0.25
    assert shuffled.unexplained > 0.75  # the control: as many factors, the same numbers in no order


def test_a_channel_read_with_both_signs_in_one_place_is_only_near() -> None:
    """The stated limit: 3 = 4 - 1 has no sign left that would tell of the two groups."""
    channels = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    weights = torch.einsum("of,fi->oi", torch.tensor([[4.0, -1.0], [-1.0, 4.0]]), channels)[:, :, None, None]
    assert 0.02 < factorize_weights(weights, 2).unexplained < 0.6


def test_order_signs_lengths_and_repeats() -> None:
    weights, _, _ = planted(3, noise=0.2)
    found, again = factorize_weights(weights, 4), factorize_weights(weights, 4)
    torch.testing.assert_close(found.channels.norm(dim=1), torch.ones(4))
    assert float(found.channels.min()) >= 0
    assert float(found.kernels.min()) < 0 < float(found.kernels.max())
    strengths = found.kernels.transpose(0, 1).flatten(1).norm(dim=1)
    assert strengths.tolist() == sorted(strengths.tolist(), reverse=True)
    torch.testing.assert_close(again.kernels, found.kernels, rtol=0, atol=0)
    turned = factorize_weights(-weights, 4)  # what excites and what inhibits have equal rights
    assert turned.unexplained == pytest.approx(found.unexplained, abs=0.01)


def test_mini_and_more_factors_explain_more() -> None:
    weights = expanded_weights(load("mini"), "mixed3a", "mixed3b")[:8]
    left = [factorize_weights(weights, factors).unexplained for factors in (1, 4)]
    assert left[1] < left[0] < 1


def test_refusals() -> None:
    rule = "is not between 1 and 24, the smaller one of 24 inputs and twice 100 weights of each"
    for factors in (0, 25):
        with refuses(f"factors: {factors} {rule}"):
            factorize_weights(planted(0)[0], factors)
    with refuses("weights: are all 0; there is nothing to sum up"):
        factorize_weights(torch.zeros(1, 3, 2, 2), 1)
