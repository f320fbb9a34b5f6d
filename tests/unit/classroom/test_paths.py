"""Where lessons and graders are."""

from __future__ import annotations

import re

import pytest
from tests.unit.classroom.tiny import COURSE, EXERCISES, FIXTURES, SLUG

from innervision.classroom.paths import Course, course_folder, exercise_functions, find_course, item_order


def test_this_checkout_has_a_course():
    course = find_course()
    assert course.lessons == course_folder()
    assert "00-start-here" in course.slugs()
    assert course.grader("00-start-here").name == "test_00_start_here.py"


def test_a_wheel_keeps_them_inside_the_package(tmp_path):
    course = Course.in_wheel(tmp_path)
    assert course.lessons == tmp_path / "_course"
    assert course.misconception("02-x-y") == tmp_path / "_graders" / "misconceptions" / "02_x_y.py"
    assert course.alternative("02-x-y") == tmp_path / "_graders" / "alternatives" / "02_x_y.py"


def test_the_lesson_of_an_exercise_is_found_by_its_number():
    assert COURSE.slug_of("99.anything") == SLUG
    sentence = "exercise is '98.x'; it must begin with the number of a lesson: 99-tiny."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        COURSE.slug_of("98.x")


def test_exercises_are_read_from_the_lessons_source():
    lesson = FIXTURES / "course" / SLUG / "lesson.md"
    assert item_order(lesson) == EXERCISES
    assert exercise_functions(lesson) == {
        "99.total_variation": "innervision.optvis.penalties.total_variation",
        "99.channel": "innervision.optvis.objectives.channel",
        "99.to_displayable": "innervision.optvis.color.to_displayable",
    }
