"""Plain data there and back, and what is refused."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import torch

from innervision.classroom.wire import MAX_DEPTH, Other, WireError, pack, unpack


def nested(depth: int) -> list:
    data: list = []
    for _ in range(depth):
        data = [data]
    return data


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -(2**70), 1.5, float("inf"), "", "Größe\n\x00", [], (), {}, [1, (2, {"a": [None]})]],
)
def test_plain_values_come_back_as_they_were(value):
    came_back = unpack(pack(value))
    assert came_back == value
    assert type(came_back) is type(value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool])
def test_tensors_keep_dtype_shape_and_values(dtype):
    tensor = (torch.arange(6) % 3).to(dtype).reshape(2, 3).T  # not contiguous
    came_back = unpack(pack({"t": tensor}))["t"]
    assert came_back.dtype == dtype
    assert torch.equal(came_back, tensor)


@pytest.mark.parametrize(
    "tensor", [torch.tensor(3.0), torch.empty(0, 2), torch.randn(3, dtype=torch.complex128).conj()]
)
def test_unusual_tensors_come_back(tensor):
    assert torch.equal(unpack(pack(tensor)), tensor)


def test_nan_comes_back_as_nan():
    value, tensor = unpack(pack([float("nan"), torch.tensor([float("nan")])]))
    assert value != value
    assert tensor.isnan().all()


def test_tensors_that_share_memory_and_those_with_gradient_are_copied():
    base = torch.zeros(4, requires_grad=True)
    first, second = unpack(pack([base[:2], base[1:]]))
    assert first.shape == (2,)
    assert second.shape == (3,)
    assert not first.requires_grad


def test_numbers_of_numpy_become_numbers():
    assert unpack(pack([np.float32(1.5), np.int64(3), np.bool_(True), np.float64(2)])) == [1.5, 3, True, 2.0]


class Equal:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


class LyingFloat(float):
    def __float__(self) -> float:
        return 1.0

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Equal(), "Equal"),
        ((i for i in range(3)), "generator"),
        (np.zeros(3), "numpy.ndarray"),
        (len, "builtin_function_or_method"),
        ({1: 2}, "dict with keys that are not strings"),
        (torch.zeros(3).to_sparse(), "sparse_coo tensor"),
        (torch.zeros(3, device="meta"), "tensor on device meta"),
    ],
)
def test_what_is_no_plain_data_is_named_and_left_behind(value, name):
    came_back = unpack(pack(value))
    assert isinstance(came_back, Other)
    assert came_back.type_name.endswith(name)


def test_what_was_left_behind_keeps_its_name_on_the_next_way():
    assert unpack(pack(unpack(pack(Equal())))) == unpack(pack(Equal()))


def test_subclasses_are_reduced_to_what_they_hold():
    tensor = torch.ones(2).as_subclass(LyingTensor)
    came_back = unpack(pack([tensor, LyingFloat(2.5)]))
    assert type(came_back[0]) is torch.Tensor
    assert came_back[0].tolist() == [1.0, 1.0]
    assert type(came_back[1]) is float


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (nested(MAX_DEPTH + 1), "the result is nested deeper than 32 levels or has more than 100,000 values"),
        ([0] * 100_001, "the result is nested deeper than 32 levels or has more than 100,000 values"),
        ("x" * 1_000_001, "the result has more than 1,000,000 characters of text"),
        (torch.zeros(1).expand(10**10), "the result's tensors take more than 16,777,216 bytes"),
        (10**5000, "the result has an integer of more than 4096 bits"),
    ],
    ids=["deep", "many", "long", "large", "huge"],
)
def test_too_much_is_refused_in_a_sentence(value, sentence):
    with pytest.raises(WireError) as caught:
        pack(value)
    assert str(caught.value) == sentence


def test_more_bytes_than_allowed_are_not_read():
    packed = pack("x" * 1000)
    with pytest.raises(WireError) as caught:
        unpack(packed, limit=500)
    assert str(caught.value) == f"the result takes {len(packed):,} bytes; at most 500 are allowed"


def forged(data: object) -> bytes:
    header = json.dumps({"__metadata__": {"data": json.dumps(data)}}).encode()
    return struct.pack("<Q", len(header)) + header


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"garbage",
        b"\xff" * 100,
        (2**62).to_bytes(8, "little") + b"x",
        pack([torch.zeros(3)])[:-1],
        b"\x80\x04\x95",  # the beginning of a pickle
        forged(["unknown", 1]),
        forged(["tensor", "0"]),
        forged(["dict", [[1, 2]]]),
        forged({"a": 1}),
        forged(["list"]),
        forged(json.loads("[" * 200 + "]" * 200)),
    ],
)
def test_forged_bytes_are_refused(packed):
    with pytest.raises(WireError):
        unpack(packed)


def test_deeply_nested_json_is_refused():
    text = '["list", [' * 100_000
    header = json.dumps({"__metadata__": {"data": text}}).encode()
    with pytest.raises(WireError):
        unpack(struct.pack("<Q", len(header)) + header)
