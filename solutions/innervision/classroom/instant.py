"""Judging one exercise or question at once, on whatever code a ``Run`` stands for."""

from __future__ import annotations

from dataclasses import dataclass

from innervision.classroom.exercises import Graders
from innervision.classroom.judge import Judge, Trusted
from innervision.classroom.messages import Failed, Message
from innervision.classroom.student import Run

# One such answer speaks for all checks of an exercise: the others would only repeat it.
FINAL = ("not done yet", "missing", "forbidden", "timeout", "died")


@dataclass(frozen=True)
class Finding:
    """One check that was not met.

    Attributes:
        check: What was checked, in words.
        misconceptions: Names of the wrong implementations that give exactly this output.
    """

    check: str
    message: Message
    misconceptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What one exercise or question is worth, and why not more.

    Attributes:
        status: ``passed``, ``partial``, ``failed``, ``not done yet``, ``missing``, ``error``, ``forbidden``.
        total: How many checks there are.
    """

    id: str
    status: str
    points: float
    max_points: float
    total: int
    findings: tuple[Finding, ...] = ()


def judge_item(graders: Graders, item: str, run: Run, seed: int, trusted: Trusted | None = None) -> Verdict:
    """Run all checks of one exercise, or judge one question.

    Args:
        run: Answers with the student's code.
        seed: Of this run; the same seed gives the same inputs.
        trusted: Remembers what the reference answers; a new one when None.
    """
    judge = Judge(item, run, trusted or Trusted(graders), seed)
    if item in graders.questions:
        asked = graders.questions[item]
        parts = [(asked.points, item, lambda: judge.question(asked))]
    else:
        parts = [
            (check.points, words(check.name), lambda check=check: check.function(judge))  # type: ignore[misc]
            for check in graders.exercises[item]
        ]
    points, findings, status = 0.0, list[Finding](), ""
    for worth, name, demand in parts:
        try:
            demand()
            points += worth
        except Failed as failure:
            variants = tuple(variant.name for variant in failure.misconceptions)
            findings.append(Finding(name, failure.message, variants))
            status = status or failure.status
            if failure.status in FINAL or failure.message.got.startswith("KeyboardInterrupt"):
                break
    if not findings:
        status = "passed"
    elif points > 0:
        status = "partial"
    return Verdict(item, status, points, graders.points(item), len(parts), tuple(findings))


def words(name: str) -> str:
    """The name of a check in words: ``test_is_the_mean`` gives "is the mean"."""
    return name.removeprefix("test_").replace("_", " ")
