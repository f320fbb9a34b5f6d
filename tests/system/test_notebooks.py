"""The notebooks of the course: the committed ones are fresh, the solved ones run from top to bottom."""

from __future__ import annotations

import time

import pytest
from tools import build_site

from innervision.classroom import build
from innervision.classroom.lessons import read_lesson
from innervision.classroom.paths import find_course

SLUGS = find_course().slugs()
LIMIT = 120  # seconds on the clock, with two cores


def test_the_committed_notebooks_are_fresh():
    assert build.build_course(check=True).stale == ()


@pytest.mark.parametrize("slug", SLUGS)
def test_an_untouched_notebook_shows_no_answer(slug):
    built = build.build_lesson(slug)
    student = {cell.id: cell.source for cell in built.student.cells}
    for cell in built.solved.cells:
        if cell.metadata["innervision"]["role"] in ("exercise", "question"):
            assert cell.source not in student[cell.id]


@pytest.mark.parametrize("slug", SLUGS)
def test_hints_open_one_at_a_time(slug):
    for task, cell in read_lesson(slug).tasks.items():
        assert len(cell.hints) >= (2 if cell.role == "exercise" else 1), task
        assert len(set(cell.hints)) == len(cell.hints), task


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("slug", SLUGS)
def test_a_solved_notebook_runs_in_time_and_every_check_is_met(slug, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    solved = build.build_lesson(slug).solved
    start = time.monotonic()
    notebook = build_site.execute(solved)
    seconds = time.monotonic() - start
    build_site.keep(notebook, solved, slug)  # the website shows this run, and need not have one of its own
    scores = {}
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        written = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
        assert written == [], cell.source
        if cell.metadata["innervision"]["role"] == "check":
            scores[cell.metadata["innervision"]["id"]] = [float(output.data["text/plain"]) for output in outputs]
    assert scores == {task: [cell.points] for task, cell in read_lesson(slug).tasks.items()}
    assert seconds <= LIMIT
