"""A page for each student: one HTML file that needs nothing else, with no seed and no hidden value on it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from innervision.classroom.course_folder import CourseFolder
from innervision.classroom.records import Record, write_durably
from innervision.classroom.rows import message_parts
from innervision.classroom.wording import item_title, lesson_title, with_code

if TYPE_CHECKING:
    from innervision.classroom.gradebook import Delivered

MARK_BYTES = 10_000  # nbgrader's secret has 128
_LOOKS = {"passed": "good", "not done yet": "open"}


def feedback_page(record: Record, delivered: Delivered | None = None) -> str:
    """Write a student's page.

    Args:
        record: The student's record.
        delivered: What the gradebook has after it: penalties, manual scores and comments. Without it the record alone.

    Returns:
        HTML. What a student wrote appears as text only.
    """
    total = record["points"] if delivered is None else delivered.score - delivered.penalty
    rows = [_row(row, delivered) for row in record["report"]["exercises"]]
    return render(
        "feedback.html",
        assignment=record["assignment"],
        title=lesson_title(record["lesson"]),
        student=record["student"],
        name="" if delivered is None else delivered.name,
        total=total,
        max_points=record["max_points"],
        penalty=0.0 if delivered is None else delivered.penalty,
        late="" if delivered is None else duration(delivered.seconds_late),
        reason=record["reason"],
        problems=record["report"].get("problems", []),
        rows=rows,
        again=next((row["id"] for row in rows if row["status"] != "passed" and row["score"] < row["max_points"]), ""),
        perfect=all(row["score"] >= row["max_points"] for row in rows),
    )


def write_feedback(course: CourseFolder, record: Record, page: str, *, into_nbgrader: bool = True) -> Path:
    """Put a student's page where it is found.

    It goes to ``<course>/innervision/feedback/<assignment>/<student>.html``, and in nbgrader's layout also to
    ``feedback/<student>/<assignment>/<notebook>.html`` with the two files that `nbgrader release_feedback` asks for.
    `nbgrader generate_feedback --force` puts nbgrader's own page there instead.

    Returns:
        The first of these paths.
    """
    assignment, student = record["assignment"], record["student"]
    own = course.own("feedback", assignment, f"{student}.html")
    write_durably(own, page.encode())
    if course.uses_nbgrader and into_nbgrader:
        folder = course.step("feedback", assignment, student)
        write_durably(folder / f"{record['notebook']}.html", page.encode())
        copy_marks(course.step("autograded", assignment, student), folder)
    return own


def copy_marks(source: Path, target: Path) -> None:
    """Carry nbgrader's small files along: when it was handed in, and the secret that names released feedback.

    `nbgrader release_feedback` stops for the whole class where one of them is missing or cannot be read
    (nbgrader 0.9.6, exchange/default/release_feedback.py). So where the submission has no proper one, the target gets
    an empty time, which nbgrader takes for an unknown one, and a secret that nobody knows: such a page is released
    under a name that nobody can guess, and lost to nobody who came through the exchange.
    """
    target.mkdir(parents=True, exist_ok=True)
    time, secret = _mark(source / "timestamp.txt").strip(), _mark(source / "submission_secret.txt")
    if not _is_time(time):
        time = ""
    if not secret.isprintable() or not secret:
        secret = _mark(target / "submission_secret.txt") or secrets.token_hex(64)  # as long as nbgrader's own
    for name, text in (("timestamp.txt", time), ("submission_secret.txt", secret)):
        (target / name).unlink(missing_ok=True)
        (target / name).write_text(text, encoding="utf-8")


def _mark(path: Path) -> str:
    """The text of a small file; "" where it is none, for a student may have written it."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size >= MARK_BYTES:
        return ""
    data = path.read_bytes()
    return data.decode() if data.isascii() else ""


def _is_time(text: str) -> bool:
    """Whether nbgrader can read a timestamp: it stops for everybody where it cannot."""
    from nbgrader.utils import parse_utc

    try:
        parse_utc(text)
    except (ValueError, OverflowError, TypeError):
        return False
    return True


def duration(seconds: float) -> str:
    """Seconds in words: "2 days 3 h", "14 min"; "" for none."""
    minutes = round(seconds / 60)
    if seconds <= 0:
        return ""
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    return f"{hours} h {minutes % 60} min" if hours else f"{max(minutes, 1)} min"


def render(template: str, **values: Any) -> str:
    """Fill one of the package's HTML templates; every value is escaped. ``|code`` turns backquotes into code."""
    return str(_environment().get_template(template).render(**values))


@cache
def _environment() -> Any:
    import jinja2
    import markupsafe

    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    made = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    made.filters["code"] = lambda text: markupsafe.Markup(with_code(str(text)))
    return made


def _row(row: Mapping[str, Any], delivered: Delivered | None) -> dict[str, Any]:
    name = row["id"]
    return {
        "id": name,
        "title": item_title(row),
        "status": row["status"],
        "look": _LOOKS.get(row["status"], "bad"),
        "score": row["points"] if delivered is None else delivered.scores.get(name, row["points"]),
        "max_points": row["max_points"],
        "parts": message_parts(dict(row)),
        "manual": delivered is not None and name in delivered.manual,
        "comment": "" if delivered is None else delivered.comments.get(name, ""),
    }
