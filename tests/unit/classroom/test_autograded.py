"""The autograded notebook: trusted cells, the student's answers, verdicts; whatever was handed in."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import nbformat
import pytest
from tests.unit.classroom.class_fakes import POINTS, lesson, lesson_notebook

from innervision.classroom.autograded import autograded_notebook, read_template

__all__ = ["lesson"]  # fixture

ROWS = {
    name: {"id": name, "status": "failed", "points": 0.5, "max_points": worth, "message": "no <script>"}
    for name, worth in POINTS.items()
}


def graded(lesson: Path, notebook: object, reason: str = "") -> nbformat.NotebookNode:
    data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    return autograded_notebook(read_template("tiny", "42-tiny"), data, ROWS, reason)


def grade_ids(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata]


EXPECTED = ["42-first", "42-first-check", "42-second", "42-second-check", "42-third", "42-third-check"]


def test_the_template_knows_its_exercises(lesson: Path) -> None:
    template = read_template("tiny", "42-tiny")
    assert [(item.id, item.answer_cell, item.check_cell, item.max_points) for item in template.items] == [
        ("42.first", "42-first", "42-first-check", 1.0),
        ("42.second", "42-second", "42-second-check", 2.0),
        ("42.third", "42-third", "42-third-check", 3.0),
    ]


def test_answers_stay_and_verdicts_are_shown_as_text(lesson: Path) -> None:
    notebook = graded(lesson, lesson_notebook({"42.first": "mine"}))
    cells = {cell.id: cell for cell in notebook.cells}
    assert 'return "mine"' in cells["42-first"].source
    (output,) = cells["42-first-check"].outputs
    assert output.data["text/plain"] == "0.5"
    assert "no &lt;script&gt;" in output.data["text/html"]


def test_a_submission_cannot_say_what_a_cell_is(lesson: Path) -> None:
    forged = lesson_notebook()
    forged.cells[2].source = "100"  # a check cell
    forged.cells[2].metadata.nbgrader.points = 1000
    forged.cells[4].metadata.nbgrader.locked = False
    forged.cells[1].outputs = [nbformat.v4.new_output("display_data", {"text/html": "<script>1</script>"})]
    forged.cells[0].metadata["nbgrader"] = {"grade": True, "grade_id": "invented", "points": 50, "schema_version": 3}
    notebook = graded(lesson, forged)
    assert grade_ids(notebook) == EXPECTED
    ours = {cell.id: cell for cell in lesson_notebook().cells}
    for cell in notebook.cells:
        if cell.id in ours and "nbgrader" in cell.metadata:
            assert cell.metadata.nbgrader == ours[cell.id].metadata.nbgrader
    assert 'check("42.first")' in [cell.source for cell in notebook.cells]
    assert "<script>" not in nbformat.writes(notebook)


def test_active_text_of_a_student_is_shown_and_does_nothing(lesson: Path) -> None:
    theirs = lesson_notebook()
    theirs.cells[0].source += "\n<img src=x onerror=alert(1)>"
    theirs.cells.append(nbformat.v4.new_markdown_cell("[look](javascript:alert(1))"))
    theirs.cells.append(nbformat.v4.new_raw_cell("<script>alert(1)</script>"))
    theirs.cells.append(nbformat.v4.new_code_cell("1 <2"))
    picture = '"><script>alert(1)</script>'
    theirs.cells[-1].outputs = [{"output_type": "display_data", "data": {"image/png": picture}, "metadata": {}}]
    notebook = graded(lesson, theirs)
    assert [cell.source for cell in notebook.cells if cell.cell_type != "code"] == [
        "# Tiny\n< img src=x onerror=alert(1)>",
        "[look] (javascript:alert(1))",
        "< script>alert(1)< /script>",
    ]
    assert notebook.cells[-1].source == "1 <2"  # code is shown as code
    assert notebook.cells[-1].outputs == []


def test_the_courses_own_text_keeps_its_markup(lesson: Path) -> None:
    folder = lesson / "course" / "42-tiny" / "lesson.ipynb"
    ours = lesson_notebook()
    ours.cells[0].source = "<details>the answer</details>"
    nbformat.write(ours, folder)
    assert graded(lesson, ours).cells[0].source == "<details>the answer</details>"


def test_deleted_cells_come_back_in_their_places(lesson: Path) -> None:
    notebook = lesson_notebook()
    del notebook.cells[4], notebook.cells[1]
    assert grade_ids(graded(lesson, notebook)) == EXPECTED


def test_of_cells_that_occur_twice_the_last_one_counts(lesson: Path) -> None:
    notebook = lesson_notebook({"42.first": "early"})
    again = copy.deepcopy(notebook.cells[1])
    again.source = again.source.replace("early", "late")
    notebook.cells.insert(3, again)
    result = graded(lesson, notebook)
    assert sorted(grade_ids(result)) == sorted(EXPECTED)
    (answer,) = [cell for cell in result.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "42-first"]
    assert "late" in answer.source
    assert len({cell.id for cell in result.cells}) == len(result.cells)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b'{"cells": 3}',
        b'{"cells": [1, null, {"cell_type": []}, {"source": {"a": 1}, "metadata": []}]}',
        b'{"cells": [{"cell_type": "code", "source": ["a", 1], "outputs": [{"data": {"image/png": [1]}}, 3]}]}',
        b"[" * 100_000,
    ],
)
def test_whatever_was_handed_in_there_is_a_valid_notebook(lesson: Path, data: bytes) -> None:
    notebook = graded(lesson, data, "it is <broken>")
    nbformat.validate(notebook)
    assert grade_ids(notebook) == EXPECTED
    assert "it is < broken>" in notebook.cells[0].source


def test_the_kernel_is_the_courses(lesson: Path) -> None:
    notebook = lesson_notebook()
    notebook.metadata.kernelspec.name = "evil"
    assert graded(lesson, notebook).metadata.kernelspec.name == "python3"
