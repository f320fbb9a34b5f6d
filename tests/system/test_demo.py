"""``make demo``: what it writes, and that its student is told what the demo is there to show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from innervision.classroom.exercises import load_graders
from innervision.classroom.grading import grade

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]  # the demo runs once, for all tests


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def printed(output: Path) -> str:
    command = [sys.executable, ROOT / "demo" / "demo.py", output]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


def test_the_demo_draws_and_grades(printed: str, output: Path) -> None:
    lines = printed.splitlines()
    assert lines[0].endswith(f"{output / 'neurons.png'}")
    assert lines[-1].endswith(f"{output / 'report.html'}")
    with Image.open(output / "neurons.png") as picture:
        assert picture.size == ((4 * 64 + 3 * 2) * 4, 64 * 4)
    page = (output / "report.html").read_text(encoding="utf-8")
    for exercise in ("02.channel", "02.jitter", "02.render", "02.random_rotate"):
        assert exercise in page
        assert exercise in printed


def test_each_answer_gets_what_it_deserves(printed: str, output: Path) -> None:
    report = grade(output / "submission.ipynb", seed=1)
    results = {result.id: result for result in report.exercises}
    statuses = {item: result.status for item, result in results.items()}
    assert {item for item, status in statuses.items() if status == "passed"} == {"02.channel", "02.total_variation"}
    assert statuses["02.random_scale"] == "error"
    assert statuses["02.render"] == "timeout"
    assert statuses["02.random_rotate"] == "missing"
    untouched = set(statuses) - {"02.channel", "02.total_variation", "02.ascend", "02.jitter"}
    untouched -= {"02.random_scale", "02.render", "02.random_rotate"}
    assert {statuses[item] for item in untouched} == {"not done yet"}
    sentences = {
        variant.function.__name__: variant.sentence
        for variants in load_graders("02-feature-visualization").misconceptions.values()
        for variant in variants
    }
    for item, mistake in (("02.ascend", "goes_downhill"), ("02.jitter", "fills_with_black")):
        assert statuses[item] in ("failed", "partial")
        assert results[item].message is not None
        assert results[item].message.cause == sentences[mistake]
    assert 0 < report.points < report.max_points


def test_the_submission_is_the_lesson_with_seven_cells_changed(printed: str, output: Path) -> None:
    made = json.loads((output / "submission.ipynb").read_text(encoding="utf-8"))["cells"]
    lesson = json.loads((ROOT / "course/02-feature-visualization/lesson.ipynb").read_text(encoding="utf-8"))["cells"]
    changed = [cell["id"] for cell in lesson if cell not in made]
    assert len(made) == len(lesson) - 1
    assert len(changed) == 7
