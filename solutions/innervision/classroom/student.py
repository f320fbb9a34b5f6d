"""Running a scenario on somebody's functions: the student's, a misconception's, the reference's.

The same code serves the worker, ``check()`` in a notebook and the trusted process. Whoever's functions run, what
comes out is an ``Answer``: a status and plain data.
"""

from __future__ import annotations

import random
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Literal, Protocol

import torch

from innervision.classroom.references import Guard, ReferenceCalled, ReferenceNeeded, copy_of, resolve
from innervision.classroom.wire import WireError, pack, unpack

Status = Literal["answered", "not done yet", "missing", "error", "forbidden", "timeout", "died", "needs"]

CELL = "<cell "
MAX_ERROR = 500


@dataclass(frozen=True)
class Request:
    """One scenario to run, with its seed."""

    exercise: str
    scenario: str
    seed: int


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        value: Plain data, when ``status`` is ``answered``.
        error: One sentence or ``Type: text`` otherwise.
        where: The line of the student's own code, "line 3 of cell 02.channel: `return x[0]`". When it is not
            done yet, the function that still holds the placeholder: another one, perhaps, that the code calls.
    """

    status: str
    value: Any = None
    error: str = ""
    where: str = ""


class Run(Protocol):
    """Somebody who answers: a worker's session, or functions in this process."""

    def scenario(self, request: Request) -> Answer:
        """Run one scenario."""

    def variable(self, name: str) -> Answer:
        """The value of one of the student's variables."""


class Missing(AttributeError):  # noqa: N818
    """The student has not defined what the scenario asks for."""


class Student:
    """The ``student`` of a scenario: attributes are the student's functions, else the library's.

    A name that belongs to the exercise under test never comes from the library.
    """

    def __init__(self, namespace: Mapping[str, Any], functions: Mapping[str, str], exercise: str) -> None:
        self.__namespace, self.__exercise = namespace, exercise
        self.__functions = {path.rpartition(".")[2]: (exercise, path) for exercise, path in functions.items()}

    def __getattr__(self, name: str) -> Any:
        own = self.__namespace.get(name)
        exercise, path = self.__functions.get(name, ("", ""))
        if own is not None and (exercise == self.__exercise or not is_stub(own)):
            return own
        if not path or exercise == self.__exercise:
            raise Missing(f"there is no {name} in the notebook")
        return resolve(path)


class InProcess:
    """Answers with the functions of a namespace of this process: a notebook's, for instant feedback.

    Args:
        namespace: The student's names. None stands for the library itself.
        functions: Exercise id → dotted path.
        scenarios: Name → function.
    """

    def __init__(
        self,
        namespace: Mapping[str, Any] | None,
        functions: Mapping[str, str],
        scenarios: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.namespace, self.functions, self.scenarios = namespace, functions, scenarios

    def scenario(self, request: Request) -> Answer:
        """Run one scenario."""
        own = self.namespace
        if own is None:
            path = self.functions[request.exercise]
            own = {path.rpartition(".")[2]: copy_of(path)}
        return run_scenario(self.scenarios[request.scenario], request, own, self.functions)

    def variable(self, name: str) -> Answer:
        """The value of a variable."""
        return read_variable(self.namespace or {}, name)


def run_scenario(
    scenario: Callable[..., Any],
    request: Request,
    namespace: Mapping[str, Any],
    functions: Mapping[str, str],
    *,
    guard: Guard | None = None,
    reference: bool = False,
) -> Answer:
    """Run one scenario and reduce whatever happens to an ``Answer``.

    Args:
        namespace: Names that ``student`` offers first.
        guard: An entered guard; without one, the references are guarded for this call only.
        reference: The trusted side: the library answers what the namespace does not have.
    """
    if guard is None:
        with Guard(functions) as entered:
            return run_scenario(scenario, request, namespace, functions, guard=entered, reference=reference)
    own = namespace.get(functions[request.exercise].rpartition(".")[2]) if request.exercise in functions else None
    student = Student(namespace, functions, "" if reference else request.exercise)
    substitute = own if callable(own) else None
    try:
        with (
            guard.testing(request.exercise, substitute, forbid=not reference),
            others_filled_in(namespace, functions, request.exercise),
        ):
            seed_everything(request.seed)
            value = scenario(student, torch.Generator().manual_seed(request.seed))
            return packed_answer(value)
    except BaseException as error:  # also SystemExit and KeyboardInterrupt: student code must not end the grading
        return answer_of_error(error)


@contextmanager
def others_filled_in(namespace: Mapping[str, Any], functions: Mapping[str, str], exercise: str) -> Iterator[None]:
    """The library's functions in place of the stubs of all other exercises, for as long as this one is under test.

    So an answer that builds on an exercise which is not solved yet is judged by itself.
    """
    stubs: dict[str, Any] = {}
    if isinstance(namespace, dict):
        paths = {path.rpartition(".")[2]: path for other, path in functions.items() if other != exercise}
        stubs = {name: namespace[name] for name in paths if is_stub(namespace.get(name))}
        namespace.update({name: resolve(paths[name]) for name in stubs})
    try:
        yield
    finally:
        if isinstance(namespace, dict):
            namespace.update(stubs)


def read_variable(namespace: Mapping[str, Any], name: str) -> Answer:
    """The answer to a question; the dots of the untouched cell are no answer yet."""
    if name not in namespace:
        return Answer("missing", error=f"there is no {name} in the notebook")
    try:
        return packed_answer(namespace[name])
    except BaseException as error:
        return answer_of_error(error)


def packed_answer(value: Any) -> Answer:
    """Plain data, as it would arrive from another process, or the reason why it is none."""
    if value is ...:
        return Answer("not done yet", error="the three dots are still there")
    try:
        return Answer("answered", unpack(pack(value)))
    except WireError as error:
        return Answer("error", error=f"{error}.")


def answer_of_error(error: BaseException) -> Answer:
    """Reduce an exception to its text and the student's own line."""
    where = student_line(error)
    if isinstance(error, ReferenceNeeded):
        return Answer("needs", value=error.exercise, error=str(error), where=where)
    if isinstance(error, ReferenceCalled):
        return Answer("forbidden", error=str(error), where=where)
    if isinstance(error, Missing):
        return Answer("missing", error=str(error))
    if isinstance(error, NotImplementedError) and where.endswith("`raise NotImplementedError()`"):
        text = f"the placeholder is still there, {where.partition(': ')[0]}"
        return Answer("not done yet", error=text, where=_students(error)[-1].name)
    return Answer("error", error=error_text(error), where=where)


def error_text(error: BaseException) -> str:
    """``Type: text`` in one line, whatever the exception's own ``__str__`` does."""
    if isinstance(error, SystemExit):
        return "SystemExit: the code asks Python to end"
    if isinstance(error, RecursionError):
        return "RecursionError: a function calls itself without end"
    try:
        text = " ".join(str.__str__(str(error)).split())
    except BaseException:
        text = "(its text cannot be read)"
    name = type.__getattribute__(type(error), "__name__")
    return f"{name}: {text}"[:MAX_ERROR] if text else name


def student_line(error: BaseException) -> str:
    """The innermost line of the traceback that the student wrote, or an empty text."""
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(CELL):
        return _line(error.filename or "", error.lineno or 0, (error.text or "").strip())
    frames = _students(error)
    if not frames:
        return ""
    return _line(frames[-1].filename, frames[-1].lineno or 0, (frames[-1].line or "").strip())


def _students(error: BaseException) -> list[traceback.FrameSummary]:
    """The student's own frames of a traceback."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_students(frame.filename)]


def is_stub(function: Any) -> bool:
    """Whether this is a function as the builder wrote it: all it does is raise NotImplementedError."""
    function = getattr(function, "__wrapped__", function)
    if not isinstance(function, FunctionType):
        return False
    code: CodeType = function.__code__
    return code.co_names == ("NotImplementedError",) and not code.co_freevars and len(code.co_code) < 64


def seed_everything(seed: int) -> None:
    """Seed the global generators, so that code which uses them gives the same result for the same seed."""
    torch.manual_seed(seed)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


def _is_students(filename: str) -> bool:
    """Cells of a worker, and cells of a running notebook (ipykernel writes them to files of this form)."""
    return filename.startswith((CELL, "<ipython-input-")) or "ipykernel_" in filename


def _line(filename: str, number: int, text: str) -> str:
    cell = filename.removeprefix(CELL).removesuffix(">") if filename.startswith(CELL) else ""
    place = f"line {number} of cell {cell}" if cell else f"line {number} of your cell"
    return f"{place}: `{text[:120]}`" if text else place
