"""The library as a sandbox may see it: without the solutions of the lesson that is graded, without judges.

Student code in a sandbox can read every file that is there. So the exercise functions of the lesson keep their
signatures and lose their bodies, and of the classroom only what a worker needs is there. When a scenario needs the
library's own version of *another* exercise, the worker asks for it (see ``innervision.classroom.references``).
"""

from __future__ import annotations

import ast
import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
WORKER_MODULES = ("__init__", "cells", "frames", "references", "seccomp", "student", "wire", "worker", "zygote")
LEFT_OUT = ("recipes", "classroom", "_course", "_graders", "cli.py", "cli_class.py", "__pycache__")
NOTEBOOK = '''"""Stands for ``innervision.classroom.notebook`` where notebooks are graded."""


def check(*_, **__): """Nothing."""


hint = progress = check
'''
SEALED = "raise RuntimeError('innervision: this function is the exercise that is being graded')"


def seal(target: Path, functions: Iterable[str]) -> Path:
    """Copy the library to ``target/innervision``, with these functions emptied.

    Args:
        target: An existing, empty folder.
        functions: Dotted paths of functions of the library.

    Returns:
        ``target``.

    Raises:
        ValueError: A function does not exist.
    """
    package = target / "innervision"
    for source in sorted(PACKAGE.rglob("*")):
        relative = source.relative_to(PACKAGE)
        if source.is_file() and _belongs(relative):
            (package / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, package / relative)
    (package / "classroom" / "notebook.py").write_text(NOTEBOOK, encoding="utf-8")
    for path in functions:
        module, _, name = path.rpartition(".")
        file = target.joinpath(*module.split(".")).with_suffix(".py")
        if not file.is_file():
            file = target.joinpath(*module.split("."), "__init__.py")
        if not file.is_file():
            raise ValueError(f"function is {path!r}; it must be the dotted path of a function of the library.")
        file.write_text(without_body(file.read_text(encoding="utf-8"), name), encoding="utf-8")
    return target


def library_hash() -> str:
    """SHA-256 of the library's source files: a sealed copy is as good as long as this stays the same."""
    digest = hashlib.sha256()
    for source in sorted(PACKAGE.rglob("*.py")):
        digest.update(str(source.relative_to(PACKAGE)).encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def without_body(source: str, name: str) -> str:
    """A module's text in which one function only raises; everything else is as it was.

    Raises:
        ValueError: The module defines no such function.
    """
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not nodes:
        raise ValueError(f"function is {name!r}; the module must define it.")
    lines = source.splitlines()
    for node in reversed(nodes):
        body = node.body[1:] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body
        first, last = body[0].lineno, body[-1].end_lineno
        after_docstring = node.body[0].end_lineno if body is not node.body else first - 1
        lines[after_docstring:last] = [" " * body[0].col_offset + SEALED]
    return "\n".join(lines) + "\n"


def _belongs(relative: Path) -> bool:
    """Whether a file of the package goes into the sandbox."""
    parts = relative.parts
    if "__pycache__" in parts:
        return False
    if parts[0] == "classroom":
        return len(parts) == 2 and relative.suffix == ".py" and relative.stem in WORKER_MODULES
    return parts[0] not in LEFT_OUT
