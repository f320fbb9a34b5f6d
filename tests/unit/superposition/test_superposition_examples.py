"""The examples in the docstrings of what students write."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest
import torch

from innervision.superposition import geometry, meanings, sparse_autoencoder, steering, toy_model


@pytest.mark.parametrize("module", [geometry, meanings, sparse_autoencoder, steering, toy_model])
def test_docstrings_say_what_happens(module: ModuleType) -> None:
    result = doctest.testmod(module, extraglobs={"torch": torch})
    assert result.attempted > 0
    assert result.failed == 0
