"""Curves, lines, corners and circles: strokes of a given width on grey.

An orientation is the direction, in degrees against the clock from the right, that lies *across* the stroke: where a
curve bulges to, where a corner's tip points. A curve of very large radius is a line of the same orientation.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from innervision.data.stimuli.canvas import Parameter, as_batch, band, edge, paint, plane


def draw_curve(
    orientation: Parameter,
    radius: Parameter,
    width: Parameter = 2.0,
    length: Parameter = 16.0,
    *,
    row: Parameter = 0.0,
    column: Parameter = 0.0,
    contrast: Parameter = 1.0,
    size: int | tuple[int, int] = 33,
) -> Float[Tensor, "batch 3 height width"]:
    """A piece of a circle, with smooth edges. Its middle lies in the middle of the image.

    Every parameter is a number, or a tensor with one value for each image.

    Args:
        orientation: Direction to which the curve bulges, in degrees against the clock: 0 is to the right, as in ``)``;
            90 is up, 180 to the left, as in ``(``. A full turn is 360: a curve turned by 180 is another curve.
        radius: Of the circle, in pixels; at most about a million.
        width: Of the stroke, in pixels.
        length: Along the stroke, in pixels. A curve as long as its circle, or longer, is the whole circle.
        row: Pixels by which the middle of the curve lies below the middle of the image.
        column: Pixels by which it lies to the right of it.
        contrast: From -1 (black on mid-grey) to 1 (white on mid-grey).
        size: Pixels along each side, or ``(height, width)``. 33 gives mini's layers a unit exactly in the middle.

    Returns:
        Grey images in [0, 1], row 0 at the top. What lies outside the image is cut off.

    Raises:
        ValueError: A value breaks its rule; tensors differ in length.

    Example:
        >>> draw_curve(orientation=0, radius=2, length=6, size=5)[0, 0]  # bulges to the right
        tensor([[0.6778, 0.8580, 0.7901, 0.5963, 0.5089],
                [0.6045, 0.8483, 0.9112, 0.7036, 0.5271],
                [0.5383, 0.7489, 0.9234, 0.7489, 0.5383],
                [0.6045, 0.8483, 0.9112, 0.7036, 0.5271],
                [0.6778, 0.8580, 0.7901, 0.5963, 0.5089]])

    Source:
        Cammarata et al., "Curve detectors", Distill 2020, "Synthetic curves" (the idea of the stimulus).
    """
    orientation, radius, width, length, row, column, contrast = as_batch(
        orientation=orientation, radius=radius, width=width, length=length, row=row, column=column, contrast=contrast
    )
    direction = torch.deg2rad(orientation)
    right, up = plane(size, row, column)
    right, up = right + radius * direction.cos(), up + radius * direction.sin()  # now seen from the circle's middle
    turned = torch.atan2(up, right) - direction
    turned = torch.atan2(turned.sin(), turned.cos())  # from -π to π
    across, along = torch.hypot(right, up) - radius, radius * turned
    return paint(band(across, width) * band(along, length, period=2 * math.pi * radius), contrast)


def draw_line(
    orientation: Parameter,
    width: Parameter = 2.0,
    length: Parameter = 16.0,
    *,
    row: Parameter = 0.0,
    column: Parameter = 0.0,
    contrast: Parameter = 1.0,
    size: int | tuple[int, int] = 33,
) -> Float[Tensor, "batch 3 height width"]:
    """A straight stroke with its middle in the middle of the image.

    Every parameter is a number, or a tensor with one value for each image.

    Args:
        orientation: Direction across the line, in degrees against the clock, as for ``gabor_kernel``: 0 is an upright
            line, 90 a lying one, 45 one that falls from the upper left to the lower right. Lines repeat after 180.
        width: In pixels.
        length: In pixels.
        row: Pixels by which the line's middle lies below the middle of the image.
        column: Pixels by which it lies to the right of it.
        contrast: From -1 (black on mid-grey) to 1 (white on mid-grey).
        size: Pixels along each side, or ``(height, width)``.

    Returns:
        Grey images in [0, 1].

    Raises:
        ValueError: A value breaks its rule; tensors differ in length.
    """
    orientation, width, length, row, column, contrast = as_batch(
        orientation=orientation, width=width, length=length, row=row, column=column, contrast=contrast
    )
    across, along = turn(*plane(size, row, column), orientation)
    return paint(band(across, width) * band(along, length), contrast)


def draw_corner(
    orientation: Parameter,
    angle: Parameter = 90.0,
    width: Parameter = 2.0,
    length: Parameter = 10.0,
    *,
    row: Parameter = 0.0,
    column: Parameter = 0.0,
    contrast: Parameter = 1.0,
    size: int | tuple[int, int] = 33,
) -> Float[Tensor, "batch 3 height width"]:
    """Two straight strokes that meet in a pointed tip in the middle of the image.

    Every parameter is a number, or a tensor with one value for each image.

    Args:
        orientation: Direction in which the tip points, in degrees against the clock: 0 is ``>``, 180 is ``<``.
        angle: Between the two strokes, in degrees, above 0; 180 is a line.
        width: Of the strokes, in pixels.
        length: Of each stroke along its middle line, in pixels, from where they meet.
        row: Pixels by which the tip lies below the middle of the image.
        column: Pixels by which it lies to the right of it.
        contrast: From -1 (black on mid-grey) to 1 (white on mid-grey).
        size: Pixels along each side, or ``(height, width)``.

    Returns:
        Grey images in [0, 1].

    Raises:
        ValueError: A value breaks its rule; tensors differ in length.
    """
    orientation, angle, width, length, row, column, contrast = as_batch(
        orientation=orientation, angle=angle, width=width, length=length, row=row, column=column, contrast=contrast
    )
    forward, aside = turn(*plane(size, row, column), orientation)
    half, aside = (
        torch.deg2rad(angle) / 2,
        aside.abs(),
    )  # both strokes are drawn as one, on a sheet folded in the middle
    across = forward * half.sin() + aside * half.cos()
    along = aside * half.sin() - forward * half.cos()
    return paint(band(across, width) * edge(length - along), contrast)


def draw_circle(
    radius: Parameter,
    width: Parameter = 2.0,
    *,
    row: Parameter = 0.0,
    column: Parameter = 0.0,
    contrast: Parameter = 1.0,
    size: int | tuple[int, int] = 33,
) -> Float[Tensor, "batch 3 height width"]:
    """A ring around the middle of the image; a disc, where the stroke is as wide as the ring is round.

    Every parameter is a number, or a tensor with one value for each image.

    Args:
        radius: Of the middle line of the stroke, in pixels. The ring reaches from ``radius - width / 2`` to
            ``radius + width / 2``; ``width = 2 * radius`` is a disc of radius ``width``.
        width: Of the stroke, in pixels.
        row: Pixels by which the middle of the ring lies below the middle of the image.
        column: Pixels by which it lies to the right of it.
        contrast: From -1 (black on mid-grey) to 1 (white on mid-grey).
        size: Pixels along each side, or ``(height, width)``.

    Returns:
        Grey images in [0, 1].

    Raises:
        ValueError: A value breaks its rule; tensors differ in length.
    """
    radius, width, row, column, contrast = as_batch(
        radius=radius, width=width, row=row, column=column, contrast=contrast
    )
    right, up = plane(size, row, column)
    outer, inner = radius + width / 2, radius - width / 2
    from_middle = torch.hypot(right, up)
    hole = torch.where(inner > 0, edge(inner - from_middle), 0.0)
    return paint(edge(outer - from_middle) - hole, contrast)


def turn(
    right: Float[Tensor, "batch height 1"], up: Float[Tensor, "batch 1 width"], orientation: Float[Tensor, "batch 1 1"]
) -> tuple[Float[Tensor, "batch height width"], Float[Tensor, "batch height width"]]:
    """Positions as seen by somebody who looks in a direction: how far ahead, and how far to the left.

    Args:
        right: Pixels to the right of the middle.
        up: Pixels above it.
        orientation: The direction, in degrees against the clock from the right.

    Returns:
        ``(ahead, aside)`` in pixels.
    """
    direction = torch.deg2rad(orientation)
    ahead = right * direction.cos() + up * direction.sin()
    return ahead, up * direction.cos() - right * direction.sin()
