"""Grader files: marks, what is gathered from them, and what of them a worker may see."""

from __future__ import annotations

import re

import pytest
from tests.unit.classroom.tiny import COURSE, SLUG

from innervision.classroom.exercises import (
    Check,
    Question,
    exercise,
    load_graders,
    mark_of,
    misconception,
    question,
    scenario_source,
)


@pytest.fixture(scope="module")
def graders():
    return load_graders(SLUG, COURSE)


def test_graders_are_gathered_in_the_order_of_the_lesson(graders):
    assert list(graders.exercises) == ["99.total_variation", "99.channel", "99.to_displayable"]
    assert list(graders.questions) == ["99.q_first", "99.q_count"]
    assert graders.order == [*graders.exercises, *graders.questions]
    assert [check.name for check in graders.exercises["99.total_variation"]] == [
        "test_is_the_mean_difference_of_neighbours",
        "test_plain_image_has_none",
    ]
    assert {item: graders.points(item) for item in graders.order} == {
        "99.total_variation": 3,
        "99.channel": 2,
        "99.to_displayable": 1,
        "99.q_first": 1,
        "99.q_count": 1,
    }
    assert graders.functions["99.channel"] == "innervision.optvis.objectives.channel"
    assert [variant.name for variant in graders.misconceptions["99.channel"]] == [
        "sum_over_positions",
        "image_instead_of_channel",
    ]
    assert [variant.name for variant in graders.alternatives["99.channel"]] == ["in_float64"]


def test_loading_again_adds_nothing(graders):
    assert load_graders(SLUG, COURSE) == graders
    assert len(graders.exercises["99.channel"]) == 1


def test_marks_do_not_change_what_they_mark():
    @exercise("99.channel", points=2)
    def test_something(judge):
        return "ran"

    assert test_something(None) == "ran"
    assert mark_of(test_something) == Check("99.channel", 2, test_something)


def test_a_question_is_a_test_of_its_own():
    asked = mark_of(question("99.q_first", points=1, answer="a", wrong={"b": "no"}))
    assert isinstance(asked, Question)
    assert asked.variable == "answer_99_q_first"
    assert asked.wrong == (("b", "no"),)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: exercise("channel", points=1),
            "exercise_id is 'channel'; it must be two digits, a dot and a name: '02.channel'.",
        ),
        (lambda: exercise("02.channel", points=0), "points is 0; it must be positive."),
        (
            lambda: misconception("02.channel", " "),
            "sentence of a misconception of 02.channel is empty; it must tell the student the cause.",
        ),
        (lambda: load_graders("98-none", COURSE), "slug is '98-none'; it must be a lesson of this course: 99-tiny."),
    ],
)
def test_mistakes_of_authors_are_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make()


def test_the_worker_sees_scenarios_and_what_they_use_and_nothing_else(graders):
    source = graders.scenario_source
    for kept in ("def restlessness_of_random_images", "def random_images", "SIZE = 5", "import torch"):
        assert kept in source
    for secret in ("EXPECTED_ONLY_HERE", "test_", "points", "answer", "judge", "classroom", "wrong", "zeros(1)"):
        assert secret not in source
    namespace: dict = {}
    exec(source, namespace)
    assert callable(namespace["channel_of_random_activations"])


def test_a_helper_of_a_helper_goes_with_the_scenario():
    source = scenario_source(
        "import math, secrets\nRIGHT = 3\nSTEP = 2\n"
        "def inner():\n    return math.pi * STEP\n"
        "def outer():\n    RIGHT = inner()\n    return RIGHT\n"
        "@scenario\ndef use(student, generator):\n    return student.f(outer())\n"
        "@exercise('02.f', points=1)\ndef test_f(judge):\n    judge(use).expect(RIGHT, atol=0)\n"
    )
    assert "STEP = 2" in source
    assert "RIGHT = 3" not in source
    assert "test_f" not in source


def test_checks_and_answers_stay_out_even_if_a_scenario_names_them():
    source = scenario_source(
        "test_q = question('02.q', points=1, answer='a')\n"
        "@exercise('02.f', points=1)\ndef test_f(judge):\n    judge(use).expect(12345, atol=0)\n"
        "@scenario\ndef use(student, generator):\n    return student.f(test_f, test_q)\n"
    )
    assert source == "def use(student, generator):\n    return student.f(test_f, test_q)"
