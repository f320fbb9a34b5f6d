"""``check``, ``hint`` and ``progress``: what a student calls in a notebook.

``check`` runs the graders of one exercise in the notebook's own process, for an answer within a second. Where a grade
counts, ``grading.py`` runs the same graders with the student's code in a process of its own.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from innervision.classroom import progress as kept
from innervision.classroom.cards import CheckResult, Hint, ProgressTable
from innervision.classroom.exercises import Graders, load_graders
from innervision.classroom.grading import grade_item
from innervision.classroom.judge import Trusted
from innervision.classroom.lessons import closest, read_lesson
from innervision.classroom.paths import find_course, item_order
from innervision.classroom.quiet import keep_quiet
from innervision.classroom.student import Answer, InProcess, Request

T = TypeVar("T", CheckResult, Hint, ProgressTable)

_opened: dict[str, int] = {}  # hints opened by this process; the file may be out of reach


def check(exercise: str = "", *, seed: int | None = None) -> CheckResult:
    """Check your solution of one exercise, or your answer to one question.

    Args:
        exercise: Its id, for example "02.channel".
        seed: Replays a check with the same inputs; a fresh one when None.

    Returns:
        Shown as a card in a notebook. ``float(result)`` is the score.
    """
    namespace = _namespace(sys._getframe(1).f_globals)
    slug = _lessons().get(exercise)
    if slug is None:
        return _shown(CheckResult(None, notes=(_unknown(exercise),)))
    seed = secrets.randbits(32) if seed is None else seed
    with keep_quiet() as written:
        graders = _graders(slug)
        run = Interruptible(namespace, graders.functions, graders.scenarios)
        result = grade_item(graders, Trusted(graders), run, exercise, seed)
    note = kept.record_check(exercise, result.points, result.max_points)
    return _shown(CheckResult(result, seed, (*written.notes(), *([note] if note else []))))


def hint(exercise: str = "") -> Hint:
    """Open the next hint for an exercise or question; after the last one, show them all again.

    Args:
        exercise: Its id, for example "02.channel".
    """
    slug = _lessons().get(exercise)
    if slug is None:
        return _shown(Hint(exercise, 0, (), _unknown(exercise)))
    hints = read_lesson(slug).tasks[exercise].hints
    before = kept.read_progress().tasks.get(exercise, kept.TaskProgress()).hints
    number = min(max(before, _opened.get(exercise, 0)) + 1, len(hints) + 1)
    _opened[exercise] = number
    note = kept.record_hint(exercise, min(number, len(hints)))
    return _shown(Hint(exercise, number, hints, note))


def progress() -> ProgressTable:
    """Show what you have solved so far, lesson by lesson."""
    found = kept.read_progress()
    return _shown(ProgressTable(found, tuple(kept.lesson_rows(found))))


class Interruptible(InProcess):
    """Stops at the first interrupt: who presses "stop" in an endless loop means all checks, not one scenario."""

    stopped: Answer | None = None

    def scenario(self, request: Request) -> Answer:
        """Run one scenario, unless the student has pressed stop."""
        answer = self.stopped or super().scenario(request)
        if answer.error.startswith("KeyboardInterrupt"):
            self.stopped = Answer("error", error="KeyboardInterrupt: it was stopped before it had an answer")
        return self.stopped or answer


def _unknown(exercise: str) -> str:
    if exercise == "":
        return 'Which one? Put its id between the parentheses, for example check("01.capture") or hint("01.capture").'
    return f"There is no exercise {exercise!r}; {closest(exercise, _lessons())}"


@cache
def _lessons() -> Mapping[str, str]:
    """The lesson of every exercise and question of the course."""
    course = find_course()
    return {item: slug for slug in course.slugs() for item in item_order(course.lesson(slug))}


@cache
def _graders(slug: str) -> Graders:
    return load_graders(slug)


def _ipython() -> Any:
    """The running IPython shell, if there is one; IPython is not imported for it."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None


def _namespace(caller: Mapping[str, Any]) -> Mapping[str, Any]:
    """The names of the notebook: IPython's when ``check`` was called from a cell, else the caller's."""
    shell = _ipython()
    return shell.user_ns if shell is not None else caller


def _shown(card: T) -> T:
    """A notebook shows the card by itself; a terminal reads it here."""
    if not hasattr(_ipython(), "kernel"):
        print(card.text())
    return card
