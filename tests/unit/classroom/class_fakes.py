"""A tiny course for tests of the class level: one lesson of three exercises, and a grader that needs no library.

The verdict on an exercise is written in its cell: "right", "half" or "wrong"; "die" ends the process that grades.
"""

from __future__ import annotations

import functools
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from innervision.classroom import nbgrader_source, paths
from innervision.classroom.class_task import Result, Task

LESSON = "42-tiny"
POINTS = {"42.first": 1.0, "42.second": 2.0, "42.third": 3.0}


def answer(name: str, verdict: str) -> str:
    """Code of an answer cell."""
    function = name.partition(".")[2]
    return f'def {function}(x):\n    """Return {function}."""\n    return "{verdict}"'


def lesson_notebook(verdicts: dict[str, str] | None = None) -> nbformat.NotebookNode:
    """The student notebook of the tiny lesson, with answers filled in where ``verdicts`` has one."""
    cells = [nbformat.v4.new_markdown_cell("# Tiny", id="text-1", metadata={"innervision": {"role": "text"}})]
    for name, points in POINTS.items():
        identifier = name.replace(".", "-")
        source = answer(name, verdicts[name]) if verdicts and name in verdicts else answer(name, "todo")
        about = {"role": "exercise", "id": name, "points": points}
        metadata = {"nbgrader": nbgrader_source.answer(identifier), "innervision": about}
        cells.append(nbformat.v4.new_code_cell(source, id=identifier, metadata=metadata))
        metadata = {
            "nbgrader": nbgrader_source.test(f"{identifier}-check", points),
            "innervision": {"role": "check", "id": name},
        }
        cells.append(nbformat.v4.new_code_cell(f'check("{name}")', id=f"{identifier}-check", metadata=metadata))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "innervision": {"lesson": LESSON, "title": "Tiny"}}
    )
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            nbgrader_source.seal(cell, released=True)
    return notebook


def submission(**verdicts: str) -> str:
    """A submission as text: ``submission(first="right")``; what is not named is "todo"."""
    return nbformat.writes(lesson_notebook({f"42.{name}": verdict for name, verdict in verdicts.items()}))


def fake_work(task: Task) -> Result:
    """Stands in for ``run_task``: reads the verdicts instead of running anything."""
    text = task.data.decode("utf-8", "replace")
    if "die" in text:
        os._exit(1)
    rows = []
    for name, points in POINTS.items():
        function = name.partition(".")[2]
        verdict = text.partition(f"def {function}(x)")[2].partition('return \\"')[2].partition("\\")[0] or "missing"
        share = {"right": 1.0, "half": 0.5}.get(verdict, 0.0)
        status = {"right": "passed", "half": "partial", "todo": "not done yet"}.get(verdict, "failed")
        cause = "the halves were swapped" if verdict == "wrong" else ""
        message = {"expected": "right", "got": f"{verdict} <b>&", "cause": cause, "next_step": "think"}
        row = {"id": name, "title": name, "status": status, "points": share * points, "max_points": points}
        rows.append({**row, "message": None if verdict == "right" else message, "seconds": 0.25})
    try:
        json.loads(text)
    except ValueError:
        return Result({"exercises": [], "problems": ["this is not a notebook"], "seed": task.seed}, where="here")
    return Result(
        {"exercises": rows, "problems": [], "seed": task.seed}, versions={"fake": "1"}, seconds=0.5, where="here"
    )


def hand_in(course: Path, student: str, text: str, assignment: str = "tiny") -> Path:
    """Put a submission into nbgrader's layout."""
    path = course / "submitted" / student / assignment / "tiny.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny lesson, as the only one that this installation knows."""
    root = tmp_path / "checkout"
    folder = root / "course" / LESSON
    folder.mkdir(parents=True)
    (folder / "lesson.md").write_text("tiny", encoding="utf-8")
    nbformat.write(lesson_notebook(), folder / "lesson.ipynb")
    (root / "tests" / "graders").mkdir(parents=True)
    (root / "tests" / "graders" / "test_42_tiny.py").write_text("first = 1\n", encoding="utf-8")
    course = paths.Course.in_checkout(root)
    monkeypatch.setattr(paths, "find_course", lambda: course)
    return root


@functools.cache
def empty_gradebook() -> bytes:
    """A gradebook as nbgrader creates it; that takes a second, so it is done once."""
    from innervision.classroom.course_folder import open_course
    from innervision.classroom.gradebook import open_gradebook

    with tempfile.TemporaryDirectory() as folder:
        open_gradebook(open_course(folder)).close()
        return (Path(folder) / "gradebook.db").read_bytes()


@pytest.fixture
def course(tmp_path: Path, lesson: Path) -> Path:
    """An nbgrader course with three submissions."""
    folder = tmp_path / "course"
    hand_in(folder, "ada", submission(first="right", second="right", third="right"))
    hand_in(folder, "bob", submission(first="right", second="half", third="wrong"))
    hand_in(folder, "eve", "{ this is not JSON")
    (folder / "gradebook.db").write_bytes(empty_gradebook())
    return folder


def scores(course: Path, assignment: str = "tiny") -> dict[str, float]:
    """What nbgrader's gradebook says."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {each.student.id: float(each.score) for each in book.assignment_submissions(assignment)}


def outcome(row: Any) -> tuple[str, str, float | None]:
    """The part of a row that tests compare."""
    return row.student, row.status, row.points


def slow_work(task: Task) -> Result:
    """``fake_work`` that takes a while, so that something can be killed in the middle."""
    time.sleep(0.5)
    return fake_work(task)
