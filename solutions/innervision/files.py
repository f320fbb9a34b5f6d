"""Write files so that nobody ever sees half of one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def write_aside(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file next to ``path``, then put it in place in one step.

    Args:
        path: The file to make or replace; folders on the way are made.
        write: Called with the temporary file's path. If it raises, nothing of it stays and ``path`` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        temporary.chmod(0o644)  # safetensors makes files that only their owner may read
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text_aside(path: Path, text: str) -> None:
    """``write_aside`` for text, in UTF-8 with line feeds on every platform."""
    write_aside(path, lambda part: part.write_bytes(text.encode()))
