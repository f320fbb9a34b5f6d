"""Whose functions are the library's own, word for word or renamed? A hint to a person, never a score.

Solutions travel: from last year, from a repository, from the library itself. A short function says nothing, since
everyone who has the idea writes the same line. So only bodies of some length are compared, and one of them with names
of its own is no hint yet: it takes two, or the library's names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from innervision.classroom import paths
from innervision.classroom.autograded import read_template
from innervision.classroom.course_folder import open_course
from innervision.classroom.lessons import read_lesson
from innervision.classroom.similarity import own_code, shape
from innervision.classroom.stubs import library_function

# Nodes of a body's syntax tree; a line has about twelve. Below are functions of one to four plain lines, such as
# 02.channel (40) and 01.relu_threshold (20). Right answers in other styles never have the library's shape (a test).
FEWEST_NODES = 50


@dataclass(frozen=True)
class SolutionCopy:
    """A submission in which functions have the library's own shape.

    Attributes:
        exercises: Those exercises, longest first.
        same_names: Those of them in which the variables have the library's names, too.
        compared: How many exercises are long enough to say anything.
    """

    student: str
    exercises: tuple[str, ...]
    same_names: tuple[str, ...]
    compared: int


def solution_copies(course: Path | str, assignment: str, *, lesson: str | None = None) -> list[SolutionCopy]:
    """Compare all submissions of an assignment with the library. Nothing is run.

    Args:
        course: The course folder.
        assignment: Name of the assignment.
        lesson: Slug of the lesson, where the course folder does not say it.

    Returns:
        Who has two such functions, or one with the library's names; those with most of them first.
    """
    folder = open_course(course)
    slug = folder.lesson_of(assignment, lesson)
    name = folder.notebook_name(assignment, slug)
    template, ours = read_template(name, slug), solutions(slug)
    entries = folder.handed_in(assignment, name)
    found = [copied(entry.student, own_code(entry.read(), template), ours) for entry in entries]
    hints = [hint for hint in found if len(hint.exercises) > 1 or hint.same_names]
    return sorted(hints, key=lambda hint: (-len(hint.exercises), -len(hint.same_names), hint.student))


def solutions(lesson: str) -> dict[str, str]:
    """The library's functions of a lesson that are long enough to say something, by exercise, longest first."""
    tasks = read_lesson(lesson, paths.find_course()).tasks.values()
    sources = {task.exercise: library_function(task.function).source for task in tasks if task.function}
    nodes = {name: len(shape(source)) for name, source in sources.items()}
    ordered = sorted(sources, key=lambda name: (-nodes[name], name))
    return {name: sources[name] for name in ordered if nodes[name] >= FEWEST_NODES}


def copied(student: str, code: Mapping[str, str], ours: Mapping[str, str]) -> SolutionCopy:
    """Compare one student's code with the library's, both by exercise."""
    given = {name: code[name] for name in ours if name in code}
    alike = tuple(name for name, source in given.items() if shape(source) == shape(ours[name]))
    named = tuple(name for name in alike if shape(given[name], names=True) == shape(ours[name], names=True))
    return SolutionCopy(student, alike, named, len(ours))
