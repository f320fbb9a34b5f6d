"""The reference of the exercise under test is out of reach: whoever calls it by any import path gets a clear error.

``Guard`` swaps the code of the lesson's library functions for a gate, for as long as student code runs. The gate lets
everybody through to the original, except when that function is the one under test: then the library's own calls reach
the student's version (so ``render`` works with the student's ``maximize``), and all others are refused. What remains
possible without a sandbox is reading the library's source file.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import CodeType, FrameType, FunctionType
from typing import Any

PASSED_OVER = {"jaxtyping", "beartype", "typeguard", "torch", "contextlib", "functools", __name__}

PLACE = 987654321  # stands for the callable until it is put among the constants

_MANAGER = contextmanager(inspect.unwrap).__code__  # which all that it decorates run


class ReferenceCalled(RuntimeError):  # noqa: N818
    """Student code called the library's own version of the exercise that is being graded."""


class ReferenceNeeded(BaseException):
    """The library is sealed, and the library's own version of another exercise is needed.

    Attributes:
        exercise: Its id.
    """

    def __init__(self, exercise: str) -> None:
        super().__init__(f"the library's own version of {exercise} is needed")
        self.exercise = exercise


def resolve(path: str) -> Any:
    """The object at a dotted path: ``"innervision.optvis.objectives.channel"``.

    Raises:
        ValueError: If there is none.
    """
    parts = path.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError as error:
            if error.name is None or not path.startswith(error.name):
                raise
            continue
        for name in parts[count:]:
            found = getattr(found, name, None)
        if found is not None:
            return found
        break
    raise ValueError(f"function is {path!r}; it must be the dotted path of a function of the library.")


def plain_function(path: str) -> FunctionType:
    """The undecorated function at a dotted path."""
    function = inspect.unwrap(resolve(path))
    if not isinstance(function, FunctionType):
        raise ValueError(f"function is {path!r}, a {type(function).__name__}; an exercise must be a plain function.")
    return function


def is_manager(path: str) -> bool:
    """Whether the function at a dotted path is for ``with``: a generator function under ``contextmanager``."""
    layer = resolve(path)
    while hasattr(layer, "__wrapped__"):
        if getattr(layer, "__code__", None) is _MANAGER:
            return True
        layer = layer.__wrapped__
    return False


def copy_of(path: str) -> FunctionType:
    """A copy of a library function that no guard touches."""
    function = plain_function(path)
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return contextmanager(copy) if is_manager(path) else copy  # type: ignore[return-value]


def function_of_source(path: str, source: str) -> Callable[..., Any]:
    """The function that ``source`` defines, among the names of the module where the library has it."""
    function, namespace = plain_function(path), dict[str, Any]()
    code = compile(source, f"<{path}>", "exec", annotations.compiler_flag, dont_inherit=True)
    exec(code, function.__globals__, namespace)
    made: Callable[..., Any] = namespace[function.__name__]
    return made


class Guard:
    """Gates before the library functions of a lesson's exercises.

    Args:
        functions: Exercise id → dotted path.
        supplied: In a sealed library, the sources of those originals that may be called. None: not sealed.
    """

    def __init__(self, functions: Mapping[str, str], supplied: Mapping[str, str] | None = None) -> None:
        self._functions = {exercise: plain_function(path) for exercise, path in functions.items()}
        self._managers = {exercise for exercise, path in functions.items() if is_manager(path)}
        self._codes: dict[str, CodeType] = {}
        self._originals: dict[str, Callable[..., Any]] = {}
        for exercise, path in functions.items():
            if supplied is None:
                self._originals[exercise] = copy_of(path)
            elif exercise in supplied:
                self._originals[exercise] = function_of_source(path, supplied[exercise])
        self._under_test = ""
        self._substitute: Callable[..., Any] | None = None
        self._forbid = True

    def __enter__(self) -> Guard:
        for exercise, function in self._functions.items():
            self._codes[exercise] = function.__code__
            function.__code__ = _gate(function, lambda *args, _id=exercise, **kwargs: self._call(_id, args, kwargs))
        return self

    def __exit__(self, *_: object) -> None:
        for exercise, code in self._codes.items():
            self._functions[exercise].__code__ = code
        self._codes.clear()

    @contextmanager
    def testing(self, exercise: str, substitute: Callable[..., Any] | None, forbid: bool = True) -> Iterator[None]:
        """Close the gate of one exercise.

        Args:
            substitute: What the library's own calls reach meanwhile; None leaves them the original.
            forbid: Refuse all other calls; else they reach the original.
        """
        before = self._under_test, self._substitute, self._forbid
        self._under_test, self._substitute, self._forbid = exercise, substitute, forbid
        try:
            yield
        finally:
            self._under_test, self._substitute, self._forbid = before

    def _call(self, exercise: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        answer = self._answer(exercise, args, kwargs)
        return _steps(answer) if exercise in self._managers else answer

    def _answer(self, exercise: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if exercise != self._under_test:
            if exercise not in self._originals:
                raise ReferenceNeeded(exercise)
            return self._originals[exercise](*args, **kwargs)
        if self._substitute is not None and _called_by_library():
            return self._substitute(*args, **kwargs)
        if not self._forbid:
            return self._originals[exercise](*args, **kwargs)
        name = self._functions[exercise].__name__
        raise ReferenceCalled(f"innervision's own {name} was called, which cannot answer exercise {exercise}")


def _gate(function: FunctionType, call: Callable[..., Any]) -> CodeType:
    """Code for ``function`` that calls ``call`` with whatever it is given.

    A function's code can only be swapped for code with as many free variables. The callable travels among the
    constants, so that the function's globals stay as they are.
    """
    free = function.__code__.co_freevars
    lines = ["def factory():", f"    {' = '.join([*free, 'None'])}", "    def gate(*args, **kwargs):"]
    lines += [f"        {name}" for name in free]
    lines += [f"        call = {PLACE}", "        return call(*args, **kwargs)", "    return gate"]
    namespace: dict[str, Any] = {}
    exec(compile("\n".join(lines), __file__, "exec", dont_inherit=True), namespace)
    code: CodeType = namespace["factory"]().__code__
    constants = tuple(call if constant == PLACE else constant for constant in code.co_consts)
    return code.replace(co_consts=constants, co_name=function.__name__, co_freevars=free)


def _steps(manager: AbstractContextManager[Any]) -> Iterator[Any]:
    """A context manager as the generator that ``contextmanager`` expects behind a gate."""
    with manager as entered:
        yield entered


def _called_by_library() -> bool:
    """Whether the first frame outside decorators, torch and this module belongs to the library."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        is_gate = frame.f_code.co_filename == __file__
        if not is_gate and module not in PASSED_OVER and module.split(".")[0] not in PASSED_OVER:
            return module.startswith("innervision.") and not module.startswith("innervision.classroom")
        frame = frame.f_back
    return False
