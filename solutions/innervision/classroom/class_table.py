"""The table that `innervision grade` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from innervision.classroom.feedback import duration
from innervision.classroom.wording import lesson_title

if TYPE_CHECKING:
    from rich.table import Table

    from innervision.classroom.class_run import ClassResult, StudentRow

STYLES = {"graded": "", "recorded": "dim", "unreadable": "yellow", "not graded": "bold red"}


def class_table(result: ClassResult) -> Table:
    """A row for every submission. Names and lateness have columns where somebody has a name or was late."""
    from rich.markup import escape
    from rich.table import Table

    named, late = any(row.name for row in result.rows), any(row.seconds_late for row in result.rows)
    table = Table(title=f"{lesson_title(result.lesson)} · {result.assignment}")
    heads = ("student", *["name"] * named, "points", *["late"] * late, "counts", "status", "remark")
    for head in heads:
        table.add_column(head, justify="right" if head == "counts" else "left")
    for row in result.rows:
        points = "–" if row.points is None else f"{row.points:g} / {row.max_points:g}"
        final = "–" if row.final is None else f"{row.final:g}"
        names, lateness = [escape(row.name)] * named, [_late(row)] * late
        cells = (escape(row.student), *names, points, *lateness, final, row.status, escape(row.reason))
        table.add_row(*cells, style=STYLES[row.status])
    return table


def _late(row: StudentRow) -> str:
    """How late, and what that cost: "1 day 2 h, −1.8"."""
    taken = f", −{row.penalty:g}" if row.penalty else ""
    return f"{duration(row.seconds_late)}{taken}"
