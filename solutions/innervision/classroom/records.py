"""The journal of a class: one JSON record for each submission, from which its grade can be replayed.

A record is written beside its final name, flushed to disk and then renamed, so that there is the old one or the new one
and never half of one. Everything that depends on the clock or the machine is under ``times``; the rest of two records
is equal when submission, graders and seed are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from innervision.classroom import paths
from innervision.classroom.locks import lock_now

FORMAT = 1
Record = dict[str, Any]


@dataclass(frozen=True)
class Journal:
    """All records of one assignment.

    Attributes:
        folder: ``<course>/innervision/records/<assignment>``.
        submissions: ``<course>/innervision/submissions``: each graded notebook once, named after its SHA-256.
    """

    folder: Path
    submissions: Path

    @classmethod
    def of(cls, own: Path, assignment: str) -> Journal:
        """The journal of an assignment below the folder ``<course>/innervision``."""
        return cls(own / "records" / assignment, own / "submissions")

    def path(self, student: str) -> Path:
        """Where a student's record is."""
        return self.folder / f"{student}.json"

    def read(self, student: str) -> Record | None:
        """A student's record, or None if there is none that can be read."""
        try:
            record = json.loads(self.path(student).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) and record.get("format") == FORMAT else None

    def all(self) -> list[Record]:
        """Every record of the assignment, sorted by student."""
        found = (self.read(path.stem) for path in sorted(self.folder.glob("*.json")))
        return [record for record in found if record is not None]

    def write(self, record: Record, submission: bytes) -> None:
        """Keep the submission, then the record. Either may exist already."""
        kept = self.submission(record)
        if submission and not kept.exists():
            write_durably(kept, submission)
        write_durably(self.path(record["student"]), dump(record))

    def submission(self, record: Record) -> Path:
        """Where the bytes that were graded are kept."""
        return self.submissions / f"{record['submission']['sha256']}.ipynb"

    @property
    def run(self) -> Path:
        """The state of the last run: its seed, whether it came to its end, and what could not be graded."""
        return self.folder.parent / f"{self.folder.name}.run.json"

    def read_run(self) -> dict[str, Any]:
        """The state of the last run; empty if there was none."""
        try:
            state = json.loads(self.run.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}


def dump(data: Any) -> bytes:
    """JSON that is the same for equal data."""
    return (json.dumps(data, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a power cut, sees all of it or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise


def comparable(record: Record) -> Record:
    """A record without what the clock and the machine put into it."""
    return {key: value for key, value in record.items() if key != "times"}


def is_current(record: Record, *, sha256: str, grader: str, seed: int | None) -> bool:
    """Whether a submission needs no grading: same bytes, same graders and, where one is asked for, the same seed."""
    same = record["submission"]["sha256"] == sha256 and record["grader"] == grader
    return same and seed in (None, record["seed"])


def digest(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def grader_digest(lesson: str) -> str:
    """SHA-256 over what decides a lesson's grades: its text, its graders and its misconceptions.

    The library's version is recorded beside it and not part of it: an update in mid-term does not grade everybody anew.
    """
    course = paths.find_course()
    total = hashlib.sha256()
    for path in (course.lesson(lesson), course.grader(lesson), course.misconception(lesson)):
        if path.is_file():
            total.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return total.hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Points that changed between two records, by exercise: old and new, None where one has no such exercise."""
    before, after = ({row["id"]: row["points"] for row in record["report"]["exercises"]} for record in (old, new))
    both = {
        name: (before.get(name), after.get(name)) for name in [*before, *(name for name in after if name not in before)]
    }
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


@contextlib.contextmanager
def only_writer(own: Path) -> Iterator[None]:
    """Hold the course for this process. The lock goes with the process, so a killed one leaves nothing behind.

    Raises:
        ValueError: Another process is grading this course.
    """
    own.mkdir(parents=True, exist_ok=True)
    with open(own / "lock", "ab") as file:
        try:
            lock_now(file.fileno())
        except OSError:
            raise ValueError(
                f"course is {str(own.parent)!r}; another process is grading it, wait for its end."
            ) from None
        yield
