"""A class of made-up students for lesson 02: right, right in their own way, half done, mistaken, hostile.

What each student hands in is drawn from a seed. The course folder is nbgrader's, released with nbgrader itself.
"""

from __future__ import annotations

import ast
import inspect
import random
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from innervision.classroom import builder, nbgrader_source
from innervision.classroom.builder import Built
from innervision.classroom.exercises import Graders, Variant, load_graders

ASSIGNMENT = LESSON = "02-feature-visualization"
KINDS = ("solved", "half", "mistaken", "unusual", "untouched", "hostile")
SHARES = (20, 14, 14, 4, 2, 6)  # of sixty
HOSTILE = (
    "def {name}(*args, **kwargs):\n    while True:\n        pass",
    "def {name}(*args, **kwargs):\n    import os\n    os._exit(0)",
    "def {name}(*args, **kwargs):\n    blocks = []\n    while True:\n        blocks.append(bytearray(2**26))",
    "def {name}(*args, **kwargs):\n    import os\n    while True:\n        os.fork()",
    "import torch\n\ntorch.equal = lambda *_, **__: True\n\n\ndef {name}(*args, **kwargs):\n    return 1.0",
    "print('{{\"points\": 100}}')\nimport sys\n\nsys.exit(0)",
)


@dataclass(frozen=True)
class Student:
    """One of the class."""

    name: str
    kind: str
    notebook: NotebookNode


def make_class(built: Built, count: int, seed: int = 0) -> list[Student]:
    """Draw a class; the shares of its kinds are those of ``SHARES``."""
    draw, graders = random.Random(seed), load_graders(LESSON)
    kinds = [kind for kind, share in zip(KINDS, SHARES, strict=True) for _ in range(share)]
    students = []
    for number in range(count):
        kind = kinds[number * len(kinds) // count]
        cells = _answers(kind, built, graders, draw, number)
        students.append(Student(f"{kind}-{number:03d}", kind, _filled(built, cells)))
    return students


def write_course(folder: Path, built: Built, students: list[Student], *, skip_pictures: bool = True) -> Path:
    """Write an nbgrader course and release its assignment.

    Args:
        skip_pictures: Keep the course's setting by which nbgrader does not run cells that are worth no points.
    """
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    config = nbgrader_source.write_config(folder)
    if not skip_pictures:
        lines = config.read_text(encoding="utf-8").splitlines()
        config.write_text("\n".join(line for line in lines if "skip_cells_with_tag" not in line), encoding="utf-8")
    builder.write_notebook(built.source, folder / "source" / ASSIGNMENT / "lesson.ipynb")
    settings = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    settings.CourseDirectory.root = str(folder)
    settings.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    released = NbGraderAPI(config=settings).generate_assignment(ASSIGNMENT)
    if not released["success"]:
        raise RuntimeError(released["log"])
    for student in students:
        builder.write_notebook(student.notebook, folder / "submitted" / student.name / ASSIGNMENT / "lesson.ipynb")
    return folder


def _answers(kind: str, built: Built, graders: Graders, draw: random.Random, number: int) -> dict[str, str]:
    """Id of exercise or question → what is in its cell."""
    right = {_task(cell): cell.source for cell in built.solved.cells if _task(cell)}
    exercises = [*graders.functions]
    if kind == "untouched":
        return {}
    if kind == "half":
        return {task: right[task] for task in draw.sample(sorted(right), len(right) // 2)}
    if kind == "mistaken":
        return right | {task: _source(draw.choice(graders.misconceptions[task])) for task in draw.sample(exercises, 4)}
    if kind == "unusual":
        return right | {task: _source(draw.choice(graders.alternatives[task])) for task in exercises}
    if kind == "hostile":
        task = draw.choice(exercises)
        return right | {task: HOSTILE[number % len(HOSTILE)].format(name=graders.functions[task].rpartition(".")[2])}
    return right


def _source(variant: Variant) -> str:
    """A variant as a cell: what its file imports and its helpers, then its function under the exercise's name."""
    module = ast.parse(Path(inspect.getsourcefile(variant.function) or "").read_text(encoding="utf-8"))
    kept: list[ast.stmt] = []
    name = load_graders(LESSON).functions[variant.exercise].rpartition(".")[2]
    for node in module.body[1:]:  # the first is the docstring
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            if node.name != variant.name:
                continue
            node.decorator_list = []
            node.name = name
            for inner in ast.walk(node):  # one that calls itself
                if isinstance(inner, ast.Name) and inner.id == variant.name:
                    inner.id = name
        if not (isinstance(node, ast.ImportFrom) and "innervision.classroom" in str(node.module)):
            kept.append(node)
    return ast.unparse(ast.Module(kept, []))


def _filled(built: Built, cells: dict[str, str]) -> NotebookNode:
    notebook = NotebookNode(built.student)
    notebook.cells = [cell.copy() for cell in built.student.cells]
    for cell in notebook.cells:
        if _task(cell) in cells:
            cell.source = cells[_task(cell)]
    return notebook


def _task(cell: NotebookNode) -> str:
    """The exercise or question whose answer belongs into this cell, else ""."""
    about = cell.metadata["innervision"]
    return str(about["id"]) if about["role"] in ("exercise", "question") else ""
