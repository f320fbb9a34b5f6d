"""The instructor's commands: course, grade, export, similar. Loads nothing but typer until one of them is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from innervision.classroom.class_run import ClassResult, StudentRow

Course = Annotated[Path, typer.Argument(metavar="COURSE_DIR", help="The course folder: nbgrader's, or plain folders.")]
Assignment = Annotated[str, typer.Option("--assignment", "-a", help="Name of the assignment.")]
Students = Annotated[list[str] | None, typer.Option("--student", help="Only this student; may be repeated.")]
WIDTH = 120
"""Columns of tables that are not written to a terminal: a class has long names."""
Lesson = Annotated[str | None, typer.Option(help="The lesson's slug, where the course folder does not say it.")]


def register(command: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
    """Add the commands; ``command`` is the decorator that registers one and answers its errors."""
    for function in (course, grade, export, similar):
        command(function)


def course(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The course folder; made if it does not exist.")],
    lesson: Annotated[
        list[str] | None, typer.Option(help="A lesson, such as 02; may be repeated. All by default.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Plain folders, without nbgrader.")] = False,
) -> None:
    """Make a course folder, or add lessons to one. Nothing is overwritten."""
    from innervision.classroom.new_course import new_course

    for made in new_course(folder, lesson or (), plain=plain):
        print(f"{made.state:>13}  {made.path}")
    if plain:
        print(f"Hand out what is in {folder / 'handout'}; put what comes back into the folder of its lesson.")
        print(f"Then: innervision grade {folder} --assignment LESSON")
    else:
        print(f"Next: cd {folder}, then nbgrader generate_assignment LESSON")


def grade(
    course: Course,
    assignment: Assignment,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes on this machine; all cores by default.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers grade.")] = None,
    isolation: Annotated[str, typer.Option(help="bwrap, or process where there is no bubblewrap.")] = "bwrap",
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.")] = None,
    regrade: Annotated[str | None, typer.Option(help="Grade only this exercise again, for everybody.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every scenario; fresh by default.")] = None,
    student: Students = None,
    lesson: Lesson = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one exercise may take.")] = 10.0,
    force: Annotated[bool, typer.Option("--force", help="Grade also what is recorded and unchanged.")] = False,
    nbgrader_feedback: Annotated[
        bool,
        typer.Option("--nbgrader-feedback/--own-feedback", help="Put the pages into nbgrader's feedback folder too."),
    ] = True,
) -> None:
    """Grade a class; what is recorded already is not graded twice."""
    if regrade is not None:
        _regrade(course, assignment, regrade, jobs, scheduler, isolation, student or (), timeout)
        return
    from innervision.classroom.class_run import grade_class

    with _progress() as report:
        result = grade_class(
            course,
            assignment,
            jobs=jobs,
            scheduler=scheduler,
            isolation=isolation,
            seed=seed,
            students=student or (),
            lesson=lesson,
            timeout=timeout,
            force=force,
            nbgrader_feedback=nbgrader_feedback,
            report=report,
        )
    if as_json is not None:
        from innervision.classroom.records import dump, write_durably

        write_durably(as_json, dump(result.to_dict()))
    _show(result)
    if result.failed:
        raise typer.Exit(1)


def export(
    course: Course,
    to: Annotated[str, typer.Option(help="csv, canvas or moodle.")],
    assignment: Annotated[
        list[str] | None, typer.Option("--assignment", "-a", help="Only this one; may be repeated.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write.")] = None,
) -> None:
    """Write the grades of a course for another system."""
    from innervision.classroom.export import export_grades

    def warn(sentence: str) -> None:
        typer.echo(f"Note: {sentence}", err=True)

    print(export_grades(course, to, assignments=assignment or (), path=output, warn=warn))


def similar(
    course: Course,
    assignment: Assignment,
    lesson: Lesson = None,
    least: Annotated[float, typer.Option(min=0.0, max=1.0, help="Show pairs from this similarity on.")] = 0.5,
) -> None:
    """Show who looks alike, or like the library: a hint, no score."""
    from rich.table import Table

    from innervision.classroom.export import student_names
    from innervision.classroom.similarity import similar_submissions
    from innervision.classroom.solution_copies import solution_copies
    from innervision.display import console

    pairs = similar_submissions(course, assignment, lesson=lesson, least=least)
    copies = solution_copies(course, assignment, lesson=lesson)
    names = student_names(course)
    if pairs:
        table = Table("student", "student", "shared", "pieces", "exercises", title="A hint to a person, never a score")
        for pair in pairs:
            both = (_who(pair.first, names), _who(pair.second, names))
            table.add_row(*both, f"{pair.similarity:.0%}", str(pair.pieces), ", ".join(pair.exercises))
        console(WIDTH).print(table)
    else:
        print(f"No two submissions share {least:.0%} of their own code.")
    if copies:
        title = "Like the library's own solution: a hint to a person, never a score"
        table = Table("student", "functions", "exercises", "with its names", title=title)
        for hint in copies:
            counts = f"{len(hint.exercises)} of {hint.compared}"
            cells = (", ".join(hint.exercises), ", ".join(hint.same_names))
            table.add_row(_who(hint.student, names), counts, *cells)
        console(WIDTH).print(table)
    else:
        print("No submission has the library's own solutions.")


def _regrade(
    course: Path, assignment: str, exercise: str, jobs: int | None, scheduler: str | None, isolation: str, *rest: Any
) -> None:
    import os

    from innervision.classroom.export import student_names
    from innervision.classroom.regrade import regrade_exercise

    students, timeout = rest
    changes = regrade_exercise(
        course,
        assignment,
        exercise,
        jobs=jobs or os.cpu_count() or 1,
        scheduler=scheduler,
        isolation=isolation,
        students=students,
        timeout=timeout,
    )
    names = student_names(course)
    for change in changes:
        new = "not graded" if change.new is None else f"{change.new:g}"
        same = " (unchanged)" if change.new == change.old else ""
        name = f" ({names[change.student]})" if names.get(change.student) else ""
        print(f"{change.student}{name}: {change.old:g} → {new}{same}{' · ' + change.reason if change.reason else ''}")
    if any(change.new is None for change in changes):
        raise typer.Exit(1)


class _progress:  # noqa: N801  (used as a statement: with _progress() as report)
    """A bar on a terminal, plain lines elsewhere."""

    def __enter__(self) -> Callable[[StudentRow, int, int], None]:
        from innervision.display import console

        self.console = console(WIDTH)
        if not self.console.is_terminal:
            return lambda row, done, total: print(f"[{done}/{total}] {row.student}: {_line(row)}", flush=True)
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=self.console, transient=True)
        self.bar.start()
        task = self.bar.add_task("grading", total=None)
        return lambda row, done, total: self.bar.update(task, completed=done, total=total)

    def __exit__(self, *error: object) -> None:
        if hasattr(self, "bar"):
            self.bar.stop()


def _show(result: ClassResult) -> None:
    from innervision.classroom.class_table import class_table
    from innervision.display import console

    console(WIDTH).print(class_table(result))
    count = f"{len(result.rows)} submission{'' if len(result.rows) == 1 else 's'}"
    print(f"{count} in {result.seconds:.1f} s, seed {result.seed}. Class report: {result.report}")


def _line(row: StudentRow) -> str:
    points = "" if row.points is None else f" {row.points:g} of {row.max_points:g} points"
    return f"{row.status}{points}{': ' + row.reason if row.reason else ''}"


def _who(student: str, names: dict[str, str]) -> str:
    """ "Ada Lovelace (ada)", or the id where no name is known."""
    return _plain(f"{names[student]} ({student})" if names.get(student) else student)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
