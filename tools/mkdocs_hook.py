"""MkDocs hook: the generated pages of ``build/pages`` join the hand-written ones of ``site/``."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

PAGES = Path(__file__).resolve().parents[1] / "build" / "pages"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List every generated lesson in the navigation."""
    if not PAGES.is_dir():
        raise PluginError(f"{PAGES} is not there; run `make site`, which writes the generated pages first.")
    for entry in config.nav or []:
        if "Lessons" in entry:
            entry["Lessons"] = [
                "lessons/index.md",
                *(f"lessons/{page.name}" for page in sorted(PAGES.glob("lessons/*.md"))),
            ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated files, except snippets, which pages include."""
    for path in sorted(PAGES.rglob("*")):
        name = path.relative_to(PAGES)
        if path.is_file() and name.parts[0] != "snippets":
            files.append(File.generated(config, name.as_posix(), abs_src_path=str(path)))
    return files
