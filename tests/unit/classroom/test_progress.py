"""What a student has solved so far survives restarts, damage and full marks lost again."""

import json
import shutil
from dataclasses import replace

import pytest
from tests.unit.classroom.tiny import COURSE, SLUG

from innervision.classroom import progress


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return tmp_path


def test_the_best_score_and_all_attempts_are_kept(here):
    for points in (1.0, 2.0, 0.5):
        assert progress.record_check("02.channel", points, 2.0) == ""
    progress.record_hint("02.channel", 1)
    progress.record_hint("02.channel", 3)
    kept = progress.read_progress(here).tasks["02.channel"]
    assert kept == progress.TaskProgress(points=2.0, max_points=2.0, attempts=3, hints=3)
    assert kept.solved


def test_nothing_is_left_beside_the_file(here):
    progress.record_check("02.channel", 1.0, 2.0)
    assert [path.name for path in (here / ".innervision").iterdir()] == ["progress.json"]


def test_no_file_is_no_progress(here):
    assert progress.read_progress(here) == progress.Progress()
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"tasks": {"02.channel": 1}}',
        '{"tasks": []}',
        "\udcff",
        '{"tasks": {"a": {"points": NaN, "max_points": 1, "attempts": 1, "hints": 0}}}',
    ],
)
def test_a_damaged_file_is_moved_aside(here, text):
    path = here / ".innervision" / "progress.json"
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    note = progress.record_check("02.channel", 1.0, 1.0)
    assert note == "Your progress file was damaged; it is now called progress.damaged-1.json, and counting starts anew."
    assert (path.parent / "progress.damaged-1.json").read_bytes() == text.encode("utf-8", "surrogateescape")
    assert json.loads(path.read_text())["tasks"]["02.channel"]["points"] == 1.0
    path.write_text("again")
    assert progress.read_progress(here).note.startswith(
        "Your progress file was damaged; it is now called progress.damaged-2.json"
    )


def test_a_grading_run_keeps_nothing(here, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    progress.record_check("02.channel", 1.0, 1.0)
    progress.record_hint("02.channel", 1)
    assert list(here.iterdir()) == []


def test_lessons_in_folders_are_counted_together(here, monkeypatch):
    for slug, task in (("00-start-here", "00.to_displayable"), ("02-feature-visualization", "02.channel")):
        (here / slug).mkdir()
        progress.record_check(task, 1.0, 1.0, here / slug)
    assert set(progress.read_progress(here).tasks) == {"00.to_displayable", "02.channel"}


def test_the_folder_above_keeps_it_when_it_is_marked(here):
    (here / ".innervision").mkdir()
    (here / "00-start-here").mkdir()
    progress.record_check("00.to_displayable", 1.0, 1.0, here / "00-start-here")
    assert (here / ".innervision" / "progress.json").is_file()
    assert not (here / "00-start-here" / ".innervision").exists()


def test_a_file_that_cannot_be_written_is_a_sentence(here):
    (here / ".innervision").write_text("a file where the folder should be")
    note = progress.record_check("02.channel", 1.0, 1.0, here)
    assert note.startswith("Your progress could not be kept: ")


def test_a_lesson_without_a_notebook_does_not_hide_the_others(here, monkeypatch):
    shutil.copytree(COURSE.lessons, here / "course")
    (here / "course" / "98-unfinished").mkdir()
    (here / "course" / "98-unfinished" / "lesson.md").write_text("text", encoding="utf-8")
    monkeypatch.setattr(progress, "find_course", lambda: replace(COURSE, lessons=here / "course"))
    assert [row.slug for row in progress.lesson_rows(progress.Progress())] == [SLUG]
