"""Figures for the reference pages of stimuli and circuits, drawn by the calls that the pages print."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure

from innervision import load, plots, render
from innervision.circuits import draw, expanded_weights, plant, tuning_curve, written
from innervision.data import stimuli

STEPS = 48
WEIGHTS_OF = 132
"""A channel of mini's mixed3b whose kernels over mixed3a are five positions wide."""

DOTS_PER_INCH = 150


def figures(folder: Path) -> None:
    """Draw all figures into a folder."""
    made = {"stimuli": all_stimuli(), "wheel": wheel(), "weights": weights(), "circuit": circuit()}
    for name, figure in made.items():
        figure.savefig(folder / f"{name}.webp", dpi=DOTS_PER_INCH)
        plt.close(figure)


def all_stimuli() -> Figure:
    """One image of each kind."""
    shown = {
        "draw_curve": stimuli.draw_curve(45, 8),
        "draw_line": stimuli.draw_line(45),
        "draw_corner": stimuli.draw_corner(45, 60),
        "draw_circle": stimuli.draw_circle(8),
        "draw_grating": stimuli.draw_grating(45, 0.15),
        "draw_gabor": stimuli.draw_gabor(45, 0.15),
        "draw_gradient": stimuli.draw_gradient(45),
        "draw_two_frequencies": stimuli.draw_two_frequencies(45),
    }
    return plots.image_grid(torch.cat(list(shown.values())), [name.removeprefix("draw_") for name in shown], columns=4)


def wheel() -> Figure:
    """The eight curves of a planted network, on one wheel."""
    network, answer = plant(written.circle(turn=10), torch.Generator().manual_seed(0))
    names = [f"curve{number}" for number in range(written.CURVES)]
    angles = torch.arange(0.0, 360, 2)
    responses = tuning_curve(network, "layer2", stimuli.draw_curve(angles, written.RADIUS, size=29))
    return plots.tuning_wheel(responses[[answer.channels[name][1] for name in names]], angles, names, overlaid=True)


def weights() -> Figure:
    """What a channel of mini reads, with pictures of the units at both ends."""
    mini = load("mini")
    return plots.contextualized_weights(
        expanded_weights(mini, "mixed3a", "mixed3b"),
        WEIGHTS_OF,
        lambda names: render(mini, names, size=40, steps=STEPS, seed=0).images,
        from_layer="mixed3a",
        to_layer="mixed3b",
    )


def circuit() -> Figure:
    """A planted network's true edges, each as strong as its kernel's sum."""
    units = written.polysemantic()
    network, answer = plant(units, torch.Generator().manual_seed(0))
    edges = {}
    for unit in units:
        for read in unit.reads:
            (layer, to), (_, source) = answer.channels[unit.name], answer.channels[read.unit]
            edges[read.unit, unit.name] = float(
                network.get_submodule(f"{layer}.conv").weight.detach()[to, source].sum()
            )
    shown = [unit for unit in units if any(unit.name in edge for edge in edges)]
    return plots.circuit_diagram(
        [[unit.name for unit in shown if unit.layer == layer] for layer in (1, 2, 3)],
        edges,
        {unit.name: draw(units, unit.name, 22) for unit in shown},
    )
