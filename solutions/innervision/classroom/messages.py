"""What a student reads: expected, got, likely cause, next step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from innervision.classroom.diagnosis import cause_of_error
from innervision.classroom.exercises import Variant
from innervision.classroom.student import Answer


@dataclass(frozen=True)
class Message:
    """What a student reads when a check fails."""

    expected: str
    got: str
    cause: str = ""
    next_step: str = ""

    def lines(self) -> list[tuple[str, str]]:
        """The parts that say something, each with its name."""
        parts = [("Expected", self.expected), ("Got", self.got)]
        parts += [("Likely cause", self.cause), ("Next step", self.next_step)]
        return [(name, text) for name, text in parts if text]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {text}" for name, text in self.lines())


class Failed(AssertionError):  # noqa: N818  (read in reports as a status, not as an error)
    """A check that was not met.

    Attributes:
        status: ``failed``, or why there is nothing to judge: ``not done yet``, ``missing``, ``error``,
            ``timeout``, ``died``, ``forbidden``.
        misconceptions: Names of the misconceptions that give exactly the student's output here.
    """

    def __init__(self, message: Message, status: str = "failed", misconceptions: tuple[Variant, ...] = ()) -> None:
        super().__init__(str(message))
        self.message = message
        self.status = status
        self.misconceptions = misconceptions


def no_answer_message(answer: Answer, exercise: str, name: str) -> Message:
    """The four parts for code that gave nothing to judge."""
    expected = f"{name} gives an answer"
    hint = f'hint("{exercise}")'
    match answer.status:
        case "not done yet" if answer.where and answer.where != name:
            cause = f"{name} calls {answer.where}, which is not written yet."
            return Message(expected, answer.error, cause, f"Write {answer.where} first.")
        case "not done yet":
            step = f"Replace the placeholder in cell {exercise}. To begin, ask {hint}."
            return Message(f"your own {name}", answer.error or "the placeholder is still there", "", step)
        case "missing":
            step = f"Put a cell that defines {name} back; a fresh copy of the notebook has the stub."
            return Message(f"a cell that defines {name}", answer.error or f"no {name} in the notebook", "", step)
        case "forbidden":
            cause = f"{answer.where} calls it" if answer.where else ""
            return Message(f"your own {name}", answer.error, cause, f"Write the body yourself; {hint} helps to begin.")
        case "timeout":
            cause = "A loop that never ends, or far more work than the exercise needs."
            return Message(expected, answer.error, cause, "Run the cell on a small input and print inside the loop.")
        case "died":
            return Message(expected, answer.error, "", "Remove what ends Python or takes all memory, then check again.")
    got = answer.error + (f", at {answer.where}" if answer.where else "")
    step = f"Read the line that is named, or ask {hint}." if answer.where else f"Ask {hint}."
    return Message(expected, got, cause_of_error(answer.error, name), step)


def cause_of_quotes(given: Any) -> str:
    """The cause when a number was asked for and came between quotes."""
    quoted = isinstance(given, str) and re.fullmatch(r"\s*[-+]?\d+(\.\d*)?\s*", given)
    return "Between quotes it is a text. A number is written without them." if quoted else ""
