"""A parametrization that only moves things: how strong each wave is comes from photographs and stays fixed.

What is optimised is where the waves' crests lie (their phases). Fine grain cannot grow beyond its share in
photographs, however hard one climbs.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from innervision.data.sample import load_sample
from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate, decorrelate

PACE = 5.0
"""Phases are this many times their parameters, so that they can turn round within a few dozen steps of 0.05. Chosen by
eye on mini among 1, 3, 10 and 20: less leaves what the first phases drew, more blurs what deep layers want."""


def mean_magnitudes(
    images: Float[Tensor, "batch 3 height width"], correlation: Float[Tensor, "3 3"] = PUBLISHED_COLOR_CORRELATION
) -> Float[Tensor, "3 height width"]:
    """How strong is a wave of each frequency in photographs, on average, in decorrelated colours?

    Args:
        images: Photographs in [0, 1], of one size.
        correlation: Square root of the colour covariance; its inverse decorrelates.

    Returns:
        Mean absolute value of ``torch.fft.fft2`` with ``norm="ortho"``, frequencies in the order of
        ``torch.fft.fftfreq`` along both axes. The mean colour, at frequency 0, is left out: 0.

    Source:
        Fel et al., "Unlocking feature visualization for deeper networks with magnitude constrained optimization"
        (MaCo), 2023, section 3.
    """
    independent = decorrelate(images, correlation)
    magnitudes = torch.fft.fft2(independent, norm="ortho").abs().mean(dim=0)
    magnitudes[:, 0, 0] = 0
    return magnitudes


class Phase:
    """Waves of fixed strength and free phase (MaCo).

    Args:
        batch: Number of images.
        size: ``(height, width)`` in pixels.
        generator: Draws the first phases, all equally likely. A generator of the CPU.
        magnitudes: Strength of each wave, as ``mean_magnitudes`` returns it, from photographs of any size: a wave of
            so many cycles per pixel keeps its strength. By default from the CIFAR-10 sample that ships with the
            package.
        correlation: Square root of the colour covariance that ``magnitudes`` were decorrelated by.
        device: Where the parameters live.

    Source:
        Fel et al., 2023, as above. Their code also keeps phases at standard deviation 1, starts from normal ones,
        and takes 256 steps of 1.0 with Nadam, on random crops.
    """

    def __init__(
        self,
        batch: int,
        size: tuple[int, int],
        generator: torch.Generator,
        *,
        magnitudes: Float[Tensor, "3 rows columns"] | None = None,
        correlation: Float[Tensor, "3 3"] = PUBLISHED_COLOR_CORRELATION,
        device: torch.device | str = "cpu",
    ):
        found = _sample_magnitudes() if magnitudes is None else magnitudes
        if found.ndim != 3 or len(found) != 3:
            raise ValueError(f"magnitudes: shape {tuple(found.shape)} does not fit; give (3, height, width)")
        self.size, self.correlation = size, correlation
        self.magnitudes = _at_size(found.float(), size).to(device)
        phases = torch.rand(batch, *self.magnitudes.shape, generator=generator) * 2 * torch.pi
        self.phases = (phases / PACE).to(device).requires_grad_(True)

    def parameters(self) -> list[Tensor]:
        """The phases in radians over ``PACE``, ``(batch, 3, height, width // 2 + 1)``."""
        return [self.phases]

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """The sum of the waves, set to mean 0 and variance 1, colours correlated, squeezed into [0, 1] by a sigmoid."""
        spectrum = torch.polar(self.magnitudes.expand_as(self.phases), PACE * self.phases)
        waves = torch.fft.irfft2(spectrum, s=self.size)
        deviation, mean = torch.std_mean(waves, dim=(1, 2, 3), keepdim=True)
        standard = (waves - mean) / deviation.clamp(min=torch.finfo(waves.dtype).eps)
        return torch.sigmoid(correlate(standard, self.correlation))


def _at_size(magnitudes: Float[Tensor, "3 rows columns"], size: tuple[int, int]) -> Float[Tensor, "3 height half"]:
    """Magnitudes at the frequencies of another size, in cycles per pixel, bilinearly between those that are known.

    Waves longer than the longest known one are as strong as that.
    """
    height, width = size
    rows, columns = magnitudes.shape[1:]
    magnitudes = magnitudes.clone()
    magnitudes[:, 0, 0] = torch.maximum(magnitudes[:, 0, 1 % columns], magnitudes[:, 1 % rows, 0])
    known = torch.fft.fftshift(magnitudes, dim=(1, 2))
    known = F.pad(known[None], (0, 1, 0, 1), mode="circular")  # frequency ½ is frequency -½
    wanted_rows = _places(torch.fft.fftfreq(height), rows)
    wanted_columns = _places(torch.fft.rfftfreq(width), columns)
    grid = torch.stack(torch.meshgrid(wanted_columns, wanted_rows, indexing="xy"), dim=-1)
    found = F.grid_sample(known, grid[None], padding_mode="border", align_corners=True)[0]
    found[:, 0, 0] = 0
    return found


def _places(frequencies: Float[Tensor, "wanted"], count: int) -> Float[Tensor, "wanted"]:
    """Where frequencies lie among ``count + 1`` shifted ones, in ``F.grid_sample``'s count: first is -1, last is 1."""
    return (frequencies * count + count // 2) * 2 / count - 1


@lru_cache(maxsize=1)
def _sample_magnitudes() -> Float[Tensor, "3 32 32"]:
    return mean_magnitudes(load_sample().images / 255)
