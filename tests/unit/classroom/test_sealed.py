"""The sealed library: solutions are nowhere inside, and what a scenario needs of other exercises is supplied."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.unit.classroom.test_sandbox import LIMITS, message, pytestmark, run
from tests.unit.classroom.tiny import COURSE, SLUG, filled, written

from innervision.classroom.exercises import load_graders
from innervision.classroom.lessons import read_lesson
from innervision.classroom.sandbox import SandboxedWorkers
from innervision.classroom.sealed import SEALED, seal, without_body
from innervision.classroom.session import Session, lesson_message
from innervision.classroom.stubs import library_function
from innervision.classroom.student import Request
from innervision.classroom.submission import read_submission

__all__ = ["pytestmark"]

FUNCTIONS = load_graders(SLUG, COURSE).functions


@pytest.fixture(scope="module")
def workers() -> Iterator[SandboxedWorkers]:
    with SandboxedWorkers(SLUG, LIMITS, course=COURSE) as made:
        yield made


def test_only_the_body_goes() -> None:
    source = 'import os\n\n\ndef one(a: int) -> int:\n    """Doc.\n\n    More.\n    """\n    b = a\n    return b\n'
    source += "\n\nTWO = 2\n"
    assert without_body(source, "one") == source.replace("    b = a\n    return b", f"    {SEALED}")
    with pytest.raises(ValueError, match=r"^function is 'two'; the module must define it\.$"):
        without_body(source, "two")


def test_no_file_of_the_sealed_library_has_a_solution(tmp_path: Path) -> None:
    seal(tmp_path, FUNCTIONS.values())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    texts = {path: _normal(path.read_text(encoding="utf-8")) for path in files if path.suffix == ".py"}
    assert len(texts) > 20
    assert not [path for path in files if path.suffix == ".pyc"]
    for function in FUNCTIONS.values():
        body = _normal("def f():\n" + library_function(function).body)
        assert not [path for path, text in texts.items() if body.partition("\n")[2] in text], function


def _normal(source: str) -> str:
    return "\n".join(line.strip() for line in ast.unparse(ast.parse(source)).splitlines())


def test_what_is_no_function_cannot_be_sealed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^function is 'innervision\.nowhere\.channel'; it must be the dotted path"):
        seal(tmp_path, ["innervision.nowhere.channel"])


def test_no_readable_file_and_no_object_inside_holds_the_solution(workers: SandboxedWorkers) -> None:
    """The search words are put together inside, so that the probe does not find itself."""
    words = [line for path in FUNCTIONS.values() for line in _telling_lines(library_function(path).body)]
    assert len(words) >= len(FUNCTIONS)
    halves = [(word[: len(word) // 2], word[len(word) // 2 :]) for word in words]
    probe = f"""\
import inspect, sys, types
words = [first + second for first, second in {halves!r}]
found = []
for root in ('/innervision-library', '/etc', '/tmp', '/root', '/home', '/work', '/usr/local'):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != '__pycache__']
        if folder.endswith('site-packages'):  # other people's packages
            folders[:] = [name for name in folders if 'innervision' in name]
        elif os.path.exists(folder + '/this.py'):  # Python's own library
            folders[:] = [name for name in folders if name == 'site-packages']
            continue
        for name in names:
            if name.endswith(('.a', '.so')):
                continue
            try:
                text = open(os.path.join(folder, name), errors='replace').read()
            except OSError:
                continue
            found += [os.path.join(folder, name) for word in words if word in text]
gc.unfreeze()
texts = {{value for thing in gc.get_objects() for value in gc.get_referents(thing) if type(value) is str}}
blob = chr(10).join(texts - set(words))
found += [word for word in words if word in blob]
names = {[path.rpartition(".")[2] for path in FUNCTIONS.values()]!r}
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and thing.__name__ in names and 'innervision' in str(thing.__module__):
        code = thing.__code__
        if len(code.co_code) > 120:
            found.append(thing.__qualname__ + ' ' + str(len(code.co_code)))
return found"""
    assert run(workers, probe, seconds=250.0) == []


def _telling_lines(body: str) -> list[str]:
    """Lines of a body that are not just anybody's."""
    return [line.strip() for line in body.splitlines() if len(line.strip()) > 30 and not line.strip().startswith("#")]


def test_another_exercise_is_supplied_in_a_worker_of_its_own(workers: SandboxedWorkers, tmp_path: Path) -> None:
    """total_variation calls the library's channel, which is an exercise of the lesson too."""
    calls = "def total_variation(images):\n    from innervision.optvis.objectives import channel as own\n"
    calls += "    return own('a', 0)({'a': images})"
    submission = read_submission(written(tmp_path, filled(total_variation=calls)), COURSE, SLUG)
    graders = load_graders(SLUG, COURSE)
    make = partial(lesson_message, read_lesson(SLUG, COURSE), graders, LIMITS)
    scenario = next(name for name in graders.scenarios if "channel" not in name)
    seen = []

    def noted(supplied=None):  # type: ignore[no-untyped-def]
        seen.append(sorted(supplied or ()))
        return make(supplied)

    with Session(submission, noted, workers) as session:
        answer = session.scenario(Request("99.total_variation", scenario, 1))
    assert answer.status != "forbidden", answer
    assert seen == [[], ["99.channel"]]
    assert "99.total_variation" not in (make(["99.channel"])["supplied"] or {})


def test_asking_for_the_exercise_under_test_is_in_vain(workers: SandboxedWorkers, tmp_path: Path) -> None:
    asks = "def total_variation(images):\n    from innervision.classroom.references import ReferenceNeeded\n"
    asks += "    raise ReferenceNeeded('99.total_variation')"
    submission = read_submission(written(tmp_path, filled(total_variation=asks)), COURSE, SLUG)
    graders = load_graders(SLUG, COURSE)
    make = partial(lesson_message, read_lesson(SLUG, COURSE), graders, LIMITS)
    with Session(submission, make, workers) as session:
        scenario = next(name for name in graders.scenarios if "channel" not in name)
        assert session.scenario(Request("99.total_variation", scenario, 1)).status == "forbidden"


def test_a_supplied_original_works_and_others_stay_sealed(workers: SandboxedWorkers) -> None:
    source = library_function("innervision.optvis.penalties.total_variation").source
    probe = "from innervision.optvis.penalties import total_variation\nreturn total_variation(torch.ones(2, 3, 4, 4))"
    with workers.fresh("probes", message(probe, supplied={"99.total_variation": source})) as worker:
        got = worker.ask({"do": "scenario", "exercise": "99.channel", "name": "probe_0", "seed": 1}, LIMITS.seconds)
    assert (got.status, got.value.tolist()) == ("answered", [0.0, 0.0])
    with workers.fresh("probes", message(probe)) as worker:
        got = worker.ask({"do": "scenario", "exercise": "99.channel", "name": "probe_0", "seed": 1}, LIMITS.seconds)
    assert (got.status, got.value) == ("needs", "99.total_variation")
