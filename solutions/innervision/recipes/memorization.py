"""How the networks of ``load_fitted`` were trained: on 1,200 photographs, with labels that are true or drawn by lot.

``innervision train random-labels --seed 1`` and so on. There is no augmentation and no weight decay: nothing shall
stand in the way of learning by heart. A run takes half a minute on one core.

Source: Zhang et al., "Understanding deep learning requires rethinking generalization", 2017 (the experiment; settings
are ours).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from innervision.data import cifar10, load_sample, load_training_sample
from innervision.learning.fitted import SHARES, taught_labels, untrained
from innervision.learning.memorization import BATCH, answers
from innervision.models.inception import Inception
from innervision.recipes.exporting import folded_safely, write_weights
from innervision.recipes.prepared import Prepared, Rows
from innervision.training import Batch, Task

LEARNING_RATE = 0.05
MOMENTUM = 0.9
DIGITS = 4
"""Digits of what is recorded for each epoch."""


@dataclass
class Memorization:
    """The recipe of one kind of network.

    Attributes:
        name: One of ``SHARES``.
    """

    name: str
    EPOCHS: int = 30

    def prepare(self, cache: str | Path | None, seed: int) -> Prepared:
        """Everything for a run; the images ship with the package."""
        prepared = task(self.name, seed, self.EPOCHS)
        sample = load_training_sample()
        about = {
            "data": "the training sample of CIFAR-10 that ships",
            "data_sha256": cifar10.content_sha256(sample.images, sample.labels),
            "share_of_random_labels": SHARES[self.name],
        }

        def write(rows: Rows, into: Path, record: dict[str, Any]) -> dict[str, Any]:
            return export(f"{self.name}-{seed}", prepared.network, rows, into, record)

        return Prepared(prepared, about, write)


TRUE, HALF, RANDOM = (Memorization(name) for name in SHARES)


def task(name: str, seed: int, epochs: int) -> Task:
    """The training task: a fresh network, its optimiser, and the same images for every kind of labels."""
    network, taught = untrained(seed).to(memory_format=torch.channels_last), taught_labels(name, seed)
    trained, tested = load_training_sample(), load_sample()
    images = (trained.images / 255).contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), LEARNING_RATE, MOMENTUM, nesterov=True)
    steps = epochs * len(images) // BATCH
    # At full speed for the first half, then in a straight line to a stop.
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 * (1 - step / steps)))

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        for chosen in torch.randperm(len(images), generator=generator).split(BATCH):
            yield images[chosen], taught[chosen]

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1])

    changed = taught != trained.labels

    def evaluate(model: nn.Module) -> dict[str, float]:
        said, unseen = answers(model, images), answers(model, tested.images / 255)
        return {
            "trained_accuracy": share(said == taught),
            "test_accuracy": share(unseen == tested.labels),
            "falsely_labelled_as_taught": share((said == taught)[changed]),
            "falsely_labelled_as_true": share((said == trained.labels)[changed]),
        }

    settings = {"name": name, "epochs": epochs, "batch": BATCH, "learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    return Task(network, batches, loss, evaluate, optimizer, scheduler, settings)


def share(hits: Tensor) -> float:
    """How many of these are true, in [0, 1]; 0 of none."""
    return round(float(hits.double().mean()), DIGITS) if len(hits) else 0.0


def export(name: str, network: nn.Module, rows: Rows, into: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Write the folded weights, and what was measured after every epoch."""
    folded, difference = folded_safely(cast(Inception, network), load_sample().images)
    curves = {key: [round(row[key], DIGITS) for row in rows] for key in rows[0] if key not in ("epoch", "seconds")}
    known = next((int(row["epoch"]) for row in rows if row["trained_accuracy"] == 1), -1)
    measured = {"known_by_heart_after": known, "folding_difference": difference, **curves}
    state = folded.state_dict()
    parameters = sum(value.numel() for value in state.values())
    return write_weights(name, state, into, {"parameters": parameters, **record, **measured})
