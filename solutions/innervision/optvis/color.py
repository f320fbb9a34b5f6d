"""Colours: which ones go together in photographs, and how to show a tensor as a picture.

In photographs red, green and blue rise and fall together. Optimising in a space where they do not
(and mapping back by a square root of their covariance) makes all colours equally easy to reach.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

PUBLISHED_COLOR_CORRELATION: Float[Tensor, "3 3"] = torch.tensor(
    [
        [0.26, 0.09, 0.02],
        [0.27, 0.00, -0.05],
        [0.27, -0.09, 0.03],
    ]
)
"""Square root of ImageNet's colour covariance: rows are red, green, blue; columns from the most common
direction (light against dark) to the rarest. Source: lucid, ``optvis/param/color.py``."""


def color_correlation(images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "3 3"]:
    """A square root of the colour covariance of some images.

    Every pixel of every image is one observation of three numbers: red, green, blue. Their covariance C is
    3×3: C[i, j] is the mean, over all pixels, of (colour i minus its mean) times (colour j minus its mean).

    Args:
        images: Photographs in [0, 1].

    Returns:
        A matrix M with ``M @ M.T`` equal to C. There are many (a rotation of M's columns is as good); with
        C = U diag(S) Uᵀ one is U diag(√S). Multiplying uncorrelated numbers by M gives them the colours'
        covariance.

    Example:
        >>> images = torch.rand(10, 3, 8, 8)
        >>> M = color_correlation(images)
        >>> M.shape, torch.allclose(M @ M.T, torch.cov(images.movedim(1, 0).flatten(1), correction=0), atol=1e-6)
        (torch.Size([3, 3]), True)

    Source:
        lucid, ``optvis/param/color.py`` (``color_correlation_svd_sqrt``); Olah et al., "Feature
        Visualization", Distill 2017, "Preconditioning and parameterization".
    """
    pixels = images.movedim(1, 0).flatten(1)  # colour × (batch · height · width)
    covariance = torch.cov(pixels, correction=0)
    directions, variances, _ = torch.linalg.svd(covariance)
    return directions * variances.sqrt()


def correlate(
    images: Float[Tensor, "batch 3 height width"], correlation: Float[Tensor, "3 3"], strength: float = 1.0
) -> Float[Tensor, "batch 3 height width"]:
    """Give decorrelated colours the correlation of photographs: multiply each pixel by a matrix.

    Args:
        images: Colours in the decorrelated space, any range.
        correlation: A square root of the colour covariance. It is divided by the length of its longest
            column first, as in lucid, so that the strength of colours depends on the step size alone.
        strength: Factor on the result.
    """
    matrix = strength * correlation / correlation.norm(dim=0).max()
    return (matrix.to(images) @ images.flatten(2)).view(images.shape)  # twice as fast as einsum on a CPU


def decorrelate(
    images: Float[Tensor, "batch 3 height width"], correlation: Float[Tensor, "3 3"]
) -> Float[Tensor, "batch 3 height width"]:
    """Undo ``correlate``: colours of photographs become numbers that rise and fall independently.

    Args:
        images: Red, green and blue, any range.
        correlation: The matrix that ``correlate`` was given. What it flattens (a matrix from grey photographs
            flattens colour) cannot be brought back and becomes 0.
    """
    inverse = torch.linalg.pinv(correlation / correlation.norm(dim=0).max())
    return torch.einsum("ij,bjhw->bihw", inverse.to(images), images)


def to_displayable(image: Float[Tensor, "*batch 3 height width"]) -> Float[Tensor, "*batch height width 3"]:
    """Turn any image tensor into one that matplotlib shows: numbers in [0, 1], colours on the last axis.

    Each image is stretched by itself: its smallest number becomes 0 and its largest 1. An image whose
    numbers are all the same has nothing to stretch: it becomes 0.5 everywhere, a plain grey.

    Args:
        image: One image ``(3, height, width)`` or a batch ``(batch, 3, height, width)``, any range; it may
            still hang on a gradient.

    Returns:
        The same numbers stretched, detached, with axes ``(height, width, 3)`` or ``(batch, height, width, 3)``.

    Example:
        >>> to_displayable(torch.tensor([-2.0, 0.0, 2.0]).reshape(3, 1, 1))  # one pixel: red -2, green 0, blue 2
        tensor([[[0.0000, 0.5000, 1.0000]]])
    """
    image = image.detach()
    low = image.amin(dim=(-3, -2, -1), keepdim=True)
    high = image.amax(dim=(-3, -2, -1), keepdim=True)
    stretched = (image - low) / (high - low)
    return torch.where(high > low, stretched, 0.5).movedim(-3, -1)
