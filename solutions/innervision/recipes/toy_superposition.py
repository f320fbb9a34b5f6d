"""How the toy models of superposition that ship were trained: a hundred features through ten dimensions.

``innervision train toy-superposition`` runs this recipe: thirty models at once, three for each rarity of features. All
features are equally important. Published are 400 features through 30 dimensions; these are fewer, so that it takes
minutes on one core.

Source: Elhage et al., "Toy models of superposition", 2022, "The geometry of superposition".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from innervision.recipes.exporting import write_weights
from innervision.recipes.prepared import Prepared
from innervision.superposition.geometry import feature_dimensionality
from innervision.superposition.shipped import TOYS
from innervision.superposition.toy_model import sample_features, toy_forward, toy_loss
from innervision.training import Batch, Task

FEATURES, HIDDEN = 100, 10
PROBABILITIES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
MODELS = 3
"""For each probability."""
BATCH, STEPS, EPOCHS = 256, 250, 12
LEARNING_RATE = 1e-2
"""Of the first step; it shrinks to 0 along half a cosine. Published: 1e-3 throughout, with more steps."""
NEAR = 0.02
"""A feature counts as having half a dimension if it has so much more or less."""


class Toys(nn.Module):
    """Toy models side by side, the models of a probability one after the other."""

    def __init__(self, generator: torch.Generator):
        super().__init__()
        models = MODELS * len(PROBABILITIES)
        weights = torch.randn(models, HIDDEN, FEATURES, generator=generator) / FEATURES**0.5
        self.weights, self.biases = nn.Parameter(weights), nn.Parameter(torch.zeros(models, FEATURES))

    def forward(self, features: Tensor) -> Tensor:
        """What the models say the features were."""
        return toy_forward(features, self.weights, self.biases)


def prepare(cache: str | Path | None, seed: int) -> Prepared:
    """Everything for a run; there is nothing to fetch."""
    prepared = task(seed=seed)
    about = {
        "data": "sparse features, drawn while training; the hash is that of their probabilities",
        "data_sha256": hashlib.sha256(torch.tensor(PROBABILITIES).numpy().tobytes()).hexdigest(),
    }
    return Prepared(prepared, about, lambda rows, into, record: export(prepared.network, rows[-1], into, record))


def task(*, seed: int = 0, epochs: int = EPOCHS) -> Task:
    """The training task: fresh models, and features without end."""
    network = Toys(torch.Generator().manual_seed(seed))
    probabilities = torch.tensor(PROBABILITIES).repeat_interleave(MODELS)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * STEPS)

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        for _ in range(STEPS):
            yield (sample_features(probabilities, BATCH, FEATURES, generator),)

    settings = {
        "features": FEATURES,
        "hidden": HIDDEN,
        "probabilities": list(PROBABILITIES),
        "models": MODELS,
        "batch": BATCH,
        "steps": STEPS,
        "epochs": epochs,
        "learning_rate": LEARNING_RATE,
    }
    return Task(network, batches, total_loss, at_one_half, optimizer, scheduler, settings)


def total_loss(network: nn.Module, batch: Batch) -> Tensor:
    """The sum over models, so that each is trained as if it were alone; all features count alike."""
    return toy_loss(batch[0], network(batch[0]), torch.ones(FEATURES)).sum()


@torch.no_grad()
def at_one_half(network: nn.Module) -> dict[str, float]:
    """Which share of all features has half a dimension, within ``NEAR``."""
    shares = feature_dimensionality(cast(Toys, network).weights)
    return {"at_one_half": float(((shares - 0.5).abs() < NEAR).double().mean())}


def export(network: nn.Module, last: dict[str, float], into: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Write all weights in half precision, by probability, and what was measured."""
    weights = cast(Toys, network).weights.detach()
    state = {
        "probabilities": torch.tensor(PROBABILITIES),
        "weights": weights.view(len(PROBABILITIES), MODELS, HIDDEN, FEATURES).half(),
    }
    measured = {"features": FEATURES, "hidden": HIDDEN, "models": len(weights), "at_one_half": last["at_one_half"]}
    return write_weights(TOYS, state, into, {"parameters": weights.numel(), **record, **measured})
