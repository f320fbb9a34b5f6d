"""Numbers for pictures: does a drawing excite its unit in other poses too, and how much of it is fine grain?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from innervision.optvis.objectives import Asked
from innervision.optvis.scoring import Scorer
from innervision.optvis.transforms import Transform


@torch.no_grad()
def robust_activation(
    model: nn.Module,
    objectives: Asked | Sequence[Asked],
    images: Float[Tensor, "batch 3 height width"],
    transforms: Transform,
    draws: int,
    generator: torch.Generator,
) -> Float[Tensor, "batch"]:
    """How much images excite objectives under transforms, on average over random draws.

    Args:
        model: A network in eval mode.
        objectives: One for all images, or one for each.
        images: Drawings in [0, 1].
        transforms: Preferably ones the drawings were not optimised under, such as ``unseen_transforms``.
        draws: Number of random transforms, ≥ 1; each is the same for all images.
        generator: Draws them.

    Returns:
        One mean per image.

    Raises:
        ValueError: ``draws`` is below 1, or as for ``Scorer``.
    """
    if draws < 1:
        raise ValueError(f"draws: {draws} is too few; give a whole number, at least 1")
    scorer = Scorer(model, objectives, images)
    return torch.stack([scorer(transforms(images, generator)) for _ in range(draws)]).mean(dim=0)


def power_spectrum(
    images: Float[Tensor, "batch 3 height width"], bins: int = 16
) -> tuple[Float[Tensor, "bins"], Float[Tensor, "batch bins"]]:
    """How strong are waves of each frequency? Mean power in rings of equal frequency.

    Args:
        images: Any range; the mean of each colour is left out.
        bins: Rings between frequency 0 and 0.5 cycles per pixel. What lies beyond, in the corners, is left out.

    Returns:
        Middle frequency of each ring in cycles per pixel, and each image's mean power in it (NaN for a ring
        that holds no frequency, as happens in very small images).
    """
    power, frequency = _power(images)
    ring = (frequency / 0.5 * bins).long().flatten()
    inside = ring < bins
    total = torch.zeros(len(images), bins, dtype=power.dtype, device=power.device)
    total.index_add_(1, ring[inside], power.flatten(1)[:, inside])
    count = torch.bincount(ring[inside], minlength=bins)
    middles = (torch.arange(bins, device=power.device) + 0.5) * 0.5 / bins
    return middles, total / count


def high_frequency_share(images: Float[Tensor, "batch 3 height width"], cutoff: float = 0.25) -> Float[Tensor, "batch"]:
    """Which share of an image's variance is in fine grain?

    Args:
        images: Any range; the mean of each colour is left out.
        cutoff: Cycles per pixel from which a wave counts as fine. 0.25 is a wave of four pixels; a
            checkerboard has √½ ≈ 0.71.

    Returns:
        One share in [0, 1] per image; 0 for a plain image. White noise has 1 - π · cutoff² (0.80 at 0.25).
    """
    power, frequency = _power(images)
    fine = power.flatten(1)[:, (frequency >= cutoff).flatten()].sum(dim=1)
    total = power.flatten(1).sum(dim=1)
    return torch.where(total > 0, fine / total.clamp(min=torch.finfo(power.dtype).tiny), 0)


def _power(
    images: Float[Tensor, "batch 3 height width"],
) -> tuple[Float[Tensor, "batch height width"], Float[Tensor, "height width"]]:
    """Power at each frequency, summed over colours, and each frequency's length in cycles per pixel."""
    images = images - images.mean(dim=(2, 3), keepdim=True)
    power = torch.fft.fft2(images).abs().square().sum(dim=1)
    rows = torch.fft.fftfreq(images.shape[2], device=images.device)
    columns = torch.fft.fftfreq(images.shape[3], device=images.device)
    return power, torch.sqrt(rows[:, None] ** 2 + columns[None, :] ** 2)
