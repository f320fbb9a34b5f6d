"""The command: what it prints, what it writes, how it answers mistakes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from PIL import Image

from innervision import __version__, cli
from innervision.recipes import RECIPES

RECIPE_NAMES = ", ".join(f'"{name}"' for name in RECIPES)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process; returns exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["innervision", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return (left.value.code or 0, *capsys.readouterr())  # type: ignore[return-value]

    return run


def innervision(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "innervision.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"innervision {__version__}\n", "")


def test_help_names_every_command(run: Run) -> None:
    code, output, _ = run("--help")
    commands = output.partition("Commands:")[2]
    named = [line.split()[0] for line in commands.splitlines() if line.strip()]
    assert code == 0
    assert set(named) >= {
        "start",
        "check",
        "progress",
        "render",
        "data",
        "train",
        "notebooks",
        "doctor",
        "course",
        "grade",
    }
    assert "..." not in commands  # every one-line description fits


def test_help_loads_nothing_slow_and_answers_at_once() -> None:
    code = (
        "import sys; sys.argv = ['innervision', '--help']; from innervision import cli\n"
        "try: cli.main()\n"
        "except SystemExit: print(sorted({'torch', 'numpy', 'matplotlib', 'rich.table'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "[]"

    def seconds() -> float:
        before = os.times()
        assert innervision("--help").returncode == 0
        after = os.times()
        return after.children_user - before.children_user + after.children_system - before.children_system

    # Processor time: help waits for nothing, so this is what a user waits on an idle machine.
    assert min(seconds() for _ in range(3)) < 0.4


def test_an_unknown_command_is_a_mistake(run: Run) -> None:
    code, output, error = run("draw")
    assert (code, output) == (2, "")
    assert "No such command 'draw'" in error


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["render", "mimi", "mixed3b:5", "-o", "out.png"],
            'name: there is no network "mimi"; known are "mini", "inceptionv1", "googlenet", '
            '"efficientnet-lite0", "mini-robust", "mini-noise"; did you mean "mini"?',
        ),
        (["render", "mini", "mixed3b:5", "-o", "out.gif"], "output is 'out.gif'; it must end in .png"),
        (
            ["render", "mini", "mixed3b", "-o", "out.png"],
            "objective: 'mixed3b' is not LAYER:CHANNEL, for example mixed3b:5",
        ),
        (
            ["render", "mini", "mixd3b:5", "-o", "out.png"],
            "layers: no layer 'mixd3b' in this network; the closest are 'mixed3b', 'mixed4b', 'mixed3a'",
        ),
        (
            ["render", "mini", "mixed3b:5", "-o", "out.png", "--steps", "0"],
            "steps: 0 is too few; give a whole number, at least 1",
        ),
        (["data", "imagenet"], "name is 'imagenet'; it must be \"cifar10\""),
        (["train", "maxi"], f'name: there is no recipe for "maxi"; known are {RECIPE_NAMES}'),
        (["start", "file"], "DIR is 'file', which is a file; it must be a folder or not exist yet"),
        (["progress", "nowhere"], "DIR is 'nowhere'; it must be a folder, the one that `innervision start` made"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert run(*arguments) == (2, "", f"Error: {sentence}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_missing_file_is_a_mistake(run: Run, tmp_path: Path) -> None:
    weights = tmp_path / "none.safetensors"
    code, _, error = run("render", "mini", "mixed3b:5", "-o", tmp_path / "a.png", "--weights", weights)
    assert (code, error) == (2, f"Error: weights: there is no file {weights}\n")


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        cli._answering(lambda: print(int("x")))()


def test_what_counts_as_a_mistake() -> None:
    from innervision.models import load

    def error_of(call: Callable[[], object]) -> BaseException:
        try:
            call()
        except (ValueError, OSError) as error:
            return error
        raise AssertionError("nothing was raised")

    assert cli.is_mistake(error_of(lambda: load("mimi")))
    assert cli.is_mistake(error_of(lambda: Path("/nowhere/at/all").read_text()))
    assert not cli.is_mistake(error_of(lambda: int("x")))
    ours = {"__name__": "innervision.somewhere"}
    exec("def unforeseen(): int('x')\ndef foreseen(): raise ValueError('x')", ours)
    assert not cli.is_mistake(error_of(ours["unforeseen"]))
    assert cli.is_mistake(error_of(ours["foreseen"]))
    assert not cli.is_mistake(error_of(lambda: os.read(-1, 1)))  # no file has a name in it: not the user's doing
    assert cli.as_sentence(error_of(lambda: Path("/nowhere").read_text())) == "/nowhere: no such file or directory"


def test_an_interruption_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as left:
        cli._answering(interrupted)()
    assert left.value.exit_code == 130
    assert capsys.readouterr().err == "Error: interrupted; no file was left half-written\n"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    # The command as it is installed: a module run by -m may end by the signal itself, where imports are interrupted.
    command = [str(Path(sys.executable).with_name("innervision")), "render", "mini", "mixed3b:5", "--steps", "100000"]
    picture = tmp_path / "new" / "out.png"
    process = subprocess.Popen(
        [*command, "-o", str(picture)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs with Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 60
        while not Path(f"/proc/{process.pid}/maps").exists() or "libtorch" not in _maps(process.pid):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        time.sleep(5)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, output) == (130, ""), error
    assert error.endswith("Error: interrupted; no file was left half-written\n")
    assert "Traceback" not in error
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def _maps(process: int) -> str:
    return Path(f"/proc/{process}/maps").read_text(encoding="utf-8")


@pytest.mark.slow
def test_render_writes_the_channels_side_by_side(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "new" / "out.png"
    channels = ["mixed3a:1", "mixed3a:2", "mixed3a:3"]
    numbers = ["--steps", 2, "--size", 24, "--batch", 2, "--zoom", 3]
    code, output, error = run("render", "mini", *channels, "-o", picture, *numbers)
    lines = output.splitlines()
    assert (code, error) == (0, "")
    assert [line.split("  ")[0] for line in lines[:3]] == channels
    assert lines[3] == f"Written to {picture}"
    assert [path.name for path in picture.parent.iterdir()] == ["out.png"]
    with Image.open(picture) as image:
        assert image.size == ((3 * 24 + 2 * 2) * 3, 24 * 3)  # two white pixels between neighbours, all times zoom


@pytest.mark.slow
def test_render_repeats_itself(run: Run, tmp_path: Path) -> None:
    pictures = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for picture, seed in zip(pictures, (1, 1, 2), strict=True):
        run("render", "mini", "mixed3a:1", "-o", picture, "--steps", 2, "--size", 16, "--seed", seed)
    first, again, other = (picture.read_bytes() for picture in pictures)
    assert first == again != other


def test_start_copies_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    code, output, _ = run("start", folder, "--no-browser")
    notebook, other = folder / "00-start-here.ipynb", folder / "02-feature-visualization.ipynb"
    assert code == 0
    assert f"written  {notebook}" in output
    assert output.endswith(f"Open them with: jupyter lab {folder}\n")
    assert json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["innervision"]["lesson"] == "00-start-here"
    notebook.write_text("my work", encoding="utf-8")
    other.unlink()
    _, output, _ = run("start", folder, "--no-browser")
    assert f"kept yours  {notebook}" in output
    assert f"written  {other}" in output
    assert notebook.read_text(encoding="utf-8") == "my work"
    _, output, _ = run("start", folder, "--no-browser")
    assert f"already there  {other}" in output


def test_start_opens_jupyterlab_or_says_how(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []

    def jupyter(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        called.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("subprocess.run", jupyter)
    assert run("start", tmp_path)[0] == 0
    assert called == [[sys.executable, "-m", "jupyterlab", str(tmp_path)]]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, output, _ = run("start", tmp_path)
    assert code == 0
    assert len(called) == 1
    assert 'JupyterLab is not installed. Get it with: pip install "innervision[course]"' in output


def test_progress_of_an_empty_folder(run: Run, tmp_path: Path) -> None:
    code, output, _ = run("progress", tmp_path)
    assert code == 0
    assert "0 of" in output


def test_check_answers_for_every_notebook(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from innervision.classroom.report import Report, Result
    from innervision.models import load

    def grade(path: Path, *, seed: int | None, timeout: float) -> Report:
        if path.name == "none.ipynb":
            load("no such network")  # raises a mistake of the user's
        status, points = ("passed", 1.0) if path.name == "good.ipynb" else ("partial", 0.5)
        return Report(path.name, "00-start-here", seed or 7, [Result("00.a", "a", status, points, 1.0, None, 0.1)])

    monkeypatch.setattr("innervision.classroom.grading.grade", grade)
    good, half, none = (tmp_path / name for name in ("good.ipynb", "half.ipynb", "none.ipynb"))
    assert run("check", good)[0] == 0
    assert run("check", good, half)[0] == 1
    code, output, error = run("check", none, good, "--seed", 3)
    assert code == 2
    assert "1 of 1 points, 1 of 1 passed (seed 3)" in output
    assert error.startswith(f'Error: {none}: name: there is no network "no such network"')


@pytest.mark.slow
def test_check_as_json(run: Run, tmp_path: Path) -> None:
    run("start", tmp_path, "--no-browser")
    untouched, broken, page = tmp_path / "00-start-here.ipynb", tmp_path / "broken.ipynb", tmp_path / "report.html"
    broken.write_text("{", encoding="utf-8")
    code, output, error = run("check", broken, untouched, "--json", "--seed", 5, "--html", page)
    first, second = json.loads(output)
    assert (code, error) == (2, "")
    assert first.keys() == {"notebook", "error"}
    assert second["notebook"] == str(untouched)
    assert (second["seed"], second["points"], second["passed"]) == (5, 0, False)
    assert {exercise["status"] for exercise in second["exercises"]} == {"not done yet"}
    assert "00.to_displayable" in page.read_text(encoding="utf-8")


def test_doctor_looks_at_everything(run: Run) -> None:
    code, output, _ = run("doctor")
    assert code == 0
    for subject in ("Python", "torch", "extra course", "CIFAR-10", "chromium", "bubblewrap"):
        assert subject in output


def test_doctor_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from innervision import doctor

    needed = {"": [("nowhere-to-be-found", "nowhere-to-be-found>=2"), ("rich", "rich>=9999")]}
    monkeypatch.setattr(doctor, "_requirements", lambda extra: needed.get(extra, [("no-such", "no-such>=1")]))
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    findings = {finding.subject: finding for finding in doctor.examine()}
    assert findings["nowhere-to-be-found"].advice == 'pip install "nowhere-to-be-found>=2"'
    assert findings["rich"].state == "missing"
    assert findings["extra course"].detail == "to open the notebooks; lacks no-such"
    assert findings["extra course"].advice == 'pip install "innervision[course]"'
    assert findings["bubblewrap"].state == "optional"
    assert run("doctor")[0] == 1


def test_data_from_a_folder_that_is_not_there(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNERVISION_CACHE", str(tmp_path / "cache"))
    code, output, error = run("data", "cifar10", "--source", tmp_path / "none")
    assert (code, output) == (2, "")
    assert error.startswith("Error: ")
    assert error.count("\n") == 1
    assert not list((tmp_path / "cache").glob("*"))


def test_train_without_data_says_how_to_get_them(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNERVISION_CACHE", str(tmp_path))
    sentence = f"CIFAR-10 is not in {tmp_path}; fetch it with: innervision data cifar10"
    assert run("train", "mini") == (2, "", f"Error: {sentence}\n")


def test_train_prints_a_line_for_each_epoch(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(name: str, *, report: Callable, progress: Callable, **rest: object) -> dict[str, object]:
        assert list(progress(iter("abc"))) == ["a", "b", "c"]
        report({"epoch": 1, "loss": 1.23456, "seconds": 12.0})
        return {"accuracy": 0.91}

    monkeypatch.setattr("innervision.recipes.train", train)
    assert run("train", "mini") == (0, "epoch 1  loss 1.235  seconds 12\naccuracy: 0.91\n", "")


def test_a_download_off_a_terminal_prints_lines(capsys: pytest.CaptureFixture[str]) -> None:
    from innervision.display import Download, console

    with Download("CIFAR-10", console()) as download:
        for part in range(101):
            download.update(part * 1_000_000, 100_000_000)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[0] == "CIFAR-10: 10 of 100 MB"
    assert lines[-1] == "CIFAR-10: 100 of 100 MB"
