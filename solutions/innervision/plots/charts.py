"""Numbers as pictures: lines, spectra, bars, small matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from torch import Tensor

from innervision.optvis.measures import power_spectrum
from innervision.plots.style import COLORS, DASHES


def curves(
    series: Mapping[str, Float[Tensor, "steps"] | Float[Tensor, "steps batch"]],
    *,
    across: str = "step",
    up: str = "activation",
    title: str = "",
) -> Figure:
    """One line for each series, for example the histories of several drawings.

    Args:
        series: Name → one number per step, or several numbers per step (then their mean, and a band from the
            smallest to the largest).
        across: Words for the horizontal axis.
        up: Words for the vertical axis, with the unit if there is one.
        title: Words above.
    """
    figure, axes = _plain(title, across, up, series)
    for i, (name, values) in enumerate(series.items()):
        numbers = values.detach().cpu().reshape(len(values), -1)
        steps = np.arange(len(numbers))
        axes.plot(steps, numbers.mean(dim=1).numpy(), label=name, **_style(i))
        if numbers.shape[1] > 1:
            low, high = numbers.amin(dim=1).numpy(), numbers.amax(dim=1).numpy()
            axes.fill_between(steps, low, high, color=COLORS[i % len(COLORS)], alpha=0.15, linewidth=0)
    return _with_legend(figure, axes)


def spectra(groups: Mapping[str, Float[Tensor, "batch 3 height width"]], *, title: str = "") -> Figure:
    """How strong are coarse and fine waves in several groups of images? Both axes are logarithmic.

    A dashed grey line falls as 1 / frequency², as power does in photographs. Each group is divided by its own
    mean power, so that lines compare how power is *shared out*, not contrast.

    Args:
        groups: Name → images of any one size.
        title: Words above.
    """
    figure, axes = _plain(title, "frequency (cycles per pixel)", "power, relative to the mean", groups)
    for i, (name, images) in enumerate(groups.items()):
        frequency, power = power_spectrum(images.detach().float(), bins=max(2, min(16, images.shape[-1] // 4)))
        mean = power.mean(dim=0)
        relative = mean / mean[mean.isfinite()].mean()
        axes.loglog(frequency.cpu().numpy(), relative.cpu().numpy(), label=name, **_style(i))
    reference = np.array([0.02, 0.5])
    axes.loglog(reference, 0.02 / reference**2, color="0.6", linestyle=(0, (1, 1)), label="photographs: 1 / frequency²")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks := [0.02, 0.05, 0.1, 0.2, 0.5], [f"{tick:g}" for tick in ticks])
    return _with_legend(figure, axes)


def bars(
    measures: Mapping[str, Mapping[str, float | Float[Tensor, "batch"]]], *, title: str = "", digits: int = 2
) -> Figure:
    """The same things compared by one or several measures, a panel each; every bar starts at 0.

    Args:
        measures: Measure (words for the panel) → {thing: number, or several numbers}. Several numbers are drawn
            as dots over the bar of their mean. All panels list the same things.
        title: Words above.
        digits: Digits after the point of the number at each bar.

    Raises:
        ValueError: The panels do not list the same things.
    """
    names = list(next(iter(measures.values())))
    for measure, values in measures.items():
        if list(values) != names:
            raise ValueError(f"measures: '{measure}' lists {list(values)}; list the same things everywhere: {names}")
    figure, panels = plt.subplots(
        1, len(measures), figsize=(1.4 + 3.2 * len(measures), 0.9 + 0.38 * len(names)), sharey=True, squeeze=False
    )
    for axes, (measure, values) in zip(panels[0], measures.items(), strict=True):
        beside = axes.get_yaxis_transform()  # x in the panel, y in bars: means stand in a column of their own
        several = False
        for i, name in enumerate(names):
            numbers = torch.as_tensor(values[name]).detach().cpu().float().reshape(-1).numpy()
            mean = float(numbers.mean())
            axes.barh(i, mean, color=COLORS[i % len(COLORS)], alpha=0.6, height=0.65)
            if len(numbers) > 1:
                several = True
                axes.plot(numbers, np.full(len(numbers), i), "o", color="0.15", markersize=2.5, alpha=0.7)
            axes.text(1.02, i, f"{mean:.{digits}f}", transform=beside, va="center", fontsize=8)
        if several:
            axes.text(1.02, -0.7, "mean", transform=beside, va="center", fontsize=8, style="italic")
        axes.margins(x=0.05)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel(measure)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0][0].invert_yaxis()
    figure.suptitle(title) if title else None
    figure.tight_layout()
    return figure


def matrices(
    named: Mapping[str, Float[Tensor, "rows columns"]],
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    title: str = "",
) -> Figure:
    """Small matrices with their numbers, all on one colour scale that is white at 0.

    Args:
        named: Name → matrix; all of one shape.
        rows: Words for the rows, for example red, green, blue.
        columns: Words for the columns.
        title: Words above.
    """
    limit = max(float(matrix.abs().max()) for matrix in named.values()) or 1.0
    figure, panels = plt.subplots(1, len(named), figsize=(0.6 + 2.6 * len(named), 2.9), squeeze=False)
    for axes, (name, matrix) in zip(panels[0], named.items(), strict=True):
        numbers = matrix.detach().cpu().numpy()
        axes.imshow(numbers, cmap="PuOr", vmin=-limit, vmax=limit)
        for (row, column), value in np.ndenumerate(numbers):
            ink = "white" if abs(value) > 0.6 * limit else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=ink)
        axes.set_xticks(range(numbers.shape[1]), columns or [""] * numbers.shape[1], fontsize=8)
        axes.set_yticks(range(numbers.shape[0]), rows or [""] * numbers.shape[0], fontsize=8)
        axes.tick_params(length=0)
        axes.set_title(name, fontsize=9)
    figure.suptitle(title) if title else None
    figure.tight_layout()
    return figure


def _plain(title: str, across: str, up: str, named: Mapping[str, Tensor]) -> tuple[Figure, Axes]:
    if not named:
        raise ValueError("series: is empty; give at least one")
    figure, axes = plt.subplots(figsize=(6.4, 3.4))
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def _style(index: int) -> dict[str, Any]:
    return {
        "color": COLORS[index % len(COLORS)],
        "linestyle": DASHES[index % len(DASHES)],
        "linewidth": 1.8,
    }


def _with_legend(figure: Figure, axes: Axes) -> Figure:
    axes.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure
