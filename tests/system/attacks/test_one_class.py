"""All attacks in one class with honest students: everybody gets what they deserve, and a row with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.system.attacks.cases import LESSON, WORTH, solved
from tests.system.attacks.test_attacks import CASES

from innervision.classroom import records
from innervision.classroom.class_run import ClassResult, grade_class

ASSIGNMENT = "start"
HONEST = [f"{letter}-honest" for letter in "amz"]  # before, between and after the others in the alphabet

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def course_folder(root: Path) -> Path:
    """A folder with a notebook of every kind, and with some things that are no notebooks."""
    folder = root / ASSIGNMENT
    folder.mkdir()
    for case in CASES:
        (folder / f"{case.category}-{case.name}.ipynb").write_bytes(case.file())
    for name in HONEST:
        (folder / f"{name}.ipynb").write_text(json.dumps(solved()), encoding="utf-8")
    (folder / "link-to-another.ipynb").symlink_to(folder / f"{HONEST[0]}.ipynb")
    (folder / "link-to-secret.ipynb").symlink_to("/etc/shadow")
    (folder / "%2e%2e%2fgradebook.ipynb").write_text(json.dumps(solved()), encoding="utf-8")
    (folder / "new\nline.ipynb").write_text(json.dumps(solved()), encoding="utf-8")
    (folder / "a folder.ipynb").mkdir()
    return root


def test_everybody_gets_what_they_deserve_also_together(tmp_path: Path) -> None:
    """One test, since one grading of the class serves all questions."""
    course = course_folder(tmp_path)
    result = grade_class(course, ASSIGNMENT, lesson=LESSON, jobs=2, seed=7, timeout=4.0)
    _everybody_has_a_row(result)
    _other_exercises_keep_their_points(course)
    _links_are_not_followed_and_names_lead_nowhere(course, result)


def _everybody_has_a_row(result: ClassResult) -> None:
    rows = {row.student: row for row in result.rows}
    assert not result.failed
    full = sum(WORTH.values())
    deserved = {f"{case.category}-{case.name}": sum(case.deserves.values()) for case in CASES}
    got = {name: rows[name].points for name in [*deserved, *HONEST]}
    assert got == {**deserved, **dict.fromkeys(HONEST, full)}


def _other_exercises_keep_their_points(course: Path) -> None:
    kept = {record["student"]: record for record in records.Journal.of(course / "innervision", ASSIGNMENT).all()}
    for case in CASES:
        rows = kept[f"{case.category}-{case.name}"]["report"]["exercises"]
        assert {row["id"]: row["points"] for row in rows} == case.deserves, case.name


def _links_are_not_followed_and_names_lead_nowhere(course: Path, result: ClassResult) -> None:
    rows = {row.student: row for row in result.rows}
    for name in ("link-to-another", "link-to-secret"):
        assert (rows[name].points, rows[name].status) == (0.0, "unreadable")
        assert rows[name].reason.startswith(f"{name}.ipynb is not a regular file; links are not followed.")
    written = [path.relative_to(course).parts[0] for path in course.rglob("*")]
    assert set(written) == {ASSIGNMENT, "innervision"}
    assert rows["%2e%2e%2fgradebook"].points == sum(WORTH.values())
    assert rows["new\\nline"].points == 0.0
