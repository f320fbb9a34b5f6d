"""What people read in place of ids, slugs and backquotes. The id stays beside it, since commands ask for it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from innervision.classroom import paths
from innervision.classroom.lessons import read_lesson

_CODE = re.compile(r"(`{1,2})([^`\n]+)\1")


def item_title(row: Mapping[str, Any]) -> str:
    """The name of an exercise or question.

    >>> item_title({"id": "02.channel", "title": "channel"})
    'channel'
    >>> item_title({"id": "00.q_most_confident_mistake"})
    'Question: most confident mistake'
    """
    name = str(row.get("title") or row["id"]).rpartition(".")[2]
    return f"Question: {name[2:].replace('_', ' ')}" if name.startswith("q_") else name


def lesson_title(slug: str) -> str:
    """The title of a lesson; its slug where this installation does not have it."""
    try:
        return read_lesson(slug, paths.find_course()).title
    except ValueError:
        return slug


def with_code(text: str) -> str:
    """HTML of a text: escaped, and what stands between backquotes as code.

    >>> with_code("use `x < 1`, then ``y``")
    'use <code>x &lt; 1</code>, then <code>y</code>'
    """
    return _CODE.sub(r"<code>\2</code>", html.escape(text))
