"""What is optimised instead of pixels: parameters, and the road from them to an image in [0, 1].

The same image can be written in many coordinates. Which ones are used decides in which direction one step of
gradient ascent goes, and so which images are easy to reach.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate

NOISE = 0.01
"""Standard deviation of the parameters before the first step. Source: lucid, ``optvis/param/spatial.py``."""


class Parametrization(Protocol):
    """Parameters, and the images that they stand for."""

    def parameters(self) -> list[Tensor]:
        """The leaf tensors that an optimiser changes."""

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """The images in [0, 1] that the parameters stand for now."""


CONTRAST = 0.5
"""Factor on a Fourier image before the sigmoid. With 1 the usual 128 to 256 steps drive many pixels to pure black,
white or primary colours; lucid divides by 4 (a constant it leaves unexplained) and takes 512 steps."""

ParametrizationFactory = Callable[..., Parametrization]
"""``(batch, (height, width), generator) -> Parametrization``; one that takes ``device=`` is told it."""


def fourier_image(
    coefficients: Complex[Tensor, "batch 3 height frequencies"], size: tuple[int, int]
) -> Float[Tensor, "batch 3 height width"]:
    """Images from Fourier coefficients, coarse patterns made strong and fine ones weak.

    In photographs the strength of a wave falls as 1 / frequency. Here each coefficient is divided by its
    frequency, so that equal numbers give an image with such a spectrum, and a step of equal size everywhere
    changes coarse patterns most.

    Args:
        coefficients: Half a spectrum, as ``torch.fft.rfft2`` returns it: rows go through the frequencies of
            ``torch.fft.fftfreq(height)``, columns through the ``width // 2 + 1`` of ``torch.fft.rfftfreq(width)``,
            both in cycles per pixel.
        size: ``(height, width)`` of the images.

    Returns:
        Images of any range (not yet squeezed into [0, 1]): each coefficient is multiplied by
        1 / max(f, 1 / longest side), where f = √(f_row² + f_column²), then ``torch.fft.irfft2`` with
        ``norm="ortho"``. The longest side is the larger of height and width: without that floor the mean of
        the image, which has frequency 0, would be divided by 0.

    Example:
        >>> coefficients = torch.randn(2, 3, 32, 17, dtype=torch.complex64)
        >>> fourier_image(coefficients, (32, 32)).shape
        torch.Size([2, 3, 32, 32])

    Source:
        lucid, ``optvis/param/spatial.py`` (``fft_image``); Olah et al., "Feature Visualization", Distill 2017,
        "Preconditioning and parameterization".
    """
    height, width = size
    rows = torch.fft.fftfreq(height, device=coefficients.device)[:, None]
    columns = torch.fft.rfftfreq(width, device=coefficients.device)[None, :]
    frequency = torch.sqrt(rows**2 + columns**2)
    scale = 1 / frequency.clamp(min=1 / max(height, width))
    return torch.fft.irfft2(coefficients * scale, s=size, norm="ortho")


class Pixel:
    """Every pixel is a parameter: the plainest parametrization, and the one that gives noise.

    Args:
        batch: Number of images.
        size: ``(height, width)`` in pixels.
        generator: Draws the first image: grey with a little noise. A generator of the CPU.
        device: Where the parameters live.
    """

    def __init__(
        self, batch: int, size: tuple[int, int], generator: torch.Generator, *, device: torch.device | str = "cpu"
    ):
        noise = torch.randn(batch, 3, *size, generator=generator) * NOISE
        self.values = noise.to(device).requires_grad_(True)

    def parameters(self) -> list[Tensor]:
        """The pixels before the sigmoid, ``(batch, 3, height, width)``."""
        return [self.values]

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """The pixels, squeezed into [0, 1] by a sigmoid."""
        return torch.sigmoid(self.values)


class Fourier:
    """Fourier coefficients scaled by 1 / frequency, and decorrelated colours.

    Args:
        batch: Number of images.
        size: ``(height, width)`` in pixels.
        generator: Draws the first coefficients: small noise. A generator of the CPU.
        decorrelate: Whether the three channels are directions of the colour covariance instead of red,
            green and blue.
        correlation: Square root of the colour covariance to use, 3×3.
        device: Where the parameters live.
    """

    def __init__(
        self,
        batch: int,
        size: tuple[int, int],
        generator: torch.Generator,
        *,
        decorrelate: bool = True,
        correlation: Float[Tensor, "3 3"] = PUBLISHED_COLOR_CORRELATION,
        device: torch.device | str = "cpu",
    ):
        height, width = size
        noise = torch.randn(batch, 3, height, width // 2 + 1, 2, generator=generator) * NOISE
        self.coefficients = torch.view_as_complex(noise).to(device).requires_grad_(True)
        self.size = size
        self.correlation = correlation.to(device) if decorrelate else None

    def parameters(self) -> list[Tensor]:
        """The complex coefficients, ``(batch, 3, height, width // 2 + 1)``."""
        return [self.coefficients]

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """The image of the coefficients, its colours correlated, squeezed into [0, 1] by a sigmoid."""
        images = fourier_image(self.coefficients, self.size)
        if self.correlation is None:
            return torch.sigmoid(CONTRAST * images)
        return torch.sigmoid(correlate(images, self.correlation, CONTRAST))


def device_option(factory: ParametrizationFactory, device: torch.device | str) -> dict[str, Any]:
    """``{"device": device}`` for a factory that takes a device and has none yet, else nothing."""
    if isinstance(factory, partial) and "device" in factory.keywords:
        return {}
    try:
        takes = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # no signature to look at
        return {}
    return {"device": device} if "device" in takes else {}
