"""Drawings with transparency: only what matters is painted, the rest is left to see through.

A fourth channel, the opacity, says how much of each pixel is painted. While it is optimised, the drawing lies on a new
random background in every step: what depends on the background gains nothing.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate
from innervision.optvis.objectives import DRAWING, Activations, Asked, Objective, as_objective
from innervision.optvis.parametrizations import CONTRAST, NOISE, Fourier, Parametrization, fourier_image
from innervision.optvis.penalties import blur_distance
from innervision.optvis.transforms import GREY

BACKGROUND_STRENGTH = 0.5
"""Standard deviation of a background's Fourier coefficients. Source: lucid, ``optvis/transform.py``
(``collapse_alpha_random``)."""

BACKGROUND_SCALE = 0.25
"""Factor on a background before the sigmoid. Source: lucid, ``optvis/param/random.py``."""

SMOOTHING = 0.1
"""Weight of the opacity's distance from its blur. Source: lucid, ``recipes/feature_visualization.py``."""


class Transparent:
    """Colours and opacity: the only parametrization whose images have four channels.

    ``render`` lays them on random backgrounds, and at last on grey; the opacity is in ``Rendering.opacity``, and a
    ``.png`` file is saved with it. Optimise ``transparent(objective)``: without a reason to be transparent a drawing
    fills its frame.

    Args:
        batch: Number of images.
        size: ``(height, width)`` in pixels.
        generator: Draws the first colours and opacities. A generator of the CPU.
        correlation: Square root of the colour covariance, 3×3.
        device: Where the parameters live.

    Source:
        lucid, ``optvis/param/images.py`` (``alpha=True``); Mordvintsev et al., "Differentiable image
        parameterizations", Distill 2018, "Semi-transparent patterns".
    """

    def __init__(
        self,
        batch: int,
        size: tuple[int, int],
        generator: torch.Generator,
        *,
        correlation: Float[Tensor, "3 3"] = PUBLISHED_COLOR_CORRELATION,
        device: torch.device | str = "cpu",
    ):
        self.colors = Fourier(batch, size, generator, correlation=correlation, device=device)
        noise = torch.randn(batch, 1, size[0], size[1] // 2 + 1, 2, generator=generator) * NOISE
        self.opacity = torch.view_as_complex(noise).to(device).requires_grad_(True)

    def parameters(self) -> list[Tensor]:
        """Fourier coefficients of the colours and of the opacity."""
        return [*self.colors.parameters(), self.opacity]

    def image(self) -> Float[Tensor, "batch 4 height width"]:
        """Red, green, blue and opacity in [0, 1]; colours are as painted, not yet laid on anything."""
        opacity = torch.sigmoid(CONTRAST * fourier_image(self.opacity, self.colors.size))
        return torch.cat([self.colors.image(), opacity], dim=1)


def lay_on(
    drawings: Float[Tensor, "batch 4 height width"], backgrounds: Float[Tensor, "batch 3 height width"] | float = GREY
) -> Float[Tensor, "batch 3 height width"]:
    """Drawings laid on backgrounds: opacity · colour + (1 - opacity) · background.

    Args:
        drawings: Red, green, blue, opacity in [0, 1].
        backgrounds: Images of the same size, or one brightness for all; grey by default.
    """
    colors, opacity = drawings[:, :3], drawings[:, 3:]
    return opacity * colors + (1 - opacity) * backgrounds


def on_random_backgrounds(
    drawings: Float[Tensor, "batch 4 height width"], generator: torch.Generator
) -> Float[Tensor, "batch 3 height width"]:
    """A transform: lay each drawing on a random background with the spectrum and the colours of photographs.

    Args:
        drawings: Red, green, blue, opacity in [0, 1].
        generator: Draws the backgrounds, one for each drawing. A generator of the CPU.

    Source:
        lucid, ``optvis/transform.py`` (``collapse_alpha_random``), the last of its transforms.
    """
    height, width = drawings.shape[2:]
    noise = torch.randn(len(drawings), 3, height, width // 2 + 1, 2, generator=generator) * BACKGROUND_STRENGTH
    waves = BACKGROUND_SCALE * fourier_image(torch.view_as_complex(noise).to(drawings.device), (height, width))
    return lay_on(drawings, torch.sigmoid(correlate(waves, PUBLISHED_COLOR_CORRELATION)))


def transparent(objective: Asked, smoothing: float = SMOOTHING) -> Objective:
    """An objective: as much as possible of another one, with as little paint as possible.

    Args:
        objective: An objective, or a string such as ``"mixed3b:5"``; best one that is never negative.
        smoothing: How much a ragged opacity costs, ≥ 0.

    Returns:
        An objective: objective · (1 - mean opacity) - smoothing · ``blur_distance`` of the opacity. It is joint if the
        other one is.

    Raises:
        ValueError: On use, when the drawing has no opacity.

    Source:
        lucid, ``recipes/feature_visualization.py``.
    """
    painted = as_objective(objective)

    def see_through(activations: Activations) -> Float[Tensor, "batch"]:
        opacity = activations[DRAWING][:, 3:]
        if opacity.shape[1] != 1:
            raise ValueError(
                f"parametrization: '{painted}' is to be transparent, but the drawing has no opacity; "
                "give parametrization='transparent'"
            )
        return painted(activations) * (1 - opacity.mean(dim=(1, 2, 3))) - smoothing * blur_distance(opacity)

    return replace(painted, function=see_through, name=f"transparent({painted})")


def is_transparent(drawing: Parametrization) -> bool:
    """Whether a parametrization's images carry an opacity."""
    return isinstance(drawing, Transparent)
