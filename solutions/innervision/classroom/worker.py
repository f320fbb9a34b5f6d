"""The process in which student code runs: ``python -I -m innervision.classroom.worker``.

It hears requests on its standard input and answers on its standard output, one packed frame each; before any student
code runs, both are moved to private descriptors, so that nothing a student prints can be taken for an answer. It never
holds the judge, the checks, expected values, scores, or seeds of scenarios to come.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import linecache
import os
import sys
import warnings
from contextlib import suppress
from typing import Any, BinaryIO

from innervision.classroom.cells import Plan, SourceCell, plan_cells, without_magics
from innervision.classroom.frames import read_frame, write_frame
from innervision.classroom.references import Guard
from innervision.classroom.student import CELL, Answer, Request, answer_of_error, read_variable, run_scenario
from innervision.classroom.wire import WireError, pack, unpack

FIRST_PRIVATE = 200
DRAWING = "innervision.optvis.render"
MAX_FILE = 64 * 2**20


class Sink(io.TextIOBase):
    """Takes any amount of printed text and keeps none of it."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Say that it was written."""
        return len(text)

    def writable(self) -> bool:
        """Yes."""
        return True


class Workshop:
    """What a worker holds: one lesson's set-up and one student's definitions.

    Each public method answers one request and takes its fields as arguments.
    """

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        self.scenarios = compile("", "<scenarios>", "exec")
        self.functions: dict[str, str] = {}
        self.setup: list[str] = []
        self.plans: list[Plan] = []
        self.guard = Guard({})

    def lesson(
        self,
        setup: list[str],
        scenarios: str,
        functions: dict[str, str],
        memory: int,
        supplied: dict[str, str] | None = None,
    ) -> Answer:
        """Run the course's own set-up cells, then close the references and limit the memory."""
        self.setup, self.functions = [without_magics(source) for source in setup], functions
        for number, source in enumerate(self.setup, 1):
            _run(ast.parse(source).body, f"{CELL}set-up {number}>", source, self.namespace)
        self.scenarios = compile(scenarios, "<scenarios>", "exec")
        exec(self.scenarios, {"__name__": "scenarios"})  # what they import is imported before anybody waits for it
        if DRAWING in sys.modules:
            import_optimisers()
        for name in ("check", "hint", "progress"):
            self.namespace[name] = _nothing
        self.guard = Guard(functions, supplied)
        self.guard.__enter__()
        limit_resources(memory)
        return Answer("answered")

    def cells(self, cells: list[list[str]]) -> Answer:
        """Take the student's cells; the value says which of them have something to run."""
        self.plans = plan_cells([SourceCell(*cell) for cell in cells], self.setup)
        return Answer("answered", [bool(plan.statements or plan.error) for plan in self.plans])

    def cell(self, index: int) -> Answer:
        """Run one cell."""
        plan = self.plans[index]
        filename = f"{CELL}{plan.cell.name}>"
        if plan.error is not None:
            return answer_of_error(plan.error)
        whole = [plan.statements] if plan.cell.role == "exercise" else [[node] for node in plan.statements]
        answer = Answer("answered")
        for statements in whole:
            try:
                _run(statements, filename, plan.cell.source, self.namespace)
            except BaseException as error:
                answer = answer_of_error(error)
        return answer

    def scenario(self, exercise: str, name: str, seed: int) -> Answer:
        """Run one scenario on the student's functions, in a new module: what was done to the last one is gone."""
        module: dict[str, Any] = {"__name__": "scenarios"}
        exec(self.scenarios, module)
        request = Request(exercise, name, seed)
        return run_scenario(module[name], request, self.namespace, self.functions, guard=self.guard)

    def variable(self, name: str) -> Answer:
        """The value of one of the student's variables."""
        return read_variable(self.namespace, name)


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    requests, answers = take_over_pipes()
    warnings.simplefilter("ignore")
    workshop, own = Workshop(), os.getpid()
    while (frame := read_frame(requests)) is not None:
        message = unpack(frame)
        nonce = message.pop("nonce")
        try:
            answer = getattr(workshop, message.pop("do"))(**message)
        except BaseException as error:
            answer = answer_of_error(error)
        if os.getpid() != own:  # a process that student code forked has come back here; it has no say
            os._exit(0)
        write_frame(answers, _packed(nonce, answer))


def import_optimisers() -> None:
    """Make an optimiser: the first one imports 900 modules, for a second or more, on some student's time."""
    import torch

    torch.optim.Adam([torch.zeros(1, requires_grad=True)])


def take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move standard input and output to private descriptors and leave nothing in their place."""
    descriptors = [_private(0), _private(1)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.__stdout__ = Sink()  # type: ignore[misc, assignment]
    sys.stderr = sys.__stderr__ = Sink()  # type: ignore[misc, assignment]
    return os.fdopen(descriptors[0], "rb"), os.fdopen(descriptors[1], "wb")


def limit_resources(memory: int) -> None:
    """Limit memory, file size and core dumps, where the system can.

    Args:
        memory: Bytes of data that the process may hold.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_FSIZE, MAX_FILE), (resource.RLIMIT_CORE, 0))
    for kind, value in limits:
        if resource.getrlimit(kind)[1] == resource.RLIM_INFINITY:  # a sandbox has set its own
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (value, value))


def _private(descriptor: int) -> int:
    try:
        import fcntl

        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_PRIVATE)
    except (ImportError, OSError):
        return os.dup(descriptor)


def _packed(nonce: str, answer: Answer) -> bytes:
    reply = {"nonce": nonce, "status": answer.status, "error": answer.error, "where": answer.where}
    try:
        return pack({**reply, "value": answer.value})
    except WireError as error:
        return pack({**reply, "status": "error", "error": f"{error}.", "value": None})


def _run(statements: list[ast.stmt], filename: str, source: str, namespace: dict[str, Any]) -> None:
    """Run statements as a notebook would: with ``await`` at the top level, and lines for tracebacks."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = ast.Module(statements, type_ignores=[])
    code = compile(module, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    result = eval(code, namespace)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def _nothing(*_: object, **__: object) -> None:
    """Stands for check, hint and progress, which have no place in a grading run."""


if __name__ == "__main__":
    main()
