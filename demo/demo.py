"""What ``make demo`` shows: four neurons drawn, and a student's notebook graded.

Everything is written to ``build/demo``: ``neurons.png``, ``submission.ipynb`` and ``report.html``.
"""

from __future__ import annotations

import ast
import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "build" / "demo"
LESSON = ROOT / "course" / "02-feature-visualization" / "lesson.ipynb"
ANSWERS = Path(__file__).with_name("answers.py")
NEURONS = ("conv2d2:3", "mixed3a:40", "mixed3b:5", "mixed4c:20")
STEPS = 96
ANSWERED = {
    "02.channel": "channel",
    "02.total_variation": "total_variation",
    "02.ascend": "ascend",
    "02.jitter": "jitter",
    "02.random_scale": "random_scale",
    "02.render": "maximize",
}
"""Exercise and the function of ``answers.py`` that goes into its cell."""

DELETED = "02.random_rotate"
"""The exercise whose cell the student lost."""


def submission() -> dict[str, Any]:
    """The student notebook of lesson 02, with six answers filled in and one cell deleted; the rest is untouched."""
    notebook: dict[str, Any] = json.loads(LESSON.read_text(encoding="utf-8"))
    text = ANSWERS.read_text(encoding="utf-8")
    functions = {
        node.name: ast.get_source_segment(text, node)
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    }
    cells = {_exercise(cell): cell for cell in notebook["cells"] if _exercise(cell)}
    for exercise, function in ANSWERED.items():
        cells[exercise]["source"] = functions[function]
    notebook["cells"].remove(cells[DELETED])
    return notebook


def _exercise(cell: dict[str, Any]) -> str:
    """The id of the exercise whose answer belongs into this cell, else ""."""
    about = cell["metadata"].get("innervision", {})
    return str(about["id"]) if about.get("role") == "exercise" else ""


def draw() -> None:
    """Draw four channels of mini, each in a layer of its own, in one optimisation."""
    from innervision import load, render

    started = time.monotonic()
    drawing = render(load("mini"), NEURONS, steps=STEPS, size=64)
    drawing.save(OUTPUT / "neurons.png", columns=len(NEURONS), zoom=4)
    seconds = time.monotonic() - started
    print(f"Drew {', '.join(NEURONS)} of mini in {seconds:.1f} s: {OUTPUT / 'neurons.png'}")


def grade() -> None:
    """Grade the submission; print the table and write the page."""
    from innervision.classroom.grading import grade
    from innervision.classroom.report import show, to_html
    from innervision.cli import console
    from innervision.files import write_text_aside

    path = OUTPUT / "submission.ipynb"
    write_text_aside(path, json.dumps(submission(), indent=1, ensure_ascii=False) + "\n")
    started = time.monotonic()
    report = grade(path)
    show(report, console())
    write_text_aside(OUTPUT / "report.html", to_html(report))
    print(f"Graded in {time.monotonic() - started:.1f} s. The same as a page: {OUTPUT / 'report.html'}")


def main() -> None:
    """Draw and grade."""
    if not LESSON.exists():
        sys.exit(f"{LESSON} is missing; run `make notebooks` first")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    draw()
    grade()


if __name__ == "__main__":
    main()
