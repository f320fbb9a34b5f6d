"""The notebook that nbgrader keeps in ``autograded/``: the course's cells, the student's answers, the verdicts.

Nothing in a submission is trusted to say what a cell is. Cells are recognised by id, their metadata and the source of
locked cells come from the instructor's notebook, cells that a student deleted are put back, and of cells that occur
twice the last one counts, as everywhere in nbgrader. The output of a check cell is the verdict.
"""

from __future__ import annotations

import copy
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from innervision.classroom import paths
from innervision.classroom.harmless import harmless
from innervision.classroom.rows import Row, message_parts
from innervision.classroom.wording import with_code

MAX_SOURCE = 200_000  # characters of one cell; the longest cell of a lesson has about 3,000
MAX_PICTURE = 500_000  # characters of base64; a figure of a lesson has about 100,000
MAX_CELLS = 2_000
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


@dataclass(frozen=True)
class Item:
    """Where one exercise or question stands in the notebook."""

    id: str
    answer_cell: str  # grade_id of the cell that the student fills in; nbgrader keeps comments there
    check_cell: str  # grade_id of the cell that nbgrader keeps the score of
    max_points: float


@dataclass(frozen=True)
class Template:
    """The instructor's notebook of a lesson.

    Attributes:
        name: Name of the notebook without ``.ipynb``.
        lesson: Slug of the lesson.
        notebook: As released to students, with nbgrader's metadata.
        items: Exercises and questions in order.
    """

    name: str
    lesson: str
    notebook: NotebookNode
    items: tuple[Item, ...]

    @property
    def graded_cells(self) -> dict[str, NotebookNode]:
        """The cells that nbgrader knows, by grade_id."""
        cells = self.notebook.cells
        return {
            cell.metadata.nbgrader.grade_id: cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade_id")
        }


def read_template(name: str, lesson: str, released: Path | None = None) -> Template:
    """Read the instructor's notebook: the released one if there is one, else the lesson's own.

    Raises:
        ValueError: The lesson has not been built, or no cell of the notebook carries nbgrader's metadata.
    """
    path = released if released is not None and released.is_file() else paths.find_course().notebook(lesson)
    if not path.is_file():
        raise ValueError(f"lesson is {lesson!r}; its notebook {path} is missing; `innervision notebooks` writes it.")
    notebook = nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))
    for cell in notebook.cells:
        cell.source = _text(cell.source)
    items, answer = [], None
    for cell in notebook.cells:
        about, own = cell.metadata.get("nbgrader", {}), cell.metadata.get("innervision", {})
        if about.get("solution") and not about.get("grade"):
            answer = (about["grade_id"], own.get("id", ""))
        elif about.get("grade") and not about.get("solution") and answer and own.get("role") == "check":
            items.append(Item(own.get("id") or answer[1], answer[0], about["grade_id"], float(about["points"])))
            answer = None
    if not items:
        raise ValueError(f"lesson is {lesson!r}; no cell of {path} is graded by nbgrader.")
    return Template(name, lesson, notebook, tuple(items))


def autograded_notebook(
    template: Template, submission: bytes, rows: Mapping[str, Row], reason: str = ""
) -> NotebookNode:
    """Write the notebook that nbgrader's formgrader and feedback show.

    Args:
        template: The instructor's notebook.
        submission: What the student handed in; anything, also what is not a notebook.
        rows: Verdicts by exercise.
        reason: Said at the top of the notebook where the submission could not be read.
    """
    cells = _submitted_cells(submission)
    known, ours = template.graded_cells, {cell.source for cell in template.notebook.cells}
    last = {identifier: place for place, cell in enumerate(cells) if (identifier := _grade_id(cell, known))}
    merged = []
    for place, cell in enumerate(cells):
        identifier = _grade_id(cell, known)
        counts = identifier is not None and last[identifier] == place
        merged.append(_course_cell(known[identifier], cell) if identifier and counts else _own_cell(cell))
        if merged[-1].cell_type != "code" and merged[-1].source not in ours:
            merged[-1].source = harmless(merged[-1].source)
    if not last:
        merged = [copy.deepcopy(cell) for cell in template.notebook.cells]
    else:
        _put_back(merged, template, set(last))
    if reason:
        merged.insert(
            0, nbformat.v4.new_markdown_cell(f"**This submission was not graded as a notebook.** {harmless(reason)}")
        )
    verdicts = {item.check_cell: rows[item.id] for item in template.items if item.id in rows}
    for cell in merged:
        identifier = cell.metadata.get("nbgrader", {}).get("grade_id")
        if identifier in verdicts:
            cell.outputs, cell.execution_count = [_verdict(verdicts[identifier])], None
    metadata = {
        key: template.notebook.metadata[key]
        for key in ("kernelspec", "language_info")
        if key in template.notebook.metadata
    }
    notebook = NotebookNode(
        cells=_with_ids(merged), metadata=NotebookNode(metadata), nbformat=4, nbformat_minor=nbformat.v4.nbformat_minor
    )
    nbformat.validate(notebook)
    return notebook


def _submitted_cells(submission: bytes) -> list[dict[str, Any]]:
    try:
        cells = json.loads(submission.decode("utf-8-sig", "replace"))["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [cell for cell in cells[:MAX_CELLS] if isinstance(cell, dict)] if isinstance(cells, list) else []


def _grade_id(cell: Mapping[str, Any], known: Mapping[str, Any]) -> str | None:
    about = cell.get("metadata")
    about = about.get("nbgrader") if isinstance(about, dict) else None
    for candidate in (about.get("grade_id") if isinstance(about, dict) else None, cell.get("id")):
        if isinstance(candidate, str) and candidate in known:
            return candidate
    return None


def _course_cell(ours: NotebookNode, theirs: Mapping[str, Any]) -> NotebookNode:
    cell = copy.deepcopy(ours)
    if cell.metadata.nbgrader.solution:
        cell.source = _text(theirs.get("source"))
        if cell.cell_type == "code":
            cell.outputs = _outputs(theirs)
    return cell


def _own_cell(theirs: Mapping[str, Any]) -> NotebookNode:
    """A student's own cell. Not made by nbformat's functions, which validate each cell; the notebook is validated."""
    kind = theirs.get("cell_type")
    cell = NotebookNode(
        cell_type=kind if kind in ("code", "markdown") else "raw",
        metadata=NotebookNode(),
        source=_text(theirs.get("source")),
    )
    if kind == "code":
        cell.update(execution_count=None, outputs=_outputs(theirs))
    return cell


def _outputs(cell: Mapping[str, Any]) -> list[NotebookNode]:
    """Pictures and short texts of a cell. HTML and scripts of a student do not reach the instructor's browser."""
    kept: list[NotebookNode] = []
    outputs = cell.get("outputs")
    for output in outputs[:20] if isinstance(outputs, list) else []:
        data = output.get("data") if isinstance(output, dict) else None
        picture = data.get("image/png") if isinstance(data, dict) else None
        if isinstance(picture, str) and len(picture) <= MAX_PICTURE and BASE64.fullmatch(picture):
            kept.append(_output("display_data", data=NotebookNode({"image/png": picture}), metadata=NotebookNode()))
        elif isinstance(output, dict) and output.get("output_type") == "stream":
            kept.append(_output("stream", name="stdout", text=_text(output.get("text"))[:10_000]))
    return kept


def _output(kind: str, **parts: Any) -> NotebookNode:
    return NotebookNode(output_type=kind, **parts)


def _put_back(cells: list[NotebookNode], template: Template, present: set[str]) -> None:
    """Insert graded cells that are missing, each behind the graded cell that it follows in the template."""
    previous = None
    for identifier, cell in template.graded_cells.items():
        if identifier not in present:
            places = [
                i for i, other in enumerate(cells) if other.metadata.get("nbgrader", {}).get("grade_id") == previous
            ]
            cells.insert(places[0] + 1 if previous and places else 0, copy.deepcopy(cell))
        previous = identifier


def _verdict(row: Row) -> NotebookNode:
    """The score, as nbgrader reads it from the output of a check cell, and the message for people."""
    parts = [("", f"{row['status']}: {row['points']:g} of {row['max_points']:g} points"), *message_parts(row)]
    lines = "".join(
        f"<p>{f'<b>{html.escape(name)}:</b> ' if name else ''}{with_code(text)}</p>" for name, text in parts
    )
    data = {"text/plain": repr(float(row["points"])), "text/html": f"<div>{lines}</div>"}
    return _output("execute_result", data=NotebookNode(data), metadata=NotebookNode(), execution_count=None)


def _with_ids(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Give every cell an id of its own that does not change from one run to the next."""
    seen: set[str] = set()
    for place, cell in enumerate(cells):
        identifier = cell.metadata.get("nbgrader", {}).get("grade_id", "") or f"cell-{place}"
        cell["id"] = identifier[:64] if identifier[:64] not in seen else f"cell-{place}"
        seen.add(cell["id"])
    return cells


def _text(source: Any) -> str:
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    text = source if isinstance(source, str) else ""
    text = text.encode("utf-8", "replace").decode()  # lone surrogates cannot be written to a file
    return text if len(text) <= MAX_SOURCE else f"{text[:MAX_SOURCE]}\n# … cut after {MAX_SOURCE} characters"
