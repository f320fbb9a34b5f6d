"""The student's own folder: copies of the lessons' notebooks, which belong to the student from then on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from innervision.classroom.paths import Course, find_course
from innervision.classroom.progress import FOLDER
from innervision.files import write_aside

State = Literal["written", "already there", "kept yours"]


@dataclass(frozen=True)
class Copy:
    """What became of one file.

    Attributes:
        path: In a student's folder ``NN-slug.ipynb``.
        state: "written", "already there" (the same file), or "kept yours" (it differs from the course's, so it was
            left alone).
    """

    path: Path
    state: State


def copy_notebooks(folder: Path, course: Course | None = None) -> list[Copy]:
    """Copy every lesson's student notebook to a folder; what the student has there stays as it is.

    Args:
        folder: Made if it does not exist.
        course: Where the lessons are; this installation's own when None.

    Returns:
        One entry a lesson, in order.

    Raises:
        ValueError: ``folder`` is a file, or the course has no notebooks.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"DIR is {str(folder)!r}, which is a file; it must be a folder or not exist yet")
    course = course or find_course()
    sources = {slug: course.notebook(slug) for slug in course.slugs() if course.notebook(slug).is_file()}
    if not sources:
        raise ValueError(f"there are no notebooks in {course.lessons}; in a checkout, run `make notebooks` first")
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)  # marks the folder in which progress is kept
    return [place(folder / f"{slug}.ipynb", source.read_bytes()) for slug, source in sources.items()]


def place(target: Path, data: bytes) -> Copy:
    """Write a file, unless there is one already."""
    if target.exists():
        return Copy(target, "already there" if target.read_bytes() == data else "kept yours")
    write_aside(target, lambda part: part.write_bytes(data))
    return Copy(target, "written")
