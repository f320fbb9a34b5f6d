"""Verdicts as plain data: the rows of a report after they crossed from the process that graded.

A row is what ``Report.to_dict()`` says about one exercise or question: id, title, status, points, max_points, message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]

_PARTS = (("expected", "Expected"), ("got", "Got"), ("cause", "Likely cause"), ("next_step", "Next step"))


def complete(report: Mapping[str, Any], items: Sequence[tuple[str, float]]) -> tuple[list[Row], dict[str, float]]:
    """Bring a report to the exercises that the course's notebook has, and take the clock out of it.

    Args:
        report: ``Report.to_dict()``.
        items: Id and points of each exercise and question, in order.

    Returns:
        The rows in that order, without ``seconds``; and the seconds by exercise. What the report does not mention is
        missing and has no points. Points lie in [0, max_points].
    """
    found = {row["id"]: row for row in report.get("exercises", [])}
    rows, seconds = [], {}
    for name, max_points in items:
        row = {key: value for key, value in found.get(name, missing(name, max_points)).items() if key != "seconds"}
        share = float(row["points"]) / float(row["max_points"]) if row["max_points"] else 0.0
        row["max_points"] = max_points  # an instructor may have changed what an exercise is worth
        row["points"] = round(min(max(share, 0.0), 1.0) * max_points, 6)
        rows.append(row)
        seconds[name] = float(found.get(name, {}).get("seconds") or 0.0)
    return rows, seconds


def missing(name: str, max_points: float, reason: str = "") -> Row:
    """The row of an exercise that is not there."""
    message = {"expected": "an answer to this exercise", "got": reason or "no such cell", "cause": "", "next_step": ""}
    return {
        "id": name,
        "title": name,
        "status": "missing",
        "points": 0.0,
        "max_points": max_points,
        "message": message,
    }


def points(rows: Sequence[Row]) -> tuple[float, float]:
    """Points reached, and points there are."""
    return round(sum(row["points"] for row in rows), 6), round(sum(row["max_points"] for row in rows), 6)


def message_parts(row: Row) -> list[tuple[str, str]]:
    """What a row tells the student: pairs of a name ("Expected") and a text."""
    messages = row.get("messages") or row.get("message") or []
    parts: list[tuple[str, str]] = []
    for message in messages if isinstance(messages, list) else [messages]:
        if isinstance(message, str):
            parts.append(("", message))
        elif isinstance(message, Mapping):
            parts += [(name, str(message[key])) for key, name in _PARTS if message.get(key)]
    return parts


def causes(row: Row) -> list[str]:
    """Sentences of the misconceptions, and other likely causes, that were named for a row."""
    return [text for name, text in message_parts(row) if name == "Likely cause"]


def message_text(row: Row, limit: int = 4000) -> str:
    """The message as plain text, for nbgrader's comment."""
    text = "\n\n".join(f"{name}: {part}" if name else part for name, part in message_parts(row))
    return text if len(text) <= limit else text[:limit] + " …"
