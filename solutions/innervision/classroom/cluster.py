"""The same class on a Dask cluster: ``--scheduler tcp://host:8786``.

Submissions travel as bytes, so workers need no shared folder, only this package in the same version. A worker that is
lost takes nothing with it: the scheduler gives its submissions to others. What is already recorded is never sent.

A Dask scheduler obeys whoever can reach its port. Keep it inside a trusted network or use ``tls://`` with the
certificates of Dask's own configuration (https://distributed.dask.org/en/stable/tls.html). Start workers with
``dask worker --nworkers N --nthreads 1``: one submission at a time is graded in a process.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterable
from typing import Any, cast

from innervision.classroom.class_task import Result, Task, run_task

UNWATCHED = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}
"""Environment for scheduler, workers and client in which Dask looks at its own processes seldom. As it comes, it looks
up to a hundred times a second: on two cores that took a ninth of what grading could have had."""
AHEAD = 4  # tasks sent ahead for each thread of the cluster
RETRIES = 2  # after a failure that is not the loss of a worker
LOST = "Every worker that graded this submission was lost; nothing was recorded."


def run_cluster(
    tasks: Iterable[Task], scheduler: str, work: Callable[[Task], Result] = run_task
) -> Generator[tuple[Task, Result], None, None]:
    """Grade tasks on a cluster and hand back each result as it is finished.

    Args:
        tasks: Read as the cluster needs them.
        scheduler: Address of the scheduler, for example ``tcp://10.0.0.1:8786``.
        work: What a worker does with a task; a function that can be imported there.

    Raises:
        ValueError: No scheduler answers at this address, or it has no worker.
    """
    import dask.config
    from distributed import Client, as_completed

    dask.config.update_defaults(dask.config.collect_env(UNWATCHED))
    try:
        client = Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ValueError(f"scheduler is {scheduler!r}; no Dask scheduler answers there ({error}).") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise ValueError(f"scheduler is {scheduler!r}; it must have at least one worker.")
        queue, sent = iter(tasks), {}
        finished = as_completed([], loop=client.loop)

        def send() -> None:
            task = next(queue, None)
            if task is not None:
                key = f"innervision-{task.student}-{uuid.uuid4().hex}"
                future = client.submit(work, task, key=key, pure=False, retries=RETRIES)
                sent[future.key] = task
                finished.add(future)

        try:
            for _ in range(AHEAD * threads):
                send()
            for future in finished:
                task = sent.pop(future.key)
                send()
                yield task, _result(future)
        finally:
            client.cancel(list(finished.futures))


def _result(future: Any) -> Result:
    from distributed import KilledWorker

    try:
        return cast(Result, future.result())
    except KilledWorker:
        return Result(None, LOST)
    except Exception as error:
        return Result(None, f"{type(error).__name__}: {error}")
