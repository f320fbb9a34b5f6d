"""One submission in workers: after a death or a timeout a new worker takes over, and the rest is still graded."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from innervision.classroom.exercises import Graders
from innervision.classroom.isolation import Limits, Worker, WorkerLost
from innervision.classroom.lessons import Lesson
from innervision.classroom.stubs import library_function
from innervision.classroom.student import Answer, Request
from innervision.classroom.submission import Submission

MakeMessage = Callable[[Collection[str] | None], dict[str, Any]]


class WarmWorkers:
    """Workers that import torch and run a lesson's set-up while somebody else is being graded.

    Args:
        spare: How many workers are ready or on their way when a submission is begun. 1 suits a single submission; with
            2 the next submission's worker warms up meanwhile.
        start: Makes a worker; a sandbox passes its own.
        sealed: The workers' library holds no original of an exercise; those that a scenario needs are supplied.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        spare: int = 1,
        start: Callable[[Limits], Worker] = Worker,
        sealed: bool = False,
    ) -> None:
        self.limits, self.spare, self.sealed, self._start = limits or Limits(), spare, sealed, start
        self._cold: list[Worker] = []
        self._warm: dict[str, list[tuple[Worker, str]]] = {}

    def start(self) -> None:
        """Start a worker before it is known for which lesson."""
        self._cold.append(self._start(self.limits))

    def prepare(self, slug: str, message: dict[str, Any]) -> None:
        """Have spare workers run the set-up of a lesson, without waiting for them."""
        ready = self._warm.setdefault(slug, [])
        while len(ready) < self.spare or self._cold:
            worker = self._cold.pop() if self._cold else self._start(self.limits)
            ready.append((worker, worker.send(message)))

    def take(self, slug: str, message: dict[str, Any]) -> Worker:
        """A worker that has run the set-up of a lesson. It is the caller's to end.

        Raises:
            RuntimeError: If the lesson's own set-up fails; that is the course's fault, not a student's.
        """
        ready = self._warm.setdefault(slug, [])
        if not ready:
            worker = self._cold.pop() if self._cold else self._start(self.limits)
            ready.append((worker, worker.send(message)))
        worker, nonce = ready.pop(0)
        return self._started(slug, worker, nonce)

    def fresh(self, slug: str, message: dict[str, Any]) -> Worker:
        """A worker that was not warm, with a message of its own. It is the caller's to end."""
        worker = self._start(self.limits)
        return self._started(slug, worker, worker.send(message))

    def _started(self, slug: str, worker: Worker, nonce: str) -> Worker:
        try:
            answer = worker.answer(nonce, self.limits.start_seconds)
        except WorkerLost as lost:
            raise RuntimeError(f"a worker for lesson {slug} did not start: {lost}.") from None
        if answer.status != "answered":
            worker.kill()
            raise RuntimeError(f"the set-up of lesson {slug} fails: {answer.error}, {answer.where}.")
        return worker

    def close(self) -> None:
        """End all workers that wait."""
        for worker in [*self._cold, *(worker for ready in self._warm.values() for worker, _ in ready)]:
            worker.kill()
        self._cold.clear()
        self._warm.clear()

    def __enter__(self) -> WarmWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def lesson_message(
    lesson: Lesson, graders: Graders, limits: Limits, supplied: Collection[str] | None = None
) -> dict[str, Any]:
    """All that a worker gets to know of a lesson.

    Args:
        supplied: For a sealed library, the exercises whose originals may be called.
    """
    sources = (
        None if supplied is None else {item: library_function(graders.functions[item]).source for item in supplied}
    )
    return {
        "supplied": sources,
        "do": "lesson",
        "setup": [cell.source for cell in lesson.of_role("setup")],
        "scenarios": graders.scenario_source,
        "functions": graders.functions,
        "memory": limits.memory,
    }


class Session:
    """Answers requests with the code of one submission.

    Args:
        message: Makes a ``lesson_message`` from the exercises to supply.
        supplied: Of a sealed library, the exercises whose originals this session's workers have. Such a session
            answers for one exercise only, so that what student code reads there cannot answer another.
    """

    def __init__(
        self, submission: Submission, message: MakeMessage, workers: WarmWorkers, supplied: Collection[str] = ()
    ) -> None:
        self.submission, self.workers, self.supplied = submission, workers, frozenset(supplied)
        self.make_message, self.message = message, message(self.supplied if workers.sealed else None)
        self.limits = workers.limits
        self._apart: dict[str, Session] = {}
        self._total = [0.0]  # seconds, shared with the sessions apart
        self._worker: Worker | None = None
        self._loaded: list[Answer] = []
        self._lost: dict[int, Answer] = {}
        self._spent: dict[str, float] = {}
        self._over: dict[str, Answer] = {}

    def scenario(self, request: Request) -> Answer:
        """Run one scenario; all scenarios of an exercise share its wall time."""
        message = {"do": "scenario", "exercise": request.exercise, "name": request.scenario, "seed": request.seed}
        return self._answer(request.exercise, message)

    def variable(self, name: str) -> Answer:
        """The student's answer to a question."""
        return self._answer(name, {"do": "variable", "name": name})

    def close(self) -> None:
        """End the workers."""
        for session in self._apart.values():
            session.close()
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, what: str, message: dict[str, Any]) -> Answer:
        """Ask this session's worker, or that of a session which has the originals that are needed."""
        index = self.submission.index_of(what)
        if message["do"] == "scenario" and index is None:
            return Answer("missing", error=f"there is no cell {what} in the notebook")
        apart = self._apart.get(what)
        answer = apart._answer(what, message) if apart else self._ask(what, message)
        if answer.status == "missing" and index is not None and self._worker is not None:
            answer = self._explained(answer, index)
        needed = {answer.value} if answer.status == "needs" else set()
        needed |= {loaded.value for loaded in self._loaded if loaded.status == "needs"} - {what}
        if apart is None and needed and self._may_have(needed, what):
            # Learned anew for each submission: what one student's code says must not change how others are graded.
            session = Session(self.submission, self.make_message, self.workers, self.supplied | needed)
            session._total, session._lost = self._total, dict(self._lost)
            self._apart[what] = session
            return session._answer(what, message)
        return replace(answer, status="forbidden", value=None) if answer.status == "needs" else answer

    def _may_have(self, needed: set[Any], what: str) -> bool:
        """Whether these are originals of other exercises, as a sealed library asks for them. A worker said it."""
        others = set(self.message["functions"]) - {what} - self.supplied
        return self.workers.sealed and needed <= others

    def _ask(self, what: str, message: dict[str, Any]) -> Answer:
        if what in self._over:
            return self._over[what]
        try:
            worker = self._ready()
            return self._timed(worker, message, what)
        except WorkerLost as lost:
            self._worker = None
            self._over[what] = self._lost_answer(lost)
            return self._over[what]

    def _timed(self, worker: Worker, message: dict[str, Any], what: str = "") -> Answer:
        """Ask a worker within what is left of the wall time, of one thing and of the whole submission."""
        spent = self._spent.get(what, 0.0) if what else 0.0
        left = min(self.limits.seconds - spent, self.limits.total_seconds - self._total[0])
        start = time.monotonic()
        try:
            answer = worker.ask(message, max(left, 0.01))
        finally:
            passed = time.monotonic() - start
            self._spent[what] = spent + passed
            self._total[0] += passed
        if answer.status == "needs" and not isinstance(answer.value, str):
            worker.kill()
            raise WorkerLost("died", "what came back is not the answer to the question")
        return answer

    def _ready(self) -> Worker:
        """A worker in which all cells have been run, except those that ended a worker before."""
        while self._worker is None:
            if self._total[0] >= self.limits.total_seconds:
                raise WorkerLost("timeout", "")
            if self.supplied:
                worker = self.workers.fresh(self.submission.lesson, self.message)
            else:
                worker = self.workers.take(self.submission.lesson, self.message)
            if self._lost or self._over:  # a submission that ended one worker may end another
                self.workers.prepare(self.submission.lesson, self.message)
            if self._load(worker):
                self._worker = worker
        return self._worker

    def _load(self, worker: Worker) -> bool:
        cells = [[cell.name, cell.role, cell.source] for cell in self.submission.cells]
        self._loaded = [self._lost.get(index, Answer("answered")) for index in range(len(cells))]
        try:
            planned = self._timed(worker, {"do": "cells", "cells": cells})
        except WorkerLost as lost:
            planned = self._lost_answer(lost)
        if not isinstance(planned.value, list) or len(planned.value) != len(cells):
            # Parsing alone was too much: no cell of this notebook is run.
            failure = Answer("error", error=planned.error or "the cells cannot be read")
            self._lost = dict.fromkeys(range(len(cells)), failure)
            worker.kill()
            self.submission = self.submission.without_sources()
            return False
        for index, something in enumerate(planned.value):
            if not something or index in self._lost:
                continue
            try:
                self._loaded[index] = self._timed(worker, {"do": "cell", "index": index})
            except WorkerLost as lost:
                self._lost[index] = self._lost_answer(lost)
                return False
        return True

    def _lost_answer(self, lost: WorkerLost) -> Answer:
        if lost.status != "timeout":
            return Answer(lost.status, error=str(lost))
        if self._total[0] >= self.limits.total_seconds:
            error = f"the code of this notebook took more than {self.limits.total_seconds:g} seconds in all"
            return Answer("timeout", error=error)
        return Answer("timeout", error=f"no answer within {self.limits.seconds:g} seconds")

    def _explained(self, answer: Answer, index: int) -> Answer:
        """Why something is missing: its cell may have failed."""
        loaded = self._loaded[index]
        return answer if loaded.status == "answered" else loaded
