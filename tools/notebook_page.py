"""An executed, solved notebook becomes a page of the website: Markdown, and its pictures beside it.

What a reader of the page should do in the notebook stays undone here: solutions and hints are folded, answers to
questions are left out.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LEAD_WORDS = {"Predict.": "predict", "Question (graded).": "question", "Claim under test.": "claim"}
"""Paragraphs that begin with one of these in bold become boxes of that kind."""
RETINA = '%config InlineBackend.figure_formats = ["retina"]'


class PageError(ValueError):
    """A notebook cannot become a page; the message says which cell and why."""


@dataclass
class Page:
    """A page and the pictures that it shows, by file name."""

    markdown: str
    pictures: dict[str, bytes] = field(default_factory=dict)


def page(
    executed: NotebookNode, stubs: Mapping[str, str], mistakes: Mapping[str, Sequence[str]], head: str, prefix: str
) -> Page:
    """Convert an executed notebook.

    Args:
        executed: The solved notebook with its outputs.
        stubs: Cell id → what the student's notebook has in that cell.
        mistakes: Exercise id → the sentences of its misconceptions.
        head: Markdown that goes below the title: time, downloads.
        prefix: Of the pictures' file names, for example the lesson's slug.

    Raises:
        PageError: A cell failed, wrote to stderr, or shows a picture without an alt text.
    """
    made = Page("")
    blocks = []
    for cell in executed.cells:
        role = cell.metadata.get("innervision", {}).get("role", "")
        if cell.cell_type == "markdown":
            blocks.append(prose(cell.source))
        elif role in ("exercise", "question"):
            blocks.append(_task(cell, stubs[cell.id], role, mistakes))
        else:
            blocks.append(_code(cell.source))
            blocks += _outputs(cell, made.pictures, prefix)
    text = "\n\n".join(blocks)
    title, _, rest = text.partition("\n")
    if not title.startswith("# "):
        raise PageError(f"the lesson must begin with its title as a heading, it begins with {title[:40]!r}")
    made.markdown = f"{title}\n\n{head}\n{rest}\n"
    return made


def prose(source: str) -> str:
    """Markdown of a text cell: boxes for predictions and questions, folded parts with Markdown inside."""
    source = source.replace("<details>", '<details markdown="1">').replace("<summary>", '<summary markdown="span">')
    return "\n\n".join(_boxed(paragraph) for paragraph in _paragraphs(source))


def _paragraphs(source: str) -> list[str]:
    """Split at empty lines, but keep fenced blocks and folded parts whole."""
    parts: list[str] = []
    open_fence, open_details = False, 0
    for chunk in re.split(r"\n[ \t]*\n", source):
        if open_fence or open_details:
            parts[-1] += "\n\n" + chunk
        else:
            parts.append(chunk)
        open_fence ^= len(re.findall(r"^\s*(?:```|~~~)", chunk, re.MULTILINE)) % 2 == 1
        open_details += chunk.count("<details") - chunk.count("</details>")
    return parts


def _boxed(paragraph: str) -> str:
    for words, kind in LEAD_WORDS.items():
        lead = f"**{words}**"
        if paragraph.startswith(lead):
            body = paragraph.removeprefix(lead).strip()
            return f'!!! {kind} "{words.rstrip(".")}"\n\n{_indented(body)}'
    return paragraph


def _task(cell: NotebookNode, stub: str, role: str, mistakes: Mapping[str, Sequence[str]]) -> str:
    """An exercise or question as the student gets it, its hints, and for an exercise a solution and common mistakes."""
    about = cell.metadata["innervision"]
    blocks = [f'<span id="{cell.id}"></span>', _code(stub)]
    for number, hint in enumerate(about.get("hints", ()), start=1):
        blocks.append(f'??? hint "Hint {number}"\n\n{_indented(hint)}')
    if role == "exercise":
        blocks.append(f'??? solution "One solution"\n\n{_indented(_code(cell.source))}')
        if sentences := mistakes.get(about["id"]):
            listed = "\n".join(f"- {html.escape(sentence, quote=False)}" for sentence in sentences)
            blocks.append(f'??? mistakes "Common mistakes"\n\n{_indented(listed)}')
    return "\n\n".join(blocks)


def _code(source: str, language: str = "python") -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", source)), default=0))
    return f"{fence}{language}\n{source}\n{fence}"


def _outputs(cell: NotebookNode, pictures: dict[str, bytes], prefix: str) -> list[str]:
    blocks: list[str] = []
    printed = ""
    for output in cell.outputs:
        if output.output_type == "error":
            raise PageError(f"cell {cell.id} failed: {output.ename}: {output.evalue}\n{cell.source}")
        if output.output_type == "stream":
            if output.name == "stderr":
                raise PageError(f"cell {cell.id} wrote to stderr: {output.text}\n{cell.source}")
            printed += output.text
            continue
        if printed:
            blocks, printed = [*blocks, _printed(printed)], ""
        blocks.append(_shown(cell, output, pictures, prefix))
    return [*blocks, _printed(printed)] if printed else blocks


def _printed(text: str) -> str:
    return f'<div class="output" markdown="1">\n\n{_code(ANSI.sub("", text).rstrip(), "text")}\n\n</div>'


def _shown(cell: NotebookNode, output: NotebookNode, pictures: dict[str, bytes], prefix: str) -> str:
    data = output.data
    if "image/png" in data:
        # A figure of innervision.plots carries its own words; a lesson's cell may say better ones.
        alt = cell.metadata.get("alt") or output.get("metadata", {}).get("image/png", {}).get("alt", "")
        if not alt:
            raise PageError(f"cell {cell.id} shows a picture; it needs an option `alt:` that says what is to be seen")
        name = f"{prefix}-{len(pictures) + 1:02}.png"
        pictures[name] = base64.b64decode(data["image/png"])
        width = output.get("metadata", {}).get("image/png", {}).get("width")
        size = f' width="{width}"' if width else ""
        return f'<figure class="plot"><img src="{name}" alt="{html.escape(alt, quote=True)}"{size}></figure>'
    if "text/html" in data:
        lines = [line.strip() for line in ANSI.sub("", data["text/html"]).splitlines()]
        return '<div class="result">\n' + "\n".join(line for line in lines if line) + "\n</div>"
    return _printed(data.get("text/plain", ""))


def _indented(text: str) -> str:
    return "\n".join("    " + line if line else line for line in text.splitlines())
