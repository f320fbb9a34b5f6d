"""Grades for other systems: csv, Canvas, Moodle. Scores are after manual grading and late penalties.

Sources:
    Canvas: "How do I import grades in the Gradebook?", Canvas Instructor Guide
    (https://community.canvaslms.com/t5/Instructor-Guide/How-do-I-import-grades-in-the-Gradebook/ta-p/807), and what
    its importer accepts (instructure/canvas-lms: lib/gradebook_importer.rb): the columns Student, ID, SIS User ID, SIS
    Login ID, Section in this order, then one for each assignment, with its points in a second row "Points Possible".
    A student is found by ID, else by SIS User ID, else by SIS Login ID, else by name.
    Moodle: "Grade import" (https://docs.moodle.org/405/en/Grade_import): a header row, a column that identifies the
    user (Email address, Username or ID number, mapped while importing), one column for each grade item; to keep
    feedback, import grade and feedback together.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from innervision.classroom.course_folder import CourseFolder, open_course
from innervision.classroom.records import Journal, write_durably

FORMATS = ("csv", "canvas", "moodle")
NAMED = 5  # students whom a warning names
NOTHING = "\0"  # no assignment has this name


@dataclass(frozen=True)
class Student:
    """Who a row is about; what is not known is ""."""

    id: str
    last_name: str = ""
    first_name: str = ""
    email: str = ""
    lms_user_id: str = ""

    @property
    def name(self) -> str:
        """As Canvas writes it: "Last, First", or the id where no name is known."""
        return ", ".join(filter(None, (self.last_name, self.first_name))) or self.id

    @property
    def full_name(self) -> str:
        """As people say it: "First Last", or "" where no name is known."""
        return " ".join(filter(None, (self.first_name, self.last_name)))


@dataclass(frozen=True)
class Score:
    """One student's result in one assignment. ``score`` is what counts: raw score less the penalty, never below 0."""

    raw: float
    penalty: float
    max_score: float
    timestamp: str = ""

    @property
    def score(self) -> float:
        """What counts."""
        return max(0.0, self.raw - self.penalty)


@dataclass(frozen=True)
class Grades:
    """All grades of a course: assignments with their highest score, students, a score for each pair that has one."""

    assignments: dict[str, float]
    students: list[Student]
    scores: dict[tuple[str, str], Score]


def export_grades(
    course: Path | str,
    to: str,
    *,
    assignments: Sequence[str] = (),
    path: Path | None = None,
    warn: Callable[[str], None] | None = None,
) -> Path:
    """Write the grades of a course to a file.

    Args:
        course: The course folder.
        to: "csv", "canvas" or "moodle".
        assignments: Only these; all when empty.
        path: Where to; ``<course>/innervision/grades-<to>.csv`` when None (``grades.csv`` for csv).
        warn: Called with one sentence where the other system may not find a student.

    Returns:
        Where it was written.

    Raises:
        ValueError: There is no such format or assignment, or nothing was graded.
    """
    if to not in FORMATS:
        raise ValueError(f"to is {to!r}; it must be one of {', '.join(FORMATS)}.")
    folder = open_course(course)
    grades = read_grades(folder, assignments)
    sentence = _nameless(folder, grades) if to == "moodle" else ""
    if sentence and warn is not None:
        warn(sentence)
    rows = {"csv": _csv, "canvas": _canvas, "moodle": _moodle}[to](grades)
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    target = path or folder.own("grades.csv" if to == "csv" else f"grades-{to}.csv")
    write_durably(target, text.getvalue().encode())
    return target


def read_grades(course: CourseFolder, assignments: Sequence[str] = ()) -> Grades:
    """Read what stands in nbgrader's gradebook, or in the records where there is none."""
    grades = _from_gradebook(course) if course.uses_nbgrader else _from_records(course)
    for name in assignments:
        if name not in grades.assignments:
            raise ValueError(f"assignment is {name!r}; it must be one of {', '.join(grades.assignments) or 'none'}.")
    if not grades.scores:
        raise ValueError(f"course is {str(course.root)!r}; nothing has been graded yet.")
    kept = {name: top for name, top in grades.assignments.items() if name in assignments or not assignments}
    return Grades(kept, grades.students, {pair: score for pair, score in grades.scores.items() if pair[0] in kept})


def student_names(course: Path | str) -> dict[str, str]:
    """Names by student id, as far as nbgrader's gradebook knows them; empty for plain folders."""
    folder = open_course(course)
    grades = _from_gradebook(folder, NOTHING) if folder.uses_nbgrader else None
    return {each.id: each.full_name for each in grades.students if each.full_name} if grades else {}


def gradebook_grades(course: CourseFolder, assignment: str) -> Grades | None:
    """What nbgrader's gradebook has of one assignment; None for plain folders, which have no gradebook."""
    return _from_gradebook(course, assignment) if course.uses_nbgrader else None


def _from_gradebook(course: CourseFolder, only: str = "") -> Grades:
    from innervision.classroom.gradebook import open_gradebook

    with open_gradebook(course) as book:
        assignments = {each.name: float(each.max_score) for each in book.assignments if each.name == only or not only}
        students = [
            Student(
                each.id, *(value or "" for value in (each.last_name, each.first_name, each.email, each.lms_user_id))
            )
            for each in book.students
        ]
        scores = {}
        for name in assignments:
            for each in book.assignment_submissions(name):
                stamp = each.timestamp.isoformat(sep=" ") if each.timestamp else ""
                score = Score(float(each.score), float(each.late_submission_penalty or 0), float(each.max_score), stamp)
                scores[name, each.student.id] = score
    return Grades(dict(sorted(assignments.items())), sorted(students, key=lambda student: student.id), scores)


def _from_records(course: CourseFolder) -> Grades:
    folder = course.own("records")
    assignments: dict[str, float] = {}
    scores: dict[tuple[str, str], Score] = {}
    for path in sorted(folder.iterdir() if folder.is_dir() else []):
        for record in Journal.of(course.own(), path.name).all() if path.is_dir() else []:
            assignments[path.name] = max(assignments.get(path.name, 0.0), record["max_points"])
            score = Score(record["points"], 0.0, record["max_points"], record["submission"]["timestamp"])
            scores[path.name, record["student"]] = score
    return Grades(assignments, [Student(name) for name in sorted({pair[1] for pair in scores})], scores)


def _csv(grades: Grades) -> list[list[str]]:
    header = ["assignment", "timestamp", "student_id", "last_name", "first_name", "email"]
    rows = [[*header, "raw_score", "late_submission_penalty", "score", "max_score"]]
    for assignment, top in grades.assignments.items():
        for student in grades.students:
            score = grades.scores.get((assignment, student.id), Score(0.0, 0.0, top))
            who = [student.id, student.last_name, student.first_name, student.email]
            numbers = [score.raw, score.penalty, score.score, top]
            rows.append([assignment, score.timestamp, *who, *(f"{number:g}" for number in numbers)])
    return rows


def _canvas(grades: Grades) -> list[list[str]]:
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *grades.assignments]
    possible = ["    Points Possible", "", "", "", "", *(f"{top:g}" for top in grades.assignments.values())]
    rows = [header, possible]
    for student in grades.students:
        scores = [_cell(grades, name, student.id) for name in grades.assignments]
        rows.append([student.name, student.lms_user_id, "", student.id, "", *scores])
    return rows


def _nameless(course: CourseFolder, grades: Grades) -> str:
    """Of whom Moodle would get no name or no e-mail address, and what to do; "" where there is nobody."""
    graded = {student for _, student in grades.scores}
    missing = [each.id for each in grades.students if each.id in graded and not (each.full_name and each.email)]
    if not missing:
        return ""
    who = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
    if not course.uses_nbgrader:
        return f"Plain folders hold no names and e-mail addresses ({who}); let Moodle map Username to the user name."
    return (
        f"{who} {'has' if len(missing) == 1 else 'have'} no name or no e-mail address in the gradebook; add them with "
        "`nbgrader db student add ID --first-name=… --last-name=… --email=…` and export again, or let Moodle map "
        "Username to the user name."
    )


def _moodle(grades: Grades) -> list[list[str]]:
    header = ["First name", "Last name", "Username", "ID number", "Email address"]
    header += [title for name in grades.assignments for title in (name, f"{name} (feedback)")]
    rows = [header]
    for student in grades.students:
        row = [student.first_name, student.last_name, student.id, student.lms_user_id, student.email]
        for name in grades.assignments:
            score = grades.scores.get((name, student.id))
            late = (
                f"{score.raw:g} points, {score.penalty:g} taken off for being late" if score and score.penalty else ""
            )
            row += [_cell(grades, name, student.id), late]
        rows.append(row)
    return rows


def _cell(grades: Grades, assignment: str, student: str) -> str:
    """A score, or nothing where nothing was handed in: an empty cell leaves the other system's grade alone."""
    score = grades.scores.get((assignment, student))
    return f"{score.score:g}" if score else ""
