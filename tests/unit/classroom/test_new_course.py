"""A course folder from nothing, and lessons added to one that is in use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.classroom.tiny import COURSE, SLUG

from innervision.classroom.course_folder import open_course
from innervision.classroom.new_course import new_course


def test_nbgraders_layout(tmp_path: Path) -> None:
    made = new_course(tmp_path / "new", course=COURSE)
    assert [(copy.path.relative_to(tmp_path / "new").as_posix(), copy.state) for copy in made] == [
        ("nbgrader_config.py", "written"),
        (f"source/{SLUG}/{SLUG}.ipynb", "written"),
    ]
    folder = open_course(tmp_path / "new")
    assert folder.uses_nbgrader
    notebook = json.loads(made[1].path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["innervision"]["lesson"] == SLUG
    assert "### BEGIN SOLUTION" in made[1].path.read_text(encoding="utf-8")


def test_plain_folders_hold_the_students_notebook(tmp_path: Path) -> None:
    (made,) = new_course(tmp_path, [SLUG.partition("-")[0]], plain=True, course=COURSE)
    assert made.path == tmp_path / "handout" / f"{SLUG}.ipynb"
    assert made.path.read_bytes() == COURSE.notebook(SLUG).read_bytes()
    assert (tmp_path / SLUG).is_dir()
    assert not open_course(tmp_path).uses_nbgrader


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    config = tmp_path / "nbgrader_config.py"
    config.write_text("# mine", encoding="utf-8")
    assert [copy.state for copy in new_course(tmp_path, course=COURSE)] == ["kept yours", "written"]
    assert [copy.state for copy in new_course(tmp_path, course=COURSE)] == ["kept yours", "already there"]
    assert config.read_text(encoding="utf-8") == "# mine"


def test_mistakes_are_one_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"^lesson is '77'; it must be one of {SLUG}\.$"):
        new_course(tmp_path / "new", ["77"], course=COURSE)
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="which is a file; it must be a folder or not exist yet"):
        new_course(tmp_path / "file", course=COURSE)
