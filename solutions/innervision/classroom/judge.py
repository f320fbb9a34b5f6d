"""The judge: runs a scenario on the student's code and on the reference with the same seed, and compares.

The judge lives in the trusted process. What it sees of the student is plain data, an ``Answer``; where that
comes from (a worker, the notebook's own process, the reference itself) is the business of the ``Run`` it is given.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from innervision.classroom import diagnosis
from innervision.classroom.compare import Difference, Tolerance, describe, difference, wanted
from innervision.classroom.exercises import Graders, Question, Variant
from innervision.classroom.messages import Failed, Message, cause_of_quotes, no_answer_message
from innervision.classroom.student import Answer, Request, Run, run_scenario
from innervision.classroom.wire import pack, unpack


def derive_seed(seed: int, exercise: str, scenario: str) -> int:
    """The seed of one scenario, so that results do not depend on the order of grading.

    Args:
        seed: The seed of the grading run, a non-negative integer.

    Returns:
        An integer in [0, 2**63). The run's seed cannot be found from it.
    """
    digest = hashlib.sha256(f"{seed}/{exercise}/{scenario}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def fresh_generator(seed: int) -> torch.Generator:
    """A CPU generator with that seed."""
    return torch.Generator().manual_seed(seed)


class Trusted:
    """The reference and the misconceptions of one lesson, run in this process and remembered."""

    def __init__(self, graders: Graders) -> None:
        self.graders = graders
        self._answers: dict[tuple[Request, str], Answer] = {}

    def reference(self, request: Request) -> Answer:
        """What the library answers to a scenario."""
        return self._answer(request, None)

    def misconception(self, request: Request, variant: Variant) -> Answer:
        """What a wrong implementation answers to a scenario."""
        return self._answer(request, variant)

    def _answer(self, request: Request, variant: Variant | None) -> Answer:
        key = (request, variant.name if variant else "")
        if key not in self._answers:
            scenario = self.graders.scenarios[request.scenario]
            own = {} if variant is None else {_function_name(self.graders, request.exercise): variant.function}
            self._answers[key] = run_scenario(scenario, request, own, self.graders.functions, reference=True)
        return self._answers[key]


@dataclass
class Judge:
    """The ``judge`` that a check is called with: ``judge(scenario).close(atol=1e-6)``.

    Attributes:
        exercise: Id of the exercise (or question) that is judged.
        student: Answers requests with the student's code.
        trusted: Answers them with the library.
        seed: The seed of this grading run.
    """

    exercise: str
    student: Run
    trusted: Trusted
    seed: int
    taken: list[str] = field(default_factory=list)

    def __call__(self, scenario: Callable[..., Any]) -> Outcome:
        """Run a scenario on the student's code.

        Raises:
            Failed: If the code gave no answer: it is missing, not done yet, raised an error, took too long.
        """
        request = Request(self.exercise, scenario.__name__, derive_seed(self.seed, self.exercise, scenario.__name__))
        answer = self.student.scenario(request)
        if answer.status != "answered":
            raise self._no_answer(request, answer)
        return Outcome(answer.value, request, self)

    def question(self, asked: Question) -> None:
        """Judge the answer to a question.

        Raises:
            Failed: If it is wrong or not given.
        """
        answer = self.student.variable(asked.variable)
        if answer.status != "answered":
            raise Failed(no_answer_message(answer, self.exercise, asked.variable), answer.status)
        tolerance = Tolerance(asked.atol, asked.rtol)
        if _same_reply(_measured(asked.answer), answer.value, tolerance):
            return
        given = [text for value, text in asked.wrong if _same_reply(_measured(value), answer.value, tolerance)]
        kind = "one of the options" if isinstance(asked.answer, str) else "a number" if _is_number(asked.answer) else ""
        expected = f"another answer{f', {kind},' if kind else ''} in {asked.variable}"
        step = f'Look at the picture or the number above the question once more, or ask hint("{asked.id}").'
        step += " If this is not what you wrote, the cell with your answer stopped with an error."
        cause = given[0] if given else cause_of_quotes(answer.value) if kind == "a number" else ""
        raise Failed(Message(expected, describe(answer.value), cause, step))

    def _no_answer(self, request: Request, answer: Answer) -> Failed:
        variants = [
            variant
            for variant in self.trusted.graders.misconceptions.get(self.exercise, [])
            if answer.status == "error" and _same_error(self.trusted.misconception(request, variant), answer)
        ]
        name = _function_name(self.trusted.graders, self.exercise)
        message = no_answer_message(answer, self.exercise, name)
        if variants:
            message = Message(message.expected, message.got, variants[0].sentence, message.next_step)
        return Failed(message, answer.status, tuple(variants))


@dataclass(frozen=True)
class Outcome:
    """What the student's code returned in a scenario, waiting for a judgment. Plain data, safe to look at."""

    value: Any
    request: Request
    judge: Judge

    @property
    def reference(self) -> Any:
        """What the library returns in the same scenario with the same seed."""
        answer = self.judge.trusted.reference(self.request)
        if answer.status != "answered":
            raise RuntimeError(f"scenario {self.request.scenario} fails on the reference: {answer.error}")
        return answer.value

    def close(self, *, atol: float, rtol: float = 0.0, equal_nan: bool = False, dtype: bool = False) -> None:
        """Demand the reference's output within ``atol + rtol * |expected|``.

        Args:
            equal_nan: Accept NaN where the reference has NaN.
            dtype: Demand the reference's dtype too; otherwise float64 is as good as float32.

        Raises:
            Failed: If kind, shape or a value differs.
        """
        self._compare(self.reference, Tolerance(atol, rtol, equal_nan, dtype))

    def equals(self, *, equal_nan: bool = False, dtype: bool = False) -> None:
        """Demand exactly the reference's output."""
        self._compare(self.reference, Tolerance(0.0, 0.0, equal_nan, dtype))

    def expect(
        self, expected: Any, *, atol: float, rtol: float = 0.0, equal_nan: bool = False, dtype: bool = False
    ) -> None:
        """Demand a value that does not come from the reference: a closed form, or an independent library.

        Args:
            expected: The value, or ``function(generator) -> value`` called with the scenario's own fresh generator,
                so that it can draw the same inputs once more.
        """
        if callable(expected):
            expected = expected(fresh_generator(self.request.seed))
        self._compare(plain(expected), Tolerance(atol, rtol, equal_nan, dtype))

    def satisfies(self, predicate: Callable[..., bool | str], *, expected: str) -> None:
        """Demand a property of the output.

        Args:
            predicate: ``(value) -> verdict`` or ``(value, reference) -> verdict``, where ``reference`` is what the
                library returns in the same scenario (also the place for inputs that can be trusted). The verdict is
                True, or False, or a text that says what is wrong. An exception of the predicate counts as False.
            expected: The property in words, for the message: "every value in [0, 1]".
        """
        verdict = self._holds(predicate, self.value)
        if verdict is True:
            return
        found = tuple(
            variant
            for variant, answer in self._misconceptions()
            if difference(answer.value, self.value, Tolerance(1e-6, 1e-6, True)) is None
            and self._holds(predicate, answer.value) is not True
        )
        cause = found[0].sentence if found else diagnosis.cause_of_kind(self.value, self.reference)
        got = verdict if isinstance(verdict, str) else describe(self.value)  # an explanation says enough by itself
        raise Failed(Message(expected, got, cause, diagnosis.next_step(self.judge.exercise)), misconceptions=found)

    def _holds(self, predicate: Callable[..., bool | str], value: Any) -> bool | str:
        count = sum(p.default is p.empty for p in inspect.signature(predicate).parameters.values())
        arguments = (value,) if count < 2 else (value, self.reference)
        try:
            verdict = predicate(*arguments)
        except Exception as error:
            return f"{describe(value)}; it cannot be examined ({type(error).__name__}: {error})"
        return verdict if isinstance(verdict, str) else bool(verdict)

    def _compare(self, expected: Any, tolerance: Tolerance) -> None:
        found = difference(expected, self.value, tolerance)
        if found is not None:
            raise self._failure(expected, found, tolerance)

    def _failure(self, expected: Any, found: Difference, tolerance: Tolerance) -> Failed:
        same = replace(tolerance, equal_nan=True)  # NaN in the same places is the same mistake
        variants = tuple(
            variant
            for variant, answer in self._misconceptions()
            if difference(answer.value, self.value, same) is None
            and difference(expected, answer.value, tolerance) is not None
        )
        cause = variants[0].sentence if variants else diagnosis.likely_cause(expected, self.value, tolerance)
        step = diagnosis.next_step(self.judge.exercise, found)
        right = wanted(found.part, tolerance)
        right = f"{found.case}: {right}" if found.case else right
        return Failed(Message(right, found.text, cause, step), misconceptions=variants)

    def _misconceptions(self) -> list[tuple[Variant, Answer]]:
        trusted = self.judge.trusted
        variants = trusted.graders.misconceptions.get(self.judge.exercise, [])
        answers = [(variant, trusted.misconception(self.request, variant)) for variant in variants]
        return [(variant, answer) for variant, answer in answers if answer.status == "answered"]


def plain(data: Any) -> Any:
    """Data as it would arrive from another process."""
    return unpack(pack(data))


def _function_name(graders: Graders, exercise: str) -> str:
    return graders.functions.get(exercise, exercise).rpartition(".")[2]


def _same_error(first: Answer, second: Answer) -> bool:
    return first.status == "error" and first.error == second.error


def _measured(value: Any) -> Any:
    return plain(_measurement(value) if callable(value) else value)


@functools.lru_cache(maxsize=256)
def _measurement(measure: Callable[[], Any]) -> Any:
    """What a measurement gives. It takes no arguments, so a class of hundreds asks the network once."""
    return measure()


def _is_number(value: Any) -> bool:
    return callable(value) or (isinstance(value, int | float) and not isinstance(value, bool))


def _same_reply(right: Any, given: Any, tolerance: Tolerance) -> bool:
    """Whether an answer is the right one: capitals and blanks around a word do not matter."""
    if isinstance(right, str):
        return isinstance(given, str) and right.strip().casefold() == given.strip().casefold()
    if isinstance(right, float) and isinstance(given, int | float) and not math.isfinite(given):
        return False
    return difference(right, given, tolerance) is None
