"""A parametrization without pixels: a small network that gives each place a colour."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate

HIDDEN = 24
LAYERS = 8
"""Layers of the small network, the last one included, and numbers in each. Source: torch-lucent,
``optvis/param/cppn.py``; lucid has a ninth layer."""

PACE = 0.1
"""Weights are this many times their parameters. torch-lucent's demonstration optimises a CPPN with Adam at 0.005 where
images take 0.05; so both go with the same step size here."""

BIAS = 0.1
"""Standard deviation of the first biases. Source: lucid, ``optvis/param/cppn.py``."""

DEVIATION = 1.5
"""Standard deviation of a picture before the sigmoid. Without this rule, which is ours, some pictures on mini ran away
to plain black within 128 steps, where no gradient brings them back."""


class CPPN:
    """A compositional pattern producing network for each image: from a place (x, y) to a colour.

    Its pictures are smooth at any size, as if drawn in one stroke. The weights are the parameters. It needs more steps
    than other parametrizations, and deep layers get less of what they want.

    Args:
        batch: Number of images, each with a network of its own.
        size: ``(height, width)`` in pixels.
        generator: Draws the first weights. A generator of the CPU.
        hidden: Numbers in each hidden layer, ≥ 1.
        layers: Number of layers, ≥ 2.
        correlation: Square root of the colour covariance, 3×3; ``None`` for plain red, green and blue, as in lucid:
            most pictures end in pure colours then.
        device: Where the parameters live.

    Raises:
        ValueError: ``hidden`` or ``layers`` is too small.

    Source:
        Stanley, "Compositional pattern producing networks", 2007; Mordvintsev et al., "Differentiable image
        parameterizations", Distill 2018; lucid, ``optvis/param/cppn.py``.
    """

    def __init__(
        self,
        batch: int,
        size: tuple[int, int],
        generator: torch.Generator,
        *,
        hidden: int = HIDDEN,
        layers: int = LAYERS,
        correlation: Float[Tensor, "3 3"] | None = PUBLISHED_COLOR_CORRELATION,
        device: torch.device | str = "cpu",
    ):
        if hidden < 1 or layers < 2:
            raise ValueError(f"hidden, layers: {hidden}, {layers} are too few; give at least 1 and 2")
        self.size, self.correlation = size, correlation
        self.places = _places(size).to(device)
        self.weights, self.biases = [], []
        for index in range(layers):
            inputs, outputs = 2 if index == 0 else 2 * hidden, 3 if index == layers - 1 else hidden
            weight = torch.randn(batch, outputs, inputs, generator=generator) / math.sqrt(inputs) / PACE
            self.weights.append(weight.to(device).requires_grad_(True))
            bias = torch.randn(batch, outputs, 1, generator=generator) * BIAS / PACE
            self.biases.append(bias.to(device).requires_grad_(True))

    def parameters(self) -> list[Tensor]:
        """Weights ``(batch, outputs, inputs)`` and biases ``(batch, outputs, 1)`` of each layer, over ``PACE``."""
        return [*self.weights, *self.biases]

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """The colour of every pixel's place, set to mean 0 and ``DEVIATION``, correlated, and through a sigmoid."""
        values = self.places
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = PACE * (weight @ values + bias)
            if index < len(self.weights) - 1:
                values = _both(values)
        deviation, mean = torch.std_mean(values, dim=(1, 2), keepdim=True)
        standard = DEVIATION * (values - mean) / deviation.clamp(min=1e-3)
        images = standard.unflatten(2, self.size)
        return torch.sigmoid(images if self.correlation is None else correlate(images, self.correlation))


def _places(size: tuple[int, int]) -> Float[Tensor, "2 pixels"]:
    """Column and row of each pixel's middle, from -√3 to √3 along the longer side: numbers of standard deviation 1.

    Middles, so that a picture is the same at any size; lucid counts from edge pixel to edge pixel.
    """
    rows, columns = (math.sqrt(3) * (2 * torch.arange(side) + 1 - side) / max(size) for side in size)
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))
    return grid.flatten(1)


def _both(values: Float[Tensor, "batch n pixels"]) -> Float[Tensor, "batch 2n pixels"]:
    """The arctangent and its square, each over its root mean square for numbers of standard deviation 1."""
    angles = torch.atan(values)
    return torch.cat([angles / 0.67, angles.square() / 0.6], dim=1)
