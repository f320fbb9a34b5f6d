"""What is installed here, what is missing, and what to do about it. Works with whatever is missing, torch included."""

from __future__ import annotations

import importlib
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

State = Literal["ok", "missing", "optional"]

MINIMUM_PYTHON = (3, 11)
EXTRAS = {
    "course": "to open the notebooks",
    "classroom": "to hand out and grade assignments with nbgrader",
    "atlas": "to lay out activation atlases with UMAP",
    "language": "to run what you learned on a real sentence encoder",
    "site": "to build the notebooks and the website",
    "dev": "to run the tests",
}
LOADED = ("torch", "torchvision")
"""Libraries that are really loaded: a torchvision that does not fit its torch is installed, and fails."""

PROGRAMS = {
    "chromium": (
        ("chromium", "chromium-browser", "google-chrome", "chrome"),
        "for the tests of the website: Debian and Ubuntu: apt install chromium",
    ),
    "bubblewrap": (
        ("bwrap",),
        "to seal student code off when a class is graded: Debian and Ubuntu: apt install bubblewrap",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        subject: What was looked at.
        state: "ok", "missing" (nothing works without it), or "optional" (not there, needed for one purpose only).
        detail: What was found, in words.
        advice: What to do, or "".
    """

    subject: str
    state: State
    detail: str
    advice: str = ""


def examine() -> list[Finding]:
    """Look at Python, the libraries, the extras, the cache of downloaded data and the programs that tests use."""
    return [_python(), *_libraries(), *(_extra(*item) for item in EXTRAS.items()), _cache(), *_programs()]


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < MINIMUM_PYTHON:
        return Finding("Python", "missing", found, "install Python 3.11 or newer")
    return Finding("Python", "ok", found)


def _libraries() -> Iterator[Finding]:
    for name, needed in _requirements(""):
        yield _library(name, needed)


def _library(name: str, needed: str) -> Finding:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Finding(name, "missing", f"not installed; needs {needed}", f'pip install "{needed}"')
    if not _admits(needed, found):
        return Finding(name, "missing", f"{found}; needs {needed}", f'pip install "{needed}"')
    if name in LOADED:
        try:
            importlib.import_module(name)
        except Exception as error:  # a library in pieces can raise anything
            detail = f"{found} is installed but does not load: {error}"
            return Finding(name, "missing", detail, f"pip install --force-reinstall {name}")
    return Finding(name, "ok", found)


def _extra(name: str, purpose: str) -> Finding:
    missing = [library for library, needed in _requirements(name) if _library(library, needed).state != "ok"]
    if missing:
        return Finding(
            f"extra {name}", "optional", f"{purpose}; lacks {', '.join(missing)}", f'pip install "innervision[{name}]"'
        )
    return Finding(f"extra {name}", "ok", f"{purpose}; complete")


def _cache() -> Finding:
    try:
        from innervision.data.cache import cache_folder
    except Exception:  # without torch there are no data either; the line about torch says so
        return Finding("CIFAR-10", "optional", "cannot be looked for until the libraries load")
    folder = cache_folder()
    file = folder / "cifar10.safetensors"
    if file.exists():
        return Finding("CIFAR-10", "ok", str(file))
    return Finding("CIFAR-10", "optional", f"to train networks: not in {folder}", "innervision data cifar10")


def _programs() -> Iterator[Finding]:
    for subject, (names, advice) in PROGRAMS.items():
        found = next((path for name in names if (path := shutil.which(name))), None)
        if found:
            yield Finding(subject, "ok", str(Path(found)))
        else:
            yield Finding(subject, "optional", "not found", advice)


def _requirements(extra: str) -> Iterator[tuple[str, str]]:
    """Name and range of every library that innervision, or one of its extras, asks for."""
    for line in requires("innervision") or ():
        needed, _, marker = (part.strip() for part in line.partition(";"))
        wanted = f"extra == '{extra}'" if extra else ""
        if marker.replace('"', "'") == wanted and not needed.startswith("innervision["):
            name = needed
            for stop in "<>=!~[ (":
                name = name.partition(stop)[0]
            yield name, needed


def _admits(needed: str, found: str) -> bool:
    """Whether a version lies in a requirement's range; without the library ``packaging`` the answer is yes."""
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:
        return True
    return Requirement(needed).specifier.contains(found, prereleases=True)
