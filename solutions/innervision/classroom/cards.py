"""What ``check``, ``hint`` and ``progress`` look like: a card in a notebook, plain lines in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from innervision.classroom.progress import LessonProgress, Progress
from innervision.classroom.report import LOOKS, Result, printable
from innervision.classroom.wording import with_code

COLORS = {"passed": "#009e73", "partial": "#e69f00", "not done yet": "#767676"}  # the sign and the words say it too
WRONG = "#d55e00"
TITLES = {
    "passed": "all right",
    "partial": "partly right",
    "failed": "not right yet",
    "missing": "not found",
    "error": "stopped with an error",
    "forbidden": "this has to be your own",
}


def card(color: str, title: str, body: Iterable[str], foot: str = "") -> str:
    """HTML of a card; it takes the page's own colours for text and background, light or dark."""
    small = f'<div style="opacity:.7;font-size:85%">{foot}</div>' if foot else ""
    return (
        f'<div role="status" style="border-left:6px solid {color};padding:.4em .9em;margin:.3em 0;max-width:52em">'
        f"<strong>{title}</strong>{''.join(body)}{small}</div>"
    )


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The result of a check. As a number it is the score, which nbgrader reads.

    Attributes:
        result: Status, points and message; None for an id that the course does not have.
        seed: ``check(id, seed=…)`` with this number repeats the same inputs.
        notes: Warnings and other things that were noticed; they cost nothing.
    """

    result: Result | None
    seed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """One of ``report.LOOKS``: ``passed``, ``partial``, ``failed``, ``not done yet``, …"""
        return self.result.status if self.result else "missing"

    def __float__(self) -> float:
        return min(max(float(self.result.points), 0.0), float(self.result.max_points)) if self.result else 0.0

    def __repr__(self) -> str:
        return repr(float(self))

    def text(self) -> str:
        """The whole result in plain lines."""
        parts = [f"  {name}: {text}" for name, text in self._parts()]
        return "\n".join([*([self._title()] if self.result else []), *parts, *self._notes("  Note: ")])

    def _title(self) -> str:
        if self.result is None:
            return "?"
        result = self.result
        title = TITLES.get(result.status, result.status)
        points = f"{float(self):g} of {result.max_points:g} point{'' if result.max_points == 1 else 's'}"
        return f"{LOOKS[result.status][0]} {result.id}: {title}, {points}"

    def _parts(self) -> list[tuple[str, str]]:
        message = self.result.message if self.result else None
        return [(name, printable(text)) for name, text in message.lines()] if message else []

    def _notes(self, start: str) -> list[str]:
        return [(start if self.result else "") + printable(note) for note in self.notes]

    def _repr_html_(self) -> str:
        body = [f"<div><em>{name}:</em> {with_code(text)}</div>" for name, text in self._parts()]
        body += [f'<div style="white-space:pre-wrap">{escape(note)}</div>' for note in self._notes("Note: ")]
        foot = f"seed {self.seed}" if self._parts() and self.status != "not done yet" else ""
        return card(COLORS.get(self.status, WRONG), escape(self._title()), body, foot)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


@dataclass(frozen=True, repr=False)
class Hint:
    """One hint, or all of them once the last was opened.

    Attributes:
        number: Which hint is open, counted from 1; one more than there are shows all.
        note: A sentence about something else, for example an unknown id.
    """

    exercise: str
    number: int
    hints: tuple[str, ...]
    note: str = ""

    def __repr__(self) -> str:
        return ""

    def _parts(self) -> tuple[str, list[str]]:
        total = len(self.hints)
        if not total:
            return f"{self.exercise or 'hint()'}: no hint", []
        if self.number > total:
            return f"{self.exercise}: all {total} hints are open", list(self.hints)
        return f"{self.exercise}: hint {self.number} of {total}", [self.hints[self.number - 1]]

    def text(self) -> str:
        """The hint in plain lines."""
        title, hints = self._parts()
        return "\n".join([title, *(f"  {text}" for text in hints), *([f"  {self.note}"] if self.note else [])])

    def _repr_html_(self) -> str:
        title, hints = self._parts()
        lines = [*hints, *([self.note] if self.note else [])]
        return card("#56b4e9", escape(title), [f"<div>{with_code(text)}</div>" for text in lines])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self._repr_html_()}


@dataclass(frozen=True, repr=False)
class ProgressTable:
    """Lessons, exercises solved, points, hints used."""

    progress: Progress
    lessons: tuple[LessonProgress, ...]

    def __repr__(self) -> str:
        return ""

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The cells of the table, without its head."""
        return [
            (
                f"{lesson.slug[:2]} {lesson.title}",
                f"{lesson.solved} of {lesson.tasks}",
                f"{lesson.points:g} of {lesson.max_points:g}",
                str(lesson.hints),
            )
            for lesson in self.lessons
        ]

    def text(self) -> str:
        """The table in plain lines."""
        rows = [HEAD, *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *([self.progress.note] if self.progress.note else [])])

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="text-align:left">{name}</th>' for name in HEAD)
        cells = [[f'<td style="text-align:left">{escape(text)}</td>' for text in row] for row in self.rows()]
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
        note = f"<p>{escape(self.progress.note)}</p>" if self.progress.note else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self._repr_html_()}


HEAD = ("Lesson", "Solved", "Points", "Hints")
