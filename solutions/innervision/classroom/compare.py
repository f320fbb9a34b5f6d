"""Plain data against plain data: the first difference, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from innervision.classroom.wire import Other


@dataclass(frozen=True)
class Tolerance:
    """How far an output may be from the expected one: ``atol + rtol * |expected|``."""

    atol: float = 0.0
    rtol: float = 0.0
    equal_nan: bool = False
    dtype: bool = False


@dataclass(frozen=True)
class Difference:
    """The first difference found.

    Attributes:
        kind: ``type``, ``shape``, ``dtype`` or ``value``.
        text: What was got, in words, with the place of the first difference.
    """

    kind: str
    text: str


def difference(expected: Any, got: Any, tolerance: Tolerance, path: str = "") -> Difference | None:
    """Compare plain data with plain data.

    A number and a tensor of shape () are alike; a list and a tuple are alike. Shapes must be equal: nothing is
    broadcast.

    Returns:
        The first difference, or None.
    """
    if is_number(expected) and is_number(got):
        return _number_difference(expected, got, tolerance, path)
    if isinstance(expected, Tensor) and isinstance(got, Tensor):
        return _tensor_difference(expected, got, tolerance, path)
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        if len(expected) != len(got):
            return Difference("shape", f"{_at(path)}{describe(got)} where {len(expected)} are expected")
        pairs = ((f"{path}[{index}]", *pair) for index, pair in enumerate(zip(expected, got, strict=True)))
        return next((found for name, a, b in pairs if (found := difference(a, b, tolerance, name))), None)
    if isinstance(expected, dict) and isinstance(got, dict):
        if expected.keys() != got.keys():
            return Difference("shape", f"{_at(path)}{describe(got)} where the keys {', '.join(expected)} are expected")
        pairs = ((f"{path}[{name!r}]", value, got[name]) for name, value in expected.items())
        return next((found for name, a, b in pairs if (found := difference(a, b, tolerance, name))), None)
    if type(expected) is type(got) and expected == got and not isinstance(got, Other):
        return None
    if isinstance(expected, str) and isinstance(got, str):
        return Difference("value", f"{_at(path)}{describe(got)} where {describe(expected)} is expected")
    return Difference("type", f"{_at(path)}{describe(got)} where {kind_of(expected)} is expected")


def describe(value: Any) -> str:
    """A value in a few words: kind, shape, dtype and range."""
    if isinstance(value, Tensor):
        dtype, shape = str(value.dtype).removeprefix("torch."), tuple(value.shape)
        return f"a {dtype} tensor of shape {shape}{_range(value)}"
    if isinstance(value, Other):
        return f"an object of type {value.type_name}"
    if isinstance(value, list | tuple):
        inside = f" ({describe(value[0])} first)" if value else ""
        return f"a {type(value).__name__} of {len(value)}{inside}"
    if isinstance(value, dict):
        return f"a dict with the keys {', '.join(value)}" if value else "an empty dict"
    if isinstance(value, float):
        return f"{value:.6g}"
    return repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."


def kind_of(value: Any) -> str:
    """What kind of thing is expected, without its value."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}" if value.dim() else "a number"
    if value is None:
        return "None"
    names = {bool: "True or False", int: "a number", float: "a number", str: "a text"}
    return names.get(type(value), f"a {type(value).__name__}")


def wanted(expected: Any, tolerance: Tolerance) -> str:
    """What is expected, with its tolerance; the values of a tensor are not given away."""
    text = kind_of(expected) if isinstance(expected, Tensor | list | tuple | dict) else describe(expected)
    if isinstance(expected, Tensor) and tolerance.dtype:
        text += f" and dtype {str(expected.dtype).removeprefix('torch.')}"
    if isinstance(expected, Tensor | list | tuple | dict):
        text += " with the right values"
    bounds = [f"{tolerance.atol:g}"] if tolerance.atol else []
    bounds += [f"{tolerance.rtol:g} of each value"] if tolerance.rtol else []
    return text + (f", within {' plus '.join(bounds)}" if bounds else "")


def is_number(value: Any) -> bool:
    """Whether a value is a number or a tensor of shape ()."""
    return isinstance(value, bool | int | float) or (isinstance(value, Tensor) and value.dim() == 0)


def as_tensor(value: Any) -> Tensor:
    """A number or a tensor as a tensor; an integer beyond 64 bits counts as infinite."""
    if isinstance(value, int) and abs(value) >= 2**63:
        return torch.tensor(float("inf") if value > 0 else float("-inf"))
    return torch.as_tensor(value)


def all_close(expected: Tensor, got: Tensor, tolerance: Tolerance) -> bool:
    """Whether two tensors of one shape agree everywhere within the tolerance."""
    return bool(_close(expected, got, tolerance).all())


def _number_difference(expected: Any, got: Any, tolerance: Tolerance, path: str) -> Difference | None:
    right, mine = as_tensor(expected), as_tensor(got)
    if all_close(right, mine, tolerance):
        return None
    return Difference("value", f"{_at(path)}{_item(mine)} where {_item(right)} is expected")


def _tensor_difference(expected: Tensor, got: Tensor, tolerance: Tolerance, path: str) -> Difference | None:
    here = f"{_at(path)}{describe(got)}"
    if expected.shape != got.shape:
        return Difference("shape", f"{here} where shape {tuple(expected.shape)} is expected")
    if tolerance.dtype and expected.dtype != got.dtype:
        return Difference("dtype", f"{here} where dtype {str(expected.dtype).removeprefix('torch.')} is expected")
    wrong = ~_close(expected, got, tolerance)
    if not wrong.any():
        return None
    index = tuple(int(number) for number in wrong.nonzero()[0])
    count = int(wrong.sum())
    pair = f"{_item(got[index])} where {_item(expected[index])} is expected"
    return Difference("value", f"{here}; {count} of {got.numel()} values differ, first at {list(index)}: {pair}")


def _close(expected: Tensor, got: Tensor, tolerance: Tolerance) -> Tensor:
    counts = not any(side.is_complex() or side.is_floating_point() for side in (expected, got))
    if counts and tolerance.atol == tolerance.rtol == 0:
        return expected.to(torch.int64) == got.to(torch.int64)
    wide = torch.complex128 if expected.is_complex() or got.is_complex() else torch.float64
    return torch.isclose(
        got.to(wide), expected.to(wide), rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=tolerance.equal_nan
    )


def _item(value: Tensor) -> str:
    number = value.item()
    return f"{number:.6g}" if isinstance(number, float) else str(number)


def _range(value: Tensor) -> str:
    if value.numel() == 0:
        return ", empty"
    if value.is_complex():
        return ""
    wide = value.to(torch.float64)
    finite = wide[wide.isfinite()]
    broken = int(wide.numel() - finite.numel())
    span = f", values from {float(finite.min()):.4g} to {float(finite.max()):.4g}" if finite.numel() else ""
    return span + (f", {broken} NaN or infinite" if broken else "")


def _at(path: str) -> str:
    return f"at {path}: " if path else ""
