"""The wheel works outside a checkout: built, installed in a new environment, used from another folder.

The new environment takes torch and the other libraries from the one that runs the tests, through a .pth file:
installing 5 GB again would test pip, not us. The wheel comes first on its path, and the editable install's own .pth
file is not read there, because .pth files count only in a site directory, not in a folder that one of them names.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from innervision.classroom.build import build_lesson
from innervision.classroom.builder import write_notebook

ROOT = Path(__file__).resolve().parents[2]
LESSON = "00-start-here"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]  # built and installed once, for all tests


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel; returns its folder of programs."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    paths = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", paths))
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--ignore-installed"]
    subprocess.run([*pip, *options, str(wheel)], check=True)
    return programs


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder outside the checkout with a solved and an untouched notebook."""
    built = build_lesson(LESSON)
    write_notebook(built.solved, tmp_path / "solved.ipynb")
    write_notebook(built.student, tmp_path / "untouched.ipynb")
    return tmp_path


def run(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(environment / "innervision"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_wheel_holds_library_lessons_and_graders(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    module = LESSON.replace("-", "_")
    assert {
        "innervision/py.typed",
        "innervision/models/weights/mini.safetensors",
        "innervision/models/weights/weights.toml",
        "innervision/data/sample/images.png",
        f"innervision/_course/{LESSON}/lesson.md",
        f"innervision/_course/{LESSON}/lesson.ipynb",
        f"innervision/_graders/graders/test_{module}.py",
        f"innervision/_graders/misconceptions/{module}.py",
        f"innervision/_graders/alternatives/{module}.py",
    } <= files
    assert [file for file in files if file.startswith(("solutions", "tests", "course", "site"))] == []
    assert [file for file in files if "__pycache__" in file or ".part" in file or ".innervision/" in file] == []
    assert any(file.endswith("licenses/LICENSE-TEXT") for file in files)


def test_the_library_comes_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    code = "import innervision; print(innervision.__file__)"
    python = [str(environment / "python"), "-c", code]
    output = subprocess.run(python, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(output.strip()).is_relative_to(environment.parent)


def test_check_passes_the_solved_notebook(environment: Path, elsewhere: Path) -> None:
    checked = run(environment, elsewhere, "check", "solved.ipynb", "--json")
    assert (checked.returncode, checked.stderr) == (0, "")
    (report,) = json.loads(checked.stdout)
    assert report["passed"]
    assert report["points"] == report["max_points"] > 0


def test_check_finds_the_untouched_notebook_not_done(environment: Path, elsewhere: Path) -> None:
    checked = run(environment, elsewhere, "check", "untouched.ipynb", "--json")
    assert (checked.returncode, checked.stderr) == (1, "")
    (report,) = json.loads(checked.stdout)
    assert report["points"] == 0
    assert {exercise["status"] for exercise in report["exercises"]} == {"not done yet"}


def test_start_copies_the_lessons_of_the_wheel(environment: Path, tmp_path: Path) -> None:
    started = run(environment, tmp_path, "start", "mine", "--no-browser")
    assert (started.returncode, started.stderr) == (0, "")
    assert (tmp_path / "mine" / f"{LESSON}.ipynb").is_file()
