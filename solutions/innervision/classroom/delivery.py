"""From a record to where people look: gradebook, autograded notebook, feedback page."""

from __future__ import annotations

import contextlib
import json
from types import TracebackType
from typing import TYPE_CHECKING

from innervision.classroom.autograded import Template, autograded_notebook
from innervision.classroom.course_folder import CourseFolder
from innervision.classroom.feedback import copy_marks, feedback_page, write_feedback
from innervision.classroom.records import Record, write_durably

if TYPE_CHECKING:
    from innervision.classroom.gradebook import Delivered


class Delivery:
    """Delivers the records of one assignment. A context manager; doing it twice changes nothing."""

    def __init__(
        self, course: CourseFolder, assignment: str, template: Template, nbgrader_feedback: bool = True
    ) -> None:
        self.course, self.assignment, self.template = course, assignment, template
        self.nbgrader_feedback = nbgrader_feedback
        self.open = contextlib.ExitStack()

    def __enter__(self) -> Delivery:
        self.gradebook = None
        if self.course.uses_nbgrader:
            from innervision.classroom.gradebook import ClassGradebook

            self.gradebook = self.open.enter_context(ClassGradebook(self.course, self.assignment, self.template))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open.close()

    def deliver(self, record: Record, submission: bytes) -> Delivered | None:
        """Deliver one record.

        Returns:
            What stands in the gradebook afterwards; None for plain folders, which have none.
        """
        delivered = None
        if self.gradebook is not None:
            rows = {row["id"]: row for row in record["report"]["exercises"]}
            self._write_notebook(record, submission)
            delivered = self.gradebook.write(record["student"], record["submission"]["timestamp"], rows)
        page = feedback_page(record, delivered)
        write_feedback(self.course, record, page, into_nbgrader=self.nbgrader_feedback)
        return delivered

    def _write_notebook(self, record: Record, submission: bytes) -> None:
        student, rows = record["student"], {row["id"]: row for row in record["report"]["exercises"]}
        notebook = autograded_notebook(self.template, submission, rows, record["reason"])
        folder = self.course.step("autograded", self.assignment, student)
        text = json.dumps(notebook, ensure_ascii=False, indent=1)  # nbformat's own writer copies and validates again
        write_durably(folder / f"{self.template.name}.ipynb", text.encode())
        copy_marks(self.course.step("submitted", self.assignment, student), folder)
