"""From a notebook to a report, in workers. One start of a worker is the slow part, so cases share notebooks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.classroom.tiny import (
    CHANNEL,
    COURSE,
    DISPLAYABLE,
    EXERCISES,
    SLUG,
    TOTAL_VARIATION,
    cell,
    code,
    filled,
    untouched,
    written,
)

from innervision.classroom.exercises import Check, Variant, load_graders
from innervision.classroom.grading import grade, grade_item, grade_items
from innervision.classroom.isolation import Limits, Worker, WorkerLost
from innervision.classroom.judge import Trusted
from innervision.classroom.messages import Failed, Message
from innervision.classroom.session import WarmWorkers
from innervision.classroom.student import InProcess
from innervision.classroom.submission import SubmissionError


@pytest.fixture(scope="module")
def workers():
    with WarmWorkers(Limits(seconds=20), spare=2) as warm:
        warm.start()
        yield warm


@pytest.fixture
def report_of(tmp_path, workers):
    """The report of a notebook."""

    def make(notebook, **more):
        return grade(written(tmp_path, notebook), course=COURSE, workers=workers, **more)

    return make


def statuses(report) -> dict[str, str]:
    return {result.id.partition(".")[2]: result.status for result in report.exercises}


def messages(report) -> dict[str, str]:
    return {result.id.partition(".")[2]: str(result.message) for result in report.exercises}


@pytest.mark.slow
def test_a_solved_notebook_has_all_points_and_a_seed_replays_its_report(report_of):
    first = report_of(filled())
    assert first.passed
    assert first.points == first.max_points == 8
    assert first.problems == []
    assert 0 <= first.seed < 2**53

    wrong = filled(channel=CHANNEL.replace(".mean(", ".sum("), q_count="answer_99_q_count = 7")
    one, two, other = (report_of(wrong, seed=seed).to_dict() for seed in (5, 5, 6))
    for record in (one, two, other):
        for result in record["exercises"]:
            del result["seconds"]
    assert one == two
    assert one != other
    assert [result["points"] for result in one["exercises"]] == [result["points"] for result in other["exercises"]]


def test_an_untouched_notebook_is_not_done_yet(report_of):
    report = report_of(untouched())
    assert report.points == 0
    assert set(statuses(report).values()) == {"not done yet"}
    assert messages(report)["q_first"] == (
        "Expected: your own answer_99_q_first\n"
        "Got: the three dots are still there\n"
        'Next step: Replace the placeholder in cell 99.q_first. To begin, ask hint("99.q_first").'
    )


def test_partial_credit_and_misconceptions(report_of):
    signed = TOTAL_VARIATION.replace(".abs()", "")
    report = report_of(
        filled(total_variation=signed, channel=CHANNEL.replace("mean", "sum"), q_first="answer_99_q_first = 'b'")
    )
    results = {result.id: result for result in report.exercises}
    assert (results["99.total_variation"].status, results["99.total_variation"].points) == ("partial", 1)
    assert results["99.total_variation"].message.cause == (
        "Differences of both signs cancel: take their absolute values first."
    )
    assert results["99.channel"].message.cause == "The sum grows with the size of the layer; the mean does not."
    assert results["99.q_first"].message.cause == "mixed3b reads mixed3a, so it comes after it."
    assert (report.points, report.max_points, report.passed) == (3, 8, False)


def test_honest_but_odd_code_keeps_its_points(report_of):
    notebook = filled(
        total_variation="%matplotlib inline\nimport warnings\n"
        + TOTAL_VARIATION.replace("    below", "    warnings.warn('careful')\n    print('noise')\n    below", 1)
        + "total_variation(torch.rand(1, 3, 2, 2))\ncheck('99.total_variation')\n1 / 0\n",
        channel="def channel(layer, channel):\n    return _mean(layer, channel)\n",
        to_displayable="import asyncio\nawait asyncio.sleep(0)\n" + DISPLAYABLE.replace("(image)", "(image: 'Tensor')"),
    )
    notebook["cells"].insert(0, code("while_loop = 0\nwhile True:\n    pass\n"))
    notebook["cells"].append(
        code(
            "AXES = (1, 2)\nslow = 1 / 0\n"
            "def _mean(layer, channel):\n    return lambda a: a[layer][:, channel].double().mean(AXES)\n"
        )
    )
    report = report_of(notebook)
    assert report.passed, messages(report)


def test_only_the_exercises_asked_for_are_graded(report_of):
    report = report_of(filled(), exercises=["99.channel"])
    assert [result.id for result in report.exercises] == ["99.channel"]


def test_what_cannot_be_read_raises_or_is_a_report_without_points(report_of, tmp_path):
    with pytest.raises(SubmissionError) as caught:
        report_of(b"{")
    assert str(caught.value) == "lesson.ipynb is not a notebook: it is not JSON (line 1)."
    report = report_of(b"{", lesson=SLUG)
    assert (report.points, report.max_points) == (0, 8)
    assert report.problems == ["lesson.ipynb is not a notebook: it is not JSON (line 1)."]
    assert [result.id for result in report.exercises] == EXERCISES


def test_the_status_is_that_of_the_message_that_is_shown():
    def fails(status, *variants):
        def check(judge):
            raise Failed(Message("right", status), status, variants)

        return Check("99.channel", 1, check)

    def shown(*checks):
        graders = replace(load_graders(SLUG, COURSE), exercises={"99.channel": list(checks)})
        run = InProcess({}, graders.functions, graders.scenarios)
        result = grade_item(graders, Trusted(graders), run, "99.channel", 1)
        assert result.message is not None
        return result.status, result.message.got, result.message.cause

    known = Variant("99.channel", print, "a known mistake")
    assert shown(fails("error"), fails("failed", known)) == ("failed", "failed", "a known mistake")
    assert shown(fails("failed"), fails("error")) == ("error", "error", "")
    assert shown(fails("failed", known), fails("not done yet")) == ("not done yet", "not done yet", "")
    assert shown(fails("failed", known), fails("died")) == ("error", "died", "")


def test_a_grader_that_breaks_costs_no_other_exercise():
    def broken(judge):
        raise RuntimeError("a bug of ours")

    graders = load_graders(SLUG, COURSE)
    checks = {**graders.exercises, "99.channel": [Check("99.channel", 2, broken)]}
    graders = replace(graders, exercises=checks)
    namespace: dict = {"answer_99_q_first": "a", "answer_99_q_count": 6}
    exec(f"from innervision.optvis.objectives import Objective\n{TOTAL_VARIATION}{CHANNEL}{DISPLAYABLE}", namespace)
    results = grade_items(graders, InProcess(namespace, graders.functions, graders.scenarios), 1)
    assert [result.status for result in results] == ["passed", "error", "passed", "passed", "passed"]
    assert str(results[1].message) == (
        "Expected: plain data of the described form\n"
        "Got: data that the grader cannot examine (RuntimeError: a bug of ours)\n"
        "Next step: Tell the course's authors."
    )


def test_the_order_of_grading_changes_nothing():
    graders = load_graders(SLUG, COURSE)
    names: dict = {}
    exec(TOTAL_VARIATION.replace(".abs()", "", 1), names)
    run = InProcess(names, graders.functions, graders.scenarios)
    first = grade_items(graders, run, 9)
    second = grade_items(graders, run, 9, ["99.total_variation"])
    assert first[0].message == second[0].message


def test_a_worker_that_does_not_speak_the_protocol_is_ended():
    with Worker(Limits()) as worker:
        nonce = worker.send({"do": "nothing of the kind"})
        answer = worker.answer(nonce, 120)
        assert answer.status == "error"
        with pytest.raises(WorkerLost) as caught:
            worker.answer("another nonce", 0.1)
        assert caught.value.status == "timeout"
        assert worker.process.wait(10) != 0


def test_a_lesson_whose_set_up_fails_is_our_fault_and_says_so(workers):
    message = {"do": "lesson", "setup": ["1 / 0"], "scenarios": "", "functions": {}, "memory": 2**32}
    with pytest.raises(RuntimeError) as caught:
        workers.take("98-broken", message)
    assert str(caught.value) == (
        "the set-up of lesson 98-broken fails: ZeroDivisionError: division by zero, line 1 of cell set-up 1: `1 / 0`."
    )


def test_cells_that_are_gone_are_missing(report_of):
    notebook = filled(to_displayable="def displayable(image): return image")
    notebook["cells"].remove(cell(notebook, "99.channel"))
    report = report_of(notebook)
    assert messages(report)["channel"] == (
        "Expected: a cell that defines channel\n"
        "Got: there is no cell 99.channel in the notebook\n"
        "Next step: Put a cell that defines channel back; a fresh copy of the notebook has the stub."
    )
    assert statuses(report) == {
        "total_variation": "passed",
        "channel": "missing",
        "to_displayable": "missing",
        "q_first": "passed",
        "q_count": "passed",
    }
