"""A measure, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from innervision.plots.style import COLORS, DASHES


def layer_curves(
    series: Mapping[str, Float[Tensor, "layer"] | Float[Tensor, "layer seed"]],
    layers: Sequence[str],
    *,
    up: str,
    across: str = "",
    floor: float | None = None,
    floor_name: str = "chance",
    title: str = "",
) -> Figure:
    """One line for each series: a number at each layer, or several, for example of several seeds.

    Args:
        series: Name → numbers. Of several the mean is drawn as a line, and each one as a dot.
        layers: Words for the layers, from the left.
        up: Words for the vertical axis.
        across: Words for the horizontal one.
        floor: Where to draw a dotted line across, for example at chance; by default nowhere.
        floor_name: Words for that line.
        title: Words above.

    Raises:
        ValueError: A series has not as many layers as are named, or there is none.
    """
    if not series:
        raise ValueError("series: is empty; give at least one")
    figure, axes = plt.subplots(figsize=(8.4, 3.4))
    for i, (name, values) in enumerate(series.items()):
        if len(values) != len(layers):
            raise ValueError(f"series: '{name}' has {len(values)} layers, {len(layers)} are named")
        numbers = values.detach().cpu().reshape(len(values), -1).numpy()
        color, dash = COLORS[i % len(COLORS)], DASHES[i % len(DASHES)]
        axes.plot(range(len(layers)), numbers.mean(axis=1), color=color, linestyle=dash, linewidth=1.8, label=name)
        axes.plot(range(len(layers)), numbers, "o", color=color, markersize=3)
    if floor is not None:
        axes.axhline(floor, color="0.4", linestyle=(0, (1, 2)), linewidth=1.2, label=floor_name)
    axes.set_xticks(range(len(layers)), layers, rotation=20 if max(map(len, layers)) > 6 else 0, fontsize=8)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.tight_layout()
    return figure
