"""The examples in the docstrings of what exercises are made of."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest
import torch

from innervision.atlas import grid, groups, map
from innervision.attribution import maps
from innervision.examples import selection, surveys
from innervision.learning import (
    attention,
    board_probes,
    compiled,
    dissection,
    interventions,
    modular_addition,
    ngrams,
    steering,
    surprise,
    transformer,
    word_vectors,
)
from innervision.optvis import layers


@pytest.mark.parametrize(
    "module",
    [
        *(attention, board_probes, compiled, dissection, interventions, modular_addition, ngrams, steering, surprise),
        *(transformer, word_vectors),
        *(grid, groups, layers, map, maps, selection, surveys),
    ],
    ids=lambda module: module.__name__,
)
def test_docstrings_say_what_happens(module: ModuleType) -> None:
    result = doctest.testmod(module, extraglobs={"torch": torch})
    assert result.attempted > 0
    assert result.failed == 0
