"""What can be called stands on its page of the reference."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from innervision import circuits, learning, plots, superposition
from innervision.data import stimuli

PAGES = Path(__file__).resolve().parents[2] / "site" / "reference"


@pytest.mark.parametrize(
    ("package", "page"),
    [
        (circuits, "circuits"),
        (learning, "learning"),
        (plots, "plots"),
        (stimuli, "stimuli"),
        (superposition, "superposition"),
    ],
)
def test_every_function_and_class_has_its_entry(package: ModuleType, page: str) -> None:
    public = [getattr(package, name) for name in package.__all__]
    names = {thing.__name__ for thing in public if inspect.isfunction(thing) or inspect.isclass(thing)}
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    missing = names - set(re.findall(r"^::: [\w.]+\.(\w+)$", text, re.MULTILINE))
    assert not missing, f"site/reference/{page}.md lacks {', '.join(sorted(missing))}"
