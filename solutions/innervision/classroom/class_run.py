"""Grade a class: every submission gets a row with a reason, and none can stop the others.

Grading happens in other processes (a pool, or a cluster); this process alone writes. For each submission, in this
order: the record, then what follows from it (gradebook, autograded notebook, feedback page). Each step can be repeated,
so a run that was killed is finished by running it again: what is recorded is not graded twice, and what was not
delivered yet is delivered.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from innervision.classroom import records
from innervision.classroom.class_report import class_report
from innervision.classroom.class_session import ClassSession, clock, make_record, open_session
from innervision.classroom.class_task import ISOLATIONS, Result, Task, require_sandbox, run_task, versions
from innervision.classroom.cluster import run_cluster
from innervision.classroom.course_folder import HandedIn
from innervision.classroom.export import gradebook_grades
from innervision.classroom.pool import Work, run_pool
from innervision.classroom.records import Record
from innervision.classroom.rows import missing, points

TIMEOUT = 10.0


@dataclass(frozen=True)
class StudentRow:
    """What became of one submission.

    Attributes:
        status: "graded" now, "recorded" before and still valid, "unreadable" (no points), "not graded" (our failure).
        points: As graded, before penalties and manual scores; None where not graded.
        final: After them, where there is a gradebook; else equal to ``points``.
        reason: One sentence: what to know about this submission, or "".
        seconds: Time that grading took.
        name: The student's, where the gradebook knows it.
        penalty: Points taken off for being late.
        seconds_late: 0 when in time, or where there is no gradebook.
    """

    student: str
    status: str
    points: float | None
    max_points: float
    final: float | None
    reason: str = ""
    seconds: float = 0.0
    name: str = ""
    penalty: float = 0.0
    seconds_late: float = 0.0


@dataclass
class ClassResult:
    """What became of a class; ``rows`` are sorted by student."""

    assignment: str
    lesson: str
    seed: int
    rows: list[StudentRow] = field(default_factory=list)
    seconds: float = 0.0
    report: Path | None = None

    @property
    def failed(self) -> list[StudentRow]:
        """Those that could not be graded, for no fault of the student."""
        return [row for row in self.rows if row.status == "not graded"]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "report": str(self.report) if self.report else None}


Progress = Callable[[StudentRow, int, int], None]  # a row, how many are finished, how many there are


def grade_class(
    course: Path | str,
    assignment: str,
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    isolation: str = "bwrap",
    seed: int | None = None,
    students: Sequence[str] = (),
    lesson: str | None = None,
    timeout: float = TIMEOUT,
    force: bool = False,
    nbgrader_feedback: bool = True,
    report: Progress | None = None,
    work: Work = run_task,
) -> ClassResult:
    """Grade every submission of an assignment.

    Args:
        course: The course folder, in nbgrader's layout or with plain folders.
        assignment: Name of the assignment.
        jobs: Processes on this machine; all cores when None.
        scheduler: Address of a Dask scheduler; then its workers grade, and ``jobs`` is not used.
        isolation: "bwrap", or "process" where there is no bubblewrap.
        seed: Seed of every scenario, the same for the whole class; drawn freshly when None. A seed that differs from
            the recorded one grades again.
        students: Only these; all when empty.
        lesson: Slug of the lesson, where the course folder does not say it.
        timeout: Seconds that one exercise may take.
        force: Grade also what is recorded and valid.
        nbgrader_feedback: Put the feedback pages into nbgrader's feedback folder too.
        report: Called for each submission as it is finished.
        work: What grades one task; a module-level function.

    Raises:
        ValueError: The course, the assignment, a student or an option is not what it must be.
    """
    if isolation not in ISOLATIONS:
        raise ValueError(f"isolation is {isolation!r}; it must be one of {', '.join(ISOLATIONS)}.")
    if isolation == "bwrap" and scheduler is None:
        require_sandbox()
    start = time.monotonic()
    with open_session(course, assignment, lesson, nbgrader_feedback) as run:
        entries = run.course.handed_in(assignment, run.template.name, students)
        chosen = _seed_of(run, seed)
        result = ClassResult(assignment, run.template.lesson, chosen)
        options = {"seed": chosen, "timeout": timeout, "isolation": isolation}
        records.write_durably(run.journal.run, records.dump({"seed": chosen, "finished": False, "failures": {}}))
        todo = []

        def add(row: StudentRow) -> None:
            result.rows.append(row)
            if report is not None:
                report(row, len(result.rows), len(entries))

        for entry in entries:
            settled = _settled(run, entry, seed, options, force)
            add(settled) if settled is not None else todo.append(entry)
        by_student = {entry.student: entry for entry in todo}
        tasks = _tasks(run, todo, options, add)
        graded = (
            run_cluster(tasks, scheduler, work) if scheduler else run_pool(tasks, jobs or os.cpu_count() or 1, work)
        )
        with contextlib.closing(graded):
            for task, outcome in graded:
                add(_finish(run, by_student[task.student], task, outcome))
        result.rows.sort(key=lambda row: row.student)
        result.seconds = time.monotonic() - start
        result.report = _close(run, result)
    return result


def _seed_of(run: ClassSession, seed: int | None) -> int:
    """The seed asked for, else that of an interrupted run, so that the class stays comparable, else a new one."""
    state = run.journal.read_run()
    if seed is None and state.get("finished") is False and isinstance(state.get("seed"), int):
        return int(state["seed"])
    return secrets.randbits(32) if seed is None else seed


def _settled(
    run: ClassSession, entry: HandedIn, seed: int | None, options: dict[str, Any], force: bool
) -> StudentRow | None:
    """The row of a submission that needs no grading, or None. What can fail here fails for one student."""
    try:
        data = entry.read()
    except OSError as error:
        return _not_graded(run, entry.student, f"{entry.path} cannot be read: {error.strerror}.")
    record = run.journal.read(entry.student)
    if entry.problem:
        rows = [missing(name, worth, entry.problem) for name, worth in run.items]
        about = {**options, "versions": versions(), "times": clock(0.0, "")}
        record = make_record(run, entry, data, {"exercises": rows, "problems": [entry.problem]}, about)
        return _record(run, record, data)
    sha256 = records.digest(data)
    if force or record is None or not records.is_current(record, sha256=sha256, grader=run.grader, seed=seed):
        return None
    return _deliver(run, record, data, "recorded")


def _tasks(
    run: ClassSession, entries: Sequence[HandedIn], options: dict[str, Any], add: Callable[[StudentRow], None]
) -> Iterator[Task]:
    """Tasks, read from disk one by one as they are needed."""
    for entry in entries:
        try:
            data = entry.read()
        except OSError as error:
            add(_not_graded(run, entry.student, f"{entry.path} cannot be read: {error.strerror}."))
            continue
        hidden = (str(run.course.root),)
        yield Task(entry.student, data, run.template.lesson, grader=run.grader, hidden=hidden, **options)


def _finish(run: ClassSession, entry: HandedIn, task: Task, result: Result) -> StudentRow:
    if result.report is None:
        return _not_graded(run, entry.student, result.error, result.detail)
    about = {"seed": task.seed, "timeout": task.timeout, "isolation": task.isolation, "versions": result.versions}
    about["times"] = clock(result.seconds, result.where)
    return _record(run, make_record(run, entry, task.data, result.report, about), task.data)


def _record(run: ClassSession, record: Record, data: bytes) -> StudentRow:
    try:
        run.journal.write(record, data)
    except OSError as error:
        return _not_graded(run, record["student"], f"The record could not be written: {error.strerror}.")
    return _deliver(run, record, data, record["status"])


def _deliver(run: ClassSession, record: Record, data: bytes, status: str) -> StudentRow:
    final, remark = record["points"], ""
    late: dict[str, Any] = {}
    try:
        delivered = run.delivery.deliver(record, data)
        if delivered is not None:
            final = delivered.score - delivered.penalty
            late = {"name": delivered.name, "penalty": delivered.penalty, "seconds_late": delivered.seconds_late}
    except Exception as error:
        remark = (
            f"Graded and recorded, but not delivered ({type(error).__name__}: {error}); grade again to repeat that."
        )
    status = "unreadable" if record["status"] == "unreadable" else status
    reason = " ".join(filter(None, [record["reason"], record["note"], *record["report"]["problems"], remark]))
    student, seconds = record["student"], float(record["times"]["seconds"])
    return StudentRow(student, status, record["points"], record["max_points"], final, reason, seconds, **late)


def _not_graded(run: ClassSession, student: str, reason: str, detail: str = "") -> StudentRow:
    if detail:
        with contextlib.suppress(OSError):
            records.write_durably(run.course.own("failures", run.assignment, f"{student}.txt"), detail.encode())
    return StudentRow(student, "not graded", None, points([missing(*item) for item in run.items])[1], None, reason)


def _close(run: ClassSession, result: ClassResult) -> Path:
    """Write the class report, then say that the run came to its end."""
    failures = {row.student: row.reason for row in result.failed}
    grades = gradebook_grades(run.course, run.assignment)
    page = class_report(run.assignment, run.template.lesson, run.journal.all(), failures, grades)
    remarks = {row.student: row.reason for row in result.rows}
    path = run.course.own("reports", f"{run.assignment}.html")
    records.write_durably(path, page.to_html(remarks).encode())
    state = {"seed": result.seed, "finished": not failures, "failures": failures}
    records.write_durably(run.journal.run, records.dump(state))
    return path
