"""Which submissions look alike? A hint to a person, never a score: short exercises have few right answers.

Only what students wrote themselves is compared: the bodies of their exercise functions and their own cells, not the
signature and docstring that the stub gave them. Code is reduced to its shape (names, constants and docstrings gone,
comments and layout with them), cut into overlapping pieces, and the pieces are hashed; what many in the class share is
left out, since it comes from the lesson and not from a neighbour.

Source: fingerprints by winnowing, Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document
fingerprinting", SIGMOD 2003, sections 3 and 5.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from innervision.classroom.autograded import Template, read_template
from innervision.classroom.course_folder import open_course

PIECE = 12  # tokens of one piece; about two lines. Shorter ones are shared by everybody
WINDOW = 8  # of this many neighbouring pieces at least one is kept, so that 19 equal tokens in a row are always found
COMMON = 0.3  # a piece that more than this share of the class has says nothing; at least three students must have it
FEWEST = 12  # submissions with fewer pieces than this are not compared


@dataclass(frozen=True)
class Pair:
    """Two submissions that look alike.

    Attributes:
        similarity: Shared pieces over the pieces of the shorter one, in [0, 1].
        pieces: How many pieces are shared: 0.9 of 15 is weaker evidence than 0.9 of 200.
        exercises: Where the shared pieces are, most first.
    """

    first: str
    second: str
    similarity: float
    pieces: int
    exercises: tuple[str, ...]


def similar_submissions(
    course: Path | str, assignment: str, *, lesson: str | None = None, least: float = 0.5
) -> list[Pair]:
    """Compare all submissions of an assignment with each other. Nothing is run.

    Args:
        course: The course folder.
        assignment: Name of the assignment.
        lesson: Slug of the lesson, where the course folder does not say it.
        least: Pairs below this similarity are left out, in [0, 1].

    Returns:
        Pairs, most similar first.
    """
    folder = open_course(course)
    slug = folder.lesson_of(assignment, lesson)
    name = folder.notebook_name(assignment, slug)
    template = read_template(name, slug)
    found = {entry.student: own_code(entry.read(), template) for entry in folder.handed_in(assignment, name)}
    return compare({student: fingerprints(code) for student, code in found.items()}, least)


def compare(prints: Mapping[str, Mapping[str, set[int]]], least: float) -> list[Pair]:
    """Compare fingerprints, given by student and exercise."""
    merged = {student: set().union(*by_exercise.values()) for student, by_exercise in prints.items()}
    count = Counter(piece for pieces in merged.values() for piece in pieces)
    common = {piece for piece, times in count.items() if times > max(2, COMMON * len(merged))}
    rare = {student: pieces - common for student, pieces in merged.items()}
    pairs = []
    for first, second in itertools.combinations(sorted(rare), 2):
        shared = rare[first] & rare[second]
        shorter = min(len(rare[first]), len(rare[second]))
        if shorter >= FEWEST and len(shared) / shorter >= least:
            where = Counter({name: len(pieces & shared) for name, pieces in prints[first].items() if pieces & shared})
            pairs.append(
                Pair(first, second, len(shared) / shorter, len(shared), tuple(name for name, _ in where.most_common()))
            )
    return sorted(pairs, key=lambda pair: (-pair.similarity, -pair.pieces, pair.first, pair.second))


def own_code(submission: bytes, template: Template) -> dict[str, str]:
    """What a student wrote, by exercise; cells of their own are under "own cells"."""
    try:
        cells = json.loads(submission.decode("utf-8-sig", "replace"))["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    answers = {item.answer_cell: item.id for item in template.items}
    given = {_tidy(cell.source) for cell in template.notebook.cells}
    code: dict[str, str] = {}
    for cell in cells if isinstance(cells, list) else []:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        source = "".join(map(str, source)) if isinstance(source, list) else str(source)
        if _tidy(source) not in given:
            name = answers.get(str(cell.get("id"))) or answers.get(_grade_id(cell)) or "own cells"
            code[name] = f"{code.get(name, '')}\n{source}"
    return code


def fingerprints(code: Mapping[str, str]) -> dict[str, set[int]]:
    """Hashes of the shape of the code, by exercise. Code that Python cannot read has none."""
    return {name: _winnow(tokens) for name, source in code.items() if (tokens := shape(source))}


def shape(source: str, *, names: bool = False) -> list[str]:
    """The syntax tree as a row of tokens, without constants, docstrings, annotations, decorators and imports.

    Args:
        source: Python; code that cannot be read has no tokens.
        names: Keep the names of variables.
    """
    lines = (line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a student's code, not about ours
            tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    tokens: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in _without_docstring(node.body):
                tokens += _tokens(statement, names)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            tokens += _tokens(node, names)
    return tokens


def _tokens(node: ast.AST, names: bool) -> Iterable[str]:
    stack: list[ast.AST] = [node]
    while stack:
        part = stack.pop()
        yield type(part).__name__
        if isinstance(part, ast.Attribute):  # which function of a library is called belongs to the shape
            yield part.attr
        if names and isinstance(part, ast.Name):
            yield part.id
        if not isinstance(part, ast.Constant | ast.Name | ast.arg | ast.expr_context):
            stack += reversed(list(ast.iter_child_nodes(part)))


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return body[1:] if is_text else body


def _winnow(tokens: list[str]) -> set[int]:
    texts = [" ".join(tokens[i : i + PIECE]) for i in range(max(len(tokens) - PIECE + 1, 1))]
    pieces = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") for text in texts]
    return {min(pieces[i : i + WINDOW]) for i in range(max(len(pieces) - WINDOW + 1, 1))}


def _grade_id(cell: Mapping[str, Any]) -> str:
    about = cell.get("metadata")
    about = about.get("nbgrader") if isinstance(about, dict) else None
    return str(about.get("grade_id")) if isinstance(about, dict) else ""


def _tidy(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
