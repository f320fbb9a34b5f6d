"""What an instructor wants to know about a class: how hard was what, which mistakes were common, who needs a look."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from innervision.classroom.feedback import render
from innervision.classroom.records import Record
from innervision.classroom.rows import causes

BINS = 10
OPEN = ("not done yet", "missing")
SLOWEST = 5


@dataclass(frozen=True)
class ItemStatistics:
    """One exercise over the whole class.

    Attributes:
        difficulty: One minus the mean share of points, in [0, 1].
        solved, partly, wrong, open: Students with full points, some, none, or no attempt.
        discrimination: Correlation with the points on everything else, in [-1, 1]; None where one of them is constant.
    """

    id: str
    title: str
    difficulty: float
    solved: int
    partly: int
    wrong: int
    open: int
    discrimination: float | None


@dataclass(frozen=True)
class Cause:
    """A misconception, or another cause that was named, and how many students met it."""

    exercise: str
    text: str
    count: int


@dataclass(frozen=True)
class ClassReport:
    """Statistics of one assignment."""

    assignment: str
    lesson: str
    max_points: float
    totals: Mapping[str, float]
    items: tuple[ItemStatistics, ...]
    causes: tuple[Cause, ...]
    slowest: tuple[dict[str, Any], ...]
    unreadable: Mapping[str, str]
    failures: Mapping[str, str]

    def distribution(self) -> list[int]:
        """Number of students in ten equal bins of the share of points; the last one holds full points."""
        counts = [0] * BINS
        for total in self.totals.values():
            share = total / self.max_points if self.max_points else 0.0
            counts[min(int(share * BINS + 1e-9), BINS - 1)] += 1
        return counts

    def to_html(self, remarks: Mapping[str, str] | None = None) -> str:
        """One HTML page that needs nothing else.

        Args:
            remarks: By student, for the table of everyone.
        """
        totals, counts = list(self.totals.values()) or [0.0], self.distribution()
        labels = [f"{100 * i // BINS}–{100 * (i + 1) // BINS} %" for i in range(BINS)]
        everyone = [
            {"student": student, "points": total, "remark": (remarks or {}).get(student, "")}
            for student, total in self.totals.items()
        ]
        return render(
            "class_report.html",
            assignment=self.assignment,
            lesson=self.lesson,
            max_points=self.max_points,
            count=len(self.totals),
            median=statistics.median(totals),
            mean=statistics.fmean(totals),
            perfect=sum(total >= self.max_points > 0 for total in self.totals.values()),
            distribution=[
                {"label": label, "count": count, "width": 100 * count / (max(counts) or 1)}
                for label, count in zip(labels, counts, strict=True)
            ],
            items=[asdict(item) for item in self.items],
            causes=[asdict(cause) for cause in self.causes],
            slowest=self.slowest,
            unreadable=self.unreadable,
            failures=self.failures,
            everyone=everyone,
        )

    def tables(self) -> list[Any]:
        """The same for a terminal, as rich tables."""
        from rich.table import Table

        items = Table(
            "exercise", "difficulty", "solved", "partly", "wrong", "not tried", title="Exercises, hardest first"
        )
        for item in self.items:
            numbers = (item.solved, item.partly, item.wrong, item.open)
            items.add_row(item.id, f"{item.difficulty:.2f}", *map(str, numbers))
        named = Table("exercise", "cause", "students", title="Misconceptions and other causes")
        for cause in self.causes:
            named.add_row(cause.exercise, _plain(cause.text), str(cause.count))
        slow = Table("student", "seconds", "longest exercise", title="Slowest")
        for row in self.slowest:
            slow.add_row(_plain(row["student"]), f"{row['seconds']:.1f}", f"{row['exercise']} ({row['longest']:.1f} s)")
        return [items, named, slow] if self.causes else [items, slow]


def class_report(
    assignment: str, lesson: str, records: Sequence[Record], failures: Mapping[str, str] | None = None
) -> ClassReport:
    """Put the records of a class together.

    Args:
        assignment: Its name.
        lesson: Slug of its lesson.
        records: One for each graded submission.
        failures: Why others could not be graded, by student.
    """
    ordered = sorted(records, key=lambda record: str(record["student"]))
    named = Counter(
        (row["id"], cause)
        for record in ordered
        for row in record["report"]["exercises"]
        for cause in dict.fromkeys(causes(row))
        if row["status"] not in OPEN
    )
    return ClassReport(
        assignment=assignment,
        lesson=lesson,
        max_points=max((record["max_points"] for record in ordered), default=0.0),
        totals={record["student"]: record["points"] for record in ordered},
        items=tuple(sorted(_items(ordered), key=lambda item: (-item.difficulty, item.id))),
        causes=tuple(Cause(*key, count) for key, count in sorted(named.items(), key=lambda pair: (-pair[1], pair[0]))),
        slowest=tuple(_slowest(ordered)),
        unreadable={record["student"]: record["reason"] for record in ordered if record["status"] == "unreadable"},
        failures=dict(failures or {}),
    )


def _items(records: Sequence[Record]) -> list[ItemStatistics]:
    by_item: dict[str, list[tuple[Any, float]]] = {}
    for record in records:
        for row in record["report"]["exercises"]:
            by_item.setdefault(row["id"], []).append((row, record["points"] - row["points"]))
    found = []
    for name, pairs in by_item.items():
        rows = [row for row, _ in pairs]
        shares = [row["points"] / row["max_points"] if row["max_points"] else 0.0 for row in rows]
        tried = [share for share, row in zip(shares, rows, strict=True) if row["status"] not in OPEN]
        full, none = sum(share >= 1 for share in shares), sum(share <= 0 for share in tried)
        partly = sum(0 < share < 1 for share in shares)
        difficulty = 1 - statistics.fmean(shares)
        rest = [points for _, points in pairs]
        title = str(rows[0].get("title") or name)
        found.append(
            ItemStatistics(
                name, title, difficulty, full, partly, none, len(rows) - len(tried), _correlation(shares, rest)
            )
        )
    return found


def _correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    try:
        return statistics.correlation(first, second)
    except statistics.StatisticsError:  # fewer than two students, or all alike
        return None


def _slowest(records: Sequence[Record]) -> list[dict[str, Any]]:
    ordered = sorted(records, key=lambda record: -record["times"]["seconds"])[:SLOWEST]
    rows = []
    for record in ordered:
        exercise, longest = max(record["times"]["exercises"].items(), key=lambda pair: pair[1], default=("", 0.0))
        seconds = record["times"]["seconds"]
        rows.append({"student": record["student"], "seconds": seconds, "exercise": exercise, "longest": longest})
    return rows


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
