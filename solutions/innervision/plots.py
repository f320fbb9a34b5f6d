"""Figures for lessons: pictures side by side, curves, spectra, bars, small matrices.

What is compared shares one scale. Colours are told apart by colour-blind readers too, and lines differ in
their dashes as well. Every function returns a matplotlib ``Figure`` that is open in pyplot and never shows it: in a
notebook end the line with ``;`` (Jupyter shows an open figure by itself), in a script call ``figure.savefig``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from torch import Tensor

from innervision.optvis.measures import power_spectrum

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000", "#F0E442")
"""Eight colours for eight things, most different first. Source: Okabe, Ito, "Color Universal Design", 2008."""

DASHES = ("-", "--", "-.", ":")
DOTS_PER_INCH = 100


def image_grid(
    images: Float[Tensor, "batch 3 height width"] | UInt8[Tensor, "batch 3 height width"],
    titles: Sequence[str] | None = None,
    *,
    rows: Sequence[str] | None = None,
    columns: int | None = None,
    scale: float | None = None,
) -> Figure:
    """Images side by side, all on one scale: what is equally bright in numbers is equally bright on the screen.

    Args:
        images: In [0, 1], or bytes 0 to 255; at least one. Row by row, from the left.
        titles: Above the images: one for each image, or, with ``rows``, one for each column.
        rows: Words at the left of each row; then the images fill ``len(rows)`` rows.
        columns: Images in a row; by default up to 8, or what ``rows`` asks for.
        scale: Pixels on the screen for one pixel of an image; by default such that an image is about 120 high.

    Raises:
        ValueError: The images are not in that form; there are not as many titles as they need.
    """
    shown = _as_pictures(images)
    count, height, width, _ = shown.shape
    if rows is not None and count % len(rows):
        raise ValueError(f"rows: {len(rows)} rows cannot be filled evenly by {count} images")
    columns = count // len(rows) if rows is not None else min(columns or 8, count)
    needed = columns if rows is not None else count
    if titles is not None and len(titles) != needed:
        raise ValueError(f"titles: {len(titles)} titles for {needed} {'columns' if rows is not None else 'images'}")
    row_count = -(-count // columns)
    scale = max(1.0, 120 / height) if scale is None else scale
    wide, high = width * scale / DOTS_PER_INCH, height * scale / DOTS_PER_INCH
    gap, above = 0.05, 0.25 if titles is not None else 0.0
    left = 0.1 + (0.09 * max(map(len, rows)) if rows is not None else 0)
    figure_wide, figure_high = (
        left + columns * (wide + gap),
        row_count * high + (row_count if rows is None else 1) * above + gap * row_count,
    )
    figure = plt.figure(figsize=(figure_wide, figure_high), dpi=DOTS_PER_INCH)
    for i, picture in enumerate(shown):
        row, column = divmod(i, columns)
        bottom = figure_high - (row + 1) * (high + gap) - (row + 1 if rows is None else 1) * above
        start = left + column * (wide + gap)
        axes = figure.add_axes((start / figure_wide, bottom / figure_high, wide / figure_wide, high / figure_high))
        axes.imshow(picture, vmin=0, vmax=1, interpolation="nearest", aspect="auto")
        axes.set_axis_off()
        if titles is not None and (rows is None or row == 0):
            axes.set_title(titles[column if rows is not None else i], fontsize=8, pad=3)
        if rows is not None and column == 0:
            axes.text(-0.06, 0.5, rows[row], transform=axes.transAxes, ha="right", va="center", fontsize=9)
    return figure


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


def _as_pictures(images: Tensor) -> np.ndarray:
    """Images as ``(batch, height, width, 3)`` in [0, 1]."""
    if images.ndim != 4 or images.shape[1] != 3 or len(images) == 0:
        raise ValueError(f"images: shape {tuple(images.shape)} is no batch of pictures; give (batch, 3, height, width)")
    images = images.detach().cpu()
    images = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    low, high = float(images.min()), float(images.max())
    if not (low >= -1e-6 and high <= 1 + 1e-6):  # rounding of a resize may leave [0, 1] by so much
        what = "hold NaN" if math.isnan(low) or math.isnan(high) else f"run from {low:.3g} to {high:.3g}"
        raise ValueError(f"images: {what}; a picture needs numbers in [0, 1]")
    return images.clamp(0, 1).permute(0, 2, 3, 1).numpy()


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
