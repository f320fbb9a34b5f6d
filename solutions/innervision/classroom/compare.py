"""Plain data against plain data: the first difference, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from innervision.classroom.wire import Other

FEW = 6  # numbers that are shown together


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
        found: What was got, in words, with the first differing index of a tensor.
        part: What is expected there: of a list or dict, the part that differs.
        case: Which part that is, in words: the keys of dicts, the numbers of entries. Empty for the whole.
    """

    kind: str
    found: str
    part: Any = None
    case: str = ""

    @property
    def text(self) -> str:
        """What was got, and where."""
        return f"{self.case}: {self.found}" if self.case else self.found

    def inside(self, case: str) -> Difference:
        """The same difference, seen from the list or dict that holds the part."""
        return replace(self, case=f"{case}, {self.case}" if self.case else case)


def difference(expected: Any, got: Any, tolerance: Tolerance) -> Difference | None:
    """Compare plain data with plain data.

    A number and a tensor of shape () are alike; a list and a tuple are alike. Shapes must be equal: nothing is
    broadcast. Of lists and dicts the part that differs is described; the keys of a dict name its parts, so a scenario
    can name the input that a part belongs to. A few numbers in a row are shown together.

    Returns:
        The first difference, or None.
    """
    if is_number(expected) and is_number(got):
        return _number_difference(expected, got, tolerance)
    if isinstance(expected, Tensor) and isinstance(got, Tensor):
        return _tensor_difference(expected, got, tolerance)
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return _sequence_difference(expected, got, tolerance)
    if isinstance(expected, dict) and isinstance(got, dict):
        if expected.keys() != got.keys():
            return Difference("shape", f"{describe(got)} where the keys {', '.join(expected)} are expected", expected)
        parts = ((name, difference(value, got[name], tolerance)) for name, value in expected.items())
        return next((found.inside(name) for name, found in parts if found), None)
    if type(expected) is type(got) and expected == got and not isinstance(got, Other):
        return None
    if isinstance(expected, str) and isinstance(got, str):
        return Difference("value", f"{describe(got)} where {describe(expected)} is expected", expected)
    return Difference("type", f"{describe(got)} where {kind_of(expected)} is expected", expected)


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
    if isinstance(value, list | tuple) and value:
        return f"a {type(value).__name__} of {len(value)}"
    names = {bool: "True or False", int: "a number", float: "a number", str: "a text"}
    return names.get(type(value), f"a {type(value).__name__}")


def wanted(expected: Any, tolerance: Tolerance) -> str:
    """What is expected, with its tolerance; the values of a tensor are not given away."""
    bounds = [f"{tolerance.atol:g}"] if tolerance.atol else []
    bounds += [f"{tolerance.rtol:g} of each value"] if tolerance.rtol else []
    within = f", within {' plus '.join(bounds)}" if bounds else ""
    if _few_numbers(expected):
        return _row(expected) + within
    text = kind_of(expected) if isinstance(expected, Tensor | list | tuple | dict) else describe(expected)
    if isinstance(expected, Tensor) and tolerance.dtype:
        text += f" and dtype {str(expected.dtype).removeprefix('torch.')}"
    if isinstance(expected, Tensor | list | tuple | dict):
        text += " with the right values"
    return text + within


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


def _sequence_difference(expected: Any, got: Any, tolerance: Tolerance) -> Difference | None:
    if len(expected) != len(got):
        return Difference("shape", f"{describe(got)} where {len(expected)} are expected", expected)
    pairs = enumerate(zip(expected, got, strict=True), start=1)
    parts = ((number, difference(*pair, tolerance)) for number, pair in pairs)
    number, found = next(((number, found) for number, found in parts if found), (0, None))
    if found is None:
        return None
    if _few_numbers(expected) and _few_numbers(got):
        return Difference("value", f"{_row(got)} where {_row(expected)} is expected", expected)
    return found.inside(f"entry {number} of {len(expected)}")


def _few_numbers(value: Any) -> bool:
    """Whether a list is short enough to be read as a whole: the size, jump and start of a field, for example."""
    return isinstance(value, list | tuple) and 1 < len(value) <= FEW and all(map(is_number, value))


def _row(numbers: list[Any] | tuple[Any, ...]) -> str:
    text = ", ".join(_item(as_tensor(number)) for number in numbers)
    return f"({text})" if isinstance(numbers, tuple) else f"[{text}]"


def _number_difference(expected: Any, got: Any, tolerance: Tolerance) -> Difference | None:
    right, mine = as_tensor(expected), as_tensor(got)
    if all_close(right, mine, tolerance):
        return None
    return Difference("value", f"{_item(mine)} where {_item(right)} is expected", expected)


def _tensor_difference(expected: Tensor, got: Tensor, tolerance: Tolerance) -> Difference | None:
    here = describe(got)
    if expected.shape != got.shape:
        return Difference("shape", f"{here} where shape {tuple(expected.shape)} is expected", expected)
    if tolerance.dtype and expected.dtype != got.dtype:
        dtype = str(expected.dtype).removeprefix("torch.")
        return Difference("dtype", f"{here} where dtype {dtype} is expected", expected)
    wrong = ~_close(expected, got, tolerance)
    if not wrong.any():
        return None
    index = tuple(int(number) for number in wrong.nonzero()[0])
    count = int(wrong.sum())
    pair = f"{_item(got[index])} where {_item(expected[index])} is expected"
    text = f"{here}; {count} of {got.numel()} values differ, first at {list(index)}: {pair}"
    return Difference("value", text, expected)


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
