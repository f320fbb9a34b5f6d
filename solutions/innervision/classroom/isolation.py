"""The parent's side of a worker: how it is started, asked, and ended.

The parent knows a worker only by two pipes. ``worker_command`` is the one place where the command line is made, so a
sandbox has one place to stand. This module imports no torch: a worker can warm up while the parent still imports it.

A plain subprocess is a boundary for the judge and the scores, not for the machine: student code can read the user's
files, the library's source among them, and use the network.
"""

from __future__ import annotations

import os
import queue
import secrets
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from innervision.classroom.frames import FrameError, read_frame, write_frame

if TYPE_CHECKING:
    from innervision.classroom.student import Answer

PASSED_ON = (
    "PATH",
    "HOME",
    "USERPROFILE",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "SYSTEMROOT",
    "XDG_CACHE_HOME",
    "MPLCONFIGDIR",
)

STATUSES = ("answered", "not done yet", "missing", "error", "forbidden", "needs")


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes:
        seconds: Wall time of one exercise, and of loading one cell.
        total_seconds: Wall time of all code of one submission.
        start_seconds: Wall time until a worker has imported torch and run the lesson's set-up.
        memory: Bytes of data of the worker (Linux).
        threads: Threads of torch in the worker.
    """

    seconds: float = 10.0
    total_seconds: float = 600.0
    start_seconds: float = 300.0
    memory: int = 4 * 2**30
    threads: int = 1


class WorkerLost(Exception):  # noqa: N818
    """A worker gave no answer.

    Attributes:
        status: ``timeout`` or ``died``.
    """

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def worker_command() -> list[str]:
    """The command line of a worker. Isolated from the environment and from the current folder."""
    package = Path(__file__).resolve().parents[1]
    in_user_site = site.ENABLE_USER_SITE and package.is_relative_to(Path(site.getusersitepackages()).resolve())
    flags = ["-E", "-P"] if in_user_site else ["-I"]
    return [sys.executable, *flags, "-m", "innervision.classroom.worker"]


def worker_environment(folder: Path, threads: int) -> dict[str, str]:
    """The environment of a worker: nothing secret, its own folder for temporary files."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    own = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    return {**kept, **own, **counts, "MPLBACKEND": "agg", "INNERVISION_WORKER": "1"}


class Process(Protocol):
    """A process in which a worker runs: two pipes and an end."""

    stdin: BinaryIO
    stdout: BinaryIO
    reason: str  # why it was ended from outside, after ``wait``; else ""

    def wait(self, timeout: float) -> int:
        """The exit code (negative: the signal); ``subprocess.TimeoutExpired`` while it runs."""

    def kill(self) -> None:
        """End it with everything that it started."""


class PlainProcess:
    """A subprocess with a session and a temporary folder of its own."""

    reason = ""

    def __init__(self, limits: Limits) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="innervision-"))
        group: dict[str, Any] = {"start_new_session": True}
        if os.name == "nt":
            group = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        self.process = subprocess.Popen(
            worker_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=worker_environment(self.folder, limits.threads),
            **group,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin: BinaryIO = self.process.stdin  # type: ignore[assignment]
        self.stdout: BinaryIO = self.process.stdout  # type: ignore[assignment]

    def wait(self, timeout: float) -> int:
        """The exit code; negative for a signal."""
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End the worker and all processes of its group, and remove its folder."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            self.process.kill()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


class Worker:
    """A worker, starting up as soon as it is made.

    Two threads move frames, so that neither a worker that does not read nor one that does not answer can hold up the
    parent.

    Args:
        launch: Starts its process; a sandbox passes its own.
    """

    def __init__(self, limits: Limits | None = None, launch: Callable[[Limits], Process] = PlainProcess) -> None:
        self.limits = limits or Limits()
        self.process = launch(self.limits)
        self._to_send: queue.Queue[bytes | None] = queue.Queue()
        self._received: queue.Queue[bytes | str] = queue.Queue(maxsize=2)
        self._closed = threading.Event()
        for target in (self._send, self._receive):
            threading.Thread(target=target, daemon=True).start()

    def send(self, message: dict[str, Any]) -> str:
        """Send a request without waiting; returns its nonce, for ``answer``."""
        from innervision.classroom.wire import pack

        nonce = secrets.token_hex(8)
        self._to_send.put(pack({**message, "nonce": nonce}))
        return nonce

    def answer(self, nonce: str, seconds: float) -> Answer:
        """Wait for the answer to a request. A worker that gives none is ended.

        Raises:
            WorkerLost: If the time is up, the process has ended, or what came is no answer.
        """
        try:
            return self._answer(nonce, seconds)
        except WorkerLost:
            self.kill()
            raise

    def ask(self, message: dict[str, Any], seconds: float) -> Answer:
        """Send a request and wait for its answer."""
        return self.answer(self.send(message), seconds)

    def kill(self) -> None:
        """End the worker and everything that it started."""
        self._closed.set()
        self._to_send.put(None)
        self.process.kill()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _answer(self, nonce: str, seconds: float) -> Answer:
        from innervision.classroom.student import Answer
        from innervision.classroom.wire import WireError, unpack

        deadline = time.monotonic() + seconds
        try:
            frame = self._received.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise WorkerLost("timeout", f"no answer within {seconds:.3g} seconds") from None
        if isinstance(frame, str):
            raise WorkerLost("died", frame)
        try:
            reply = unpack(frame)
            texts = [reply[name] for name in ("nonce", "status", "error", "where")]
        except (WireError, TypeError, KeyError):
            raise WorkerLost("died", "what came back is not an answer") from None
        if not all(isinstance(text, str) for text in texts) or texts[0] != nonce or texts[1] not in STATUSES:
            raise WorkerLost("died", "what came back is not the answer to the question")
        return Answer(texts[1], reply.get("value"), texts[2][:1000], texts[3][:1000])

    def _send(self) -> None:
        stream = self.process.stdin
        with suppress(OSError, ValueError):
            while (payload := self._to_send.get()) is not None:
                write_frame(stream, payload)
        with suppress(OSError):
            stream.close()

    def _receive(self) -> None:
        stream = self.process.stdout
        item: bytes | str = ""
        while not isinstance(item, str) or not item:
            try:
                frame = read_frame(stream)
                item = self._ending() if frame is None else frame
            except (FrameError, OSError, ValueError) as error:
                item = f"what came back is not an answer ({error})"
            while not self._closed.is_set():
                with suppress(queue.Full):
                    self._received.put(item, timeout=0.5)
                    break
            if self._closed.is_set():
                break
        with suppress(OSError):
            stream.close()

    def _ending(self) -> str:
        """How the process ended, in words."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return "the code closed its connection"
        if self.process.reason:
            return self.process.reason
        if code < 0:
            name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
            return f"the code ended Python (signal {name})"
        return f"the code ended Python (exit code {code})"
