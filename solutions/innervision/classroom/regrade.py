"""One exercise again for everybody, and any grade again from its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from innervision.classroom import records
from innervision.classroom.class_run import TIMEOUT
from innervision.classroom.class_session import ClassSession, open_session
from innervision.classroom.class_task import Task, run_task
from innervision.classroom.cluster import run_cluster
from innervision.classroom.pool import Work, run_pool
from innervision.classroom.records import Record
from innervision.classroom.rows import Row, complete, points


@dataclass(frozen=True)
class Change:
    """One student's points for the exercise, before and after; ``new`` is None where it could not be graded."""

    student: str
    old: float
    new: float | None
    reason: str = ""


def regrade_exercise(
    course: Path | str,
    assignment: str,
    exercise: str,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    isolation: str = "bwrap",
    students: Sequence[str] = (),
    timeout: float = TIMEOUT,
    report: Callable[[Change], None] | None = None,
    work: Work = run_task,
) -> list[Change]:
    """Grade one exercise again for everybody who has a record, after its grader was mended.

    The kept submissions are graded with the recorded seeds, so that only the grader differs. The other exercises keep
    their points, and the records then stand for the graders as they are now.

    Args:
        course, assignment, jobs, scheduler, isolation, students, timeout, work: As in ``grade_class``.
        exercise: Its id, for example "02.channel".
        report: Called for each student as it is finished.

    Raises:
        ValueError: The lesson has no such exercise, or nobody has a record.
    """
    with open_session(course, assignment) as run:
        if exercise not in dict(run.items):
            raise ValueError(f"exercise is {exercise!r}; it must be one of {', '.join(dict(run.items))}.")
        found = {record["student"]: record for record in run.journal.all()}
        chosen = {name: record for name, record in found.items() if name in students or not students}
        if not chosen:
            raise ValueError(f"assignment is {assignment!r}; nobody has been graded yet.")
        ready = {name: record for name, record in chosen.items() if run.journal.submission(record).is_file()}
        tasks = (_task(run, record, exercise, timeout, isolation) for record in ready.values())
        changes = []
        with closing(run_cluster(tasks, scheduler, work) if scheduler else run_pool(tasks, jobs, work)) as graded:
            for task, result in graded:
                record = chosen[task.student]
                old = float(_row(record["report"]["exercises"], exercise)["points"])
                if result.report is None:
                    change = Change(task.student, old, None, result.error)
                else:
                    rows, _ = complete(result.report, run.items)
                    change = _replace(run, record, _row(rows, exercise), task.data)
                changes.append(change)
                if report is not None:
                    report(change)
    return sorted(changes, key=lambda change: change.student)


def replay(course: Path | str, assignment: str, student: str, work: Work = run_task) -> dict[str, tuple[float, float]]:
    """Grade a kept submission again exactly as its record says: same bytes, same seed, same limits.

    Returns:
        Exercises whose points differ, with the recorded and the new points; empty when the grade is confirmed.

    Raises:
        ValueError: There is no record, or the kept submission is not the one that was graded.
    """
    with open_session(course, assignment) as run:
        record = run.journal.read(student)
        if record is None:
            raise ValueError(f"student is {student!r}; there is no record of {assignment} for this name.")
        data = run.journal.submission(record).read_bytes()
        if records.digest(data) != record["submission"]["sha256"]:
            raise ValueError(f"student is {student!r}; the kept submission is not the one that was graded.")
        limits = (record["timeout"], record["isolation"])
        result = work(Task(student, data, record["lesson"], record["seed"], *limits, hidden=(str(run.course.root),)))
        if result.report is None:
            raise ValueError(f"student is {student!r}; grading failed: {result.error}")
        rows, _ = complete(result.report, run.items)
        return records.differences(record, {"report": {"exercises": rows}})


def _task(run: ClassSession, record: Record, exercise: str, timeout: float, isolation: str) -> Task:
    data = run.journal.submission(record).read_bytes()
    about = {
        "lesson": record["lesson"],
        "seed": record["seed"],
        "grader": run.grader,
        "hidden": (str(run.course.root),),
    }
    return Task(record["student"], data, timeout=timeout, isolation=isolation, exercises=(exercise,), **about)


def _row(rows: Sequence[Row], exercise: str) -> Row:
    return next(row for row in rows if row["id"] == exercise)


def _replace(run: ClassSession, record: Record, row: Row, data: bytes) -> Change:
    exercises = record["report"]["exercises"]
    old = _row(exercises, row["id"])
    record["report"]["exercises"] = [row if other["id"] == row["id"] else other for other in exercises]
    record["regraded"][row["id"]] = {"old": old["points"], "new": row["points"], "grader": record["grader"]}
    record["grader"] = run.grader
    record["points"], record["max_points"] = points(record["report"]["exercises"])
    run.journal.write(record, data)
    run.delivery.deliver(record, data)
    return Change(record["student"], float(old["points"]), float(row["points"]))
