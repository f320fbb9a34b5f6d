"""Penalties: numbers that are large for images that one does not want."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def total_variation(images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch"]:
    """How restless is an image? The mean difference between neighbouring pixels.

    Args:
        images: At least 2×2 pixels each.

    Returns:
        One number per image: the mean absolute difference between each pixel and the one below it, plus the
        mean absolute difference between each pixel and the one to its right. Means run over all three
        colours. 0 for a plain image.

    Example:
        >>> import torch
        >>> stripes = torch.tensor([0.0, 1.0, 0.0]).expand(1, 3, 4, 3)  # columns black, white, black
        >>> total_variation(stripes)
        tensor([1.])

    Source:
        Rudin, Osher, Fatemi, "Nonlinear total variation based noise removal algorithms", 1992 (here with
        absolute differences, along each axis by itself); Mahendran, Vedaldi, "Understanding deep image
        representations by inverting them", 2015 (as a penalty on optimised images).
    """
    below = images[..., 1:, :] - images[..., :-1, :]
    right = images[..., :, 1:] - images[..., :, :-1]
    return below.abs().mean(dim=(1, 2, 3)) + right.abs().mean(dim=(1, 2, 3))
