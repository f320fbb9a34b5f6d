"""Which statements of a notebook's cells are run when it is graded: those that define what is graded, no others.

Exercise and question cells are run without their bare expressions (calls, prints, forgotten tries). Of all other cells
only those statements are run that bind a name which a graded cell needs, directly or through others; so a helper in
an extra cell counts, and a slow picture is not drawn again.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

GRADED = ("exercise", "question")

_MAGIC = re.compile(r"^(\s*)(%|!|\?)|^(\s*)\S+\?{1,2}\s*$")
_RUNS_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun")


@dataclass(frozen=True)
class SourceCell:
    """A code cell on its way to a worker.

    Attributes:
        name: What messages call it: an exercise id, or its number in the notebook.
        role: ``exercise``, ``question`` or ``other``.
    """

    name: str
    role: str
    source: str


@dataclass
class Plan:
    """The statements of one cell that are run; ``error`` if the cell is not valid Python."""

    cell: SourceCell
    statements: list[ast.stmt] = field(default_factory=list)
    error: SyntaxError | None = None


def without_magics(source: str) -> str:
    """A cell's code without IPython's own lines; line numbers stay. Cells in other languages become empty."""
    lines = source.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and first.split()[0] not in _RUNS_PYTHON:
        return ""
    return "\n".join(_without_magic(line) for line in lines)


def plan_cells(cells: Sequence[SourceCell], course: Iterable[str] = ()) -> list[Plan]:
    """Choose the statements to run, cell by cell.

    Args:
        cells: The notebook's code cells in order.
        course: Sources that are run anyway; statements of these are not run a second time.
    """
    known = {ast.dump(node) for source in course for node in _parse(source, "course").statements}
    plans = [_parse_cell(cell) for cell in cells]
    for plan in plans:
        plan.statements = [
            node for node in plan.statements if not isinstance(node, ast.Expr) and ast.dump(node) not in known
        ]
    graded = [plan for plan in plans if plan.cell.role in GRADED]
    others = [plan for plan in plans if plan.cell.role not in GRADED]
    waiting = [(plan, node) for plan in others for node in plan.statements]
    needed = {name for plan in graded for node in plan.statements for name in loaded_names(node)}
    kept: set[int] = set()
    while found := [node for _, node in waiting if id(node) not in kept and bound_names(node) & needed]:
        kept |= {id(node) for node in found}
        needed |= {name for node in found for name in loaded_names(node)}
    for plan in others:
        plan.statements = [node for node in plan.statements if id(node) in kept]
    return plans


def loaded_names(node: ast.stmt) -> set[str]:
    """Names that a statement reads from the notebook, inside functions too; variables of functions do not count."""
    try:
        top = symtable.symtable(ast.unparse(node), "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    names = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    scopes = top.get_children()
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        names |= {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global()}
    return names


def bound_names(node: ast.stmt) -> set[str]:
    """Names that a statement defines or changes at its own level, also inside ``if``, ``for``, ``with`` and ``try``."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    names: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            names |= bound_names(child)
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            names |= {name for inner in child.body for name in bound_names(inner)}
        else:
            names |= {_base(item) for item in ast.walk(child) if _is_target(item)}
    return names - {""}


def _is_target(item: ast.AST) -> bool:
    return isinstance(item, ast.Name | ast.Attribute | ast.Subscript) and isinstance(item.ctx, ast.Store)


def _base(item: ast.AST) -> str:
    """The variable behind a target: ``a`` of ``a.b[0] = …``."""
    while isinstance(item, ast.Attribute | ast.Subscript):
        item = item.value
    return item.id if isinstance(item, ast.Name) else ""


def _parse_cell(cell: SourceCell) -> Plan:
    plan = _parse(without_magics(cell.source), f"<cell {cell.name}>")
    return Plan(cell, plan.statements, plan.error)


def _parse(source: str, filename: str) -> Plan:
    """Statements of a source; ``await`` at the top level is allowed as in a notebook."""
    cell = SourceCell(filename, "", source)
    try:
        tree = compile(source, filename, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return Plan(cell, error=error)
    except (ValueError, RecursionError, MemoryError) as error:
        return Plan(cell, error=SyntaxError(f"the cell cannot be read as Python ({type(error).__name__})"))
    return Plan(cell, list(tree.body))


def _without_magic(line: str) -> str:
    """An empty line for a magic; the assignment of a shell command's output is one too."""
    if _MAGIC.match(line) or re.match(r"^\s*\w+\s*=\s*[!%]", line):
        return line[: len(line) - len(line.lstrip())] + "pass"
    return line
