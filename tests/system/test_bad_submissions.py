"""Bad input to grading: each case ends with a clear sentence, and the other exercises are still graded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.classroom.tiny import CHANNEL, COURSE, TOTAL_VARIATION, filled, written

from innervision.classroom.grading import grade
from innervision.classroom.isolation import Limits
from innervision.classroom.session import WarmWorkers

pytestmark = pytest.mark.slow

HONEST = {"q_first": "passed", "q_count": "passed"}


@pytest.fixture(scope="module")
def workers():
    with WarmWorkers(Limits(seconds=6, memory=3 * 2**30), spare=2) as warm:
        warm.start()
        yield warm


@pytest.fixture
def graded(tmp_path, workers):
    """Status and message of each exercise of the solved notebook with some answers replaced."""

    def make(**changes):
        report = grade(written(tmp_path, filled(**changes)), course=COURSE, workers=workers)
        results = {result.id.partition(".")[2]: result for result in report.exercises}
        return {name: result.status for name, result in results.items()}, {
            name: str(result.message) for name, result in results.items()
        }

    return make


def in_body(statement: str, source: str = CHANNEL) -> str:
    """A right answer that does something else first."""
    head, _, body = source.partition("\n")
    return f"{head}\n    {statement}\n{body}"


def test_a_loop_an_exit_and_a_flood(graded):
    statuses, messages = graded(
        total_variation=in_body("while True: pass", TOTAL_VARIATION),
        channel=in_body("import os; os._exit(0)"),
        to_displayable="def to_displayable(image):\n    print('x' * 100_000_000)\n    import os\n"
        "    os.write(1, b'y' * 1_000_000)\n    return (image - image.min()) / (image.max() - image.min())\n",
    )
    assert statuses == {"total_variation": "timeout", "channel": "error", "to_displayable": "passed", **HONEST}
    assert messages["total_variation"] == (
        "Expected: total_variation gives an answer\n"
        "Got: no answer within 6 seconds\n"
        "Likely cause: A loop that never ends, or far more work than the exercise needs.\n"
        "Next step: Run the cell on a small input and print inside the loop."
    )
    assert messages["channel"] == (
        "Expected: channel gives an answer\n"
        "Got: the code ended Python (exit code 0)\n"
        "Next step: Remove what ends Python or takes all memory, then check again."
    )


def test_a_cell_that_ends_or_holds_up_python_while_it_is_loaded(graded):
    statuses, messages = graded(
        total_variation="import os\nx = os.abort()\n" + TOTAL_VARIATION,
        channel="import sys\nx = sys.exit(3)\n" + CHANNEL,
    )
    assert statuses == {"total_variation": "error", "channel": "error", "to_displayable": "passed", **HONEST}
    assert "Got: the code ended Python (signal SIGABRT)" in messages["total_variation"]
    assert messages["channel"] == (
        "Expected: channel gives an answer\n"
        "Got: SystemExit: the code asks Python to end, at line 2 of cell 99.channel: `x = sys.exit(3)`\n"
        'Next step: Read the line that is named, or ask hint("99.channel").'
    )


def test_a_crash_a_forged_object_and_the_library_itself(graded):
    statuses, messages = graded(
        total_variation="class Equal:\n    def __eq__(self, other): return True\n"
        "    def __torch_function__(self, *a, **k): return True\n"
        "    __array__ = __sub__ = __rsub__ = __lt__ = __abs__ = __eq__\n"
        "def total_variation(images):\n    return Equal()\n",
        channel="import innervision.optvis.objectives as library\ndef channel(layer, channel):\n"
        "    return library.channel(layer, channel)\n",
        to_displayable="def to_displayable(image):\n    image = image - image.min()\n    return image.perm(1, 2, 0)\n",
    )
    assert statuses == {"total_variation": "failed", "channel": "forbidden", "to_displayable": "error", **HONEST}
    assert messages["total_variation"] == (
        "Expected: a tensor of shape (3,) with the right values, within 1e-05\n"
        "Got: an object of type Equal where a tensor of shape (3,) is expected\n"
        'Next step: Look at what your function returns on one small input. Or ask hint("99.total_variation").'
    )
    assert messages["channel"] == (
        "Expected: your own channel\n"
        "Got: innervision's own channel was called, which cannot answer exercise 99.channel\n"
        "Likely cause: line 3 of cell 99.channel: `return library.channel(layer, channel)` calls it\n"
        'Next step: Write the body yourself; hint("99.channel") helps to begin.'
    )
    assert messages["to_displayable"] == (
        "Expected: to_displayable gives an answer\n"
        "Got: AttributeError: 'Tensor' object has no attribute 'perm', "
        "at line 3 of cell 99.to_displayable: `return image.perm(1, 2, 0)`\n"
        'Next step: Read the line that is named, or ask hint("99.to_displayable").'
    )


def test_too_much_memory_too_large_a_result_and_a_cell_that_is_no_python(graded):
    statuses, messages = graded(
        total_variation=in_body("hog = torch.ones(2**31)", TOTAL_VARIATION),
        channel="def channel(layer, channel):\n    return lambda activations: torch.zeros(10**7)\n",
        to_displayable="def to_displayable(image)\n    return image\n",
    )
    assert statuses == {"total_variation": "error", "channel": "error", "to_displayable": "error", **HONEST}
    if sys.platform == "linux":
        assert "Likely cause: The code asks for more memory than it may use." in messages["total_variation"]
    assert messages["channel"] == (
        "Expected: channel gives an answer\n"
        "Got: the result's tensors take more than 16,777,216 bytes.\n"
        'Next step: Ask hint("99.channel").'
    )
    assert messages["to_displayable"] == (
        "Expected: to_displayable gives an answer\n"
        "Got: SyntaxError: expected ':' (<cell 99.to_displayable>, line 1), "
        "at line 1 of cell 99.to_displayable: `def to_displayable(image)`\n"
        'Next step: Read the line that is named, or ask hint("99.to_displayable").'
    )


def test_answers_written_into_the_pipe_do_not_count(graded):
    forge = (
        "import os, struct\n"
        "def forge():\n"
        "    for descriptor in range(3, 300):\n"
        "        try:\n            os.write(descriptor, struct.pack('>Q', 8) + b'verdict!')\n"
        "        except OSError:\n            pass\n"
    )
    statuses, messages = graded(
        total_variation=forge + in_body("forge()", TOTAL_VARIATION),
        to_displayable="import os\ndef to_displayable(image):\n    os.closerange(3, 300)\n    return image\n",
    )
    assert statuses == {"total_variation": "error", "channel": "passed", "to_displayable": "error", **HONEST}
    assert "Got: what came back is not an answer" in messages["total_variation"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not JSON", "lesson.ipynb is not a notebook: it is not JSON (line 1)."),
        (b'{"nbformat": 4, "cells": []}', "lesson.ipynb is a notebook, but not of a lesson of this course."),
    ],
)
def test_the_command_answers_a_bad_file_with_one_sentence_and_exit_code_2(tmp_path, content, sentence):
    path = written(tmp_path, content)
    command = [sys.executable, "-m", "innervision.cli", "check", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stdout + ended.stderr
    assert sentence in " ".join(ended.stderr.split())


def test_the_command_ends_with_1_if_something_fails(tmp_path):
    from innervision.classroom.paths import find_course

    path = Path(find_course().notebook("00-start-here"))
    command = [sys.executable, "-m", "innervision.cli", "check", "--json", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert ended.returncode == 1
    assert {row["status"] for row in json.loads(ended.stdout)[0]["exercises"]} == {"not done yet"}
