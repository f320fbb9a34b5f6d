"""A pool of long-lived processes on this machine, which survives the death of any of them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from innervision.classroom.class_task import Result, Task, run_task

Work = Callable[[Task], Result]
DIED = "The process that graded this submission died twice; nothing was recorded."


def run_pool(tasks: Iterable[Task], jobs: int, work: Work = run_task) -> Generator[tuple[Task, Result], None, None]:
    """Grade tasks in ``jobs`` processes and hand back each result as it is finished.

    When a process dies, whatever was being graded at that moment is tried again, each alone in a process of its own, so
    that the culprit is known and nobody else pays for it.

    Args:
        tasks: Read as they are needed, two for each process ahead.
        jobs: Number of processes, at least 1.
        work: What a process does with a task; a module-level function.

    Raises:
        ValueError: ``jobs`` is below 1.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; it must be at least 1.")
    queue = iter(tasks)
    running: dict[Future[Result], Task] = {}
    executor = _executor(jobs, work)
    try:
        while True:
            while len(running) < 2 * jobs and (task := next(queue, None)) is not None:
                running[executor.submit(work, task)] = task
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                wait(running)  # the executor fails all of them
                finished = [(task, future) for future, task in running.items()]
                executor.shutdown(wait=True)
                running, executor = {}, _executor(jobs, work)
                for task, future in finished:
                    broken = isinstance(future.exception(), BrokenProcessPool)
                    yield task, _alone(task, work) if broken else _result(future)
            else:
                for future in done:
                    yield running.pop(future), _result(future)
    finally:
        _stop(executor)


def _alone(task: Task, work: Work) -> Result:
    executor = _executor(1, work)
    try:
        return executor.submit(work, task).result()
    except BrokenProcessPool:
        return Result(None, DIED)
    except Exception as error:
        return Result(None, f"{type(error).__name__}: {error}")
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[Result]) -> Result:
    error = future.exception()
    return future.result() if error is None else Result(None, f"{type(error).__name__}: {error}")


def _executor(jobs: int, work: Work) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # a fork of a process that has threads may hang
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(work is run_task,))


def _stop(executor: ProcessPoolExecutor) -> None:
    processes = list((executor._processes or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()  # its workers see their pipes close and end too


def _begin(warm: bool) -> None:
    """Prepare a process: one thread each, torch imported before the first task, and no life after the parent's."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if warm:
        import torch

        torch.set_num_threads(1)


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
