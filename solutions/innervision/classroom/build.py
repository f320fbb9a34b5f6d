"""Build every lesson of a course: write its notebooks, or say which committed ones are stale.

``innervision notebooks`` calls ``build_course``; needs jupytext and nbformat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from innervision.classroom import builder, nbgrader_source
from innervision.classroom.exercises import Graders, Question, load_graders
from innervision.classroom.paths import PACKAGE, Course, find_course

NAME = "lesson.ipynb"


@dataclass(frozen=True)
class Outcome:
    """What a build did.

    Attributes:
        written: Notebooks that were new or changed.
        unchanged: Student notebooks that were up to date.
        stale: Student notebooks that differ from their lesson.md; only when checking.
    """

    written: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    stale: tuple[Path, ...]


def build_course(
    course: Course | None = None, output: Path | None = None, *, slugs: Sequence[str] = (), check: bool = False
) -> Outcome:
    """Build the student notebooks, the nbgrader sources and the solved notebooks.

    Args:
        course: Where lessons and graders are; this installation's own when None.
        output: Folder for ``nbgrader/`` and ``solved/``; ``build`` of the checkout when None.
        slugs: Lessons to build; all when empty.
        check: Write nothing; find student notebooks that are stale.

    Raises:
        LessonError: A lesson cannot be built; every problem of it is listed.
    """
    course = course or find_course()
    output = output or PACKAGE.parents[1] / "build"
    written, unchanged, stale = [], [], []
    for slug in slugs or course.slugs():
        built = build_lesson(slug, course)
        student = course.notebook(slug)
        if student.is_file() and student.read_text(encoding="utf-8") == builder.notebook_text(built.student):
            unchanged.append(student)
        elif check:
            stale.append(student)
        else:
            builder.write_notebook(built.student, student)
            written.append(student)
        if not check:
            builder.write_notebook(built.source, output / "nbgrader" / "source" / slug / NAME)
            builder.write_notebook(built.solved, output / "solved" / slug / NAME)
    if not check:
        nbgrader_source.write_config(output / "nbgrader")
    return Outcome(tuple(written), tuple(unchanged), tuple(stale))


def build_lesson(slug: str, course: Course | None = None) -> builder.Built:
    """Build the three notebooks of one lesson, with points and answers from its graders."""
    course = course or find_course()
    return builder.build(course.lesson(slug), tasks_of(load_graders(slug, course)))


def tasks_of(graders: Graders) -> dict[str, builder.Task]:
    """Return what the builder needs to know from the graders of a lesson."""
    exercises = {item: builder.Task(graders.points(item)) for item in graders.exercises}
    questions = {item: builder.Task(asked.points, _answer_code(asked)) for item, asked in graders.questions.items()}
    return exercises | questions


def _answer_code(question: Question) -> str:
    """Code of the right answer. A measured number is written with the digits that its tolerance asks for."""
    answer = question.answer() if callable(question.answer) else question.answer
    return repr(float(f"{answer:.6g}") if isinstance(answer, float) else answer)
