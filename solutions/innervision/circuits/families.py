"""Are the weights of a family copies of one another, each turned a little further?

A family of units tuned to evenly spread orientations is *equivariant* if turning a unit's kernels, and handing them
from each input to the next of its family, gives the kernels of the next unit.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

Family = Float[Tensor, "units inputs rows columns"]


def rotate_family(weights: Family, angle: float, unit_shift: int = 1, input_shift: int = 1) -> Family:
    """The weights of a family, everything turned by an angle.

    Args:
        weights: Square kernels from a family of inputs to a family of units, each sorted by orientation.
        angle: In degrees, anticlockwise.
        unit_shift: By how many places a unit moves on in its family when it is turned by the angle.
        input_shift: By how many places an input moves on. Eight curves spread over 360 degrees move on by one when
            turned by 45 degrees; eight lines spread over 180 degrees by two.

    Returns:
        Turned kernels, each at the place of the unit and the input that it should belong to. Between positions
        values are interpolated; what comes from outside a kernel is 0. Multiples of 90 degrees are exact.

    Example:
        >>> weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 1, 2, 2)
        >>> rotate_family(weights, 90)[0, 0]
        tensor([[2., 4.],
                [1., 3.]])

    Source:
        Olah et al., "Naturally occurring equivariance in neural networks", Distill 2020.
    """
    quarters, rest = divmod(angle, 90)
    turned = torch.rot90(weights, int(quarters), dims=(2, 3))
    if rest:
        turned = turned_between(turned, rest)
    return turned.roll((unit_shift, input_shift), dims=(0, 1))


def turned_between(weights: Family, angle: float) -> Family:
    """Kernels turned anticlockwise by any angle, in degrees: values are interpolated, and 0 comes from outside."""
    radians = math.radians(angle)
    cosine, sine = math.cos(radians), math.sin(radians)
    turn = torch.tensor([[[cosine, -sine, 0.0], [sine, cosine, 0.0]]]).to(weights).expand(len(weights), 2, 3)
    grid = F.affine_grid(turn, list(weights.shape), align_corners=False)
    return F.grid_sample(weights, grid, align_corners=False)


def equivariance_score(weights: Family, angle: float, unit_shift: int = 1, input_shift: int = 1) -> float:
    """How much are a family's weights like themselves, when everything is turned by an angle?

    Corners, which leave a kernel when it is turned, are not counted.

    Args:
        weights: As ``rotate_family``.
        angle: In degrees, anticlockwise.
        unit_shift: As ``rotate_family``.
        input_shift: As ``rotate_family``.

    Returns:
        The cosine between the weights and the turned weights, in [-1, 1]: 1 if all are copies of one another.

    Source:
        Olah et al., "Naturally occurring equivariance in neural networks", Distill 2020.
    """
    inside = inside_circle(weights.shape[-1]).to(weights)
    turned = rotate_family(weights, angle, unit_shift, input_shift)
    return float(F.cosine_similarity((weights * inside).flatten(), (turned * inside).flatten(), dim=0))


def inside_circle(side: int) -> Bool[Tensor, "side side"]:
    """Which places of a square kernel stay inside it, however it is turned."""
    places = torch.arange(side) - (side - 1) / 2
    return places[:, None].square() + places.square() <= (side / 2) ** 2


def shuffled_scores(
    weights: Family,
    angle: float,
    unit_shift: int = 1,
    input_shift: int = 1,
    *,
    generator: torch.Generator,
    shuffles: int = 100,
) -> Float[Tensor, "shuffles"]:
    """The control: ``equivariance_score`` with the units, and the inputs, in random order.

    Args:
        weights: As ``rotate_family``.
        angle: In degrees, anticlockwise.
        unit_shift: As ``rotate_family``.
        input_shift: As ``rotate_family``.
        generator: Where the orders are drawn from.
        shuffles: How many, at least 1.

    Raises:
        ValueError: ``shuffles`` is below 1.
    """
    if shuffles < 1:
        raise ValueError(f"shuffles: {shuffles} is too few; give a whole number, at least 1")
    scores = []
    for _ in range(shuffles):
        units, inputs = (torch.randperm(count, generator=generator) for count in weights.shape[:2])
        scores.append(equivariance_score(weights[units][:, inputs], angle, unit_shift, input_shift))
    return torch.tensor(scores)
