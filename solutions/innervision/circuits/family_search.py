"""Which channels of a layer are tuned to an orientation, and which of them make an evenly spread family?

Among hundreds of channels some look tuned by accident. So each is compared with itself after its stimuli were dealt out
anew; of the channels that stand out, those are kept that are tuned and respond enough to matter; and of those, members
are chosen that lie far apart.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from innervision.circuits.circular import (
    UNDECIDED,
    check_responses,
    orientation_selectivity,
    preferred_orientation,
)

RATE = 0.05
"""Share of accidents to be expected among the channels that stand out. The usual choice of the field."""

SHUFFLES = 9999
"""How often stimuli are dealt out anew. The smallest p-value is then 1 / 10,000, which the strictest limit of a layer
of 500 channels, ``RATE`` / 500, still lets pass: a single tuned channel can be found in it."""

SELECTIVITY = 0.3
"""Least selectivity of a tuned channel: what a unit has that responds alike to three quarters of the circle and not to
the rest, sin(135°) / (135° in radians). Shuffling cannot replace this floor: it takes neighbouring stimuli apart, so
any smooth curve stands out from its shuffles, however little it rises and falls."""

STRENGTH = 0.1
"""Least peak of a tuned channel, as a share of the largest peak in the layer. Our choice; it leaves out channels that
hardly respond to these stimuli, whose selectivity says little."""


def find_family(
    responses: Float[Tensor, "channel stimuli"],
    angles: Float[Tensor, "stimuli"],
    count: int = 8,
    *,
    generator: torch.Generator,
    rate: float = RATE,
    selectivity: float = SELECTIVITY,
    strength: float = STRENGTH,
) -> Int[Tensor, "members"]:
    """Channels tuned to orientations that are spread over the circle.

    The control is the same search in ``shuffle_responses(responses, generator)``: there is nothing to be found.

    Args:
        responses: At least 0; for example of ``tuning_curve``.
        angles: In degrees, evenly spaced over the full turn, each once.
        count: Members, at least 1.
        generator: Where the shuffles are drawn from.
        rate: As ``tuned_channels``.
        selectivity: As ``tuned_channels``.
        strength: As ``tuned_channels``.

    Returns:
        Channels, sorted by preferred orientation; all that are tuned, if they are fewer than ``count``. The most
        selective one is among them, the others are chosen by ``spread_out``.

    Raises:
        ValueError: An argument is out of range; shapes do not fit.

    Example:
        >>> angles = torch.arange(0.0, 360, 10)
        >>> liked = torch.tensor([200.0, 10.0, 100.0, 0.0])  # by each channel, in degrees
        >>> responses = torch.deg2rad(angles - liked[:, None]).cos().relu()
        >>> responses[3] = 1.0  # the last likes all alike
        >>> find_family(responses, angles, generator=torch.Generator().manual_seed(0))
        tensor([1, 2, 0])
    """
    check_count(count)
    tuned = tuned_channels(
        responses, angles, generator=generator, rate=rate, selectivity=selectivity, strength=strength
    ).nonzero()[:, 0]
    if len(tuned) == 0:
        return tuned
    orientations = preferred_orientation(responses[tuned], angles)
    first = int(orientation_selectivity(responses[tuned], angles).argmax())
    members = spread_out(orientations, min(count, len(tuned)), first)
    return tuned[members][orientations[members].argsort()]


def tuned_channels(
    responses: Float[Tensor, "channel stimuli"],
    angles: Float[Tensor, "stimuli"],
    *,
    generator: torch.Generator,
    rate: float = RATE,
    selectivity: float = SELECTIVITY,
    strength: float = STRENGTH,
) -> Bool[Tensor, "channel"]:
    """Which channels are tuned: no accident, selective enough, and strong enough.

    Args:
        responses: At least 0.
        angles: In degrees, evenly spaced over the full turn, each once.
        generator: Where the shuffles are drawn from.
        rate: Share of accidents among those that stand out from their shuffles, above 0 and below 1.
        selectivity: Least ``orientation_selectivity``, above 0 and at most 1.
        strength: Least peak, as a share of the layer's largest, in [0, 1].

    Raises:
        ValueError: An argument is out of range; shapes do not fit.
    """
    check_floors(rate, selectivity, strength)
    significant = benjamini_hochberg(selectivity_p_values(responses, angles, generator=generator), rate)
    selective = orientation_selectivity(responses, angles) >= selectivity
    return significant & selective & (responses.amax(dim=1) >= strength * responses.max())


def shuffle_responses(
    responses: Float[Tensor, "channel stimuli"], generator: torch.Generator
) -> Float[Tensor, "channel stimuli"]:
    """The control: each channel's responses, dealt out anew to the stimuli, for each channel in another way."""
    order = torch.rand(responses.shape, generator=generator).argsort(dim=1).to(responses.device)
    return responses.gather(1, order)


def selectivity_p_values(
    responses: Float[Tensor, "channel stimuli"],
    angles: Float[Tensor, "stimuli"],
    *,
    generator: torch.Generator,
    shuffles: int = SHUFFLES,
) -> Float[Tensor, "channel"]:
    """How often a channel is at least as selective when its angles are shuffled.

    All channels are shuffled in the same ways, so their p-values depend a little on one another. A channel that
    responds to one stimulus only is as selective in every shuffle: stimuli should lie close enough to excite a unit
    several times.

    Args:
        responses: At least 0.
        angles: In degrees.
        generator: Where the shuffles are drawn from.
        shuffles: How many, at least 1.

    Returns:
        (shuffles as selective + 1) / (shuffles + 1), above 0 and at most 1. 1 for a channel that never responds.

    Raises:
        ValueError: ``shuffles`` is below 1; shapes do not fit, or a response is below 0.

    Source:
        Phipson and Smyth, "Permutation p-values should never be zero", 2010 (the two ones).
    """
    check_responses(responses, angles)
    if shuffles < 1:
        raise ValueError(f"shuffles: {shuffles} is too few; give a whole number, at least 1")
    orders = torch.rand(shuffles, len(angles), generator=generator).argsort(dim=1).to(angles.device)
    radians = torch.deg2rad(angles)[orders].T.to(responses)
    lengths = torch.hypot(responses @ radians.cos(), responses @ radians.sin())
    total = responses.sum(dim=1)
    measured = (orientation_selectivity(responses, angles) - UNDECIDED) * total  # rounding makes no difference
    as_selective = (lengths >= measured[:, None]).sum(dim=1)
    return (as_selective + 1) / (shuffles + 1)


def benjamini_hochberg(p_values: Float[Tensor, "tests"], rate: float = RATE) -> Bool[Tensor, "tests"]:
    """Which of many tests stand out, so that about this share of those that do are accidents.

    The k-th smallest p-value has the limit ``rate * k / tests``. The largest p-value within its limit passes, and with
    it all that are smaller.

    Args:
        p_values: In [0, 1].
        rate: Expected share of accidents among those that pass, above 0 and below 1.

    Example:
        >>> benjamini_hochberg(torch.tensor([0.2, 0.01, 0.04, 0.033]), rate=0.06)
        tensor([False,  True,  True,  True])

    Source:
        Benjamini and Hochberg, "Controlling the false discovery rate", 1995: for tests that are independent.
    """
    ranked, order = p_values.sort()
    limits = rate * torch.arange(1, len(ranked) + 1, device=ranked.device) / len(ranked)
    passed = torch.zeros_like(p_values, dtype=torch.bool)
    within = (ranked <= limits).nonzero()
    if len(within):
        passed[order[: int(within[-1]) + 1]] = True
    return passed


def spread_out(orientations: Float[Tensor, "candidates"], count: int, first: int = 0) -> list[int]:
    """Choose candidates that lie far apart: each is the one farthest from all chosen before.

    Args:
        orientations: In degrees.
        count: How many to choose, from 1 to the number of candidates.
        first: The candidate to start from.

    Returns:
        Places in ``orientations``, in the order chosen. No candidate is farther from its nearest member than twice what
        the best choice could do.

    Raises:
        ValueError: ``count`` is out of range.

    Example:
        >>> spread_out(torch.tensor([0.0, 10.0, 350.0, 170.0]), 2)
        [0, 3]

    Source:
        Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985 (the rule, and the factor of two).
    """
    if not 1 <= count <= len(orientations):
        raise ValueError(f"count: {count} is not between 1 and {len(orientations)}, the number of candidates")
    chosen = [first]
    while len(chosen) < count:
        apart = 180 - ((orientations[:, None] - orientations[chosen]) % 360 - 180).abs()
        nearest = apart.amin(dim=1)
        nearest[chosen] = -1  # also where all others are as near
        chosen.append(int(nearest.argmax()))
    return chosen


def check_count(count: int) -> None:
    """Refuse a family without members."""
    if count < 1:
        raise ValueError(f"count: {count} is below 1; give a number of members")


def check_floors(rate: float, selectivity: float, strength: float) -> None:
    """Refuse a rate or a floor that is none."""
    if not 0 < rate < 1:
        raise ValueError(f"rate: {rate} is not above 0 and below 1")
    if not 0 < selectivity <= 1:
        raise ValueError(f"selectivity: {selectivity} is not above 0 and at most 1")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength: {strength} is not between 0 and 1, a share of the largest response")
