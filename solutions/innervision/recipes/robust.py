"""How ``mini-robust`` and ``mini-noise`` were made: mini, trained a little longer on pictures that were changed.

Both start from mini, and see the same images in the same order, each moved by up to ``RADIUS`` at random. For
``mini-robust`` an adversary then takes one step from there (fast adversarial training); for ``mini-noise``, the
control, it does not. The control learns four times as slowly: at the speed of the other its loss runs away in the first
epoch.

Source: Wong, Rice, Kolter, "Fast is better than free: revisiting adversarial training", 2020, algorithm 3 (random
start, one step of 1.25 × radius). There networks are trained from first weights, and the radius is 8/255.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from innervision import learning
from innervision.data import cifar10
from innervision.data.sample import choose
from innervision.learning.adversarial import fgsm, pgd, within
from innervision.models import load
from innervision.recipes.exporting import Images, Labels, accuracy, write_weights
from innervision.recipes.mini import augment
from innervision.recipes.prepared import Prepared
from innervision.training import Batch, Task

RADIUS = 4 / 255
STEP = 1.25 * RADIUS
BATCH = 128
STEPS = 80
"""Steps of an epoch; an epoch is a fifth of the training images, drawn anew each time."""
WARM_UP_SHARE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
ATTACKS = 20
"""Steps of the attack that robust accuracy is measured with."""
WATCHED = 20
"""Images of each class that are attacked after every epoch."""


@dataclass
class Hardened:
    """The recipe of one of the two.

    Attributes:
        name: What the weights are called.
        adversary: Whether an adversary takes its step.
        peak_learning_rate: Reached after ``WARM_UP_SHARE`` of the run.
    """

    name: str
    adversary: bool
    peak_learning_rate: float
    EPOCHS: int = 12

    def prepare(self, cache: str | Path | None, seed: int) -> Prepared:
        """Everything for a run.

        Raises:
            DataError: CIFAR-10 was not fetched yet, or is damaged.
        """
        test = cifar10.load("test", cache)
        prepared = task(self, cifar10.load("train", cache), test)
        about = {
            "data": "CIFAR-10",
            "data_sha256": cifar10.CONTENT_SHA256,
            "starts_from": "mini",
            "radius": RADIUS,
            "adversary": self.adversary,
            "peak_learning_rate": self.peak_learning_rate,
            "images_seen": self.EPOCHS * STEPS * BATCH,
        }

        def write(rows: object, into: Path, record: dict[str, Any]) -> dict[str, Any]:
            return export(self.name, prepared.network, test, into, record)

        return Prepared(prepared, about, write)


ROBUST = Hardened("mini-robust", adversary=True, peak_learning_rate=0.02)
NOISE = Hardened("mini-noise", adversary=False, peak_learning_rate=0.005)


def task(recipe: Hardened, train: tuple[Images, Labels], test: tuple[Images, Labels]) -> Task:
    """The training task: mini, its optimiser, and images with a place to start the attack from."""
    network = load("mini").requires_grad_(True).to(memory_format=torch.channels_last)
    images, labels = train

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        order = torch.randperm(len(images), generator=generator)[: STEPS * BATCH]
        for chosen in order.split(BATCH):
            clean = augment(images[chosen], generator).contiguous(memory_format=torch.channels_last)
            noise = RADIUS * (2 * torch.rand(clean.shape, generator=generator) - 1)
            yield clean, (clean + noise).clamp(0, 1).contiguous(memory_format=torch.channels_last), labels[chosen]

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        clean, moved, truth = batch
        with torch.autocast("cpu", dtype=torch.bfloat16):
            if recipe.adversary:
                moved = within(fgsm(model, moved, truth, STEP), clean, RADIUS)
            logits = model(moved)
        return F.cross_entropy(logits.float(), truth)

    rate = recipe.peak_learning_rate
    optimizer = torch.optim.SGD(network.parameters(), rate, MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        rate,
        total_steps=recipe.EPOCHS * STEPS,
        pct_start=WARM_UP_SHARE,
        anneal_strategy="linear",
        cycle_momentum=False,
    )
    settings = {
        "epochs": recipe.EPOCHS,
        "batch": BATCH,
        "steps": STEPS,
        "peak_learning_rate": rate,
        "weight_decay": WEIGHT_DECAY,
        "radius": RADIUS,
        "adversary": recipe.adversary,
    }
    watched = choose(test[1], WATCHED)

    def evaluate(model: nn.Module) -> dict[str, float]:
        some = test[0][watched], test[1][watched]
        return {"accuracy": accuracy(model, *some), "robust_accuracy": robust_accuracy(model, *some, steps=5)}

    return Task(network, batches, loss, evaluate, optimizer, scheduler, settings)


def robust_accuracy(network: nn.Module, images: Images, labels: Labels, steps: int, radius: float = RADIUS) -> float:
    """Share of images that keep their label under ``pgd``."""
    generator, attacked = torch.Generator().manual_seed(0), []
    for part, truth in zip(images.split(100), labels.split(100), strict=True):
        attacked.append(pgd(network, part.float() / 255, truth, radius, generator, steps))
    return learning.accuracy(network, torch.cat(attacked), labels)


def export(
    name: str, network: nn.Module, test: tuple[Images, Labels], into: Path, record: dict[str, Any]
) -> dict[str, Any]:
    """Write the weights; attacked is the sample that ships."""
    network.eval().requires_grad_(False)
    chosen = choose(test[1])
    sample = test[0][chosen], test[1][chosen]
    one_step = fgsm(network, sample[0].float() / 255, sample[1], RADIUS)
    measured = {
        "test_images": len(test[0]),
        "accuracy": accuracy(network, *test),
        "attacked_images": len(chosen),
        "accuracy_of_these": accuracy(network, *sample),
        "fgsm_accuracy": learning.accuracy(network, one_step, sample[1]),
        "pgd_steps": ATTACKS,
        "pgd_accuracy": robust_accuracy(network, *sample, steps=ATTACKS),
    }
    state = network.state_dict()
    parameters = sum(value.numel() for value in state.values())
    return write_weights(name, state, into, {"parameters": parameters, **record, **measured})
