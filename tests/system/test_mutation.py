"""The graders look at every place of every exercise: slightly wrong versions of the reference lose points.

Survivors are listed in ``survivors.toml``, each with the reason why it may survive. A survivor that is not listed fails
the test, and so does a listed one that no longer survives.
"""

from __future__ import annotations

import dataclasses
import signal
import sys
import threading
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from innervision.classroom.exercises import Graders, load_graders
from innervision.classroom.judge import Judge, Trusted
from innervision.classroom.paths import exercise_functions, find_course
from innervision.classroom.stubs import library_function
from innervision.classroom.student import InProcess
from mutation import Mutant, implementation, mutants

SECONDS = 5  # for one mutant; the reference takes less than one
SEED = 1
REQUIRED = 0.95
COURSE = find_course()
EXERCISES = [(slug, item) for slug in COURSE.slugs() for item in exercise_functions(COURSE.lesson(slug))]
LISTED = tomllib.loads((Path(__file__).parent / "survivors.toml").read_text(encoding="utf-8"))

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a POSIX timer")]
each_exercise = pytest.mark.parametrize(("slug", "item"), EXERCISES, ids=[item for _, item in EXERCISES])


class TooLong(BaseException):
    """The mutant did not come to an end."""


@cache
def graders_of(slug: str) -> Graders:
    """Without misconceptions: nobody reads the messages of mutants."""
    return dataclasses.replace(load_graders(slug), misconceptions={})


@cache
def mutants_of(slug: str, item: str) -> list[Mutant]:
    return mutants(library_function(graders_of(slug).functions[item]).source)


@each_exercise
def test_every_survivor_is_listed_and_every_listed_one_survives(slug, item):
    survivors = {mutant.change for mutant in mutants_of(slug, item) if survives(slug, item, mutant)}
    listed = {survivor["change"] for survivor in LISTED.get(item, [])}
    assert survivors == listed


def test_the_share_of_killed_mutants():
    """Counts what the tests above have shown: exactly the listed ones survive."""
    total = sum(len(mutants_of(slug, item)) for slug, item in EXERCISES)
    survivors = sum(len(group) for group in LISTED.values())
    assert total > 20 * len(EXERCISES)
    assert 1 - survivors / total >= REQUIRED


def test_every_survivor_has_a_reason():
    for item, group in LISTED.items():
        assert item in {known for _, known in EXERCISES}
        assert all(len(survivor["reason"].split()) >= 4 for survivor in group)


@each_exercise
def test_the_reference_itself_survives(slug, item):
    source = library_function(graders_of(slug).functions[item]).source
    assert survives(slug, item, Mutant("nothing", source))


def survives(slug: str, item: str, mutant: Mutant) -> bool:
    """Whether a mutant passes all checks of its exercise."""
    graders = graders_of(slug)
    path = graders.functions[item]
    namespace = {path.rpartition(".")[2]: implementation(path, mutant.source)}
    judge = Judge(item, InProcess(namespace, graders.functions, graders.scenarios), trusted_of(slug), SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with time_limit(SECONDS):
                for check in graders.exercises[item]:
                    check.function(judge)
        except (Exception, TooLong):
            return False
    return True


@cache
def trusted_of(slug: str) -> Trusted:
    return Trusted(graders_of(slug))


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the block after this time. Student code may swallow the interrupt; then it comes again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_the_mutator_on_a_small_function():
    head = 'def f(x, n=2):\n    """Add."""\n    label = f"{x}"\n'
    source = f"{head}    if n > 0:\n        x = x[1:] + n\n    return g(x, k=1)\n"
    changes = {mutant.change for mutant in mutants(source)}
    assert {
        "- if n > 0: + if not n > 0:",
        "- if n > 0: + if n >= 0:",
        "- if n > 0: + if n > 1:",
        "- x = x[1:] + n + x = x[1:] - n",
        "- x = x[1:] + n + x = x[0:] + n",
        "- x = x[1:] + n + x = x[:] + n",
        "- x = x[1:] + n + pass",
        "- return g(x, k=1) + return g(x)",
        "- return g(x, k=1) + return g(x, k=0)",
        "- return g(x, k=1) + return -g(x, k=1)",
    } <= changes
    assert not any("label" in change or "Add" in change or "n=" in change for change in changes)
