"""What language models do, drawn: who looks where, which words lie near each other, what a dose does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from innervision.plots.style import COLORS, DASHES

MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


def attention_sheet(patterns: Mapping[str, Float[Tensor, "position position"]], *, title: str = "") -> Figure:
    """Attention patterns side by side, on one scale from 0 (white) to 1 (black).

    Args:
        patterns: Words for each → its pattern. A row is a position that looks, a column one that is looked at.
        title: Words above.

    Raises:
        ValueError: There is no pattern.
    """
    if not patterns:
        raise ValueError("patterns: is empty; give at least one")
    figure, panels = plt.subplots(
        1, len(patterns), figsize=(0.5 + 2.3 * len(patterns), 2.9), squeeze=False, sharey=True
    )
    for axes, (name, pattern) in zip(panels[0], patterns.items(), strict=True):
        axes.imshow(pattern.detach().cpu().numpy(), cmap="Greys", vmin=0, vmax=1)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("looks at position", fontsize=8)
        axes.tick_params(labelsize=7)
    panels[0][0].set_ylabel("position", fontsize=8)
    figure.suptitle(title, fontsize=10) if title else None
    figure.tight_layout()
    return figure


def word_map(points: Float[Tensor, "words 2"], words: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Figure:
    """Words at points of a plane, groups of them in their own colour and mark.

    Args:
        points: Where each word lies.
        words: The words.
        groups: Name of each group → its words; each word is in one.

    Raises:
        ValueError: Words and points are not as many.
    """
    if len(words) != len(points):
        raise ValueError(f"words: {len(words)} for {len(points)} points; give one for each")
    place = dict(zip(words, points.tolist(), strict=True))
    figure, axes = plt.subplots(figsize=(7.2, 4.6))
    for number, (group, members) in enumerate(groups.items()):
        color = COLORS[number % len(COLORS)]
        across, up = zip(*(place[word] for word in members), strict=True)
        axes.scatter(across, up, s=18, color=color, marker=MARKS[number % len(MARKS)], label=group)
        for word in members:
            axes.annotate(word, place[word], xytext=(3, 3), textcoords="offset points", fontsize=8)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    return figure


def dose_curves(
    doses: Sequence[float],
    panels: Mapping[str, Mapping[str, Float[Tensor, "doses"] | Float[Tensor, "doses repeats"]]],
    *,
    across: str = "dose",
) -> Figure:
    """What a dose does, and what else it does: a panel for each measure, a line for each thing that was given.

    Args:
        doses: Where the points lie, across.
        panels: Words for each measure → {thing: its response to each dose, or several of them: then their mean, and a
            band from the smallest to the largest}.
        across: Words for the horizontal axis.

    Raises:
        ValueError: A response has not as many numbers as there are doses.
    """
    figure, axes_of = plt.subplots(1, len(panels), figsize=(0.8 + 3.6 * len(panels), 3.2), squeeze=False)
    for axes, (measure, series) in zip(axes_of[0], panels.items(), strict=True):
        for number, (name, values) in enumerate(series.items()):
            if len(values) != len(doses):
                raise ValueError(f"panels: '{name}' has {len(values)} numbers for {len(doses)} doses")
            numbers = values.detach().cpu().float().reshape(len(doses), -1)
            color, dash = COLORS[number % len(COLORS)], DASHES[number % len(DASHES)]
            mark = MARKS[number % len(MARKS)]
            axes.plot(doses, numbers.mean(dim=1).numpy(), color=color, linestyle=dash, marker=mark, ms=4, label=name)
            if numbers.shape[1] > 1:
                low, high = numbers.amin(dim=1).numpy(), numbers.amax(dim=1).numpy()
                axes.fill_between(doses, low, high, color=color, alpha=0.15, linewidth=0)
        axes.set_xlabel(across)
        axes.set_xticks(list(doses))
        axes.set_title(measure, fontsize=10)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    axes_of[0][0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure
