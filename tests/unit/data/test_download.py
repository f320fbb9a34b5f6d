import hashlib
import json

import pytest

from innervision.data import download as module
from innervision.data.cache import DataError
from innervision.data.download import download, npm_tarball

BODY = bytes(range(256)) * 10_000


def sha512(content):
    return hashlib.sha512(content).hexdigest()


@pytest.fixture
def without_npm(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)


def test_a_file_arrives_and_progress_is_told(server, tmp_path):
    server.pages["/file"] = (200, {}, BODY)
    seen = []
    download(f"{server.address}/file", tmp_path / "file", sha512(BODY), lambda done, total: seen.append((done, total)))
    assert (tmp_path / "file").read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def failure(function, *args):
    with pytest.raises(DataError) as error:
        function(*args)
    return str(error.value)


def test_other_content(server, tmp_path):
    server.pages["/file"] = (200, {}, BODY[:-1] + b"!")
    address = f"{server.address}/file"
    assert failure(download, address, tmp_path / "file", sha512(BODY)) == (
        f"source: {address} is not the expected file (its SHA-512 differs)"
    )


def test_a_broken_transfer(server, tmp_path):
    server.pages["/file"] = (200, {"Content-Length": "3000000"}, BODY)
    address = f"{server.address}/file"
    assert failure(download, address, tmp_path / "file", sha512(BODY)) in (
        f"source: {address} broke off after 2,560,000 of 3,000,000 bytes; try again",
        # Python 3.14 and later notice it themselves.
        f"source: {address} could not be downloaded (IncompleteRead(414464 bytes read, 440000 more expected))",
    )


def test_no_such_page_and_no_server(server, tmp_path):
    address = f"{server.address}/gone"
    assert failure(download, address, tmp_path / "file", "") == (
        f"source: {address} could not be downloaded (Not Found)"
    )
    message = failure(download, "http://127.0.0.1:9/file", tmp_path / "file", "")
    assert message.startswith("source: http://127.0.0.1:9/file could not be downloaded (")
    assert "refused" in message


def test_the_registry_says_where_the_tarball_is(server):
    server.pages["/thing/1.2.3"] = (200, {}, json.dumps({"dist": {"tarball": "https://x/thing.tgz"}}).encode())
    assert npm_tarball("thing", "1.2.3", server.address + "/") == "https://x/thing.tgz"


def test_without_npm_the_public_registry_is_asked(server, monkeypatch, without_npm):
    server.pages["/thing/1"] = (200, {}, json.dumps({"dist": {"tarball": "https://x/t.tgz"}}).encode())
    monkeypatch.setattr(module, "PUBLIC_REGISTRY", server.address)
    assert npm_tarball("thing", "1") == "https://x/t.tgz"
    assert server.asked == ["/thing/1"]


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"dist": {}}'])
def test_a_registry_that_talks_nonsense(server, body):
    server.pages["/thing/1"] = (200, {}, body)
    message = failure(npm_tarball, "thing", "1", server.address)
    assert message.startswith(f"registry: {server.address}/thing/1 gave no address of thing 1 (")


def test_a_registry_that_does_not_know_the_package(server):
    assert failure(npm_tarball, "thing", "1", server.address) == (
        f"registry: {server.address}/thing/1 gave no address of thing 1 (Not Found)"
    )


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A stand-in for the npm command."""

    def install(script):
        path = tmp_path / "npm"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(module.shutil, "which", lambda name: str(path) if name == "npm" else None)

    return install


def test_npm_is_asked_first(npm):
    npm('test "$*" = "view thing@1 dist.tarball" && echo warning >&2 && echo https://mirror/thing.tgz')
    assert npm_tarball("thing", "1") == "https://mirror/thing.tgz"


@pytest.mark.parametrize("script", ["exit 1", "echo nothing useful", "true"])
def test_where_npm_does_not_help_the_public_registry_does(npm, script, server, monkeypatch):
    npm(script)
    server.pages["/thing/1"] = (200, {}, json.dumps({"dist": {"tarball": "https://x/t.tgz"}}).encode())
    monkeypatch.setattr(module, "PUBLIC_REGISTRY", server.address)
    assert npm_tarball("thing", "1") == "https://x/t.tgz"
