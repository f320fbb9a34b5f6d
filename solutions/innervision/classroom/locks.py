"""Locks on files that the system lets go of when their process ends, however it ends."""

from __future__ import annotations

import os


def lock_now(descriptor: int) -> None:
    """Lock an open file for this process alone, as long as the descriptor is open.

    Raises:
        OSError: Another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def open_locked(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> int:
    """Open a file or folder and lock it; a link in its place is not followed.

    Args:
        flags: As for ``os.open``.
        mode: Rights of a new file.

    Returns:
        A descriptor that holds the lock; close it to let go.

    Raises:
        OSError: It cannot be opened, or another process holds it.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        lock_now(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
