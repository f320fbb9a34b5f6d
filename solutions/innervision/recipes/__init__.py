"""How every shipped network was trained: ``train("mini")`` reproduces its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from innervision.data import cache_folder, cifar10
from innervision.recipes import mini
from innervision.recipes.exporting import export
from innervision.training import Batch, fit

RECIPES = {"mini": mini}
"""The recipe of every network that can be trained."""


def train(
    name: str,
    *,
    folder: str | Path | None = None,
    into: str | Path | None = None,
    resume: bool = False,
    seed: int = 0,
    cache: str | Path | None = None,
    report: Callable[[dict[str, float]], None] = lambda row: None,
    progress: Callable[[Iterator[Batch]], Iterator[Batch]] = iter,
) -> dict[str, Any]:
    """Train a network from start to finish and write its weights.

    Args:
        name: One of ``RECIPES``.
        folder: Receives checkpoint and log; by default ``runs/NAME`` in the cache.
        into: Receives ``NAME.safetensors`` and its entry in ``weights.toml``; by default ``folder``. To replace the
            weights that ship, give ``innervision.models.load.WEIGHTS_FOLDER``.
        resume: Go on from the checkpoint in ``folder``, where there is one. A finished run is only exported anew.
        seed: Decides first weights, shuffling and augmentation.
        cache: Folder of downloaded data; see ``cache_folder``.
        report: Called with each row of the log.
        progress: Wraps the iterator of an epoch's batches, for example in a progress bar.

    Returns:
        The entry of ``weights.toml``: what was trained, with what, and what was measured.

    Raises:
        ValueError: There is no such recipe, or the checkpoint is damaged or of other settings.
        DataError: CIFAR-10 was not fetched yet, or is damaged.
    """
    if name not in RECIPES:
        known = ", ".join(f'"{recipe}"' for recipe in RECIPES)
        raise ValueError(f'name: there is no recipe for "{name}"; known are {known}')
    recipe = RECIPES[name]
    place = Path(folder) if folder else cache_folder(cache) / "runs" / name
    test = cifar10.load("test", cache)
    task = recipe.task(cifar10.load("train", cache), test, seed=seed)
    fit(task, recipe.EPOCHS, place, seed=seed, resume=resume, report=report, progress=progress)
    record = {
        "command": f"innervision train {name}" + (f" --seed {seed}" if seed else ""),
        "seed": seed,
        "epochs": recipe.EPOCHS,
        "data": "CIFAR-10",
        "data_sha256": cifar10.CONTENT_SHA256,
    }
    return export(name, task.network, test, Path(into) if into else place, record)
