"""The README tells the truth: its ten lines print what it says, and the files it names exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_ten_lines_print_what_the_readme_says() -> None:
    command = [sys.executable, ROOT / "tools" / "refresh_readme.py", "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "README.md is up to date\n", "")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_link_into_the_repository_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_folder_of_the_map_exists() -> None:
    table = README.partition("## What is where")[2].partition("## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    folders = [folder for cell in cells for folder in re.findall(r"`(.+?)`", cell)]
    assert "solutions/innervision/" in folders
    assert [folder for folder in folders if folder != "build/" and not (ROOT / folder).is_dir()] == []


def test_every_target_of_the_readme_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z]+)\b", README))
    assert {"demo", "test", "lint"} <= named
    assert [target for target in sorted(named) if f"\n{target}:" not in makefile] == []
