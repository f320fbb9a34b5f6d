"""How the networks that read scenes were trained: every colour and every shape, but not every pair.

``innervision train scenes`` runs this recipe; with ``--seed 1`` and so on it trains others, which miss other pairs.

Source: Lake and Baroni, "Generalization without systematicity", 2018 (withheld combinations). The language is ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from innervision.learning.scenes import random_scenes, with_withheld_pair, withheld_pairs
from innervision.learning.shipped import SCENES
from innervision.learning.transformer import Transformer
from innervision.recipes.exporting import write_weights
from innervision.recipes.prepared import Prepared, Rows
from innervision.recipes.sequences import next_token_loss, one_cycle
from innervision.training import Batch, Task

BATCH = 256
STEPS = 100
"""Steps of an epoch."""
EPOCHS = 40
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.01
TEST_SCENES = 2000
TEST_SEED = 2**31
"""Far from the seeds of epochs."""


def prepare(cache: str | Path | None, seed: int) -> Prepared:
    """Everything for a run; there is nothing to fetch."""
    withheld = withheld_pairs(seed)
    prepared = task(seed=seed)
    about = {
        "data": "scenes, made while training; the hash is that of the withheld pairs",
        "data_sha256": hashlib.sha256(withheld.numpy().tobytes()).hexdigest(),
    }
    return Prepared(prepared, about, lambda rows, into, record: export(prepared.network, rows, into, record))


def task(*, epochs: int = EPOCHS, seed: int = 0) -> Task:
    """The training task: a fresh network, its optimiser, and scenes without end."""
    network, withheld = Transformer(SCENES, torch.Generator().manual_seed(seed)), withheld_pairs(seed)
    optimizer, scheduler = one_cycle(network, LEARNING_RATE, WEIGHT_DECAY, epochs * STEPS)

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        for _ in range(STEPS):
            yield (random_scenes(BATCH, ~withheld, generator),)

    settings = {
        "batch": BATCH,
        "steps": STEPS,
        "epochs": epochs,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "width": SCENES.width,
        "blocks": SCENES.blocks,
    }
    return Task(
        network, batches, next_token_loss, lambda model: accuracies(model, seed), optimizer, scheduler, settings
    )


@torch.no_grad()
def accuracies(network: nn.Module, seed: int) -> dict[str, float]:
    """How often the likeliest answer is right, for pairs that were seen and for pairs that never were."""
    withheld, generator = withheld_pairs(seed), torch.Generator().manual_seed(TEST_SEED)
    return {
        "seen_accuracy": right(network, random_scenes(TEST_SCENES, ~withheld, generator)),
        "withheld_accuracy": right(network, with_withheld_pair(TEST_SCENES, withheld, generator)),
    }


def right(network: nn.Module, scenes: Int[Tensor, "scenes position"]) -> float:
    """Share of the questions whose likeliest answer is the shape."""
    return float((network(scenes[:, :-1])[:, -1].argmax(dim=1) == scenes[:, -1]).double().mean())


def export(network: nn.Module, rows: Rows, into: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Write the weights and what was measured."""
    state, seed = network.state_dict(), record["seed"]
    measured = {
        "scenes_seen": BATCH * STEPS * len(rows),
        "withheld_pairs": int(withheld_pairs(seed).sum()),
        "test_scenes": TEST_SCENES,
        **accuracies(network, seed),
    }
    parameters = sum(value.numel() for value in state.values())
    return write_weights(f"scenes-{seed}", state, into, {"parameters": parameters, **record, **measured})
