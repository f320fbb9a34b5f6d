"""``check`` answers while the student still looks at the cell: at most a second, in the median over all tasks."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from innervision.classroom import notebook
from innervision.classroom.exercises import load_graders
from innervision.classroom.lessons import read_lesson
from innervision.classroom.paths import find_course
from innervision.classroom.references import copy_of
from innervision.models import load

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


@pytest.mark.slow
def test_a_question_about_the_sample_looks_at_it_once_whatever_is_answered():
    asked = load_graders("00-start-here").questions["00.q_most_confident_mistake"]
    network, images = load("mini"), []

    def count(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if type(module) is type(network):
            images.append(len(inputs[0]))

    counting = register_module_forward_pre_hook(count)
    try:
        numbers = [measure() for measure in (asked.answer, *(value for value, _ in asked.wrong))]
    finally:
        counting.remove()
    assert sum(images) in (0, 1000)  # none where this process has been asked before
    assert 0 < numbers[0] < 1
    assert numbers[1] == pytest.approx(100 * numbers[0])
