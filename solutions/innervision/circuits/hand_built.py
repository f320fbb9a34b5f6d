"""Curve detectors that nobody trained: weights written from what is known about lines and curves.

If a mechanism is understood, it can be built. What the built one does as well as the learned one is what was
understood; the rest is what was not.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def hand_built_curve_detector(
    line_orientations: Float[Tensor, "inputs"], orientation: float, radius: float, size: int, width: float = 1.0
) -> Float[Tensor, "inputs size size"]:
    """The kernels through which one curve detector reads a family of line detectors.

    The arc passes through the middle of the kernel. At each place a line detector excites if its line runs along the
    arc there, and inhibits if its line crosses the arc: the weight is the product of

    - how near the place is to the arc's circle: exp(-distance² / (2 · width²));
    - how near it is to the arc's middle: the cosine of the angle between the two, seen from the centre of the circle,
      and 0 beyond a quarter of the circle to either side;
    - how well the line fits: the cosine of *twice* the angle between the line detector's orientation and the direction
      from the centre of the circle to the place. It is 1 along the arc, 0 at 45 degrees, -1 across.

    Args:
        line_orientations: Of the inputs, in degrees against the clock: the direction across the line, as in
            ``draw_line``. Lines repeat after 180.
        orientation: Direction to which the curve bulges, in degrees against the clock, as in ``draw_curve``.
        radius: Of the circle, in positions of the layer that is read, above 0. A large one gives a line detector.
        size: Side of the kernels, in positions; odd, so that there is a middle.
        width: Of the stroke that is read: standard deviation of the distance in positions, above 0.

    Returns:
        Weights in [-1, 1], in no particular scale; row 0 is at the top. If line orientations are evenly spread, three
        or more, the weights at each place add up to 0: what excites all lines alike excites no curve.

    Raises:
        ValueError: ``radius`` or ``width`` is not above 0; ``size`` is not odd.

    Example:
        >>> hand_built_curve_detector(torch.tensor([0.0, 90.0]), orientation=90, radius=3, size=3)[1]
        tensor([[0.4556, 0.6065, 0.4556],
                [0.7490, 1.0000, 0.7490],
                [0.4008, 0.6065, 0.4008]])

    Source:
        Cammarata et al., "Curve circuits", Distill 2021: lines along the curve excite, lines across it inhibit, and a
        detector built by hand from that. The formula is ours.
    """
    check_detector(radius, size, width)
    direction, places = math.radians(orientation), torch.arange(size) - size // 2
    right, up = places + radius * math.cos(direction), -places[:, None] + radius * math.sin(direction)
    around = torch.atan2(up, right)  # of each place, seen from the centre of the circle
    near = torch.exp(-(torch.hypot(right, up) - radius).square() / (2 * width**2))
    part = (around - direction).cos().clamp(min=0)
    lines = torch.deg2rad(line_orientations)[:, None, None]
    return near * part * (2 * (lines - around)).cos()


def check_detector(radius: float, size: int, width: float) -> None:
    """Refuse an arc that is none, or a kernel without a middle."""
    for name, value in (("radius", radius), ("width", width)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name}: {value} is not above 0 positions")
    if size < 1 or size % 2 == 0:
        raise ValueError(f"size: {size} is not odd; a kernel needs a middle")
