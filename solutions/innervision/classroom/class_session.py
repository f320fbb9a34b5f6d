"""What belongs together while one assignment of a course is graded, and what is recorded of each submission."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from innervision.classroom import records
from innervision.classroom.autograded import Template, read_template
from innervision.classroom.course_folder import CourseFolder, HandedIn, open_course
from innervision.classroom.delivery import Delivery
from innervision.classroom.records import Journal, Record
from innervision.classroom.rows import complete, points


@dataclass(frozen=True)
class ClassSession:
    """A course, open for one assignment."""

    course: CourseFolder
    assignment: str
    template: Template
    journal: Journal
    delivery: Delivery
    grader: str

    @property
    def items(self) -> list[tuple[str, float]]:
        """Id and points of each exercise and question."""
        return [(item.id, item.max_points) for item in self.template.items]


@contextlib.contextmanager
def open_session(
    course: Path | str, assignment: str, lesson: str | None = None, nbgrader_feedback: bool = True
) -> Iterator[ClassSession]:
    """Open a course for one assignment, as its only writer."""
    folder = open_course(course)
    slug = folder.lesson_of(assignment, lesson)
    name = folder.notebook_name(assignment, slug)
    released = folder.step("release", assignment) / f"{name}.ipynb" if folder.uses_nbgrader else None
    template = read_template(name, slug, released)
    journal = Journal.of(folder.own(), assignment)
    folder.handed_in(assignment, name)  # says that there is nothing before anything is written
    with records.only_writer(folder.own()), Delivery(folder, assignment, template, nbgrader_feedback) as delivery:
        yield ClassSession(folder, assignment, template, journal, delivery, records.grader_digest(slug))


def make_record(
    session: ClassSession, entry: HandedIn, data: bytes, report: dict[str, Any], about: dict[str, Any]
) -> Record:
    """Put a record together. ``about`` holds seed, timeout, isolation, versions and times."""
    rows, seconds = complete(report, session.items)
    reached, of = points(rows)
    problems = [str(problem) for problem in report.get("problems", [])]
    unreadable = bool(problems) and all(row["status"] == "missing" for row in rows)
    return {
        "format": records.FORMAT,
        "assignment": session.assignment,
        "lesson": session.template.lesson,
        "notebook": session.template.name,
        "student": entry.student,
        "submission": {"sha256": records.digest(data), "bytes": len(data), "timestamp": entry.timestamp},
        "grader": session.grader,
        **about,
        "status": "unreadable" if unreadable else "graded",
        "reason": problems[0] if unreadable else "",
        "note": entry.note,
        "points": reached,
        "max_points": of,
        "report": {"problems": problems[unreadable:], "exercises": rows},
        "regraded": {},
        "times": {**about["times"], "exercises": seconds},
    }


def clock(seconds: float, where: str) -> dict[str, Any]:
    """What a record says about when and where: the only part that differs between two gradings with one seed."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"graded": now, "seconds": round(seconds, 3), "where": where}
