"""Workers in bubblewrap: what they see, what they can do, how they end, and that nothing stays for the next one."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.unit.classroom.tiny import COURSE, SLUG, filled, written

from innervision.classroom import bwrap, sandbox, seccomp
from innervision.classroom.bwrap import SandboxError, find_bwrap
from innervision.classroom.grading import grade
from innervision.classroom.isolation import Limits, Worker, WorkerLost
from innervision.classroom.sandbox import SandboxedWorkers, Walls

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is a program for Linux")

LIMITS = Limits(seconds=20.0, memory=2**30)
CHANNEL = "innervision.optvis.objectives.channel"
Ask = Callable[[str], Any]
PYTHON_BELOW_TMP = sorted({path.parts[2] for path in bwrap.visible_folders() if path.is_relative_to("/tmp")})


@pytest.fixture(scope="module")
def workers() -> Iterator[SandboxedWorkers]:
    with SandboxedWorkers(SLUG, LIMITS, course=COURSE) as made:
        yield made


@pytest.fixture
def worker(workers: SandboxedWorkers) -> Iterator[Worker]:
    with workers.take("probes", message("return None")) as made:
        yield made


def message(*probes: str, supplied: dict[str, str] | None = None) -> dict[str, Any]:
    """A lesson whose scenarios are these probes: ``probe_0``, ``probe_1`` …"""
    sources = []
    for number, probe in enumerate(probes):
        body = "\n    ".join(probe.splitlines())
        sources.append(f"def probe_{number}(student, generator):\n    {body}\n")
    head = "import ctypes, gc, glob, mmap, os, resource, signal, socket, threading, time\nimport torch\n"
    functions = {"99.channel": CHANNEL, "99.total_variation": "innervision.optvis.penalties.total_variation"}
    return {
        "do": "lesson",
        "setup": [],
        "scenarios": head + "\n".join(sources),
        "functions": functions,
        "memory": LIMITS.memory,
        "supplied": supplied or {},
    }


def answer(worker: Worker, seconds: float = LIMITS.seconds) -> Any:
    """What a probe returns."""
    got = worker.ask({"do": "scenario", "exercise": "99.channel", "name": "probe_0", "seed": 1}, seconds)
    assert got.status == "answered", got
    return got.value


def run(workers: SandboxedWorkers, probe: str, seconds: float = LIMITS.seconds) -> Any:
    """What a probe returns in a worker of its own."""
    with workers.fresh("probes", message(probe)) as worker:
        return answer(worker, seconds)


def refused(workers: SandboxedWorkers, statement: str) -> str:
    """The error that a statement raises."""
    return str(
        run(
            workers,
            f"try:\n    {statement}\nexcept Exception as error:\n    return type(error).__name__\nreturn 'done'",
        )
    )


def test_only_python_and_the_library_are_visible(workers: SandboxedWorkers) -> None:
    seen = run(workers, "return {name: os.listdir(name) for name in ('/', '/tmp', '/proc', '/dev/shm')}")
    assert set(seen["/"]) <= {
        "usr",
        "lib",
        "lib64",
        "lib32",
        "bin",
        "sbin",
        "etc",
        "dev",
        "proc",
        "tmp",
        "innervision-library",
        *(path.parts[1] for path in bwrap.visible_folders()),
    }
    assert seen["/tmp"] == PYTHON_BELOW_TMP
    assert seen["/proc"] == seen["/dev/shm"] == []
    hidden = [
        str(Path.home() / ".ssh"),
        str(COURSE.graders),
        str(Path(__file__)),
        "/var",
        "/sys",
        "/etc/passwd",
        "/run",
    ]
    assert run(workers, f"return [os.path.exists(name) for name in {hidden!r}]") == [False] * len(hidden)


def test_no_grader_judge_or_lesson_is_inside(workers: SandboxedWorkers) -> None:
    names = run(workers, "return sorted(os.listdir('/innervision-library/innervision/classroom'))")
    assert not {"judge.py", "grading.py", "exercises.py", "gradebook.py", "sandbox.py"} & set(names)
    assert run(workers, "return glob.glob('/innervision-library/**/*.ipynb', recursive=True)") == []
    assert run(workers, "return glob.glob('/innervision-library/**/lesson.md', recursive=True)") == []


def test_a_worker_computes_with_the_same_kernels(workers: SandboxedWorkers) -> None:
    """Else its numbers differ in the last digits from the judge's."""
    assert run(workers, "return torch.backends.cpu.get_cpu_capability()") == torch.backends.cpu.get_cpu_capability()


def test_gradients_and_threads_work(workers: SandboxedWorkers) -> None:
    probe = "x = torch.rand(1, 3, 9, 9, requires_grad=True)\ny = torch.nn.functional.conv2d(x, torch.rand(4, 3, 3, 3))"
    assert run(workers, f"{probe}\ny.sum().backward()\nreturn x.grad is not None") is True


def test_a_worker_is_nobody_and_alone(workers: SandboxedWorkers) -> None:
    uid, pid, parent = run(workers, "return [os.getuid(), os.getpid(), os.getppid()]")
    assert (pid, parent) == (1, 0)
    assert uid not in (0, os.getuid())
    assert run(workers, "return [sorted(os.environ), socket.gethostname()]")[1] == "sandbox"
    assert "SECRET" not in run(workers, "return dict(os.environ)")


@pytest.mark.parametrize("place", ["/x", "/dev/x", "/dev/shm/x", "/proc/x", "/usr/x", "/innervision-library/x"])
def test_nothing_can_be_written_but_tmp(workers: SandboxedWorkers, place: str) -> None:
    assert refused(workers, f"open({place!r}, 'w')") in ("OSError", "PermissionError")


@pytest.mark.parametrize(
    "statement",
    [
        "socket.create_connection(('127.0.0.1', 22), 1)",
        "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_NETLINK)",
        "socket.getaddrinfo('example.org', 80)",
        "socket.socket(socket.AF_UNIX).connect('/run/docker.sock')",
    ],
)
def test_no_network(workers: SandboxedWorkers, statement: str) -> None:
    assert refused(workers, statement) in ("PermissionError", "gaierror", "FileNotFoundError")


@pytest.mark.skipif(not seccomp.program(os.uname().machine), reason="system calls of this machine are not known")
@pytest.mark.parametrize(
    "name", ["unshare", "setns", "mount", "ptrace", "bpf", "io_uring_setup", "memfd_create", "keyctl"]
)
def test_system_calls_that_lead_out_are_refused(workers: SandboxedWorkers, name: str) -> None:
    number = seccomp.NUMBERS[name][list(seccomp.ARCHITECTURES).index(os.uname().machine)]
    probe = (
        f"libc = ctypes.CDLL(None, use_errno=True)\nreturn [libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno()]"
    )
    assert run(workers, probe) == [-1, 1]


def test_a_worker_keeps_to_one_core(workers: SandboxedWorkers) -> None:
    assert workers.sandbox.core.number is None or run(workers, "return len(os.sched_getaffinity(0))") == 1
    every = set(range(os.cpu_count() or 1))
    assert refused(workers, f"os.sched_setaffinity(0, {every})") == "PermissionError"


def test_the_first_optimiser_imports_nothing(workers: SandboxedWorkers) -> None:
    """Its imports take a second, which every submission would pay again."""
    probe = "import sys\nbefore = len(sys.modules)\ntorch.optim.Adam([torch.zeros(1, requires_grad=True)])"
    assert run(workers, f"{probe}\nreturn len(sys.modules) - before") == 0


def test_new_user_name_spaces_are_refused_by_every_call(workers: SandboxedWorkers) -> None:
    probe = "libc = ctypes.CDLL(None, use_errno=True)\nreturn [libc.unshare(0x10000000), ctypes.get_errno()]"
    assert run(workers, probe) == [-1, 1]


def test_limits_bind(workers: SandboxedWorkers) -> None:
    assert refused(workers, "bytearray(2**31)") == "MemoryError"
    assert refused(workers, "mmap.mmap(-1, 2**31)") == "OSError"
    assert refused(workers, "[open(f'/tmp/{n}', 'w').close() for n in range(10**5)]") == "OSError"
    assert (
        refused(
            workers,
            "[open('/dev/null') for n in range(10**4)] and 0\n    files = [open('/dev/null') for n in range(10**4)]",
        )
        == "OSError"
    )
    assert (
        refused(workers, "[threading.Thread(target=time.sleep, args=(9,), daemon=True).start() for n in range(999)]")
        == "RuntimeError"
    )
    disk = "with open('/tmp/big', 'wb') as file:\n        [file.write(bytes(2**20)) for n in range(200)]"
    assert refused(workers, disk) == "OSError"


def test_processes_are_counted_and_work_can_go_on(workers: SandboxedWorkers) -> None:
    probe = """\
count = 0
try:
    while count < 1000:
        if os.fork() == 0:
            time.sleep(60)
        count += 1
except OSError:
    pass
return count"""
    assert 20 <= run(workers, probe) < Walls().processes


def test_memory_of_many_processes_is_added_up(workers: SandboxedWorkers) -> None:
    probe = """\
for _ in range(6):
    if os.fork() == 0:
        kept = b'x' * (400 * 2**20)
        time.sleep(60)
time.sleep(60)"""
    with workers.fresh("probes", message(probe)) as worker, pytest.raises(WorkerLost) as lost:
        answer(worker)
    assert str(lost.value) == "the code took more than 1 GiB of memory"


@pytest.mark.parametrize(
    ("probe", "ending"),
    [
        ("os._exit(3)", "the code ended Python (exit code 3)"),
        ("ctypes.string_at(0)", "the code ended Python (signal SIGSEGV)"),
    ],
)
def test_endings_are_told(workers: SandboxedWorkers, probe: str, ending: str) -> None:
    with workers.fresh("probes", message(probe)) as worker, pytest.raises(WorkerLost) as lost:
        answer(worker)
    assert (lost.value.status, str(lost.value)) == ("died", ending)


def test_a_killed_worker_leaves_no_process(workers: SandboxedWorkers) -> None:
    probe = "ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n[os.fork() or time.sleep(600) for _ in range(3)]\nwhile True: pass"
    with workers.fresh("probes", message(probe)) as worker:
        before = len(_descendants(workers.sandbox.process.pid))
        with pytest.raises(WorkerLost) as lost:
            worker.ask({"do": "scenario", "exercise": "99.channel", "name": "probe_0", "seed": 1}, 1.0)
    assert lost.value.status == "timeout"
    deadline = time.monotonic() + 10
    while (left := len(_descendants(workers.sandbox.process.pid))) > before - 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == before - 2  # the warden and its worker; the three had not been started yet


def test_a_signal_to_the_group_reaches_nobody_else(workers: SandboxedWorkers) -> None:
    assert run(workers, "return [os.getpgid(0), os.getsid(0)]") == [1, 1]


def _descendants(root: int) -> list[int]:
    """A process and all below it."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,state="], capture_output=True, text=True, check=True)
    fields = [line.split() for line in listed.stdout.splitlines()]
    parents = {int(pid): int(parent) for pid, parent, state in fields if state != "Z"}
    family = [root]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def test_nothing_stays_for_the_next_worker(workers: SandboxedWorkers) -> None:
    leave = "import builtins, sys\nbuiltins.left = sys.left = torch.left = 1\nopen('/tmp/left', 'w').close()"
    leave += "\nreturn os.listdir('/tmp')"
    assert sorted(run(workers, leave)) == sorted(["left", *PYTHON_BELOW_TMP])
    look = (
        "import builtins, sys\nreturn [hasattr(thing, 'left') for thing in (builtins, sys, torch)] + os.listdir('/tmp')"
    )
    assert run(workers, look) == [False, False, False, *PYTHON_BELOW_TMP]


def test_descriptors_lead_nowhere(workers: SandboxedWorkers) -> None:
    """Only the two pipes, and the null device: no log, no socket to the parent."""
    probe = """\
import stat
kinds = []
for descriptor in range(256):
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        continue
    kinds.append('pipe' if stat.S_ISFIFO(mode) else 'device' if stat.S_ISCHR(mode) else 'other')
return kinds"""
    kinds = run(workers, probe)
    assert kinds.count("pipe") == 2
    assert "other" not in kinds


def test_grading_starts_anew_after_the_sandbox_has_died(workers: SandboxedWorkers, tmp_path: Path) -> None:
    with SandboxedWorkers(SLUG, LIMITS, course=COURSE, spare=0) as own:
        path = written(tmp_path, filled())
        assert grade(path, course=COURSE, workers=own).passed
        own.sandbox.process.kill()
        own.sandbox.process.wait()
        assert grade(path, course=COURSE, workers=own).passed


def test_without_bubblewrap_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bwrap.shutil, "which", lambda *_, **__: None)
    with pytest.raises(SandboxError) as error:
        find_bwrap()
    assert str(error.value) == (
        "isolation is 'bwrap', and bubblewrap is not installed; install the system's package bubblewrap, "
        "or ask for --isolation process, which does not protect your files."
    )


def test_a_bubblewrap_that_does_not_work_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "find_bwrap", lambda: "/bin/false")
    with SandboxedWorkers(SLUG, LIMITS, course=COURSE) as own:
        for _ in range(2):  # the second submission of a class is told the same
            with pytest.raises(SandboxError) as error:
                own.start()
            assert str(error.value).startswith("isolation is 'bwrap', which does not work here (it gave no answer);")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A virtual environment below /tmp, which grades as if it was this one."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Path(folder).resolve() / "deep" / "env"
        venv.create(made, symlinks=True)
        packages = made / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        (packages / "real.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
        monkeypatch.setattr(sys, "prefix", str(made))
        monkeypatch.setattr(sys, "executable", str(made / "bin" / "python"))
        yield made


def test_an_environment_below_tmp_stays_visible_there(environment: Path) -> None:
    probe = """import sys, tempfile
with tempfile.TemporaryFile() as file:
    file.write(b"private")
try:
    open(sys.prefix + "/lib/mine", "w")
except OSError as error:
    return sys.prefix, sorted(os.listdir("/tmp")), os.listdir(os.path.dirname(sys.prefix)), type(error).__name__"""
    with SandboxedWorkers(SLUG, LIMITS, course=COURSE) as own:
        prefix, top, beside, refusal = run(own, probe)
    assert prefix == str(environment)
    assert environment.parts[2] in top
    assert beside == ["env"]
    assert refusal == "OSError"  # a read-only file system, or no permission


def test_the_filter_knows_both_machines() -> None:
    for machine in ("x86_64", "aarch64"):
        lines = seccomp.program(machine)
        assert lines[-1] == (seccomp.RETURN, 0, 0, seccomp.ALLOW)
        jumps = {number: max(line[1:3]) for number, line in enumerate(lines) if line[0] & 7 == 5}  # class BPF_JMP
        assert all(number + 1 + jump < len(lines) for number, jump in jumps.items())
    assert seccomp.program("riscv64") == []
