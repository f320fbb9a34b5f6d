"""Build the website: ``make site``, or ``python -m tools.build_site``. ``--draft`` draws the gallery with few steps.

Pages that are generated (lessons, pictures, tables about mini) go to ``build/pages``; ``mkdocs.yml`` adds them to the
hand-written ones in ``site/`` (see ``tools/mkdocs_hook.py``). What takes long is kept in ``build/site-cache`` under a
hash of everything it was made from, so that a second build is quick.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import nbformat
from mkdocs.commands.build import build as build_site
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from nbclient import NotebookClient
from nbformat import NotebookNode

from innervision.classroom.build import build_lesson
from innervision.classroom.builder import Built
from innervision.classroom.exercises import load_graders
from innervision.classroom.paths import find_course
from innervision.files import write_text_aside
from tools import notebook_page

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "build" / "pages"
CACHE = ROOT / "build" / "site-cache"
LIBRARY = ROOT / "solutions" / "innervision"
TIMEOUT = 300  # seconds for one cell of a lesson
FRONT_MATTER = "---\nhide: [navigation]\n---\n\n"  # a lesson gets the whole width: its pictures are wide


def main() -> None:
    """Write the generated pages, then build the site strictly."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    started = time.monotonic()
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    write_pictures()
    write_circuit_figures()
    write_gallery(draft="--draft" in sys.argv[1:])
    (PAGES / "snippets").mkdir(exist_ok=True)
    (PAGES / "snippets" / "mini.md").write_text(about_mini(), encoding="utf-8")
    write_lessons()
    build_site(settings())
    print(f"build/site/index.html: the site, built in {time.monotonic() - started:.0f} s")


def settings() -> MkDocsConfig:
    """What ``mkdocs.yml`` says."""
    return load_config(str(ROOT / "mkdocs.yml"))


def write_lessons() -> None:
    """One page, one notebook and the pictures of each lesson, and a list of all."""
    folder = PAGES / "lessons"
    folder.mkdir()
    repository = settings().extra["repository"]
    cards = []
    for slug in find_course().slugs():
        built = build_lesson(slug)
        executed = nbformat.reads(kept(built.solved, slug), as_version=4)
        graders = load_graders(slug)
        mistakes = {item: [v.sentence for v in variants] for item, variants in graders.misconceptions.items()}
        stubs = {cell.id: cell.source for cell in built.student.cells}
        page = notebook_page.page(executed, stubs, mistakes, head(built, repository), slug)
        (folder / f"{slug}.md").write_text(FRONT_MATTER + page.markdown, encoding="utf-8")
        for name, content in page.pictures.items():
            (folder / name).write_bytes(content)
        nbformat.write(built.student, folder / f"{slug}.ipynb")
        cards.append(card(built))
    (PAGES / "snippets" / "lessons.md").write_text("\n\n".join(cards), encoding="utf-8")


def head(built: Built, repository: str) -> str:
    """What stands below a lesson's title: how long it takes, where to get it."""
    about = built.student.metadata.innervision
    file = f"{built.slug}.ipynb"
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/course/{built.slug}/lesson.ipynb"
    return (
        '<div class="lesson-head" markdown="1">\n\n'
        f'[Download the notebook]({file}){{ .md-button .md-button--primary download="{file}" }}\n'
        f"[Open in Colab]({colab}){{ .md-button }}\n\n"
        f"About {about.minutes} minutes. This page shows the lesson after a run from top to bottom; "
        "solutions and hints are folded. You learn more by doing it in the notebook first.\n\n</div>\n"
    )


def card(built: Built) -> str:
    """A lesson in the list of lessons."""
    about, cells = built.student.metadata.innervision, built.student.cells
    roles = [cell.metadata.innervision.role for cell in cells]
    points = sum(cell.metadata.innervision.get("points", 0) for cell in cells)
    number, _, _ = built.slug.partition("-")
    return (
        f"-   **[{number} · {about.title}]({built.slug}.md)**\n\n"
        f"    {about.minutes} minutes · {roles.count('exercise')} exercises · {roles.count('question')} questions · "
        f"{points:g} points · claim {about.claim}"
    )


def kept(solved: NotebookNode, slug: str) -> str:
    """The executed notebook, from the cache if lesson and library are what they were."""

    def run(path: Path) -> None:
        print(f"running lesson {slug} …", flush=True)
        path.write_text(nbformat.writes(execute(solved)), encoding="utf-8")

    return cached(cache_name(solved, slug), run).read_text(encoding="utf-8")


def keep(executed: NotebookNode, solved: NotebookNode, slug: str) -> None:
    """Put a notebook that was executed elsewhere into the cache."""
    write_text_aside(CACHE / cache_name(solved, slug), nbformat.writes(executed))


def cache_name(solved: NotebookNode, slug: str) -> str:
    """Of an executed notebook: its slug, and a hash of all that its outputs depend on."""
    key = fingerprint(
        nbformat.writes(solved).encode(), LIBRARY, ROOT / "tests" / "graders", ROOT / "tests" / "misconceptions"
    )
    return f"{slug}-{key}.ipynb"


def execute(notebook: NotebookNode) -> NotebookNode:
    """Run a notebook from top to bottom in an empty folder; sharp pictures."""
    notebook = nbformat.from_dict(notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(notebook_page.RETINA))
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
    del notebook.cells[0]
    return notebook


def write_pictures() -> None:
    """The drawn neurons of the home page and of mini's page."""

    def draw(folder: Path) -> None:
        from tools import pictures

        print("drawing mini's neurons …", flush=True)
        folder.mkdir()
        (folder / "home.md").write_text(pictures.home_gallery(folder), encoding="utf-8")
        (folder / "layers.md").write_text(pictures.layer_rows(folder), encoding="utf-8")

    drawing = [LIBRARY / name for name in ("models", "optvis", "data", "activations.py")]
    drawn = cached(f"pictures-{fingerprint(b'', ROOT / 'tools' / 'pictures.py', *drawing)}", draw)
    shutil.copytree(drawn, PAGES / "images" / "neurons", ignore=shutil.ignore_patterns("*.md"))
    shutil.copytree(drawn, PAGES / "snippets" / "neurons", ignore=shutil.ignore_patterns("*.webp"))


def write_circuit_figures() -> None:
    """The figures of the reference pages of stimuli and circuits."""

    def draw(folder: Path) -> None:
        from tools.circuit_figures import figures

        print("drawing stimuli and circuits …", flush=True)
        folder.mkdir()
        figures(folder)

    sources = [LIBRARY / name for name in ("models", "optvis", "data", "circuits", "plots", "activations.py")]
    drawn = cached(f"circuits-{fingerprint(b'', ROOT / 'tools' / 'circuit_figures.py', *sources)}", draw)
    shutil.copytree(drawn, PAGES / "images" / "circuits")


def write_gallery(*, draft: bool) -> None:
    """The page on which every technique is drawn once."""

    def draw(folder: Path) -> None:
        from tools.gallery import gallery

        folder.mkdir()
        (folder / "gallery.md").write_text(gallery(folder, draft=draft), encoding="utf-8")

    sources = [LIBRARY / name for name in ("models", "optvis", "data", "activations.py")]
    sources += [ROOT / "tools" / "gallery.py", ROOT / "tools" / "gallery.toml"]
    drawn = cached(f"gallery-{'draft-' * draft}{fingerprint(b'', *sources)}", draw)
    shutil.copytree(drawn, PAGES / "images" / "gallery", ignore=shutil.ignore_patterns("*.md"))
    shutil.copyfile(drawn / "gallery.md", PAGES / "gallery.md")


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder ``name`` of the cache; ``make`` writes it if it is not there."""
    path = CACHE / name
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as aside:
            make(Path(aside) / name)
            (Path(aside) / name).rename(path)
    return path


def fingerprint(part: bytes, *sources: Path) -> str:
    """A hash of ``part`` and of all code and weights in some files and folders."""
    digest = hashlib.sha256(part)
    for path in sorted(path for source in sources for path in ([source] if source.is_file() else source.rglob("*"))):
        if path.suffix in (".py", ".safetensors", ".toml"):
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def about_mini() -> str:
    """Tables of numbers about mini: how it was trained and measured, and its layers."""
    weights = LIBRARY / "models" / "weights" / "weights.toml"
    entry = tomllib.loads(weights.read_text(encoding="utf-8"))["mini"]
    facts = [f"| {key.replace('_', ' ')} | {_value(key, value)} |" for key, value in entry.items()]
    return "\n".join(["| recorded | |", "|---|---|", *facts]) + "\n\n" + _layer_table()


def _value(key: str, value: object) -> str:
    if key == "accuracy" and isinstance(value, float):
        return f"{value:.2%}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"`{value}`" if isinstance(value, str) else str(value)


def _layer_table() -> str:
    from innervision.models import load
    from innervision.models.architectures import Convolution, Mixed

    network = load("mini")
    sizes = {name: sum(p.numel() for p in module.parameters()) for name, module in network.named_children()}
    lines = ["| layer | channels | parameters |", "|---|---:|---:|"]
    for step in network.architecture.steps:
        if isinstance(step, Convolution | Mixed):
            parts = sum(size for name, size in sizes.items() if name == step.name or name.startswith(f"{step.name}_"))
            lines.append(f"| `{step.name}` | {step.width} | {parts:,} |")
    classifier = network.architecture.classifier
    lines.append(f"| `{classifier}` | {network.architecture.classes} classes | {sizes[classifier]:,} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
