"""A course folder: who handed in what, and for which lesson."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.classroom.class_fakes import LESSON, course, hand_in, lesson, submission

from innervision.classroom import course_folder
from innervision.classroom.course_folder import HandedIn, open_course

__all__ = ["course", "lesson"]  # fixtures


def test_nbgraders_layout(course: Path) -> None:
    (course / "submitted" / "ada" / "tiny" / "timestamp.txt").write_text("2026-11-22 10:00:00 UTC\n")
    found = open_course(course).handed_in("tiny", "tiny", ["ada"])
    path = course / "submitted" / "ada" / "tiny" / "tiny.ipynb"
    assert found == [HandedIn("ada", path, "2026-11-22 10:00:00 UTC")]
    assert [each.student for each in open_course(course).handed_in("tiny", "tiny")] == ["ada", "bob", "eve"]


def test_nbgraders_own_configuration_is_obeyed(tmp_path: Path, lesson: Path) -> None:
    folder = tmp_path / "moved"
    path = folder / "in" / "tiny" / "ada" / "tiny.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(submission())
    structure = "{nbgrader_step}/{assignment_id}/{student_id}"
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.directory_structure = {structure!r}\n"
        "c.CourseDirectory.submitted_directory = 'in'\n"
    )
    assert open_course(folder).handed_in("tiny", "tiny") == [HandedIn("ada", path)]


def test_a_renamed_notebook_and_several_are_noted(course: Path) -> None:
    path = course / "submitted" / "ada" / "tiny" / "tiny.ipynb"
    path.rename(path.with_name("Tiny (1).ipynb"))
    other = course / "submitted" / "bob" / "tiny" / "a copy.ipynb"
    other.write_text("{}")
    ada, bob = open_course(course).handed_in("tiny", "tiny", ["ada", "bob"])
    assert ada.note == "The notebook was renamed to Tiny (1).ipynb."
    assert (bob.path, bob.note) == (other.with_name("tiny.ipynb"), "")


def test_a_giant_is_not_read(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course_folder, "MAX_BYTES", 2**20)
    with (course / "submitted" / "ada" / "tiny" / "tiny.ipynb").open("wb") as file:
        file.truncate(3 * 2**20)
    (ada,) = open_course(course).handed_in("tiny", "tiny", ["ada"])
    assert (ada.path, ada.problem) == (None, "tiny.ipynb has 3 MiB; at most 1 MiB are read.")


def test_a_name_that_is_no_text_is_a_problem_of_one(tmp_path: Path, lesson: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "ada.ipynb").write_text(submission())
    (folder / "e\nvil.ipynb").write_text(submission())
    found = {each.student: each.problem for each in open_course(folder).handed_in("tiny", "tiny")}
    assert found == {"ada": "", "e\\nvil": "The name of this submission is not printable text."}


def test_plain_folders_of_an_assignment(tmp_path: Path, lesson: Path) -> None:
    folder = tmp_path / "plain" / "week 1"
    (folder / "cyd").mkdir(parents=True)
    (folder / "cyd" / "x.ipynb").write_text(submission())
    (folder / "cyd.ipynb").write_text("{}")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "readme.txt").write_text("hello")
    (entry,) = open_course(tmp_path / "plain").handed_in("week 1", "tiny")
    assert entry.path == folder / "cyd" / "x.ipynb"
    assert entry.note == "There is cyd.ipynb as well as a folder cyd; the folder was graded."


@pytest.mark.parametrize("name", ["42", "42-homework", "42_tiny", "tiny", LESSON])
def test_an_assignment_is_named_after_its_lesson(tmp_path: Path, lesson: Path, name: str) -> None:
    assert open_course(tmp_path).lesson_of(name) == LESSON


def test_the_instructors_notebook_says_the_lesson_before_a_name_does(course: Path) -> None:
    source = course / "source" / "ps1" / "sheet.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(submission())
    hand_in(course, "ada", "{}", "ps1")
    folder = open_course(course)
    assert (folder.lesson_of("ps1"), folder.notebook_name("ps1", LESSON)) == (LESSON, "sheet")


def test_the_submissions_are_asked_last(course: Path) -> None:
    hand_in(course, "ada", submission(), "ps2")
    assert open_course(course).lesson_of("ps2") == LESSON
    hand_in(course, "ada", "{}", "ps3")
    with pytest.raises(ValueError, match=r"ps3") as error:
        open_course(course).lesson_of("ps3")
    assert str(error.value) == "assignment is 'ps3'; say which lesson it is: lesson must be one of 42-tiny."


def test_mistakes_are_one_sentence(course: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere") as error:
        open_course(course / "nowhere")
    assert str(error.value) == f"course is '{course / 'nowhere'}'; it must be a folder."
    with pytest.raises(ValueError, match=r"ps9") as error:
        open_course(course).handed_in("ps9", "tiny")
    assert str(error.value) == f"assignment is 'ps9'; {course} holds no submission for it."
    with pytest.raises(ValueError, match=r"upload") as error:
        open_course(course).step("upload", "tiny")
    assert str(error.value) == ("step is 'upload'; it must be one of source, release, submitted, autograded, feedback.")
