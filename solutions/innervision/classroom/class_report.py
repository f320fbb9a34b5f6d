"""What an instructor wants to know about a class: how hard was what, which mistakes were common, who needs a look."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from innervision.classroom.feedback import render
from innervision.classroom.records import Record
from innervision.classroom.rows import causes
from innervision.classroom.wording import item_title, lesson_title

if TYPE_CHECKING:
    from innervision.classroom.export import Grades

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

    A submission that could not be read says nothing about an exercise and is not counted.
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
class Standing:
    """What one submission is worth.

    Attributes:
        name: The student's, where the gradebook knows it, else "".
        points: As graded.
        by_hand: What a person has added to them or taken off.
        penalty: What being late took off.
        reason: Why the submission could not be read, else "".
    """

    student: str
    name: str
    points: float
    by_hand: float = 0.0
    penalty: float = 0.0
    reason: str = ""

    @property
    def final(self) -> float:
        """What counts."""
        return max(0.0, self.points + self.by_hand - self.penalty)


@dataclass(frozen=True)
class ClassReport:
    """Statistics of one assignment. Distribution, median and mean are of what counts, over all that could be read."""

    assignment: str
    lesson: str
    max_points: float
    everyone: tuple[Standing, ...]
    items: tuple[ItemStatistics, ...]
    causes: tuple[Cause, ...]
    slowest: tuple[dict[str, Any], ...]
    failures: Mapping[str, str]
    names: Mapping[str, str]

    @property
    def totals(self) -> dict[str, float]:
        """What counts, by student, of all submissions that could be read."""
        return {each.student: each.final for each in self.everyone if not each.reason}

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
        totals, counts = list(self.totals.values()), self.distribution()
        labels = [f"{100 * i // BINS}–{100 * (i + 1) // BINS} %" for i in range(BINS)]
        return render(
            "class_report.html",
            assignment=self.assignment,
            title=lesson_title(self.lesson),
            max_points=self.max_points,
            count=len(totals),
            median=statistics.median(totals or [0.0]),
            mean=statistics.fmean(totals or [0.0]),
            perfect=sum(total >= self.max_points > 0 for total in totals),
            distribution=[
                {"label": label, "count": count, "width": 100 * count / (max(counts) or 1)}
                for label, count in zip(labels, counts, strict=True)
            ],
            items=[asdict(item) for item in self.items],
            titles={item.id: item.title for item in self.items},
            causes=[asdict(cause) for cause in self.causes],
            slowest=self.slowest,
            unreadable=[each for each in self.everyone if each.reason],
            failures=self.failures,
            names=self.names,
            everyone=self.everyone,
            remarks=remarks or {},
        )


def class_report(
    assignment: str,
    lesson: str,
    records: Sequence[Record],
    failures: Mapping[str, str] | None = None,
    grades: Grades | None = None,
) -> ClassReport:
    """Put the records of a class together.

    Args:
        assignment: Its name.
        lesson: Slug of its lesson.
        records: One for each submission.
        failures: Why others could not be graded, by student.
        grades: What the gradebook has: names, marks by hand, penalties. Without it the records alone.
    """
    ordered = sorted(records, key=lambda record: str(record["student"]))
    read = [record for record in ordered if record["status"] != "unreadable"]
    names = {each.id: each.full_name for each in grades.students} if grades else {}
    named = Counter(
        (row["id"], cause)
        for record in read
        for row in record["report"]["exercises"]
        for cause in dict.fromkeys(causes(row))
        if row["status"] not in OPEN
    )
    return ClassReport(
        assignment=assignment,
        lesson=lesson,
        max_points=max((record["max_points"] for record in ordered), default=0.0),
        everyone=tuple(_standing(record, names, grades) for record in ordered),
        items=tuple(sorted(_items(read), key=lambda item: (-item.difficulty, item.id))),
        causes=tuple(Cause(*key, count) for key, count in sorted(named.items(), key=lambda pair: (-pair[1], pair[0]))),
        slowest=tuple(_slowest(ordered)),
        failures=dict(failures or {}),
        names=names,
    )


def _standing(record: Record, names: Mapping[str, str], grades: Grades | None) -> Standing:
    student, points = record["student"], record["points"]
    score = grades.scores.get((record["assignment"], student)) if grades else None
    by_hand, penalty = (round(score.raw - points, 6), score.penalty) if score else (0.0, 0.0)
    return Standing(student, names.get(student, ""), points, by_hand, penalty, record["reason"])


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
        title = item_title(rows[0])
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
