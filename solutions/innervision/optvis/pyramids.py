"""Parametrizations of several sizes: coarse parameters, enlarged, alone or in a sum.

A step that changes one coarse parameter changes a whole patch of the image, so coarse patterns come first.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate
from innervision.optvis.parametrizations import CONTRAST, NOISE, Fourier, fourier_image


class LowResolution:
    """Images of fewer pixels, enlarged: nothing finer than a few pixels can be drawn.

    Args:
        batch: Number of images.
        size: ``(height, width)`` in pixels.
        generator: Draws the first parameters: small noise. A generator of the CPU.
        reduction: How many pixels of the image one parameter spans in each direction, ≥ 1.
        correlation: Square root of the colour covariance, 3×3; ``None`` for red, green and blue as they are.
        device: Where the parameters live.

    Raises:
        ValueError: ``reduction`` is below 1.

    Source:
        lucid, ``optvis/param/lowres.py`` (``lowres_tensor``).
    """

    def __init__(
        self,
        batch: int,
        size: tuple[int, int],
        generator: torch.Generator,
        *,
        reduction: int = 4,
        correlation: Float[Tensor, "3 3"] | None = PUBLISHED_COLOR_CORRELATION,
        device: torch.device | str = "cpu",
    ):
        if reduction < 1:
            raise ValueError(f"reduction: {reduction} enlarges; give a whole number, at least 1")
        self.size, self.correlation = size, correlation
        self.values = _coarse_noise(batch, size, reduction, generator, device)

    def parameters(self) -> list[Tensor]:
        """The small images, ``(batch, 3, height // reduction, width // reduction)``."""
        return [self.values]

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """The small images enlarged, their colours correlated, squeezed into [0, 1] by a sigmoid."""
        return _squeezed(_enlarged(self.values, self.size), self.correlation)


class LaplacianPyramid:
    """A sum of images of the full size, half of it, a quarter, and so on, each with parameters of its own.

    Args:
        batch: Number of images.
        size: ``(height, width)`` in pixels.
        generator: Draws the first parameters: small noise. A generator of the CPU.
        levels: How many sizes, ≥ 1.
        correlation: As in ``LowResolution``.
        device: Where the parameters live.

    Raises:
        ValueError: ``levels`` is below 1.

    Source:
        lucid, ``optvis/param/spatial.py`` (``laplacian_pyramid_image``, 4 levels); Burt, Adelson, "The Laplacian
        pyramid as a compact image code", 1983.
    """

    def __init__(
        self,
        batch: int,
        size: tuple[int, int],
        generator: torch.Generator,
        *,
        levels: int = 4,
        correlation: Float[Tensor, "3 3"] | None = PUBLISHED_COLOR_CORRELATION,
        device: torch.device | str = "cpu",
    ):
        if levels < 1:
            raise ValueError(f"levels: {levels} is too few; give a whole number, at least 1")
        self.size, self.correlation = size, correlation
        self.levels = [_coarse_noise(batch, size, 2**level, generator, device) for level in range(levels)]

    def parameters(self) -> list[Tensor]:
        """The levels from fine to coarse, ``(batch, 3, height // 2 ** level, width // 2 ** level)``."""
        return list(self.levels)

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """The sum of the enlarged levels, its colours correlated, squeezed into [0, 1] by a sigmoid."""
        return _squeezed(sum((_enlarged(level, self.size) for level in self.levels), torch.zeros(())), self.correlation)


SHARED_LEVELS = ((1, 2), (1, 4), (1, 8), (2, 8), (1, 16), (2, 16))
"""``(keys, reduction)`` of each shared level; see ``Shared``. Source: lucid's notebook "Aligned feature visualization
interpolation"."""


class Shared:
    """A row of images that have much in common: each is a Fourier image of its own plus coarse images shared by all.

    For ``interpolate`` and other objectives that look at several images: what stays the same is drawn at the same
    place without being asked for. A shared level has one key image for the whole row, or two, for its ends, between
    which the others are mixed.

    Args:
        batch: Number of images in the row.
        size: ``(height, width)`` in pixels.
        generator: Draws the first parameters: small noise. A generator of the CPU.
        levels: ``(keys, reduction)`` of each shared level.
        correlation: As in ``LowResolution``.
        device: Where the parameters live.

    Source:
        lucid's notebook "Aligned feature visualization interpolation"; Mordvintsev et al., "Differentiable image
        parameterizations", Distill 2018, "Aligned feature visualization interpolation".
    """

    def __init__(
        self,
        batch: int,
        size: tuple[int, int],
        generator: torch.Generator,
        *,
        levels: tuple[tuple[int, int], ...] = SHARED_LEVELS,
        correlation: Float[Tensor, "3 3"] | None = PUBLISHED_COLOR_CORRELATION,
        device: torch.device | str = "cpu",
    ):
        self.batch, self.size, self.correlation = batch, size, correlation
        self.own = Fourier(batch, size, generator, device=device).coefficients
        self.levels = [_coarse_noise(keys, size, reduction, generator, device) for keys, reduction in levels]

    def parameters(self) -> list[Tensor]:
        """The images' own coefficients, then each shared level, ``(keys, 3, height // reduction, …)``."""
        return [self.own, *self.levels]

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """Each image's own part plus the shared ones, colours correlated, squeezed into [0, 1] by a sigmoid."""
        images = CONTRAST * fourier_image(self.own, self.size)
        for level in self.levels:
            images = images + _along_row(_enlarged(level, self.size), self.batch)
        return _squeezed(images, self.correlation)


def _coarse_noise(
    count: int, size: tuple[int, int], reduction: int, generator: torch.Generator, device: torch.device | str
) -> Float[Tensor, "count 3 rows columns"]:
    rows, columns = (max(1, side // reduction) for side in size)
    noise = torch.randn(count, 3, rows, columns, generator=generator) * NOISE
    return noise.to(device).requires_grad_(True)


def _enlarged(values: Float[Tensor, "count 3 rows columns"], size: tuple[int, int]) -> Float[Tensor, "count 3 h w"]:
    return F.interpolate(values, size=size, mode="bilinear", align_corners=False)


def _along_row(keys: Float[Tensor, "keys 3 h w"], count: int) -> Float[Tensor, "count 3 h w"]:
    """One image for each place in a row of ``count``: key images at equal distances, mixtures between."""
    if len(keys) == 1:
        return keys  # added to every image
    places = torch.linspace(0, len(keys) - 1, count).to(keys)
    nearness = (1 - (places[:, None] - torch.arange(len(keys)).to(keys)).abs()).clamp(min=0)
    return torch.einsum("nk,kchw->nchw", nearness, keys)


def _squeezed(
    images: Float[Tensor, "batch 3 height width"], correlation: Float[Tensor, "3 3"] | None
) -> Float[Tensor, "batch 3 height width"]:
    return torch.sigmoid(images if correlation is None else correlate(images, correlation))
