import json
import os
import shutil

import pytest
import torch

from innervision.data import cifar10
from innervision.data import sample as module
from innervision.data.cache import DataError
from innervision.data.sample import (
    SAMPLE_FOLDER,
    TRAINING_SAMPLE_FOLDER,
    Sample,
    choose,
    load_sample,
    load_training_sample,
    write_sample,
)
from innervision.models.packaged import provenance


def test_the_sample_that_ships():
    sample = load_sample()
    assert sample.images.shape == (1000, 3, 32, 32)
    assert (sample.images.dtype, sample.labels.dtype, sample.indices.dtype) == (torch.uint8, torch.int64, torch.int64)
    assert sample.labels.bincount().tolist() == [100] * 10
    assert sample.indices.tolist() == sorted(set(sample.indices.tolist()))
    # The test set begins with a cat, two ships and an airplane.
    assert [cifar10.CLASSES[label] for label in sample.labels[:4]] == ["cat", "ship", "ship", "airplane"]
    assert sample.images.is_contiguous()


def test_the_training_sample_that_ships():
    sample = load_training_sample()
    assert sample.images.shape == (1200, 3, 32, 32)
    assert sample.labels.bincount().tolist() == [120] * 10
    # The training set begins with a frog and two trucks.
    assert [cifar10.CLASSES[label] for label in sample.labels[:3]] == ["frog", "truck", "truck"]


def test_no_image_is_in_both_samples():
    tested, trained = (
        set(map(bytes, sample.images.flatten(1).numpy())) for sample in (load_sample(), load_training_sample())
    )
    assert len(tested) == 1000
    assert len(trained) == 1200
    assert not tested & trained


@pytest.mark.parametrize("folder", [SAMPLE_FOLDER, TRAINING_SAMPLE_FOLDER])
def test_it_is_small_and_says_where_it_comes_from(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 5e6
    assert sorted(os.listdir(folder)) == ["README.md", "images.png", "index.json"]
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "Krizhevsky" in text
    assert "Licence" in text


def test_the_first_of_each_class_are_chosen_in_their_order():
    labels = torch.tensor([1, 1, 0, 1, 0, 0, 2, 2])
    assert choose(labels, 2).tolist() == [0, 1, 2, 4, 6, 7]


@pytest.fixture
def eighty(monkeypatch):
    """A test set of 80 images, of which 40 are the sample."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (80, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.arange(80) % 10
    monkeypatch.setattr(cifar10, "load", lambda split, cache: (images, labels))
    monkeypatch.setattr(module, "choose", lambda labels, per_class: choose(labels, 4))
    return Sample(images[:40], labels[:40], torch.arange(40))


def test_what_is_written_is_read(eighty, tmp_path):
    written = write_sample(folder=tmp_path)
    for sample in (written, load_sample(tmp_path)):
        for name in ("images", "labels", "indices"):
            assert torch.equal(getattr(sample, name), getattr(eighty, name))
    assert sorted(os.listdir(tmp_path)) == ["images.png", "index.json"]


def test_images_are_upright_in_the_picture(eighty, tmp_path):
    from PIL import Image

    write_sample(folder=tmp_path)
    with Image.open(tmp_path / "images.png") as picture:
        assert picture.size == (40 * 32, 32)
        assert picture.getpixel((32 * 7 + 5, 3)) == tuple(eighty.images[7, :, 3, 5].tolist())


def failure(folder):
    with pytest.raises(DataError) as error:
        load_sample(folder)
    return str(error.value)


@pytest.mark.parametrize("damage", ["no folder", "no picture", "half a picture", "no index", "half an index"])
def test_damaged_files(tmp_path, damage):
    folder = tmp_path / "sample"
    if damage != "no folder":
        shutil.copytree(SAMPLE_FOLDER, folder)
        path = folder / ("images.png" if "picture" in damage else "index.json")
        content = path.read_bytes()
        path.unlink()
        if damage.startswith("half"):
            path.write_bytes(content[: len(content) // 2])
    assert failure(folder) == f"sample: the files in {folder} are missing or damaged; reinstall innervision"


def test_files_that_do_not_belong_together(tmp_path):
    shutil.copytree(SAMPLE_FOLDER, tmp_path, dirs_exist_ok=True)
    index = json.loads((tmp_path / "index.json").read_text())
    index["labels"][0] = (index["labels"][0] + 1) % 10
    (tmp_path / "index.json").write_text(json.dumps(index))
    assert failure(tmp_path) == f"sample: the files in {tmp_path} do not belong together; reinstall innervision"


@pytest.mark.slow
def test_the_sample_is_of_the_real_test_set():
    try:
        images, labels = cifar10.load("test")
    except DataError:
        pytest.skip("CIFAR-10 was not fetched on this machine")
    sample = load_sample()
    assert torch.equal(sample.images, images[sample.indices])
    assert torch.equal(sample.labels, labels[sample.indices])
    assert torch.equal(sample.indices, choose(labels))


def test_the_training_sample_is_what_networks_were_trained_on():
    sample = load_training_sample()
    assert sample.labels.bincount().tolist() == [120] * 10
    for name in ("true-labels-0", "half-labels-1", "random-labels-2"):
        assert provenance(name)["data_sha256"] == cifar10.content_sha256(sample.images, sample.labels)


@pytest.mark.slow
def test_the_training_sample_is_of_the_real_training_set():
    try:
        images, labels = cifar10.load("train")
    except DataError:
        pytest.skip("CIFAR-10 was not fetched on this machine")
    sample = load_training_sample()
    assert torch.equal(sample.images, images[sample.indices])
    assert torch.equal(sample.labels, labels[sample.indices])
    assert torch.equal(sample.indices, choose(labels, 120))
