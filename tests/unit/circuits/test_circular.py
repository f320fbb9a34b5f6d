"""Numbers that describe tuning curves: closed forms, scipy as oracle, turned circles, and units that never respond."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import circmean, circvar
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.circuits import echo_ratio, orientation_selectivity, preferred_orientation, tuning_width

EVERY_EIGHT = torch.arange(0.0, 360, 8)
QUARTERS = torch.arange(0.0, 360, 90)


def apart(first: Tensor, second: Tensor | float) -> Tensor:
    """Degrees between directions, at most 180."""
    return ((first - second + 180) % 360 - 180).abs()


def triangles(width: float) -> Tensor:
    """A channel for each angle, which it likes best; it falls in straight lines, to half over this width."""
    return (1 - apart(EVERY_EIGHT, EVERY_EIGHT[:, None]) / width).relu()


def test_a_cosine_above_0() -> None:
    responses = 1 + torch.deg2rad(EVERY_EIGHT - EVERY_EIGHT[:, None]).cos()
    assert float(apart(preferred_orientation(responses, EVERY_EIGHT), EVERY_EIGHT).max()) < 1e-3  # single precision
    torch.testing.assert_close(orientation_selectivity(responses, EVERY_EIGHT), torch.full((45,), 0.5))
    # At the edge of the reach, 160 degrees from the peak, it is 1 - cos(20°); at the peak it is 2.
    expected = (1 - np.cos(np.deg2rad(20))) / 2
    torch.testing.assert_close(echo_ratio(responses, EVERY_EIGHT), torch.full((45,), expected, dtype=torch.float32))


def test_widths_of_triangles_are_exact_wherever_they_point() -> None:
    for width in (12.0, 50.0, 171.0):
        torch.testing.assert_close(tuning_width(triangles(width), EVERY_EIGHT), torch.full((45,), width))


def test_widths_by_hand() -> None:
    angles = torch.arange(0.0, 360, 60)
    responses = torch.tensor([[2.0, 0, 0, 0, 1, 4], [0, 3, 0, 0, 0, 4], [3, 3, 3, 3, 2, 4], [4, 3, 4, 0, 0, 0]])
    # 60 to one side and 40 to the other; a second bump that does not count; all but one above half; two equal peaks.
    expected = [60 + 40, 30 + 30, 4 * 60 + 60 + 60, 120 + 30 + 30]
    assert tuning_width(responses, angles).tolist() == pytest.approx(expected)


def test_angles_wrap() -> None:
    preferred = preferred_orientation(torch.ones(2), torch.tensor([350.0, 10.0]))
    assert float(apart(preferred, 0)) < 1e-4
    just_below = preferred_orientation(torch.tensor([1.0, 0.0]), torch.tensor([-1e-6, 90.0]))
    assert float(just_below) == 0  # and not 360, to which single precision rounds it


@pytest.mark.parametrize("seed", range(10))
def test_scipy_agrees(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    angles = 360 * torch.rand(20, generator=generator)
    counts = torch.randint(0, 30, (7, 20), generator=generator)
    repeated = [np.repeat(np.deg2rad(angles.double().numpy()), channel.numpy()) for channel in counts]
    means = torch.tensor([np.rad2deg(circmean(channel)) for channel in repeated])
    lengths = torch.tensor([1 - circvar(channel) for channel in repeated])
    assert float(apart(preferred_orientation(counts.float(), angles), means).max()) < 0.01
    torch.testing.assert_close(orientation_selectivity(counts.float(), angles).double(), lengths, rtol=0, atol=1e-5)


@pytest.mark.parametrize("turn", [30.0, 123.4, -77.7, 359.0])
def test_a_turned_circle_turns_the_preference_and_nothing_else(turn: float) -> None:
    generator = torch.Generator().manual_seed(0)
    responses = torch.rand(30, 45, generator=generator)
    turned, order = EVERY_EIGHT + turn, torch.randperm(45, generator=generator)
    before = preferred_orientation(responses, EVERY_EIGHT)
    after = preferred_orientation(responses[:, order], turned[order])
    assert float(apart(after, before + turn).max()) < 0.01
    assert float(after.min()) >= 0
    assert float(after.max()) < 360
    for describe in (orientation_selectivity, tuning_width, partial(echo_ratio, reach=18)):  # no stimulus at its edge
        once, again = describe(responses, EVERY_EIGHT), describe(3 * responses[:, order], turned[order])
        torch.testing.assert_close(again, once, rtol=0, atol=1e-3)


def test_selectivity_is_never_above_1() -> None:
    angles = torch.arange(0.0, 360)
    selectivity = orientation_selectivity(torch.eye(360), angles)
    assert float(selectivity.max()) == 1
    assert float(selectivity.min()) > 1 - 1e-6  # single precision


def test_units_without_a_preference() -> None:
    for count in (2, 3, 7, 36, 180, 720):
        angles = torch.arange(count) * 360 / count
        never, alike = torch.zeros(1, count), torch.full((1, count), 0.7)
        single = torch.zeros(1, count)
        single[0, 0] = 1
        assert preferred_orientation(torch.cat([never, alike]), angles).isnan().all()
        assert orientation_selectivity(never, angles).tolist() == [0]
        assert float(orientation_selectivity(alike, angles)) < 1e-7
        assert orientation_selectivity(single, angles).tolist() == [1]
        assert tuning_width(never, angles).isnan().all()
        assert tuning_width(alike, angles).tolist() == [360]
        assert echo_ratio(never, angles, reach=120).isnan().all()
        assert echo_ratio(alike, angles, reach=120).tolist() == [1]


def test_a_preference_too_weak_to_tell() -> None:
    angles = torch.arange(100, dtype=torch.float64) * 3.6
    responses = torch.ones(2, 100, dtype=torch.float64)
    responses[:, 25] += torch.tensor([5e-5, 2e-4], dtype=torch.float64)  # half of what is needed, and twice
    assert preferred_orientation(responses, angles).tolist() == pytest.approx([torch.nan, 90], nan_ok=True)


def test_what_repeats_after_half_a_turn_is_described_by_twice_its_angles() -> None:
    angles = torch.arange(0.0, 180, 5)
    responses = torch.deg2rad(angles - 40).cos().square()
    assert float(preferred_orientation(responses, 2 * angles) / 2) == pytest.approx(40, abs=1e-3)


def test_echoes() -> None:
    responses = torch.zeros(3, 45)
    responses[:, 5] = 8.0  # at 40 degrees
    responses[0, 28], responses[1, 24], responses[2, 30] = 2.0, 2.0, 2.0  # at 224, 192 and 240 degrees
    assert echo_ratio(responses, EVERY_EIGHT).tolist() == [0.25, 0, 0.25]
    assert echo_ratio(responses, EVERY_EIGHT, reach=28).tolist() == [0.25, 0.25, 0.25]
    assert echo_ratio(responses, EVERY_EIGHT, reach=4).tolist() == [0.25, 0, 0]


@pytest.mark.parametrize(
    "describe", [preferred_orientation, orientation_selectivity, tuning_width, echo_ratio], ids=lambda one: one.__name__
)
def test_refusals(describe: Callable[[Tensor, Tensor], Tensor]) -> None:
    with refuses("angles: shape (1,) is not (stimuli,); give at least two angles"):
        describe(torch.ones(3, 1), torch.zeros(1))
    with refuses("angles: shape (4, 1) is not (stimuli,); give at least two angles"):
        describe(torch.ones(3, 4), QUARTERS[:, None])
    with refuses("responses: shape (3, 5) is not (channel, 4), a response for each angle"):
        describe(torch.ones(3, 5), QUARTERS)
    for broken in (-0.5, torch.nan, torch.inf):
        with refuses(f"responses: {broken:g} is not finite and at least 0; record after a rectifier"):
            describe(torch.tensor([[1.0, 2.0, broken, 0.0]]), QUARTERS)


def test_refuses_a_reach_that_holds_nothing() -> None:
    with refuses("reach: 180 is not at least 0 and below 180 degrees"):
        echo_ratio(torch.ones(1, 4), QUARTERS, reach=180)
    with refuses("reach: within 5 degrees of the opposite of a peak lies no stimulus; give more angles"):
        echo_ratio(torch.eye(3)[[0, 2]], torch.tensor([0.0, 180, 90]), reach=5)  # it holds one for the first channel
