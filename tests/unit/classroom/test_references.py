"""The gate before the reference: who may pass, who is sent on, who is refused."""

from __future__ import annotations

import re

import pytest
import torch

from innervision import activations
from innervision.classroom.references import Guard, ReferenceCalled, copy_of, plain_function, resolve
from innervision.optvis import objectives, penalties
from innervision.optvis.penalties import total_variation as imported_before

FUNCTIONS = {
    "99.total_variation": "innervision.optvis.penalties.total_variation",
    "99.channel": "innervision.optvis.objectives.channel",
}
IMAGES = torch.arange(48.0).reshape(1, 3, 4, 4)
REFUSAL = "innervision's own total_variation was called, which cannot answer exercise 99.total_variation"


def calls():
    import importlib

    from innervision.optvis import penalties as another_name

    yield lambda: penalties.total_variation(IMAGES)
    yield lambda: imported_before(IMAGES)
    yield lambda: another_name.total_variation(images=IMAGES)
    yield lambda: importlib.import_module("innervision.optvis.penalties").__dict__["total_variation"](IMAGES)
    yield lambda: eval(penalties.total_variation.__code__, {"args": (), "kwargs": {}})


@pytest.mark.parametrize("call", list(calls()))
def test_no_import_path_reaches_the_reference_under_test(call):
    with (
        Guard(FUNCTIONS) as guard,
        guard.testing("99.total_variation", None),
        pytest.raises((ReferenceCalled, RuntimeError)),
    ):
        call()


def test_the_refusal_is_a_sentence():
    with Guard(FUNCTIONS) as guard, guard.testing("99.total_variation", None), pytest.raises(ReferenceCalled) as caught:
        penalties.total_variation(IMAGES)
    assert str(caught.value) == REFUSAL


def test_a_copy_of_the_code_made_beforehand_is_the_gate_too():
    import types

    with Guard(FUNCTIONS) as guard:
        stolen = types.FunctionType(imported_before.__code__, dict(imported_before.__globals__))
        assert float(stolen(IMAGES)) == float(penalties.total_variation(IMAGES))
        with guard.testing("99.total_variation", None), pytest.raises(ReferenceCalled):
            stolen(IMAGES)


def test_other_functions_of_the_lesson_stay_open():
    with Guard(FUNCTIONS) as guard, guard.testing("99.channel", None):
        assert float(penalties.total_variation(IMAGES)) == 5.0
        with pytest.raises(ReferenceCalled):
            objectives.channel("a", 0)


def test_everything_is_as_before_afterwards_also_after_an_error():
    before = plain_function(FUNCTIONS["99.total_variation"]).__code__
    with pytest.raises(KeyError), Guard(FUNCTIONS) as guard, guard.testing("99.total_variation", None):
        raise KeyError
    assert plain_function(FUNCTIONS["99.total_variation"]).__code__ is before
    assert float(penalties.total_variation(IMAGES)) == 5.0


def test_calls_of_the_library_reach_the_students_version():
    library = compile("def call(images):\n    return total_variation(images)", "library.py", "exec")
    namespace = {"__name__": "innervision.optvis.somewhere", "total_variation": imported_before}
    exec(library, namespace)
    with Guard(FUNCTIONS) as guard, guard.testing("99.total_variation", lambda images: "the student's"):
        assert namespace["call"](IMAGES) == "the student's"
        with pytest.raises(ReferenceCalled):
            penalties.total_variation(IMAGES)
    with Guard(FUNCTIONS) as guard, guard.testing("99.total_variation", lambda images: "wrong", forbid=False):
        assert float(penalties.total_variation(IMAGES)) == 5.0


def test_a_copy_answers_while_the_gate_is_closed():
    copy = copy_of(FUNCTIONS["99.total_variation"])
    with Guard(FUNCTIONS) as guard, guard.testing("99.total_variation", None):
        assert float(copy(IMAGES)) == 5.0


def test_a_closure_has_its_gate_too(monkeypatch):
    def factory(step):
        def stepped(x, *, twice=False):
            return x + step * (2 if twice else 1)

        return stepped

    monkeypatch.setattr(penalties, "stepped", factory(3), raising=False)
    functions = {"99.stepped": "innervision.optvis.penalties.stepped"}
    with Guard(functions) as guard:
        assert penalties.stepped(1, twice=True) == 7
        with guard.testing("99.stepped", None), pytest.raises(ReferenceCalled):
            penalties.stepped(1)
    assert penalties.stepped(1) == 4


MANAGER = {"99.edit": "innervision.activations.edit"}


class Own:
    """A student's context manager, written as a class."""

    def __init__(self, model, edits):
        self.model, self.log = model, edits

    def __enter__(self):
        self.log.append("entered")
        return self.model

    def __exit__(self, kind, error, trace):
        self.log.append(kind)


def library_call(edit):
    """``edit`` used from a module of the library."""
    source = "def call(model, edits):\n    with edit(model, edits) as found:\n        return found.weight / 0"
    namespace = {"__name__": "innervision.optvis.somewhere", "edit": edit}
    exec(compile(source, "library.py", "exec"), namespace)
    return namespace["call"]


@pytest.mark.parametrize("supplied", [None, {"99.edit": "@contextmanager\ndef edit(model, edits):\n    yield 'sent'"}])
def test_a_context_manager_passes_the_gate(supplied):
    model = torch.nn.Identity()
    with Guard(MANAGER, supplied) as guard, guard.testing("", None), activations.edit(model, {}) as entered:
        assert entered == ("sent" if supplied else model)
    with activations.edit(model, {}) as entered:
        assert entered is model


def test_a_copy_of_a_context_manager_is_one():
    model = torch.nn.Sequential(torch.nn.Identity())
    with copy_of(MANAGER["99.edit"])(model, {"0": lambda activation: 2 * activation}) as entered:
        assert entered(torch.ones(1)).item() == 2
    assert model(torch.ones(1)).item() == 1


def test_calls_of_the_library_reach_the_students_context_manager_and_so_do_errors():
    model, log = torch.nn.Linear(1, 1), []
    model.weight = None
    with Guard(MANAGER) as guard, guard.testing("99.edit", Own):
        with pytest.raises(TypeError):
            library_call(activations.edit)(model, log)
        with pytest.raises(ReferenceCalled):
            activations.edit(model, {})
    assert log == ["entered", TypeError]


@pytest.mark.parametrize("path", ["innervision.nowhere.f", "innervision.optvis.penalties.nothing", "nothing", "no.f"])
def test_a_path_to_nothing_is_a_sentence(path):
    sentence = f"function is {path!r}; it must be the dotted path of a function of the library."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        resolve(path)


def test_a_class_is_no_exercise():
    path = "innervision.optvis.objectives.Objective"
    sentence = f"function is {path!r}, a type; an exercise must be a plain function."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        plain_function(path)
