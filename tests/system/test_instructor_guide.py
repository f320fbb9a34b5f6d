"""The instructor's guide does what it says: its commands, in its order, in an empty folder."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "site" / "instructors.md"
PATIENCE = 900.0  # seconds; a machine may be busy
MARK = "--- next command ---"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("guide")]


@dataclass(frozen=True)
class Step:
    """A command of the guide and what the guide says that it prints; "…" stands for anything."""

    command: str
    printed: tuple[str, ...]


def steps() -> list[Step]:
    """All console blocks: a line after "$ " is a command, those below it are what it prints."""
    blocks = re.findall(r"^```console\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    found: list[list[str]] = []
    for line in (line for block in blocks for line in block.splitlines()):
        if line.startswith("$ "):
            found.append([line.removeprefix("$ ")])
        else:
            found[-1].append(line)
    return [Step(command, tuple(printed)) for command, *printed in found]


def pattern(printed: tuple[str, ...]) -> str:
    """The printed lines as a regular expression: "…" is anything in a line, alone on a line it is any lines."""
    lines = [r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*?") + r" *\n" for line in printed]
    return "".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder in which the guide was followed."""
    made = tmp_path_factory.mktemp("guide")
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": os.pathsep.join([str(scripts), os.environ["PATH"]])}
    script = ["set -e", *(f"echo {MARK}\n{step.command}" for step in steps())]
    done = subprocess.run(
        ["bash", "-c", "exec 2>&1\n" + "\n".join(script)],
        cwd=made,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (made / "printed.txt").write_text(done.stdout, encoding="utf-8")
    return made


def test_the_commands_print_what_the_guide_shows(folder: Path) -> None:
    printed = (folder / "printed.txt").read_text(encoding="utf-8").split(f"{MARK}\n")[1:]
    shown = [(step, text) for step, text in zip(steps(), printed, strict=True) if step.printed]
    assert {step.command.split()[1] for step, _ in shown} == {"course", "grade", "export", "similar"}
    for step, text in shown:
        assert re.fullmatch(pattern(step.printed), text), f"{step.command}\n{text}"


def test_an_example_that_has_rotted_is_found() -> None:
    shown = ("ada … 0 / 9", "…", "2 submissions in … s")
    assert re.fullmatch(pattern(shown), "ada   0 / 9\nbob\neve\n2 submissions in 1.5 s\n")
    assert not re.fullmatch(pattern(shown), "ada   0 / 8\nbob\neve\n2 submissions in 1.5 s\n")
    assert not re.fullmatch(pattern(shown), "2 submissions in 1.5 s\nada   0 / 9\n")


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
