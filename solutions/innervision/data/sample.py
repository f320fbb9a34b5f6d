"""Two samples of CIFAR-10 that ship with the package: 1,000 test images, and 1,200 of those that networks train on.

``README.md`` beside each says where they come from. ``write_sample`` makes the files anew from the whole data set.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor

from innervision.data import cifar10
from innervision.data.cache import DataError
from innervision.files import write_aside, write_text_aside

SAMPLE_FOLDER = Path(__file__).parent / "sample"
TRAINING_SAMPLE_FOLDER = Path(__file__).parent / "training_sample"
PER_CLASS = 100
TRAINING_PER_CLASS = 120
NAMES = {"test": "test", "train": "training"}
COLUMNS = 40
"""Images side by side in the picture that holds the sample."""


@dataclass(frozen=True)
class Sample:
    """Some images of CIFAR-10, in the order of its test set or its training set.

    Attributes:
        images: Bytes in [0, 255].
        labels: Index of each image's class in ``cifar10.CLASSES``.
        indices: Index of each image in the test set of 10,000, or in the training set of 50,000.
    """

    images: UInt8[Tensor, "images 3 32 32"]
    labels: Int64[Tensor, " images"]
    indices: Int64[Tensor, " images"]


def load_sample(folder: Path = SAMPLE_FOLDER) -> Sample:
    """The 1,000 test images of the sample.

    Args:
        folder: Where ``images.png`` and ``index.json`` lie.

    Raises:
        DataError: A file is missing or does not belong to the other.
    """
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        with Image.open(folder / "images.png") as picture:
            grid = torch.from_numpy(np.array(picture))
        labels, indices = torch.tensor(index["labels"]), torch.tensor(index["indices"])
        images = _cut(grid)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DataError(f"sample: the files in {folder} are missing or damaged; reinstall innervision") from error
    if cifar10.content_sha256(images, labels) != index.get("sha256"):
        raise DataError(f"sample: the files in {folder} do not belong together; reinstall innervision")
    return Sample(images, labels, indices)


def load_training_sample() -> Sample:
    """1,200 training images of CIFAR-10, 120 of each class: what the networks of ``load_fitted`` were trained on.

    ``load("mini")`` was trained on them too, among 48,800 others.

    Raises:
        DataError: A file is missing or does not belong to the other.
    """
    return load_sample(TRAINING_SAMPLE_FOLDER)


def choose(labels: Int64[Tensor, " images"], per_class: int = PER_CLASS) -> Int64[Tensor, " chosen"]:
    """Indices of the first ``per_class`` images of each class, ascending."""
    firsts = [torch.nonzero(labels == label).flatten()[:per_class] for label in labels.unique()]
    return torch.cat(firsts).sort().values


def write_sample(
    cache: str | Path | None = None, folder: Path = SAMPLE_FOLDER, split: str = "test", per_class: int = PER_CLASS
) -> Sample:
    """Make a sample's files from CIFAR-10 in the cache.

    Args:
        cache: Folder of downloaded data; see ``cache_folder``.
        folder: Receives ``images.png`` and ``index.json``. The other sample is made by
            ``write_sample(cache, TRAINING_SAMPLE_FOLDER, "train", TRAINING_PER_CLASS)``.
        split: "test" or "train".
        per_class: The first so many images of each class are taken; together a multiple of ``COLUMNS``.

    Raises:
        DataError: CIFAR-10 was not fetched yet, or is damaged.
        ValueError: There is no such split.
    """
    images, labels = cifar10.load(split, cache)
    indices = choose(labels, per_class)
    sample = Sample(images[indices], labels[indices], indices)
    grid = Image.fromarray(_join(sample.images).numpy())
    write_aside(folder / "images.png", lambda path: grid.save(path, "PNG", optimize=True))
    index = {
        "source": f"CIFAR-10, {NAMES[split]} images, the first {per_class} of each class",
        "columns": COLUMNS,
        "sha256": cifar10.content_sha256(sample.images, sample.labels),
        "indices": sample.indices.tolist(),
        "labels": sample.labels.tolist(),
    }
    write_text_aside(folder / "index.json", json.dumps(index) + "\n")
    return sample


def _join(images: UInt8[Tensor, "images 3 size size"]) -> UInt8[Tensor, "height width 3"]:
    """One picture of all images, ``COLUMNS`` in a row."""
    count, _, size, _ = images.shape
    tiles = images.reshape(count // COLUMNS, COLUMNS, 3, size, size).permute(0, 3, 1, 4, 2)
    return tiles.reshape(count // COLUMNS * size, COLUMNS * size, 3).contiguous()


def _cut(grid: UInt8[Tensor, "height width 3"]) -> UInt8[Tensor, "images 3 32 32"]:
    """The images of such a picture."""
    rows = grid.reshape(grid.shape[0] // 32, 32, COLUMNS, 32, 3).permute(0, 2, 4, 1, 3)
    return rows.reshape(-1, 3, 32, 32).contiguous()
