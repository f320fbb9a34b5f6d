"""Gratings, Gabors, gradients and patches of two frequencies: patterns of brightness around mid-grey.

An orientation is the direction, in degrees against the clock from the right, in which brightness changes.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from innervision.data.stimuli.canvas import BLUR, Parameter, as_batch, edge, paint, plane
from innervision.data.stimuli.shapes import turn


def draw_grating(
    orientation: Parameter,
    frequency: Parameter = 0.125,
    phase: Parameter = 0.0,
    *,
    row: Parameter = 0.0,
    column: Parameter = 0.0,
    contrast: Parameter = 1.0,
    size: int | tuple[int, int] = 33,
) -> Float[Tensor, "batch 3 height width"]:
    """A wave of brightness that fills the image: stripes.

    Every parameter is a number, or a tensor with one value for each image.

    Args:
        orientation: Direction in which the wave runs, in degrees against the clock: 0 is to the right (upright
            stripes), 90 is up (lying stripes).
        frequency: Waves per pixel, above 0 and below 0.5; 0.125 is a wave of eight pixels.
        phase: Degrees. 0 puts a bright stripe into the middle, 180 a dark one.
        row: Pixels by which the middle of the pattern lies below the middle of the image.
        column: Pixels by which it lies to the right of it.
        contrast: From -1 to 1: brightest minus darkest value.
        size: Pixels along each side, or ``(height, width)``.

    Returns:
        Grey images in [0, 1], on average mid-grey.

    Raises:
        ValueError: A value breaks its rule; tensors differ in length.
    """
    orientation, frequency, phase, row, column, contrast = as_batch(
        orientation=orientation, frequency=frequency, phase=phase, row=row, column=column, contrast=contrast
    )
    along, _ = turn(*plane(size, row, column), orientation)
    return paint(wave(along, frequency, phase), contrast)


def draw_gabor(
    orientation: Parameter,
    frequency: Parameter = 0.125,
    phase: Parameter = 0.0,
    spread: Parameter = 5.0,
    *,
    row: Parameter = 0.0,
    column: Parameter = 0.0,
    contrast: Parameter = 1.0,
    size: int | tuple[int, int] = 33,
) -> Float[Tensor, "batch 3 height width"]:
    """Stripes that fade with the distance from the middle: the picture of a ``gabor_kernel``.

    Every parameter is a number, or a tensor with one value for each image.

    Args:
        orientation: Direction in which the wave runs, in degrees against the clock, as for ``draw_grating``.
        frequency: Waves per pixel, above 0 and below 0.5.
        phase: Degrees. 0 puts a bright stripe into the middle, 180 a dark one, 90 and 270 an edge.
        spread: Pixels from the middle to where the stripes have faded to 61 % (σ of the bell).
        row: Pixels by which the middle of the patch lies below the middle of the image.
        column: Pixels by which it lies to the right of it.
        contrast: From -1 to 1: how bright the bright stripe is, from mid-grey (0) to white (1).
        size: Pixels along each side, or ``(height, width)``.

    Returns:
        Grey images in [0, 1].

    Raises:
        ValueError: A value breaks its rule; tensors differ in length.

    Source:
        Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation …", 1985.
    """
    orientation, frequency, phase, spread, row, column, contrast = as_batch(
        orientation=orientation,
        frequency=frequency,
        phase=phase,
        spread=spread,
        row=row,
        column=column,
        contrast=contrast,
    )
    right, up = plane(size, row, column)
    along, _ = turn(right, up, orientation)
    bell = torch.exp(-(right**2 + up**2) / (2 * spread**2))
    return paint(bell * wave(along, frequency, phase), contrast)


def draw_gradient(
    orientation: Parameter,
    width: Parameter = 16.0,
    *,
    row: Parameter = 0.0,
    column: Parameter = 0.0,
    contrast: Parameter = 1.0,
    size: int | tuple[int, int] = 33,
) -> Float[Tensor, "batch 3 height width"]:
    """Brightness that rises from one side to the other; an edge, where it rises within two pixels.

    Every parameter is a number, or a tensor with one value for each image.

    Args:
        orientation: Direction in which it gets brighter, in degrees against the clock.
        width: Pixels in which it would rise from darkest to brightest if it were as steep everywhere as in the middle.
            (It rises as the integral of a bell does, without kinks.) Below 1.8 pixels, the lens of ``BLUR``, it is 1.8.
        row: Pixels by which the middle of the rise lies below the middle of the image.
        column: Pixels by which it lies to the right of it.
        contrast: From -1 to 1: brightest minus darkest value.
        size: Pixels along each side, or ``(height, width)``.

    Returns:
        Grey images in [0, 1], mid-grey in the middle.

    Raises:
        ValueError: A value breaks its rule; tensors differ in length.
    """
    orientation, width, row, column, contrast = as_batch(
        orientation=orientation, width=width, row=row, column=column, contrast=contrast
    )
    along, _ = turn(*plane(size, row, column), orientation)
    sharpest = BLUR * math.sqrt(2 * math.pi)  # a sharp edge, through the lens
    return paint(2 * edge(along * sharpest / width.clamp(min=sharpest)) - 1, contrast)


def draw_two_frequencies(
    orientation: Parameter,
    high: Parameter = 0.25,
    low: Parameter = 0.0625,
    stripes: Parameter = 90.0,
    phase: Parameter = 0.0,
    *,
    row: Parameter = 0.0,
    column: Parameter = 0.0,
    contrast: Parameter = 1.0,
    size: int | tuple[int, int] = 33,
) -> Float[Tensor, "batch 3 height width"]:
    """Fine stripes on one side of a border through the middle, coarse ones on the other.

    Every parameter is a number, or a tensor with one value for each image.

    Args:
        orientation: Direction from the border to the fine stripes, in degrees against the clock.
        high: Waves per pixel on that side, above 0 and below 0.5.
        low: Waves per pixel on the other side, above 0 and below 0.5.
        stripes: Direction in which the waves run, in degrees against the clock from ``orientation``. 90: along the
            border, so that stripes end at it; 0: across it, so that they run beside it.
        phase: Degrees, of both waves, in the middle.
        row: Pixels by which the middle of the border lies below the middle of the image.
        column: Pixels by which it lies to the right of it.
        contrast: From -1 to 1: brightest minus darkest value.
        size: Pixels along each side, or ``(height, width)``.

    Returns:
        Grey images in [0, 1].

    Raises:
        ValueError: A value breaks its rule; tensors differ in length.

    Source:
        Schubert et al., "High-low frequency detectors", Distill 2021 (the idea of the stimulus).
    """
    orientation, high, low, stripes, phase, row, column, contrast = as_batch(
        orientation=orientation,
        high=high,
        low=low,
        stripes=stripes,
        phase=phase,
        row=row,
        column=column,
        contrast=contrast,
    )
    right, up = plane(size, row, column)
    ahead, _ = turn(right, up, orientation)
    along, _ = turn(right, up, orientation + stripes)
    fine, coarse = wave(along, high, phase), wave(along, low, phase)
    return paint(coarse + edge(ahead) * (fine - coarse), contrast)


def wave(
    along: Float[Tensor, "batch height width"], frequency: Float[Tensor, "batch 1 1"], phase: Float[Tensor, "batch 1 1"]
) -> Float[Tensor, "batch height width"]:
    """A cosine in [-1, 1].

    Args:
        along: Pixels in the direction in which the wave runs.
        frequency: Waves per pixel.
        phase: Degrees.
    """
    return torch.cos(2 * math.pi * frequency * along + torch.deg2rad(phase))
