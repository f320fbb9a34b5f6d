"""Circuits as diagrams: units as pictures or words, layer after layer, and between them edges as strong as weights."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from torch import Tensor

from innervision.plots.pictures import as_pictures
from innervision.plots.style import DOTS_PER_INCH, EXCITES, INHIBITS

SIDE = 0.66
"""Inches: height of a unit, and width of a picture."""

PITCH = 1.02
"""Inches from one unit to the next below it: room for its name."""

GAP = 1.7
"""Inches between the columns of two layers: room for all edges between six units and six others."""

WIDTHS = (0.7, 4.5)
"""Points: the narrowest edge, and the widest, which the largest weight has. In between, width grows with the weight."""

NUMBER = (0.33, 0.13)
"""Inches: width and height of a written weight."""

SHARES = (0.6, 0.45, 0.75, 0.3, 0.52, 0.68, 0.38, 0.2)
"""Where along an edge its weight may stand, in the order in which they are tried."""

Place = tuple[float, float]


@dataclass(frozen=True)
class _Unit:
    """A unit of a diagram: its middle in inches from the left and from the bottom, and its width in inches."""

    across: float
    up: float
    width: float

    def edge(self, side: int, share: float) -> Place:
        """A place on its right (1) or left (-1) border, at a share of its height from the bottom."""
        return self.across + side * self.width / 2, self.up + (share - 0.5) * SIDE * 0.86


def circuit_diagram(
    layers: Sequence[Sequence[str]],
    edges: Mapping[tuple[str, str], float],
    pictures: Mapping[str, Float[Tensor, "3 height width"]] | None = None,
    *,
    digits: int | None = None,
    title: str = "",
) -> Figure:
    """Units from left to right, layer after layer, and the edges between them.

    Excitation is violet, a whole line that ends in an arrowhead; inhibition is orange, dashed, and ends in a bar. The
    wider, the larger the weight.

    Args:
        layers: Names of the units of each layer, the earliest layer first; no name twice.
        edges: (unit that is read, unit that reads) → weight, above 0 or below.
        pictures: Unit → what is shown of it, for example its feature visualisation, in [0, 1]. Others are their names
            in a box.
        digits: Write each weight at its edge, with so many digits after the point; by default none are written.
        title: Words above.

    Raises:
        ValueError: A unit stands twice; an edge or a picture names no unit; an edge does not lead to a later layer, or
            its weight is 0 or not finite.

    Source:
        Olah et al., "Zoom in", Distill 2020 (circuits drawn as feature visualisations, joined by their weights).
    """
    columns = {name: column for column, layer in enumerate(layers) for name in layer}
    _check(layers, columns, edges, pictures or {})
    units, figure, axes = _laid_out(layers, set(pictures or {}), bool(title))
    largest = max((abs(weight) for weight in edges.values()), default=1.0)
    starts, ends = _ports(units, edges, 1), _ports(units, edges, -1)
    for number, (edge, weight) in enumerate(sorted(edges.items(), key=lambda item: abs(item[1]))):
        _edge(axes, starts[edge], ends[edge], weight / largest, zorder=1 + number / len(edges))
    if digits is not None:
        _numbers(axes, [(starts[edge], ends[edge], weight) for edge, weight in edges.items()], digits)
    for name, unit in units.items():
        _draw_unit(axes, name, unit, (pictures or {}).get(name))
    _legend(axes, edges.values(), largest)
    figure.suptitle(title, fontsize=10, y=1 - 0.08 / figure.get_figheight(), va="top") if title else None
    return figure


def _check(
    layers: Sequence[Sequence[str]],
    columns: Mapping[str, int],
    edges: Mapping[tuple[str, str], float],
    pictures: Mapping[str, Tensor],
) -> None:
    names = [name for layer in layers for name in layer]
    if not names:
        raise ValueError("layers: hold no unit; give at least one")
    if len(columns) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"layers: '{twice}' stands twice; give each unit a name of its own")
    for (source, reader), weight in edges.items():
        for name in (source, reader):
            if name not in columns:
                raise ValueError(f"edges: '{name}' stands in no layer; the layers hold {', '.join(names)}")
        if columns[source] >= columns[reader]:
            raise ValueError(f"edges: '{reader}' does not stand in a later layer than '{source}', which it reads")
        if weight == 0 or not math.isfinite(weight):
            raise ValueError(f"edges: from '{source}' to '{reader}' the weight is {weight:g}; leave the edge out")
    for name in pictures:
        if name not in columns:
            raise ValueError(f"pictures: '{name}' stands in no layer; the layers hold {', '.join(names)}")


def _laid_out(layers: Sequence[Sequence[str]], shown: set[str], titled: bool) -> tuple[dict[str, _Unit], Figure, Axes]:
    """Where each unit stands, on axes that count in inches."""
    widths = [max(SIDE if name in shown else 0.3 + 0.08 * len(name) for name in layer) for layer in layers]
    words = [max((0.07 * len(name) for name in layer if name in shown), default=0.0) for layer in layers]
    rooms = [max(pair) for pair in zip(widths, words, strict=True)]
    high = PITCH * max(map(len, layers)) + 0.5 + 0.3 * titled
    wide = max(sum(rooms) + GAP * (len(layers) - 1) + 0.3, 4.6)
    figure = plt.figure(figsize=(wide, high), dpi=DOTS_PER_INCH)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, wide)
    axes.set_ylim(0, high)
    axes.set_axis_off()
    units, left = {}, (wide - sum(rooms) - GAP * (len(layers) - 1)) / 2
    for layer, room, width in zip(layers, rooms, widths, strict=True):
        top = 0.5 + PITCH * (max(map(len, layers)) + len(layer)) / 2
        for row, name in enumerate(layer):
            box = SIDE if name in shown else width
            units[name] = _Unit(left + room / 2, top - PITCH * row - SIDE / 2 - 0.05, box)
        left += room + GAP
    return units, figure, axes


def _ports(units: Mapping[str, _Unit], edges: Iterable[tuple[str, str]], side: int) -> dict[tuple[str, str], Place]:
    """Where edges leave their unit (side 1), or reach it (-1): in the order of the units at their other ends."""
    mine, other = (0, 1) if side == 1 else (1, 0)
    places = {}
    for name, unit in units.items():
        joined = sorted((edge for edge in edges if edge[mine] == name), key=lambda edge: units[edge[other]].up)
        for number, edge in enumerate(joined):
            places[edge] = unit.edge(side, (number + 0.5) / len(joined))
    return places


def _edge(axes: Axes, start: Place, end: Place, share: float, zorder: float) -> None:
    """A line, and its end: an arrowhead, or a bar across."""
    color, width = EXCITES if share > 0 else INHIBITS, WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * abs(share)
    along = np.subtract(end, start) / math.dist(start, end)
    across = np.array([-along[1], along[0]])
    half = 0.05 + 0.5 * width / 72  # inches
    tip = np.array(end) - 0.03 * along
    if share > 0:
        back = tip - 2.2 * half * along
        axes.add_patch(
            Polygon([tip, back + half * across, back - half * across], color=color, linewidth=0, zorder=zorder)
        )
    else:
        back = tip
        ends = np.stack([tip + 1.4 * half * across, tip - 1.4 * half * across])
        axes.add_line(Line2D(*ends.T, color=color, linewidth=1 + width / 2, solid_capstyle="butt", zorder=zorder))
    line = np.stack([start, back])
    drawn = Line2D(*line.T, color=color, linewidth=width, solid_capstyle="butt", zorder=zorder)
    if share < 0:
        drawn.set_linestyle((0, (4 / width**0.5, 2 / width**0.5)))  # lengths in widths
    axes.add_line(drawn)


def _numbers(axes: Axes, lines: Iterable[tuple[Place, Place, float]], digits: int) -> None:
    """Weights on their lines, each where it covers no other, if there is such a place."""
    style = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    taken: list[np.ndarray] = []
    for start, end, weight in lines:
        places = [np.array(start) + (np.array(end) - start) * share for share in SHARES]
        free = (place for place in places if all((abs(place - other) > NUMBER).any() for other in taken))
        taken.append(next(free, places[0]))
        color = EXCITES if weight > 0 else INHIBITS
        axes.text(
            float(taken[-1][0]),
            float(taken[-1][1]),
            f"{weight:.{digits}f}",
            ha="center",
            va="center",
            fontsize=7,
            color=color,
            bbox=style,
            zorder=3,
        )


def _draw_unit(axes: Axes, name: str, unit: _Unit, picture: Tensor | None) -> None:
    if picture is None:
        box = {"boxstyle": "square,pad=0", "facecolor": "none", "edgecolor": "none"}
        low, left = unit.up - SIDE / 2, unit.across - unit.width / 2
        corners = [(left, low), (left + unit.width, low), (left + unit.width, low + SIDE), (left, low + SIDE)]
        axes.add_patch(Polygon(corners, facecolor="white", edgecolor="0.4", linewidth=1, zorder=4))
        axes.text(unit.across, unit.up, name, ha="center", va="center", fontsize=9, bbox=box, zorder=5)
        return
    half = SIDE / 2
    extent = (unit.across - half, unit.across + half, unit.up - half, unit.up + half)
    axes.imshow(as_pictures(picture[None])[0], extent=extent, vmin=0, vmax=1, aspect="auto", zorder=4)
    background = {"boxstyle": "round,pad=0.08", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    axes.text(unit.across, unit.up - half - 0.04, name, ha="center", va="top", fontsize=8, bbox=background, zorder=5)


def _legend(axes: Axes, weights: Collection[float], largest: float) -> None:
    """What lines mean, at the bottom."""
    signs = [sign for sign in (1, -1) if any(sign * weight > 0 for weight in weights)]
    if not signs:
        return
    left = 0.2
    for sign in signs:
        _edge(axes, (left, 0.2), (left + 0.6, 0.2), sign * 0.3, zorder=1)
        axes.text(left + 0.66, 0.2, "excites" if sign > 0 else "inhibits", va="center", fontsize=8)
        left += 1.25
    axes.text(left, 0.2, f"widest: weight ±{largest:.3g}", va="center", fontsize=8)
