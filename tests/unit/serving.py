"""A local server of files that can go wrong in the ways in which real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What lies at one path.

    Attributes:
        body: The file.
        validator: Headers that name this version of it.
        kind: The Content-Type.
        cut: How many bytes of an answer are sent before the connection breaks.
        ranges: "right", "none" (always the whole file), "unconditional" (If-Range is not looked at), or "wrong" (the
            first bytes, whatever was asked for).
    """

    body: bytes
    validator: dict[str, str] = field(default_factory=lambda: {"ETag": '"one"'})
    kind: str = "application/octet-stream"
    cut: int | None = None
    ranges: str = "right"


class FileServer(ThreadingHTTPServer):
    """Serves ``pages[path]``; ``asked`` lists the path and the ``Range`` of every request."""

    daemon_threads = False  # so that closing waits for every answer

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, FileServer)
        server.asked.append((self.path, self.headers.get("Range")))
        page = server.pages.get(self.path)
        if page is None:
            self.send_error(404)
            return
        start = self._start(page)
        if start >= len(page.body) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start or (page.ranges == "wrong" and self.headers.get("Range")) else 200)
        body = page.body[start:]
        headers = page.validator | {"Content-Type": page.kind, "Content-Length": str(len(body))}
        headers["Content-Range"] = f"bytes {start}-{len(page.body) - 1}/{len(page.body)}"
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body[: page.cut])

    def _start(self, page: Page) -> int:
        asked = self.headers.get("Range")
        same = self.headers.get("If-Range") in page.validator.values()
        if asked is None or page.ranges in ("none", "wrong") or not (same or page.ranges == "unconditional"):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[FileServer]:
    """A running server; it is gone after the block."""
    server = FileServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
