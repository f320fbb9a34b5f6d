"""Grades into nbgrader's gradebook, through nbgrader's API: one transaction for each submission, all of it or nothing.

What a person entered (manual scores, extra credit, manual comments, extensions) is never touched. Writing the same
grade twice changes nothing, so an interrupted run is repaired by writing again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from nbgrader import utils
from nbgrader.api import BaseCell, Grade, Gradebook, GradeCell, MissingEntry, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.orm import with_polymorphic
from traitlets import TraitError

from innervision.classroom.autograded import Template
from innervision.classroom.course_folder import CourseFolder
from innervision.classroom.rows import Row, message_text

PATIENCE = 30_000  # milliseconds to wait while the formgrader holds the database


@dataclass(frozen=True)
class Delivered:
    """What stands in the gradebook after a grade was written.

    Attributes:
        score: Of the notebook, with manual scores and extra credit, before a penalty.
        penalty: For being late, by the course's own policy.
        seconds_late: 0 when in time, or where nbgrader knows no due date or no timestamp.
        scores: By exercise, as nbgrader counts them: a manual score wins.
        manual: Exercises whose score a person has entered.
        comments: What a person wrote, by exercise.
        name: The student's, as the gradebook knows it, or "".
    """

    score: float
    penalty: float
    seconds_late: float
    scores: Mapping[str, float]
    manual: tuple[str, ...]
    comments: Mapping[str, str]
    name: str = ""


class ClassGradebook:
    """The gradebook of one course, open for one assignment. A context manager."""

    def __init__(self, course: CourseFolder, assignment: str, template: Template) -> None:
        self.course, self.assignment, self.template = course, assignment, template

    def __enter__(self) -> ClassGradebook:
        self.late = self._late_policy()
        self.gradebook = open_gradebook(self.course)
        try:
            self._create_assignment()
        except BaseException:
            self.gradebook.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gradebook.close()

    def write(self, student: str, timestamp: str, rows: Mapping[str, Row]) -> Delivered:
        """Write one submission's scores and comments.

        Args:
            student: Student id; created if the gradebook does not know it.
            timestamp: nbgrader's timestamp of the submission, or "".
            rows: Verdicts by exercise.
        """
        with self._transaction() as book:
            known = book.update_or_create_student(student)
            name = " ".join(filter(None, (known.first_name, known.last_name)))
            when = {"timestamp": timestamp} if timestamp else {}
            with book.db.no_autoflush:  # a half-made submission would be flushed, with a warning
                submission = book.update_or_create_submission(self.assignment, student, **when)
            notebook = book.find_submission_notebook(self.template.name, self.assignment, student)
            cells = self._cells(book, notebook)  # as long as they are held, none is asked for one by one below
            worth = {cell.name: cell.max_score for cell in cells if isinstance(cell, GradeCell)}
            grades = {grade.name: grade for grade in notebook.grades}
            comments = {comment.name: comment for comment in notebook.comments}
            for item in self.template.items:
                row, grade, comment = rows.get(item.id), grades.get(item.check_cell), comments.get(item.answer_cell)
                if row is not None and grade is not None:  # not grade.max_score: each would be a query and a flush
                    _set_score(grade, float(row["points"]) / (item.max_points or 1.0) * (worth[grade.name] or 0.0))
                if row is not None and comment is not None:
                    comment.auto_comment = _as_comment(message_text(row)) or None
            book.db.flush()
            for changed in (submission, notebook, *notebook.comments):
                book.db.expire(changed)
            book.db.query(Grade).filter(Grade.notebook_id == notebook.id).populate_existing().all()
            seconds = float(submission.total_seconds_late)
            penalty = self._penalty(student, notebook, seconds)
            return self._delivered(notebook, penalty, seconds, name)

    @staticmethod
    def _cells(book: Gradebook, notebook: SubmittedNotebook) -> list[BaseCell]:
        every = with_polymorphic(BaseCell, "*")
        return list(book.db.query(every).filter(every.notebook_id == notebook.notebook_id))

    def _delivered(self, notebook: SubmittedNotebook, penalty: float, seconds_late: float, name: str) -> Delivered:
        grades = {grade.name: grade for grade in notebook.grades}
        comments = {comment.name: comment.manual_comment for comment in notebook.comments if comment.manual_comment}
        items = [item for item in self.template.items if item.check_cell in grades]
        return Delivered(
            score=float(notebook.score),
            penalty=penalty,
            seconds_late=seconds_late,
            scores={item.id: float(grades[item.check_cell].score) for item in items},
            manual=tuple(item.id for item in items if grades[item.check_cell].manual_score is not None),
            comments={item.id: comments[item.answer_cell] for item in items if item.answer_cell in comments},
            name=name,
        )

    def _penalty(self, student: str, notebook: SubmittedNotebook, seconds_late: float) -> float:
        """Apply the course's late policy, as nbgrader's own step does."""
        notebook.late_submission_penalty = None
        if seconds_late <= 0:
            return 0.0
        penalty = self.late.plugin_inst.late_submission_penalty(student, notebook.score, seconds_late)
        if penalty is None:
            return 0.0
        notebook.late_submission_penalty = self.late._check_late_penalty(notebook, penalty)
        return float(notebook.late_submission_penalty)

    def _late_policy(self) -> AssignLatePenalties:
        """The course's late policy, loaded before anything is graded.

        Raises:
            ValueError: It cannot be loaded.
        """
        try:
            with _importable(self.course.root):  # as nbgrader finds a policy beside its configuration
                step = AssignLatePenalties(config=self.course.config)
                step.init_plugin()
        except (TraitError, ImportError) as error:
            raise ValueError(
                "AssignLatePenalties.plugin_class cannot be loaded; it must name a class that can be imported, for "
                f"example from a file beside nbgrader_config.py ({str(error).rpartition(', but ')[2][:200]})."
            ) from None
        return step

    def _create_assignment(self) -> None:
        """Create what `nbgrader generate_assignment` would have created, where it was not run."""
        with self._transaction() as book:
            try:
                book.find_assignment(self.assignment)
            except MissingEntry:
                book.add_assignment(self.assignment, course_id=book.course_id)
            try:
                book.find_notebook(self.template.name, self.assignment)
            except MissingEntry:
                self._create_notebook(book)

    def _create_notebook(self, book: Gradebook) -> None:
        name, assignment = self.template.name, self.assignment
        kernel = json.dumps(self.template.notebook.metadata.get("kernelspec", {}))
        book.add_notebook(name, assignment, kernelspec=kernel)
        for identifier, cell in self.template.graded_cells.items():
            kind = {"cell_type": cell.cell_type}
            if utils.is_grade(cell):
                book.add_grade_cell(
                    identifier, name, assignment, max_score=float(cell.metadata.nbgrader.points), **kind
                )
            if utils.is_solution(cell):
                book.add_solution_cell(identifier, name, assignment)
            source = {"locked": utils.is_locked(cell), "source": cell.source, "checksum": utils.compute_checksum(cell)}
            book.add_source_cell(identifier, name, assignment, **kind, **source)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Gradebook]:
        """Everything inside, or nothing. nbgrader's API commits after each step; here those commits end nothing.

        See "Joining a Session into an External Transaction" in SQLAlchemy's manual for ``rollback_only``.
        """
        book = self.gradebook
        book.db.remove()
        with book.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {PATIENCE}")
                connection.rollback()
            with connection.begin():
                book.db.configure(bind=connection, join_transaction_mode="rollback_only")
                try:
                    yield book
                    book.db.commit()
                finally:
                    book.db.remove()
                    book.db.configure(bind=book.engine, join_transaction_mode="conditional_savepoint")


def open_gradebook(course: CourseFolder) -> Gradebook:
    """Open a course's gradebook, a context manager; an empty one is created where there is none."""
    with _alembic_on_path():
        return Gradebook(course.nbgrader.db_url, course.nbgrader.course_id)


def _set_score(grade: Any, score: float) -> None:
    """Set the automatic score; as in nbgrader, a new one beside a manual one asks for a person."""
    changed = grade.auto_score is None or abs(grade.auto_score - score) > 1e-9
    if grade.manual_score is None:
        grade.needs_manual_grade = False
    elif changed:
        grade.needs_manual_grade = True
    if changed:
        grade.auto_score = score


def _as_comment(text: str) -> str:
    """nbgrader renders comments as Markdown and lets HTML and links through; a student's own text must stay text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("](", "] (").replace("]:", "] :")


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextlib.contextmanager
def _alembic_on_path() -> Iterator[None]:
    """nbgrader finds alembic through PATH, where an environment that was not activated is not."""
    before = os.environ.get("PATH", "")
    folders = [sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    if shutil.which("alembic") is None:
        os.environ["PATH"] = os.pathsep.join([*folders, before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
