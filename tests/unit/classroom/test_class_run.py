"""Grading a class: a row for everybody, nothing twice, nothing lost."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from tests.unit.classroom.class_fakes import course, fake_work, hand_in, lesson, outcome, scores, submission
from tests.unit.classroom.test_gradebook import POLICY

from innervision.classroom import class_run, records, regrade
from innervision.classroom import pool as pools
from innervision.classroom.class_run import grade_class
from innervision.classroom.regrade import regrade_exercise, replay

__all__ = ["course", "lesson"]  # fixtures


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grade here; ``test_pool.py`` has the processes."""
    for module in (class_run, regrade):
        monkeypatch.setattr(module, "run_pool", lambda tasks, jobs, work: ((task, work(task)) for task in tasks))


def run(folder: Path, **options: object) -> class_run.ClassResult:
    settings = {"jobs": 1, "isolation": "process", "work": fake_work, **options}
    return grade_class(folder, "tiny", **settings)


def test_everybody_gets_a_row_and_the_gradebook_agrees(course: Path) -> None:
    seen = []
    result = run(course, report=lambda row, done, total: seen.append((row.student, done, total)))
    assert [outcome(row) for row in result.rows] == [
        ("ada", "graded", 6.0),
        ("bob", "graded", 2.0),
        ("eve", "unreadable", 0.0),
    ]
    assert result.rows[2].reason == "this is not a notebook"
    assert scores(course) == {"ada": 6.0, "bob": 2.0, "eve": 0.0}
    assert sorted(name for name, _, _ in seen) == ["ada", "bob", "eve"]
    assert [pair[1:] for pair in seen] == [(1, 3), (2, 3), (3, 3)]


def test_a_penalty_is_in_the_row_and_in_the_class_report(course: Path) -> None:
    (course / "nbgrader_config.py").write_text(POLICY)
    (course / "submitted" / "ada" / "tiny" / "timestamp.txt").write_text("2026-11-22 12:00:00 UTC")
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        book.add_assignment("tiny", duedate="2026-11-22 10:00:00 UTC")
        book.add_student("ada", first_name="Ada", last_name="Lovelace")
    result = run(course)
    ada, bob, eve = result.rows
    assert (ada.name, ada.points, ada.penalty, ada.seconds_late, ada.final) == ("Ada Lovelace", 6.0, 2.0, 7200.0, 4.0)
    assert (bob.name, bob.penalty, bob.final, eve.final) == ("", 0.0, 2.0, 0.0)
    page = result.report.read_text(encoding="utf-8")
    assert "<strong>4</strong>" in page
    assert "2 graded · 1 could not be read · 0 not graded" in page
    only = run(course, students=["bob"]).report.read_text(encoding="utf-8")  # the others' penalties are known, too
    assert "<strong>4</strong>" in only


def test_what_is_recorded_is_not_graded_twice(course: Path) -> None:
    first = run(course)
    again = run(course, work=_forbidden)
    assert [row.status for row in again.rows] == ["recorded", "recorded", "unreadable"]
    assert [row.points for row in again.rows] == [row.points for row in first.rows]


def _forbidden(task: object) -> None:
    raise AssertionError("nothing was to be graded")


def test_a_new_submission_and_a_new_grader_are_graded(course: Path, lesson: Path) -> None:
    run(course)
    hand_in(course, "bob", submission(first="right", second="right", third="half"))
    again = run(course)
    assert [row.status for row in again.rows] == ["recorded", "graded", "unreadable"]
    assert scores(course)["bob"] == 4.5
    (lesson / "tests" / "graders" / "test_42_tiny.py").write_text("first = 2\n", encoding="utf-8")
    assert [row.status for row in run(course).rows] == ["graded", "graded", "unreadable"]


def test_the_same_seed_gives_the_same_records_and_another_seed_grades_again(course: Path) -> None:
    def kept() -> dict[str, records.Record]:
        journal = records.Journal.of(course / "innervision", "tiny")
        return {record["student"]: records.comparable(record) for record in journal.all()}

    run(course, seed=5)
    first = kept()
    run(course, seed=5, force=True, jobs=2)
    assert kept() == first
    result = run(course, seed=6)
    assert [row.status for row in result.rows] == ["graded", "graded", "unreadable"]
    assert {name: record["seed"] for name, record in kept().items()} == dict.fromkeys(first, 6)
    assert {name: record["points"] for name, record in kept().items()} == {"ada": 6.0, "bob": 2.0, "eve": 0.0}


def test_a_submission_that_kills_its_process_costs_nobody_else(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_run, "run_pool", pools.run_pool)
    hand_in(course, "mallory", submission(first="die"))
    result = run(course, jobs=2)
    assert [outcome(row) for row in result.rows] == [
        ("ada", "graded", 6.0),
        ("bob", "graded", 2.0),
        ("eve", "unreadable", 0.0),
        ("mallory", "not graded", None),
    ]
    assert result.failed[0].reason == "The process that graded this submission died twice; nothing was recorded."
    assert scores(course) == {"ada": 6.0, "bob": 2.0, "eve": 0.0}
    state = json.loads((course / "innervision" / "records" / "tiny.run.json").read_text())
    assert (state["finished"], list(state["failures"])) == (False, ["mallory"])


def test_an_interrupted_run_goes_on_with_its_seed(course: Path) -> None:
    def stop(row: object, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(course, report=stop)
    journal = records.Journal.of(course / "innervision", "tiny")
    kept = journal.all()
    assert len(kept) == 2
    result = run(course)
    assert len(result.rows) == 3
    assert {record["seed"] for record in journal.all()} == {result.seed} == {kept[0]["seed"]}


def test_a_gradebook_that_fails_for_one_is_repaired_by_the_next_run(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from innervision.classroom import gradebook

    good = gradebook._set_score

    def bad(grade: object, score: float) -> None:
        if score == 3.0:  # only ada has that
            raise RuntimeError("disk full")
        good(grade, score)

    monkeypatch.setattr(gradebook, "_set_score", bad)
    rows = {row.student: row for row in run(course).rows}
    assert rows["ada"].reason == (
        "Graded and recorded, but not delivered (RuntimeError: disk full); grade again to repeat that."
    )
    assert scores(course) == {"bob": 2.0, "eve": 0.0}  # nothing of ada's: not her two first exercises either
    monkeypatch.setattr(gradebook, "_set_score", good)
    assert [row.status for row in run(course, work=_forbidden).rows] == ["recorded", "recorded", "unreadable"]
    assert scores(course) == {"ada": 6.0, "bob": 2.0, "eve": 0.0}
    with sqlite3.connect(course / "gradebook.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_links_missing_notebooks_and_giants_are_rows_too(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = course / "secret.ipynb"
    secret.write_text(submission(first="right"), encoding="utf-8")
    link = course / "submitted" / "lin" / "tiny" / "tiny.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(secret)
    (course / "submitted" / "nil" / "tiny").mkdir(parents=True)
    rows = {row.student: row for row in run(course).rows}
    assert outcome(rows["lin"]) == ("lin", "unreadable", 0.0)
    assert rows["lin"].reason == "tiny.ipynb is not a regular file; links are not followed."
    assert outcome(rows["nil"]) == ("nil", "unreadable", 0.0)
    assert rows["nil"].reason == "No notebook was handed in."
    assert scores(course)["lin"] == 0.0


def test_plain_folders_need_no_gradebook(tmp_path: Path, lesson: Path) -> None:
    folder = tmp_path / "plain"
    (folder / "cyd").mkdir(parents=True)
    (folder / "cyd" / "my try.ipynb").write_text(submission(first="right"), encoding="utf-8")
    (folder / "dan.ipynb").write_text(submission(second="half"), encoding="utf-8")
    result = run(folder)
    assert [outcome(row) for row in result.rows] == [("cyd", "graded", 1.0), ("dan", "graded", 1.0)]
    assert not (folder / "gradebook.db").exists()
    assert (folder / "innervision" / "feedback" / "tiny" / "cyd.html").is_file()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"isolation": "none"}, "isolation is 'none'; it must be one of bwrap, process."),
        ({"students": ["adb"]}, "student is 'adb'; it must be one who handed in: ada."),
        ({"lesson": "43-none"}, "lesson is '43-none'; it must be one of 42-tiny."),
        ({"jobs": 0, "force": True}, None),
    ],
)
def test_mistakes_of_the_instructor_are_one_sentence(
    course: Path, options: dict[str, object], text: str | None
) -> None:
    if text is None:  # 0 means "not said", as None does
        assert len(run(course, **options).rows) == 3
        return
    with pytest.raises(ValueError, match=r".") as error:
        run(course, **options)
    assert str(error.value) == text


def test_only_one_process_grades_a_course(course: Path) -> None:
    with records.only_writer(course / "innervision"), pytest.raises(ValueError, match=r"another process") as error:
        run(course)
    assert str(error.value) == f"course is {str(course)!r}; another process is grading it, wait for its end."


def test_regrading_one_exercise_says_old_and_new(course: Path, lesson: Path) -> None:
    run(course, seed=9)
    (lesson / "tests" / "graders" / "test_42_tiny.py").write_text("first = 2\n", encoding="utf-8")
    changes = regrade_exercise(course, "tiny", "42.third", isolation="process", work=kinder_work)
    assert [(change.student, change.old, change.new) for change in changes] == [
        ("ada", 3.0, 3.0),
        ("bob", 0.0, 1.5),
        ("eve", 0.0, 0.0),
    ]
    assert scores(course) == {"ada": 6.0, "bob": 3.5, "eve": 0.0}
    assert [row.status for row in run(course, work=_forbidden).rows] == ["recorded", "recorded", "unreadable"]
    record = records.Journal.of(course / "innervision", "tiny").read("bob")
    assert record is not None
    assert record["regraded"]["42.third"]["old"] == 0.0
    with pytest.raises(ValueError, match=r"42\.fourth") as error:
        regrade_exercise(course, "tiny", "42.fourth", isolation="process", work=kinder_work)
    assert str(error.value) == "exercise is '42.fourth'; it must be one of 42.first, 42.second, 42.third."


def kinder_work(task: object) -> object:
    """A mended grader: "wrong" is worth half of the third exercise, and the first is broken on purpose."""
    result = fake_work(task)
    for row in result.report["exercises"]:
        if row["id"] == "42.third" and row["status"] == "failed":
            row["points"] = 1.5
        if row["id"] == "42.first":
            row["points"] = 0.0
    return result


def test_a_grade_is_replayed_from_its_record(course: Path) -> None:
    run(course, seed=9)
    hand_in(course, "bob", submission())  # what he hands in later does not matter: the graded bytes were kept
    assert replay(course, "tiny", "bob", fake_work) == {}
    assert replay(course, "tiny", "bob", kinder_work) == {"42.first": (1.0, 0.0), "42.third": (0.0, 1.5)}
    with pytest.raises(ValueError, match=r"zoe") as error:
        replay(course, "tiny", "zoe", fake_work)
    assert str(error.value) == "student is 'zoe'; there is no record of tiny for this name."
