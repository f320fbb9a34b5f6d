"""Write one dictionary feature louder, or put a whole layer into the dictionary's words, and watch what follows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from innervision.activations import Edit, match_layers
from innervision.superposition.sparse_autoencoder import SparseAutoencoder, sae_encode

SIDE = 32
"""Pixels of the grey image that ``go_on_from`` shows: mini's. Its maps are replaced, so any size would do."""


def turn_up(direction: Float[Tensor, " channels"], amount: float) -> Edit:
    """A function for ``edit`` that adds a direction to an activation, at every position.

    Args:
        direction: Any length but 0; what is added has the length ``amount``.
        amount: In units of the activation; below 0 turns it down.

    Raises:
        ValueError: The direction has length 0.

    Example:
        >>> turn_up(torch.tensor([3.0, 4.0]), 10.0)(torch.ones(1, 2, 1, 1)).flatten()
        tensor([7., 9.])

    Source:
        Templeton et al., "Scaling monosemanticity", 2024, "Influence on behavior" (there codes are set to a value).
    """
    check_direction(direction)
    added = amount * F.normalize(direction, dim=0)[:, None, None]
    return lambda activation: activation + added


def in_words_of(autoencoder: SparseAutoencoder) -> Edit:
    """A function for ``edit`` that puts the dictionary's reconstruction in the place of an activation.

    What the dictionary cannot say is lost; how much the network then does worse is what the dictionary costs.

    Args:
        autoencoder: Of the layer's channels.
    """

    return lambda activation: maps_of(autoencoder(vectors_of(activation)))


@torch.no_grad()
def go_on_from(
    model: nn.Module, layer: str, maps: Float[Tensor, "images channels rows columns"]
) -> Float[Tensor, "images classes"]:
    """What a network of ``load`` says if a layer's maps are these: only what lies behind the layer has to be computed.

    Nothing before the layer matters, so the network runs on one grey image, whose maps are replaced. The same as
    ``edit`` with photographs, in a fraction of the time.

    Args:
        model: A network in eval mode whose later layers read no earlier ones than this.
        layer: Its name, for example ``"mixed4b"``.
        maps: Of any number of images; changed as you like.

    Raises:
        ValueError: There is no such layer.
    """
    handle = model.get_submodule(match_layers(model, layer, "layer")[0]).register_forward_hook(lambda *_: maps)
    try:
        return model(torch.full((1, 3, SIDE, SIDE), 0.5))
    finally:
        handle.remove()


@torch.no_grad()
def codes_of(
    maps: Float[Tensor, "images channels rows columns"], autoencoder: SparseAutoencoder
) -> Float[Tensor, "images features rows columns"]:
    """Codes at every position of a layer's maps, laid out like the maps.

    Args:
        maps: As ``record`` gives them.
        autoencoder: Of the layer's channels.
    """
    return maps_of(sae_encode(vectors_of(maps), autoencoder))


def vectors_of(maps: Float[Tensor, "images channels rows columns"]) -> Float[Tensor, "images rows columns channels"]:
    """A layer's maps with channels on the last axis: a vector at each position."""
    return rearrange(maps, "image channel row column -> image row column channel")


def maps_of(vectors: Float[Tensor, "images rows columns channels"]) -> Float[Tensor, "images channels rows columns"]:
    """Back from vectors to maps."""
    return rearrange(vectors, "image row column channel -> image channel row column")


def check_direction(direction: Tensor) -> None:
    """Refuse a direction that points nowhere."""
    if not bool(direction.count_nonzero()):
        raise ValueError("direction: is all 0 and points nowhere")
