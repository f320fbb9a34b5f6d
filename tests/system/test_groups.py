"""Tests that share something expensive run in one worker."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("probe")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
def test_groups_are_known_to_whoever_shares_out_the_tests(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@probe")
