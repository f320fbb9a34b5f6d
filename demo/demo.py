"""What ``make demo`` shows: four neurons drawn, and a student's notebook graded.

``python demo/demo.py [FOLDER]`` writes ``neurons.png``, ``submission.ipynb`` and ``report.html``, by default to
``build/demo``.
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
LAYER = "mixed4c"
CLASSES = ("automobile", "cat", "deer", "dog")
"""Drawn is, for each, the channel of mini's last layer that its logit listens to most."""
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


def draw(output: Path) -> None:
    """Draw four channels of mini in one optimisation."""
    from innervision import load, render
    from innervision.data import cifar10

    started = time.monotonic()
    network = load("mini")
    favourites = network.logits.weight.argmax(dim=1).tolist()
    neurons = [f"{LAYER}:{favourites[cifar10.CLASSES.index(name)]}" for name in CLASSES]
    drawing = render(network, neurons, steps=STEPS, size=64)
    drawing.save(output / "neurons.png", columns=len(neurons), zoom=4)
    seconds = time.monotonic() - started
    print(f"Drew {', '.join(neurons)} of mini in {seconds:.1f} s: {output / 'neurons.png'}")


def grade_submission(output: Path) -> None:
    """Grade the submission; print the table and write the page."""
    from innervision.classroom.grading import grade
    from innervision.classroom.report import show, to_html
    from innervision.display import console
    from innervision.files import write_text_aside

    path = output / "submission.ipynb"
    write_text_aside(path, json.dumps(submission(), indent=1, ensure_ascii=False) + "\n")
    started = time.monotonic()
    report = grade(path)
    show(report, console())
    write_text_aside(output / "report.html", to_html(report))
    print(f"Graded in {time.monotonic() - started:.1f} s. The same as a page: {output / 'report.html'}")


def main() -> None:
    """Draw and grade."""
    if not LESSON.exists():
        sys.exit(f"{LESSON} is missing; run `make notebooks` first")
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    output.mkdir(parents=True, exist_ok=True)
    draw(output)
    grade_submission(output)


if __name__ == "__main__":
    main()
