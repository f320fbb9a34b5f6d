"""A network that adds, as pictures: numbers around circles, spectra, training, wrong answers, strength by angle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from innervision.learning.modular_addition import check_frequencies, fourier_basis
from innervision.plots.style import COLORS, DASHES


def number_circles(
    networks: Mapping[str, Float[Tensor, "numbers width"]], frequencies: Sequence[int], *, labelled: int = 8
) -> Figure:
    """Where the vectors of the numbers lie, seen along the two directions of one frequency; a row for each network.

    The directions are those in which the vectors follow cosine and sine of the frequency. Chance vectors follow them a
    little, too, so draw some beside. A row has one scale.

    Args:
        networks: Words for the row → one vector for each number, 0 to p - 1.
        frequencies: A column for each.
        labelled: From 0 on, so many numbers are written beside their dots.
    """
    rows, columns = len(networks), len(frequencies)
    figure, panels = plt.subplots(rows, columns, figsize=(2.5 * columns, 2.5 * rows + 0.3), squeeze=False)
    for line, (name, vectors) in zip(panels, networks.items(), strict=True):
        check_frequencies(len(vectors), frequencies)
        shown = [_seen_along(vectors.detach().float(), frequency) for frequency in frequencies]
        limit = 1.3 * max(float(points.norm(dim=1).max()) for points in shown)
        for axes, points, frequency in zip(line, shown, frequencies, strict=True):
            turn = frequency * np.arange(len(points)) % len(points)
            axes.scatter(*points.T.numpy(), c=turn, cmap="twilight", s=12, edgecolors="0.4", linewidths=0.2)
            for number, (x, y) in enumerate(points[:labelled].tolist()):
                away = 0.1 * limit / max(math.hypot(x, y), 0.1 * limit)
                axes.text(x * (1 + away), y * (1 + away), str(number), fontsize=8, ha="center", va="center")
            axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
        line[0].set_ylabel(name, fontsize=9)
    for axes, frequency in zip(panels[0], frequencies, strict=True):
        axes.set_title(f"frequency {frequency}", fontsize=9)
    figure.tight_layout()
    return figure


def _seen_along(vectors: Float[Tensor, "numbers width"], frequency: int) -> Float[Tensor, "numbers 2"]:
    directions = fourier_basis(len(vectors))[[2 * frequency - 1, 2 * frequency]] @ vectors
    centred = vectors - vectors.mean(dim=0)
    return centred @ torch.nn.functional.normalize(directions, dim=1).T


def frequency_bars(
    spectra: Mapping[str, Float[Tensor, " frequencies"]],
    marked: Mapping[str, Sequence[int]] | None = None,
    *,
    up: str = "norm",
) -> Figure:
    """A bar for each frequency, a panel for each network, all on one scale.

    Args:
        spectra: Words for the panel → a number for each frequency, from 1 on.
        marked: The same words, or some of them → frequencies that get another colour and their name.
        up: Words for the vertical axis.
    """
    figure, panels = plt.subplots(
        len(spectra), 1, figsize=(7.2, 0.5 + 1.3 * len(spectra)), sharex=True, sharey=True, squeeze=False
    )
    top = max(float(values.max()) for values in spectra.values())
    for axes, (name, values) in zip(panels[:, 0], spectra.items(), strict=True):
        heights, chosen = values.detach().numpy(), set((marked or {}).get(name, ()))
        places = range(1, len(heights) + 1)
        axes.bar(places, heights, color=[COLORS[4 if place in chosen else 0] for place in places], width=0.8)
        for place in chosen:
            axes.text(place, heights[place - 1] + 0.03 * top, str(place), ha="center", fontsize=8)
        axes.set_title(name, loc="left", fontsize=9)
        axes.set_ylim(0, 1.2 * top)
        axes.set_ylabel(up, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1, 0].set_xlabel("frequency")
    figure.tight_layout()
    return figure


def training_curves(
    steps: Sequence[int],
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    guess: Mapping[str, float] | None = None,
) -> Figure:
    """What was measured at some states of a run, over the steps of training; a panel for each measure.

    Args:
        steps: Of the states, rising.
        panels: Words for the vertical axis → {words for the line: a number for each state}. A measure whose name has
            ``loss`` in it is drawn on a logarithmic scale, and all these have one scale.
        guess: Words of the vertical axis → what guessing gives, drawn as a grey line.
    """
    figure, row = plt.subplots(1, len(panels), figsize=(0.6 + 4.4 * len(panels), 4.0), squeeze=False)
    losses = [axes for axes, measure in zip(row[0], panels, strict=True) if "loss" in measure]
    for axes, (measure, lines) in zip(row[0], panels.items(), strict=True):
        for i, (name, values) in enumerate(lines.items()):
            dash, color = DASHES[i % len(DASHES)], COLORS[i % len(COLORS)]
            axes.plot(steps, values, dash, color=color, label=name, linewidth=1.8, marker="o", markersize=2.5)
        if guess and measure in guess:
            axes.axhline(guess[measure], color="0.6", linewidth=1, label="guessing", zorder=0)
        axes.set(xlabel="steps of training", ylabel=measure)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1))  # above: no line crosses it
    for axes in losses:
        axes.set_yscale("log")
        axes.sharey(losses[0]) if axes is not losses[0] else None
    figure.tight_layout()
    return figure


def wrong_answers(
    predicted: Mapping[str, Float[Tensor, " offsets"]], given: Mapping[str, Int[Tensor, " questions"]]
) -> Figure:
    """Where waves interfere, as a line, and which answers were given, as bars; a panel for each ablation.

    Triangles stand at the two wrong answers that are predicted to be highest.

    Args:
        predicted: Words for the panel → height at each offset from the right answer, from ``interference``.
        given: The same words → the offset of the answer to each question, modulo p.
    """
    rows = len(predicted)
    figure, panels = plt.subplots(rows, 1, figsize=(7.4, 0.7 + 1.35 * rows), sharex=True, squeeze=False)
    for axes, (name, heights) in zip(panels[:, 0], predicted.items(), strict=True):
        modulus = len(heights)
        offsets = np.arange(modulus) - modulus // 2  # 0 in the middle
        shares = torch.bincount(given[name], minlength=modulus).numpy() / len(given[name])
        axes.bar(offsets, shares[offsets % modulus], color=COLORS[1], width=1.2, label="answers given (share)")
        line = (heights / heights.max()).clamp(min=0).numpy()[offsets % modulus]
        axes.plot(offsets, line, color=COLORS[0], linewidth=0.9, alpha=0.6, label="predicted height (1 = right answer)")
        rivals = np.where(offsets == 0, -np.inf, line).argsort()[-2:]
        axes.plot(offsets[rivals], line[rivals], "v", color=COLORS[0], label="predicted to be confused with")
        axes.set_title(name, loc="left", fontsize=9)
        axes.set_ylim(0, 1.1)
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1, 0].set_xlabel("answer given minus right answer (mod p)")
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.3 / (0.7 + 1.35 * rows)))
    handles, words = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, words, frameon=False, fontsize=8, ncol=3, loc="upper center")
    return figure


def strength_curves(networks: Mapping[str, Mapping[int, Float[Tensor, " differences"]]], *, columns: int = 3) -> Figure:
    """How strong each wave of the sum is, over the angle between the two numbers; a panel for each network.

    Sorted by the angle (a - b)·2πk/p, the strengths of all frequencies can lie over one another. Each is divided by its
    largest. A grey line shows |cos| of half the angle.

    Args:
        networks: Words for the panel → {frequency: strength at each difference, from ``strength_by_difference``}.
        columns: Panels in a row.
    """
    rows = math.ceil(len(networks) / columns)
    figure, panels = plt.subplots(
        rows, columns, figsize=(3.6 * columns, 2.9 * rows), sharex=True, sharey=True, squeeze=False
    )
    for axes, (name, by_frequency) in zip(panels.flat, networks.items(), strict=False):
        for i, (frequency, strengths) in enumerate(sorted(by_frequency.items())):
            degrees, sorted_strengths = _by_angle(strengths, frequency)
            axes.plot(
                degrees,
                sorted_strengths,
                DASHES[i % len(DASHES)],
                color=COLORS[i % len(COLORS)],
                label=str(frequency),
                linewidth=1.6,
            )
        _pizza(axes)
        axes.set_title(name, fontsize=9)
        axes.set(xticks=[0, 90, 180, 270, 360], ylim=(-0.05, 1.4))
        axes.legend(frameon=False, fontsize=7.5, ncol=4, loc="upper center")
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels.flat[len(networks) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel("angle between the two numbers (°)", fontsize=9)
    for axes in panels[:, 0]:
        axes.set_ylabel("strength (1 = largest)", fontsize=9)
    figure.tight_layout()
    return figure


def _by_angle(strengths: Float[Tensor, " differences"], frequency: int) -> tuple[np.ndarray, np.ndarray]:
    turned = frequency * np.arange(len(strengths)) % len(strengths)
    order = turned.argsort()
    return turned[order] * 360 / len(strengths), (strengths / strengths.max()).detach().numpy()[order]


def _pizza(axes: Axes) -> None:
    degrees = np.linspace(0, 360, 181)
    axes.plot(
        degrees, np.abs(np.cos(np.radians(degrees / 2))), color="0.6", linewidth=3, alpha=0.5, zorder=0, label="|cos|"
    )
