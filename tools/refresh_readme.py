"""Run the README's ten lines and put what they print below them: ``python tools/refresh_readme.py [--check]``."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
EXAMPLE = re.compile(r"(```python\n(?P<code>.*?)```\n\nprints\n\n```text\n)(?P<printed>.*?)(?=```)", re.DOTALL)


def example(text: str) -> tuple[str, str]:
    """The README's code and what the README says that it prints."""
    found = EXAMPLE.search(text)
    if found is None:
        raise ValueError("README.md: there is no python block followed by 'prints' and a text block")
    return found["code"], found["printed"]


def printed_by(code: str) -> str:
    """What the code prints, run in a temporary folder."""
    output = io.StringIO()
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(output):
        os.chdir(folder)
        try:
            exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
        finally:
            os.chdir(before)
    return output.getvalue()


def main() -> None:
    """Refresh the README, or only say whether it is up to date."""
    text = README.read_text(encoding="utf-8")
    code, stated = example(text)
    printed = printed_by(code)
    if printed == stated:
        print("README.md is up to date")
    elif "--check" in sys.argv[1:]:
        sys.exit(f"README.md says:\n{stated}\nbut its code prints:\n{printed}")
    else:
        README.write_text(EXAMPLE.sub(lambda found: found[1] + printed, text), encoding="utf-8")
        print("README.md refreshed")


if __name__ == "__main__":
    main()
