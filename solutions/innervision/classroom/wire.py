"""Plain data as bytes and back: JSON for the structure, safetensors for the tensors, limits on both sides.

Nothing that arrives is ever unpickled, imported or evaluated. What is not plain data becomes ``Other(type name)``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MEBIBYTE = 2**20
MAX_BYTES = 32 * MEBIBYTE
MAX_DEPTH = 32
MAX_VALUES = 100_000
MAX_TEXT = 1_000_000
MAX_TENSOR_BYTES = 16 * MEBIBYTE


class WireError(ValueError):
    """Data that cannot be sent, or bytes that are not such data."""


@dataclass(frozen=True)
class Other:
    """Stands for a value that is not plain data: a generator, a module, an array of another library."""

    type_name: str


def pack(data: Any, limit: int = MAX_BYTES) -> bytes:
    """Plain data → bytes.

    Args:
        data: None, bool, int, float, str, dense tensors, and lists, tuples and dicts of these.
        limit: The most bytes that the result may have.

    Raises:
        WireError: If the data is too large or nested too deeply.
    """
    from safetensors.torch import save

    packer = _Packer()
    text = json.dumps(packer.encode(data, 0))
    packed = save(packer.tensors, {"data": text})
    if len(packed) > limit:
        raise WireError(f"the result takes {len(packed):,} bytes; at most {limit:,} are allowed")
    return packed


def unpack(packed: bytes, limit: int = MAX_BYTES) -> Any:
    """Bytes → plain data, checked before it is believed.

    Raises:
        WireError: If the bytes are too many or are not what ``pack`` makes.
    """
    from safetensors.torch import load

    if len(packed) > limit:
        raise WireError(f"the result takes {len(packed):,} bytes; at most {limit:,} are allowed")
    try:
        length = int.from_bytes(packed[:8], "little")
        text = packed[8 : 8 + length]
        # Each mark can become an object of a hundred bytes; what pack makes stays below this.
        if sum(text.count(mark) for mark in (b"[", b"{", b",")) > 6 * MAX_VALUES + MAX_TEXT:
            raise WireError(f"the packed data has more than {MAX_VALUES:,} values")
        header = json.loads(text)
        data = json.loads(header["__metadata__"]["data"])
        return _Unpacker(load(packed)).decode(data, 0)
    except WireError:
        raise
    except Exception as error:  # whatever a hostile sender provokes in a parser
        raise WireError(f"the bytes are not packed data ({type(error).__name__})") from None


class _Packer:
    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.count = 0
        self.text = 0
        self.tensor_bytes = 0

    def encode(self, value: Any, depth: int) -> Any:
        """One value as JSON: atoms as they are, everything else as ``[tag, …]``."""
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_VALUES:
            limits = f"nested deeper than {MAX_DEPTH} levels or has more than {MAX_VALUES:,} values"
            raise WireError(f"the result is {limits}")
        if value is None or value is True or value is False:
            return value
        if isinstance(value, Tensor):
            return self._tensor(value)
        if isinstance(value, int):
            return self._integer(int.__index__(value))
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, str):
            return self._string(str.__str__(value))
        return self._container(value, depth + 1)

    def _container(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            names = [str.__str__(key) if isinstance(key, str) else None for key in dict.keys(value)]
            if None in names:
                return ["other", "dict with keys that are not strings"]
            values = [self.encode(item, depth) for item in dict.values(value)]
            return ["dict", [[self._string(str(name)), item] for name, item in zip(names, values, strict=True)]]
        if isinstance(value, list):
            return ["list", [self.encode(item, depth) for item in list.__iter__(value)]]
        if isinstance(value, tuple):
            return ["tuple", [self.encode(item, depth) for item in tuple.__iter__(value)]]
        if type(value) is Other:
            return ["other", self._string(value.type_name)]
        number = _numpy_number(value)
        if number is not None:
            return self.encode(number, depth)
        return ["other", _type_name(value)]

    def _integer(self, value: int) -> Any:
        if value.bit_length() > 4096:
            raise WireError("the result has an integer of more than 4096 bits")
        return value

    def _string(self, value: str) -> str:
        self.text += len(value)
        if self.text > MAX_TEXT:
            raise WireError(f"the result has more than {MAX_TEXT:,} characters of text")
        return value

    def _tensor(self, value: Tensor) -> Any:
        with torch._C.DisableTorchFunctionSubclass():
            kind = _refused(value)
            if kind:
                return ["other", kind]
            self.tensor_bytes += value.numel() * value.element_size()
            if self.tensor_bytes > MAX_TENSOR_BYTES:
                raise WireError(f"the result's tensors take more than {MAX_TENSOR_BYTES:,} bytes")
            plain = value.detach().resolve_conj().resolve_neg()
            plain = torch.view_as_real(plain) if plain.is_complex() else plain
            name = str(len(self.tensors))
            # A copy: safetensors refuses tensors that share memory.
            self.tensors[name] = plain.as_subclass(Tensor).clone(memory_format=torch.contiguous_format)
            return ["complex" if value.is_complex() else "tensor", name]


class _Unpacker:
    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors
        self.count = 0

    def decode(self, value: Any, depth: int) -> Any:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_VALUES:
            raise WireError("the packed data is nested too deeply or has too many values")
        if not isinstance(value, list):
            if isinstance(value, dict):
                raise WireError("the packed data has an object without a tag")
            return value
        tag, content = value
        match tag:
            case "list":
                return [self.decode(item, depth + 1) for item in content]
            case "tuple":
                return tuple(self.decode(item, depth + 1) for item in content)
            case "dict":
                return {_text(name): self.decode(item, depth + 1) for name, item in content}
            case "tensor":
                return self.tensors[content]
            case "complex":
                return torch.view_as_complex(self.tensors[content])
            case "other":
                return Other(_text(content)[:200])
        raise WireError("the packed data has an unknown tag")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WireError("the packed data has a name that is not text")
    return value


def _refused(value: Tensor) -> str:
    """Why a tensor is not plain data, or an empty text."""
    if value.layout != torch.strided:
        return f"{str(value.layout).removeprefix('torch.')} tensor"
    if value.is_quantized:
        return "quantized tensor"
    if value.device.type != "cpu":
        return f"tensor on device {value.device.type}"
    return ""


def _numpy_number(value: Any) -> Any:
    """A NumPy scalar (np.float32, np.int64, np.bool_) as a Python number; None for everything else."""
    kind = type(value)
    if kind.__module__ == "numpy" and callable(getattr(kind, "item", None)) and getattr(value, "shape", None) == ():
        number = kind.item(value)
        return number if type(number) in (bool, int, float) and kind.__name__ != "ndarray" else None
    return None


def _type_name(value: Any) -> str:
    kind = type(value)
    module = type.__getattribute__(kind, "__module__")
    name = type.__getattribute__(kind, "__qualname__")
    return (name if module in ("builtins", "__main__") else f"{module}.{name}")[:200]
