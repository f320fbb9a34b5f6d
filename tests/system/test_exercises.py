"""Every exercise of every lesson is proven by what its graders reject and by what they accept.

Nothing here knows a lesson: a new exercise is tested as soon as its lesson.md names it.
"""

from __future__ import annotations

import linecache
from functools import cache
from typing import Any

import pytest

from innervision.classroom import stubs
from innervision.classroom.exercises import Graders, Variant, load_graders
from innervision.classroom.grading import grade_item
from innervision.classroom.judge import Trusted
from innervision.classroom.lessons import read_lesson
from innervision.classroom.paths import exercise_functions, find_course, item_order
from innervision.classroom.references import copy_of, plain_function
from innervision.classroom.report import Result
from innervision.classroom.student import InProcess
from innervision.classroom.wire import pack

COURSE = find_course()
SLUGS = COURSE.slugs()
EXERCISES = [(slug, item) for slug in SLUGS for item in exercise_functions(COURSE.lesson(slug))]
QUESTIONS = [
    (slug, item) for slug in SLUGS for item in item_order(COURSE.lesson(slug)) if (slug, item) not in EXERCISES
]
SEEDS = (1, 2)

each_exercise = pytest.mark.parametrize(("slug", "item"), EXERCISES, ids=[item for _, item in EXERCISES])
each_question = pytest.mark.parametrize(("slug", "item"), QUESTIONS, ids=[item for _, item in QUESTIONS])


@cache
def graders_of(slug: str) -> Graders:
    return load_graders(slug)


@cache
def trusted_of(slug: str) -> Trusted:
    return Trusted(graders_of(slug))


def judged(slug: str, item: str, namespace: dict[str, Any], seed: int) -> Result:
    graders = graders_of(slug)
    run = InProcess(namespace, graders.functions, graders.scenarios)
    return grade_item(graders, trusted_of(slug), run, item, seed)


def judged_function(slug: str, item: str, function: Any, seed: int) -> Result:
    name = graders_of(slug).functions[item].rpartition(".")[2]
    return judged(slug, item, {name: function}, seed)


def variants(kind: str) -> list[Any]:
    found = [
        pytest.param(slug, item, variant, id=f"{item}-{variant.name}")
        for slug in SLUGS
        for item, group in getattr(graders_of(slug), kind).items()
        for variant in group
    ]
    return found


@each_exercise
def test_the_stub_is_not_done_yet(slug, item):
    path = graders_of(slug).functions[item]
    source = f"# {item}\n{stubs.library_function(path).stub()}"
    filename = f"<cell {item}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = dict(plain_function(path).__globals__)
    exec(compile(source, filename, "exec"), namespace)
    result = judged(slug, item, namespace, SEEDS[0])
    assert (result.status, result.points) == ("not done yet", 0)
    assert result.message.got.startswith("the placeholder is still there")


@each_exercise
@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_gets_full_points(slug, item, seed):
    result = judged_function(slug, item, copy_of(graders_of(slug).functions[item]), seed)
    assert result.status == "passed", result.message
    assert result.points == result.max_points == read_lesson(slug).tasks[item].points


@each_exercise
def test_it_has_enough_wrong_and_right_answers(slug, item):
    graders = graders_of(slug)
    assert len(graders.misconceptions.get(item, [])) >= 3
    assert len(graders.alternatives.get(item, [])) >= 2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("slug", "item", "variant"), variants("alternatives"))
def test_an_alternative_gets_full_points(slug, item, variant: Variant, seed):
    result = judged_function(slug, item, variant.function, seed)
    assert result.status == "passed", result.message


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("slug", "item", "variant"), variants("misconceptions"))
def test_a_misconception_loses_points_and_reads_its_own_sentence(slug, item, variant: Variant, seed):
    result = judged_function(slug, item, variant.function, seed)
    assert result.points < result.max_points
    assert variant.sentence in result.message.cause


@each_question
def test_the_right_answer_gets_full_points(slug, item):
    asked = graders_of(slug).questions[item]
    right = asked.answer() if callable(asked.answer) else asked.answer
    result = judged(slug, item, {asked.variable: right}, SEEDS[0])
    assert (result.status, result.points) == ("passed", read_lesson(slug).tasks[item].points), result.message


@each_question
def test_every_wrong_answer_reads_its_own_sentence(slug, item):
    asked = graders_of(slug).questions[item]
    assert asked.wrong
    for value, sentence in asked.wrong:
        result = judged(slug, item, {asked.variable: value() if callable(value) else value}, SEEDS[0])
        assert (result.points, result.message.cause) == (0, sentence)


@each_question
def test_the_three_dots_are_not_done_yet(slug, item):
    result = judged(slug, item, {graders_of(slug).questions[item].variable: ...}, SEEDS[0])
    assert (result.status, result.points) == ("not done yet", 0)


@each_exercise
def test_judging_leaves_the_reference_as_it_is(slug, item):
    """A class is judged by one set of answers: what a grader did to it while judging one student would hit the next."""
    graders, trusted = graders_of(slug), Trusted(graders_of(slug))
    name = graders.functions[item].rpartition(".")[2]
    wrong = [variant.function for variant in graders.misconceptions[item][:2]]
    for function in [copy_of(graders.functions[item]), *wrong]:
        before = {key: pack(answer.value) for key, answer in trusted._answers.items()}
        run = InProcess({name: function}, graders.functions, graders.scenarios)
        grade_item(graders, trusted, run, item, SEEDS[0])
        assert {key: pack(trusted._answers[key].value) for key in before} == before
    assert before
