"""A small picture for each direction of a layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from innervision.optvis import direction_unit
from innervision.optvis.render import render

ICON_SIZE = 80
"""Side of an icon in pixels, if the network was not trained on smaller images. Source: lucid's recipe for atlases."""


def draw_icons(
    model: nn.Module,
    layer: str,
    directions: Float[Tensor, "icons channel"],
    *,
    size: int | None = None,
    steps: int = 128,
    cosine_power: float = 2.0,
    seed: int = 0,
    batch_size: int = 64,
) -> Float[Tensor, "icons 3 size size"]:
    """Draw what each direction of a layer looks for, at the position in the middle.

    Args:
        model: A network in eval mode.
        layer: The layer that the directions belong to.
        directions: One number per channel; the length does not matter.
        size: Height and width of an icon in pixels; by default that of the images which the network was trained on
            (``model.architecture.image_size``), at most 80. A picture much larger than what the unit in the middle
            sees has a grey frame.
        steps: Steps of the optimisation, ≥ 1.
        cosine_power: How much an icon must keep to its direction, ≥ 0; see ``direction_unit``.
        seed: Seed of each batch's first noise and transforms.
        batch_size: Icons in one optimisation, ≥ 1. Pixels depend on it a little, since a batch shares its transforms.

    Returns:
        Icons in [0, 1].

    Raises:
        ValueError: As ``render``.

    Source:
        Olah et al., "The building blocks of interpretability", Distill 2018; Carter et al., "Activation atlas",
        Distill 2019 (direction at the middle position; cosine power 2 in its recipe, 4 in its notebook).
    """
    if size is None:
        size = min(getattr(getattr(model, "architecture", None), "image_size", ICON_SIZE), ICON_SIZE)
    drawn = []
    for part in directions.split(batch_size):
        # At length 1, so that the constant which the cosine adds to lengths stays negligible.
        objectives = [direction_unit(layer, F.normalize(vector, dim=0), cosine_power=cosine_power) for vector in part]
        drawn.append(render(model, objectives, size=size, steps=steps, seed=seed).images)
    return torch.cat(drawn)
