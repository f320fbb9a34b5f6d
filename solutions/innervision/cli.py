"""The command ``innervision``: the only module that knows everything, and loads it only when asked for.

A user's mistake is answered with one sentence and exit code 2 (see ``_answering``); failed checks end with 1; an
interruption with 130. Whatever else goes wrong is a bug and shows its traceback.
"""

from __future__ import annotations

import dis
import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from innervision import cli_author, cli_class

Arguments = ParamSpec("Arguments")

MISTAKE, FAILED, INTERRUPTED = 2, 1, 130
DEFAULT_FOLDER = Path("inner-vision")

app = typer.Typer(
    help="Look inside a neural network and find out what it really learned.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot write "✓" shows "?" and goes on
            stream.reconfigure(errors="replace")
    try:
        app()
    except KeyboardInterrupt:  # while something outside a command was imported or cleared up
        _say_error("interrupted; no file was left half-written")
        sys.exit(INTERRUPTED)


def _command(function: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Register a subcommand under the function's name, its errors answered in one place."""
    return app.command()(_answering(function))


def _answering(function: Callable[Arguments, None]) -> Callable[Arguments, None]:
    @functools.wraps(function)
    def answered(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except KeyboardInterrupt:
            _say_error("interrupted; no file was left half-written")
            raise typer.Exit(INTERRUPTED) from None
        except (ValueError, OSError) as error:
            if not is_mistake(error):
                raise
            _say_error(as_sentence(error))
            raise typer.Exit(MISTAKE) from None

    return answered


def is_mistake(error: BaseException) -> bool:
    """Whether an error tells the user of a mistake, and not us of a bug.

    A mistake is what a ``raise`` statement of this package says, and what the system says about a file. A ValueError
    that rises from anywhere else (a wrong shape inside torch, ``int("x")``) was not foreseen.
    """
    if isinstance(error, OSError):
        return error.filename is not None
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return False
    code = frame.tb_frame.f_code
    ours = str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == "innervision"
    return ours and dis.opname[code.co_code[frame.tb_lasti]] == "RAISE_VARARGS"


def as_sentence(error: BaseException) -> str:
    """The error in words: what the system says about a file comes with the file's name first."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or type(error).__name__).lower()}"
    return str(error)


def _say_error(sentence: str) -> None:
    print(f"Error: {sentence}", file=sys.stderr)


def _show_version(wanted: bool) -> None:
    if wanted:
        import innervision

        print(f"innervision {innervision.__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


@_command
def start(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Your folder.")] = DEFAULT_FOLDER,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open JupyterLab there.")] = True,
) -> None:
    """Copy the notebooks to your folder and open JupyterLab. What you already wrote there stays."""
    from innervision.classroom.workplace import copy_notebooks

    for copy in copy_notebooks(folder):
        print(f"{copy.state:>13}  {copy.path}")
    if not browser:
        print(f"Open them with: jupyter lab {folder}")
    elif importlib.util.find_spec("jupyterlab") is None:
        print('JupyterLab is not installed. Get it with: pip install "innervision[course]"')
        print(f"Then: innervision start {folder}. Or open the notebooks in VS Code or Colab.")
    else:
        raise typer.Exit(subprocess.run([sys.executable, "-m", "jupyterlab", str(folder)], check=False).returncode)


@_command
def check(
    notebooks: Annotated[list[Path], typer.Argument(metavar="NOTEBOOK...", help="Your notebooks.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the reports as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write the reports to this HTML file.")] = None,
    seed: Annotated[int | None, typer.Option(help="Replay a run: the seed that its report names.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one exercise may take.")] = 10.0,
) -> None:
    """Check notebooks: a table of exercises, points and messages. Exit code 0 only if everything passes."""
    from innervision.classroom.grading import grade
    from innervision.classroom.report import Report

    answers: dict[Path, Report | str] = {}
    for path in notebooks:
        try:
            answers[path] = grade(path, seed=seed, timeout=timeout)
        except (ValueError, OSError) as error:
            if not is_mistake(error):
                raise
            answers[path] = as_sentence(error)
        if not as_json:
            _show_report(path, answers[path])
    reports = [answer for answer in answers.values() if isinstance(answer, Report)]
    if as_json:
        print(json.dumps([_report_data(path, answer) for path, answer in answers.items()], indent=1, allow_nan=False))
    if html is not None:
        _write_html(html, reports)
    if len(reports) < len(answers):
        raise typer.Exit(MISTAKE)
    if not all(report.passed for report in reports):
        raise typer.Exit(FAILED)


def _show_report(path: Path, answer: Any) -> None:
    if isinstance(answer, str):
        _say_error(answer if str(path) in answer else f"{path}: {answer}")
        return
    from innervision.classroom.report import show
    from innervision.display import console

    show(answer, console())


def _report_data(path: Path, answer: Any) -> dict[str, Any]:
    return {"notebook": str(path)} | ({"error": answer} if isinstance(answer, str) else answer.to_dict())


def _write_html(path: Path, reports: list[Any]) -> None:
    from innervision.classroom.report import to_html
    from innervision.files import write_text_aside

    write_text_aside(path, to_html(reports))


@_command
def progress(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Your folder.")] = Path(),
) -> None:
    """Show what you have solved so far."""
    from rich.table import Table

    from innervision.classroom.progress import lesson_rows, read_progress
    from innervision.display import console

    if not folder.is_dir():
        raise ValueError(f"DIR is {str(folder)!r}; it must be a folder, the one that `innervision start` made")
    kept = read_progress(folder)
    table = Table("lesson", "solved", "points", "hints opened")
    for row in lesson_rows(kept):
        points = f"{row.points:g} of {row.max_points:g}"
        table.add_row(row.title, f"{row.solved} of {row.tasks}", points, str(row.hints))
    console().print(table)
    if kept.note:
        print(kept.note)


@_command
def render(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The network, for example mini.")],
    channels: Annotated[list[str], typer.Argument(metavar="LAYER:CHANNEL...", help="For example mixed3b:5.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write, a .png file.")],
    steps: Annotated[int, typer.Option(help="Steps of the optimisation.")] = 256,
    size: Annotated[int | None, typer.Option(help="Height and width of one image in pixels.")] = None,
    seed: Annotated[int, typer.Option(help="Of the first noise and of the transforms.")] = 0,
    batch: Annotated[int, typer.Option(min=1, help="Channels to draw together.")] = 16,
    zoom: Annotated[int, typer.Option(min=1, help="Pixels of the file per pixel of an image.")] = 4,
    weights: Annotated[Path | None, typer.Option(help="A local file of weights.")] = None,
) -> None:
    """Draw what excites channels, side by side in one picture."""
    if output.suffix.lower() != ".png":
        raise ValueError(f"output is {str(output)!r}; it must end in .png")
    import torch

    from innervision.models import load
    from innervision.optvis.render import Rendering
    from innervision.optvis.render import render as draw

    network = load(model, weights=weights)
    parts = [channels[first : first + batch] for first in range(0, len(channels), batch)]
    drawn = [draw(network, part, size=size, steps=steps, seed=seed, progress=True) for part in parts]
    images, history, scores = (
        torch.cat([getattr(part, name) for part in drawn], dim=dim)
        for name, dim in (("images", 0), ("history", 1), ("scores", 0))
    )
    names = [name for part in drawn for name in part.names]
    sheet = Rendering(images, history, scores, names, drawn[0].settings)
    _write_picture(output, lambda path: sheet.save(path, columns=min(len(channels), 8), zoom=zoom))
    for channel, score in zip(channels, sheet.scores.tolist(), strict=True):
        print(f"{channel}  activation {score:.3g}")
    print(f"Written to {output}")


def _write_picture(path: Path, write: Callable[[Path], object]) -> None:
    """Write aside under the same ending, which decides the format, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
        write(Path(folder) / path.name)
        os.replace(Path(folder) / path.name, path)


cli_author.register(_command)
cli_class.register(_command)

if __name__ == "__main__":
    main()
