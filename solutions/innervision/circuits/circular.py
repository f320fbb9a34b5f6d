"""Numbers that describe a curve on a circle: where it points, how sharply, how wide it is, and whether it has an echo.

Angles wrap: 350 and 10 degrees are neighbours, and their average is 0, not 180.

Responses have shape ``(channel, stimuli)``; angles are in degrees, evenly spaced over the full turn, each once, in any
order. What repeats after half a turn, as lines do, is described by twice its angles.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

UNDECIDED = 1e-6
"""At or below this share of all responses together a vector sum points nowhere. Equal responses leave up to 5e-8 of it
in single precision (measured for 2 to 720 angles); a hundred, one of which is larger by a thousandth, leave 1e-5."""


def preferred_orientation(
    responses: Float[Tensor, "*channel stimuli"], angles: Float[Tensor, "stimuli"]
) -> Float[Tensor, "*channel"]:
    """Where a tuning curve points: each stimulus pulls towards its angle, as strongly as the unit responds to it.

    Args:
        responses: At least 0.
        angles: In degrees.

    Returns:
        In degrees, at least 0 and below 360: the direction of the sum of those pulls. NaN where they cancel: the sum is
        at most ``UNDECIDED`` of all responses together, or the unit never responds.

    Raises:
        ValueError: Shapes do not fit, or a response is below 0.

    Example:
        >>> preferred_orientation(torch.tensor([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0]]), torch.tensor([0.0, 120.0, 240.0]))
        tensor([180.,  nan])

    Source:
        Mardia and Jupp, "Directional statistics", 2000, section 2.2 (mean direction).
    """
    check_responses(responses, angles)
    radians = torch.deg2rad(angles)
    right, up = (responses * radians.cos()).sum(dim=-1), (responses * radians.sin()).sum(dim=-1)
    direction = torch.rad2deg(torch.atan2(up, right)) % 360 % 360  # a hair below 0 is rounded to 360 by the first
    undecided = torch.hypot(right, up) <= UNDECIDED * responses.sum(dim=-1)
    return direction.masked_fill(undecided, torch.nan)


def orientation_selectivity(
    responses: Float[Tensor, "*channel stimuli"], angles: Float[Tensor, "stimuli"]
) -> Float[Tensor, "*channel"]:
    """How much of a unit's response agrees on a direction.

    Args:
        responses: At least 0.
        angles: In degrees.

    Returns:
        In [0, 1]: length of the sum of all pulls (see ``preferred_orientation``) over the sum of the responses. 1 if
        the unit responds at one angle only; 0 if alike at all, alike at opposite ones, or never. A unit that responds
        alike to half of the circle and not to the other half has 2 / π = 0.64.

    Raises:
        ValueError: Shapes do not fit, or a response is below 0.

    Example:
        >>> orientation_selectivity(torch.tensor([[3.0, 0.0, 1.0, 0.0]]), torch.tensor([0.0, 90.0, 180.0, 270.0]))
        tensor([0.5000])

    Source:
        Mardia and Jupp, "Directional statistics", 2000, section 2.3 (mean resultant length); for cells, Mazurek et al.,
        "Robust quantification of orientation selectivity and direction selectivity", 2014 (1 - circular variance).
    """
    check_responses(responses, angles)
    radians = torch.deg2rad(angles)
    right, up = (responses * radians.cos()).sum(dim=-1), (responses * radians.sin()).sum(dim=-1)
    total = responses.sum(dim=-1)
    return torch.where(total > 0, torch.hypot(right, up) / total, 0.0).clamp(max=1)  # against rounding only


def tuning_width(
    responses: Float[Tensor, "*channel stimuli"], angles: Float[Tensor, "stimuli"]
) -> Float[Tensor, "*channel"]:
    """Over how many degrees a unit responds at least half as much as it can: the full width at half maximum.

    Args:
        responses: At least 0.
        angles: In degrees.

    Returns:
        In degrees, above 0 and at most 360: from the peak against the clock to where the curve first falls to half,
        and as far with the clock, added. Between stimuli the curve is taken to be straight. 360 if it never falls to
        half; NaN if the unit never responds. Of several equal peaks the first is taken.

    Raises:
        ValueError: Shapes do not fit, or a response is below 0.

    Example:
        >>> tuning_width(torch.tensor([[4.0, 2.0, 0.0, 0.0]]), torch.tensor([0.0, 90.0, 180.0, 270.0]))
        tensor([135.])

    Source:
        Swindale, "Orientation tuning curves: empirical description and estimation of parameters", 1998 (widths at half
        of the height).
    """
    check_responses(responses, angles)
    peak, half = angles[responses.argmax(dim=-1, keepdim=True)], responses.amax(dim=-1, keepdim=True) / 2
    width = torch.zeros_like(half)
    for way in (1, -1):
        away, order = (way * (angles - peak) % 360).sort(dim=-1)
        heights = responses.gather(-1, order)
        fallen = (heights <= half).int().argmax(dim=-1, keepdim=True).clamp(min=1)  # the first that has
        (near, far), (high, low) = (
            [values.gather(-1, fallen - 1), values.gather(-1, fallen)] for values in (away, heights)
        )
        width = width + near + (far - near) * (high - half) / (high - low)
    return torch.where(responses.amin(dim=-1, keepdim=True) > half, 360.0, width).squeeze(-1)


def echo_ratio(
    responses: Float[Tensor, "*channel stimuli"], angles: Float[Tensor, "stimuli"], reach: float = 20.0
) -> Float[Tensor, "*channel"]:
    """How strongly a unit also responds to the opposite of what it likes best.

    Args:
        responses: At least 0.
        angles: In degrees.
        reach: Degrees to either side of the opposite of the peak that still count as opposite, at least 0 and below
            180. 20 is our choice: an echo need not lie exactly opposite, and a curve half of whose width is 25 has
            fallen there.

    Returns:
        In [0, 1]: the largest response within reach of the peak's angle + 180, over the largest of all. NaN if the unit
        never responds.

    Raises:
        ValueError: ``reach`` is out of range, or holds no stimulus; shapes do not fit, or a response is below 0.

    Example:
        >>> echo_ratio(torch.tensor([[4.0, 3.0, 1.0, 0.0]]), torch.tensor([0.0, 90.0, 180.0, 270.0]))
        tensor([0.2500])

    Source:
        Cammarata et al., "Curve circuits", Distill 2021 (echoes); the ratio is ours.
    """
    check_responses(responses, angles)
    peak = angles[responses.argmax(dim=-1, keepdim=True)]
    opposite = ((angles - peak) % 360 - 180).abs() <= reach
    check_reach(reach, opposite)
    return responses.masked_fill(~opposite, 0).amax(dim=-1) / responses.amax(dim=-1)


def check_responses(responses: Tensor, angles: Tensor) -> None:
    """Refuse responses that do not fit their angles, or that cannot pull: below 0, infinite, or no numbers."""
    if angles.ndim != 1 or len(angles) < 2:
        raise ValueError(f"angles: shape {tuple(angles.shape)} is not (stimuli,); give at least two angles")
    if responses.ndim < 1 or responses.shape[-1] != len(angles):
        shape = tuple(responses.shape)
        raise ValueError(f"responses: shape {shape} is not (channel, {len(angles)}), a response for each angle")
    broken = responses[~((responses >= 0) & responses.isfinite())]
    if broken.numel():
        raise ValueError(f"responses: {float(broken[0]):g} is not finite and at least 0; record after a rectifier")


def check_reach(reach: float, opposite: Tensor) -> None:
    """Refuse a reach that is none, or in which nothing was measured."""
    if not 0 <= reach < 180:
        raise ValueError(f"reach: {reach} is not at least 0 and below 180 degrees")
    if not opposite.any(dim=-1).all():
        raise ValueError(f"reach: within {reach} degrees of the opposite of a peak lies no stimulus; give more angles")
