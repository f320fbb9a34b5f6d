"""One submission, graded somewhere else: in a process of the pool or on a worker of a cluster.

A task carries bytes and plain values, a result is plain data. What comes back is made by the judge, in the trusted
process; nothing in it was built by student code.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import platform
import socket
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from innervision.classroom import records

if TYPE_CHECKING:
    from innervision.classroom.judge import Trusted
    from innervision.classroom.session import WarmWorkers

ISOLATIONS = ("bwrap", "process")
_one_at_a_time = threading.Lock()  # a cluster's worker may run threads; grading swaps references, so it may not


@dataclass(frozen=True)
class Task:
    """What is needed to grade one submission.

    Attributes:
        student: Whose it is.
        data: The notebook's bytes.
        lesson: The lesson it must be.
        seed: Seed of all scenarios.
        timeout: Seconds for one exercise.
        isolation: "bwrap" or "process".
        exercises: Only these exercises; all when empty.
        grader: Digest of the graders that the sender has; other graders refuse the task.
        hidden: Folders that a sandbox must not show, such as the course.
    """

    student: str
    data: bytes
    lesson: str
    seed: int
    timeout: float
    isolation: str
    exercises: tuple[str, ...] = ()
    grader: str = ""
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What came of a task.

    Attributes:
        report: ``Report.to_dict()``, or None where the grading itself failed.
        error: Why there is no report, one sentence, else "".
        detail: The traceback of a failure, for the instructor's log.
        versions: Of what decided the grade.
        seconds: Wall time.
        where: Host and process.
    """

    report: dict[str, Any] | None
    error: str = ""
    detail: str = ""
    versions: dict[str, str] | None = None
    seconds: float = 0.0
    where: str = ""


def run_task(task: Task) -> Result:
    """Grade one submission. Never raises: a failure of ours is a result without a report."""
    start = time.monotonic()
    where = f"{socket.gethostname()}:{os.getpid()}"
    try:
        if task.grader and task.grader != records.grader_digest(task.lesson):
            raise ValueError(
                f"{where} has other graders of lesson {task.lesson} than the sender; install the same version."
            )
        with _one_at_a_time:
            report = _grade(task)
    except Exception as error:
        sentence = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        return Result(None, sentence, traceback.format_exc(), versions(), time.monotonic() - start, where)
    return Result(report, versions=versions(), seconds=time.monotonic() - start, where=where)


def _grade(task: Task) -> dict[str, Any]:
    from innervision.classroom.grading import grade

    workers = _warm_workers(task.lesson, task.isolation, task.timeout, task.hidden)
    with tempfile.TemporaryDirectory(prefix="innervision-") as folder:
        path = Path(folder) / f"{task.student}.ipynb"
        path.write_bytes(task.data)
        report = grade(
            path,
            lesson=task.lesson,
            exercises=task.exercises or None,
            seed=task.seed,
            timeout=task.timeout,
            workers=workers,
            trusted=_trusted(task.lesson, task.seed, task.grader),
        )
        # The temporary folder says nothing to a reader and would make two records of one grade differ.
        text = json.dumps(report.to_dict()).replace(json.dumps(folder + os.sep)[1:-1], "")
    result: dict[str, Any] = json.loads(text)
    return result


@functools.lru_cache(maxsize=1)
def _trusted(lesson: str, _seed: int, _grader: str) -> Trusted:
    """What the library answers; one class is graded with one seed, so it is asked once and not for each student.

    Answers for another seed, or of other graders, are let go.
    """
    from innervision.classroom.exercises import load_graders
    from innervision.classroom.judge import Trusted

    return Trusted(load_graders(lesson))


@functools.cache
def _warm_workers(lesson: str, isolation: str, timeout: float, hidden: tuple[str, ...]) -> WarmWorkers:
    """Workers of this process, kept from one submission to the next so that importing torch is not waited for.

    Raises:
        ValueError: There is no such isolation.
    """
    from innervision.classroom.isolation import Limits
    from innervision.classroom.session import WarmWorkers

    if isolation not in ISOLATIONS:
        raise ValueError(f"isolation is {isolation!r}; it must be one of {', '.join(ISOLATIONS)}.")
    if isolation == "bwrap":
        from innervision.classroom.sandbox import SandboxedWorkers

        workers: WarmWorkers = SandboxedWorkers(lesson, Limits(seconds=timeout), hidden)
    else:
        workers = WarmWorkers(Limits(seconds=timeout))
    atexit.register(workers.close)
    return workers


def require_sandbox() -> None:
    """Say at once, and not once for each student, that there is no sandbox here.

    Raises:
        ValueError: bubblewrap is not installed.
    """
    from innervision.classroom.bwrap import SandboxError, find_bwrap

    try:
        find_bwrap()
    except SandboxError as error:
        raise ValueError(str(error)) from None


@functools.cache
def versions() -> dict[str, str]:
    """Versions of everything that can change a grade."""
    found = {"python": platform.python_version()}
    for name in ("innervision", "torch", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found
