"""The search for a family: p-values against all permutations, rates against scipy, spread against the best choice."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from scipy.stats import false_discovery_control
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.circuits import find_family, shuffle_responses, tuned_channels
from innervision.circuits.family_search import benjamini_hochberg, selectivity_p_values, spread_out

ANGLES = torch.arange(0.0, 360, 5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bells(likes: Tensor) -> Tensor:
    """A channel for each direction, with a smooth peak there."""
    return torch.exp(4 * (torch.deg2rad(ANGLES - likes[:, None]).cos() - 1))


def noise(channels: int, seed: int = 0) -> Tensor:
    return torch.rand(channels, len(ANGLES), generator=seeded(seed))


def test_p_values_are_shares_of_all_permutations() -> None:
    angles = torch.arange(0.0, 360, 60)
    responses = torch.tensor([[3.0, 2, 1, 0, 0, 1], [2, 0, 1, 2, 0, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]])
    pulls = np.exp(1j * np.deg2rad(angles.double().numpy()))
    orders = np.array(list(permutations(range(6))))
    lengths = np.abs(responses.double().numpy() @ pulls[orders].T)
    exact = (lengths >= np.abs(responses.double().numpy() @ pulls)[:, None] - 1e-9).mean(axis=1)
    found = selectivity_p_values(responses, angles, generator=seeded())
    assert found.tolist() == pytest.approx(exact.tolist(), abs=0.02)  # four standard errors of 9999 shuffles
    assert found[2:].tolist() == [1, 1]


def test_p_values_of_noise_are_uniform_and_never_0() -> None:
    p_values = selectivity_p_values(noise(400), ANGLES, generator=seeded(1), shuffles=199)
    for limit in (0.1, 0.5, 0.9):
        assert float((p_values <= limit).float().mean()) == pytest.approx(limit, abs=0.1)  # four standard errors
    tuned = selectivity_p_values(bells(torch.tensor([70.0])), ANGLES, generator=seeded(1), shuffles=199)
    assert tuned.tolist() == pytest.approx([1 / 200])


@pytest.mark.parametrize("seed", range(20))
def test_scipy_lets_the_same_pass(seed: int) -> None:
    generator = seeded(seed)
    p_values = torch.rand(60, generator=generator, dtype=torch.float64)
    p_values[: 3 * seed] **= 4  # from none that stands out to nearly all
    expected = false_discovery_control(p_values.numpy()) <= 0.1
    assert benjamini_hochberg(p_values, rate=0.1).tolist() == expected.tolist()


def test_none_and_all_may_pass() -> None:
    assert not benjamini_hochberg(torch.tensor([0.9, 0.06])).any()
    assert benjamini_hochberg(torch.tensor([0.05, 0.01])).all()


@pytest.mark.parametrize("seed", range(10))
def test_spread_out_is_at_most_twice_as_far_as_the_best_choice(seed: int) -> None:
    orientations = 360 * torch.rand(9, generator=seeded(seed))
    apart = ((orientations[:, None] - orientations + 180) % 360 - 180).abs()

    def farthest(members: tuple[int, ...]) -> float:
        return float(apart[:, list(members)].amin(dim=1).max())

    for count in (1, 2, 4):
        chosen = spread_out(orientations, count, first=seed % 9)
        assert chosen[0] == seed % 9
        assert len(set(chosen)) == count
        assert farthest(tuple(chosen)) <= 2 * min(map(farthest, combinations(range(9), count))) + 1e-3


def test_spread_out_takes_none_twice() -> None:
    assert sorted(spread_out(torch.full((4,), 20.0), 4, first=2)) == [0, 1, 2, 3]


def test_what_counts_as_tuned() -> None:
    tuned = bells(torch.tensor([33.0]))
    weak, line = 0.05 * tuned, tuned + tuned.roll(len(ANGLES) // 2, dims=1)
    gentle = 1 + 0.4 * torch.deg2rad(ANGLES).cos()[None]  # selectivity 0.2, and no accident
    responses = torch.cat([weak, tuned, line, gentle, torch.zeros_like(tuned), noise(1)])
    assert selectivity_p_values(responses, ANGLES, generator=seeded())[[0, 1, 3]].tolist() == pytest.approx([1e-4] * 3)
    assert tuned_channels(responses, ANGLES, generator=seeded()).nonzero().flatten().tolist() == [1]
    found = tuned_channels(responses, ANGLES, generator=seeded(), selectivity=0.19, strength=0.03)
    assert found.nonzero().flatten().tolist() == [0, 1, 3]


def test_one_tuned_channel_among_five_hundred_is_found_and_none_when_shuffled() -> None:
    responses = torch.cat([noise(250), bells(torch.tensor([70.0])), noise(249, seed=1)])
    floors = {"selectivity": 1e-3, "strength": 0.0}  # so that nothing but the shuffles decides
    assert tuned_channels(responses, ANGLES, generator=seeded(), **floors).nonzero().tolist() == [[250]]
    shuffled = shuffle_responses(responses, seeded(2))
    assert not tuned_channels(shuffled, ANGLES, generator=seeded(), **floors).any()
    torch.testing.assert_close(shuffled.sort(dim=1)[0], responses.sort(dim=1)[0], rtol=0, atol=0)


def test_a_family_is_spread_over_the_circle_and_sorted() -> None:
    likes = torch.tensor([181.0, 2, 90, 5, 271, 8, 11, 359])
    responses = torch.cat([noise(10), bells(likes), noise(10, seed=1)])
    family = find_family(responses, ANGLES, 4, generator=seeded())
    orientations = likes[family - 10]
    gaps = torch.cat([orientations, orientations[:1] + 360]).diff()
    assert orientations.tolist() == sorted(orientations.tolist())
    assert float((gaps - 90).abs().max()) <= 15
    assert sorted(find_family(responses, ANGLES, 20, generator=seeded()).tolist()) == list(range(10, 18))
    assert find_family(shuffle_responses(responses, seeded(1)), ANGLES, generator=seeded()).tolist() == []


def test_refusals() -> None:
    responses = noise(3)
    with refuses("count: 0 is below 1; give a number of members"):
        find_family(responses, ANGLES, 0, generator=seeded())
    with refuses("rate: 1 is not above 0 and below 1"):
        find_family(responses, ANGLES, generator=seeded(), rate=1)
    with refuses("selectivity: 0 is not above 0 and at most 1"):
        find_family(responses, ANGLES, generator=seeded(), selectivity=0)
    with refuses("strength: 1.5 is not between 0 and 1, a share of the largest response"):
        find_family(responses, ANGLES, generator=seeded(), strength=1.5)
    with refuses("shuffles: 0 is too few; give a whole number, at least 1"):
        selectivity_p_values(responses, ANGLES, generator=seeded(), shuffles=0)
    with refuses("responses: shape (3, 71) is not (channel, 72), a response for each angle"):
        selectivity_p_values(responses[:, :-1], ANGLES, generator=seeded())
    with refuses("count: 4 is not between 1 and 3, the number of candidates"):
        spread_out(torch.zeros(3), 4)
