"""The website in a browser: every page, offline, wide and narrow."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
BUILD_SECONDS = 900  # all lessons are executed the first time

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("site")]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on localhost; yields the address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Visit:
    """A browser page that notes what a page should not do: leave the machine, fail to load, log an error."""

    def __init__(self, browser, **options):
        self.page = browser.new_page(**options)
        self.complaints: list[str] = []
        self.page.on("request", self._requested)
        self.page.on("response", self._answered)
        self.page.on("console", self._logged)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))

    def _requested(self, request) -> None:
        if not re.match(r"(http://127\.0\.0\.1:\d+/|file://|data:|blob:|about:)", request.url):
            self.complaints.append(f"request to {request.url}")

    def _answered(self, response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} for {response.url}")

    def _logged(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")


def search(visit: Visit, word: str) -> list[str]:
    """What the site's search finds."""
    visit.page.keyboard.press("/")
    visit.page.wait_for_timeout(300)
    visit.page.keyboard.type(word)
    visit.page.wait_for_selector(".md-search-result__link", timeout=20_000)
    return visit.page.locator(".md-search-result__link h1").all_inner_texts()


@pytest.fixture(scope="module")
def site() -> Path:
    """The website as it is now; the gallery as a draft."""
    build = [sys.executable, "-m", "tools.build_site", "--draft"]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=BUILD_SECONDS)
    assert built.returncode == 0, built.stdout + built.stderr
    return ROOT / "build" / "site"


def test_every_page_is_whole_offline_and_fits_wide_and_narrow_screens(site):
    if CHROMIUM is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    paths = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert {"index.html", "gallery.html", "glossary.html", "mini.html", "lessons/00-start-here.html"} <= set(paths)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright, served(site) as address:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        for width in (1280, 390):
            visit = Visit(browser, viewport={"width": width, "height": 800})
            for path in paths:
                visit.page.goto(f"{address}/{path}", wait_until="load")
                broken = "[...document.images].filter(i => !(i.complete && i.naturalWidth)).map(i => i.src)"
                assert visit.page.evaluate(broken) == [], path
                wordless = "[...document.querySelectorAll('.md-content img')].filter(i => !i.alt).map(i => i.src)"
                assert visit.page.evaluate(wordless) == [], path
                assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert visit.complaints == []
            visit.page.goto(f"{address}/index.html")
            assert "Glossary" in search(visit, "channel")
            assert visit.complaints == []

        visit = Visit(browser)
        visit.page.goto((site / "index.html").as_uri())
        assert "Glossary" in search(visit, "channel")
        assert visit.complaints == []
        browser.close()


def test_a_lesson_page_offers_the_notebook_and_keeps_answers_folded(site):
    page = (site / "lessons" / "00-start-here.html").read_text(encoding="utf-8")
    notebook = (site / "lessons" / "00-start-here.ipynb").read_text(encoding="utf-8")
    assert notebook == (ROOT / "course" / "00-start-here" / "lesson.ipynb").read_text(encoding="utf-8")
    assert not any(cell.get("outputs") for cell in json.loads(notebook)["cells"])
    assert 'href="00-start-here.ipynb"' in page
    assert "https://colab.research.google.com/github/" in page
    open_parts = re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
    assert "movedim(-3, -1)" in page
    assert "torch.where(high" not in re.sub(r"<[^>]+>", "", open_parts)
    assert "answer_00_q_noise = ..." in re.sub(r"<[^>]+>", "", open_parts)


def test_every_number_of_the_verdicts_is_printed_by_the_lesson_named_beside_it(site):
    cited = re.compile(r"(.*?)\(\[lesson \d\d\]\(lessons/([\w-]+)\.md\)\)")
    number = re.compile(r"-?\d+(?:\.\d+)?")
    checked = 0
    for line in (ROOT / "site" / "verdicts.md").read_text(encoding="utf-8").splitlines():
        for words, slug in cited.findall(line):
            page = (site / "lessons" / f"{slug}.html").read_text(encoding="utf-8")
            printed = set(number.findall(" ".join(re.findall(r'<div class="output">.*?</div>', page, re.DOTALL))))
            stated = number.findall(words)
            assert set(stated) <= printed, f"{slug}: {sorted(set(stated) - printed)} of: {words}"
            checked += len(stated)
    assert checked > 30
