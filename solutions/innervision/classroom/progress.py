"""What a student has solved so far, kept in one small JSON file in the student's own folder."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from innervision.classroom import lessons
from innervision.classroom.paths import find_course

FOLDER = ".innervision"
FILE = "progress.json"
FORMAT = 1


@dataclass
class TaskProgress:
    """How far one exercise or question is.

    Attributes:
        points: The best score so far.
        max_points: What it is worth.
        attempts: How often it was checked.
        hints: How many hints were opened.
    """

    points: float = 0.0
    max_points: float = 0.0
    attempts: int = 0
    hints: int = 0

    @property
    def solved(self) -> bool:
        """Whether a check gave full points."""
        return self.max_points > 0 and self.points >= self.max_points


@dataclass
class Progress:
    """Everything kept for one student.

    Attributes:
        tasks: By id of exercise or question.
        note: A sentence for the student when something was wrong with the file, else "".
    """

    tasks: dict[str, TaskProgress] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class LessonProgress:
    """One line of the table: a lesson's sums."""

    slug: str
    title: str
    solved: int
    tasks: int
    points: float
    max_points: float
    hints: int


def progress_file(folder: Path | None = None) -> Path:
    """Return where the progress of this folder is kept.

    A notebook's own folder, or the one above it when that is where ``innervision start`` put its mark.
    """
    here = Path.cwd() if folder is None else Path(folder)
    marked = next((near for near in (here, here.absolute().parent) if (near / FOLDER).is_dir()), here)
    return marked / FOLDER / FILE


def read_progress(folder: Path | str | None = None) -> Progress:
    """Read what was solved in a folder and in the lesson folders right below it.

    A damaged file is renamed aside; the note says so.

    Args:
        folder: The student's folder; the current one when None.
    """
    here = Path.cwd() if folder is None else Path(folder)
    files = [progress_file(here), *sorted(here.glob(f"*/{FOLDER}/{FILE}"))]
    found = [_read(path) for path in dict.fromkeys(files)]
    merged = Progress(note=" ".join(progress.note for progress in found if progress.note))
    for progress in found:
        for task, new in progress.tasks.items():
            old = merged.tasks.setdefault(task, new)
            merged.tasks[task] = new if new.points > old.points else old
    return merged


def record_check(task: str, points: float, max_points: float, folder: Path | None = None) -> str:
    """Note the result of a check; returns a sentence when that failed, else ""."""

    def update(kept: TaskProgress) -> None:
        kept.points, kept.max_points = max(kept.points, points), max_points
        kept.attempts += 1

    return _update(task, update, folder)


def record_hint(task: str, opened: int, folder: Path | None = None) -> str:
    """Note how many hints are open; returns a sentence when that failed, else ""."""
    return _update(task, lambda kept: setattr(kept, "hints", max(kept.hints, opened)), folder)


def lesson_rows(progress: Progress) -> list[LessonProgress]:
    """Return one row for each lesson of the course that has a notebook, in order."""
    rows = []
    course = find_course()
    for slug in course.slugs():
        try:
            lesson = lessons.read_lesson(slug, course)
        except ValueError:  # a lesson in the making must not hide what was solved in the others
            continue
        kept = {task: progress.tasks.get(task, TaskProgress()) for task in lesson.tasks}
        solved = sum(done.solved for done in kept.values())
        points = sum(min(done.points, lesson.tasks[task].points) for task, done in kept.items())
        hints = sum(done.hints for done in kept.values())
        rows.append(LessonProgress(slug, lesson.title, solved, len(kept), points, lesson.points, hints))
    return rows


def _update(task: str, change: Any, folder: Path | None) -> str:
    """Read, change one task, write aside and rename: a reader never sees half a file."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return ""  # a grading run is not the student's work
    path = progress_file(folder)
    progress = _read(path)
    change(progress.tasks.setdefault(task, TaskProgress()))
    data = {"format": FORMAT, "tasks": {name: asdict(kept) for name, kept in sorted(progress.tasks.items())}}
    aside = path.with_name(f"{FILE}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        os.replace(aside, path)
    except OSError as error:
        return f"Your progress could not be kept: {path} cannot be written ({error.strerror})."
    return progress.note


def _read(path: Path) -> Progress:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Progress({str(task): _task(kept) for task, kept in data["tasks"].items()})
    except FileNotFoundError:
        return Progress()
    except OSError as error:
        return Progress(note=f"Your progress could not be read: {path} ({error.strerror}).")
    except (ValueError, TypeError, KeyError, AttributeError):
        aside = next(
            name for number in range(1, 10**6) if not (name := path.with_suffix(f".damaged-{number}.json")).exists()
        )
        try:
            os.replace(path, aside)
        except OSError:
            return Progress(note=f"Your progress file {path} is damaged and could not be moved aside.")
        return Progress(
            note=f"Your progress file was damaged; it is now called {aside.name}, and counting starts anew."
        )


def _task(kept: dict[str, Any]) -> TaskProgress:
    task = TaskProgress(float(kept["points"]), float(kept["max_points"]), int(kept["attempts"]), int(kept["hints"]))
    if not (math.isfinite(task.points) and math.isfinite(task.max_points)):
        raise ValueError("points must be finite")
    return task
