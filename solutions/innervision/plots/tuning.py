"""What units are tuned to: responses around a wheel, and responses to two things at once as a map."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes
from sklearn.isotonic import isotonic_regression
from torch import Tensor

from innervision.circuits.circular import check_responses
from innervision.plots.style import COLORS, DASHES

LINE = 0.17
"""Inches from one line of words to the next: words of 8 points are 0.11 high."""

WHEEL = 3.2
"""Inches across a wheel that many units share."""

STANDS = 1.16
"""Where words stand beside a wheel: how far from its middle, in radii of the wheel. The degrees stand before them."""


def tuning_wheel(
    responses: Float[Tensor, "units stimuli"],
    angles: Float[Tensor, "stimuli"],
    names: Sequence[str] | None = None,
    *,
    overlaid: bool = False,
    relative: bool = False,
    period: float = 360.0,
    columns: int = 4,
    title: str = "",
) -> Figure:
    """Tuning curves around a circle: the farther out, the stronger the response to the stimulus at that angle.

    0 degrees is at the right, and angles grow anticlockwise, as in the stimuli.

    Args:
        responses: At least 0, for example some rows of what ``tuning_curve`` returns.
        angles: Of the stimuli, in degrees, in any order.
        names: Words for each unit; by default its row.
        overlaid: All units on one wheel, each named at the angle that it likes best. Otherwise a wheel for each.
        relative: Each unit's own peak reaches the rim. Otherwise all units share one scale.
        period: After how many degrees stimuli look the same: 360 for curves; 180 for lines, whose responses are then
            drawn twice, opposite one another.
        columns: Wheels in a row, if each unit has its own.
        title: Words above.

    Raises:
        ValueError: Shapes do not fit, a response is below 0, there are not as many names as units, or ``period`` does
            not divide 360.

    Source:
        Cammarata et al., "Curve detectors", Distill 2020, "Radial tuning curve".
    """
    names = _checked_names(responses, angles, names, period)
    heights, rim = _heights(responses, relative)
    repeats = round(360 / period)
    order = angles.argsort()
    around = np.concatenate([angles[order].cpu().numpy() + period * turn for turn in range(repeats)])
    drawn = np.tile(heights[:, order.cpu().numpy()], (1, repeats))
    closed, drawn = np.deg2rad(np.append(around, around[0] + 360)), np.hstack([drawn, drawn[:, :1]])
    words = "rim: each unit's own peak" if relative else f"rim: activation {rim:.3g}"
    if overlaid:
        return _one_wheel(closed, drawn, names, words, title)
    return _wheels(closed, drawn, names, words, title, columns)


def tuning_map(
    responses: Float[Tensor, "first second"],
    first: Float[Tensor, "first"],
    second: Float[Tensor, "second"],
    *,
    up: str = "radius (pixels)",
    across: str = "orientation (degrees)",
    title: str = "",
) -> Figure:
    """One unit's response to stimuli that differ in two things: a bright stripe stands for "whatever the other is".

    Args:
        responses: One unit's part of what ``joint_tuning`` returns.
        first: Values of the first parameter, growing; they run across.
        second: Values of the second, growing; they run upwards.
        up: Words for the second parameter, with its unit.
        across: Words for the first, with its unit.
        title: Words above.

    Raises:
        ValueError: Shapes do not fit.

    Source:
        Cammarata et al., "Curve detectors", Distill 2020, "Joint tuning curves".
    """
    if tuple(responses.shape) != (len(first), len(second)):
        rule = f"({len(first)}, {len(second)}), a response for each pair of values"
        raise ValueError(f"responses: shape {tuple(responses.shape)} is not {rule}")
    figure, axes = plt.subplots(figsize=(6.4, 0.9 + min(3.2, 0.6 + 0.22 * len(second))))
    numbers = responses.detach().cpu().numpy().T
    lowest, highest = min(0.0, float(numbers.min())), float(numbers.max())
    highest = highest if highest > lowest else lowest + 1  # a silent unit is dark all over
    places = np.arange(len(second))
    mesh = axes.pcolormesh(first.cpu().numpy(), places, numbers, cmap="cividis", vmin=lowest, vmax=highest)
    shown = np.unique(np.linspace(0, len(second) - 1, min(len(second), 8)).round().astype(int))
    axes.set_yticks(shown, [f"{float(second[index]):g}" for index in shown])
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_title(title, fontsize=10)
    figure.colorbar(mesh, label="activation")
    figure.tight_layout()
    return figure


def _checked_names(responses: Tensor, angles: Tensor, names: Sequence[str] | None, period: float) -> Sequence[str]:
    check_responses(responses, angles)
    if responses.ndim != 2 or len(responses) == 0:
        raise ValueError(
            f"responses: shape {tuple(responses.shape)} is not (units, {len(angles)}), a row for each unit"
        )
    if names is not None and len(names) != len(responses):
        raise ValueError(f"names: {len(names)} names for {len(responses)} units")
    if not period > 0 or 360 % period:
        raise ValueError(f"period: 360 is no multiple of {period:g} degrees; give 360, or 180 for lines")
    return [str(row) for row in range(len(responses))] if names is None else names


def _heights(responses: Tensor, relative: bool) -> tuple[np.ndarray, float]:
    """Responses as shares of the rim, and what the rim stands for."""
    numbers = responses.detach().cpu().float()
    peaks = numbers.amax(dim=1, keepdim=True)
    rim = (peaks if relative else peaks.amax()).clamp(min=1e-12)
    return (numbers / rim).numpy(), float(peaks.max())


def _wheels(
    angles: np.ndarray, heights: np.ndarray, names: Sequence[str], words: str, title: str, columns: int
) -> Figure:
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    figure = plt.figure(figsize=(0.2 + 1.9 * columns, 0.35 + 2.15 * rows + (0.25 if title else 0)))
    for index, name in enumerate(names):
        axes = _wheel(figure, (rows, columns, index + 1))
        axes.plot(angles, heights[index], color=COLORS[0], linewidth=1.5)
        axes.fill(angles, heights[index], color=COLORS[0], alpha=0.2)
        axes.set_title(name, fontsize=9, pad=6)
    figure.suptitle(title, fontsize=10) if title else None
    figure.tight_layout(rect=(0, 0.25 / figure.get_figheight(), 1, 1))
    figure.text(0.5, 0.06 / figure.get_figheight(), words, ha="center", fontsize=8)
    return figure


def _one_wheel(angles: np.ndarray, heights: np.ndarray, names: Sequence[str], words: str, title: str) -> Figure:
    peaks = angles[heights.argmax(axis=1)]
    at_right = np.cos(peaks) >= 0
    most = max(int(at_right.sum()), int((~at_right).sum()))
    room = 0.35 + 0.075 * max(map(len, names)) + WHEEL * (STANDS - 1) / 2  # for words at each side
    high = max(WHEEL, LINE * most) + 0.9
    figure = plt.figure(figsize=(WHEEL + 2 * room, high))
    axes = _wheel(figure, (1, 1, 1))
    axes.set_position((room / (WHEEL + 2 * room), (high - WHEEL) / 2 / high, WHEEL / (WHEEL + 2 * room), WHEEL / high))
    for index in range(len(names)):
        color, dash = COLORS[index % len(COLORS)], DASHES[index // len(COLORS) % len(DASHES)]
        axes.plot(angles, heights[index], color=color, linestyle=dash, linewidth=1.5)
    for right in (True, False):
        side = [int(index) for index in np.argsort(np.sin(peaks), kind="stable") if at_right[index] == right]
        wanted = 0.5 + STANDS * np.sin(peaks[side]) / 2
        ends = (0.5 - (high / 2 - 0.35) / WHEEL, 0.5 + (high / 2 - 0.35) / WHEEL)  # between title and the rim's words
        for index, place in zip(side, _apart(wanted, LINE / WHEEL, *ends), strict=True):
            name = names[index] if heights[index].any() else f"{names[index]}, silent"
            color = COLORS[index % len(COLORS)]
            axes.annotate(
                name,
                (peaks[index], float(heights[index].max())),
                (0.5 + (STANDS / 2 + 0.03) * (1 if right else -1), place),
                textcoords="axes fraction",
                ha="left" if right else "right",
                va="center",
                fontsize=8,
                arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0},
            )
    figure.suptitle(title, fontsize=10, y=1 - 0.1 / high, va="top") if title else None
    figure.text(0.5, 0.1 / high, words, ha="center", fontsize=8)
    return figure


def _apart(wanted: np.ndarray, least: float, low: float, high: float) -> np.ndarray:
    """Growing places from low to high, as near as can be to the wanted ones, each at least so far from the last."""
    if not len(wanted):
        return wanted
    steps = least * np.arange(len(wanted))
    return isotonic_regression(wanted - steps, y_min=low, y_max=high - steps[-1]) + steps


def _wheel(figure: Figure, place: tuple[int, int, int]) -> PolarAxes:
    axes = figure.add_subplot(*place, projection="polar")
    assert isinstance(axes, PolarAxes)
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0.5, 1], ["", ""])
    axes.set_xticks(np.deg2rad(range(0, 360, 45)), ["0°", "", "90°", "", "180°", "", "270°", ""], fontsize=7)
    axes.tick_params(axis="x", pad=-3)
    axes.grid(alpha=0.35)
    axes.spines["polar"].set_alpha(0.4)
    return axes
