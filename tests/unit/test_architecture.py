"""Who may import whom: the contracts in pyproject.toml hold, and they notice what breaks them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(package: Path) -> subprocess.CompletedProcess[str]:
    """Check the package that lies in a folder against this project's contracts."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run(
        [*command, "--config", str(ROOT / "pyproject.toml"), "--no-cache"],
        cwd=package,
        env=os.environ | {"PYTHONPATH": str(package), "COLUMNS": "200"},
        capture_output=True,
        encoding="utf-8",
    )


@pytest.fixture
def copy(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__", "*.png", "*.safetensors")
    shutil.copytree(ROOT / "solutions" / "innervision", tmp_path / "innervision", ignore=ignore)
    return tmp_path


def test_every_module_imports_only_what_is_below_it():
    result = lint(ROOT / "solutions")
    assert result.returncode == 0, result.stdout
    assert "Contracts: 2 kept, 0 broken." in result.stdout


BREACHES = [
    ("models/load.py", "import innervision.cli", "innervision.models is not allowed to import innervision.cli"),
    (
        "data/cache.py",
        "def late():\n    from innervision.classroom import paths",
        "innervision.data is not allowed to import innervision.classroom",
    ),
    ("data/cache.py", "import innervision.models", "innervision.data is not allowed to import innervision.models"),
    (
        "activations.py",
        "import innervision.optvis",
        "innervision.activations is not allowed to import innervision.optvis",
    ),
    ("training.py", "import tests.mutation", "innervision is not allowed to import tests"),
]


def test_forbidden_imports_are_noticed(copy):
    for module, line, _ in BREACHES:
        with (copy / "innervision" / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    result = lint(copy)
    assert result.returncode == 1
    assert [complaint for _, _, complaint in BREACHES if complaint not in result.stdout] == []


def test_a_module_without_a_place_is_noticed(copy):
    (copy / "innervision" / "stray.py").write_text("")
    result = lint(copy)
    assert result.returncode == 1
    assert "innervision.stray" in result.stdout
