"""Reports: as data, on a terminal, as a page."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from rich.console import Console

from innervision.classroom.messages import Message
from innervision.classroom.report import LOOKS, Report, Result, printable, show, table, to_html

HOSTILE = Message("<b>one</b> & [red]two[/red]", "\x1b[2J<script>alert(1)</script>\ud800", "", "{{style}}")


@pytest.fixture
def report():
    results = [
        Result("99.a", "a", "passed", 2, 2, None, 0.123456),
        Result("99.b", "b", "partial", 0.5, 1, Message("a", "b", "c", "d"), 0.1),
        Result("99.c", "c", "failed", 0, 3, HOSTILE, 0.1),
    ]
    return Report("<i>me</i>.ipynb", "99-tiny", 42, results, ["Cell 99.d is missing."])


def test_sums_and_summary(report):
    assert (report.points, report.max_points, report.passed) == (2.5, 6, False)
    assert report.summary == "99-tiny: 2.5 of 6 points, 1 of 3 passed (seed 42)"
    assert not Report("x", "99-tiny", 1).passed


def test_data_is_json(report):
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["exercises"][1] == {
        "id": "99.b",
        "title": "b",
        "status": "partial",
        "points": 0.5,
        "max_points": 1,
        "message": {"expected": "a", "got": "b", "cause": "c", "next_step": "d"},
        "seconds": 0.1,
    }
    assert data["exercises"][0]["message"] is None
    assert data["problems"] == ["Cell 99.d is missing."]
    assert (data["seed"], data["points"], data["passed"]) == (42, 2.5, False)


def test_the_table_shows_everything_and_obeys_no_markup(report):
    console = Console(width=120)
    with console.capture() as capture:
        show(report, console)
    text = capture.get()
    for expected in ("99.a", "2/2", "✓ passed", "◐ partial", "Likely cause: c", "<b>one</b> & [red]two[/red]"):
        assert expected in text
    assert "\x1b[2J" not in text
    assert text.rstrip().endswith(report.summary)
    assert "Note: Cell 99.d is missing." in text
    assert len(table(report).rows) == 3


class Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_page_is_escaped_and_needs_nothing_from_outside(report):
    page = to_html([report, report])
    outline = Outline()
    outline.feed(page)
    tags = [tag for tag, _ in outline.tags]
    assert tags.count("section") == 2
    assert not {"script", "b", "i", "img", "link", "iframe"} & set(tags)
    assert not any(name in attributes for _, attributes in outline.tags for name in ("src", "href", "onclick"))
    assert "<script>alert(1)</script>" in outline.text
    assert "url(" not in page
    assert "{{style}}" in outline.text
    page.encode("utf-8")


def test_every_status_has_a_sign(report):
    assert len({sign for sign, _, _ in LOOKS.values()}) == len(LOOKS)


def test_control_characters_are_shown_as_such():
    assert printable("a\x1b[31m\r\tb\nc\ud800") == "a\ufffd[31m\ufffd\ufffdb\nc\ufffd"
