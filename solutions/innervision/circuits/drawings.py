"""Pictures of what the units of a written circuit are meant for, and the kernels of its line detectors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from innervision.circuits.written import Unit

LENGTH, WIDTH = 2.0, 0.8
"""Standard deviations of a line detector along and across its line, in pixels."""


def line_kernel(angle: float, size: int) -> Float[Tensor, "size size"]:
    """A detector for a bright line on grey: bright along the line, dark beside it, 0 on average.

    Args:
        angle: Direction along which the line lies, in degrees anticlockwise from the right.
        size: Side, in pixels, odd.
    """
    along, across = _line_axes(angle, size, 0.0, 0.0)
    profile = (1 - across.square() / WIDTH**2) * torch.exp(-across.square() / (2 * WIDTH**2))
    kernel = profile * torch.exp(-along.square() / (2 * LENGTH**2))
    return kernel - kernel.mean()


def _line_axes(angle: float, size: int, row: float, column: float) -> tuple[Tensor, Tensor]:
    """How far along a line, and how far beside it, each pixel lies; the line goes through (row, column)."""
    places = torch.arange(size) - (size - 1) / 2
    down, right = torch.meshgrid(places - row, places - column, indexing="ij")
    radians = math.radians(angle)
    return right * math.cos(radians) - down * math.sin(radians), right * math.sin(radians) + down * math.cos(radians)


def draw(circuit: Sequence[Unit], name: str, size: int = 48, row: float = 0.0, column: float = 0.0) -> Tensor:
    """The picture of what a unit is meant for: its lines, each in its place.

    Args:
        circuit: The circuit.
        name: A unit of it.
        size: Height and width, in pixels.
        row: How far below the middle of the image, in pixels.
        column: How far to the right of it.

    Returns:
        An image ``(3, size, size)`` in [0.5, 1]: bright lines on grey.
    """
    units = {unit.name: unit for unit in circuit}
    if name not in units:
        raise ValueError(f"name: no unit '{name}' in this circuit; it has {', '.join(units)}")

    def bright(unit: Unit, down: float, right: float) -> Tensor:
        if not unit.reads:
            return _line_picture(unit.angle or 0.0, size, down, right)
        shown = [read for read in unit.reads if read.weight > 0]
        parts = [bright(units[read.unit], down + read.row, right + read.column) for read in shown]
        return torch.stack(parts).amax(dim=0)

    return (0.5 + 0.5 * bright(units[name], row, column)).expand(3, size, size).clone()


def _line_picture(angle: float, size: int, row: float, column: float) -> Tensor:
    along, across = _line_axes(angle, size, row, column)
    return torch.exp(-across.square() / (2 * WIDTH**2)) * torch.exp(-(along / (1.5 * LENGTH)).pow(4))
