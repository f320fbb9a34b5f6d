"""Long work as the user sees it: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar("Item")

LINE_EVERY = 0.1
"""Off a terminal, a download prints a line whenever this share of it has arrived."""


def console(columns: int = 100) -> Console:
    """Where tables go: the terminal's own width there, so many columns elsewhere."""
    return Console(width=None if sys.stdout.isatty() else columns, highlight=False)


class _Display:
    """A rich progress bar that exists only on a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def say(self, line: str) -> None:
        """Print a line; a bar stays below it."""
        self.console.print(line, markup=False, highlight=False)


class Download(_Display):
    """Shows how much of a download has arrived; ``update`` takes bytes received and bytes expected."""

    def __init__(self, subject: str, console: Console) -> None:
        super().__init__(console)
        self.task = self.bar.add_task(subject, total=None)
        self.subject, self.said = subject, 0

    def update(self, received: int, expected: int | None) -> None:
        """Note what has arrived."""
        self.bar.update(self.task, completed=received, total=expected)
        part = int(received / expected / LINE_EVERY) if expected else 0
        if not self.console.is_terminal and part > self.said:
            self.said = part
            self.say(f"{self.subject}: {received / 1e6:.0f} of {(expected or 0) / 1e6:.0f} MB")


class Training(_Display):
    """Shows the batches of the running epoch and a line for each finished one."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.task = self.bar.add_task("batches", total=None)
        self.epoch_length: int | None = None

    def batches(self, batches: Iterable[Item]) -> Iterator[Item]:
        """Hand the batches of one epoch through. How many there are is known after the first epoch."""
        self.bar.reset(self.task, total=self.epoch_length)
        count = 0
        for count, batch in enumerate(batches, start=1):
            yield batch
            self.bar.update(self.task, completed=count)
        self.epoch_length = count

    def report(self, row: dict[str, float]) -> None:
        """Print a row of the log: whole numbers as they are, others with four digits."""
        self.say("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
