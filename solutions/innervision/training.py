"""One training loop for everything that is trained here: progress, log, resumable checkpoints.

A ``Task`` says what is trained (network, batches, loss, evaluation); ``fit`` runs it. Randomness of
an epoch depends on the seed and the epoch's number alone, so a resumed run sees the same batches as
an unbroken one.
"""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from innervision.files import write_aside, write_text_aside

Batch = tuple[Tensor, ...]


@dataclass
class Task:
    """What is trained.

    Attributes:
        network: The module whose parameters change.
        batches: ``generator -> iterator of batches``: one epoch, shuffled and augmented by the generator.
        loss: ``(network, batch) -> scalar tensor``.
        evaluate: ``network -> {name: number}``, called after each epoch and written to the log.
        optimizer: Updates ``network``.
        scheduler: Stepped once after each batch.
        settings: The numbers that define this run. A checkpoint of other settings is refused.
        averages: Modules that are part of the state but not trained, for example a moving average.
        after_step: Called after each optimiser step, for example to update a moving average.
        keep: Epochs after which the network's state is kept; 0 is before the first.
        kept: What was kept, by epoch.
    """

    network: nn.Module
    batches: Callable[[torch.Generator], Iterator[Batch]]
    loss: Callable[[nn.Module, Batch], Tensor]
    evaluate: Callable[[nn.Module], dict[str, float]]
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    settings: dict[str, Any] = field(default_factory=dict)
    averages: dict[str, nn.Module] = field(default_factory=dict)
    after_step: Callable[[], None] = lambda: None
    keep: frozenset[int] = frozenset()
    kept: dict[int, dict[str, Tensor]] = field(default_factory=dict)


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """The generator of one epoch, a function of seed and epoch number alone."""
    return torch.Generator().manual_seed(seed * 1_000_003 + epoch)


def fit(
    task: Task,
    epochs: int,
    folder: Path,
    *,
    seed: int = 0,
    resume: bool = False,
    report: Callable[[dict[str, float]], None] = lambda row: None,
    progress: Callable[[Iterator[Batch]], Iterator[Batch]] = iter,
) -> list[dict[str, float]]:
    """Train for a number of epochs, with a checkpoint and a log line after each.

    Args:
        task: What to train.
        epochs: How many passes over the batches, ≥ 1.
        folder: Receives ``checkpoint.pt`` and ``log.jsonl``.
        seed: Decides shuffling and augmentation.
        resume: Continue from ``folder/checkpoint.pt`` where there is one.
        report: Called with each row of the log.
        progress: Wraps the iterator of an epoch's batches, for example in a progress bar.

    Returns:
        The log: one dictionary an epoch (epoch, loss, seconds, and what ``evaluate`` returned).

    Raises:
        ValueError: ``epochs`` is less than 1, or the checkpoint is damaged or was made with other settings.
    """
    if epochs < 1:
        raise ValueError(f"epochs: {epochs} is not at least 1")
    checkpoint = folder / "checkpoint.pt"
    rows: list[dict[str, float]] = _restore(task, checkpoint, seed) if resume and checkpoint.exists() else []
    _keep(task, len(rows))
    for epoch in range(len(rows), epochs):
        started = time.monotonic()
        loss = _epoch(task, progress(task.batches(epoch_generator(seed, epoch))))
        row = {"epoch": epoch + 1, "loss": loss, "seconds": round(time.monotonic() - started, 1)}
        row |= task.evaluate(task.network)
        rows.append(row)
        _keep(task, len(rows))
        _save(task, checkpoint, rows, seed)
        text = "".join(json.dumps(line) + "\n" for line in rows)
        write_text_aside(folder / "log.jsonl", text)
        report(row)
    return rows


def _epoch(task: Task, batches: Iterator[Batch]) -> float:
    """One pass; the mean loss."""
    task.network.train()
    total, count = 0.0, 0
    for batch in batches:
        task.optimizer.zero_grad(set_to_none=True)
        loss = task.loss(task.network, batch)
        loss.backward()
        task.optimizer.step()
        task.scheduler.step()
        task.after_step()
        total, count = total + loss.item(), count + 1
    return total / max(count, 1)


def _keep(task: Task, epoch: int) -> None:
    if epoch in task.keep:
        task.kept[epoch] = {name: value.detach().clone() for name, value in task.network.state_dict().items()}


def _save(task: Task, checkpoint: Path, rows: list[dict[str, float]], seed: int) -> None:
    state = {
        "network": task.network.state_dict(),
        "optimizer": task.optimizer.state_dict(),
        "scheduler": task.scheduler.state_dict(),
        "averages": {name: module.state_dict() for name, module in task.averages.items()},
        "kept": task.kept,
        "rows": rows,
        "settings": task.settings | {"seed": seed},
    }
    write_aside(checkpoint, lambda path: torch.save(state, path))


def _restore(task: Task, checkpoint: Path, seed: int) -> list[dict[str, float]]:
    unusable = f"resume: {checkpoint} is no checkpoint of this task or is damaged; delete it to start afresh"
    try:
        state = torch.load(checkpoint, weights_only=True)
        made_with, rows = state["settings"], list(state["rows"])
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(unusable) from error
    settings = task.settings | {"seed": seed}
    if made_with != settings:
        raise ValueError(f"resume: {checkpoint} was made with settings {made_with}, this run has {settings}")
    try:
        task.network.load_state_dict(state["network"])
        task.optimizer.load_state_dict(state["optimizer"])
        task.scheduler.load_state_dict(state["scheduler"])
        for name, module in task.averages.items():
            module.load_state_dict(state["averages"][name])
        task.kept = dict(state.get("kept", {}))  # a checkpoint from before this existed has none
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(unusable) from error
    return rows
