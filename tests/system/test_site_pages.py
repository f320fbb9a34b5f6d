"""From an executed notebook to a page: what is shown, what is folded, what is refused."""

from __future__ import annotations

import base64

import nbformat
import pytest
from tools.notebook_page import PageError, page, prose

PICTURE = base64.b64encode(b"not really a picture").decode()
TITLE = nbformat.v4.new_markdown_cell("# A lesson\n\nIt begins.")


def shown(*cells, stubs=None, mistakes=None):
    notebook = nbformat.v4.new_notebook(cells=[TITLE, *cells])
    return page(notebook, stubs or {}, mistakes or {}, "HEAD\n", "lesson")


def code(source, *outputs, **metadata):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def test_the_head_goes_below_the_title():
    assert shown().markdown == "# A lesson\n\nHEAD\n\n\nIt begins.\n"


def test_code_and_what_it_printed():
    printed = nbformat.v4.new_output("stream", name="stdout", text="\x1b[32m4\x1b[0m\n")
    expected = '```python\nprint(4)\n```\n\n<div class="output" markdown="1">\n\n```text\n4\n```\n\n</div>\n'
    assert shown(code("print(4)", printed)).markdown.endswith(expected)


def test_a_picture_becomes_a_file_with_its_words():
    data = {"image/png": PICTURE, "text/plain": "<Figure>"}
    output = nbformat.v4.new_output("display_data", data=data, metadata={"image/png": {"width": 320}})
    made = shown(code("draw()", output, alt='A "red" square'))
    assert made.pictures == {"lesson-01.png": b"not really a picture"}
    figure = '<figure class="plot"><img src="lesson-01.png" alt="A &quot;red&quot; square" width="320"></figure>'
    assert figure in made.markdown


def test_a_picture_without_words_is_refused():
    cell = code("draw()", nbformat.v4.new_output("display_data", data={"image/png": PICTURE}))
    cell.id = "see-1"
    with pytest.raises(PageError) as error:
        shown(cell)
    assert str(error.value) == "cell see-1 shows a picture; it needs an option `alt:` that says what is to be seen"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[]),
            "cell c failed: ValueError: no\nf()",
        ),
        (nbformat.v4.new_output("stream", name="stderr", text="careful"), "cell c wrote to stderr: careful\nf()"),
    ],
)
def test_a_lesson_that_does_not_run_cleanly_is_refused(output, message):
    cell = code("f()", output)
    cell.id = "c"
    with pytest.raises(PageError) as error:
        shown(cell)
    assert str(error.value) == message


def test_an_exercise_shows_its_stub_and_folds_hints_solution_and_mistakes():
    about = {"role": "exercise", "id": "00.double", "hints": ["add"]}
    cell = code("def double(x):\n    return x + x", innervision=about)
    made = shown(cell, stubs={cell.id: "def double(x): ..."}, mistakes={"00.double": ["a < b is not the point"]})
    assert made.markdown.endswith(
        f'<span id="{cell.id}"></span>\n\n```python\ndef double(x): ...\n```\n\n'
        '??? hint "Hint 1"\n\n    add\n\n'
        '??? solution "One solution"\n\n    ```python\n    def double(x):\n        return x + x\n    ```\n\n'
        '??? mistakes "Common mistakes"\n\n    - a &lt; b is not the point\n'
    )


def test_a_question_never_shows_its_answer():
    about = {"role": "question", "id": "00.q", "hints": ["look"]}
    cell = code('answer_00_q = "b"', innervision=about)
    made = shown(cell, stubs={cell.id: "answer_00_q = ..."})
    assert "answer_00_q = ..." in made.markdown
    assert '"b"' not in made.markdown


def test_predictions_become_boxes_and_folded_parts_stay_whole():
    source = "**Predict.** How much?\n\n<details><summary>Answer</summary>\n\n**Predict.** No box.\n\n</details>"
    assert prose(source) == (
        '!!! predict "Predict"\n\n    How much?\n\n'
        '<details markdown="1"><summary markdown="span">Answer</summary>\n\n**Predict.** No box.\n\n</details>'
    )
