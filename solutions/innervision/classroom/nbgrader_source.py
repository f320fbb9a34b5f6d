"""What nbgrader wants: cell metadata (schema 3), checksums, a course folder and its configuration.

Written without importing nbgrader, so that notebooks can be built where it is not installed; a test compares with it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

CONFIG_NAME = "nbgrader_config.py"
CONFIG = '''\
"""nbgrader's settings for the Inner Vision course. Written by `innervision course`; yours to change."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "innervision"
# Seconds for one cell. A check takes about one; a loop that never ends costs this much and 0 points.
c.Execute.timeout = 60
# Cells tagged "see" draw pictures. They take most of a lesson's time and are worth no points, so they are not run.
c.Execute.skip_cells_with_tag = "see"
# A check cell that a student deleted is put back before grading.
c.OverwriteCells.add_missing_cells = True
# The released question is `answer = ...`, as in the notebooks of the course, with no line that raises after it.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "innervision.classroom.nbgrader_stubs.QuestionStubs",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]
'''


def answer(grade_id: str) -> dict[str, Any]:
    """Return the metadata of a cell that the student fills in."""
    return {"schema_version": 3, "grade": False, "solution": True, "locked": False, "task": False, "grade_id": grade_id}


def test(grade_id: str, points: float) -> dict[str, Any]:
    """Return the metadata of a cell whose output is the score."""
    return {
        "schema_version": 3,
        "grade": True,
        "solution": False,
        "locked": True,
        "task": False,
        "grade_id": grade_id,
        "points": points,
    }


def seal(cell: NotebookNode, *, released: bool) -> None:
    """Finish a cell's metadata: a released cell carries its checksum and type, a source cell does not."""
    about = cell.metadata["nbgrader"]
    if released:
        about["checksum"] = checksum(cell)
        about["cell_type"] = cell.cell_type


def checksum(cell: NotebookNode) -> str:
    """Return nbgrader's MD5 of a cell: source, type, role, id and points (nbgrader.utils.compute_checksum)."""
    about = cell.metadata["nbgrader"]
    locked = not about["solution"] and (about["grade"] or about["locked"])
    parts = [cell.source, cell.cell_type, str(about["grade"]), str(about["solution"]), str(locked), about["grade_id"]]
    if about["grade"]:
        parts.append(str(float(about["points"])))
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def write_config(folder: Path) -> Path:
    """Write nbgrader_config.py into the root of an nbgrader course."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG_NAME
    path.write_text(CONFIG, encoding="utf-8")
    return path
