"""From a notebook to a report. A report is a plain function of the submission, the lesson and the seed.

The submission's code runs in workers; judge, expected values and scores stay here. Whatever one exercise does, the
others are graded.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from innervision.classroom.exercises import Check, Graders, load_graders
from innervision.classroom.isolation import Limits
from innervision.classroom.judge import Judge, Trusted
from innervision.classroom.lessons import read_lesson
from innervision.classroom.messages import Failed, Message
from innervision.classroom.paths import Course, find_course
from innervision.classroom.report import Report, Result
from innervision.classroom.session import Session, WarmWorkers, lesson_message
from innervision.classroom.student import Run
from innervision.classroom.submission import SubmissionError, read_submission

UNWORTHY = {"died": "error"}  # statuses of an answer that a report calls something else


def grade(
    path: str | Path,
    *,
    lesson: str | None = None,
    exercises: Collection[str] | None = None,
    seed: int | None = None,
    timeout: float = 10.0,
    course: Course | None = None,
    workers: WarmWorkers | None = None,
    trusted: Trusted | None = None,
) -> Report:
    """Grade one notebook.

    Args:
        lesson: Slug of the lesson that it must be; found out when None. When it is given, a file that cannot be read
            gets a report without points instead of an error.
        exercises: Ids of exercises and questions to grade; all when None.
        seed: A non-negative integer that replays a report; fresh when None.
        timeout: Wall time of one exercise, in seconds.
        course: Where lessons and graders are; this installation's own when None.
        workers: Warm workers to use; they stay the caller's. ``timeout`` is then theirs.
        trusted: What the library answers in this lesson. A class graded with one seed asks the same of it each time.

    Raises:
        SubmissionError: If the file is no notebook of the course.
    """
    path, course = Path(path), course or find_course()
    seed = secrets.randbits(53) if seed is None else seed
    with ExitStack() as stack:
        if workers is None:
            workers = stack.enter_context(WarmWorkers(Limits(seconds=timeout), spare=1))
            workers.start()
        try:
            submission = read_submission(path, course, lesson)
        except SubmissionError as error:
            if lesson is None:
                raise
            return unreadable(path.name, str(error), load_graders(lesson, course), seed, exercises)
        graders = load_graders(submission.lesson, course)
        message = partial(lesson_message, read_lesson(submission.lesson, course), graders, workers.limits)
        session = stack.enter_context(Session(submission, message, workers))
        workers.prepare(submission.lesson, session.message)
        results = grade_items(graders, session, seed, exercises, trusted)
    return Report(path.name, submission.lesson, seed, results, list(submission.problems))


def grade_items(
    graders: Graders,
    run: Run,
    seed: int,
    only: Collection[str] | None = None,
    trusted: Trusted | None = None,
) -> list[Result]:
    """Judge every exercise and question of a lesson, in its order.

    Args:
        run: Answers with the student's code: a session, or functions of this process.
        only: Ids to judge; all when None.
        trusted: Answers with the library; a new one when None.
    """
    trusted = trusted or Trusted(graders)
    items = [item for item in graders.order if item in graders.exercises or item in graders.questions]
    return [grade_item(graders, trusted, run, item, seed) for item in items if only is None or item in only]


def grade_item(graders: Graders, trusted: Trusted, run: Run, item: str, seed: int) -> Result:
    """Judge one exercise (all its checks) or question."""
    start = time.monotonic()
    judge = Judge(item, run, trusted, seed)
    points, failures = 0.0, []
    for check in graders.exercises.get(item) or [_question_check(graders, item)]:
        failure = _failure(check, judge)
        if failure is None:
            points += check.points
        else:
            failures.append(failure)
    seconds = time.monotonic() - start
    title = graders.functions.get(item, item.partition(".")[2]).rpartition(".")[2]
    most = graders.points(item)
    if not failures:
        return Result(item, title, "passed", points, most, None, seconds)
    shown = _shown(failures)
    status = "partial" if points else UNWORTHY.get(shown.status, shown.status)
    return Result(item, title, status, points, most, shown.message, seconds)


def unreadable(name: str, sentence: str, graders: Graders, seed: int, only: Collection[str] | None = None) -> Report:
    """The report of a file that is no submission: no points, and the reason."""
    items = [item for item in graders.order if item in graders.exercises or item in graders.questions]
    message = Message("the notebook of this lesson", sentence, "", "Hand in the notebook again.")
    results = [
        Result(item, item.partition(".")[2], "missing", 0.0, graders.points(item), message, 0.0)
        for item in items
        if only is None or item in only
    ]
    return Report(name, graders.slug, seed, results, [sentence])


def _question_check(graders: Graders, item: str) -> Check:
    asked = graders.questions[item]
    return Check(item, asked.points, lambda judge: judge.question(asked))


def _failure(check: Check, judge: Judge) -> Failed | None:
    """Run one check. A grader that breaks on odd data takes the points and says so, and stops nobody else."""
    try:
        check.function(judge)
    except Failed as failed:
        return failed
    except AssertionError as error:
        text = str(error).strip() or "another result"
        return Failed(Message(check.name.removeprefix("test_").replace("_", " "), text, "", ""))
    except Exception as error:
        got = f"data that the grader cannot examine ({type(error).__name__}: {error})"[:500]
        return Failed(Message("plain data of the described form", got, "", "Tell the course's authors."), "error")
    return None


def _shown(failures: list[Failed]) -> Failed:
    """The failure that the student reads, whose status is that of the exercise.

    Where there was nothing to judge (not done yet, forbidden, no answer in time), that is said first. Else the
    misconception that explains the most failures speaks, then an error, then the first failure.
    """
    unjudged = [failure for failure in failures if failure.status not in ("failed", "error")]
    if unjudged:
        return unjudged[0]
    counts = Counter(variant.sentence for failure in failures for variant in failure.misconceptions)
    if not counts:
        return next((failure for failure in failures if failure.status != "failed"), failures[0])
    sentence = max(counts, key=lambda text: counts[text])
    best = next(failure for failure in failures if sentence in {variant.sentence for variant in failure.misconceptions})
    message = Message(best.message.expected, best.message.got, sentence, best.message.next_step)
    return Failed(message, best.status, best.misconceptions)
