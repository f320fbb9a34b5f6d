"""Feedback pages, the class report and exports: what they say, and what they must not."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from tests.unit.classroom.class_fakes import course, fake_work, lesson

from innervision.classroom.class_report import class_report
from innervision.classroom.class_run import ClassResult, StudentRow, grade_class
from innervision.classroom.class_table import class_table
from innervision.classroom.export import Grades, Score, Student, export_grades, student_names
from innervision.classroom.feedback import copy_marks, duration, feedback_page
from innervision.classroom.gradebook import Delivered

__all__ = ["course", "lesson"]  # fixtures


def record(student: str, *points: float, cause: str = "", seconds: float = 1.0) -> dict[str, object]:
    rows = []
    for place, got in enumerate(points):
        status = "passed" if got == 1 else "failed" if got == 0 else "partial"
        message = None if got == 1 else {"expected": "one", "got": "<img src=x onerror=alert(1)>", "cause": cause}
        about = {"id": f"42.e{place}", "title": f"e{place}", "status": status, "points": got, "max_points": 1.0}
        rows.append({**about, "message": message})
    return {
        "student": student,
        "assignment": "tiny",
        "lesson": "42-tiny",
        "status": "graded",
        "reason": "",
        "seed": 8675309,
        "points": sum(points),
        "max_points": float(len(points)),
        "report": {"problems": ["a <b>problem"], "exercises": rows},
        "times": {"seconds": seconds, "exercises": {"42.e0": seconds / 2, "42.e1": seconds / 4}},
    }


def test_a_page_has_no_seed_and_no_markup_of_the_student() -> None:
    page = feedback_page(record("ada", 1.0, 0.0, cause="mean over channels"))
    assert "8675309" not in page
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "a &lt;b&gt;problem" in page
    assert "mean over channels" in page
    assert "http" not in page  # it stands alone


def test_a_page_shows_what_the_gradebook_made_of_it() -> None:
    delivered = Delivered(1.75, 0.5, 90_000.0, {"42.e0": 1.0, "42.e1": 0.75}, ("42.e1",), {"42.e1": "good idea"})
    page = " ".join(feedback_page(record("ada", 1.0, 0.0), delivered).split())
    assert '<span class="big">1.25</span> of 2 points, after 0.5 points for being 1 day 1 h late' in page
    assert "0.75 / 1" in page
    assert "by hand" in page
    assert "good idea" in page


def test_a_page_has_names_and_titles_with_ids_beside_them(lesson: Path) -> None:
    delivered = Delivered(1.0, 0.0, 0.0, {}, (), {}, "Ada <Lovelace>")
    made = record("ada", 1.0)
    made["report"]["exercises"] += [{**made["report"]["exercises"][0], "id": "42.q_why", "title": "q_why"}]
    page = feedback_page(made, delivered)
    assert '<h1>Ada &lt;Lovelace&gt; <code class="soft">ada</code></h1>' in page
    assert '<p class="soft">Tiny · <code>tiny</code></p>' in page
    assert '<strong>Question: why</strong> <code class="soft">42.q_why</code>' in page
    assert "<h1>ada</h1>" in feedback_page(made)


def test_the_last_line_names_an_exercise_that_is_left_or_congratulates() -> None:
    assert 'run <code>check("42.e1")</code>' in feedback_page(record("ada", 1.0, 0.0))
    perfect = feedback_page(record("ada", 1.0, 1.0))
    assert "Every exercise has full points. Well done!" in perfect
    assert "check(" not in perfect


def unreadable(student: str, reason: str) -> dict[str, object]:
    made = record(student, 0.0, 0.0)
    rows = made["report"]["exercises"]
    message = {"expected": "the notebook", "got": reason, "cause": "", "next_step": "Hand it in again."}
    rows = [{**row, "status": "missing", "message": message} for row in rows]
    return {**made, "status": "unreadable", "reason": reason, "report": {"problems": [], "exercises": rows}}


def test_an_unreadable_submission_says_so_once_and_that_nothing_was_run() -> None:
    page = feedback_page(unreadable("eve", "eve.ipynb is not a notebook."))
    assert page.count("eve.ipynb is not a notebook.") == 1
    assert "So no exercise was run." in page
    assert "was run on inputs" not in page


def test_backquotes_are_code_on_every_page() -> None:
    made = record("ada", 0.0, cause="use `x < y` here")
    assert "use <code>x &lt; y</code> here" in feedback_page(made)
    assert "use <code>x &lt; y</code> here" in class_report("tiny", "42-tiny", [made]).to_html()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, ""), (30, "1 min"), (3660, "1 h 1 min"), (86400, "1 day"), (180_000, "2 days 2 h")]
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_statistics_of_a_class() -> None:
    records = [
        record("ada", 1.0, 1.0, seconds=3),
        record("bob", 1.0, 0.0, cause="mean over channels", seconds=9),
        record("cyd", 0.5, 0.0, cause="mean over channels"),
    ]
    report = class_report("tiny", "42-tiny", records, {"dan": "a worker was lost"})
    assert report.distribution() == [0, 0, 1, 0, 0, 1, 0, 0, 0, 1]
    hardest, easiest = report.items
    assert (hardest.id, hardest.solved, hardest.partly, hardest.wrong, hardest.open) == ("42.e1", 1, 0, 2, 0)
    assert hardest.difficulty == pytest.approx(2 / 3)
    assert hardest.discrimination == pytest.approx(0.5)  # of (1, 0, 0) with (1, 1, 0.5)
    assert easiest.difficulty == pytest.approx(1 / 6)
    assert [(cause.exercise, cause.text, cause.count) for cause in report.causes] == [
        ("42.e1", "mean over channels", 2),
        ("42.e0", "mean over channels", 1),
    ]
    assert [row["student"] for row in report.slowest] == ["bob", "ada", "cyd"]
    page = report.to_html({"bob": "renamed <b>"})
    assert "a worker was lost" in page
    assert "renamed &lt;b&gt;" in page


def gradebook() -> Grades:
    students = [Student("ada", "Lovelace", "Ada"), Student("bob"), Student("eve", "Evans", "Eve")]
    scores = {("tiny", "ada"): Score(1.75, 0.5, 2.0), ("tiny", "bob"): Score(1.0, 0.0, 2.0)}
    return Grades({"tiny": 2.0}, students, scores)


def test_what_counts_is_what_the_gradebook_has_and_unreadable_ones_are_no_grades(lesson: Path) -> None:
    records = [record("ada", 1.0, 0.5), record("bob", 1.0, 0.0), unreadable("eve", "it is empty.")]
    report = class_report("tiny", "42-tiny", records, grades=gradebook())
    ada, bob, eve = report.everyone
    assert (ada.name, ada.points, ada.by_hand, ada.penalty, ada.final) == ("Ada Lovelace", 1.5, 0.25, 0.5, 1.25)
    assert (bob.name, bob.final, eve.reason) == ("", 1.0, "it is empty.")
    assert report.totals == {"ada": 1.25, "bob": 1.0}
    assert sum(report.distribution()) == 2
    assert [item.open for item in report.items] == [0, 0]  # eve's rows say nothing about an exercise
    page = " ".join(report.to_html().split())
    assert "2 graded · 1 could not be read · 0 not graded" in page
    assert "<h1>Tiny</h1>" in page
    assert 'Ada Lovelace <code class="soft">ada</code></td><td class="number">1.5</td>' in page
    assert '<td class="number">+0.25</td><td class="number">−0.5</td><td class="number"><strong>1.25</strong>' in page
    assert page.count("it is empty.") == 1


def printed(result: ClassResult) -> str:
    from rich.console import Console

    console = Console(width=120, record=True, file=io.StringIO())
    console.print(class_table(result))
    return console.export_text()


def test_the_table_has_names_and_penalties_where_there_are_any(lesson: Path) -> None:
    late = StudentRow("ada", "graded", 9.0, 9.0, 7.2, name="Ada Lovelace", penalty=1.8, seconds_late=93_600.0)
    plain = StudentRow("bob", "graded", 9.0, 9.0, 9.0)
    text = printed(ClassResult("week1", "42-tiny", 1, [late, plain]))
    assert "Tiny · week1" in text
    assert "Ada Lovelace │ 9 / 9  │ 1 day 2 h, −1.8 │    7.2" in text
    head = printed(ClassResult("week1", "42-tiny", 1, [plain]))
    assert "late" not in head
    assert "name" not in head


def test_marks_of_the_exchange_are_carried_along(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "timestamp.txt").write_text("2026-11-22 10:00:00 UTC\n")
    (source / "submission_secret.txt").write_text("abc")
    copy_marks(source, target)
    assert (target / "timestamp.txt").read_text() == "2026-11-22 10:00:00 UTC"
    assert (target / "submission_secret.txt").read_text() == "abc"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"2026-99-99 25:00 UTC", b"1" * 20_000])
def test_marks_that_are_missing_or_broken_stop_nobodys_feedback(tmp_path: Path, content: bytes | None) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    if content is not None:
        (source / "timestamp.txt").write_bytes(content)
    copy_marks(source, target)
    assert (target / "timestamp.txt").read_bytes() == b""
    secret = (target / "submission_secret.txt").read_text()
    assert len(secret) == 128
    copy_marks(source, target)
    assert (target / "submission_secret.txt").read_text() == secret  # released again under the same name


def test_a_mark_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (tmp_path / "private").write_text("2026-11-22 10:00:00 UTC")
    (source / "timestamp.txt").symlink_to(tmp_path / "private")
    copy_marks(source, target)
    assert (target / "timestamp.txt").read_bytes() == b""


def test_an_empty_class_has_a_report_too() -> None:
    report = class_report("tiny", "42-tiny", [])
    assert report.distribution() == [0] * 10
    assert "0 graded" in report.to_html()


def plain_course(folder: Path) -> Path:
    from innervision.classroom.records import Journal

    for name, got in (("ada", 1.0), ("bob", 0.5)):
        journal = Journal.of(folder / "innervision", "tiny")
        about = {"format": 1, "submission": {"sha256": name, "timestamp": ""}}
        journal.write({**record(name, got, 1.0), **about}, b"x")
    return folder


def table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_exports_have_the_documented_columns(tmp_path: Path) -> None:
    course = plain_course(tmp_path)
    assert table(export_grades(course, "canvas")) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "tiny"],
        ["    Points Possible", "", "", "", "", "2"],
        ["ada", "", "", "ada", "", "2"],
        ["bob", "", "", "bob", "", "1.5"],
    ]
    assert table(export_grades(course, "moodle")) == [
        ["First name", "Last name", "Username", "ID number", "Email address", "tiny", "tiny (feedback)"],
        ["", "", "ada", "", "", "2", ""],
        ["", "", "bob", "", "", "1.5", ""],
    ]
    assert table(export_grades(course, "csv", path=tmp_path / "out.csv"))[1] == [
        *("tiny", "", "ada", "", "", ""),
        *("2", "0", "2", "2"),
    ]


def test_moodle_is_told_whom_it_may_not_find(tmp_path: Path, course: Path) -> None:
    warnings: list[str] = []
    export_grades(plain_course(tmp_path), "moodle", warn=warnings.append)
    assert warnings.pop() == (
        "Plain folders hold no names and e-mail addresses (ada, bob); let Moodle map Username to the user name."
    )
    export_grades(tmp_path, "csv", warn=warnings.append)
    grade_class(course, "tiny", jobs=1, isolation="process", work=fake_work)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for name in ("ada", "bob"):
            book.update_or_create_student(name, first_name="A", last_name="B", email="a@b.c")
    assert not warnings
    export_grades(course, "moodle", warn=warnings.append)
    assert warnings.pop() == (
        "eve has no name or no e-mail address in the gradebook; add them with `nbgrader db student add ID "
        "--first-name=… --last-name=… --email=…` and export again, or let Moodle map Username to the user name."
    )
    assert student_names(course) == {"ada": "A B", "bob": "A B"}
    assert student_names(tmp_path) == {}


def test_mistakes_of_an_export_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"xml") as error:
        export_grades(tmp_path, "xml")
    assert str(error.value) == "to is 'xml'; it must be one of csv, canvas, moodle."
    with pytest.raises(ValueError, match=r"nothing") as error:
        export_grades(tmp_path, "csv")
    assert str(error.value) == f"course is {str(tmp_path)!r}; nothing has been graded yet."
    with pytest.raises(ValueError, match=r"week9") as error:
        export_grades(plain_course(tmp_path), "csv", assignments=["week9"])
    assert str(error.value) == "assignment is 'week9'; it must be one of tiny."
