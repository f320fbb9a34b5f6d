import io

import numpy as np
import pytest
from PIL import Image

from innervision.data import strips
from innervision.data.cache import DataError


def failure(path):
    with pytest.raises(DataError) as error:
        strips.read(path)
    return str(error.value)


def folder_with(fake, tmp_path, changes=None):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, content in (fake.files | (changes or {})).items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("form", ["tarball", "folder", "folder with package"])
def test_all_forms_hold_the_same_arrays(fake, tmp_path, form):
    if form == "tarball":
        path = fake.tarball(tmp_path / "p.tgz")
    else:
        path = folder_with(fake, tmp_path)
        if form == "folder with package":
            path = path.rename(tmp_path / "package").parent
    arrays = strips.read(path)
    assert arrays.keys() == fake.arrays.keys()
    for name, expected in fake.arrays.items():
        np.testing.assert_array_equal(arrays[name].numpy(), expected)
        assert arrays[name].numpy().dtype == expected.dtype
        assert arrays[name].is_contiguous()


def test_nothing_there(tmp_path):
    assert failure(tmp_path / "x.tgz") == f"source: there is no file or folder {tmp_path / 'x.tgz'}"
    assert failure(tmp_path) == f"source: {tmp_path} lacks the file data_batch_1.png"


def test_a_tarball_without_a_strip(fake, tmp_path):
    del fake.files["data_batch_3.png"]
    path = fake.tarball(tmp_path / "p.tgz")
    assert failure(path) == f"source: {path} lacks the file data_batch_3.png"


@pytest.mark.parametrize("keep", [0, 10, 0.5])
def test_a_truncated_tarball(fake, tmp_path, keep):
    path = fake.tarball(tmp_path / "p.tgz")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep == 0.5 else keep])
    assert failure(path).startswith(f"source: {path} is damaged or is no tarball (")


def test_a_corrupted_tarball(fake, tmp_path):
    path = fake.tarball(tmp_path / "p.tgz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    # Where the flipped byte falls decides who notices: gzip, tar, or the picture.
    assert failure(path).startswith("source: ")


def test_a_member_too_large_is_not_read(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(strips, "LARGEST_FILE", 1000)
    path = fake.tarball(tmp_path / "p.tgz")
    size = len(fake.files["data_batch_1.png"])
    assert failure(path) == f"source: data_batch_1.png in {path} has {size:,} bytes, more than any strip"


def picture(mode, size):
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "source: test_batch.png is not a whole PNG picture"),
        (b"GIF89a", "source: test_batch.png is not a whole PNG picture"),
        (picture("RGB", (1024, 9)), "source: test_batch.png has 1024×9 pixels (RGB), not 1024×10 (RGB)"),
        (picture("L", (1024, 10)), "source: test_batch.png has 1024×10 pixels (L), not 1024×10 (RGB)"),
    ],
)
def test_a_strip_that_is_none(fake, tmp_path, content, expected):
    assert failure(folder_with(fake, tmp_path, {"test_batch.png": content})) == expected


def test_a_truncated_strip(fake, tmp_path):
    half = fake.files["test_batch.png"][:5000]
    assert failure(folder_with(fake, tmp_path, {"test_batch.png": half})) == (
        "source: test_batch.png is not a whole PNG picture"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[1, 2", "source: test_lables.json is not JSON"),
        (b"\xff\xfe", "source: test_lables.json is not JSON"),
        (b"[1, 2]", "source: test_lables.json is not a list of 10 labels from 0 to 9"),
        (b"[1,2,3,4,5,6,7,8,9,10]", "source: test_lables.json is not a list of 10 labels from 0 to 9"),
        (b'{"a": 1}', "source: test_lables.json is not a list of 10 labels from 0 to 9"),
        (b"[[],1,2,3,4,5,6,7,8,9]", "source: test_lables.json is not a list of 10 labels from 0 to 9"),
    ],
)
def test_labels_that_are_none(fake, tmp_path, content, expected):
    assert failure(folder_with(fake, tmp_path, {"test_lables.json": content})) == expected
