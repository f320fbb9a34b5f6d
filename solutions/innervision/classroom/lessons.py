"""A lesson, read from its student notebook: cells, exercises, questions, hints.

The student notebook is written by ``builder.py`` and carries in its metadata what the rest of the classroom needs, so
reading a lesson takes nothing but JSON: no jupytext, no torch.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from innervision.classroom.paths import Course, find_course

Role = Literal["text", "setup", "exercise", "question", "check", "see"]


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson as the student gets it.

    Attributes:
        id: The notebook's cell id, stable across rebuilds; for exercises and questions also the nbgrader ``grade_id``.
        role: ``setup`` cells are run from the course when a notebook is graded, ``see`` cells are not run then.
        source: Text of the cell; for an exercise the stub.
        exercise: Id of the exercise or question that the cell belongs to ("02.channel"), else "".
        function: Dotted path of the reference, for an exercise.
        points: What the exercise or question is worth.
        hints: Opened one at a time.
    """

    id: str
    role: Role
    source: str
    exercise: str = ""
    function: str = ""
    points: float = 0.0
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """One lesson: its front matter and its cells in order."""

    slug: str
    title: str
    minutes: int
    claim: str
    version: str
    cells: tuple[Cell, ...]

    def of_role(self, *roles: Role) -> tuple[Cell, ...]:
        """Return the cells that play one of these roles, in order."""
        return tuple(cell for cell in self.cells if cell.role in roles)

    @property
    def tasks(self) -> dict[str, Cell]:
        """Exercise and question cells by id, in the lesson's order."""
        return {cell.exercise: cell for cell in self.of_role("exercise", "question")}

    @property
    def points(self) -> float:
        """What the whole lesson is worth."""
        return sum(cell.points for cell in self.tasks.values())


def cell_id(task: str, suffix: str = "") -> str:
    """Return the cell id (and nbgrader grade_id) of an exercise: "02.channel" gives "02-channel"."""
    return "-".join([task.replace(".", "-"), *([suffix] if suffix else [])])


def answer_name(question: str) -> str:
    """Return the variable that holds a question's answer: "02.q_blocked" gives "answer_02_q_blocked"."""
    return "answer_" + question.replace(".", "_")


def closest(name: str, known: Iterable[str]) -> str:
    """Say which of the known names are meant perhaps: "did you mean …?", or the list of those of the same lesson."""
    name, known = str(name), list(known)
    near = [other for other in known if name and other.startswith(name)][:3] if "." in name else []
    near = near or difflib.get_close_matches(name, known, n=3, cutoff=0.7)
    if not near:  # the right word behind a wrong lesson number, or the other way round
        near = [other for other in known if name.rpartition(".")[2] == other.rpartition(".")[2]][:3]
    if near:
        return f"did you mean {' or '.join(near)}?"
    number = name.partition(".")[0]
    own = [other for other in known if other.partition(".")[0] == number]
    return f"the exercises{f' of lesson {number}' if own else ''} are {', '.join(own or known)}"


def read_lesson(slug: str, course: Course | None = None) -> Lesson:
    """Read a lesson by its slug ("02-feature-visualization").

    Raises:
        ValueError: There is no such lesson, or its notebook was not written by the builder.
    """
    path = (course or find_course()).notebook(slug)
    return _read(path, _stamp(path))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        raise ValueError(f"{path} does not exist; `innervision notebooks` writes it") from None
    return found.st_mtime_ns, found.st_size


@cache
def _read(path: Path, stamp: tuple[int, int]) -> Lesson:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    about = notebook.get("metadata", {}).get("innervision", {})
    if "lesson" not in about:
        raise ValueError(f"{path} does not say which lesson it is; write it again with `innervision notebooks`")
    return Lesson(
        slug=about["lesson"],
        title=about.get("title", about["lesson"]),
        minutes=int(about.get("minutes", 0)),
        claim=str(about.get("claim", "")),
        version=str(about.get("version", "")),
        cells=tuple(_cell(cell) for cell in notebook["cells"]),
    )


def _cell(cell: dict[str, Any]) -> Cell:
    about = cell["metadata"].get("innervision", {})
    source = cell["source"]
    return Cell(
        id=cell["id"],
        role=about.get("role", "text" if cell["cell_type"] == "markdown" else "see"),
        source=source if isinstance(source, str) else "".join(source),
        exercise=about.get("id", ""),
        function=about.get("function", ""),
        points=float(about.get("points", 0)),
        hints=tuple(about.get("hints", ())),
    )
