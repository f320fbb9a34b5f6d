"""An instructor's course folder from nothing: for nbgrader, or plain folders. Needs jupytext and nbformat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from innervision.classroom import builder, nbgrader_source
from innervision.classroom.build import build_lesson
from innervision.classroom.paths import Course, find_course
from innervision.classroom.workplace import Copy, place

HANDOUT = "handout"


def new_course(
    folder: Path, lessons: Sequence[str] = (), *, plain: bool = False, course: Course | None = None
) -> list[Copy]:
    """Make a course folder, or add lessons to one. Nothing that is there already is overwritten.

    nbgrader's layout: ``nbgrader_config.py`` and ``source/<lesson>/<lesson>.ipynb``, with the solutions in them. Plain
    folders: ``handout/<lesson>.ipynb`` for the students, and an empty folder ``<lesson>`` for what they hand in.

    Args:
        folder: Made if it does not exist.
        lessons: Slugs or numbers, "02-feature-visualization" or "02"; all when empty.
        plain: Without nbgrader.
        course: Where the lessons are; this installation's own when None.

    Returns:
        One entry a file.

    Raises:
        ValueError: ``folder`` is a file, or there is no such lesson.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"DIR is {str(folder)!r}, which is a file; it must be a folder or not exist yet.")
    course = course or find_course()
    texts: dict[Path, str] = {} if plain else {folder / nbgrader_source.CONFIG_NAME: nbgrader_source.CONFIG}
    slugs = [_slug(name, course) for name in lessons] or course.slugs()
    for slug in slugs:
        built = build_lesson(slug, course)
        notebook, parent = (built.student, folder / HANDOUT) if plain else (built.source, folder / "source" / slug)
        texts[parent / f"{slug}.ipynb"] = builder.notebook_text(notebook)
    made = [place(target, text.encode()) for target, text in texts.items()]
    if plain:
        for slug in slugs:
            (folder / slug).mkdir(exist_ok=True)
    return made


def _slug(name: str, course: Course) -> str:
    known = course.slugs()
    found = [slug for slug in known if name in (slug, slug.partition("-")[0])]
    if not found:
        raise ValueError(f"lesson is {name!r}; it must be one of {', '.join(known)}.")
    return found[0]
