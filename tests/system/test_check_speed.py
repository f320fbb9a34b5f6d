"""``check`` answers while the student still looks at the cell: at most a second, in the median over all tasks."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import pytest

from innervision.classroom import notebook
from innervision.classroom.exercises import load_graders
from innervision.classroom.lessons import read_lesson
from innervision.classroom.paths import find_course
from innervision.classroom.references import copy_of

LIMIT = 1.0  # seconds


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.filterwarnings("ignore")
def test_a_check_answers_within_a_second(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    seconds: dict[str, float] = {}
    for slug in find_course().slugs():
        functions: dict[str, Any] = load_graders(slug).functions
        for task, cell in read_lesson(slug).tasks.items():
            if cell.role != "exercise":
                continue
            own = copy_of(functions[task])
            monkeypatch.setattr(notebook, "_namespace", lambda _, own=own: {own.__name__: own})
            start = time.monotonic()
            result = notebook.check(task)
            seconds[task] = time.monotonic() - start
            assert float(result) == cell.points, task
    assert median(seconds.values()) <= LIMIT, seconds
