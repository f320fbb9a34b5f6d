"""Boards of Ripple with what a network makes of them: who holds which square, where it would move, what is legal."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from torch import Tensor

from innervision.plots.style import COLORS

MINE, THEIRS = COLORS[0], COLORS[1]


def board_sheet(
    boards: Int[Tensor, "boards squares"],
    chances: Float[Tensor, "boards squares"],
    legal: Bool[Tensor, "boards squares"],
    titles: Sequence[str],
    *,
    marked: Int[Tensor, " boards"] | None = None,
) -> Figure:
    """Boards side by side. The greyer a square, the more probability a network gives to a move there.

    Args:
        boards: States of each square as whoever is to move sees it: 0 empty, 1 mine, 2 theirs. Square boards.
        chances: What the network gives to each square; all boards share one scale, and the percents are written.
        legal: Squares that get a thick frame.
        titles: Words above each board.
        marked: For each board a square that gets a cross.

    Raises:
        ValueError: The parts are not as many.
    """
    count, side = len(boards), int(boards.shape[1] ** 0.5)
    if not len(chances) == len(legal) == len(titles) == count:
        raise ValueError(f"titles: {len(titles)} for {count} boards; give one of everything for each board")
    strongest = float(chances.max())
    figure, panels = plt.subplots(1, count, figsize=(2.5 * count, 3.2), squeeze=False)
    for number, axes in enumerate(panels[0]):
        axes.imshow(chances[number].view(side, side).cpu().numpy(), cmap="Greys", vmin=0, vmax=1.6 * strongest)
        for square in range(side * side):
            row, column = divmod(square, side)
            _square(axes, row, column, int(boards[number, square]), bool(legal[number, square]))
            share = float(chances[number, square])
            axes.text(column, row + 0.36, f"{share:.0%}", ha="center", va="center", fontsize=6)
        if marked is not None:
            row, column = divmod(int(marked[number]), side)
            axes.plot(column, row - 0.08, "x", color="black", markersize=9, markeredgewidth=2)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(titles[number], fontsize=9)
    handles = [
        Line2D([], [], marker="o", color="none", markerfacecolor=MINE, markeredgecolor=MINE, label="mine"),
        Line2D([], [], marker="D", color="none", markerfacecolor="white", markeredgecolor=THEIRS, label="theirs"),
        Rectangle((0, 0), 1, 1, fill=False, linewidth=2, label="legal on this board"),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=8)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    return figure


def _square(axes: Axes, row: int, column: int, state: int, legal: bool) -> None:
    """Who holds a square, and its frame."""
    if state == 1:
        axes.plot(column, row - 0.08, "o", color=MINE, markersize=11)
    if state == 2:
        axes.plot(
            column, row - 0.08, "D", markersize=9, markerfacecolor="white", markeredgecolor=THEIRS, markeredgewidth=2
        )
    inside = 0.46 if legal else 0.5
    width, color = (2.0, "black") if legal else (0.5, "0.7")
    frame = Rectangle((column - inside, row - inside), 2 * inside, 2 * inside, fill=False, lw=width, ec=color)
    axes.add_patch(frame)
