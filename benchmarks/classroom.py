"""A class of sixty graded by ``innervision grade`` and, a sample of it, by ``nbgrader autograde``, in one run.

Lesson 02, isolation on, all cores, from the first look at the folder to the last row of the gradebook. nbgrader runs
notebooks one after another without isolation, twice: as it is by default, and with the course's setting that skips the
cells which draw pictures. Its sample holds honest students only: it cannot grade the hostile ones. Then the same class
on a Dask cluster of one and of two local workers. Memory is the proportional set size of this process and all that it
started, looked at twice a second. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from typing import Any

import dask.config
from benchmarks.many_students import ASSIGNMENT, KINDS, Student, make_class, write_course

from innervision.classroom import build
from innervision.classroom.builder import Built
from innervision.classroom.class_run import ClassResult, grade_class
from innervision.classroom.cluster import UNWATCHED

SAMPLED = ("solved", "half", "mistaken")
MIB = 2**20


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Collect, twice a second, the bytes that this process and its descendants hold; shared pages count once."""
    import psutil

    seen, over, own = [0], threading.Event(), psutil.Process()

    def look() -> None:
        while not over.wait(0.5):
            total = 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except (psutil.Error, OSError):  # it has just ended
                    continue
            seen.append(total)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def graded(folder: Path, expected: int, **options: Any) -> ClassResult:
    """Grade the class; everybody must have a row, and who was right all points."""
    result = grade_class(folder, ASSIGNMENT, seed=1, **options)
    if result.failed or len(result.rows) != expected:
        raise SystemExit(f"not everybody was graded: {[row.reason for row in result.failed]}")
    for row in result.rows:
        if row.student.startswith(("solved", "unusual")) and row.points != row.max_points:
            raise SystemExit(f"{row.student} was right and has {row.points} of {row.max_points} points")
    return result


def nbgrader_seconds(folder: Path) -> float:
    """Wall seconds of one ``nbgrader autograde`` over everybody in the folder."""
    start = time.monotonic()
    done = subprocess.run(
        ["nbgrader", "autograde", ASSIGNMENT], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return time.monotonic() - start


def on_a_cluster(folder: Path, workers: int, students: list[Student]) -> float:
    """Wall seconds a submission on a Dask cluster whose workers are warm: the first submissions do not count."""
    os.environ.update(UNWATCHED)  # as the instructor's guide says
    from distributed import LocalCluster

    dask.config.refresh()
    first = [student.name for student in sample_of(students, 4)]
    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
    ) as cluster:
        address = cluster.scheduler_address
        graded(folder, len(first), scheduler=address, students=first)
        seconds = graded(folder, len(students), scheduler=address).seconds
    return seconds / (len(students) - len(first))


def dask_figures(folder: Path, built: Built, students: list[Student]) -> dict[str, float]:
    """One worker and two by turns, twice, so that a busy moment of the machine does not hit one of them only."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(2):
        for workers in seconds:
            course = write_course(folder / f"dask-{turn}-{workers}", built, students)
            seconds[workers].append(on_a_cluster(course, workers, students))
            print(f"turn {turn + 1}, {workers} Dask worker(s): {seconds[workers][-1]:.3f} seconds a submission")
    one, two = mean(seconds[1]), mean(seconds[2])
    return {
        "one Dask worker: seconds a submission": one,
        "two Dask workers: seconds a submission": two,
        "two Dask workers, times one": one / two,
        "two unrelated processes on this machine, times one": machine_scaling(),
    }


def count_convolutions(seconds: float) -> int:
    """How many small convolutions with gradients one process computes in this time."""
    import torch

    torch.set_num_threads(1)
    images, kernels = torch.rand(4, 16, 32, 32, requires_grad=True), torch.rand(16, 16, 3, 3)
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        torch.nn.functional.conv2d(images, kernels).sum().backward()
        count += 1
    return count


def machine_scaling() -> float:
    """What two processes that have nothing to do with each other compute here, as a multiple of one: the best case."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(count_convolutions, [0.5, 0.5]))  # import torch
        alone = pool.submit(count_convolutions, 5.0).result()
        return sum(pool.map(count_convolutions, [5.0, 5.0])) / alone


def sample_of(students: list[Student], count: int) -> list[Student]:
    """As many honest students as asked for, the kinds by turns."""
    by_kind = [[student for student in students if student.kind == kind] for kind in SAMPLED]
    return [student for row in zip(*by_kind, strict=False) for student in row][:count]


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """All figures, by name."""
    built = build.build_lesson(ASSIGNMENT)
    students = make_class(built, arguments.students)
    count, sample = len(students), sample_of(students, arguments.sample)
    found: dict[str, float] = {}
    print(f"class of {count}: " + ", ".join(f"{sum(s.kind == kind for s in students)} {kind}" for kind in KINDS))
    with peak_memory() as seen:
        result = graded(write_course(folder / "ours", built, students), count, jobs=arguments.jobs)
    found["innervision: seconds a submission"] = result.seconds / count
    found["innervision: median seconds of one submission in its process"] = median(row.seconds for row in result.rows)
    found["innervision: peak memory, MiB"] = max(seen) / MIB
    for name, skip in (("every cell", False), ("no pictures", True)):
        course = write_course(folder / name.replace(" ", "-"), built, sample, skip_pictures=skip)
        seconds = nbgrader_seconds(course) / len(sample)
        found[f"nbgrader, {name}: seconds a submission (sample of {len(sample)})"] = seconds
        found[f"times its throughput, {name}"] = seconds / found["innervision: seconds a submission"]
    if arguments.dask:
        found |= dask_figures(folder, built, students)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--sample", type=int, default=3, help="honest students that nbgrader grades")
    parser.add_argument("--jobs", type=int, help="processes; all cores by default")
    parser.add_argument("--no-dask", dest="dask", action="store_false")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    scripts = str(Path(sys.executable).parent)  # nbgrader calls alembic by name
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), arguments)
    for name, value in found.items():
        print(f"{name:66s} {value:8.2f}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
