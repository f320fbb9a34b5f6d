"""Weights that ship: ``weights.toml`` says of each file how it was made, what was measured on it, and what its hash is.

No weights are used that do not match their hash.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from innervision.models.states import file_sha256

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
SEEDS = (0, 1, 2)
"""Where runs of several seeds ship, it is these."""


def provenance(name: str, folder: Path | None = None) -> dict[str, Any]:
    """What ``weights.toml`` records of packaged weights: command, seed, data and file hashes, what was measured.

    Args:
        name: Of what ships, for example ``"mini"``.
        folder: Where ``weights.toml`` and the weights lie; by default in the package.

    Raises:
        ValueError: Nothing of that name ships with the package.
    """
    catalogue = (folder or WEIGHTS_FOLDER) / "weights.toml"
    entries = tomllib.loads(catalogue.read_text(encoding="utf-8")) if catalogue.exists() else {}
    if name not in entries:
        raise ValueError(f'name: no weights of "{name}" ship with the package, so nothing is recorded of them')
    return entries[name]


def packaged(name: str) -> Path:
    """The file of weights that ship under this name, once its hash was found to be the recorded one.

    Raises:
        ValueError: Nothing of that name ships with the package; or its file is missing, or another one.
    """
    record = provenance(name)
    path = WEIGHTS_FOLDER / record["file"]
    if not path.exists():
        raise ValueError(f"weights: {path} is missing; reinstall innervision")
    stat = path.stat()
    if _sha256_once(path, stat.st_size, stat.st_mtime_ns) != record["sha256"]:
        raise ValueError(f"weights: {path} is not the file that weights.toml describes; reinstall innervision")
    return path


def shipped_seed(seed: int, recipe: str) -> int:
    """A seed of which a run ships.

    Args:
        seed: 0, 1 or 2.
        recipe: What trains others.

    Raises:
        ValueError: No run of that seed ships.
    """
    if seed not in SEEDS:
        raise ValueError(f"seed: {seed} is none of 0, 1, 2; others are trained with innervision train {recipe}")
    return seed


@cache
def _sha256_once(path: Path, size: int, modified: int) -> str:
    """The hash of a file, computed once a process unless size or time of change differ."""
    return file_sha256(path)
