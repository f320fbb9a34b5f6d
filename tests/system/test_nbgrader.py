"""nbgrader's own pipeline, on the lessons as they are shipped."""

from __future__ import annotations

import copy
import os
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config, PyFileConfigLoader

from innervision.classroom import build, builder, nbgrader_source
from innervision.classroom.lessons import read_lesson
from innervision.classroom.paths import find_course

SLUGS = find_course().slugs()
LESS = SLUGS[::3]
"""Lessons that students hand in untouched and half solved, too. Full marks are tried in all."""
page = cache(build.build_lesson)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("nbgrader"),  # graded once, for all tests
    # nbgrader and its database library warn about their own ways.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A course folder as a teacher has it: the built sources, released, with what its students handed in."""
    folder = tmp_path_factory.mktemp("nbgrader")
    nbgrader_source.write_config(folder)
    for slug in SLUGS:
        built = page(slug)
        builder.write_notebook(built.source, folder / "source" / slug / "lesson.ipynb")
        for student, notebook in submissions(built).items():
            builder.write_notebook(notebook, folder / "submitted" / student / slug / "lesson.ipynb")
    return folder


@pytest.fixture(scope="module")
def grades(course) -> dict[tuple[str, str], dict[str, float]]:
    """Scores by student and lesson, after nbgrader has released and graded everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # nbgrader calls alembic by name
        patch.setenv("OMP_NUM_THREADS", "1")  # in its kernels
        api = NbGraderAPI(config=settings(course))
        found = {}
        for slug in SLUGS:
            result = api.generate_assignment(slug)
            assert result["success"], result["log"]
            for student in submissions(page(slug)):
                result = api.autograde(slug, student)
                assert result["success"], result["log"]
                found[student, slug] = scores(course, slug, student)
        return found


def settings(course: Path) -> Config:
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
    config.Execute.startup_timeout = config.Execute.timeout = 600  # this machine may be busy with other tests
    return config


def scores(course: Path, slug: str, student: str) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "innervision") as gradebook:
        submission = gradebook.find_submission_notebook("lesson", slug, student)
        assert not submission.needs_manual_grade
        return {grade.name: grade.score for grade in submission.grades}


def submissions(built: builder.Built) -> dict[str, nbformat.NotebookNode]:
    students = {"solved": merged(built, lambda number: True)}
    if built.slug in LESS:
        students["untouched"] = merged(built, lambda number: False)
        students["half"] = merged(built, lambda number: number % 2 == 0)
    if built.slug == SLUGS[0]:
        students["warns"] = warning(merged(built, lambda number: True))
    return students


def merged(built: builder.Built, solved) -> nbformat.NotebookNode:
    """The student notebook with some of its exercises and questions filled in."""
    notebook = copy.deepcopy(built.student)
    answers = {cell.id: cell.source for cell in built.solved.cells}
    tasks = [cell for cell in notebook.cells if cell.metadata["innervision"]["role"] in ("exercise", "question")]
    for number, cell in enumerate(tasks):
        if solved(number):
            cell.source = answers[cell.id]
    return notebook


def warning(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Correct code that warns in every way there is: a warning, stderr, the log, and C's own stderr."""
    noise = "import logging, os, sys, warnings; warnings.warn('slow'); print('!', file=sys.stderr); logging.error('?')"
    cell = next(cell for cell in notebook.cells if cell.metadata["innervision"]["role"] == "exercise")
    head, quotes, body = cell.source.rpartition('"""\n')
    cell.source = f"{head}{quotes}    {noise}; os.write(2, b'deep')\n{body}"
    return notebook


@pytest.mark.parametrize("slug", SLUGS)
def test_what_is_released_is_the_committed_notebook(slug, course, grades):
    released = nbformat.read(course / "release" / slug / "lesson.ipynb", as_version=4)
    committed = page(slug).student
    assert [cell.source for cell in released.cells] == [cell.source for cell in committed.cells]
    for theirs, ours in zip(released.cells, committed.cells, strict=True):
        assert theirs.metadata.get("nbgrader") == ours.metadata.get("nbgrader")
        assert theirs.metadata.get("deletable", True) == ours.metadata.get("deletable", True)
        assert theirs.metadata.get("editable", True) == ours.metadata.get("editable", True)


@pytest.mark.parametrize("slug", SLUGS)
def test_solved_gets_full_points(slug, grades):
    assert grades["solved", slug] == worth(slug)


def test_a_warning_of_correct_code_costs_nothing(grades):
    assert grades["warns", SLUGS[0]] == worth(SLUGS[0])


@pytest.mark.parametrize("slug", LESS)
def test_untouched_gets_nothing(slug, grades):
    assert grades["untouched", slug] == dict.fromkeys(worth(slug), 0)


@pytest.mark.parametrize("slug", LESS)
def test_half_solved_gets_half(slug, grades):
    right = {name: points if number % 2 == 0 else 0 for number, (name, points) in enumerate(worth(slug).items())}
    assert grades["half", slug] == right
    assert 0 < sum(right.values()) < read_lesson(slug).points


@pytest.mark.parametrize("slug", SLUGS)
def test_pictures_are_not_drawn_when_grading(slug, course, grades):
    graded = nbformat.read(course / "autograded" / "solved" / slug / "lesson.ipynb", as_version=4)
    drawn = [cell for cell in graded.cells if cell.metadata["innervision"]["role"] == "see" and cell.outputs]
    assert drawn == []


def worth(slug: str) -> dict[str, float]:
    """Points by grade_id of the check cells, in the lesson's order."""
    return {cell.id: read_lesson(slug).tasks[cell.exercise].points for cell in read_lesson(slug).of_role("check")}
