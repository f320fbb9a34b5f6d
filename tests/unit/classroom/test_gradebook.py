"""nbgrader's gradebook: what people entered stays, late policies hold, writing twice changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.classroom.class_fakes import POINTS, course, lesson, scores

from innervision.classroom.autograded import read_template
from innervision.classroom.course_folder import open_course
from innervision.classroom.gradebook import ClassGradebook, Delivered

__all__ = ["course", "lesson"]  # fixtures

POLICY = """
from nbgrader.plugins import LateSubmissionPlugin

c = get_config()

class PerHour(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 3600

c.AssignLatePenalties.plugin_class = PerHour
"""

MODULE = POLICY.replace("c = get_config()", "").rpartition("c.Assign")[0]  # in a file of its own
NAMED = 'c = get_config()\nc.AssignLatePenalties.plugin_class = "own_policy.PerHour"\n'


def rows(first: float, second: float, third: float) -> dict[str, dict[str, object]]:
    points = zip(POINTS.items(), (first, second, third), strict=True)
    return {
        name: {"id": name, "points": got, "max_points": worth, "message": "a <i>&"} for (name, worth), got in points
    }


def write(course: Path, *points: float, timestamp: str = "") -> Delivered:
    with ClassGradebook(open_course(course), "tiny", read_template("tiny", "42-tiny")) as book:
        return book.write("ada", timestamp, rows(*points))


def test_scores_comments_and_cells_are_nbgraders(course: Path) -> None:
    delivered = write(course, 1.0, 0.5, 0.0)
    assert (delivered.score, delivered.penalty, delivered.manual) == (1.5, 0.0, ())
    with ClassGradebook(open_course(course), "tiny", read_template("tiny", "42-tiny")) as book:
        notebook = book.gradebook.find_submission_notebook("tiny", "tiny", "ada")
        assert {
            grade.name: (grade.auto_score, grade.max_score, grade.needs_manual_grade) for grade in notebook.grades
        } == {
            "42-first-check": (1.0, 1.0, False),
            "42-second-check": (0.5, 2.0, False),
            "42-third-check": (0.0, 3.0, False),
        }
        assert {comment.name: comment.auto_comment for comment in notebook.comments} == {
            "42-first": "a &lt;i>&amp;",
            "42-second": "a &lt;i>&amp;",
            "42-third": "a &lt;i>&amp;",
        }


def test_what_a_person_entered_stays(course: Path) -> None:
    write(course, 1.0, 0.5, 0.0)
    with ClassGradebook(open_course(course), "tiny", read_template("tiny", "42-tiny")) as book:
        grade = book.gradebook.find_grade("42-third-check", "tiny", "tiny", "ada")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 2.0, 0.25, False
        book.gradebook.find_comment("42-third", "tiny", "tiny", "ada").manual_comment = "well argued"
        book.gradebook.db.commit()
    same = write(course, 1.0, 0.5, 0.0)
    assert (same.score, same.manual, same.comments) == (3.75, ("42.third",), {"42.third": "well argued"})
    assert same.scores["42.third"] == 2.25
    with ClassGradebook(open_course(course), "tiny", read_template("tiny", "42-tiny")) as book:
        assert book.gradebook.find_grade("42-third-check", "tiny", "tiny", "ada").needs_manual_grade is False
    changed = write(course, 1.0, 0.5, 3.0)  # a new automatic score beside a manual one: a person should look again
    assert changed.score == 3.75
    with ClassGradebook(open_course(course), "tiny", read_template("tiny", "42-tiny")) as book:
        assert book.gradebook.find_grade("42-third-check", "tiny", "tiny", "ada").needs_manual_grade is True


@pytest.mark.parametrize(("policy", "penalty"), [("", 0.0), (POLICY, 2.0), (NAMED, 2.0)])
def test_late_submissions_follow_the_courses_own_policy(course: Path, policy: str, penalty: float) -> None:
    (course / "nbgrader_config.py").write_text(policy)
    (course / "own_policy.py").write_text(MODULE)
    write(course, 0.0, 0.0, 0.0)
    with ClassGradebook(open_course(course), "tiny", read_template("tiny", "42-tiny")) as book:
        book.gradebook.update_or_create_assignment("tiny", duedate="2026-11-22 10:00:00 UTC")
    late = write(course, 1.0, 2.0, 3.0, timestamp="2026-11-22 12:00:00 UTC")
    assert (late.score, late.penalty, late.seconds_late) == (6.0, penalty, 7200.0)
    capped = write(course, 1.0, 0.0, 0.0, timestamp="2026-11-22 12:00:00 UTC")
    assert capped.penalty == min(penalty, 1.0)
    in_time = write(course, 1.0, 2.0, 3.0, timestamp="2026-11-22 09:00:00 UTC")
    assert (in_time.penalty, in_time.seconds_late) == (0.0, 0.0)


def test_a_failure_in_the_middle_leaves_nothing(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(course, 1.0, 2.0, 3.0)
    monkeypatch.setattr(ClassGradebook, "_penalty", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(course, 0.0, 0.0, 0.0)
    assert scores(course) == {"ada": 6.0}


def test_a_policy_that_cannot_be_loaded_is_said_before_anything_is_written(course: Path) -> None:
    named = 'c.AssignLatePenalties.plugin_class = "nowhere.Policy"'
    (course / "nbgrader_config.py").write_text(f"c = get_config()\n{named}\n")
    before = (course / "gradebook.db").read_bytes()
    with pytest.raises(ValueError, match=r"^AssignLatePenalties.plugin_class cannot be loaded; it must name a class"):
        write(course, 1.0, 0.5, 0.0)
    assert (course / "gradebook.db").read_bytes() == before
