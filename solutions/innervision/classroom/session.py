"""One submission in workers: after a death or a timeout a new worker takes over, and the rest is still graded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from innervision.classroom.exercises import Graders
from innervision.classroom.isolation import Limits, Worker, WorkerLost
from innervision.classroom.lessons import Lesson
from innervision.classroom.student import Answer, Request
from innervision.classroom.submission import Submission


class WarmWorkers:
    """Workers that import torch and run a lesson's set-up while somebody else is being graded.

    Args:
        spare: How many workers are kept ready.
        start: Makes a worker; a sandbox passes its own.
    """

    def __init__(
        self, limits: Limits | None = None, spare: int = 1, start: Callable[[Limits], Worker] = Worker
    ) -> None:
        self.limits, self.spare, self._start = limits or Limits(), spare, start
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


def lesson_message(lesson: Lesson, graders: Graders, limits: Limits) -> dict[str, Any]:
    """All that a worker gets to know of a lesson."""
    return {
        "do": "lesson",
        "setup": [cell.source for cell in lesson.of_role("setup")],
        "scenarios": graders.scenario_source,
        "functions": graders.functions,
        "memory": limits.memory,
    }


class Session:
    """Answers requests with the code of one submission.

    Args:
        message: The ``lesson_message``.
    """

    def __init__(self, submission: Submission, message: dict[str, Any], workers: WarmWorkers) -> None:
        self.submission, self.message, self.workers = submission, message, workers
        self.limits = workers.limits
        self._worker: Worker | None = None
        self._loaded: list[Answer] = []
        self._lost: dict[int, Answer] = {}
        self._spent: dict[str, float] = {}
        self._over: dict[str, Answer] = {}

    def scenario(self, request: Request) -> Answer:
        """Run one scenario; all scenarios of an exercise share its wall time."""
        exercise = request.exercise
        index = self.submission.index_of(exercise)
        if index is None:
            return Answer("missing", error=f"there is no cell {exercise} in the notebook")
        message = {"do": "scenario", "exercise": exercise, "name": request.scenario, "seed": request.seed}
        answer = self._ask(exercise, message)
        return self._explained(answer, index) if answer.status == "missing" else answer

    def variable(self, name: str) -> Answer:
        """The value of one of the student's variables."""
        index = self.submission.index_of(name)
        answer = self._ask(name, {"do": "variable", "name": name})
        return self._explained(answer, index) if answer.status == "missing" and index is not None else answer

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, what: str, message: dict[str, Any]) -> Answer:
        if what in self._over:
            return self._over[what]
        worker = self._ready()
        left = self.limits.seconds - self._spent.get(what, 0.0)
        start = time.monotonic()
        try:
            return worker.ask(message, max(left, 0.01))
        except WorkerLost as lost:
            self._worker = None
            self._over[what] = self._lost_answer(lost)
            return self._over[what]
        finally:
            self._spent[what] = self._spent.get(what, 0.0) + time.monotonic() - start

    def _ready(self) -> Worker:
        """A worker in which all cells have been run, except those that ended a worker before."""
        while self._worker is None:
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
            planned = worker.ask({"do": "cells", "cells": cells}, self.limits.seconds)
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
                self._loaded[index] = worker.ask({"do": "cell", "index": index}, self.limits.seconds)
            except WorkerLost as lost:
                self._lost[index] = self._lost_answer(lost)
                return False
        return True

    def _lost_answer(self, lost: WorkerLost) -> Answer:
        error = f"no answer within {self.limits.seconds:g} seconds" if lost.status == "timeout" else str(lost)
        return Answer(lost.status, error=error)

    def _explained(self, answer: Answer, index: int) -> Answer:
        """Why something is missing: its cell may have failed."""
        loaded = self._loaded[index]
        return answer if loaded.status == "answered" else loaded
