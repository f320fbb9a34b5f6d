"""What a recipe prepares: a task, what is known of its data, and how its weights are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from innervision.training import Task

Rows = list[dict[str, float]]
"""The log of a run: a row for each epoch."""


@dataclass(frozen=True)
class Prepared:
    """A run that can begin.

    Attributes:
        task: What is trained.
        about: What the record says of the data: at least ``data`` and ``data_sha256``.
        export: ``(rows, into, record) -> entry``: writes the weights and their entry in ``weights.toml``.
    """

    task: Task
    about: dict[str, Any]
    export: Callable[[Rows, Path, dict[str, Any]], dict[str, Any]]


class Recipe(Protocol):
    """A module that says how something was trained."""

    EPOCHS: int

    def prepare(self, cache: str | Path | None, seed: int) -> Prepared:
        """Everything for a run."""
