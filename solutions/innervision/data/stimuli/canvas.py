"""What every stimulus is drawn with: positions, edges, bands and paint.

An edge is as if a sharp one had been seen through a lens that blurs by ``BLUR`` pixels. Such a picture holds next to
nothing that pixels could not carry, so a stimulus moved by a part of a pixel is the same stimulus, neither larger nor
fainter nor nudged to the nearest pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

BLUR = 0.7
"""Standard deviation of the lens in pixels. At one wave per pixel, which pixels mistake for no wave at all, it lets
exp(-2π² · 0.7²) = 0.00006 through, so the area of a stimulus does not depend on where it lies. Our choice: with 0.5
it is 0.007, and the area of a thin line would waver by a percent."""

Parameter = float | Float[Tensor, ""] | Float[Tensor, "batch"]
"""One number for all images of a batch, or one for each."""

POSITIVE = ("radius", "width", "length", "spread")
"""Pixels, above 0."""

RULES: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "contrast": ("between -1 and 1", lambda values: values.abs() <= 1),
    "angle": ("above 0 and at most 180 degrees", lambda values: (values > 0) & (values <= 180)),
    "frequency": ("above 0 and below 0.5 waves per pixel", lambda values: (values > 0) & (values < 0.5)),
    "low": ("above 0 and below 0.5 waves per pixel", lambda values: (values > 0) & (values < 0.5)),
    "high": ("above 0 and below 0.5 waves per pixel", lambda values: (values > 0) & (values < 0.5)),
} | dict.fromkeys(POSITIVE, ("above 0 pixels", lambda values: values > 0))
"""Name of a parameter → what is said of a value that breaks its rule, and the rule. Others take any finite number."""


def as_batch(**parameters: Parameter) -> tuple[Float[Tensor, "batch 1 1"], ...]:
    """Numbers and tensors made ready to be drawn with: one value for each image, checked, with room for pixels.

    Args:
        parameters: By name. A number, or a tensor with one value for each image.

    Returns:
        In the order given, each ``(batch, 1, 1)`` in double precision, on the device of the first tensor. A batch of
        one if all are numbers.

    Raises:
        ValueError: A value is not finite or breaks its rule in ``RULES``; lengths differ.

    Example:
        >>> radius, width = as_batch(radius=torch.tensor([5.0, 9.0]), width=2)
        >>> radius.shape, width.flatten()
        (torch.Size([2, 1, 1]), tensor([2., 2.], dtype=torch.float64))
    """
    device = next((value.device for value in parameters.values() if isinstance(value, Tensor)), None)
    values = {name: torch.as_tensor(value, device=device).double() for name, value in parameters.items()}
    batch = max((len(value) for value in values.values() if value.ndim == 1), default=1)
    for name, value in values.items():
        if value.ndim > 1 or value.numel() not in (1, batch):
            raise ValueError(f"{name}: shape {tuple(value.shape)} is neither one number nor one for each of {batch}")
        rule, holds = RULES.get(name, ("finite", torch.isfinite))
        broken = value[~(holds(value) & value.isfinite())]
        if broken.numel():
            raise ValueError(f"{name}: {float(broken.flatten()[0]):g} is not {rule}")
    return tuple(value.expand(batch).view(batch, 1, 1) for value in values.values())


def plane(
    size: int | tuple[int, int], row: Float[Tensor, "batch 1 1"], column: Float[Tensor, "batch 1 1"]
) -> tuple[Float[Tensor, "batch height 1"], Float[Tensor, "batch 1 width"]]:
    """How far each pixel lies to the right of a stimulus's middle, and how far above it.

    Args:
        size: Pixels along each side, or ``(height, width)``.
        row: Pixels by which the stimulus's middle lies below the image's; rows are counted downwards.
        column: Pixels by which it lies to the right of it.

    Returns:
        ``(right, up)`` in pixels. The middle of an image with an even side lies between pixels.

    Raises:
        ValueError: A side has no pixel.

    Example:
        >>> right, up = plane(3, *as_batch(row=0, column=0.5))
        >>> right.flatten().tolist(), up.flatten().tolist()
        ([-1.5, -0.5, 0.5], [1.0, 0.0, -1.0])
    """
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise ValueError(f"size: {height} × {width} has no pixels; give at least 1 × 1")
    pixels = torch.arange(max(height, width), dtype=row.dtype, device=row.device)
    right = pixels[:width] - (width - 1) / 2 - column
    up = row + (height - 1) / 2 - pixels[:height, None]
    return right, up


def edge(inside: Float[Tensor, "*pixels"]) -> Float[Tensor, "*pixels"]:
    """How much of a pixel is covered by a shape, from how deep the pixel lies inside it.

    Args:
        inside: Signed distance from the shape's border in pixels: positive inside, negative outside.

    Returns:
        In [0, 1]: 0.5 on the border, 0.92 one pixel inside. For a straight border this is the sharp shape seen
        through the lens (see ``BLUR``); for a round one with a radius of several pixels nearly so.
    """
    return torch.special.ndtr(inside / BLUR)


def band(
    distance: Float[Tensor, "*pixels"],
    width: Float[Tensor, "*pixels"],
    period: Float[Tensor, "*pixels"] | None = None,
) -> Float[Tensor, "*pixels"]:
    """How much of a pixel is covered by a band, from its distance to the band's middle line.

    Args:
        distance: Signed distance from the middle line, in pixels.
        width: Width of the band in pixels; it covers distances from ``-width / 2`` to ``width / 2``.
        period: For distances measured along a closed line: its length in pixels. Distances are then in ``±period / 2``,
            the band is at most as long as the line, and where its ends meet there is no seam.

    Returns:
        In [0, 1]. Across the band it adds up to ``width``, however thin the band; a thin one is fainter, not wider.

    Example:
        >>> band(torch.arange(-2.0, 3.0), torch.tensor(2.0))
        tensor([0.0766, 0.4979, 0.8469, 0.4979, 0.0766])
    """
    if period is not None:
        width = width.minimum(period)
        return sum((band(distance + turn * period, width) for turn in (-1, 1)), band(distance, width))
    return edge(width / 2 - distance) - edge(-width / 2 - distance)


def paint(
    pattern: Float[Tensor, "batch height width"], contrast: Float[Tensor, "batch 1 1"]
) -> Float[Tensor, "batch 3 height width"]:
    """Grey images from a pattern: mid-grey where it is 0, brighter where it is positive, darker where negative.

    Args:
        pattern: In [-1, 1].
        contrast: In [-1, 1]. 1 paints a pattern of 1 white, 0.5 half-way from mid-grey to white, -1 black.

    Returns:
        ``0.5 + 0.5 · contrast · pattern`` in all three colours, single precision, in [0, 1].
    """
    grey = (0.5 + 0.5 * contrast * pattern).clamp(0, 1)  # against rounding only
    return grey.float()[:, None].repeat(1, 3, 1, 1)
