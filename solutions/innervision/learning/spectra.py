"""Images of which one thing was kept and the rest was exchanged or put in disorder."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "batch 3 height width"]


def swap_phase_and_magnitude(images: Images, others: Images) -> Images:
    """Images with the phases of some photographs and the magnitudes of others.

    A Fourier transform writes each channel of an image as a sum of waves. The *magnitude* says how strong each wave
    is; the *phase* says where its crests lie.

    Args:
        images: Their phases are kept. In [0, 1].
        others: Their magnitudes are used, image by image. In [0, 1], of the same shape.

    Returns:
        What both together make. The few numbers that leave [0, 1] are cut off there.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> step = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(1, 3, 4, 4)
        >>> swap_phase_and_magnitude(step, 0.5 * step)[0, 0, 0].round(decimals=4)  # the same waves, half as strong
        tensor([0.0000, 0.0000, 0.5000, 0.5000])

    Source:
        Oppenheim and Lim, "The importance of phase in signals", 1981, section III.
    """
    check_pairs(images, others)
    phase, magnitude = torch.fft.fft2(images).angle(), torch.fft.fft2(others).abs()
    return torch.fft.ifft2(torch.polar(magnitude, phase)).real.clamp(0, 1)


def check_pairs(images: Tensor, others: Tensor) -> None:
    """Refuse images that are no pairs."""
    if images.shape != others.shape:
        raise ValueError(f"others: shape {tuple(others.shape)} is not that of the images, {tuple(images.shape)}")


def shuffle_tiles(images: Images, side: int, generator: torch.Generator) -> Images:
    """Each image cut into square tiles, which then change places at random: textures stay, shapes do not.

    Args:
        images: Height and width are multiples of ``side``.
        side: Height and width of a tile, in pixels.
        generator: Draws the places, for each image anew.

    Raises:
        ValueError: The images cannot be cut into such tiles.

    Source:
        Brendel and Bethge, "Approximating CNNs with bag-of-local-features models works surprisingly well on ImageNet",
        2019, section 4 (scrambled images).
    """
    high, wide = images.shape[-2:]
    if side < 1 or high % side or wide % side:
        raise ValueError(f"side: {high} × {wide} pixels cannot be cut into tiles of {side} × {side}")
    tiles = rearrange(images, "b c (h p) (w q) -> b (h w) c p q", p=side, q=side)
    order = torch.rand(tiles.shape[:2], generator=generator).argsort(dim=1)
    moved = tiles[torch.arange(len(tiles))[:, None], order]
    return rearrange(moved, "b (h w) c p q -> b c (h p) (w q)", h=high // side)
