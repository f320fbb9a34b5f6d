"""The pool: results as they come, and a death costs nobody but the culprit."""

from __future__ import annotations

import time

import pytest
from tests.unit.classroom.class_fakes import fake_work, submission

from innervision.classroom.class_task import Result, Task, run_task
from innervision.classroom.pool import DIED, run_pool


def task(student: str, text: str, isolation: str = "process") -> Task:
    return Task(student, text.encode(), "42-tiny", 1, 10.0, isolation)


def test_the_culprit_dies_alone() -> None:
    good, bad = submission(first="right"), submission(first="die")
    tasks = [task("ada", good), task("mallory", bad), *(task(f"student{i}", good) for i in range(4))]
    results = {each.student: result for each, result in run_pool(tasks, 2, fake_work)}
    assert sorted(results) == sorted(each.student for each in tasks)
    assert (results["mallory"].report, results["mallory"].error) == (None, DIED)
    assert all(result.report is not None for name, result in results.items() if name != "mallory")


def test_leaving_early_leaves_no_process() -> None:
    import multiprocessing

    running = run_pool([task(f"student{i}", submission()) for i in range(6)], 2, fake_work)
    next(running)
    running.close()
    end = time.monotonic() + 20
    while multiprocessing.active_children() and time.monotonic() < end:  # the pool's own thread waits for them, too
        time.sleep(0.05)
    assert multiprocessing.active_children() == []


def test_no_process_is_no_pool() -> None:
    with pytest.raises(ValueError, match=r"jobs") as error:
        next(run_pool([], 0))
    assert str(error.value) == "jobs is 0; it must be at least 1."


def test_a_task_never_raises() -> None:
    result = run_task(task("ada", "{}", "none"))
    assert isinstance(result, Result)
    assert (result.report, result.error) == (
        None,
        "isolation is 'none'; it must be one of bwrap, process.",
    )
