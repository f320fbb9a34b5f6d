"""One image, seen position by position: an icon for what the layer found there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from innervision.activations import record
from innervision.atlas.icons import draw_icons


@dataclass(frozen=True)
class Grid:
    """What ``activation_grid`` returns.

    Attributes:
        icons: One for each position, row by row from the top left.
        strengths: Length of the activation at each position.
    """

    icons: Float[Tensor, "positions 3 size size"]
    strengths: Float[Tensor, "rows columns"]


def activation_grid(
    model: nn.Module,
    layer: str,
    image: Float[Tensor, "3 height width"],
    *,
    size: int | None = None,
    steps: int = 128,
    cosine_power: float = 2.0,
    seed: int = 0,
) -> Grid:
    """Draw what a layer sees at each position of one image: the direction of all channels' activations there.

    Args:
        model: A network in eval mode.
        layer: A layer with activations ``(batch, channel, row, column)``.
        image: In [0, 1].
        size: Height and width of an icon in pixels; by default as in ``draw_icons``.
        steps: Steps of the optimisation, ≥ 1.
        cosine_power: How much an icon must keep to its direction, ≥ 0; see ``draw_icons``.
        seed: Seed of the drawings.

    Returns:
        A ``Grid``: icons ``(rows · columns, 3, size, size)``, strengths ``(rows, columns)``.

    Raises:
        ValueError: The layer does not exist, or as ``render``.

    Example:
        >>> model = nn.Sequential(nn.Identity()).eval()  # its only layer is the image itself
        >>> grid = activation_grid(model, "0", torch.rand(3, 2, 4), size=8, steps=1)
        >>> grid.icons.shape, grid.strengths.shape
        (torch.Size([8, 3, 8, 8]), torch.Size([2, 4]))

    Source:
        Olah et al., "The building blocks of interpretability", Distill 2018, "What does the network see?".
    """
    with torch.no_grad():
        activation = record(model, image[None], layer)[layer][0]
    directions = rearrange(activation, "channel row column -> (row column) channel")
    icons = draw_icons(model, layer, directions, size=size, steps=steps, cosine_power=cosine_power, seed=seed)
    return Grid(icons, activation.norm(dim=0))
