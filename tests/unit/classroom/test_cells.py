"""Which statements of a notebook are run when it is graded."""

from __future__ import annotations

import ast

import pytest

from innervision.classroom.cells import SourceCell, bound_names, loaded_names, plan_cells, without_magics


def run_of(*cells: tuple[str, str], course: tuple[str, ...] = ()) -> list[str]:
    """What is run of each cell, as source."""
    plans = plan_cells([SourceCell(str(i), role, source) for i, (role, source) in enumerate(cells)], course)
    return ["\n".join(map(ast.unparse, plan.statements)) for plan in plans]


def test_calls_and_prints_are_not_run():
    assert run_of(("exercise", "def f(): pass\nf()\nprint(1)\n'text'"), ("question", "answer = 'a'\ncheck('x')")) == [
        "def f():\n    pass",
        "answer = 'a'",
    ]


def test_a_helper_in_another_cell_is_run_with_what_it_needs_and_a_picture_is_not():
    helper = "import math\nSCALE = 2\ndef helper(x): return math.sqrt(x) * SCALE\npicture = render(model)"
    assert run_of(("other", helper), ("exercise", "def f(x): return helper(x)")) == [
        "import math\nSCALE = 2\n\ndef helper(x):\n    return math.sqrt(x) * SCALE".replace("\n\n", "\n"),
        "def f(x):\n    return helper(x)",
    ]


def test_a_variable_inside_a_function_needs_nothing_outside():
    assert run_of(("other", "image = slow()"), ("exercise", "def f(x):\n    image = x + 1\n    return image")) == [
        "",
        "def f(x):\n    image = x + 1\n    return image",
    ]


def test_what_the_course_runs_anyway_is_not_run_twice():
    course = ("import torch\nmodel = load('mini')",)
    assert (
        run_of(
            ("other", "import torch\nimport math\nmodel = load('mini')"),
            ("exercise", "def f(x): return math.pi * model(torch.ones(x))"),
            course=course,
        )[0]
        == "import math"
    )


def test_changes_of_a_needed_object_count_as_its_definition():
    assert (
        run_of(
            ("other", "table = {}\ntable['a'] = 1\nother = {}\nother['b'] = 2"),
            ("exercise", "def f(): return table['a']"),
        )[0]
        == "table = {}\ntable['a'] = 1"
    )


def test_magics_disappear_and_lines_keep_their_numbers():
    assert without_magics("%matplotlib inline\nx = 1\n!ls\nx?\nfiles = !ls\nif x:\n    %time y = 2") == (
        "pass\nx = 1\npass\npass\npass\nif x:\n    pass"
    )
    assert without_magics("%%bash\nrm -rf nothing") == ""
    assert without_magics("%%time\nx = 1") == "pass\nx = 1"


def test_await_at_the_top_level_is_read():
    assert run_of(("exercise", "import asyncio\nvalue = await asyncio.sleep(0, 3)\ndef f(): return value")) == [
        "import asyncio\nvalue = await asyncio.sleep(0, 3)\n\ndef f():\n    return value".replace("\n\n", "\n")
    ]


@pytest.mark.parametrize("source", ["def f(:\n", "x = " + "(" * 500 + ")" * 500, "\0"])
def test_a_cell_that_is_no_python_has_an_error_and_stops_no_other(source):
    plans = plan_cells([SourceCell("a", "exercise", source), SourceCell("b", "exercise", "def g(): pass")])
    assert isinstance(plans[0].error, SyntaxError)
    assert len(plans[1].statements) == 1


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("a.b[0], c = 1, 2", {"a", "c"}),
        ("for i in x:\n    import os.path\n    def f(): y = 1", {"i", "os", "f"}),
        ("try:\n    a = 1\nexcept E:\n    b = 2\nelse:\n    c = 3", {"a", "b", "c"}),
        ("with open(p) as g:\n    h = 1", {"g", "h"}),
        ("x += (y := 1)", {"x", "y"}),
    ],
)
def test_bound_names(source, bound):
    assert bound_names(ast.parse(source).body[0]) == bound


def test_loaded_names():
    node = ast.parse("def f(a: T = default):\n    b = a\n    return [c for c in g(b)]").body[0]
    assert loaded_names(node) >= {"default", "g"}
    assert not loaded_names(node) & {"a", "b", "c"}
