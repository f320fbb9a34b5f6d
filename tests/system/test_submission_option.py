"""``pytest tests/graders --submission FILE.ipynb``: the same graders, on a student's notebook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from innervision.classroom import build, builder

ROOT = Path(__file__).parents[2]
SLUG = "00-start-here"


def run(notebook: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/graders", "--submission"]
    return subprocess.run([*command, str(notebook)], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_half_solved_notebook(tmp_path):
    built = build.build_lesson(SLUG)
    answers = {cell.id: cell.source for cell in built.solved.cells}
    notebook = built.student
    for cell in notebook.cells:
        if cell.id == "00-to_displayable":
            cell.source = answers[cell.id]
        if cell.id == "00-q_noise":
            cell.source = cell.source.replace("...", '"a"', 1)
    builder.write_notebook(notebook, tmp_path / "lesson.ipynb")
    result = run(tmp_path / "lesson.ipynb")
    assert result.returncode == 1
    failed = {line.partition("::")[2].split(" ")[0] for line in result.stdout.splitlines() if line.startswith("FAILED")}
    assert failed == {
        "test_known_probabilities",
        "test_as_many_as_asked_for_most_likely_first",
        "test_a_single_image_and_a_single_answer",
        "test_q_noise",
        "test_q_most_confident_mistake",
    }
    assert "not done yet\nExpected: your own top_predictions\n" in result.stdout
    assert "Traceback" not in result.stdout


def test_a_file_that_is_no_notebook(tmp_path):
    (tmp_path / "essay.ipynb").write_text("dear teacher")
    result = run(tmp_path / "essay.ipynb")
    assert result.returncode == 4
    assert result.stderr.strip() == "ERROR: essay.ipynb is not a notebook: it is not JSON (line 1)."
