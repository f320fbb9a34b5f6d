"""Fetch a large file so that a broken connection costs little: what arrived stays, the next call goes on from there.

Beside the unfinished file a note says which version of which address its bytes are of. Only the same version is
continued (HTTP's ``If-Range``); everything else starts anew, so bytes of two versions never meet in one file.

Source: RFC 9110, "HTTP Semantics", sections 13.1.5 (If-Range) and 14 (Range requests).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO

from innervision.data.cache import DataError
from innervision.data.download import Progress, reason

PIECE = 1 << 20
"""Bytes read at once."""


@dataclass(frozen=True)
class Version:
    """What the bytes of an unfinished file belong to.

    Attributes:
        address: Where they came from.
        validator: The server's mark of this version (``ETag``, else ``Last-Modified``).
        total: Bytes of the whole file.
    """

    address: str
    validator: str
    total: int


def note_of(part: Path) -> Path:
    """The file beside an unfinished file that says what it is a part of."""
    return part.with_name(part.name + ".json")


def forget(part: Path) -> None:
    """Remove an unfinished file and its note."""
    part.unlink(missing_ok=True)
    note_of(part).unlink(missing_ok=True)


def fetch(address: str, part: Path, progress: Progress = lambda done, total: None) -> None:
    """Bring what lies at ``address`` into ``part``, going on where an earlier call broke off.

    Args:
        address: An http(s) address.
        part: The file to fill; its folder exists. After an error it holds what arrived so far.
        progress: Called after each piece with the bytes that are there and the bytes expected in all.

    Raises:
        DataError: No answer, or a broken transfer.
        OSError: ``part`` cannot be written.
    """
    known = _known(part, address)
    if known and part.stat().st_size == known.total:
        return
    try:
        _transfer(address, part, known, progress)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416 or known is None:  # 416: there is nothing at that place; our part is of no use
            raise DataError(f"source: {address} could not be downloaded ({reason(error)})") from error
        forget(part)
        fetch(address, part, progress)


def _known(part: Path, address: str) -> Version | None:
    """What the unfinished file is a part of, if it can be continued."""
    try:
        version = Version(**json.loads(note_of(part).read_text(encoding="utf-8")))
        return version if version.address == address and 0 < part.stat().st_size <= version.total else None
    except (OSError, ValueError, TypeError):
        return None


def _transfer(address: str, part: Path, known: Version | None, progress: Progress) -> None:
    request = urllib.request.Request(address)
    if known:
        request.add_header("Range", f"bytes={part.stat().st_size}-")
        request.add_header("If-Range", known.validator)
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        raise DataError(f"source: {address} could not be downloaded ({reason(error)})") from error
    with answer:
        if answer.status == 206 and known:
            start = part.stat().st_size
            total: int | None = known.total
            if not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                forget(part)
                raise DataError(f"source: {address} sent another part than was asked for; try again")
        else:
            forget(part)
            start, total = 0, _length(answer)
            _write_note(part, address, answer, total)
        with part.open("ab") as file:
            _receive(answer, address, file, start, total, progress)


def _length(answer: HTTPResponse) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _write_note(part: Path, address: str, answer: HTTPResponse, total: int | None) -> None:
    """Remember the version, if the server names one: a weak ETag promises no equal bytes."""
    strong = answer.headers.get("ETag", "W/")
    validator = answer.headers.get("Last-Modified", "") if strong.startswith("W/") else strong
    if validator and total:
        note_of(part).write_text(json.dumps(asdict(Version(address, validator, total))), encoding="utf-8")


def _receive(
    answer: HTTPResponse, address: str, file: BinaryIO, received: int, total: int | None, progress: Progress
) -> None:
    while True:
        try:
            piece = answer.read(PIECE)
        except (OSError, HTTPException) as error:
            raise DataError(_broken(address, received, total)) from error
        if not piece:
            break
        file.write(piece)
        received += len(piece)
        progress(received, total)
    if total is not None and received != total:
        raise DataError(_broken(address, received, total))


def _broken(address: str, received: int, total: int | None) -> str:
    of = "" if total is None else f" of {total:,}"
    return f"source: {address} broke off after {received:,}{of} bytes; try again"
