"""From a library function to the text of an exercise: stub, body, and the names that it needs.

Everything is read from the library's source file, which is never imported for it, so that stub, solution and library
are the same text.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import importlib.util
import symtable
import textwrap
from dataclasses import dataclass
from pathlib import Path

PLACEHOLDER = "# YOUR CODE HERE\nraise NotImplementedError()"  # nbgrader's own, word for word
MAX_BODY_LINES = 12  # an exercise is one idea; see the design: at most about twelve lines


@dataclass(frozen=True)
class LibraryFunction:
    """A function of the library as text.

    Attributes:
        path: Dotted path, "innervision.optvis.objectives.channel".
        head: Decorators, signature and docstring.
        body: What follows the docstring, indented as in the library; comments stay.
        needs: Names that signature, body and docstring examples use and that must be defined before them.
    """

    path: str
    head: str
    body: str
    needs: frozenset[str]

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.path.rpartition(".")[2]

    @property
    def source(self) -> str:
        """The whole function, as in the library."""
        return f"{self.head}\n{self.body}"

    @property
    def body_lines(self) -> int:
        """Lines of the body that hold code."""
        lines = (line.strip() for line in self.body.splitlines())
        return sum(bool(line) and not line.startswith("#") for line in lines)

    def stub(self) -> str:
        """The function with a placeholder for its body: what a student starts from."""
        return f"{self.head}\n{textwrap.indent(PLACEHOLDER, '    ')}"

    def marked(self) -> str:
        """The function with nbgrader's solution markers around its body."""
        return f"{self.head}\n    ### BEGIN SOLUTION\n{self.body}\n    ### END SOLUTION"


def library_function(path: str) -> LibraryFunction:
    """Find a function of the library by its dotted path and take its text apart.

    Raises:
        ValueError: There is no such module or function, or the function has no docstring.
    """
    module, _, name = path.rpartition(".")
    source = module_file(module, path).read_text(encoding="utf-8")
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not nodes:
        raise ValueError(f"function {path!r} does not exist: module {module} defines no function {name!r}")
    node, lines = nodes[-1], source.splitlines()
    docstring = ast.get_docstring(node)
    if docstring is None or len(node.body) < 2:
        raise ValueError(f"function {path!r} needs a docstring and a body to become an exercise")
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    end_of_docstring = node.body[0].end_lineno
    head = "\n".join(lines[first - 1 : end_of_docstring])
    body = "\n".join(lines[end_of_docstring : node.end_lineno]).strip("\n")
    examples = "".join(example.source for example in doctest.DocTestParser().get_examples(docstring))
    needs = needed_names(f"{head}\n{body}") | (needed_names(examples) - {name})
    return LibraryFunction(path, head, body, frozenset(needs))


def module_file(module: str, path: str) -> Path:
    """Return the source file of a module, without importing the module itself."""
    try:
        spec = importlib.util.find_spec(module) if module else None
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise ValueError(f"function {path!r} does not exist: there is no module {module!r}")
    return Path(spec.origin)


def needed_names(source: str) -> set[str]:
    """Return the names that a piece of code uses but neither defines nor finds among Python's builtins."""
    top = symtable.symtable(source, "<exercise>", "exec")
    used = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    scopes = list(top.get_children())
    while scopes:
        scope = scopes.pop()
        scopes.extend(scope.get_children())
        used |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
    return used - defined_names(source) - set(dir(builtins))


def defined_names(source: str) -> set[str]:
    """Return the names that a piece of code binds at its top level."""
    symbols = symtable.symtable(source, "<cell>", "exec").get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}


def without_magics(source: str) -> str:
    """Return a cell's code with IPython's own lines (``%magic``, ``!command``) commented out."""
    return "\n".join("# " + line if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())
