"""Drawings of networks: what follows what and how wide it is, and numbers around 0 as colours.

As in ``plots``: every function that draws returns a matplotlib ``Figure`` that is open in pyplot, and never shows it.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from innervision.models.architectures import BRANCHES, Architecture, Mixed, Normalization, Pool, Step
from innervision.plots import COLORS

PLAIN = "0.55"  # the grey of what is no branch


def signed_colors(
    numbers: Float[Tensor, "*batch height width"], limit: float | None = None
) -> Float[Tensor, "*batch 3 height width"]:
    """Numbers as colours, for ``image_grid``: white is 0, violet is above, orange below.

    Args:
        numbers: Any range.
        limit: The number, above 0, that gets the full colour; what is farther from 0 gets the same. By default the
            largest distance from 0, so that all numbers share one scale.

    Raises:
        ValueError: The limit is not above 0.
    """
    numbers = numbers.detach().cpu().float()
    if limit is None:
        limit = float(numbers.abs().max()) or 1.0
    if not limit > 0:
        raise ValueError(f"limit: {limit} is no distance from 0; give a number above 0")
    shades = (numbers / limit).clamp(-1, 1) / 2 + 0.5
    colors = torch.from_numpy(plt.get_cmap("PuOr")(shades.numpy())[..., :3])
    return colors.float().movedim(-1, -3)


def network_diagram(architecture: Architecture) -> Figure:
    """A whole network from left to right: each step a bar, as high as it has channels.

    A mixed layer's bar shows its four branches in the order in which they are concatenated. Below stands each step's
    name, and the size of its maps for an image of the architecture's own size.
    """
    figure, axes = plt.subplots(figsize=(1.6 + 0.42 * len(architecture.steps), 4.4))
    width, side = 3, architecture.image_size
    names = [f"image  {side}×{side}"]
    _bar(axes, 0, [width], [PLAIN])
    for place, step in enumerate(architecture.steps, start=1):
        if isinstance(step, Mixed):
            width = step.width
            _bar(axes, place, list(step.branch_widths), list(COLORS))
        elif isinstance(step, Pool | Normalization):
            _bar(axes, place, [width], ["white"])
        else:
            width = step.width
            _bar(axes, place, [width], [PLAIN])
        side = -(-side // _stride(step))
        names.append(f"{step.name}  {side}×{side}")
    _bar(axes, len(names), [architecture.classes], [PLAIN])
    axes.set_xticks(range(len(names) + 1), [*names, "classes"], rotation=90, fontsize=8)
    axes.set_ylabel("channels")
    axes.spines[["top", "right"]].set_visible(False)
    kinds = {"convolution, classes": PLAIN, "pooling, normalisation": "white"}
    branches = {f"branch {branch}": color for branch, color in zip(BRANCHES, COLORS, strict=False)}
    handles = [Patch(facecolor=color, edgecolor="0.3", label=name) for name, color in (kinds | branches).items()]
    axes.legend(handles=handles, frameon=False, fontsize=8, loc="upper left")
    figure.tight_layout()
    return figure


def block_diagram(step: Mixed, inputs: int) -> Figure:
    """One mixed layer: four branches side by side, with the number of channels that leaves each part.

    Args:
        step: The layer, such as ``MINI.steps[4]``.
        inputs: Channels of the layer before.
    """
    figure, axes = plt.subplots(figsize=(7.6, 3.4))
    axes.set_xlim(-0.5, 3.6)
    axes.set_ylim(-0.6, 3.6)
    axes.set_axis_off()
    first = ["", f"1×1 bottleneck\n{step.three_bottleneck}", f"1×1 bottleneck\n{step.five_bottleneck}", "3×3 max pool"]
    last = [f"1×1\n{step.one}", f"3×3\n{step.three}", f"5×5\n{step.five}", f"1×1 pool_reduce\n{step.pool_reduce}"]
    before, after = (0.0, 1.5), (3.1, 1.5)
    for branch, (reduce, convolve) in enumerate(zip(first, last, strict=True)):
        height = 3.0 - branch
        across, up = zip(before, (0.45, height), (2.65, height), after, strict=True)
        axes.plot(across, up, color="0.6", linewidth=1, zorder=1)
        _box(axes, (1.0, height), reduce, COLORS[branch]) if reduce else None
        _box(axes, (2.05, height), convolve, COLORS[branch])
    _box(axes, before, f"input\n{inputs}", PLAIN)
    _box(axes, after, f"{step.name}\n{step.width}", PLAIN)
    figure.tight_layout()
    return figure


def _bar(axes: Axes, place: int, parts: list[int], colors: list[str]) -> None:
    """Parts on top of one another, the first at the bottom, their sum above."""
    bottom = 0
    for part, color in zip(parts, colors, strict=False):
        axes.bar(place, part, bottom=bottom, color=color, edgecolor="0.3", linewidth=0.6, width=0.8)
        bottom += part
    axes.annotate(str(bottom), (place, bottom), (0, 2), textcoords="offset points", ha="center", fontsize=7)


def _stride(step: Step) -> int:
    return 2 if isinstance(step, Pool) else getattr(step, "stride", 1)


def _box(axes: Axes, place: tuple[float, float], words: str, color: str) -> None:
    style = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": color, "linewidth": 2.2}
    axes.text(*place, words, ha="center", va="center", fontsize=9, bbox=style)
