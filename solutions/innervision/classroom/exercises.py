"""What a grader file is made of: scenarios, exercises, questions; misconceptions and alternatives beside it.

The decorators only mark what they decorate. Nothing is registered globally: ``load_graders`` reads the
files of one lesson and gathers the marks, so that lessons cannot leak into one another.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from innervision.classroom.cells import bound_names, loaded_names
from innervision.classroom.paths import Course, exercise_functions, find_course, item_order

Wrong = Mapping[Any, str] | Sequence[tuple[Any, str]]

_MARK = "__innervision__"


@dataclass(frozen=True)
class Check:
    """One graded test of an exercise, worth its own points."""

    exercise: str
    points: float
    function: Callable[..., None]

    @property
    def name(self) -> str:
        return self.function.__name__


@dataclass(frozen=True)
class Question:
    """A question about what was seen.

    Attributes:
        answer: The right value, or a function without arguments that measures it.
        wrong: Pairs of a wrong value (or a function that measures it) and the sentence for who gives it.
        atol, rtol: Tolerances of a number; ignored for other answers.
    """

    id: str
    points: float
    answer: Any
    wrong: tuple[tuple[Any, str], ...] = ()
    atol: float = 0.0
    rtol: float = 0.0

    @property
    def variable(self) -> str:
        """The variable that the student assigns: ``answer_02_q_blocked``."""
        return "answer_" + self.id.replace(".", "_")


@dataclass(frozen=True)
class Variant:
    """Another implementation of an exercise: a misconception (with its sentence) or an alternative (without)."""

    exercise: str
    function: Callable[..., Any]
    sentence: str = ""

    @property
    def name(self) -> str:
        return self.function.__name__


@dataclass(frozen=True)
class _ScenarioMark:
    name: str


@dataclass
class Graders:
    """All that grades one lesson. Ids are in the order of the lesson.

    Attributes:
        exercises: Exercise id → its checks, in the order of the grader file.
        scenarios: Name → function ``(student, generator) -> plain data``.
        functions: Exercise id → dotted path of the library function that is the exercise.
        scenario_source: The part of the grader file that a worker may see.
    """

    slug: str
    exercises: dict[str, list[Check]] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    scenarios: dict[str, Callable[..., Any]] = field(default_factory=dict)
    misconceptions: dict[str, list[Variant]] = field(default_factory=dict)
    alternatives: dict[str, list[Variant]] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    scenario_source: str = ""
    order: list[str] = field(default_factory=list)

    def points(self, item: str) -> float:
        """The most points that an exercise or a question can give."""
        if item in self.questions:
            return self.questions[item].points
        return sum(check.points for check in self.exercises[item])


def scenario(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark ``function(student, generator)``: it calls the student's functions and returns plain data, judging nothing.

    Plain data: None, bool, int, float, str, tensors, and lists, tuples and dicts (with string keys) of these.
    It may use helpers, constants and imports of its file; they go with it into the student's process.
    """
    setattr(function, _MARK, _ScenarioMark(function.__name__))
    return function


def exercise(exercise_id: str, *, points: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a test ``test_…(judge)`` as one of the checks of an exercise, worth ``points``."""
    _check_id(exercise_id)
    _check_points(points)

    def mark(function: Callable[..., None]) -> Callable[..., None]:
        setattr(function, _MARK, Check(exercise_id, points, function))
        return function

    return mark


def question(
    question_id: str, *, points: float, answer: Any, wrong: Wrong = (), atol: float = 0.0, rtol: float = 0.0
) -> Callable[..., None]:
    """A question and its answer, as a pytest test: ``test_q_blocked = question("02.q_blocked", …)``.

    Args:
        answer: The right value, or a function without arguments that measures it on the library.
        wrong: ``{value: sentence}`` or ``[(value or function, sentence), …]``: what a wrong answer reveals.
        atol: How far a number may be from the answer.
        rtol: The same, as a share of the answer; the two add up.
    """
    _check_id(question_id)
    _check_points(points)
    pairs = tuple(wrong.items()) if isinstance(wrong, Mapping) else tuple(wrong)
    asked = Question(question_id, points, answer, pairs, atol, rtol)

    def test_question(judge: Any) -> None:
        judge.question(asked)

    setattr(test_question, _MARK, asked)
    return test_question


def misconception(exercise_id: str, sentence: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a wrong implementation (the library's signature) with the sentence that its author should read."""
    _check_id(exercise_id)
    if not sentence.strip():
        raise ValueError(f"sentence of a misconception of {exercise_id} is empty; it must tell the student the cause.")
    return _variant(exercise_id, sentence)


def alternative(exercise_id: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a right implementation in another style, which every grader must accept."""
    _check_id(exercise_id)
    return _variant(exercise_id, "")


def mark_of(thing: Any) -> Any:
    """What a decorator of this module left on ``thing`` (``Check``, ``Question``, ``Variant``, …), or None."""
    return getattr(thing, _MARK, None) if callable(thing) else None


def load_graders(slug: str, course: Course | None = None) -> Graders:
    """Read the graders, misconceptions and alternatives of one lesson.

    Raises:
        ValueError: If the lesson does not exist, has no grader file, or a grader names an exercise that it lacks.
    """
    course = course or find_course()
    path = course.grader(slug)
    files = (course.lesson(slug), path, course.misconception(slug), course.alternative(slug))
    if not path.is_file():
        raise ValueError(f"slug is {slug!r}; a lesson that is graded must have a grader file {path.name}.")
    stamps = tuple((file.stat().st_mtime_ns, file.stat().st_size) if file.is_file() else None for file in files)
    return _load_graders(slug, course, stamps)


@functools.lru_cache(maxsize=32)
def _load_graders(slug: str, course: Course, _stamps: object) -> Graders:
    """Read them once, as long as the files stay the same: what a grader measures is then measured once, too."""
    lesson, path = course.lesson(slug), course.grader(slug)
    graders = Graders(slug, functions=exercise_functions(lesson), order=item_order(lesson))
    graders.scenario_source = scenario_source(path.read_text(encoding="utf-8"))
    for mark, thing in _marks(load_file(path)):
        if isinstance(mark, Check):
            graders.exercises.setdefault(mark.exercise, []).append(mark)
        elif isinstance(mark, Question):
            graders.questions[mark.id] = mark
        elif isinstance(mark, _ScenarioMark):
            graders.scenarios[mark.name] = thing
    for file, kind in ((course.misconception(slug), "misconceptions"), (course.alternative(slug), "alternatives")):
        if file.is_file():
            for mark, _ in _marks(load_file(file)):
                if isinstance(mark, Variant):
                    getattr(graders, kind).setdefault(mark.exercise, []).append(mark)
    _check_exercises(graders)
    return graders


def load_file(path: Path) -> ModuleType:
    """Import a Python file by its path, under a name of its own, without touching ``sys.path``."""
    name = f"innervision_{path.parent.name}_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise ValueError(f"path is {path}; it must be a Python file.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def scenario_source(source: str) -> str:
    """The part of a grader file that the student's process needs: scenarios and what they use, nothing else.

    Checks, questions, answers, and whatever only these use, stay out.
    """
    tree = ast.parse(source)
    kept = [node for node in tree.body if _is_scenario(node)]
    needed = {name for node in kept for name in loaded_names(node)}
    rest = [node for node in tree.body if node not in kept and not _mentions_classroom(node)]
    while found := [node for node in rest if bound_names(node) & needed]:
        kept += found
        rest = [node for node in rest if node not in found]
        needed |= {name for node in found for name in loaded_names(node)}
    body = [_without_marks(node) for node in tree.body if node in kept]
    return ast.unparse(ast.Module(body, type_ignores=[]))


def _variant(exercise_id: str, sentence: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(function, _MARK, Variant(exercise_id, function, sentence))
        return function

    return mark


def _marks(module: ModuleType) -> list[tuple[Any, Any]]:
    return [(mark_of(thing), thing) for thing in vars(module).values() if mark_of(thing) is not None]


def _check_id(item: str) -> None:
    number, dot, name = item.partition(".")
    if not (number.isdigit() and len(number) == 2 and dot and name.isidentifier()):
        raise ValueError(f"exercise_id is {item!r}; it must be two digits, a dot and a name: '02.channel'.")


def _check_points(points: float) -> None:
    if not points > 0:
        raise ValueError(f"points is {points}; it must be positive.")


def _check_exercises(graders: Graders) -> None:
    for item in [*graders.exercises, *graders.misconceptions, *graders.alternatives]:
        if item not in graders.functions:
            raise ValueError(f"a grader of {graders.slug} names {item!r}; the lesson must have an exercise of that id.")
    position = {item: index for index, item in enumerate(graders.order)}
    for table in (graders.exercises, graders.questions):
        ordered = sorted(table.items(), key=lambda pair: position.get(pair[0], len(position)))
        table.clear()
        table.update(ordered)  # type: ignore[arg-type]


def _is_scenario(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(_callee(item) == "scenario" for item in node.decorator_list)


def _callee(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _mentions_classroom(node: ast.stmt) -> bool:
    """Whether a statement belongs to the judging side: a mark, a question, an import of the classroom."""
    if isinstance(node, ast.ImportFrom) and node.module:
        return node.module.startswith("innervision.classroom") or node.module == "__future__"
    if isinstance(node, ast.FunctionDef):
        return any(_callee(item) in ("exercise", "question") for item in node.decorator_list)
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _callee(node.value) == "question"


def _without_marks(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.FunctionDef):
        node.decorator_list = [item for item in node.decorator_list if _callee(item) != "scenario"]
    return node
