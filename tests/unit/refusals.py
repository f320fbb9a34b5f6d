"""Whole-text comparison of errors."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any

import pytest


def refuses(message: str) -> AbstractContextManager[Any]:
    """Expect a ``ValueError`` with exactly this text."""
    return pytest.raises(ValueError, match=rf"\A{re.escape(message)}\Z")
