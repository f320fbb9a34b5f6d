"""A small mutator: takes a correct function and writes many slightly wrong ones.

Each mutant differs from the original in one place, the way a slip of the pen does. A grader that lets one pass has not
looked at that place. Text for people stays as it is (docstrings, f-strings and what only an f-string uses, such as the
name of an objective): students may choose their own words.
"""

from __future__ import annotations

import ast
import copy
import difflib
import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

SWAPPED_OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Div],
    ast.Mod: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
TWINS = [
    ("min", "max"),
    ("amin", "amax"),
    ("argmin", "argmax"),
    ("minimum", "maximum"),
    ("sin", "cos"),
    ("any", "all"),
    ("floor", "ceil"),
    ("sum", "mean"),
    ("irfft2", "ifft2"),
    ("softmax", "sigmoid"),
    ("rand", "randn"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
]
SWAPPED_NAMES = {a: b for pair in TWINS for a, b in (pair, pair[::-1])}
COMMUTATIVE = {"max", "min", "torch.hypot"}
MODULES = {"torch", "math", "F", "np", "einops"}  # a call on one of these is no step in a chain


@dataclass(frozen=True)
class Mutant:
    """One wrong function: what was changed, and its whole text."""

    change: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Write all mutants of one function; signature, defaults, annotations and docstring stay as they are."""
    tree = ast.parse(source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    original = ast.unparse(tree)
    texts = dict.fromkeys(_variants(tree, function))
    texts.pop(original, None)
    found, seen = [], Counter[str]()
    for text in texts:
        change = _difference(original, text)
        seen[change] += 1
        found.append(Mutant(change if seen[change] == 1 else f"{change} ({seen[change]})", text))
    return found


def implementation(path: str, source: str) -> Callable[..., Any]:
    """Compile a mutant as if it stood in the library in place of the original, without touching the library."""
    module, _, name = path.rpartition(".")
    namespace = dict(vars(importlib.import_module(module)))
    code = compile(source, f"<mutant of {name}>", "exec", flags=annotations.compiler_flag)
    exec(code, namespace)
    return namespace[name]


def _variants(tree: ast.Module, function: ast.FunctionDef) -> Iterator[str]:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    bound = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
    labels = _only_in_text(function)
    for statement in body:
        if isinstance(statement, ast.Assign) and {ast.unparse(target) for target in statement.targets} <= labels:
            continue
        for parent, field, index, node in [
            (function, "body", function.body.index(statement), statement),
            *_places(statement),
        ]:
            for replacement in _replacements(node, bound):
                _put(parent, field, index, replacement)
                yield ast.unparse(ast.fix_missing_locations(tree))
                _put(parent, field, index, node)
            if isinstance(node, ast.Assign):
                bound |= {target.id for target in node.targets if isinstance(target, ast.Name)}


def _places(statement: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node below a statement with its place in the parent; annotations and docstrings are left out."""
    for field, value in ast.iter_fields(statement):
        if field in ("annotation", "returns", "ctx") or getattr(statement, "arg", "") == "strict":
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            documentation = index == 0 and field == "body" and isinstance(node, ast.Expr) and _is_text(node.value)
            if isinstance(node, ast.AST) and not documentation and not isinstance(node, ast.JoinedStr):
                yield statement, field, index, node
                yield from _places(node)


def _only_in_text(function: ast.FunctionDef) -> set[str]:
    """Variables that are read in f-strings and nowhere else."""
    read = Counter(
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
    texts = [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr)]
    in_text = Counter(node.id for text in texts for node in ast.walk(text) if isinstance(node, ast.Name))
    return {name for name, count in in_text.items() if count == read[name]}


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _replacements(node: ast.AST, bound: set[str]) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    for new in SWAPPED_OPERATORS.get(type(node), ()):
        yield new()
    match node:
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield from (ast.Constant(value) for value in (node.value + 1, node.value - 1, 0) if value != node.value)
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield node.operand
        case ast.BinOp():
            yield from (node.left, node.right)
        case ast.BoolOp():
            yield from node.values
        case ast.If() | ast.While() | ast.IfExp():
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Return(value=ast.expr()):
            yield ast.Return(ast.UnaryOp(ast.USub(), node.value))
        case ast.comprehension(ifs=[condition, *others]):
            yield _with(node, ifs=others)
            yield _with(node, ifs=[ast.UnaryOp(ast.Not(), condition), *others])
        case ast.Slice():
            yield from (
                _with(node, **{end: None}) for end in ("lower", "upper", "step") if getattr(node, end) is not None
            )
        case ast.Name(id=name, ctx=ast.Load()) if name in SWAPPED_NAMES:
            yield ast.Name(SWAPPED_NAMES[name], ast.Load())
        case ast.Attribute(attr=name, ctx=ast.Load()) if name in SWAPPED_NAMES:
            yield _with(node, attr=SWAPPED_NAMES[name])
        case ast.Call():
            yield from _changed_calls(node)
    yield from _dropped_statements(node, bound)


def _changed_calls(call: ast.Call) -> Iterator[ast.AST]:
    for index in range(0 if ast.unparse(call.func) in COMMUTATIVE else len(call.args) - 1):
        arguments = list(call.args)
        arguments[index], arguments[index + 1] = arguments[index + 1], arguments[index]
        yield _with(call, args=arguments)
    for index, keyword in enumerate(call.keywords):
        if keyword.arg == "strict":  # of zip: it only guards against lengths that never differ here
            continue
        yield _with(call, keywords=call.keywords[:index] + call.keywords[index + 1 :])
    match call.func:
        case ast.Attribute(value=ast.Name(id=name)) if name in MODULES:
            return
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id=name))) if name in MODULES:
            return
        case ast.Attribute(value=receiver):
            yield receiver  # leaves one step of a chain out


def _dropped_statements(node: ast.AST, bound: set[str]) -> Iterator[ast.AST]:
    """Leave a statement out; the first assignment of a name stays, since without it nothing runs at all."""
    match node:
        case ast.Expr(value=value) if not _is_text(value):
            yield ast.Pass()
        case ast.AugAssign() | ast.Continue() | ast.Break() | ast.Raise() | ast.If():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Name(id=name)]) if name in bound:
            yield ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield ast.Pass()
        case ast.With(body=body):
            yield ast.If(ast.Constant(True), copy.deepcopy(body), [])


def _with(node: ast.AST, **changes: Any) -> ast.AST:
    changed = copy.copy(node)
    for field, value in changes.items():
        setattr(changed, field, value)
    return changed


def _difference(before: str, after: str) -> str:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return " ".join(f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-")
