"""How every shipped network was trained: ``train("mini")`` reproduces its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from innervision.data import cache_folder
from innervision.recipes import (
    dictionary,
    induction,
    memorization,
    mini,
    modular_addition,
    ripple,
    robust,
    scenes,
    text,
    toy_superposition,
)
from innervision.recipes.prepared import Recipe
from innervision.training import Batch, fit

RECIPES: dict[str, Recipe] = {
    "mini": mini,
    "toy-superposition": toy_superposition,
    "dictionary": dictionary,
    "modular-addition": modular_addition,
    "ripple": ripple,
    "induction": induction,
    "scenes": scenes,
    "text": text,
    "true-labels": memorization.TRUE,
    "half-labels": memorization.HALF,
    "random-labels": memorization.RANDOM,
    "mini-robust": robust.ROBUST,
    "mini-noise": robust.NOISE,
}
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
            weights that ship, give ``innervision.models.packaged.WEIGHTS_FOLDER``.
        resume: Go on from the checkpoint in ``folder``, where there is one. A finished run is only exported anew.
        seed: Decides first weights, shuffling and augmentation.
        cache: Folder of downloaded data and of runs; see ``cache_folder``.
        report: Called with each row of the log.
        progress: Wraps the iterator of an epoch's batches, for example in a progress bar.

    Returns:
        The entry of ``weights.toml``: what was trained, with what, and what was measured.

    Raises:
        ValueError: There is no such recipe, or the checkpoint is damaged or of other settings.
        DataError: The data were not fetched yet, or are damaged.
    """
    if name not in RECIPES:
        known = ", ".join(f'"{recipe}"' for recipe in RECIPES)
        raise ValueError(f'name: there is no recipe for "{name}"; known are {known}')
    recipe = RECIPES[name]
    place = Path(folder) if folder else cache_folder(cache) / "runs" / name
    prepared = recipe.prepare(cache, seed)
    rows = fit(prepared.task, recipe.EPOCHS, place, seed=seed, resume=resume, report=report, progress=progress)
    command = f"innervision train {name}" + (f" --seed {seed}" if seed else "")
    record = {"command": command, "seed": seed, "epochs": recipe.EPOCHS, **prepared.about}
    return prepared.export(rows, Path(into) if into else place, record)
