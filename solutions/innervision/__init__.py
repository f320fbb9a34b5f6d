"""Inner Vision: look inside a neural network and find out what it really learned.

The names below are found on first use, so importing the package loads neither torch nor anything else that is slow.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from innervision.activations import edit, record
    from innervision.classroom.notebook import check, hint, progress
    from innervision.models import load, top_predictions
    from innervision.optvis.color import to_displayable
    from innervision.optvis.render import render

_HOMES = {
    "load": "innervision.models",
    "top_predictions": "innervision.models",
    "record": "innervision.activations",
    "edit": "innervision.activations",
    "render": "innervision.optvis.render",
    "to_displayable": "innervision.optvis.color",
    "check": "innervision.classroom.notebook",
    "hint": "innervision.classroom.notebook",
    "progress": "innervision.classroom.notebook",
}

__all__ = [
    "check",
    "edit",
    "hint",
    "load",
    "progress",
    "record",
    "render",
    "to_displayable",
    "top_predictions",
]

try:
    __version__ = version("innervision")
except PackageNotFoundError:  # a source folder on the path, never installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'innervision' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
