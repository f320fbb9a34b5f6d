"""The tiny lesson of the fixtures, and notebooks handed in to it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from innervision.classroom.paths import Course

FIXTURES = Path(__file__).parent / "fixtures"
COURSE = Course(FIXTURES / "course", FIXTURES / "graders", FIXTURES / "misconceptions", FIXTURES / "alternatives")
SLUG = "99-tiny"

TOTAL_VARIATION = """\
def total_variation(images):
    below = images[..., 1:, :] - images[..., :-1, :]
    right = images[..., :, 1:] - images[..., :, :-1]
    return below.abs().mean(dim=(1, 2, 3)) + right.abs().mean(dim=(1, 2, 3))
"""
CHANNEL = """\
def channel(layer, channel):
    return Objective(lambda activations: activations[layer][:, channel].mean(dim=(1, 2)))
"""
DISPLAYABLE = """\
def to_displayable(image):
    image = image - image.min()
    return (image / image.max()).permute(1, 2, 0)
"""
SOLVED = {
    "99.total_variation": TOTAL_VARIATION,
    "99.channel": CHANNEL,
    "99.to_displayable": DISPLAYABLE,
    "99.q_first": 'answer_99_q_first = "a"',
    "99.q_count": "answer_99_q_count = 6",
}
EXERCISES = list(SOLVED)


def untouched() -> dict[str, Any]:
    """The student notebook as it is given out."""
    notebook: dict[str, Any] = json.loads(COURSE.notebook(SLUG).read_text(encoding="utf-8"))
    return notebook


def filled(**changes: str) -> dict[str, Any]:
    """The solved notebook, with other answers for some cells: ``filled(channel="def channel…")``."""
    notebook = untouched()
    for exercise, source in SOLVED.items():
        cell(notebook, exercise)["source"] = changes.get(exercise.partition(".")[2], source)
    return notebook


def cell(notebook: dict[str, Any], exercise: str) -> dict[str, Any]:
    """The cell of an exercise or question."""
    return next(cell for cell in notebook["cells"] if cell["id"] == exercise.replace(".", "-"))


def code(source: str, **more: Any) -> dict[str, Any]:
    """A code cell that a student added."""
    return {"cell_type": "code", "id": "added", "metadata": {}, "outputs": [], "source": source, **more}


def again(cell: dict[str, Any], source: str) -> dict[str, Any]:
    """A copy of a cell with another source, as copying and pasting makes one."""
    return {**copy.deepcopy(cell), "source": source}


def written(folder: Path, notebook: Any, name: str = "lesson.ipynb") -> Path:
    """A file with that notebook, or with those bytes."""
    path = folder / name
    path.write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode())
    return path
