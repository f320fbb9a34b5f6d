"""The graders as pytest modules: of the reference, or of a notebook with ``--submission FILE.ipynb``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from innervision.classroom.exercises import Check, Graders, Question, load_graders, mark_of
from innervision.classroom.isolation import Limits
from innervision.classroom.judge import Judge, Trusted
from innervision.classroom.lessons import read_lesson
from innervision.classroom.messages import Failed
from innervision.classroom.paths import find_course
from innervision.classroom.session import Session, WarmWorkers, lesson_message
from innervision.classroom.student import InProcess, Run
from innervision.classroom.submission import Submission, SubmissionError, read_submission

COURSE = find_course()
SUBMISSION = pytest.StashKey[Submission]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("innervision")
    group.addoption("--submission", type=Path, metavar="FILE.ipynb", help="grade this notebook, not the reference")
    group.addoption("--grading-seed", type=int, default=0, metavar="N", help="seed of the graders' inputs (default 0)")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--submission", default=None)
    if path is None:
        return
    try:
        config.stash[SUBMISSION] = read_submission(path, COURSE)
    except SubmissionError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A notebook is graded by the graders of its own lesson."""
    submission = config.stash.get(SUBMISSION, None)
    if submission is None:
        return
    others = [item for item in items if _is_grader(item) and _slug(item) != submission.lesson]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """What the student should read, instead of a traceback through the judge."""
    outcome = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, Failed):
        failed = call.excinfo.value
        outcome.get_result().longrepr = f"{failed.status}\n{failed.message}"


@pytest.fixture(scope="module")
def graders(request: pytest.FixtureRequest) -> Graders:
    return load_graders(_slug(request), COURSE)


@pytest.fixture(scope="module")
def trusted(graders: Graders) -> Trusted:
    return Trusted(graders)


@pytest.fixture(scope="module")
def run(request: pytest.FixtureRequest, graders: Graders) -> Iterator[Run]:
    """Whoever answers: a worker with the notebook's code, or the library with the answers filled in."""
    submission = request.config.stash.get(SUBMISSION, None)
    if submission is None:
        yield Reference(graders)
        return
    with WarmWorkers(Limits(), spare=1) as workers:
        message = partial(lesson_message, read_lesson(graders.slug, COURSE), graders, workers.limits)
        workers.prepare(graders.slug, message())
        with Session(submission, message, workers) as session:
            yield session


@pytest.fixture
def judge(request: pytest.FixtureRequest, run: Run, trusted: Trusted) -> Judge:
    mark = mark_of(request.function)
    assert isinstance(mark, Check | Question), "a test that takes judge must be marked with @exercise or be a question"
    item = mark.exercise if isinstance(mark, Check) else mark.id
    return Judge(item, run, trusted, request.config.getoption("--grading-seed", default=0))


class Reference(InProcess):
    """Answers with the library's own functions and with the right answers to the questions."""

    def __init__(self, graders: Graders) -> None:
        super().__init__(None, graders.functions, graders.scenarios)
        self.questions = {asked.variable: asked for asked in graders.questions.values()}

    def variable(self, name: str) -> Any:
        """The right answer to a question."""
        right = self.questions[name].answer
        self.namespace = {name: right() if callable(right) else right}
        answer = super().variable(name)
        self.namespace = None
        return answer


def _is_grader(item: pytest.Item) -> bool:
    return item.path.parent == Path(__file__).parent


def _slug(item: pytest.Item | pytest.FixtureRequest) -> str:
    return item.path.stem.removeprefix("test_").replace("_", "-")
