"""Markdown of a student, so that it does nothing in the instructor's browser.

nbgrader's formgrader and its feedback pages turn Markdown into HTML with ``nbconvert.filters.markdown2html``, which
lets HTML and ``javascript:`` links through (nbgrader 0.9.6, nbconvert 7), in the browser of a person who may run code
on the server. Cleaning that HTML is not ours to do, and cleaning Markdown as if it were HTML spoils code and formulas.
So a space is put behind each "<" that could begin a tag: it reads the same in text, code and formulas. Then the text is
rendered as nbgrader will render it, and what is still not harmless loses its links, or is shown as code.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_TAG = re.compile(r"<(?=[A-Za-z/!?])")  # what begins a tag, a comment or a declaration (HTML standard, 13.2.5.6)
_LINK = re.compile(r"\](?=[(\[:])")
_TEXT = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "a", "em", "strong", "del", "code", "pre", "sup", "br", "hr", "img")
_TABLES = ("table", "thead", "tbody", "tr", "th", "td")
_TAGS = frozenset((*_TEXT, *_TABLES, "ul", "ol", "li", "blockquote", "div", "span", "section", "input"))
_ADDRESSES = {
    "href": re.compile(r"(https?|mailto):|[^:]*$", re.I),
    "src": re.compile(r"data:image/png[;,]"),
}
_ATTRIBUTES = frozenset(("id", "class", "title", "alt", "style", "start", "type", "checked", "disabled"))


def harmless(markdown: str) -> str:
    """Markdown that renders to text, lists, tables, formulas, code and links to the web, and to nothing that acts.

    >>> harmless("$a < b$ and `c<d`, **well**")
    '$a < b$ and `c< d`, **well**'
    >>> harmless("<script>alert(1)</script>")
    '< script>alert(1)< /script>'
    >>> harmless("[look](javascript:alert(1))")
    '[look] (javascript:alert(1))'
    """
    text = _TAG.sub("< ", markdown)
    without_links = _LINK.sub("] ", text)
    as_code = "\n".join(f"    {line}" for line in text.splitlines())
    return next((form for form in (text, without_links, as_code) if _renders_harmless(form)), "")


def _renders_harmless(markdown: str) -> bool:
    from nbconvert.filters import markdown2html

    try:
        page = _Page()
        page.feed(markdown2html(markdown))
        page.close()
    except Exception:  # whatever a renderer does with odd text, nbgrader's would do the same
        return False
    return page.harmless


class _Page(HTMLParser):
    """Reads HTML; ``harmless`` turns false at the first tag or attribute that is not known to be."""

    harmless = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.harmless &= tag in _TAGS and all(_is_harmless(name, value or "") for name, value in attrs)

    def handle_comment(self, data: str) -> None:
        self.harmless = False

    def handle_decl(self, decl: str) -> None:
        self.harmless = False

    def handle_pi(self, data: str) -> None:
        self.harmless = False

    def unknown_decl(self, data: str) -> None:
        self.harmless = False


def _is_harmless(name: str, value: str) -> bool:
    if name in _ADDRESSES:
        plain = re.sub(r"[\x00-\x20]", "", value)  # as browsers do before they read the scheme
        return bool(_ADDRESSES[name].match(plain))
    return name in _ATTRIBUTES
