"""Every submission gets exactly what it deserves, and a reason, alone and in one class with all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.system.attacks.cases import LESSON, Case
from tests.system.attacks.hostile import HOSTILE
from tests.system.attacks.odd import ODD

from innervision.classroom.grading import grade
from innervision.classroom.isolation import Limits
from innervision.classroom.sandbox import SandboxedWorkers

CASES = [*HOSTILE, *ODD]
LIMITS = Limits(seconds=30.0, total_seconds=120.0, memory=2**30)
ENDLESS = replace(LIMITS, seconds=2.0)
# The fourth item asks the network about a thousand images; the test of one class has it.
ITEMS = ["00.to_displayable", "00.top_predictions", "00.q_noise"]


@pytest.fixture(scope="module")
def workers() -> Iterator[SandboxedWorkers]:
    with SandboxedWorkers(LESSON, LIMITS) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.category}-{case.name}")
def test_everybody_gets_what_they_deserve(case: Case, workers: SandboxedWorkers, tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    path.write_bytes(case.file())
    workers.limits = ENDLESS if any("no answer within" in reason for reason in case.reasons) else LIMITS
    report = grade(path, lesson=LESSON, exercises=ITEMS, seed=7, workers=workers)
    got = {result.id: result.points for result in report.exercises}
    messages = [f"{result.id}: {result.message}" for result in report.exercises if result.message]
    assert got == {item: case.deserves[item] for item in ITEMS}, messages
    said = "\n".join([*messages, *report.problems])
    if case.reasons:
        assert any(reason in said for reason in case.reasons), said
    else:
        assert said == ""


def test_the_suite_is_as_large_as_promised() -> None:
    count = Counter(case.category for case in CASES)
    assert len(CASES) == len({case.name for case in CASES}) >= 40
    assert set(count) == {"forged", "reading", "leaving", "hogging", "network", "structure", "honest"}
