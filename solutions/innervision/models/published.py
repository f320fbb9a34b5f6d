"""Weights that others publish: fetched once, checked, kept in the user's cache.

Not every publisher states a hash. So what arrives is checked for keys and shapes before it is used; then its SHA-256 is
recorded beside it, and from that moment on no other bytes are accepted in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from innervision.data.cache import ENVIRONMENT_VARIABLE, DataError, cache_folder
from innervision.data.download import Progress
from innervision.data.resumable import fetch, forget
from innervision.files import write_text_aside
from innervision.models.states import file_sha256

FOLDER = "weights"
"""Folder of the cache in which published weights lie."""

T = TypeVar("T")

Reader = Callable[[Path, str], T]
"""``(path, what to call it in errors) -> what is in it``; raises ``DataError`` unless these are the right weights."""


@dataclass(frozen=True)
class Source:
    """One place where a file of weights is published.

    Attributes:
        address: Where it lies.
        file: Its name in the cache; two sources whose bytes differ have two names.
        sha256: How its SHA-256 begins, in hexadecimal, as far as the publisher states it.
    """

    address: str
    file: str
    sha256: str = ""


def read_published(
    name: str, sources: Sequence[Source], read: Reader[T], cache: str | Path | None = None, *, bar: bool = True
) -> T:
    """What is in the first source that is in the cache; else in the first that can be fetched.

    Args:
        name: The network's name, for errors.
        sources: Places with the same weights, the preferred one first.
        read: Reads and checks a file.
        cache: Folder of downloaded data; see ``cache_folder``.
        bar: Show a progress bar while a file arrives (only on a terminal).

    Raises:
        DataError: A file in the cache is not the one that was verified, the cache cannot be written, or no source
            gives the right weights.
    """
    folder = cache_folder(cache) / FOLDER
    for source in sources:
        if (folder / source.file).exists():
            return _verified(folder / source.file, folder / source.file, source, read)
    failures = []
    for source in sources:
        try:
            return _fetched(source, folder, read, bar)
        except DataError as error:
            failures.append(str(error).removeprefix("source: ").removeprefix("weights: "))
        except OSError as error:
            raise DataError(
                f"cache: {folder} cannot be written ({error.strerror or error}); "
                f"name another folder in {ENVIRONMENT_VARIABLE}, or pass weights=PATH"
            ) from error
    raise DataError(
        f'weights: those of "{name}" could not be fetched: {"; ".join(failures)}; '
        "download such a file elsewhere and pass weights=PATH"
    )


def record_of(path: Path) -> Path:
    """The file that holds the SHA-256 of the verified bytes, as ``sha256sum`` writes it."""
    return path.with_name(path.name + ".sha256")


def _fetched(source: Source, folder: Path, read: Reader[T], bar: bool) -> T:
    """Fetch one source; only verified bytes ever get the file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / source.file, folder / f".{source.file}.part"
    with FileLock(folder / f".{source.file}.lock"):  # of two processes the second one waits, and finds the file
        if path.exists():
            return _verified(path, path, source, read)
        with _progress(source.file, bar) as progress:
            fetch(source.address, part, progress)
        try:
            _refuse_page(part, source.address)
            content = _verified(part, source.address, source, read, record_of(path))
        except DataError:
            forget(part)
            raise
        part.replace(path)
        forget(part)
        return content


def _verified(path: Path, origin: str | Path, source: Source, read: Reader[T], record: Path | None = None) -> T:
    """Read a file whose hash is the published and the recorded one; record the hash of the first that can be read."""
    record = record or record_of(path)
    found = file_sha256(path)
    if not found.startswith(source.sha256):
        raise DataError(
            f"weights: {origin} is not the published file: its SHA-256 begins with "
            f"{found[: len(source.sha256)]}, not {source.sha256}"
        )
    recorded = record.read_text(encoding="utf-8").split()[:1] if record.exists() else []
    if recorded and recorded != [found]:
        raise DataError(
            f"weights: {origin} is not the file that was verified before: its SHA-256 differs from the one in {record}"
        )
    content = read(path, str(origin))
    if not recorded:
        with suppress(OSError):  # a cache that may only be read: its file is checked each time
            write_text_aside(record, f"{found}  {source.file}\n")
    return content


def _refuse_page(part: Path, address: str) -> None:
    with part.open("rb") as file:
        start = file.read(1024).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(f"weights: {address} gave a web page, not a file of weights")


@contextmanager
def _progress(label: str, bar: bool) -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not (bar and console.is_terminal)) as shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
