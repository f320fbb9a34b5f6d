"""The instructor's guide does what it says: its commands, in its order, in an empty folder."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "site" / "instructors.md"
PATIENCE = 900.0  # seconds; a machine may be busy

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("guide")]


def commands() -> list[str]:
    """The lines after "$ " of all console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder in which the guide was followed."""
    made = tmp_path_factory.mktemp("guide")
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": os.pathsep.join([str(scripts), os.environ["PATH"]])}
    script = "\n".join(["set -ex", *commands()])
    done = subprocess.run(
        ["bash", "-c", script], cwd=made, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (made / "printed.txt").write_text(done.stdout, encoding="utf-8")
    return made


def scores(path: Path, key: str, value: str) -> dict[str, float]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row[key]: float(row[value]) for row in csv.DictReader(file) if row[key]}


def test_grades_arrive_in_every_file(folder: Path) -> None:
    course = folder / "my-course"
    grades = scores(course / "innervision" / "grades.csv", "student_id", "score")
    assert grades == {"ada": 0.0, "bob": 9.0}
    assert "Lovelace, Ada" in (course / "canvas.csv").read_text(encoding="utf-8")
    assert "ada@example.org" in (course / "moodle.csv").read_text(encoding="utf-8")
    assert scores(folder / "plain" / "innervision" / "grades.csv", "student_id", "score") == {"ada": 0.0}


def test_the_pages_that_it_names_are_there(folder: Path) -> None:
    own = folder / "my-course" / "innervision"
    assert "00.top_predictions" in (own / "reports" / "00-start-here.html").read_text(encoding="utf-8")
    assert "9" in (own / "feedback" / "00-start-here" / "bob.html").read_text(encoding="utf-8")
    record = json.loads((own / "records" / "00-start-here" / "ada.json").read_text(encoding="utf-8"))
    assert record["seed"] == 1


def test_old_and_new_points_are_printed(folder: Path) -> None:
    printed = (folder / "printed.txt").read_text(encoding="utf-8")
    assert re.search(r"^bob: 3 → 3 \(unchanged\)$", printed, re.MULTILINE)
