"""A class as an instructor has it: nbgrader's course folder, the command, nbgrader's own tools afterwards."""

from __future__ import annotations

import contextlib
import copy
import csv
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from tests.unit.classroom.class_fakes import course as tiny_course
from tests.unit.classroom.class_fakes import hand_in, lesson, slow_work, submission
from tests.unit.classroom.class_fakes import scores as tiny_scores

from innervision.classroom import build, builder, nbgrader_source
from innervision.classroom.class_run import grade_class
from innervision.classroom.records import Journal, comparable

__all__ = ["lesson", "tiny_course"]  # fixtures

SLUG = "00-start-here"
PATIENCE = 300.0  # seconds; a machine may be busy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("class"),  # graded once, for all tests
    pytest.mark.filterwarnings("ignore"),  # nbgrader and dask warn about their own ways
]


def command(*words: object, cwd: Path | None = None, code: int | None = 0) -> str:
    """Run a command of this environment and return what it printed."""
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": os.pathsep.join([str(scripts), os.environ["PATH"]])}
    line = [str(scripts / str(words[0])), *map(str, words[1:])]
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lesson 00 released with nbgrader, handed in by six students, graded with the command."""
    folder = tmp_path_factory.mktemp("class")
    nbgrader_source.write_config(folder)
    built = build.build_lesson(SLUG)
    builder.write_notebook(built.source, folder / "source" / SLUG / "lesson.ipynb")
    command("nbgrader", "generate_assignment", SLUG, cwd=folder)
    command("nbgrader", "db", "assignment", "add", SLUG, "--duedate=2026-11-22 12:00:00 UTC", cwd=folder)
    for student, text in submissions(built).items():
        path = folder / "submitted" / student / SLUG / "lesson.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        (path.parent / "timestamp.txt").write_text("2026-11-22 13:30:00 UTC" if student == "late" else "")
    command(
        "innervision", "grade", folder, "-a", SLUG, "--isolation", "process", "--seed", 7, "--json", folder / "x.json"
    )
    return folder


def submissions(built: builder.Built) -> dict[str, str]:
    """Two honest ones, one that is late, one in which a check cell occurs twice, one broken, one untouched."""
    answers = {cell.id: cell.source for cell in built.solved.cells}
    solved = copy.deepcopy(built.student)
    for cell in solved.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = answers[cell.id]
    half = copy.deepcopy(solved)
    for cell in half.cells:
        if cell.id == "00-top_predictions":
            cell.source = 'def top_predictions(logits, names, count=3):\n    return "<script>alert(1)</script>"'
    doubled = copy.deepcopy(solved)
    (check,) = (cell for cell in doubled.cells if cell.id == "00-to_displayable-check")
    doubled.cells.append(check)
    texts = {"solved": solved, "half": half, "late": solved, "doubled": doubled, "untouched": built.student}
    return {"broken": "{ no JSON", **{name: nbformat.writes(notebook) for name, notebook in texts.items()}}


@pytest.fixture(scope="module")
def result(course: Path) -> dict[str, dict[str, object]]:
    """Rows of the run by student."""
    return {row["student"]: row for row in json.loads((course / "x.json").read_text())["rows"]}


def test_everybody_has_the_score_that_they_deserve(result: dict[str, dict[str, object]]) -> None:
    full = result["solved"]["max_points"]
    assert isinstance(full, float)
    points = {student: row["points"] for student, row in result.items()}
    assert points.pop("half") in (full - 2, full - 1, full - 3)  # without the points of top_predictions
    assert points == {"solved": full, "late": full, "doubled": full, "broken": 0.0, "untouched": 0.0}
    assert result["broken"]["status"] == "unreadable"


def test_the_gradebook_agrees_and_knows_who_was_late(course: Path, result: dict[str, dict[str, object]]) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "innervision") as book:
        found = {each.student.id: each for each in book.assignment_submissions(SLUG)}
        assert {name: each.score for name, each in found.items()} == {
            name: row["points"] for name, row in result.items()
        }
        assert found["late"].total_seconds_late == 5400
        assert not any(each.needs_manual_grade for each in found.values())


def test_feedback_is_released_although_nobody_came_through_the_exchange(course: Path, tmp_path: Path) -> None:
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    (course / "submitted" / "untouched" / SLUG / "timestamp.txt").unlink()
    command("innervision", "grade", course, "-a", SLUG, "--isolation", "process")
    command("nbgrader", "release_feedback", SLUG, f"--Exchange.root={exchange}", cwd=course)
    assert len({path.read_text() for path in course.glob(f"*/untouched/{SLUG}/submission_secret.txt")}) == 1
    released = {path.read_text(encoding="utf-8") for path in (exchange / "innervision" / "feedback").glob("*.html")}
    assert released == {path.read_text(encoding="utf-8") for path in course.glob(f"feedback/*/{SLUG}/lesson.html")}
    assert len(released) == 6


def test_nbgraders_feedback_and_export_work(course: Path, result: dict[str, dict[str, object]]) -> None:
    ours = (course / "feedback" / "half" / SLUG / "lesson.html").read_text()
    command("nbgrader", "generate_feedback", SLUG, "--force", cwd=course)
    theirs = (course / "feedback" / "half" / SLUG / "lesson.html").read_text()
    assert theirs != ours
    assert "<script>alert(1)</script>" not in ours
    assert sorted(path.parent.parent.name for path in course.glob("feedback/*/*/lesson.html")) == sorted(result)
    command("nbgrader", "export", "--to", "nbgrader.csv", cwd=course)
    with (course / "nbgrader.csv").open() as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == {
            name: row["points"] for name, row in result.items()
        }
    path = command("innervision", "export", course, "--to", "canvas").strip()
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["SIS Login ID"]: float(row[SLUG]) for row in rows[1:]} == {
        name: row["points"] for name, row in result.items()
    }


def test_the_formgrader_shows_every_submission(course: Path, result: dict[str, dict[str, object]]) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "innervision") as book:
        notebooks = {each.student.id: each.id for each in book.notebook_submissions("lesson", SLUG)}
    with formgrader(course) as fetch:
        assert SLUG in fetch(f"formgrader/api/assignment/{SLUG}")
        for student, identifier in notebooks.items():
            page = fetch(f"formgrader/submissions/{identifier}")
            assert "00-to_displayable" in page, student


@contextlib.contextmanager
def formgrader(course: Path) -> Iterator[object]:
    """A Jupyter server with nbgrader's formgrader; gives a function that fetches a page of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--port={port}", "--allow-root"]
    line += ["--IdentityProvider.token=secret", f"--ServerApp.root_dir={course}"]
    line += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    with open(course / "server.log", "wb") as log:
        server = subprocess.Popen(line, cwd=course, env=environment, stdout=log, stderr=log)

    def fetch(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}?token=secret", timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fetch("api/status")
                break
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < end, (course / "server.log").read_text()
                time.sleep(0.5)
        yield fetch
    finally:
        server.terminate()
        server.wait(30)


def test_killed_in_the_middle_nothing_is_lost_and_nothing_graded_twice(tiny_course: Path) -> None:
    for i in range(12):
        hand_in(tiny_course, f"student{i:02}", submission(first="right", second="half"))
    script = tiny_course / "run.py"
    script.write_text(KILLED.format(checkout=str(tiny_course.parent / "checkout"), course=str(tiny_course)))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with open(tiny_course / "log", "wb") as log:
        running = subprocess.Popen([sys.executable, script], env=environment, stdout=log, stderr=log)
    journal = Journal.of(tiny_course / "innervision", "tiny")
    end = time.monotonic() + PATIENCE
    while len(journal.all()) < 4:
        assert running.poll() is None, (tiny_course / "log").read_text()
        assert time.monotonic() < end
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait(30)
    before = {record["student"]: record["times"] for record in journal.all()}
    assert 4 <= len(before) < 15
    with sqlite3.connect(tiny_course / "gradebook.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    result = grade_class(tiny_course, "tiny", jobs=2, isolation="process", work=slow_work)
    assert len(result.rows) == 15
    after = {record["student"]: record["times"] for record in journal.all()}
    assert {name: after[name] for name in before} == before  # not graded again
    assert len({record["seed"] for record in journal.all()}) == 1
    assert tiny_scores(tiny_course) == {
        "ada": 6.0,
        "bob": 2.0,
        "eve": 0.0,
        **{f"student{i:02}": 2.0 for i in range(12)},
    }
    with sqlite3.connect(tiny_course / "gradebook.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


KILLED = """
from pathlib import Path
from innervision.classroom import paths
from innervision.classroom.class_run import grade_class
from tests.unit.classroom.class_fakes import slow_work

if __name__ == "__main__":
    checkout = paths.Course.in_checkout(Path({checkout!r}))
    paths.find_course = lambda: checkout
    grade_class({course!r}, "tiny", jobs=2, isolation="process", work=slow_work)
"""


def test_a_cluster_that_loses_a_worker_grades_everybody_once(tiny_course: Path) -> None:
    from distributed import LocalCluster

    for i in range(12):
        hand_in(tiny_course, f"student{i:02}", submission(first="right", third="right"))
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        killed = []

        def report(row: object, done: int, total: int) -> None:
            if done == 4:
                worker = next(iter(cluster.workers.values()))
                os.kill(worker.pid, signal.SIGKILL)
                killed.append(worker.pid)

        result = grade_class(
            tiny_course,
            "tiny",
            scheduler=cluster.scheduler_address,
            isolation="process",
            seed=3,
            work=slow_work,
            report=report,
        )
    assert killed
    assert sorted({row.status for row in result.rows}) == ["graded", "unreadable"]
    assert len(result.rows) == 15
    assert tiny_scores(tiny_course)["student11"] == 4.0
    journal = Journal.of(tiny_course / "innervision", "tiny")
    first = [comparable(record) for record in journal.all()]
    grade_class(tiny_course, "tiny", jobs=2, isolation="process", seed=3, work=slow_work, force=True)
    assert [comparable(record) for record in journal.all()] == first  # a cluster grades as one machine does


def test_no_cluster_there_is_one_sentence(tiny_course: Path) -> None:
    with pytest.raises(ValueError, match="no Dask scheduler answers there") as error:
        grade_class(tiny_course, "tiny", scheduler="tcp://127.0.0.1:1", isolation="process", work=slow_work)
    assert str(error.value).startswith("scheduler is 'tcp://127.0.0.1:1'; no Dask scheduler answers there (")
