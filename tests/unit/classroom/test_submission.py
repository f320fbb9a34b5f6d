"""Reading submissions: what is graded of an odd notebook, and the sentence for what is no notebook."""

from __future__ import annotations

import json
import re

import pytest
from tests.unit.classroom.tiny import CHANNEL, COURSE, EXERCISES, SLUG, again, cell, code, filled, untouched, written

from innervision.classroom.submission import SubmissionError, read_submission

OTHER_CHANNEL = "def channel(layer, channel):\n    return 'another'\n"


def read(folder, notebook, **more):
    return read_submission(written(folder, notebook), COURSE, **more)


def graded(submission, exercise: str) -> str:
    index = submission.index_of(exercise)
    return "" if index is None else submission.cells[index].source


def test_a_filled_notebook_has_all_its_exercises_and_nothing_odd(tmp_path):
    submission = read(tmp_path, filled())
    assert submission.lesson == SLUG
    assert submission.problems == ()
    assert [submission.cells[submission.index_of(item)].name for item in EXERCISES] == EXERCISES
    assert graded(submission, "99.channel") == CHANNEL
    assert submission.index_of("answer_99_q_first") == submission.index_of("99.q_first")


def test_a_copy_that_is_filled_in_is_preferred_to_the_stub(tmp_path):
    notebook = untouched()
    stub = cell(notebook, "99.channel")
    notebook["cells"].insert(0, again(stub, CHANNEL))
    submission = read(tmp_path, notebook)
    assert graded(submission, "99.channel") == CHANNEL
    assert submission.problems == ("Cell 99.channel appears twice; the one that is filled in was graded.",)


def test_of_several_filled_in_copies_the_last_is_graded(tmp_path):
    notebook = filled()
    notebook["cells"].append(code(OTHER_CHANNEL))
    submission = read(tmp_path, notebook)
    assert graded(submission, "99.channel") == OTHER_CHANNEL
    assert submission.problems == ("Cell 99.channel appears twice; the last one was graded.",)
    notebook["cells"].insert(0, again(cell(untouched(), "99.channel"), cell(untouched(), "99.channel")["source"]))
    submission = read(tmp_path, notebook)
    assert graded(submission, "99.channel") == OTHER_CHANNEL
    assert submission.problems == ("Cell 99.channel appears 3 times; the last one that is filled in was graded.",)


def test_copies_of_the_stub_are_still_not_done(tmp_path):
    notebook = untouched()
    notebook["cells"].append(cell(notebook, "99.channel"))
    assert read(tmp_path, notebook).problems == ("Cell 99.channel appears twice; none of them is filled in.",)


def test_copies_that_are_not_graded_are_not_run(tmp_path):
    notebook = filled()
    notebook["cells"].append(code(OTHER_CHANNEL))
    sources = [cell.source for cell in read(tmp_path, notebook).cells]
    assert CHANNEL not in sources


def test_a_deleted_cell_is_missing_and_the_others_are_there(tmp_path):
    notebook = filled()
    notebook["cells"].remove(cell(notebook, "99.channel"))
    submission = read(tmp_path, notebook)
    assert submission.index_of("99.channel") is None
    assert submission.index_of("99.q_first") is not None
    assert submission.problems == ("Cell 99.channel is missing.",)


def test_a_cell_is_known_by_what_it_defines_when_all_ids_are_gone(tmp_path):
    notebook = filled()
    notebook["metadata"] = {}
    for item in notebook["cells"]:
        item.pop("id")
        item["metadata"] = {}
    submission = read(tmp_path, notebook)
    assert submission.lesson == SLUG
    assert submission.problems == ()
    assert [submission.index_of(item) is not None for item in EXERCISES] == [True] * 5


def test_two_exercises_in_one_cell_are_both_found(tmp_path):
    notebook = filled()
    notebook["cells"].remove(cell(notebook, "99.channel"))
    cell(notebook, "99.total_variation")["source"] += CHANNEL
    submission = read(tmp_path, notebook)
    assert submission.problems == ()
    assert submission.index_of("99.channel") == submission.index_of("99.total_variation")


def test_a_renamed_function_leaves_the_cell_in_its_place(tmp_path):
    submission = read(tmp_path, filled(channel="def chanel(layer, channel): pass"))
    assert graded(submission, "99.channel") == "def chanel(layer, channel): pass"


def test_an_edited_check_cell_is_noted_and_not_used(tmp_path):
    notebook = filled()
    cell(notebook, "99.channel-check")["source"] = "print('all passed')"
    assert read(tmp_path, notebook).problems == ("The check cell of 99.channel was edited; grading does not use it.",)


def test_a_code_cell_that_became_text_is_graded_as_code(tmp_path):
    notebook = filled()
    cell(notebook, "99.channel")["cell_type"] = "markdown"
    submission = read(tmp_path, notebook)
    assert graded(submission, "99.channel") == CHANNEL
    assert submission.problems == ("Cell 99.channel had become a text cell; it was graded as code.",)


def test_order_does_not_matter(tmp_path):
    notebook = filled()
    notebook["cells"].reverse()
    submission = read(tmp_path, notebook)
    assert submission.problems == ()
    assert graded(submission, "99.channel") == CHANNEL


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: json.dumps(json.loads(text), indent=1).replace("\n", "\r\n").encode(),
        lambda text: json.dumps(_crlf_in_sources(json.loads(text))).encode(),
        lambda text: json.dumps(_lists_of_lines(json.loads(text))).encode(),
    ],
    ids=["BOM", "CRLF in the file", "CRLF in the cells", "lists of lines"],
)
def test_marks_and_line_ends_of_other_systems_are_read(tmp_path, change):
    submission = read(tmp_path, change(json.dumps(filled())))
    assert submission.problems == ()
    assert graded(submission, "99.channel") == CHANNEL


def _crlf_in_sources(notebook):
    for item in notebook["cells"]:
        item["source"] = "".join(item["source"]).replace("\n", "\r\n")
    return notebook


def _lists_of_lines(notebook):
    for item in notebook["cells"]:
        item["source"] = "".join(item["source"]).splitlines(keepends=True)
    return notebook


def test_metadata_of_any_kind_is_survived(tmp_path):
    notebook = filled()
    for item, metadata in zip(
        notebook["cells"], [None, 7, [], {"nbgrader": 3}, {"nbgrader": {"grade_id": {}}}], strict=False
    ):
        item["metadata"] = metadata
    notebook["cells"] += [None, 3, [], {"cell_type": "code"}, {"cell_type": "code", "source": [1, None]}]
    assert read(tmp_path, notebook).index_of("99.channel") is not None


FORMAT_3 = {"nbformat": 3, "worksheets": []}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "lesson.ipynb is not a notebook: it is not JSON (line 1)."),
        (b"# Lesson\n\nprint(1)", "lesson.ipynb is not a notebook: it is not JSON (line 1)."),
        (b'{"cells": [\n{"source"', "lesson.ipynb is not a notebook: it is not JSON (line 2)."),
        (b"\xff\xfe{\x00}\x00", "lesson.ipynb is not a notebook: it is not text in UTF-8."),
        (b"[" * 100_000, "lesson.ipynb is not a notebook: its JSON is nested too deeply."),
        (b"9" * 10_000, "lesson.ipynb is not a notebook: it has a number too long to read."),
        (b"[1, 2]", "lesson.ipynb is JSON but not a notebook: it has no list of cells."),
        ({"cells": {}, "nbformat": 4}, "lesson.ipynb is JSON but not a notebook: it has no list of cells."),
        (FORMAT_3, "lesson.ipynb has notebook format 3; open it in a current Jupyter and save it in format 4."),
        ({"cells": [], "nbformat": 4}, "lesson.ipynb is a notebook, but not of a lesson of this course."),
    ],
    ids=["empty", "text", "cut", "UTF-16", "deep", "number", "list", "no cells", "format 3", "another notebook"],
)
def test_what_is_no_submission_is_one_sentence(tmp_path, content, sentence):
    with pytest.raises(SubmissionError, match=f"^{re.escape(sentence)}$"):
        read(tmp_path, content)


def test_a_cell_that_is_too_long_is_not_run_and_the_others_are(tmp_path):
    submission = read(tmp_path, filled(channel=CHANNEL + "#" * 200_000))
    assert submission.problems == (
        "Cell 99.channel was not run: it has 200,119 characters, and 100,000 are allowed in a cell, 500,000 in all.",
    )
    assert graded(submission, "99.channel") == ""
    assert graded(submission, "99.q_first") != ""


def test_only_so_much_code_and_so_many_cells_are_taken(tmp_path):
    notebook = filled()
    notebook["cells"] += [code("#" * 90_000) for _ in range(20)]
    assert sum(len(cell.source) for cell in read(tmp_path, notebook).cells) <= 500_000
    notebook["cells"] += [code("")] * 5_000
    with pytest.raises(SubmissionError, match=r"^lesson\.ipynb has 5,0\d\d cells; a lesson has at most 5,000\.$"):
        read(tmp_path, notebook)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.ipynb"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)
    sentence = "large.ipynb is larger than 50,000,000 bytes; clear its outputs and save it again."
    with pytest.raises(SubmissionError, match=f"^{re.escape(sentence)}$"):
        read_submission(path, COURSE)


@pytest.mark.parametrize("name", ["nowhere.ipynb", "."])
def test_a_file_that_is_not_there_is_one_sentence(tmp_path, name):
    with pytest.raises(SubmissionError, match=r"is not there or not a file\.$"):
        read_submission(tmp_path / name, COURSE)
