"""One lesson.md gives three notebooks, and says clearly what does not fit."""

import ast
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("jupytext")

from innervision.classroom import builder, nbgrader_source
from innervision.classroom.builder import LessonError, Task

SLUG = "97-fixture"
TASKS = {"97.to_displayable": Task(2), "97.q_colour": Task(1, "'b'"), "97.q_number": Task(1, "0.25")}
FRONT = """\
---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
innervision: {title: A fixture, slug: 97-fixture, minutes: 5, claim: C1}
---
"""
SETUP = """
```{code-cell}
:tags: [setup]
import torch
from jaxtyping import Float
from torch import Tensor

from innervision import check, hint
```
"""
EXERCISE = """
```{code-cell}
---
exercise: 97.to_displayable
function: innervision.optvis.color.to_displayable
points: 2
hints: [look at neighbours, take a difference]
---
```
"""
QUESTIONS = """
Which colour?

```{code-cell}
---
question: 97.q_colour
points: 1
kind: choice
options: {a: red, b: blue}
hints: [look up]
---
```

```{code-cell}
---
question: 97.q_number
points: 1
kind: number
hints: [count]
---
```
"""
SEE = """
```{code-cell}
---
alt: a number
---
print("seen")
```
"""
LESSON = FRONT + "\n# A fixture\n" + SETUP + "\n## Part 1\n" + EXERCISE + SEE + QUESTIONS


@pytest.fixture
def build(tmp_path: Path):
    def run(text: str = LESSON, tasks: dict[str, Task] = TASKS) -> builder.Built:
        path = tmp_path / SLUG / "lesson.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return builder.build(path, tasks)

    return run


def problems(build, *arguments) -> list[str]:
    with pytest.raises(LessonError) as caught:
        build(*arguments)
    return [line.removeprefix(f"{SLUG}/lesson.md: ") for line in str(caught.value).splitlines()]


def cell(notebook, identifier):
    return next(cell for cell in notebook.cells if cell.id == identifier)


def test_the_three_forms_of_an_exercise(build):
    built = build()
    stub, marked, solved = (
        cell(form, "97-to_displayable").source for form in (built.student, built.source, built.solved)
    )
    assert stub.startswith('# 97.to_displayable · 2 points · stuck? hint("97.to_displayable")\ndef to_displayable(')
    assert stub.endswith('"""\n    # YOUR CODE HERE\n    raise NotImplementedError()')
    head = stub.removesuffix("    # YOUR CODE HERE\n    raise NotImplementedError()")
    body = solved.removeprefix(head)
    assert "return" in body
    assert "return" not in stub.rpartition('"""')[2]
    assert marked == f"{head}    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
    for text in (stub, marked, solved):
        ast.parse(text)


def test_the_three_forms_of_a_question(build):
    built = build()
    stub, marked, solved = (cell(form, "97-q_colour").source for form in (built.student, built.source, built.solved))
    assert stub.splitlines() == [
        '# 97.q_colour · 1 point · stuck? hint("97.q_colour")',
        '#   "a": red',
        '#   "b": blue',
        'answer_97_q_colour = ...  # write "a" or "b" in place of the three dots',
    ]
    assert marked == f"{stub}\n### BEGIN SOLUTION\nanswer_97_q_colour = 'b'\n### END SOLUTION"
    assert solved.splitlines()[-1] == "answer_97_q_colour = 'b'"
    assert cell(built.solved, "97-q_number").source.splitlines()[-1] == "answer_97_q_number = 0.25"


def test_each_task_is_followed_by_its_check(build):
    cells = build().student.cells
    for task in TASKS:
        place = next(i for i, cell in enumerate(cells) if cell.metadata["innervision"].get("id") == task)
        assert cells[place + 1].source == f'check("{task}")'
        assert cells[place + 1].metadata["editable"] is False


def test_no_answer_is_in_the_student_notebook(build):
    text = builder.notebook_text(build().student)
    assert "BEGIN SOLUTION" not in text
    assert "= 'b'" not in text
    assert "0.25" not in text


def test_roles_tags_and_metadata(build):
    student = build().student
    roles = [cell.metadata["innervision"]["role"] for cell in student.cells]
    assert roles == [
        "text",
        "setup",
        "text",
        "exercise",
        "check",
        "see",
        "text",
        "question",
        "check",
        "question",
        "check",
    ]
    see = student.cells[5]
    assert see.metadata["tags"] == ["see"]
    assert see.metadata["alt"] == "a number"
    assert student.metadata["innervision"]["lesson"] == SLUG
    assert student.metadata["kernelspec"]["name"] == "python3"
    assert student.cells[1].source.splitlines()[1] == "# %pip install --quiet innervision"
    assert all(cell.get("outputs", []) == [] for cell in student.cells)
    nbformat.validate(student)


def test_checksums_are_those_of_nbgrader(build):
    utils = pytest.importorskip("nbgrader.utils")
    student = build().student
    graded = [cell for cell in student.cells if "nbgrader" in cell.metadata]
    assert len(graded) == 6
    for each in graded:
        assert each.metadata["nbgrader"]["checksum"] == utils.compute_checksum(each) == nbgrader_source.checksum(each)


def test_a_rebuild_changes_nothing(build):
    first, second = build(), build()
    for form in ("student", "source", "solved"):
        assert builder.notebook_text(getattr(first, form)) == builder.notebook_text(getattr(second, form))


def test_a_new_text_cell_leaves_the_other_ids_alone(build):
    before = [cell.id for cell in build().student.cells]
    inserted = LESSON.replace("\n## Part 1\n", "\n## Part 0\n\n+++\n\n## Part 1\n")
    after = [cell.id for cell in build(inserted).student.cells]
    assert len(set(before)) == len(before)
    assert len(after) == len(before) + 1
    assert [identifier for identifier in after if identifier in before] == before


def test_equal_cells_get_different_ids(build):
    ids = [cell.id for cell in build(LESSON + SEE).student.cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "from torch import Tensor\n",
            "",
            "exercise 97.to_displayable: to_displayable needs Tensor, "
            "which no set-up cell or exercise before it imports or defines",
        ),
        (EXERCISE, EXERCISE * 2, "exercise 97.to_displayable: this id is used twice"),
        (EXERCISE, "", "the graders know '97.to_displayable', but the lesson has no such cell"),
        (
            "points: 2",
            "points: 3",
            "exercise 97.to_displayable: the lesson says 3 points, the graders give 2",
        ),
        ("points: 2\n", "", "exercise 97.to_displayable: points are missing; the graders give 2"),
        (
            "color.to_displayable",
            "color.totally",
            "exercise 97.to_displayable: function 'innervision.optvis.color.totally' does not exist: "
            "module innervision.optvis.color defines no function 'totally'",
        ),
        (
            "optvis.color.to_displayable",
            "optvis.nowhere.to_displayable",
            "exercise 97.to_displayable: function 'innervision.optvis.nowhere.to_displayable' does not exist: "
            "there is no module 'innervision.optvis.nowhere'",
        ),
        (
            "innervision.optvis.color.to_displayable",
            "innervision.optvis.render.render",
            "exercise 97.to_displayable: the body of innervision.optvis.render.render has",
        ),
        (
            "{a: red, b: blue}",
            "{a: red, c: blue}",
            "question 97.q_colour: the graders' answer 'b' is not one of the options ['a', 'c']",
        ),
        (
            "kind: number",
            "kind: essay",
            "question 97.q_number: kind is 'essay', it must be one of choice, number, unit",
        ),
        ("hints: [count]\n", "", "question 97.q_number: it needs at least one hint"),
        (":tags: [setup]", ":tags: [other]", "the first code cell must be a set-up cell (tags: [setup])"),
        ("claim: C1", "other: C1", "the front matter needs innervision.claim"),
        ("slug: 97-fixture", "slug: 98-fixture", "the front matter says slug '98-fixture', the folder '97-fixture'"),
        ("from innervision import check, hint", "from innervision import *", "a set-up cell imports *; name what"),
        ("from innervision import check, hint", "from", "a set-up cell is not valid Python ("),
        ("## Part 1", "<details>", "a text cell opens <details> 1 times and closes it 0 times: '<details>'"),
        ("question: 97.q_number", "question: 96.q", "question '96.q': the id must start with the lesson's number, 97."),
    ],
)
def test_what_does_not_fit_is_said(build, old, new, expected):
    assert old in LESSON
    found = problems(build, LESSON.replace(old, new))
    assert any(problem.startswith(expected) for problem in found), found


def test_an_exercise_that_the_graders_do_not_know(build):
    tasks = {task: TASKS[task] for task in TASKS if task != "97.to_displayable"}
    assert problems(build, LESSON, tasks) == ["exercise 97.to_displayable: the graders do not know it"]


def test_all_problems_are_listed_at_once(build):
    wrong = LESSON.replace("points: 2", "points: 5").replace("kind: number", "kind: essay")
    assert len(problems(build, wrong)) == 2


def test_a_name_from_a_picture_cell_is_not_there_when_grading(build):
    """Only set-up cells and exercises run when a notebook is graded."""
    see = "\n```{code-cell}\nfrom torch import Tensor\n```\n"
    text = LESSON.replace("from torch import Tensor\n", "").replace(EXERCISE, see + EXERCISE)
    assert len(problems(build, text)) == 1
