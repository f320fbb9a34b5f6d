"""Records: whole or not there, and equal when the grade is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from innervision.classroom import records
from innervision.classroom.records import Journal


def record(student: str = "ada", **other: object) -> records.Record:
    report = {"problems": [], "exercises": [{"id": "42.first", "points": 1.0}]}
    about = {"submission": {"sha256": records.digest(b"x")}, "grader": "g", "seed": 3, "report": report, "times": {}}
    return {"format": records.FORMAT, "student": student, **about, **other}


def test_a_record_comes_back_and_the_submission_is_kept(tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, "tiny")
    journal.write(record(), b"x")
    assert journal.read("ada") == record()
    assert journal.submission(record()).read_bytes() == b"x"
    assert [each["student"] for each in journal.all()] == ["ada"]
    assert sorted(path.name for path in journal.folder.iterdir()) == ["ada.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    records.write_durably(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        records.write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}'])
def test_half_a_record_is_no_record(tmp_path: Path, text: str) -> None:
    journal = Journal.of(tmp_path, "tiny")
    journal.folder.mkdir(parents=True)
    journal.path("ada").write_text(text)
    assert journal.read("ada") is None
    assert journal.all() == []


@pytest.mark.parametrize(
    ("change", "current"),
    [({}, True), ({"sha256": "other"}, False), ({"grader": "other"}, False), ({"seed": 4}, False), ({"seed": 3}, True)],
)
def test_when_a_record_is_still_current(change: dict[str, object], current: bool) -> None:
    asked = {"sha256": records.digest(b"x"), "grader": "g", "seed": None, **change}
    assert records.is_current(record(), **asked) is current


def test_records_are_compared_without_times() -> None:
    assert records.comparable(record(times={"seconds": 1})) == records.comparable(record(times={"seconds": 2}))
    assert records.comparable(record(seed=4)) != records.comparable(record())


def test_differences_name_exercises_on_either_side() -> None:
    new = {"report": {"exercises": [{"id": "42.first", "points": 0.5}, {"id": "42.second", "points": 2.0}]}}
    assert records.differences(record(), new) == {"42.first": (1.0, 0.5), "42.second": (None, 2.0)}
