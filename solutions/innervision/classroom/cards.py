"""What ``check``, ``hint`` and ``progress`` look like: a card in a notebook, plain lines in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from innervision.classroom.instant import Verdict
from innervision.classroom.progress import LessonProgress, Progress

# One colour and one sign for each kind of result, so that nobody has to tell red from green.
LOOKS = {"passed": ("#0072b2", "✓"), "partial": ("#e69f00", "◐"), "not done yet": ("#767676", "○")}
WRONG = ("#d55e00", "✗")
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
        verdict: Status, points and messages.
        seed: ``check(id, seed=…)`` with this number repeats the same inputs.
        notes: Warnings and other things that were noticed; they cost nothing.
    """

    verdict: Verdict
    seed: int | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def unknown(cls, exercise: str, sentence: str) -> CheckResult:
        """The result for an id that the course does not have."""
        return cls(Verdict(exercise, "missing", 0.0, 0.0, 0), notes=(sentence,))

    @property
    def status(self) -> str:
        """``passed``, ``partial``, ``failed``, ``not done yet``, ``missing``, ``error`` or ``forbidden``."""
        return self.verdict.status

    def __float__(self) -> float:
        return min(max(float(self.verdict.points), 0.0), float(self.verdict.max_points))

    def __repr__(self) -> str:
        return repr(float(self))

    def text(self) -> str:
        """The whole result in plain lines."""
        lines = [self._title()]
        for finding in self.verdict.findings:
            lines += [f"  {finding.check}", *(f"    {name}: {text}" for name, text in finding.message.lines())]
        return "\n".join([*lines, *(f"  Note: {note}" for note in self.notes)])

    def _title(self) -> str:
        verdict = self.verdict
        if not verdict.total:
            return f"{WRONG[1]} {verdict.id}"
        title, met = TITLES.get(verdict.status, verdict.status), verdict.total - len(verdict.findings)
        checks = f", {met} of {verdict.total} checks met" if verdict.status in ("partial", "failed") else ""
        sign = LOOKS.get(verdict.status, WRONG)[1]
        return f"{sign} {verdict.id}: {title}, {float(self):g} of {verdict.max_points:g} points{checks}"

    def _repr_html_(self) -> str:
        body = []
        for finding in self.verdict.findings:
            rows = "".join(f"<div><em>{name}:</em> {escape(text)}</div>" for name, text in finding.message.lines())
            body.append(f'<div style="margin:.5em 0"><div>✗ {escape(finding.check)}</div>{rows}</div>')
        body += [f'<div style="white-space:pre-wrap">Note: {escape(note)}</div>' for note in self.notes]
        foot = f"seed {self.seed}" if self.verdict.findings and self.seed is not None else ""
        return card(LOOKS.get(self.status, WRONG)[0], escape(self._title()), body, foot)

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
            return f"{self.exercise}: no hint", []
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
        return card("#56b4e9", escape(title), [f"<div>{_code(text)}</div>" for text in lines])

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


def _code(text: str) -> str:
    """Escaped text with `code` between backquotes."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
