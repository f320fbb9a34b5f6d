"""The builder: lesson.md becomes the student notebook, the nbgrader source and the solved notebook.

One direction only. Prose, plots and questions come from lesson.md, every stub and body from the library, every answer
from the graders; nothing is written twice, so nothing can drift. Needs jupytext and nbformat (the extra ``course``).
"""

from __future__ import annotations

import ast
import hashlib
import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

import innervision
from innervision.classroom import nbgrader_source, stubs
from innervision.classroom.lessons import answer_name, cell_id

INSTALL = """\
# Run me first. In Colab, or where innervision is not installed: remove "# " from the next line, then run me again.
# %pip install --quiet innervision
"""
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
OPTIONS = {"exercise", "function", "question", "points", "kind", "options", "hints"}  # read here, not copied
KINDS = ("choice", "number", "unit")


class LessonError(ValueError):
    """A lesson cannot be built; the message lists every problem, one sentence a line."""


@dataclass(frozen=True)
class Task:
    """What the graders know about an exercise or question: its points and, for a question, the code of its answer."""

    points: float
    answer: str = ""


@dataclass(frozen=True)
class Built:
    """The three notebooks of one lesson."""

    slug: str
    student: NotebookNode
    source: NotebookNode
    solved: NotebookNode


def build(lesson: Path, tasks: Mapping[str, Task]) -> Built:
    """Build the three notebooks of one lesson.

    Args:
        lesson: The lesson.md.
        tasks: What the graders know, by id of exercise or question.

    Raises:
        LessonError: Something does not fit together; all problems are listed.
    """
    draft = jupytext.read(lesson, fmt="md:myst")
    about = draft.metadata.get("innervision", {})
    builder = _Builder(lesson.parent.name, about, tasks)
    for cell in draft.cells:
        builder.add(cell)
    builder.finish()
    if builder.problems:
        raise LessonError("\n".join(f"{lesson.parent.name}/{lesson.name}: {problem}" for problem in builder.problems))
    return Built(lesson.parent.name, *(builder.notebook(form) for form in ("student", "source", "solved")))


class _Builder:
    """Collects cells in their three forms, and problems as they come up."""

    def __init__(self, slug: str, about: dict[str, Any], tasks: Mapping[str, Task]) -> None:
        self.slug, self.about, self.tasks = slug, about, tasks
        self.cells: list[dict[str, NotebookNode]] = []
        self.problems: list[str] = []
        self.defined: set[str] = set()
        self.ids: Counter[str] = Counter()
        self.seen: set[str] = set()
        for key in ("title", "slug", "minutes", "claim"):
            if key not in about:
                self.problems.append(f"the front matter needs innervision.{key}")
        if about.get("slug", slug) != slug:
            self.problems.append(f"the front matter says slug {about['slug']!r}, the folder {slug!r}")

    def add(self, cell: NotebookNode) -> None:
        """Add one cell of lesson.md."""
        if cell.cell_type == "markdown":
            self._add_text(cell)
        elif "exercise" in cell.metadata:
            self._add_exercise(cell, cell.metadata["exercise"])
        elif "question" in cell.metadata:
            self._add_question(cell, cell.metadata["question"])
        else:
            self._add_code(cell)

    def finish(self) -> None:
        """Look for what can only be known at the end."""
        for task in self.tasks:
            if task not in self.seen:
                self.problems.append(f"the graders know {task!r}, but the lesson has no such cell")

    def notebook(self, form: str) -> NotebookNode:
        """Return one of the three notebooks."""
        metadata = {
            "kernelspec": KERNEL,
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            "innervision": {
                "lesson": self.slug,
                "title": self.about["title"],
                "minutes": self.about["minutes"],
                "claim": self.about["claim"],
                "version": innervision.__version__,
            },
        }
        cells = [cells[form] for cells in self.cells]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
        nbformat.validate(notebook)
        return notebook

    def _add_text(self, cell: NotebookNode) -> None:
        opened, closed = cell.source.count("<details"), cell.source.count("</details>")
        if opened != closed:
            self.problems.append(
                f"a text cell opens <details> {opened} times and closes it {closed} times: {cell.source[:60]!r}"
            )
        self._append(self._hashed("text", cell.source), "text", cell.source, kind="markdown")

    def _add_code(self, cell: NotebookNode) -> None:
        setup = "setup" in cell.metadata.get("tags", ())
        source, metadata = cell.source, {key: cell.metadata[key] for key in cell.metadata if key not in OPTIONS}
        if not any(cells["student"].cell_type == "code" for cells in self.cells):
            if not setup:
                self.problems.append("the first code cell must be a set-up cell (tags: [setup])")
            source = INSTALL + source
        if setup:
            self._define(source)
        role = "setup" if setup else "see"
        metadata["tags"] = [*(tag for tag in metadata.get("tags", ()) if tag != role), role]
        self._append(self._hashed(role, cell.source), role, source, metadata=metadata)

    def _define(self, source: str) -> None:
        code = stubs.without_magics(source)
        try:
            nodes = list(ast.walk(ast.parse(code)))
        except SyntaxError as error:
            self.problems.append(f"a set-up cell is not valid Python ({error}): {source[:60]!r}")
            return
        if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in nodes):
            self.problems.append(f"a set-up cell imports *; name what the lesson needs: {source[:60]!r}")
        self.defined |= stubs.defined_names(code)

    def _add_exercise(self, cell: NotebookNode, task: str) -> None:
        self._check_task("exercise", task, cell.metadata)
        try:
            function = stubs.library_function(str(cell.metadata.get("function")))
        except ValueError as error:
            self.problems.append(f"exercise {task}: {error}")
            return
        if cell.source.strip():
            self.problems.append(f"exercise {task}: the cell must be empty; its stub comes from {function.path}")
        if function.body_lines > stubs.MAX_BODY_LINES:
            self.problems.append(
                f"exercise {task}: the body of {function.path} has {function.body_lines} lines of code, "
                f"an exercise has at most {stubs.MAX_BODY_LINES}"
            )
        missing = sorted(function.needs - self.defined - {function.name})
        if missing:
            self.problems.append(
                f"exercise {task}: {function.name} needs {', '.join(missing)}, "
                "which no set-up cell or exercise before it imports or defines"
            )
        self.defined.add(function.name)
        top = _first_line(task, cell.metadata)
        forms = {"student": function.stub(), "source": function.marked(), "solved": function.source}
        about = {"function": function.path, "name": function.name}
        self._append_task("exercise", task, cell, {form: f"{top}\n{text}" for form, text in forms.items()}, about)

    def _add_question(self, cell: NotebookNode, task: str) -> None:
        self._check_task("question", task, cell.metadata)
        kind, options = cell.metadata.get("kind"), cell.metadata.get("options")
        if kind not in KINDS:
            self.problems.append(f"question {task}: kind is {kind!r}, it must be one of {', '.join(KINDS)}")
        if (kind == "choice") != bool(options):
            self.problems.append(f"question {task}: options go with kind choice, and only with it")
        options = {str(letter): text for letter, text in (options or {}).items()}
        variable = answer_name(task)
        answer = self.tasks[task].answer if task in self.tasks else "..."
        if options and answer not in {repr(letter) for letter in options}:
            self.problems.append(
                f"question {task}: the graders' answer {answer} is not one of the options {list(options)}"
            )
        top = "\n".join([_first_line(task, cell.metadata), *map(_option_comment, options.items())])
        todo = f"{top}\n{variable} = ...  # {_invitation(kind, options)}"
        self.defined.add(variable)
        forms = {
            "student": todo,
            "source": f"{todo}\n### BEGIN SOLUTION\n{variable} = {answer}\n### END SOLUTION",
            "solved": f"{top}\n{variable} = {answer}",
        }
        self._append_task("question", task, cell, forms, {"kind": kind, "variable": variable})

    def _check_task(self, role: str, task: Any, metadata: Mapping[str, Any]) -> None:
        if not isinstance(task, str) or not task.startswith(self.slug[:2] + "."):
            self.problems.append(f"{role} {task!r}: the id must start with the lesson's number, {self.slug[:2]}.")
            return
        if task in self.seen:
            self.problems.append(f"{role} {task}: this id is used twice")
        self.seen.add(task)
        if task not in self.tasks:
            self.problems.append(f"{role} {task}: the graders do not know it")
        elif "points" not in metadata:
            self.problems.append(f"{role} {task}: points are missing; the graders give {self.tasks[task].points:g}")
        elif metadata["points"] != self.tasks[task].points:
            said, right = metadata["points"], self.tasks[task].points
            self.problems.append(f"{role} {task}: the lesson says {said:g} points, the graders give {right:g}")
        if not metadata.get("hints"):
            self.problems.append(f"{role} {task}: it needs at least one hint")

    def _append_task(
        self, role: str, task: str, cell: NotebookNode, forms: dict[str, str], about: dict[str, Any]
    ) -> None:
        points = cell.metadata.get("points", 0)
        known = {"id": task, "points": points, "hints": list(cell.metadata.get("hints", ())), **about}
        grading = nbgrader_source.answer(cell_id(task))
        self._append(cell_id(task), role, forms, metadata={"deletable": False, "nbgrader": grading}, about=known)
        metadata = {
            "deletable": False,
            "editable": False,
            "nbgrader": nbgrader_source.test(cell_id(task, "check"), points),
        }
        self._append(cell_id(task, "check"), "check", f'check("{task}")', metadata=metadata, about={"id": task})

    def _append(
        self,
        identifier: str,
        role: str,
        source: str | dict[str, str],
        *,
        kind: str = "code",
        metadata: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        forms = source if isinstance(source, dict) else dict.fromkeys(("student", "source", "solved"), source)
        new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        cells = {}
        for form, text in forms.items():
            own = {**nbformat.from_dict(dict(metadata or {})), "innervision": {"role": role, **(about or {})}}
            cells[form] = new(source=text, id=identifier, metadata=own)
            if "nbgrader" in own:
                nbgrader_source.seal(cells[form], released=form == "student")
        self.cells.append(cells)

    def _hashed(self, role: str, source: str) -> str:
        """A cell id that depends on the cell alone, so that other cells may come and go."""
        digest = hashlib.sha256(f"{self.slug}\n{source}".encode()).hexdigest()[:10]
        self.ids[f"{role}-{digest}"] += 1
        count = self.ids[f"{role}-{digest}"]
        return f"{role}-{digest}" if count == 1 else f"{role}-{digest}-{count}"


def _first_line(task: str, metadata: Mapping[str, Any]) -> str:
    points = metadata.get("points", 0)
    return f'# {task} · {points:g} point{"" if points == 1 else "s"} · stuck? hint("{task}")'


def _option_comment(option: tuple[str, str]) -> str:
    letter, text = option
    return textwrap.fill(f'"{letter}": {text}', 100, initial_indent="#   ", subsequent_indent="#        ")


def _invitation(kind: Any, options: Mapping[str, str]) -> str:
    if options:
        letters = [f'"{letter}"' for letter in options]
        return f"write {', '.join(letters[:-1])} or {letters[-1]} in place of the three dots"
    example = "a number" if kind == "number" else 'a unit, for example "mixed3b:5",'
    return f"write {example} in place of the three dots"


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook, byte for byte the same for the same content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook_text(notebook), encoding="utf-8", newline="\n")


def notebook_text(notebook: NotebookNode) -> str:
    """Return the text of the notebook's file."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
