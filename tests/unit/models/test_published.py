"""Published weights, fetched from a local server that holds random numbers in the published layout."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.unit.serving import FileServer, Page, serving

from innervision.data import resumable
from innervision.data.cache import DataError
from innervision.models import Architecture, Inception, inception_weights, load
from innervision.models.architectures import Convolution, Mixed, Pool
from innervision.models.published import Source, record_of

SMALL = Architecture(
    steps=(Convolution("conv2d0", 8, 7, stride=2), Pool("maxpool0"), Mixed("mixed3a", 4, 6, 8, 2, 4, 4)),
    classes=10,
    mean=(0.5, 0.5, 0.5),
    scale=(255.0, 255.0, 255.0),
    classifier="softmax2_pre_activation",
    image_size=32,
)


def published(architecture: Architecture = SMALL, seed: int = 3) -> dict[str, torch.Tensor]:
    """A state dict with random numbers under the keys in which InceptionV1 was ported to torch."""
    generator = torch.Generator().manual_seed(seed)
    return {
        key.replace(".conv.", "_pre_relu_conv.").replace("_pre_activation.", "_pre_activation_matmul."): torch.randn(
            value.shape, generator=generator
        )
        for key, value in Inception(architecture).state_dict().items()
    }


def saved(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server with the file in two places, and a library that asks there; the network is a small one."""
    monkeypatch.setattr(inception_weights, "FULL", SMALL)
    monkeypatch.setattr(resumable, "PIECE", 1000)
    with serving() as server:
        places = [("/first/inception5h.pth", "inception5h.pth"), ("/second/inception5h.pth", "other.pth")]
        sources = [Source(server.address + path, file) for path, file in places]
        monkeypatch.setattr(inception_weights, "SOURCES", sources)
        yield server


@pytest.fixture
def content(host: FileServer) -> bytes:
    """The published file; it lies in the first place."""
    body = saved(published())
    host.pages["/first/inception5h.pth"] = Page(body)
    return body


def weights_in(cache: Path) -> list[str]:
    """What lies in the cache, but for the lock."""
    folder = cache / "weights"
    return sorted(name for name in os.listdir(folder) if not name.endswith(".lock")) if folder.is_dir() else []


def failure(cache: Path) -> str:
    with pytest.raises(DataError) as error:
        load("inceptionv1", cache=cache)
    return str(error.value)


def check_network(network: Any, state: dict[str, torch.Tensor]) -> None:
    assert torch.equal(network.mixed3a_5x5.conv.weight, state["mixed3a_5x5_pre_relu_conv.weight"])
    assert torch.equal(network.softmax2_pre_activation.bias, state["softmax2_pre_activation_matmul.bias"])


def fetching_failed(host: FileServer, first: str, second: str = "could not be downloaded (Not Found)") -> str:
    return (
        f'weights: those of "inceptionv1" could not be fetched: {host.address}/first/inception5h.pth {first}; '
        f"{host.address}/second/inception5h.pth {second}; download such a file elsewhere and pass weights=PATH"
    )


def test_a_full_file_is_fetched_once_and_its_hash_recorded(host: FileServer, content: bytes, tmp_path: Path) -> None:
    check_network(load("inceptionv1", cache=tmp_path), published())
    assert weights_in(tmp_path) == ["inception5h.pth", "inception5h.pth.sha256"]
    path = tmp_path / "weights" / "inception5h.pth"
    assert path.read_bytes() == content
    assert record_of(path).read_text() == f"{hashlib.sha256(content).hexdigest()}  inception5h.pth\n"
    host.asked.clear()
    check_network(load("inceptionv1", cache=tmp_path), published())
    assert host.asked == []


def test_the_cache_is_where_the_environment_says(
    host: FileServer, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INNERVISION_CACHE", str(tmp_path / "mine"))
    load("inceptionv1")
    assert "inception5h.pth" in weights_in(tmp_path / "mine")


def test_a_broken_download_is_continued(host: FileServer, content: bytes, tmp_path: Path) -> None:
    host.pages["/first/inception5h.pth"] = Page(content, cut=5000)
    message = failure(tmp_path)
    arrived = (tmp_path / "weights" / ".inception5h.pth.part").stat().st_size
    assert 0 < arrived <= 5000
    assert message == fetching_failed(host, f"broke off after {arrived:,} of {len(content):,} bytes; try again")
    assert weights_in(tmp_path) == [".inception5h.pth.part", ".inception5h.pth.part.json"]
    host.pages["/first/inception5h.pth"] = Page(content)
    host.asked.clear()
    check_network(load("inceptionv1", cache=tmp_path), published())
    assert host.asked == [("/first/inception5h.pth", f"bytes={arrived}-")]
    assert weights_in(tmp_path) == ["inception5h.pth", "inception5h.pth.sha256"]


def test_where_the_first_place_fails_the_second_serves(host: FileServer, tmp_path: Path) -> None:
    host.pages["/second/inception5h.pth"] = Page(saved(published()))
    check_network(load("inceptionv1", cache=tmp_path), published())
    assert weights_in(tmp_path) == ["other.pth", "other.pth.sha256"]


def test_without_a_network_the_error_says_what_to_do(host: FileServer, tmp_path: Path) -> None:
    missing = "could not be downloaded (Not Found)"
    assert failure(tmp_path) == fetching_failed(host, missing)
    assert weights_in(tmp_path) == []


def cannot_be_read(host: FileServer) -> str:
    return fetching_failed(host, "cannot be read as weights; it is damaged or of another kind")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_file_truncated_at_its_source(host: FileServer, content: bytes, tmp_path: Path, keep: float) -> None:
    host.pages["/first/inception5h.pth"] = Page(content[: int(keep * len(content))])
    assert failure(tmp_path) == cannot_be_read(host)
    assert weights_in(tmp_path) == []


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><html>Sign in", b"\n <html lang='en'>", b'<?xml version="1.0"?><Error>']
)
def test_a_web_page_instead_of_weights(host: FileServer, tmp_path: Path, body: bytes) -> None:
    host.pages["/first/inception5h.pth"] = Page(body, kind="text/html")
    assert failure(tmp_path) == fetching_failed(host, "gave a web page, not a file of weights")
    assert weights_in(tmp_path) == []


def test_text_instead_of_weights(host: FileServer, tmp_path: Path) -> None:
    host.pages["/first/inception5h.pth"] = Page(b"version https://git-lfs.github.com/spec/v1\n")
    assert failure(tmp_path) == cannot_be_read(host)
    assert weights_in(tmp_path) == []


def test_wrong_shapes(host: FileServer, tmp_path: Path) -> None:
    state = published() | {"mixed3a_1x1_pre_relu_conv.bias": torch.zeros(5)}
    host.pages["/first/inception5h.pth"] = Page(saved(state))
    complaint = 'has "mixed3a_1x1.conv.bias" of shape (5,), expected (4,); these are not weights of "inceptionv1"'
    assert failure(tmp_path) == fetching_failed(host, complaint)
    assert weights_in(tmp_path) == []


def test_missing_keys(host: FileServer, tmp_path: Path) -> None:
    state = {key: value for key, value in published().items() if "3x3" not in key}
    host.pages["/first/inception5h.pth"] = Page(saved(state))
    complaint = 'lacks parameter "mixed3a_3x3.conv.bias" and 3 more; these are not weights of "inceptionv1"'
    assert failure(tmp_path) == fetching_failed(host, complaint)


def test_a_published_hash_that_differs(
    host: FileServer, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{host.address}/first/inception5h.pth"
    monkeypatch.setattr(inception_weights, "SOURCES", [Source(address, "inception5h.pth", sha256="0000000g")])
    begins = hashlib.sha256(content).hexdigest()[:8]
    assert failure(tmp_path) == (
        f'weights: those of "inceptionv1" could not be fetched: {address} is not the published file: its SHA-256 '
        f"begins with {begins}, not 0000000g; download such a file elsewhere and pass weights=PATH"
    )
    assert weights_in(tmp_path) == []
    monkeypatch.setattr(inception_weights, "SOURCES", [Source(address, "inception5h.pth", sha256=begins)])
    check_network(load("inceptionv1", cache=tmp_path), published())


def test_a_recorded_hash_is_enforced_on_the_cache(host: FileServer, content: bytes, tmp_path: Path) -> None:
    load("inceptionv1", cache=tmp_path)
    path = tmp_path / "weights" / "inception5h.pth"
    path.write_bytes(saved(published(seed=4)))
    complaint = f"is not the file that was verified before: its SHA-256 differs from the one in {record_of(path)}"
    assert failure(tmp_path) == f"weights: {path} {complaint}"
    path.unlink()  # what the publisher then sends must be the same file, too
    host.pages["/first/inception5h.pth"] = Page(saved(published(seed=4)), {"ETag": '"two"'})
    assert failure(tmp_path) == fetching_failed(host, complaint)
    assert weights_in(tmp_path) == ["inception5h.pth.sha256"]
    host.pages["/first/inception5h.pth"] = Page(content)
    check_network(load("inceptionv1", cache=tmp_path), published())


def test_a_file_put_into_the_cache_by_hand_is_checked_and_recorded(host: FileServer, tmp_path: Path) -> None:
    path = tmp_path / "weights" / "inception5h.pth"
    path.parent.mkdir()
    path.write_bytes(b"not weights")
    assert failure(tmp_path) == f"weights: {path} cannot be read as weights; it is damaged or of another kind"
    assert not record_of(path).exists()
    path.write_bytes(saved(published()))
    check_network(load("inceptionv1", cache=tmp_path), published())
    assert record_of(path).exists()
    assert host.asked == []


def test_a_cache_that_cannot_be_made(host: FileServer, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "weights"
    assert failure(tmp_path / "file") == (
        f"cache: {folder} cannot be written (Not a directory); name another folder in INNERVISION_CACHE, "
        "or pass weights=PATH"
    )


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_for_everyone_but_root(host: FileServer, content: bytes, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert failure(tmp_path).startswith(f"cache: {tmp_path / 'weights'} cannot be written (Permission denied); ")
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_cache(host: FileServer, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *args: Any, **kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert failure(tmp_path).startswith(f"cache: {tmp_path / 'weights'} cannot be written (Permission denied); ")
    assert weights_in(tmp_path) == []


def test_a_full_disk_keeps_the_name_free(
    host: FileServer, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(resumable, "_receive", refuse)
    assert failure(tmp_path).startswith(f"cache: {tmp_path / 'weights'} cannot be written (No space left on device); ")
    assert "inception5h.pth" not in weights_in(tmp_path)


def test_what_is_in_a_read_only_cache_is_used(
    host: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights" / "inception5h.pth"
    path.parent.mkdir()
    path.write_bytes(saved(published()))
    module = "innervision.models.published"

    def refuse(*args: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(f"{module}.write_text_aside", refuse)
    check_network(load("inceptionv1", cache=tmp_path), published())
    assert weights_in(tmp_path) == ["inception5h.pth"]


def test_a_damaged_record_is_written_anew(host: FileServer, content: bytes, tmp_path: Path) -> None:
    load("inceptionv1", cache=tmp_path)
    record = record_of(tmp_path / "weights" / "inception5h.pth")
    record.write_text("")
    load("inceptionv1", cache=tmp_path)
    assert record.read_text().startswith(hashlib.sha256(content).hexdigest())
