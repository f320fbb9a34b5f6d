"""Pictures with a place: icons laid out on a map, heat laid over photographs."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from torch import Tensor

from innervision.plots.pictures import as_pictures, image_grid
from innervision.plots.style import DOTS_PER_INCH

SMALLEST = 0.35
"""Side of an icon of size 0, as a share of its square: small enough to look faint, large enough to be recognised."""

HEAT = "PuOr_r"
"""Blue-violet below 0, orange above, white at 0; told apart by colour-blind readers."""


def icon_map(
    icons: Float[Tensor, "icons 3 height width"],
    rows: Int[Tensor, "icons"],
    columns: Int[Tensor, "icons"],
    *,
    sizes: Float[Tensor, "icons"] | None = None,
    scale: float = 1.0,
    title: str = "",
) -> Figure:
    """Icons on a map, each in its square; squares without an icon are white.

    Args:
        icons: In [0, 1].
        rows: Row of each icon's square, from 0 at the top.
        columns: Its column, from 0 at the left.
        sizes: How much each icon stands for, ≥ 0, for example a count or a strength. The side grows with the square
            root, so that areas compare; the largest fills its square.
        scale: Pixels on the screen for one pixel of an icon.
        title: Words above.

    Raises:
        ValueError: The icons are no pictures; a square is used twice.
    """
    shown = as_pictures(icons)
    places = list(zip(rows.tolist(), columns.tolist(), strict=True))
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise ValueError(f"rows, columns: two icons lie at {twice}; give each a square of its own")
    _, height, width, _ = shown.shape
    high, wide = max(rows.tolist()) + 1, max(columns.tolist()) + 1
    above = 0.3 if title else 0.0
    figure = plt.figure(
        figsize=(wide * width * scale / DOTS_PER_INCH, high * height * scale / DOTS_PER_INCH + above), dpi=DOTS_PER_INCH
    )
    axes = figure.add_axes((0, 0, 1, 1 - above / figure.get_figheight()))
    sides = torch.ones(len(shown)) if sizes is None else (sizes / sizes.max().clamp(min=1e-12)).sqrt()
    for picture, (row, column), side in zip(shown, places, sides.tolist(), strict=True):
        half = (SMALLEST + (1 - SMALLEST) * side) / 2 * 0.97  # a thin white line in between
        axes.imshow(
            picture,
            extent=(column + 0.5 - half, column + 0.5 + half, row + 0.5 + half, row + 0.5 - half),
            aspect="auto",
        )
    axes.set_xlim(0, wide)
    axes.set_ylim(high, 0)
    axes.set_axis_off()
    figure.suptitle(title, fontsize=10, y=0.99) if title else None
    return figure


def heat_maps(
    images: Float[Tensor, "batch 3 height width"] | UInt8[Tensor, "batch 3 height width"],
    heat: Float[Tensor, "batch rows columns"],
    titles: Sequence[str] | None = None,
    *,
    rows: Sequence[str] | None = None,
    columns: int | None = None,
    words: str = "attribution",
    shared: bool = True,
) -> Figure:
    """Photographs in grey with numbers for their positions laid over them in colour: orange above 0, violet below.

    Args:
        images: In [0, 1], or bytes.
        heat: One number for each position of a layer; enlarged to the images without smoothing.
        titles: As for ``image_grid``.
        rows: As for ``image_grid``.
        columns: As for ``image_grid``.
        words: What the colours say, at the colour bar.
        shared: One scale for all pictures. Otherwise each has its own, and the bar says so.

    Raises:
        ValueError: As ``image_grid``, or there is not one map for each image.
    """
    if len(heat) != len(images):
        raise ValueError(f"heat: {len(heat)} maps for {len(images)} images; give one each")
    grey = torch.from_numpy(as_pictures(images)).permute(0, 3, 1, 2).mean(dim=1, keepdim=True)
    numbers = heat.detach().cpu().float()
    limits = numbers.abs().amax(dim=(1, 2), keepdim=True)
    limits = (limits.amax().expand_as(limits) if shared else limits).clamp(min=1e-12)
    relative = F.interpolate((numbers / limits)[:, None], size=grey.shape[2:], mode="nearest")[:, 0]
    clear = relative.sign() * (0.5 + relative.abs() / 2)  # weak numbers are thin colour, not white
    colors = torch.from_numpy(plt.get_cmap(HEAT)((clear.numpy() + 1) / 2)[..., :3]).float().permute(0, 3, 1, 2)
    strength = relative.abs()[:, None]
    pictures = (1 - strength) * (0.25 + 0.6 * grey) + strength * colors
    figure = image_grid(pictures.clamp(0, 1), titles, rows=rows, columns=columns)
    limit = float(limits.max()) if shared else 1.0
    lowest = -limit if bool((numbers < 0).any()) else 0.0
    _color_bar(figure, lowest, limit, words if shared else f"{words}, share of the picture's largest")
    return figure


def _color_bar(figure: Figure, lowest: float, limit: float, words: str) -> None:
    """A bar at the right of what is there; the pictures keep their size."""
    width, height = figure.get_size_inches()
    room = 1.0
    for axes in figure.axes:
        left, bottom, wide, high = axes.get_position().bounds
        axes.set_position((left * width / (width + room), bottom, wide * width / (width + room), high))
    figure.set_size_inches(width + room, height)
    bar = figure.add_axes((width / (width + room) + 0.02, 0.15, 0.12 / (width + room), 0.7))
    mappable = ScalarMappable(Normalize(-limit, limit), HEAT)
    figure.colorbar(mappable, cax=bar).set_label(words, fontsize=8)
    bar.set_ylim(lowest, limit)
    bar.tick_params(labelsize=7)
