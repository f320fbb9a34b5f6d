"""A CIFAR-10 of 60 images, in every form in which the real one arrives."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import tarfile
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from innervision.data import cifar10, strips

ROWS = 10


@dataclass
class Fake:
    """Images (n, 3, 32, 32) and labels of both splits, and the npm package's files."""

    arrays: dict[str, np.ndarray]
    files: dict[str, bytes]

    def tarball(self, path, files=None):
        with tarfile.open(path, "w:gz") as archive:
            for name, content in (self.files if files is None else files).items():
                member = tarfile.TarInfo(f"package/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    @staticmethod
    def png(images):
        buffer = io.BytesIO()
        Image.fromarray(images.transpose(0, 2, 3, 1).reshape(len(images), 1024, 3)).save(buffer, "PNG")
        return buffer.getvalue()


@pytest.fixture
def fake(monkeypatch):
    random = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 5 * ROWS), ("test", ROWS)):
        arrays[f"{split}_images"] = random.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
        arrays[f"{split}_labels"] = random.integers(0, 10, count)
    files = {f"data_batch_{n + 1}.png": Fake.png(arrays["train_images"][n * ROWS :][:ROWS]) for n in range(5)}
    files["test_batch.png"] = Fake.png(arrays["test_images"])
    files["train_lables.json"] = json.dumps(arrays["train_labels"].tolist()).encode()
    files["test_lables.json"] = json.dumps(arrays["test_labels"].tolist()).encode()
    monkeypatch.setattr(strips, "ROWS", ROWS)
    everything = hashlib.sha256()
    parts = {}
    for split in ("train", "test"):
        content = arrays[f"{split}_images"].tobytes() + arrays[f"{split}_labels"].astype("<i8").tobytes()
        everything.update(content)
        parts[split] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(cifar10, "CONTENT_SHA256", everything.hexdigest())
    monkeypatch.setattr(cifar10, "SPLIT_SHA256", parts)
    return Fake(arrays, files)


@pytest.fixture
def batches(fake, tmp_path, monkeypatch):
    """A folder with ``cifar-10-batches-py``, as torchvision leaves it."""
    from torchvision.datasets import CIFAR10

    folder = tmp_path / "home" / "cifar-10-batches-py"
    folder.mkdir(parents=True)

    def write(name, content):
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    def batch(name, images, labels):
        return write(name, {"data": images.reshape(len(images), 3072), "labels": labels.tolist()})

    train = [
        batch(
            f"data_batch_{n + 1}",
            fake.arrays["train_images"][n * ROWS :][:ROWS],
            fake.arrays["train_labels"][n * ROWS :][:ROWS],
        )
        for n in range(5)
    ]
    monkeypatch.setattr(CIFAR10, "train_list", train)
    test = batch("test_batch", fake.arrays["test_images"], fake.arrays["test_labels"])
    monkeypatch.setattr(CIFAR10, "test_list", [test])
    name, md5 = write("batches.meta", {"label_names": list(cifar10.CLASSES)})
    monkeypatch.setattr(CIFAR10, "meta", {"filename": name, "key": "label_names", "md5": md5})
    return folder.parent


@pytest.fixture
def server():
    """A local server; ``server.pages[path] = (status, headers, body)``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            status, headers, body = self.server.pages.get(self.path, (404, {}, b"not found"))
            self.send_response(status)
            for key, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that closing waits for every answer
    server.pages, server.asked = {}, []
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
