"""Similarity: renaming does not hide a copy, and the lesson's own code makes nobody alike."""

from __future__ import annotations

import nbformat
from tests.unit.classroom.class_fakes import lesson_notebook

from innervision.classroom.autograded import Template
from innervision.classroom.similarity import compare, fingerprints, own_code

LONG = '''
def first(x):
    """Return first."""
    total = 0.0
    for row in range(len(x)):
        for column in range(len(x[row])):
            if x[row][column] > 0.5:
                total = total + x[row][column] * (row + 1)
            else:
                total = total - abs(x[row][column]) / (column + 2)
    return total / max(len(x), 1)
'''
OTHER = '''
def first(x):
    """Return first."""
    import torch
    values = torch.as_tensor(x)
    weights = torch.arange(1, values.shape[0] + 1).unsqueeze(1)
    positive = torch.where(values > 0.5, values * weights, torch.zeros_like(values))
    return positive.sum().item() - values.clamp(max=0.5).abs().mean().item() + torch.linalg.norm(values).item()
'''


def renamed(source: str) -> str:
    """The same code with other names, numbers, comments, layout and docstring."""
    for old, new in (("total", "s"), ("row", "i"), ("column", "j"), ("0.5", "0.25"), ("Return first.", "Mine!")):
        source = source.replace(old, new)
    return source.replace("    return s", "    # all done\n\n    return s")


def prints(**sources: str) -> dict[str, dict[str, set[int]]]:
    return {student: fingerprints({"42.first": source}) for student, source in sources.items()}


def test_a_renamed_copy_is_found_and_an_own_solution_is_not() -> None:
    pairs = compare(prints(ada=LONG, bob=renamed(LONG), cyd=OTHER), least=0.5)
    assert [(pair.first, pair.second, pair.similarity, pair.exercises) for pair in pairs] == [
        ("ada", "bob", 1.0, ("42.first",))
    ]


def test_an_inserted_statement_leaves_most_of_a_copy_visible() -> None:
    changed = LONG.replace("    total = 0.0\n", "    total = 0.0\n    print('hello', x)\n")
    (pair,) = compare(prints(ada=LONG, bob=changed), least=0.5)
    assert 0.7 < pair.similarity <= 1.0


def test_what_everybody_wrote_says_nothing() -> None:
    assert compare(prints(**{f"student{i}": LONG for i in range(10)}), least=0.0) == []


def test_short_answers_are_not_compared() -> None:
    short = "def first(x):\n    return x.mean()"
    assert compare(prints(ada=short, bob=short), least=0.0) == []


def test_signature_and_docstring_of_the_stub_do_not_count() -> None:
    assert fingerprints({"42.first": LONG}) == fingerprints({"42.first": LONG.replace("x):", "x: int) -> float:")})


def test_only_own_code_is_read() -> None:
    notebook = lesson_notebook({"42.first": "right"})
    notebook.cells.append(nbformat.v4.new_code_cell("helper = 1"))
    template = Template("tiny", "42-tiny", lesson_notebook(), ())
    code = own_code(nbformat.writes(notebook).encode(), template)
    assert {name: text.strip() for name, text in code.items()} == {
        "own cells": 'def first(x):\n    """Return first."""\n    return "right"\nhelper = 1'
    }


def test_code_that_python_cannot_read_is_no_crash() -> None:
    assert fingerprints({"a": "def (", "b": "%matplotlib inline\n!ls", "c": "(" * 10_000}) == {}
    assert own_code(b"\xff not json", Template("tiny", "42-tiny", lesson_notebook(), ())) == {}
