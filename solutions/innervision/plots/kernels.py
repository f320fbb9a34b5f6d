"""Small kernels side by side, each beside the pictures of the units that it joins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from torch import Tensor

from innervision.plots.pictures import as_pictures
from innervision.plots.style import DOTS_PER_INCH

SIGNED = "PuOr"
"""White at 0, violet above, orange below; told apart by colour-blind readers."""

STRUCK = 0.05
"""Weights below 0 are struck through, so that the sign shows in grey, too: those that reach this share of the scale.
Weaker ones are nearly white."""

SIDE = 0.8
"""Inches: height and width of a kernel, and of a picture."""


def kernel_sheet(
    kernels: Float[Tensor, "outputs inputs rows columns"],
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    names: Sequence[Sequence[str]] | None = None,
    inputs: Float[Tensor, "*outputs inputs 3 height width"] | None = None,
    outputs: Float[Tensor, "outputs 3 height width"] | None = None,
    limit: float | None = None,
    title: str = "",
) -> Figure:
    """Kernels in rows, on one scale: violet excites, orange and struck through inhibits, white is 0.

    Args:
        kernels: Any range; row: the unit that reads, column: what it reads.
        rows: Words at the left of each row.
        columns: Words above each column.
        names: Words above each kernel, row by row.
        inputs: Pictures of the units that are read: one above each column, or, with the rows in front,
            ``(outputs, inputs, 3, height, width)``, one at the left of each kernel.
        outputs: A picture of each row's unit, at the left.
        limit: The weight, above 0, that gets the full colour. By default the one farthest from 0.
        title: Words above.

    Raises:
        ValueError: Shapes do not fit, a picture is none, or the limit is not above 0.

    Source:
        Voss et al., "Visualizing weights", Distill 2021 (contextualized weights: pictures of the two units beside the
        weights between them).
    """
    _check(kernels, {"rows": rows, "columns": columns}, names, inputs, outputs)
    numbers = kernels.detach().cpu().float().numpy()
    if limit is None:
        limit = float(np.abs(numbers).max()) or 1.0
    if not limit > 0:
        raise ValueError(f"limit: {limit:g} is no distance from 0; give a number above 0")
    beside = inputs is not None and inputs.ndim == 5
    above = inputs is not None and inputs.ndim == 4
    layout = _Layout(
        numbers.shape[0], numbers.shape[1], beside, above, outputs is not None, names, rows, columns, title
    )
    figure = layout.figure()
    for row, column in np.ndindex(numbers.shape[:2]):
        axes = layout.axes(figure, row, column)
        _kernel(axes, numbers[row, column], limit)
        if beside and inputs is not None:
            _picture(layout.axes(figure, row, column, picture=True), inputs[row, column])
        if names is not None:
            middle = 0.0 if beside else 0.5  # of the kernel with its picture
            axes.text(middle, 1.04, names[row][column], transform=axes.transAxes, ha="center", fontsize=7)
    layout.margins(figure, inputs if above else None, outputs)
    _scale(figure, layout, limit)
    return figure


def _check(
    kernels: Tensor,
    words: dict[str, Sequence[str] | None],
    names: Sequence[Sequence[str]] | None,
    inputs: Tensor | None,
    outputs: Tensor | None,
) -> None:
    if kernels.ndim != 4 or kernels.numel() == 0:
        raise ValueError(f"kernels: shape {tuple(kernels.shape)} is not (outputs, inputs, rows, columns)")
    if not kernels.isfinite().all():
        raise ValueError("kernels: hold NaN or infinity; give finite weights")
    high, wide = kernels.shape[:2]
    for (argument, given), needed in zip(words.items(), (high, wide), strict=True):
        if given is not None and len(given) != needed:
            raise ValueError(f"{argument}: {len(given)} words for {needed} {argument} of kernels")
    if names is not None and [len(row) for row in names] != [wide] * high:
        raise ValueError(f"names: rows of {[len(row) for row in names]} names; give {high} rows of {wide}")
    if inputs is not None and tuple(inputs.shape[:-3]) not in ((wide,), (high, wide)):
        rule = f"({wide}, 3, height, width) or ({high}, {wide}, 3, height, width)"
        raise ValueError(f"inputs: shape {tuple(inputs.shape)} is not {rule}")
    if outputs is not None and len(outputs) != high:
        raise ValueError(f"outputs: {len(outputs)} pictures for {high} rows of kernels")


@dataclass(frozen=True)
class _Layout:
    """Where everything stands, in inches from the left and from the top."""

    high: int
    wide: int
    beside: bool
    above: bool
    outputs: bool
    names: Sequence[Sequence[str]] | None
    rows: Sequence[str] | None
    columns: Sequence[str] | None
    title: str

    @property
    def left(self) -> float:
        words = 0.1 + 0.085 * max(map(len, self.rows)) if self.rows is not None else 0.08
        return words + (SIDE + 0.2) * self.outputs

    @property
    def top(self) -> float:
        return 0.06 + 0.3 * bool(self.title) + 0.2 * (self.columns is not None) + (SIDE + 0.1) * self.above

    @property
    def step(self) -> tuple[float, float]:
        """From one row to the next, and from one column to the next."""
        return SIDE + 0.1 + 0.16 * (self.names is not None), (SIDE + 0.04) * self.beside + SIDE + 0.1

    @property
    def size(self) -> tuple[float, float]:
        down, right = self.step
        return self.left + self.wide * right + 1.05, self.top + self.high * down + 0.05

    def figure(self) -> Figure:
        return plt.figure(figsize=self.size, dpi=DOTS_PER_INCH)

    def at(self, figure: Figure, left: float, top: float, width: float = SIDE) -> Axes:
        wide, high = self.size
        return figure.add_axes((left / wide, 1 - (top + SIDE) / high, width / wide, SIDE / high))

    def axes(self, figure: Figure, row: int, column: int, picture: bool = False) -> Axes:
        down, right = self.step
        left = self.left + column * right + (SIDE + 0.04) * (self.beside and not picture)
        return self.at(figure, left, self.top + row * down + down - SIDE - 0.1)

    def margins(self, figure: Figure, inputs: Tensor | None, outputs: Tensor | None) -> None:
        """Pictures and words around the kernels."""
        down, right = self.step
        wide, high = self.size
        for row in range(self.high):
            middle = 1 - (self.top + (row + 1) * down - 0.1 - SIDE / 2) / high
            if outputs is not None:
                _picture(
                    self.at(figure, self.left - SIDE - 0.2, self.top + (row + 1) * down - SIDE - 0.1), outputs[row]
                )
            if self.rows is not None:
                place = (self.left - 0.08 - (SIDE + 0.2) * self.outputs) / wide
                figure.text(place, middle, self.rows[row], ha="right", va="center", fontsize=9)
        for column in range(self.wide):
            start = self.left + column * right
            if inputs is not None:
                _picture(self.at(figure, start, self.top - SIDE - 0.1), inputs[column])
            if self.columns is not None:
                above = 1 - (self.top - (SIDE + 0.1) * self.above - 0.05) / high
                figure.text((start + (right - 0.1) / 2) / wide, above, self.columns[column], ha="center", fontsize=8)
        figure.suptitle(self.title, fontsize=10, y=1 - 0.06 / high, va="top") if self.title else None


def _kernel(axes: Axes, numbers: np.ndarray, limit: float) -> None:
    axes.imshow(numbers, cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto")
    below = np.argwhere(numbers <= -STRUCK * limit)
    strokes = [[(column - 0.5, row + 0.5), (column + 0.5, row - 0.5)] for row, column in below]
    axes.add_collection(LineCollection(strokes, colors="0.1", linewidths=0.6))
    axes.set_xlim(-0.5, numbers.shape[1] - 0.5)
    axes.set_ylim(numbers.shape[0] - 0.5, -0.5)
    _frame(axes)


def _picture(axes: Axes, image: Tensor) -> None:
    axes.imshow(as_pictures(image[None])[0], vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    _frame(axes)


def _frame(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("0.6")
    axes.spines[:].set_linewidth(0.6)


def _scale(figure: Figure, layout: _Layout, limit: float) -> None:
    """The colour bar, struck through below 0 like the kernels."""
    wide, high = layout.size
    tall = min(layout.high * layout.step[0] - 0.1, 2.0)
    axes = figure.add_axes(((wide - 0.92) / wide, 1 - (layout.top + tall) / high, 0.13 / wide, (tall - 0.05) / high))
    bar = figure.colorbar(ScalarMappable(Normalize(-limit, limit), SIGNED), cax=axes, ticks=[-limit, 0, limit])
    bar.ax.set_yticklabels([f"{-limit:.2g}\ninhibits", "0", f"excites\n{limit:.2g}"], fontsize=7)
    bar.ax.tick_params(length=2)
    steps = np.linspace(-limit, 0, 9)
    strokes = [[(0, low), (1, up)] for low, up in pairwise(steps)]
    bar.ax.add_collection(LineCollection(strokes, colors="0.1", linewidths=0.6, transform=bar.ax.get_yaxis_transform()))
