"""Local response normalisation, computed so that it is no slower than a convolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class ResponseNorm(nn.Module):
    """``x_c / √(bias + alpha Σ x²)``, summed over the channels at most ``radius`` from c.

    The sum over neighbouring channels is a 1×1 convolution whose weights are a band of ones. ``nn.LocalResponseNorm``
    means the same and takes the mean of a three-dimensional pooling instead: on a CPU that was half the time of a step
    of ``render`` on the full network.

    Args:
        radius: Channels on either side, ≥ 0; fewer at the ends.
        alpha: Weight of a square, > 0. TensorFlow's convention: of each one, not of their mean.
        bias: Added below the root, > 0.

    Source:
        Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", 2012,
        section 3.3; the root is their power β at 1/2.
    """

    def __init__(self, radius: int, alpha: float, bias: float):
        super().__init__()
        self.radius, self.alpha, self.bias = radius, alpha, bias

    def forward(
        self, values: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Each value divided by the root of what its neighbours along the channel axis add up to."""
        places = torch.arange(values.shape[1], device=values.device)
        near = (places[:, None] - places[None, :]).abs() <= self.radius
        band = (self.alpha * near.to(values.dtype))[:, :, None, None]
        return values / F.conv2d(values.square(), band, values.new_full(places.shape, self.bias)).sqrt()

    def extra_repr(self) -> str:
        """What ``print(network)`` shows."""
        return f"radius={self.radius}, alpha={self.alpha}, bias={self.bias}"
