"""Each sandbox keeps to one processor core of its own, so that no submission can take the time of another one.

A submission that starts sixty processes would otherwise get sixty shares of the machine, and a neighbour who is graded
at that moment could run out of time. Which core is free is settled by locks on small files, one for each core: the
kernel lets go of a lock when its process ends, however it ends.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from innervision.classroom.locks import open_locked


class Core:
    """One processor core, ours until ``release``; none if all are taken, or where the system knows no such thing.

    Attributes:
        number: As the system counts cores, or None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.number: int | None = None
        self._lock = -1
        folder = folder or Path(tempfile.gettempdir())
        for number in _cores():
            with suppress(OSError):  # taken, or another user's
                path = folder / f"innervision-{os.geteuid()}-core-{number}.lock"
                self._lock = open_locked(path, os.O_RDWR | os.O_CREAT)
                self.number = number
                return

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Processes that this thread starts inside the block run on this core only, and so does all that they start.

        The thread itself steps onto the core for that long: what is started inherits it from the first moment. Telling
        a process afterwards would miss the children that it has by then.
        """
        if self.number is None:
            yield
            return
        before = os.sched_getaffinity(0)
        try:
            with suppress(OSError):  # the system does not allow it
                os.sched_setaffinity(0, {self.number})
            yield
        finally:
            with suppress(OSError):
                os.sched_setaffinity(0, before)

    def release(self) -> None:
        """Let others have it."""
        if self._lock >= 0:
            os.close(self._lock)
        self.number, self._lock = None, -1


def _cores() -> list[int]:
    """The cores that this process may use, the last first: systems like to do their own work on the first."""
    return sorted(os.sched_getaffinity(0), reverse=True) if hasattr(os, "sched_getaffinity") else []
