"""Small networks that were fitted to the same 1,200 photographs: to their labels, or to labels drawn by lot.

Everything about two such networks is the same but the labels: the images, the first weights, the order of the batches,
the number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from safetensors.torch import load_file
from torch import Tensor

from innervision.data import load_training_sample
from innervision.learning.memorization import randomize_labels
from innervision.models.architectures import MINI, Architecture, Convolution, Pool
from innervision.models.inception import Inception, fold_batch_norm
from innervision.models.packaged import packaged, provenance

CLASSES = 10

FITTED = Architecture(
    steps=(
        Convolution("conv1", 24, 5, stride=2),
        Convolution("conv2", 32, 3),
        Pool("pool2"),
        Convolution("conv3", 48, 3),
        Convolution("conv4", 48, 3),
        Pool("pool4"),
        Convolution("conv5", 64, 3),
    ),
    classes=CLASSES,
    mean=MINI.mean,
    scale=MINI.scale,
    classifier="logits",
    image_size=32,
)
"""Five convolutions. Small enough to be trained in half a minute, large enough to learn 1,200 labels by heart."""

SHARES = {"true-labels": 0.0, "half-labels": 0.5, "random-labels": 1.0}
"""The three kinds, and the share of labels that were drawn by lot."""


@dataclass(frozen=True)
class Fitted:
    """A network, and what it was taught.

    Attributes:
        network: Frozen, in eval mode. Its layers: "conv1" to "conv5", "pool2", "pool4", "logits".
        taught: The labels of the images of ``load_training_sample`` that it was trained on.
        record: What was measured after each epoch, and how it was made; see ``innervision.models.provenance``.
    """

    network: Inception
    taught: Int[Tensor, " images"]
    record: dict[str, Any]


def load_fitted(name: str, seed: int = 0) -> Fitted:
    """A network of ``innervision train NAME``.

    Args:
        name: "true-labels", "half-labels" (half of them drawn by lot) or "random-labels" (all).
        seed: 0, 1 or 2. Decides first weights, order of images, and the lot.

    Raises:
        ValueError: There is no such network; or its file is missing, or another one.
    """
    if name not in SHARES or seed not in (0, 1, 2):
        known = ", ".join(f'"{kind}"' for kind in SHARES)
        raise ValueError(f'name, seed: "{name}", {seed} did not ship; names are {known}, seeds 0, 1, 2')
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, then replaced
        network = Inception(FITTED)
    network.load_state_dict(load_file(packaged(f"{name}-{seed}")))
    return Fitted(network.requires_grad_(False).eval(), taught_labels(name, seed), provenance(f"{name}-{seed}"))


def taught_labels(name: str, seed: int) -> Int[Tensor, " images"]:
    """The labels that a network of this kind and seed is taught, for the images of ``load_training_sample``."""
    generator = torch.Generator().manual_seed(seed)
    return randomize_labels(load_training_sample().labels, SHARES[name], CLASSES, generator)


def untrained(seed: int = 0) -> Inception:
    """A new network of the same architecture, ready to be trained: with batch normalisation, in training mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Inception(FITTED, batch_norm=True)


def folded(network: Inception) -> Inception:
    """The same function without batch normalisation, frozen: what ``load_fitted`` gives."""
    return fold_batch_norm(network).requires_grad_(False)
