"""A worker in a process of its own. What it does with students' code is tested in ``test_grading`` and the system."""

from __future__ import annotations

import pytest

from innervision.classroom.isolation import Limits, Worker

LIMITS = Limits(seconds=20.0)
PROBE = """\
import sys
import torch
def probe(student, generator):
    before = len(sys.modules)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    return len(sys.modules) - before
"""


@pytest.mark.parametrize(("setup", "imported"), [(["from innervision import render"], False), ([], True)])
def test_a_lesson_that_draws_has_its_optimisers_imported_before_anybody_waits(setup: list[str], imported: bool) -> None:
    functions = {"99.channel": "innervision.optvis.objectives.channel"}
    lesson = {"do": "lesson", "setup": setup, "scenarios": PROBE, "functions": functions, "memory": LIMITS.memory}
    with Worker(LIMITS) as worker:
        assert worker.ask(lesson, LIMITS.start_seconds).status == "answered"
        answer = worker.ask({"do": "scenario", "exercise": "99.channel", "name": "probe", "seed": 1}, 60.0)
    assert answer.status == "answered"
    assert (answer.value > 0) is imported
