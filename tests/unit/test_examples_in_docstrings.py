"""The examples in the docstrings of what exercises are made of."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from innervision.atlas import groups, map
from innervision.attribution import maps
from innervision.examples import selection, surveys


@pytest.mark.parametrize("module", [groups, map, maps, selection, surveys], ids=lambda module: module.__name__)
def test_docstrings_say_what_happens(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
