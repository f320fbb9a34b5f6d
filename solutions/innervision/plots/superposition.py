"""Features that share dimensions: as arrows, by how much of a dimension each has, and where sharing begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch
from torch import Tensor

from innervision.plots.style import COLORS

COLUMNS = 5
"""Panels of arrows side by side."""
SHORT = 0.2
"""Features of less length are drawn as points."""
APART = 0.045
"""Words at lines are moved so far apart, in units of the axis."""


def feature_arrows(
    models: Mapping[str, Float[Tensor, "2 features"]],
    *,
    others: Mapping[str, Float[Tensor, "directions 2"]] | None = None,
    reach: float = 1.25,
) -> Figure:
    """Toy models with two dimensions: an arrow for each feature, in the same colour in all panels.

    Args:
        models: Words for a panel → weights; column i is feature i, counted from 0 at the arrow's tip. One that was not
            learned is a point.
        others: Words for a panel → directions to compare with, drawn as dotted lines as long as the panel.
        reach: How far each panel goes to all sides.
    """
    rows = -(-len(models) // COLUMNS)
    columns = min(len(models), COLUMNS)
    figure, panels = plt.subplots(rows, columns, figsize=(2.1 * columns, 2.35 * rows), squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, (name, weights) in zip(panels.flat, models.items(), strict=False):
        axes.add_patch(Circle((0, 0), 1, fill=False, color="0.85"))
        for direction in (others or {}).get(name, torch.zeros(0, 2)).tolist():
            across, up = (reach * part / float(np.hypot(*direction)) for part in direction)
            axes.plot([0, across], [0, up], color="0.45", linestyle=":", linewidth=1.6, zorder=1)
        for feature, (across, up) in enumerate(weights.detach().T.tolist()):
            color, length = COLORS[feature % len(COLORS)], float(np.hypot(across, up))
            if length < SHORT:
                axes.plot(across, up, "o", color=color, markersize=3)
            else:
                axes.annotate("", (across, up), (0, 0), arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2.2})
                place = across * (1 + 0.15 / length), up * (1 + 0.15 / length)
                axes.text(*place, str(feature), color=color, ha="center", va="center", fontsize=9, weight="bold")
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set_title(name, fontsize=9)
    figure.tight_layout()
    return figure


def dimensionality_strips(
    groups: Mapping[str, Float[Tensor, "..."]],
    lines: Mapping[str, float],
    *,
    across: str = "",
    seed: int = 0,
) -> Figure:
    """How much of a dimension each feature has: a point for each, a strip for each group.

    Args:
        groups: Words for a strip → dimensionalities, of any shape.
        lines: Words for a line across all strips → its height.
        across: Words for the horizontal axis.
        seed: Spreads the points of a strip sideways, so that they can be seen.
    """
    figure, axes = plt.subplots(figsize=(max(5.0, 1.2 + 0.72 * len(groups)), 3.8))
    generator = torch.Generator().manual_seed(seed)
    words_at = -1.0
    for name, height in sorted(lines.items(), key=lambda line: line[1]):
        axes.axhline(height, color="0.6", linewidth=0.8, linestyle="--", zorder=0)
        words_at = max(height, words_at + APART)
        axes.text(1.01, words_at, name, transform=axes.get_yaxis_transform(), fontsize=7.5, va="center")
    for place, values in enumerate(groups.values()):
        heights = values.detach().flatten()
        sideways = place + 0.62 * (torch.rand(len(heights), generator=generator) - 0.5)
        axes.plot(sideways.numpy(), heights.numpy(), "o", color=COLORS[0], markersize=2.2, alpha=0.35, mew=0)
    axes.set_xticks(range(len(groups)), list(groups), fontsize=8)
    axes.set(ylim=(-0.04, 1.06), ylabel="dimensionality of a feature", xlabel=across)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def phase_map(
    panels: Mapping[str, Int[Tensor, "rows columns"]],
    kinds: Sequence[str],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    up: str,
    across: str,
) -> Figure:
    """What becomes of something, for each pair of circumstances: one colour for each kind of outcome.

    Args:
        panels: Words for a panel → number of the kind, for each row and column; row 0 at the bottom.
        kinds: Words for the kinds, at most eight.
        rows: Words for the rows, from below.
        columns: Words for the columns.
        up: Words for the vertical axis.
        across: Words for the horizontal axis.
    """
    figure, all_axes = plt.subplots(
        1, len(panels), figsize=(1.6 + 3.4 * len(panels), 3.7), squeeze=False, sharey=True, layout="constrained"
    )
    palette = [COLORS[index] for index in (1, 0, 2, 3, 4, 5, 6, 7)][: len(kinds)]
    for axes, (name, outcome) in zip(all_axes[0], panels.items(), strict=True):
        shades = ListedColormap(palette)
        axes.imshow(outcome.numpy(), origin="lower", cmap=shades, vmin=-0.5, vmax=len(kinds) - 0.5, aspect="auto")
        axes.set_xticks(range(len(columns)), columns, fontsize=7.5)
        axes.set_yticks(range(len(rows)), rows, fontsize=7.5)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel(across, fontsize=9)
    all_axes[0][0].set_ylabel(up, fontsize=9)
    patches = [Patch(color=color, label=kind) for color, kind in zip(palette, kinds, strict=True)]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(kinds), frameon=False, fontsize=8.5)
    return figure
