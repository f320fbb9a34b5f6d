"""Models of the lesson on superposition that ship with the package: toy models, and dictionaries of a layer of mini."""

from __future__ import annotations

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor

from innervision.models.packaged import packaged, provenance, shipped_seed
from innervision.superposition.sparse_autoencoder import SparseAutoencoder

LAYER = "mixed4b"
"""The layer of mini that the dictionaries write anew. Behind it there is one more block, so that what is turned up has
still something to do."""
TOYS = "toy-superposition"


def dictionary_name(seed: int) -> str:
    """What the dictionary of this seed is called among the weights."""
    return f"dictionary-{seed}"


def load_dictionary(seed: int = 0) -> SparseAutoencoder:
    """A sparse autoencoder of mini's ``mixed4b``, frozen: ``innervision train dictionary``.

    Args:
        seed: 0, 1 or 2: which photographs and positions it was trained on, and its first directions.

    Raises:
        ValueError: No such dictionary ships; or its file is missing, or another one.
    """
    name = dictionary_name(shipped_seed(seed, "dictionary"))
    state = {key: value.float() for key, value in load_file(packaged(name)).items()}
    channels, features = state["encoder"].shape
    active = provenance(name)["active"]
    autoencoder = SparseAutoencoder(channels, features, active, generator=torch.Generator())
    autoencoder.load_state_dict(state)
    return autoencoder.requires_grad_(False).eval()


def load_toys() -> dict[float, Float[Tensor, "models hidden features"]]:
    """Directions of the features in trained toy models of 100 features in 10 dimensions, all equally important.

    Returns:
        By the probability that a feature is present, falling: the weights of three models each, from first weights and
        examples of their own. ``innervision train toy-superposition`` trained them.

    Raises:
        ValueError: Their file is missing, or another one.
    """
    state = load_file(packaged(TOYS))
    probabilities = state["probabilities"].tolist()
    return dict(zip((round(p, 4) for p in probabilities), state["weights"].float(), strict=True))
