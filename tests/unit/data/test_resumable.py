"""A download that breaks off is continued, and only ever with bytes of the same version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.serving import FileServer, Page, serving

from innervision.data import resumable
from innervision.data.cache import DataError
from innervision.data.resumable import fetch, forget, note_of

BODY = bytes(range(256)) * 400
OTHER = bytes(reversed(BODY))


@pytest.fixture
def host() -> Iterator[FileServer]:
    with serving() as server:
        server.pages["/file"] = Page(BODY)
        yield server


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "PIECE", 1000)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "file.part"


def break_off(host: FileServer, part: Path, at: int = 30_500, **changes: object) -> str:
    """Fetch until the connection breaks; mend the server; return the error."""
    host.pages["/file"] = Page(BODY, cut=at, **changes)  # type: ignore[arg-type]
    with pytest.raises(DataError) as error:
        fetch(f"{host.address}/file", part)
    host.pages["/file"] = Page(BODY, **changes)  # type: ignore[arg-type]
    host.asked.clear()
    return str(error.value)


def test_a_whole_file(host: FileServer, part: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    fetch(f"{host.address}/file", part, lambda done, total: seen.append((done, total)))
    assert part.read_bytes() == BODY
    assert seen == sorted(seen)
    assert seen[-1] == (len(BODY), len(BODY))


@pytest.mark.parametrize("validator", [{"ETag": '"one"'}, {"ETag": 'W/"one"', "Last-Modified": "yesterday"}])
def test_what_broke_off_is_continued(host: FileServer, part: Path, validator: dict[str, str]) -> None:
    message = break_off(host, part, validator=validator)
    address = f"{host.address}/file"
    assert message == f"source: {address} broke off after {part.stat().st_size:,} of 102,400 bytes; try again"
    arrived = part.stat().st_size
    assert 0 < arrived <= 30_500
    seen: list[int] = []
    fetch(address, part, lambda done, total: seen.append(done))
    assert host.asked == [("/file", f"bytes={arrived}-")]
    assert seen[0] > arrived
    assert part.read_bytes() == BODY


def test_a_whole_part_asks_nobody(host: FileServer, part: Path) -> None:
    fetch(f"{host.address}/file", part)
    host.asked.clear()
    fetch(f"{host.address}/file", part)
    assert host.asked == []


def test_another_version_starts_anew(host: FileServer, part: Path) -> None:
    break_off(host, part)
    host.pages["/file"] = Page(OTHER, {"ETag": '"two"'})
    fetch(f"{host.address}/file", part)
    assert part.read_bytes() == OTHER


@pytest.mark.parametrize("changes", [{"ranges": "none"}, {"validator": {}}, {"validator": {"ETag": 'W/"weak"'}}])
def test_a_server_that_cannot_continue_sends_all(host: FileServer, part: Path, changes: dict[str, object]) -> None:
    break_off(host, part, **changes)
    fetch(f"{host.address}/file", part)
    assert part.read_bytes() == BODY


@pytest.mark.parametrize("note", ["", "[1]", "{}", '{"address": 1, "validator": 2}', None])
def test_a_part_without_its_note_starts_anew(host: FileServer, part: Path, note: str | None) -> None:
    break_off(host, part)
    part.write_bytes(OTHER[:20_000])
    note_of(part).unlink() if note is None else note_of(part).write_text(note)
    fetch(f"{host.address}/file", part)
    assert host.asked == [("/file", None)]
    assert part.read_bytes() == BODY


def test_a_part_of_another_address_starts_anew(host: FileServer, part: Path) -> None:
    break_off(host, part)
    host.pages["/other"] = Page(OTHER)
    fetch(f"{host.address}/other", part)
    assert host.asked == [("/other", None)]
    assert part.read_bytes() == OTHER


def test_a_place_behind_the_end_starts_anew(host: FileServer, part: Path) -> None:
    break_off(host, part)
    host.pages["/file"] = Page(BODY[:10_000], ranges="unconditional")
    fetch(f"{host.address}/file", part)
    assert part.read_bytes() == BODY[:10_000]


def test_another_part_than_asked_for(host: FileServer, part: Path) -> None:
    break_off(host, part)
    host.pages["/file"] = Page(BODY, ranges="wrong")
    with pytest.raises(DataError) as error:
        fetch(f"{host.address}/file", part)
    assert str(error.value) == f"source: {host.address}/file sent another part than was asked for; try again"
    assert not part.exists()


def test_no_page_and_no_server(host: FileServer, part: Path) -> None:
    with pytest.raises(DataError) as error:
        fetch(f"{host.address}/gone", part)
    assert str(error.value) == f"source: {host.address}/gone could not be downloaded (Not Found)"
    with pytest.raises(DataError, match=re.escape("source: http://127.0.0.1:9/file could not be downloaded (")):
        fetch("http://127.0.0.1:9/file", part)
    assert not part.exists()


def test_a_part_that_cannot_be_written(host: FileServer, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        fetch(f"{host.address}/file", tmp_path / "missing" / "part")


def test_nothing_is_left_when_forgotten(host: FileServer, part: Path) -> None:
    break_off(host, part)
    assert note_of(part).exists()
    forget(part)
    assert list(part.parent.iterdir()) == []
    forget(part)
