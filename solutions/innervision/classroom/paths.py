"""Where lessons and graders are, in a checkout and in an installed wheel alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import innervision

PACKAGE = Path(innervision.__file__).resolve().parent

_CODE_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n---\n(.*?)^---$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Course:
    """The folders of a course.

    Attributes:
        lessons: Holds ``NN-slug/lesson.md`` and the notebook built from it, ``NN-slug/lesson.ipynb``.
        graders: Holds ``test_NN_slug.py``.
        misconceptions: Holds ``NN_slug.py``: wrong answers, each with its sentence. May lack a lesson.
        alternatives: Holds ``NN_slug.py``: right answers in another style. May lack a lesson.
    """

    lessons: Path
    graders: Path
    misconceptions: Path
    alternatives: Path

    @classmethod
    def in_checkout(cls, root: Path) -> Course:
        """The course of a source checkout at ``root``."""
        tests = root / "tests"
        return cls(root / "course", tests / "graders", tests / "misconceptions", tests / "alternatives")

    @classmethod
    def in_wheel(cls, package: Path) -> Course:
        """The course inside the installed package at ``package``."""
        graders = package / "_graders"
        return cls(package / "_course", graders / "graders", graders / "misconceptions", graders / "alternatives")

    def slugs(self) -> list[str]:
        """Lessons in course order, for example ``["00-start-here", "02-feature-visualization"]``."""
        return sorted(path.parent.name for path in self.lessons.glob("[0-9][0-9]-*/lesson.md"))

    def lesson(self, slug: str) -> Path:
        """The one source of a lesson.

        Raises:
            ValueError: If the course has no such lesson.
        """
        if slug not in self.slugs():
            raise ValueError(f"slug is {slug!r}; it must be a lesson of this course: {', '.join(self.slugs())}.")
        return self.lessons / slug / "lesson.md"

    def notebook(self, slug: str) -> Path:
        """The student's notebook of a lesson, as the builder wrote it."""
        return self.lesson(slug).with_name("lesson.ipynb")

    def grader(self, slug: str) -> Path:
        """The pytest module that grades a lesson."""
        return self.graders / f"test_{_module_name(slug)}.py"

    def misconception(self, slug: str) -> Path:
        """The module of a lesson's misconceptions; it may not exist."""
        return self.misconceptions / f"{_module_name(slug)}.py"

    def alternative(self, slug: str) -> Path:
        """The module of a lesson's alternatives; it may not exist."""
        return self.alternatives / f"{_module_name(slug)}.py"

    def slug_of(self, exercise: str) -> str:
        """The lesson of an exercise or question id: ``"02.channel"`` → ``"02-feature-visualization"``.

        Raises:
            ValueError: If no lesson has that number.
        """
        number = exercise.partition(".")[0]
        for slug in self.slugs():
            if slug.partition("-")[0] == number:
                return slug
        lessons = ", ".join(self.slugs())
        raise ValueError(f"exercise is {exercise!r}; it must begin with the number of a lesson: {lessons}.")


def find_course() -> Course:
    """The course that belongs to this installation: of the checkout if there is one, else of the wheel."""
    root = PACKAGE.parents[1]
    if (root / "course").is_dir() and (root / "tests" / "graders").is_dir():
        return Course.in_checkout(root)
    return Course.in_wheel(PACKAGE)


def course_folder() -> Path:
    """The folder that holds this installation's lessons."""
    return find_course().lessons


def exercise_functions(lesson: Path) -> dict[str, str]:
    """The exercises that a lesson's source declares, in order: id → dotted path of the library function."""
    return {
        options["exercise"]: options["function"]
        for options in _cell_options(lesson)
        if "exercise" in options and "function" in options
    }


def item_order(lesson: Path) -> list[str]:
    """Ids of exercises and questions in the order of the lesson."""
    return [options.get("exercise") or options["question"] for options in _cell_options(lesson)]


def _cell_options(lesson: Path) -> Iterator[dict[str, str]]:
    """Top-level one-line options of the exercise and question cells. Needs no YAML and no jupytext."""
    for block in _CODE_CELL.findall(lesson.read_text(encoding="utf-8")):
        options = dict(re.findall(r"^(\w+):[ \t]*[\"']?([^\"'#\n]*?)[\"']?[ \t]*(?:#.*)?$", block, re.MULTILINE))
        if "exercise" in options or "question" in options:
            yield options


def _module_name(slug: str) -> str:
    return slug.replace("-", "_")
