"""Keep what student code writes: nothing reaches stderr, no flood reaches the page, warnings become notes.

nbgrader gives 0 points to a cell that wrote one line to stderr, whoever wrote it: Python's warnings, a log handler, a
C++ library. While this is open, all three are caught.
"""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from typing import Any

MAX_KEPT = 2_000  # characters of printed text that are shown again


class Capped(io.TextIOBase):
    """Keeps the first characters that are written and counts the rest."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text, self.dropped = "", 0

    def write(self, text: str) -> int:
        """Keep as much as there is room for."""
        kept = text[: MAX_KEPT - len(self.text)]
        self.text += kept
        self.dropped += len(text) - len(kept)
        return len(text)

    def writable(self) -> bool:
        """Yes."""
        return True


@dataclass
class Written:
    """What was written while ``keep_quiet`` was open."""

    printed: Capped = field(default_factory=Capped)
    errors: Capped = field(default_factory=Capped)
    warnings: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Sentences for the student about everything that was written."""
        notes = [f"Your code warns: {text}" for text in dict.fromkeys(self.warnings)]
        for name, sink in (("prints", self.printed), ("writes to stderr", self.errors)):
            if sink.text.strip():
                rest = f" … and {sink.dropped:,} characters more" if sink.dropped else ""
                notes.append(f"Your code {name}: {sink.text.strip()}{rest}")
        return notes


@contextmanager
def keep_quiet() -> Iterator[Written]:
    """Catch prints, warnings, log records and what C++ code writes, until the end of the block.

    A value that student code hands to ``sys.displayhook`` is dropped too: nbgrader would read it as the score.
    The global random generators are afterwards where they were before.
    """
    written = Written()
    before = sys.stderr
    with ExitStack() as stack:
        stack.enter_context(_same_generators())
        stack.enter_context(_descriptor(written.errors))
        stack.enter_context(_attribute(before, "write", written.errors.write))
        stack.enter_context(_attribute(sys, "displayhook", lambda value: None))
        stack.enter_context(redirect_stdout(written.printed))
        stack.enter_context(redirect_stderr(written.errors))
        caught = stack.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("default")
        yield written
        written.warnings += [f"{warning.category.__name__}: {warning.message}" for warning in caught]


@contextmanager
def _attribute(thing: Any, name: str, value: Any) -> Iterator[None]:
    """Replace an attribute, where the object allows it: log handlers hold on to the old stream itself."""
    missing = object()
    own = vars(thing).get(name, missing) if hasattr(thing, "__dict__") else missing
    try:
        setattr(thing, name, value)
    except (AttributeError, TypeError):
        yield
        return
    try:
        yield
    finally:
        if own is missing:
            delattr(thing, name)
        else:
            setattr(thing, name, own)


@contextmanager
def _descriptor(errors: Capped) -> Iterator[None]:
    """Let the process's file descriptor 2 lead to a temporary file."""
    try:
        saved, file = os.dup(2), tempfile.TemporaryFile()  # noqa: SIM115  (closed below)
    except OSError:
        yield
        return
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        with file, suppress(OSError, ValueError):
            file.seek(0)
            errors.write(file.read(4 * MAX_KEPT).decode("utf-8", "replace"))


@contextmanager
def _same_generators() -> Iterator[None]:
    """Put the global random generators back to where they were."""
    import torch

    torch_state, python_state = torch.get_rng_state(), random.getstate()
    numpy_random = sys.modules["numpy"].random if "numpy" in sys.modules else None
    numpy_state = numpy_random.get_state() if numpy_random else None
    try:
        yield
    finally:
        torch.set_rng_state(torch_state)
        random.setstate(python_state)
        if numpy_random:
            numpy_random.set_state(numpy_state)
