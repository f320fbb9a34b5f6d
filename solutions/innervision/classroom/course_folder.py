"""A course folder: who handed in what, for which lesson, and where results go.

Two layouts are understood. nbgrader's: ``submitted/<student>/<assignment>/*.ipynb`` next to ``gradebook.db`` (as its
own configuration says). Plain folders: ``<course>/<assignment>/`` (or the course folder itself) with one notebook a
student, ``alice.ipynb``, or one folder a student, ``alice/anything.ipynb``.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from innervision.classroom import paths

OWN_FOLDER = "innervision"  # records, feedback pages and reports live in <course>/innervision
MAX_BYTES = 50 * 2**20  # a lesson with its pictures stays below 5 MiB; ten times that is not somebody's work
_STEPS = ("source", "release", "submitted", "autograded", "feedback")


@dataclass(frozen=True)
class HandedIn:
    """What one student handed in.

    Attributes:
        student: Name of the student's folder or file; the student id in nbgrader's gradebook.
        path: The notebook, or None where there is none that may be read.
        timestamp: Content of nbgrader's timestamp.txt, or "".
        problem: Why there is nothing to grade, as a sentence for the report, or "".
        note: Something a person should know although the notebook is graded, or "".
    """

    student: str
    path: Path | None
    timestamp: str = ""
    problem: str = ""
    note: str = ""

    def read(self) -> bytes:
        """Return the notebook's bytes; empty where there is nothing to grade."""
        return self.path.read_bytes() if self.path is not None else b""


@dataclass(frozen=True)
class CourseFolder:
    """A course on disk. Make one with :func:`open_course`."""

    root: Path

    @cached_property
    def uses_nbgrader(self) -> bool:
        """Whether this is nbgrader's layout, with a gradebook."""
        marks = ("gradebook.db", "nbgrader_config.py", "submitted")
        return any((self.root / mark).exists() for mark in marks)

    @cached_property
    def nbgrader(self) -> Any:
        """nbgrader's CourseDirectory for this course, after its own configuration files."""
        from nbgrader.coursedir import CourseDirectory

        return CourseDirectory(config=self.config, root=str(self.root))

    @cached_property
    def config(self) -> Any:
        """nbgrader's configuration: nbgrader_config.py of Jupyter's folders, then of the course, which wins."""
        from jupyter_core.paths import jupyter_config_path
        from traitlets.config.loader import Config, PyFileConfigLoader

        config = Config()
        for folder in [*reversed(jupyter_config_path()), str(self.root)]:
            if (Path(folder) / "nbgrader_config.py").is_file():
                config.merge(PyFileConfigLoader("nbgrader_config.py", path=folder).load_config())
        return config

    def own(self, *parts: str) -> Path:
        """A path below ``<course>/innervision``."""
        return self.root.joinpath(OWN_FOLDER, *parts)

    def step(self, step: str, assignment: str, student: str = ".") -> Path:
        """One of nbgrader's folders, for example ``step("autograded", "ps1", "alice")``."""
        if step not in _STEPS:
            raise ValueError(f"step is {step!r}; it must be one of {', '.join(_STEPS)}.")
        folder = getattr(self.nbgrader, f"{step}_directory")
        return Path(self.nbgrader.format_path(folder, student, assignment))

    def handed_in(self, assignment: str, notebook: str, students: Sequence[str] = ()) -> list[HandedIn]:
        """Everything handed in for an assignment, sorted by student.

        Args:
            assignment: Name of the assignment.
            notebook: Name of its notebook without ``.ipynb``, which is preferred where a student sent several.
            students: Only these; all when empty.

        Raises:
            ValueError: The assignment has no submissions, or one of ``students`` handed in nothing.
        """
        found = {entry.student: entry for entry in self._entries(assignment, notebook)}
        if not found:
            raise ValueError(f"assignment is {assignment!r}; {self.root} holds no submission for it.")
        for student in students:
            if student not in found:
                near = difflib.get_close_matches(student, found, n=3) or sorted(found)[:5]
                raise ValueError(f"student is {student!r}; it must be one who handed in: {', '.join(near)}.")
        return [found[student] for student in sorted(students or found)]

    def lesson_of(self, assignment: str, lesson: str | None = None) -> str:
        """The lesson that an assignment is about, by the instructor's word before anybody else's.

        ``lesson`` wins, then a notebook in source/ or release/, then the assignment's name ("02", "02-anything",
        "feature-visualization"), and last the submissions, if they agree.
        """
        known = paths.find_course().slugs()
        if lesson is not None:
            if lesson not in known:
                raise ValueError(f"lesson is {lesson!r}; it must be one of {', '.join(known)}.")
            return lesson
        own = [_claimed_lesson(path) for path in self._instructor_notebooks(assignment)]
        by_name = [slug for slug in known if _is_named_after(assignment, slug)]
        for claims in (
            own,
            by_name,
            [_claimed_lesson(entry.path) for entry in self._entries(assignment, "") if entry.path],
        ):
            named = {claim for claim in claims if claim in known}
            if len(named) == 1:
                return named.pop()
        raise ValueError(
            f"assignment is {assignment!r}; say which lesson it is: lesson must be one of {', '.join(known)}."
        )

    def notebook_name(self, assignment: str, lesson: str) -> str:
        """Name, without ``.ipynb``, under which the lesson's notebook is handed in."""
        own = [path.stem for path in self._instructor_notebooks(assignment) if _claimed_lesson(path) in ("", lesson)]
        if own:
            return own[0]
        stems = (
            Counter(entry.path.stem for entry in self._entries(assignment, "") if entry.path)
            if self.uses_nbgrader
            else {}
        )
        return min(stems, key=lambda stem: (-stems[stem], stem)) if stems else lesson

    def _instructor_notebooks(self, assignment: str) -> list[Path]:
        if not self.uses_nbgrader:
            return []
        folders = (self.step("source", assignment), self.step("release", assignment))
        return [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]

    def _entries(self, assignment: str, notebook: str) -> list[HandedIn]:
        if self.uses_nbgrader:
            parts = self.step("submitted", assignment, "*").parts
            before, after = Path(*parts[: parts.index("*")]), parts[parts.index("*") + 1 :]
            students = sorted(before.iterdir()) if before.is_dir() else []
            folders = {path.name: path.joinpath(*after) for path in students if not path.name.startswith(".")}
            return [_in_folder(student, path, notebook) for student, path in folders.items() if path.is_dir()]
        inner = self.root / assignment
        return _plain(inner if inner.is_dir() else self.root, notebook)


def open_course(root: Path | str) -> CourseFolder:
    """Open a course folder.

    Raises:
        ValueError: There is no such folder.
    """
    folder = Path(root).resolve()
    if not folder.is_dir():
        raise ValueError(f"course is {str(root)!r}; it must be a folder.")
    return CourseFolder(folder)


def _plain(folder: Path, notebook: str) -> list[HandedIn]:
    found: dict[str, HandedIn] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")) or path.name == OWN_FOLDER:
            continue
        if path.is_dir() and any(path.glob("*.ipynb")):
            found[path.name] = _in_folder(path.name, path, notebook)
        elif path.suffix == ".ipynb":
            if path.stem in found:
                note = f"There is {path.name} as well as a folder {path.stem}; the folder was graded."
                found[path.stem] = replace(found[path.stem], note=note)
            else:
                found[path.stem] = _checked(path.stem, path, "")
    return list(found.values())


def _in_folder(student: str, folder: Path, notebook: str) -> HandedIn:
    stamp = folder / "timestamp.txt"
    timestamp = stamp.read_text(encoding="utf-8", errors="replace").strip()[:64] if stamp.is_file() else ""
    found = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    if not found:
        return HandedIn(student, None, timestamp, "No notebook was handed in.")
    chosen = [path for path in found if path.stem == notebook] or found
    note = "" if chosen[0].stem == notebook or not notebook else f"The notebook was renamed to {chosen[0].name}."
    if len(chosen) > 1:
        note = f"{len(found)} notebooks were handed in; {chosen[0].name} was graded."
    return replace(_checked(student, chosen[0], timestamp), note=note)


def _checked(student: str, path: Path, timestamp: str) -> HandedIn:
    name = student.encode("utf-8", "backslashreplace").decode()
    problem = ""
    if name != student or not student.isprintable():
        name, problem = (
            name.encode("unicode_escape").decode("ascii"),
            "The name of this submission is not printable text.",
        )
    elif path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        problem = f"{path.name} is not a regular file; links are not followed."
    elif path.stat().st_size > MAX_BYTES:
        problem = f"{path.name} has {path.stat().st_size / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} MiB are read."
    return HandedIn(name, None if problem else path, timestamp, problem)


def _claimed_lesson(path: Path) -> str:
    """What a notebook says about its lesson; "" if it says nothing that can be read."""
    try:
        claim = json.loads(path.read_bytes())["metadata"]["innervision"]["lesson"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return claim if isinstance(claim, str) else ""


def _is_named_after(assignment: str, slug: str) -> bool:
    number, _, words = slug.partition("-")
    name = assignment.lower().replace("_", "-")
    return name in (slug, words) or bool(re.match(rf"{number}(?!\d)", name))
