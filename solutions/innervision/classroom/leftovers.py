"""Temporary folders that go away even if their process is killed: the next one sweeps up after it.

The owner of a folder holds a lock on it for as long as it lives; the system lets go of the lock when the process ends,
however it ends. So a folder of ours whose lock is free belongs to nobody. In /tmp, where everybody may write, only
folders of this user are removed, and links are never followed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from innervision.classroom.locks import open_locked

FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
PREFIX = "innervision-library-"
_held: dict[Path, int] = {}  # folders of this process, with the descriptor that holds the lock


def own_folder() -> Path:
    """A new, empty folder that others can read, after those of dead processes have been removed."""
    sweep(Path(tempfile.gettempdir()))
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        try:
            descriptor = open_locked(folder, FOLDER)
        except (FileNotFoundError, BlockingIOError):  # another process sweeps, and took the new one for a dead one's
            continue
        if folder.is_dir():
            folder.chmod(0o755)
            _held[folder] = descriptor
            return folder
        os.close(descriptor)


def remove_folder(folder: Path) -> None:
    """Remove a folder of this process."""
    shutil.rmtree(folder, ignore_errors=True)
    descriptor = _held.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)


def sweep(parent: Path) -> None:
    """Remove folders of this user whose process is dead; whatever cannot be removed stays."""
    with os.scandir(parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(PREFIX)]
    for name in names:
        with suppress(OSError):  # another process's, or gone meanwhile
            descriptor = open_locked(parent / name, FOLDER)
            try:
                if os.fstat(descriptor).st_uid == os.geteuid():
                    shutil.rmtree(parent / name)  # it does not follow links, nor one put in place of the folder
            finally:
                os.close(descriptor)
