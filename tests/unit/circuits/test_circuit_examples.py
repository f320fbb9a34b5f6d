"""The examples in the docstrings of what measures tuning, reads weights and takes circuits apart."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest
import torch

from innervision.circuits import ablation, circular, composition, factors, families, family_search, subnetworks, tuning

MODULES = [ablation, circular, composition, factors, families, family_search, subnetworks, tuning]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_docstrings_say_what_happens(module: ModuleType) -> None:
    result = doctest.testmod(module, extraglobs={"torch": torch})
    assert result.attempted > 0
    assert result.failed == 0
