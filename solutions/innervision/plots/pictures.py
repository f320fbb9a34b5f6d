"""Pictures side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from torch import Tensor

from innervision.plots.style import DOTS_PER_INCH


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
    shown = as_pictures(images)
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


def as_pictures(images: Tensor) -> np.ndarray:
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
