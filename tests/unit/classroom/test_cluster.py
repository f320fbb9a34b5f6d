"""What a cluster is told. That it grades, and survives the loss of a worker, is tested in ``tests/system``."""

from __future__ import annotations

from pathlib import Path

import dask.config
import pytest

from innervision.classroom.cluster import UNWATCHED, run_cluster

GUIDE = Path(__file__).resolve().parents[3] / "site" / "instructors.md"


def test_the_guide_gives_the_same_environment() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert [name for name, value in UNWATCHED.items() if f"export {name}={value}" not in text] == []


def test_dask_knows_these_settings_and_our_side_takes_them() -> None:
    with pytest.raises(ValueError, match="no Dask scheduler answers there"):
        next(run_cluster([], "tcp://127.0.0.1:1"))
    assert dask.config.get("distributed.worker.profile.enabled") is False
    assert dask.config.get("distributed.admin.tick.interval") == "1s"
    assert dask.config.get("distributed.admin.system-monitor.interval") == "10s"
