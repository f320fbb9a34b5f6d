"""check, hint and progress as a student calls them, here from plain Python."""

from __future__ import annotations

import logging
import os
import random
import sys
import warnings

import pytest
import torch

from innervision.classroom import notebook
from innervision.classroom.cards import CheckResult
from innervision.classroom.messages import Message
from innervision.classroom.progress import read_progress
from innervision.classroom.references import copy_of
from innervision.classroom.report import Result

TASK = "00.to_displayable"
right = copy_of("innervision.optvis.color.to_displayable")


@pytest.fixture(autouse=True)
def student_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(notebook, "_opened", {})
    return tmp_path


def check(function, task: str = TASK, **names) -> CheckResult:
    """Call check as from a notebook whose only names are these."""
    namespace = {"check": notebook.check, "to_displayable": function, **names}
    exec(f"result = check({task!r}, seed=1)", namespace)
    return namespace["result"]


def test_right_is_full_points(capfd, student_folder):
    result = check(right)
    written = capfd.readouterr()
    assert result.status == "passed"
    assert repr(result) == repr(float(result)) == repr(result.result.max_points + 0.0)
    assert written.out == f"✓ {TASK}: all right, {float(result):g} of {float(result):g} points\n"
    assert written.err == ""
    assert read_progress(student_folder).tasks[TASK].solved


def test_a_misconception_is_named_and_kept(capfd, student_folder):
    result = check(lambda image: image.detach().clamp(0, 1).movedim(-3, -1))
    text = capfd.readouterr().out
    assert (result.status, float(result)) == ("failed", 0.0)
    assert "  Expected: " in text
    assert "  Likely cause: Cutting off (`clamp`)" in text
    assert read_progress(student_folder).tasks[TASK].attempts == 1


def test_a_missing_function(capfd):
    result = check(None)
    assert (result.status, float(result)) == ("missing", 0.0)
    assert "there is no to_displayable in the notebook" in capfd.readouterr().out


def test_the_answer_to_a_question(capfd):
    assert check(None, "00.q_noise", answer_00_q_noise=...).status == "not done yet"
    assert check(None, "00.q_noise", answer_00_q_noise="a").status == "failed"
    assert check(None, "00.q_noise", answer_00_q_noise="b").status == "passed"
    assert capfd.readouterr().err == ""


def test_noise_of_correct_code_costs_nothing_and_is_noted(capfd):
    def noisy(image):
        warnings.warn("this is slow", stacklevel=1)
        print("printed")
        print("to stderr", file=sys.stderr)
        logging.getLogger("student").error("logged")
        os.write(2, b"from below\n")
        sys.displayhook(99.0)
        return right(image)

    result = check(noisy)
    written = capfd.readouterr()
    assert result.status == "passed"
    assert written.err == ""
    assert "Note: Your code warns: UserWarning: this is slow\n" in written.out
    for word in ("printed", "to stderr", "from below"):
        assert word in written.out
    assert "99.0" not in written.out
    assert "Note: " in result._repr_html_()


def test_a_flood_of_text_is_cut(capfd):
    def floods(image):
        print("x" * 10_000_000)
        return right(image)

    assert check(floods).status == "passed"
    assert len(capfd.readouterr().out) < 4_000


def test_streams_hooks_and_generators_are_as_before():
    def disturbs(image):
        torch.manual_seed(5)
        random.seed(5)
        raise RuntimeError("after the seeds")

    stderr, hook = sys.stderr, sys.displayhook
    torch.manual_seed(0)
    random.seed(0)
    expected = (torch.rand(1).item(), random.random())
    torch.manual_seed(0)
    random.seed(0)
    assert check(disturbs).status == "error"
    assert (torch.rand(1).item(), random.random()) == expected
    assert (sys.stderr, sys.displayhook) == (stderr, hook)
    assert "write" not in vars(sys.stderr)


def test_the_library_cannot_answer_for_the_student():
    def borrowed(image):
        from innervision import to_displayable

        return to_displayable(image)

    assert check(borrowed).status == "forbidden"


def test_stop_means_stop():
    calls = []

    def endless(image):
        calls.append(1)
        raise KeyboardInterrupt

    assert check(endless).status == "error"
    assert len(calls) == 1


def test_an_unknown_id_names_the_closest(capfd, student_folder):
    result = check(right, "00.to_displayabel")
    assert capfd.readouterr().out == "There is no exercise '00.to_displayabel'; did you mean 00.to_displayable?\n"
    assert float(result) == 0.0
    assert list(student_folder.iterdir()) == []


@pytest.mark.parametrize("ask", [notebook.check, notebook.hint])
def test_without_an_id_it_asks_which_one(ask, capfd):
    ask()
    assert 'Which one? Put its id between the parentheses, for example check("01.capture")' in capfd.readouterr().out


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("01.conv2d", "did you mean 01.conv2d_by_hand?"),
        ("00.nothing", "the exercises of lesson 00 are 00.to_displayable, "),
        ("77.nothing", "the exercises are 00.to_displayable, "),
    ],
)
def test_an_unknown_id_names_what_may_be_meant(task, text, capfd):
    check(right, task)
    assert text in capfd.readouterr().out


def test_one_point_is_a_point():
    result = Result("00.x", "x", "failed", 0.0, 1.0, None, 0.1)
    assert CheckResult(result).text() == "✗ 00.x: not right yet, 0 of 1 point"


def test_hints_open_one_at_a_time(capfd, student_folder):
    total = len(notebook.read_lesson("00-start-here").tasks[TASK].hints)
    for number in range(1, total + 1):
        notebook.hint(TASK)
        title, text, *rest = capfd.readouterr().out.splitlines()
        assert title == f"{TASK}: hint {number} of {total}"
        assert (text.strip() != "", rest) == (True, [])
    notebook.hint(TASK)
    assert capfd.readouterr().out.splitlines()[0] == f"{TASK}: all {total} hints are open"
    assert read_progress(student_folder).tasks[TASK].hints == total


def test_a_hint_for_an_unknown_id(capfd):
    notebook.hint("02.to_displayable")
    assert "did you mean 00.to_displayable?" in capfd.readouterr().out


def test_the_progress_table(capfd):
    check(right)
    notebook.hint(TASK)
    capfd.readouterr()
    notebook.progress()
    head, first, *_ = capfd.readouterr().out.splitlines()
    assert head.split() == ["Lesson", "Solved", "Points", "Hints"]
    assert first.startswith("00 ")
    assert first.split()[-1] == "1"
    assert " 1 of " in first


def test_nbgrader_reads_the_score_and_no_progress_is_kept(monkeypatch, student_folder):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    bundle = check(right)._repr_mimebundle_()
    assert float(bundle["text/plain"]) > 0
    assert list(student_folder.iterdir()) == []


def test_a_card_escapes_what_the_student_wrote():
    message = Message("a < b", "<script>alert(1)</script>", "\x1b[31m", "")
    card = CheckResult(Result("00.x", "x", "failed", 0.0, 2.0, message, 0.1), 7)._repr_html_()
    assert "<script>" not in card
    assert "&lt;script&gt;" in card
    assert "\x1b" not in card
    assert "seed 7" in card


def test_a_score_never_exceeds_its_points():
    assert repr(CheckResult(Result("00.x", "x", "passed", 5.0, 2.0, None, 0.1))) == "2.0"
