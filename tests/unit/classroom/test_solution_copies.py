"""Copies of the library's solutions: renaming does not hide one, and whoever thinks alone is left alone."""

from __future__ import annotations

import inspect

import pytest

from innervision.classroom.exercises import load_graders
from innervision.classroom.lessons import read_lesson
from innervision.classroom.solution_copies import FEWEST_NODES, copied, solutions
from innervision.classroom.stubs import library_function

LESSONS = ("00-start-here", "01-seeing", "02-feature-visualization")


def test_a_copy_is_found_and_a_renamed_copy_too() -> None:
    ours = solutions("00-start-here")
    assert list(ours) == ["00.to_displayable", "00.top_predictions"]
    word_for_word = copied("bob", ours, ours)
    assert word_for_word.exercises == word_for_word.same_names == tuple(ours)
    renamed = {name: source.replace("low", "a").replace("probabilities", "p") for name, source in ours.items()}
    hint = copied("bob", {**renamed, "own cells": "1"}, ours)
    assert hint.exercises == tuple(ours)
    assert hint.same_names == ()
    assert hint.compared == 2


@pytest.mark.parametrize("lesson", LESSONS)
def test_right_answers_in_other_styles_are_no_copies(lesson: str) -> None:
    ours, graders = solutions(lesson), load_graders(lesson)
    texts = [
        (name, inspect.getsource(inspect.unwrap(variant.function)))
        for name, variants in graders.alternatives.items()
        for variant in variants
    ]
    assert len(texts) > len(ours)
    assert [copied("ada", {name: text}, ours).exercises for name, text in texts] == [()] * len(texts)


def test_functions_of_few_lines_say_nothing() -> None:
    tasks = read_lesson("02-feature-visualization").tasks
    short = library_function(tasks["02.compose"].function).source
    assert copied("ada", {"02.compose": short}, solutions("02-feature-visualization")).exercises == ()
    assert FEWEST_NODES > 40  # 02.channel: everybody's three lines


def test_untouched_stubs_and_broken_code_are_no_copies() -> None:
    ours, tasks = solutions("00-start-here"), read_lesson("00-start-here").tasks
    stubs = {name: library_function(tasks[name].function).stub() for name in ours}
    assert copied("ada", stubs, ours).exercises == ()
    assert copied("ada", dict.fromkeys(ours, "def f(:"), ours).exercises == ()
    assert copied("ada", {}, ours).exercises == ()
