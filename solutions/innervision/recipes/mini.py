"""How ``mini`` was trained: CIFAR-10, one-cycle SGD, flips and crops.

``innervision train mini`` runs this recipe from start to finish and writes the folded weights. With the widths of
``MINI`` it is about two minutes an epoch on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from innervision.data import cifar10
from innervision.models.architectures import MINI
from innervision.models.inception import Inception
from innervision.recipes.exporting import accuracy, export
from innervision.recipes.prepared import Prepared
from innervision.training import Batch, Task

EPOCHS = 26
BATCH = 256
PEAK_LEARNING_RATE = 0.3
WARM_UP_SHARE = 0.2
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
LABEL_SMOOTHING = 0.1
CROP_MARGIN = 4


def prepare(cache: str | Path | None, seed: int) -> Prepared:
    """Everything for a run.

    Raises:
        DataError: CIFAR-10 was not fetched yet, or is damaged.
    """
    test = cifar10.load("test", cache)
    prepared = task(cifar10.load("train", cache), test, seed=seed)
    return Prepared(
        task=prepared,
        about={"data": "CIFAR-10", "data_sha256": cifar10.CONTENT_SHA256},
        export=lambda rows, into, record: export("mini", prepared.network, test, into, record),  # type: ignore[arg-type]
    )


def augment(
    images: UInt8[Tensor, "batch 3 size size"], generator: torch.Generator
) -> Float[Tensor, "batch 3 size size"]:
    """Images in [0, 1], each flipped with probability ½ and shifted by up to ``CROP_MARGIN`` pixels each way.

    The border that a shift uncovers is a mirror image of the edge.
    """
    batch, _, size, _ = images.shape
    padded = F.pad(images.float() / 255, (CROP_MARGIN,) * 4, mode="reflect")
    row, column = torch.randint(0, 2 * CROP_MARGIN + 1, (2, batch, 1), generator=generator)
    flipped = torch.rand(batch, 1, generator=generator) < 0.5
    steps = torch.arange(size)
    columns = column + torch.where(flipped, size - 1 - steps, steps)
    rows = row + steps
    index = torch.arange(batch)[:, None, None]
    return padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def task(
    train: tuple[UInt8[Tensor, "train 3 32 32"], Int64[Tensor, " train"]],
    test: tuple[UInt8[Tensor, "test 3 32 32"], Int64[Tensor, " test"]],
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
) -> Task:
    """The training task of ``mini``: a fresh network, its optimiser and its data."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Inception(MINI, batch_norm=True).to(memory_format=torch.channels_last)
    images, labels = train
    steps = len(images) // BATCH

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        order = torch.randperm(len(images), generator=generator)
        for chosen in order[: steps * BATCH].split(BATCH):
            yield augment(images[chosen], generator).contiguous(memory_format=torch.channels_last), labels[chosen]

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(batch[0])
        return F.cross_entropy(logits.float(), batch[1], label_smoothing=LABEL_SMOOTHING)

    optimizer = torch.optim.SGD(
        network.parameters(), PEAK_LEARNING_RATE, MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True
    )
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        PEAK_LEARNING_RATE,
        total_steps=epochs * steps,
        pct_start=WARM_UP_SHARE,
        anneal_strategy="linear",
        cycle_momentum=False,
        final_div_factor=1e4,
    )
    settings = {
        "epochs": epochs,
        "batch": BATCH,
        "peak_learning_rate": PEAK_LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "label_smoothing": LABEL_SMOOTHING,
        "images": len(images),
    }

    def evaluate(model: nn.Module) -> dict[str, float]:
        return {"accuracy": accuracy(model, *test)}

    return Task(network, batches, loss, evaluate, optimizer, scheduler, settings)
