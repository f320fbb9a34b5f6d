"""A core for each sandbox: never the same one twice, free again however its holder ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from innervision.classroom.cores import Core

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no process to a core")

HOLD = "import sys, pathlib; from innervision.classroom.cores import Core; core = Core(pathlib.Path(sys.argv[1]))\n"


@pytest.fixture
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 5})


@pytest.mark.usefixtures("three_cores")
def test_each_gets_another_core_until_none_is_left(tmp_path: Path) -> None:
    taken = [Core(tmp_path) for _ in range(4)]
    assert [core.number for core in taken] == [5, 1, 0, None]
    taken[1].release()
    assert taken[1].number is None
    assert Core(tmp_path).number == 1


def test_the_core_of_a_killed_process_is_free_again(tmp_path: Path) -> None:
    probe = f"{HOLD}print(core.number, flush=True)\nsys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", probe, str(tmp_path)], **pipes) as holder:
        held = int(holder.stdout.readline())
        meanwhile = Core(tmp_path)
        assert meanwhile.number != held
        meanwhile.release()
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
    assert Core(tmp_path).number == held


def test_a_process_and_its_children_keep_to_the_core_from_the_first_moment(tmp_path: Path) -> None:
    probe = "import os, sys; cores = os.sched_getaffinity(0); "
    probe += "os.fork() or os._exit(min(cores) if len(cores) == 1 else 99)"
    probe += "; sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))"
    before, core = os.sched_getaffinity(0), Core(tmp_path)
    with core.kept():
        process = subprocess.Popen([sys.executable, "-c", probe])
    assert os.sched_getaffinity(0) == before
    assert process.wait(20) == core.number


def test_the_thread_has_its_cores_again_after_an_error(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(ValueError, match="no such program"), Core(tmp_path).kept():
        raise ValueError("no such program")
    assert os.sched_getaffinity(0) == before


@pytest.mark.usefixtures("three_cores")
def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (tmp_path / f"innervision-{os.geteuid()}-core-5.lock").symlink_to(victim)
    assert Core(tmp_path).number == 1
    assert not victim.exists()


@pytest.mark.usefixtures("three_cores")
def test_without_a_core_a_process_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[set[int]] = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, cores: moved.append(set(cores)))
    held = [Core(tmp_path) for _ in range(3)]
    with Core(tmp_path).kept():
        pass
    assert moved == []
    with held[0].kept():
        assert moved == [{5}]
    assert moved == [{5}, {0, 1, 5}]
