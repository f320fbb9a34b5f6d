"""Reading a submission: which cell is which, whatever has become of the notebook on the student's machine.

A cell is known by its nbgrader ``grade_id``, its cell id, the first line that the builder wrote, or by what it defines.
Where an exercise appears several times, the last copy that is filled in is graded. Everything odd becomes a sentence.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from innervision.classroom.cells import SourceCell
from innervision.classroom.lessons import Cell, Lesson, answer_name, cell_id, read_lesson
from innervision.classroom.paths import Course, item_order

MAX_BYTES = 50_000_000
MAX_CELLS = 5_000
MAX_CELL = 100_000
MAX_RUN = 500_000  # characters of code that a worker is sent
MAX_MARKS = 5_000_000  # of "[", "{" and ","; each can become an object of a hundred bytes
MAX_CODE = 2_000_000  # characters in code cells; a lesson has about 30,000


class SubmissionError(ValueError):
    """A file that is no submission to any lesson; one sentence."""


@dataclass(frozen=True)
class Submission:
    """What a student handed in, as far as grading needs it.

    Attributes:
        lesson: Slug.
        cells: The code cells in order, each with its role; of an exercise only the copy that is graded.
        problems: Sentences about what is odd; none of them costs points by itself.
    """

    lesson: str
    cells: tuple[SourceCell, ...]
    problems: tuple[str, ...] = ()
    places: Mapping[str, int] = field(default_factory=dict)

    def index_of(self, name: str) -> int | None:
        """Place in ``cells`` of an exercise or question, by its id or its answer's variable; None if it is missing."""
        return self.places.get(name)

    def without_sources(self) -> Submission:
        """The same submission with nothing to run."""
        return replace(self, cells=tuple(replace(cell, source="") for cell in self.cells))


@dataclass(frozen=True)
class _Code:
    """A cell of the file, cleaned of everything unexpected."""

    number: int
    kind: str
    source: str
    ids: frozenset[str]


def read_submission(path: Path, course: Course, lesson: str | None = None) -> Submission:
    """Read a student's notebook. Nothing of it is run.

    Args:
        lesson: Slug of the lesson that it must belong to; found out when None.

    Raises:
        SubmissionError: If the file is no notebook of the course.
    """
    name = path.name
    notebook = read_notebook(path)
    if len(notebook["cells"]) > MAX_CELLS:
        raise SubmissionError(f"{name} has {len(notebook['cells']):,} cells; a lesson has at most {MAX_CELLS:,}.")
    codes = [_code(number, cell) for number, cell in enumerate(notebook["cells"], 1)]
    if sum(len(code.source) for code in codes if code.kind == "code") > MAX_CODE:
        raise SubmissionError(
            f"{name} has more than {MAX_CODE:,} characters of code, which is not a lesson's notebook."
        )
    own = lesson_of(notebook, codes, course)
    if own is None and lesson is None:
        raise SubmissionError(f"{name} is a notebook, but not of a lesson of this course.")
    slug = lesson or own or ""
    problems = [] if own in (None, slug) else [f"This is the notebook of lesson {own}, not of {slug}."]
    return _sorted_out(codes, read_lesson(slug, course), problems)


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook file as JSON; cells are a list of dicts.

    Raises:
        SubmissionError: If it is too large, not UTF-8, not JSON, or not a notebook of format 4.
    """
    name = path.name
    if not path.is_file():
        raise SubmissionError(f"{name} is not there or not a file.")
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SubmissionError(f"{name} is larger than {MAX_BYTES:,} bytes; clear its outputs and save it again.")
    if sum(data.count(mark) for mark in (b"[", b"{", b",")) > MAX_MARKS:
        raise SubmissionError(f"{name} is not a notebook: its JSON has more than {MAX_MARKS:,} values.")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SubmissionError(f"{name} is not a notebook: it is not text in UTF-8.") from None
    except RecursionError:
        raise SubmissionError(f"{name} is not a notebook: its JSON is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise SubmissionError(f"{name} is not a notebook: it is not JSON (line {error.lineno}).") from None
    except ValueError:
        raise SubmissionError(f"{name} is not a notebook: it has a number too long to read.") from None
    if isinstance(notebook, dict) and notebook.get("nbformat") != 4 and "nbformat" in notebook:
        found = str(notebook["nbformat"])[:20]
        raise SubmissionError(
            f"{name} has notebook format {found}; open it in a current Jupyter and save it in format 4."
        )
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list) or "nbformat" not in notebook:
        raise SubmissionError(f"{name} is JSON but not a notebook: it has no list of cells.")
    return notebook


def lesson_of(notebook: dict[str, Any], codes: list[_Code], course: Course) -> str | None:
    """Which lesson a notebook belongs to, by its metadata, else by most of its cells."""
    stated = _mapping(_mapping(notebook.get("metadata")).get("innervision")).get("lesson")
    slugs = course.slugs()
    if stated in slugs:
        return str(stated)
    votes: Counter[str] = Counter()
    for slug in slugs:
        for item in item_order(course.lesson(slug)):
            sign = re.compile(rf"check\([\"']{re.escape(item)}[\"']\)|^{answer_name(item)}\s*=", re.MULTILINE)
            votes[slug] += sum(cell_id(item) in code.ids or bool(sign.search(code.source)) for code in codes)
    best = votes.most_common(1)
    return best[0][0] if best and best[0][1] else None


def _sorted_out(codes: list[_Code], lesson: Lesson, problems: list[str]) -> Submission:
    chosen: dict[str, _Code] = {}
    copies: set[int] = set()
    for item, task in lesson.tasks.items():
        found, sentence = _choose(item, task, codes)
        problems += [sentence] if sentence else []
        if found:
            chosen[item] = found[0]
            copies |= {code.number for code in found[1:]}
    problems += _edited_checks(codes, lesson)
    owners: dict[int, list[str]] = {}
    for item, code in chosen.items():
        owners.setdefault(code.number, []).append(item)
    cells: list[SourceCell] = []
    places: dict[str, int] = {}
    for code in codes:
        items = owners.get(code.number, [])
        if not items and (code.kind != "code" or code.number in copies):
            continue
        for item in items:
            places[item] = places[answer_name(item)] = len(cells)
        role = lesson.tasks[items[0]].role if items else "other"
        cells.append(SourceCell(items[0] if items else str(code.number), role, code.source))
    problems += _shorten(cells)
    return Submission(lesson.slug, tuple(cells), tuple(problems), places)


def _shorten(cells: list[SourceCell]) -> list[str]:
    """Empty cells that are too long to be written by hand, and what comes after too much code; say so."""
    sentences, total = [], 0
    for index, cell in enumerate(cells):
        length = len(cell.source)
        if length > MAX_CELL or total + length > MAX_RUN:
            cells[index] = replace(cell, source="")
            limit = f"{MAX_CELL:,} are allowed in a cell, {MAX_RUN:,} in all"
            sentences.append(f"Cell {cell.name} was not run: it has {length:,} characters, and {limit}.")
        else:
            total += length
    return sentences


def _choose(item: str, task: Cell, codes: list[_Code]) -> tuple[list[_Code], str]:
    """The cells of one exercise or question, the graded one first, and a sentence if that is worth one."""
    name = task.function.rpartition(".")[2] or answer_name(item)
    pattern = rf"^(async\s+)?def\s+{name}\s*\(|^{name}\s*(:[^=\n]+)?=(?!=)"
    marked = [code for code in codes if cell_id(item) in code.ids or code.source.lstrip().startswith(f"# {item} ·")]
    defining = [
        code
        for code in codes
        if re.search(pattern, code.source, re.MULTILINE) and (code.kind == "code" or code in marked)
    ]
    found = defining or marked
    if not found:
        return [], f"Cell {item} is missing."
    filled = [code for code in found if not _untouched(code.source, task)]
    best = (filled or found)[-1]
    ordered = [best, *(code for code in found if code is not best)]
    if len(found) > 1:
        which = "the last one" if len(filled) == len(found) else "the one that is filled in"
        which = "the last one that is filled in" if 1 < len(filled) < len(found) else which
        verdict = f"{which} was graded" if filled else "none of them is filled in"
        times = "twice" if len(found) == 2 else f"{len(found)} times"
        return ordered, f"Cell {item} appears {times}; {verdict}."
    if best.kind != "code":
        return ordered, f"Cell {item} had become a text cell; it was graded as code."
    return ordered, ""


def _untouched(source: str, task: Cell) -> bool:
    if source.strip() == task.source.strip():
        return True
    if task.role == "question":
        return bool(re.search(rf"^{answer_name(task.exercise)}\s*=\s*\.\.\.", source, re.MULTILINE))
    return "raise NotImplementedError()" in source


def _edited_checks(codes: list[_Code], lesson: Lesson) -> list[str]:
    sentences = []
    for cell in lesson.of_role("check"):
        found = [code for code in codes if cell.id in code.ids]
        if any(code.source.strip() != cell.source.strip() for code in found):
            sentences.append(f"The check cell of {cell.exercise} was edited; grading does not use it.")
    return sentences


def _code(number: int, cell: Any) -> _Code:
    cell = _mapping(cell)
    metadata = _mapping(cell.get("metadata"))
    ids = (cell.get("id"), _mapping(metadata.get("nbgrader")).get("grade_id"))
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    source = source if isinstance(source, str) else ""
    lines = source.replace("\r\n", "\n").replace("\r", "\n")
    return _Code(number, str(cell.get("cell_type")), lines, frozenset(i for i in ids if isinstance(i, str)))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
