"""Submissions that try to get what they do not deserve, or deserve what a grader might not give them.

Each case is the solved notebook of lesson 00 with something else in some cells. ``points`` says what the changed
exercises deserve; all others deserve full marks, whatever the attack does. ``reason`` is what a person reads about the
points that are not given: a part of the message, or of the problems of the whole notebook.
"""

from __future__ import annotations

import functools
import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from innervision.classroom.paths import find_course
from innervision.classroom.stubs import library_function

LESSON = "00-start-here"
WORTH = {"00.to_displayable": 4.0, "00.top_predictions": 3.0, "00.q_noise": 1.0, "00.q_most_confident_mistake": 1.0}
NOTHING = dict.fromkeys(WORTH, 0.0)

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One submission.

    Attributes:
        what: What it tries, or what is odd about it.
        cells: Id of an exercise or question → what is in its cell.
        before: Cells that the student put at the top.
        change: Makes other changes to the notebook; may return the bytes of the file.
        points: What is deserved where it is not full marks.
        reasons: Any of these is a right explanation; empty for full marks without a remark.
    """

    name: str
    category: str
    what: str
    cells: dict[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    change: Callable[[Notebook], bytes | None] | None = None
    points: dict[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    @property
    def deserves(self) -> dict[str, float]:
        """Points by exercise."""
        return {**WORTH, **self.points}

    def file(self) -> bytes:
        """The notebook as it is handed in."""
        notebook = solved()
        for item, source in self.cells.items():
            cell_of(notebook, item)["source"] = source
        notebook["cells"][0:0] = [code(source, f"before-{number}") for number, source in enumerate(self.before)]
        data = self.change(notebook) if self.change is not None else None
        return json.dumps(notebook).encode() if data is None else data


def solved() -> Notebook:
    """The student notebook with every answer filled in."""
    notebook: Notebook = json.loads(find_course().notebook(LESSON).read_text(encoding="utf-8"))
    for item, source in SOLUTIONS.items():
        cell_of(notebook, item)["source"] = source
    cell_of(notebook, "00.q_most_confident_mistake")["source"] = _most_confident_mistake()
    return notebook


def cell_of(notebook: Notebook, item: str) -> dict[str, Any]:
    """The cell of an exercise or question."""
    found: dict[str, Any] = next(cell for cell in notebook["cells"] if cell["id"] == item.replace(".", "-"))
    return found


def check_of(notebook: Notebook, item: str) -> dict[str, Any]:
    """The check cell of an exercise or question."""
    found: dict[str, Any] = next(
        cell
        for cell in notebook["cells"]
        if f'check("{item}")' in "".join(cell["source"]) and cell["cell_type"] == "code"
    )
    return found


def code(source: str, name: str = "added") -> dict[str, Any]:
    """A code cell that a student added."""
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": textwrap.dedent(source).strip("\n"),
    }


@functools.cache
def _most_confident_mistake() -> str:
    """The answer as a student finds it in the lesson: to two digits, from whatever weights are shipped."""
    from innervision.classroom.exercises import load_graders

    answer = load_graders(LESSON).questions["00.q_most_confident_mistake"].answer
    assert callable(answer)
    return f"answer_00_q_most_confident_mistake = {answer():.2f}"


SOLUTIONS = {
    "00.to_displayable": library_function("innervision.optvis.color.to_displayable").source,
    "00.top_predictions": library_function("innervision.models.predictions.top_predictions").source,
    "00.q_noise": 'answer_00_q_noise = "b"',
}


def displayable(body: str, head: str = "") -> dict[str, str]:
    """A cell with another ``to_displayable``."""
    return _function("to_displayable(image)", "00.to_displayable", body, head)


def predictions(body: str, head: str = "") -> dict[str, str]:
    """A cell with another ``top_predictions``."""
    return _function("top_predictions(logits, names, count=3)", "00.top_predictions", body, head)


def _function(signature: str, item: str, body: str, head: str) -> dict[str, str]:
    lines = [
        textwrap.dedent(head).strip("\n"),
        f"def {signature}:",
        textwrap.indent(textwrap.dedent(body).strip("\n"), "    "),
    ]
    return {item: "\n".join(lines).lstrip("\n")}


RIGHT = """
image = image.detach()
low, high = image.amin((-3, -2, -1), keepdim=True), image.amax((-3, -2, -1), keepdim=True)
wide = torch.where(high > low, high - low, torch.ones_like(high))
return torch.where(high > low, (image - low) / wide, torch.full_like(image, 0.5)).movedim(-3, -1)
"""
