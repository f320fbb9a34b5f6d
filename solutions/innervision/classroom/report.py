"""What came of a submission: as data, as a table on a terminal, and as a page that stands alone."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from innervision.classroom.messages import Message
from innervision.classroom.wording import with_code

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Sign, colour on a terminal, class on the page. The sign and the word carry the meaning; the colour only helps.
LOOKS = {
    "passed": ("✓", "green", "good"),
    "partial": ("◐", "yellow", "some"),
    "failed": ("✗", "red", "bad"),
    "not done yet": ("…", "blue", "open"),
    "missing": ("∅", "magenta", "bad"),
    "error": ("!", "red", "bad"),
    "timeout": ("◷", "red", "bad"),
    "forbidden": ("⊘", "red", "bad"),
}


@dataclass(frozen=True)
class Result:
    """One exercise or question.

    Attributes:
        status: One of ``LOOKS``.
        message: What the student reads; None if everything passed.
        seconds: Wall time of its grading.
    """

    id: str
    title: str
    status: str
    points: float
    max_points: float
    message: Message | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        message = None
        if self.message is not None:
            names = ("expected", "got", "cause", "next_step")
            message = {name: printable(getattr(self.message, name)) for name in names}
        return {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "points": self.points,
            "max_points": self.max_points,
            "message": message,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Report:
    """One submission. ``seed`` replays it: same submission, lesson and seed, same report, but for the seconds."""

    name: str
    lesson: str
    seed: int
    exercises: list[Result] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        """Points reached."""
        return sum(result.points for result in self.exercises)

    @property
    def max_points(self) -> float:
        """Points there are."""
        return sum(result.max_points for result in self.exercises)

    @property
    def passed(self) -> bool:
        """Whether every exercise and question passed."""
        return bool(self.exercises) and all(result.status == "passed" for result in self.exercises)

    @property
    def summary(self) -> str:
        """One line: ``02-feature-visualization: 7 of 31 points, 2 of 14 passed (seed 123)``."""
        done = sum(result.status == "passed" for result in self.exercises)
        counts = f"{done} of {len(self.exercises)} passed"
        return f"{self.lesson}: {self.points:g} of {self.max_points:g} points, {counts} (seed {self.seed})"

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON: no NaN, nothing that a terminal or a page would take for a command."""
        return {
            "name": printable(self.name),
            "lesson": self.lesson,
            "seed": self.seed,
            "points": self.points,
            "max_points": self.max_points,
            "passed": self.passed,
            "exercises": [result.to_dict() for result in self.exercises],
            "problems": [printable(problem) for problem in self.problems],
        }


def printable(text: str) -> str:
    """Text without control characters, which could move a terminal's cursor, and without lone surrogates."""
    clean = "".join(c if c == "\n" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean.encode("utf-8", "replace").decode("utf-8")


def table(report: Report) -> Table:
    """The report as a table for a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=f"{report.lesson} · {report.points:g} of {report.max_points:g} points", box=box.SIMPLE_HEAD)
    made.add_column("exercise", no_wrap=True)
    made.add_column("points", justify="right", no_wrap=True)
    made.add_column("status", no_wrap=True)
    made.add_column("message", overflow="fold")
    for result in report.exercises:
        sign, color, _ = LOOKS[result.status]
        message = Text()
        for name, part in result.message.lines() if result.message else []:
            message.append(f"{name}: ", style="bold")
            message.append(printable(part) + "\n")
        message.rstrip()
        points = f"{result.points:g}/{result.max_points:g}"
        made.add_row(result.id, points, Text(f"{sign} {result.status}", style=color), message)
    return made


def show(report: Report, console: Console) -> None:
    """Print the table, the problems and the summary."""
    from rich.text import Text

    console.print(table(report))
    for problem in report.problems:
        console.print(Text(f"Note: {printable(problem)}"))
    console.print(Text(report.summary))


def to_html(reports: Report | Sequence[Report]) -> str:
    """Reports as one HTML page without outside assets. All text is escaped."""
    reports = [reports] if isinstance(reports, Report) else list(reports)
    bodies = "\n".join(_section(report) for report in reports)
    title = " · ".join(dict.fromkeys(report.lesson for report in reports)) or "no report"
    return _PAGE.replace("{{title}}", _safe(title)).replace("{{style}}", _STYLE).replace("{{bodies}}", bodies)


def _section(report: Report) -> str:
    share = report.points / report.max_points if report.max_points else 0.0
    notes = "".join(f"<li>{with_code(printable(problem))}</li>" for problem in report.problems)
    rows = "\n".join(_row(result) for result in report.exercises)
    return f"""<section>
<header>
<p class="lesson">{_safe(report.lesson)}</p>
<h1>{report.points:g} <small>of {report.max_points:g} points</small></h1>
<div class="bar" role="img" aria-label="{share:.0%} of the points"><span style="width:{100 * share:.1f}%"></span></div>
<p class="about">{_safe(report.name)} · seed {report.seed}</p>
</header>
{f'<ul class="notes">{notes}</ul>' if notes else ""}
<ol>
{rows}
</ol>
</section>"""


def _row(result: Result) -> str:
    sign, _, look = LOOKS[result.status]
    parts = result.message.lines() if result.message else []
    message = "".join(f"<dt>{_safe(name)}</dt><dd>{with_code(printable(text))}</dd>" for name, text in parts)
    return f"""<li class="{look}">
<div class="head"><span class="sign" aria-hidden="true">{sign}</span><code>{_safe(result.id)}</code>
<span class="status">{result.status}</span><span class="points">{result.points:g} / {result.max_points:g}</span></div>
{f"<dl>{message}</dl>" if message else ""}
</li>"""


def _safe(text: str) -> str:
    return html.escape(printable(text))


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Inner Vision: {{title}}</title>
<style>
{{style}}
</style>
</head>
<body>
<main>
{{bodies}}
</main>
</body>
</html>
"""

_STYLE = """:root { --paper: #fbfaf7; --ink: #1d2430; --soft: #667085; --line: #e3e0d8; --card: #fff;
  --good: #00705a; --some: #8a6100; --bad: #b3361b; --open: #3a5fa8; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #e8e6e1; --soft: #98a2b3; --line: #2b313a;
  --card: #1b2027; --good: #4cc3a5; --some: #e0b04a; --bad: #f08a70; --open: #8fb0f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 50rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
section + section { margin-top: 4rem; }
.lesson { margin: 0; color: var(--soft); font-size: .85rem; font-weight: 600; letter-spacing: .04em; }
h1 { margin: .1rem 0 .7rem; font-size: 2.6rem; line-height: 1.1; font-variant-numeric: tabular-nums; }
h1 small { color: var(--soft); font-size: 1.1rem; font-weight: 400; }
.bar { height: .5rem; border-radius: 1rem; background: var(--line); overflow: hidden; }
.bar span { display: block; height: 100%; border-radius: 1rem; background: var(--good); }
.about { color: var(--soft); font-size: .85rem; }
.notes { margin: 1.2rem 0; padding: .8rem 1rem .8rem 2rem; border-left: 4px solid var(--some);
  background: var(--card); }
ol { margin: 1.5rem 0 0; padding: 0; list-style: none; display: grid; gap: .7rem; }
ol li { padding: .8rem 1rem; border: 1px solid var(--line); border-left: 4px solid var(--look); border-radius: 8px;
  background: var(--card); }
.good { --look: var(--good); } .some { --look: var(--some); }
.bad { --look: var(--bad); } .open { --look: var(--open); }
.head { display: flex; align-items: baseline; gap: .7rem; flex-wrap: wrap; }
.sign { width: 1.2rem; color: var(--look); font-weight: 700; text-align: center; }
.head code { font-size: 1rem; font-weight: 600; }
.status { color: var(--look); font-size: .9rem; }
.points { margin-left: auto; font-variant-numeric: tabular-nums; }
dl { margin: .7rem 0 .1rem 1.9rem; display: grid; grid-template-columns: 7rem 1fr; gap: .3rem .8rem;
  font-size: .95rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; margin-left: 0; } dd { margin-bottom: .4rem; } }"""
