"""Folders of killed processes go, those of living ones stay, and a link leads nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from innervision.classroom.leftovers import PREFIX, own_folder, remove_folder, sweep

OWNER = """
import sys
from innervision.classroom.leftovers import own_folder
print(own_folder(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def owner(tmp_path: Path) -> tuple[subprocess.Popen[str], Path]:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    (folder / "file").write_text("x")
    return process, folder


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_killed_processs_folder_goes_and_a_living_ones_stays(tmp_path: Path) -> None:
    killed, theirs = owner(tmp_path)
    living, lives = owner(tmp_path)
    end(killed)
    assert theirs.is_dir()
    mine = own_folder()
    try:
        assert not theirs.exists()
        assert (lives / "file").read_text() == "x"
        assert mine.stat().st_mode & 0o777 == 0o755
        sweep(tmp_path)
        assert mine.is_dir()
    finally:
        remove_folder(mine)
        end(living)
    assert not mine.exists()


def test_links_files_and_other_names_stay(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    (private / "file").write_text("x")
    (tmp_path / f"{PREFIX}link").symlink_to(private)
    (tmp_path / f"{PREFIX}file").write_text("x")
    sweep(tmp_path)
    assert (private / "file").read_text() == "x"
    assert (tmp_path / f"{PREFIX}link").is_symlink()
    assert (tmp_path / f"{PREFIX}file").is_file()


def test_a_link_inside_a_folder_is_removed_and_not_what_it_points_to(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    (private / "file").write_text("x")
    dead = tmp_path / f"{PREFIX}dead"
    dead.mkdir()
    (dead / "link").symlink_to(private)
    sweep(tmp_path)
    assert not dead.exists()
    assert (private / "file").read_text() == "x"


def test_another_users_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{PREFIX}theirs").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    sweep(tmp_path)
    assert (tmp_path / f"{PREFIX}theirs").is_dir()
