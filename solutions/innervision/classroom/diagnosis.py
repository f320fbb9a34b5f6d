"""Why an output is wrong: a cause is named only when it was tested on the numbers.

``likely_cause`` tries the usual mistakes with tensors (axes in another order, a sum for a mean, a sign, a factor, …)
and names one only if undoing it gives the expected output.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from innervision.classroom.compare import Difference, Tolerance, all_close, as_tensor, difference, is_number
from innervision.classroom.wire import Other

Same = Callable[..., bool]


def next_step(exercise: str, found: Difference | None = None) -> str:
    """What to try now."""
    by_hand = "Work out the first differing value by hand on a tiny input."
    first = {
        "shape": "Print the shape after each step of your function and find where it departs from the docstring.",
        "type": "Look at what your function returns on one small input.",
        "dtype": "Print the dtype after each step.",
        "value": f"Work this case out by hand: {found.case}." if found and found.case else by_hand,
    }.get(found.kind if found else "", "Print what your function returns for one small input.")
    return f'{first} Or ask hint("{exercise}").'


def cause_of_kind(got: Any, expected: Any) -> str:
    """Why something of the wrong kind came back."""
    if got is None and expected is not None:
        return "The function returns nothing: is the return statement missing?"
    if isinstance(got, Other) and got.type_name == "numpy.ndarray":
        return "The result left torch: keep it a tensor instead of a NumPy array."
    if isinstance(got, Other) and got.type_name in ("function", "method", "builtin_function_or_method"):
        return "The result is a function that was not called: are its parentheses missing?"
    if isinstance(got, Other) and got.type_name in ("generator", "map", "zip", "range", "filter"):
        return "The result is an iterator: make a list of it, or stack it into a tensor."
    if isinstance(got, Tensor) and isinstance(expected, list | tuple):
        return "One tensor came back where several separate values are expected."
    if isinstance(expected, Tensor) and isinstance(got, list | tuple) and got:
        return "Separate values came back where one tensor is expected: torch.stack them."
    return ""


ERRORS = (
    (r"invalid combination of arguments", "A torch function was called with arguments that it does not have in this "
     "order; some, such as generator and dtype, must be given by name."),
    (r"does not require grad|element 0 of tensors", "The result is cut off from its inputs: a detach(), .item(), "
     "no_grad() or NumPy call on the way stops the gradient."),
    (r"must match the size of tensor|size mismatch|shapes cannot be multiplied|not broadcastable",
     "Two tensors with shapes that do not fit meet in one operation. Print both shapes before that line; torch lines "
     "axes up from the right."),
    (r"stack expects each tensor to be equal size", "torch.stack needs tensors of one shape, since it makes a new "
     "axis. torch.cat puts tensors one after the other along an axis that they have."),
    (r"only one element tensors can be converted|Only one element tensors|only length-1 arrays can be converted",
     "A function for one number (math.cos, math.exp, float, …) got a tensor of several: take torch's own."),
    (r"<locals>\.\S+\(\) takes (0|1|2|from \d to \d) positional arguments? but 3 were given", "A function that was "
     "handed over is called with three arguments: a forward hook gets the module, its inputs and its output."),
    (r"Dimension out of range", "A dimension is named that the tensor does not have."),
    (r"index .* is out of bounds", "An index is larger than the axis it counts along: is it the right axis?"),
    (r"modified by an inplace operation|leaf Variable that requires grad",
     "A tensor that the gradient still needs was changed in place."),
    (r"expected .*dtype|same dtype|scalar type", "Tensors of different dtypes meet: convert one of them."),
    (r"not enough memory|can't allocate memory|MemoryError", "The code asks for more memory than it may use."),
    (r"NameError", "A name is used that no cell of the notebook defines; only cells that define things are run."),
)  # fmt: skip


def cause_of_error(error: str, function: str = "") -> str:
    """What usually lies behind an exception that ``function`` raised; empty when its text does not say."""
    if function and re.search(rf"\b{re.escape(function)}\(\) .*(positional argument|keyword argument)", error):
        return "The function's parameters differ from the signature of the stub."
    return next((cause for pattern, cause in ERRORS if re.search(pattern, error)), "")


def likely_cause(expected: Any, got: Any, tolerance: Tolerance) -> str:
    """A tested explanation of a difference, or an empty text.

    Containers are explained when one explanation holds for all of their parts that differ.
    """
    if isinstance(expected, list | tuple | dict) and type(got) in (list, tuple, dict) and len(expected) == len(got):
        return _common_cause(expected, got, tolerance)
    cause = cause_of_kind(got, expected)
    if cause or isinstance(expected, bool | str) or isinstance(got, bool | str):
        return cause
    if not (is_number(expected) or isinstance(expected, Tensor)):
        return ""
    if not (is_number(got) or isinstance(got, Tensor)):
        return ""
    right, mine = as_tensor(expected), as_tensor(got)
    if right.is_quantized or mine.numel() == 0 or right.numel() == 0 or max(right.numel(), mine.numel()) > 10**6:
        return ""
    if right.is_complex() != mine.is_complex():
        return "The expected output is complex." if right.is_complex() else "The result is complex: take its real part."
    wide = torch.complex128 if right.is_complex() else torch.float64
    return _tensor_cause(right.to(wide), mine.to(wide), mine.dtype, tolerance)


def _common_cause(expected: Any, got: Any, tolerance: Tolerance) -> str:
    if isinstance(expected, dict):
        if not isinstance(got, dict) or expected.keys() != got.keys():
            return ""
        pairs = [(expected[name], got[name]) for name in expected]
    else:
        pairs = list(zip(expected, got, strict=True))
        if isinstance(got, list | tuple) and not difference(list(expected), list(got)[::-1], tolerance):
            return "The values are right and in reverse order."
    wrong = [pair for pair in pairs if difference(*pair, tolerance)]
    causes = {likely_cause(*pair, tolerance) for pair in wrong}
    return causes.pop() if len(causes) == 1 else ""


def _tensor_cause(right: Tensor, mine: Tensor, dtype: torch.dtype, tolerance: Tolerance) -> str:
    def same(candidate: Tensor, target: Tensor = right) -> bool:
        return candidate.shape == target.shape and all_close(target, candidate, tolerance)

    if not right.is_complex():
        if mine.isnan().any() and not right.isnan().any():
            return "There are NaNs: a division by zero, or the logarithm or root of a negative number."
        if mine.isinf().any() and not right.isinf().any():
            return "There are infinities: a division by zero, or numbers too large for their dtype."
    rules = _SAME_SHAPE if right.shape == mine.shape else _OTHER_SHAPE
    for rule in rules:
        if cause := rule(right, mine, same):
            return cause
    if not dtype.is_floating_point and not dtype.is_complex and same(mine, right.trunc()):
        return f"The fractions were cut off: the result has dtype {str(dtype).removeprefix('torch.')}."
    return ""


def _axes(right: Tensor, mine: Tensor, same: Same) -> str:
    if 2 <= mine.dim() <= 4:
        for order in itertools.permutations(range(mine.dim())):
            if order != tuple(range(mine.dim())) and same(mine.permute(order)):
                return f"The axes are in another order: permute{order} of the result is right."
    return ""


def _squeezed(right: Tensor, mine: Tensor, same: Same) -> str:
    if mine.numel() == right.numel():
        if mine.squeeze().shape == right.squeeze().shape and same(mine.reshape(right.shape)):
            return "The values are right; an axis of length 1 is too many or missing (keepdim, squeeze, unsqueeze)."
        if same(mine.reshape(right.shape)):
            return "The values are right and in order, in another shape."
    return ""


def _not_reduced(right: Tensor, mine: Tensor, same: Same) -> str:
    for count in range(1, mine.dim() + 1):
        for dims in itertools.combinations(range(mine.dim()), count):
            axes = f"axis {dims[0]}" if count == 1 else f"axes {', '.join(map(str, dims))}"
            if same(mine.mean(dims)):
                return f"The mean over {axes} of the result is right: that mean was left out."
            if same(mine.sum(dims)):
                return f"The sum over {axes} of the result is right: that sum was left out."
    return ""


def _over_reduced(right: Tensor, mine: Tensor, same: Same) -> str:
    for count in range(1, right.dim() + 1):
        for dims in itertools.combinations(range(right.dim()), count):
            axes = f"axis {dims[0]}" if count == 1 else f"axes {', '.join(map(str, dims))}"
            for name, reduced in (("averaged", right.mean(dims)), ("summed", right.sum(dims))):
                if same(mine, reduced):
                    batch = " That is the batch: every image needs its own value." if dims == (0,) else ""
                    return f"The result was {name} over {axes} of what is expected.{batch}"
    return ""


def _first_only(right: Tensor, mine: Tensor, same: Same) -> str:
    if right.dim() and right.shape[0] > 1 and mine.shape in (right.shape[1:], (1, *right.shape[1:])):
        target = right[0] if mine.shape == right.shape[1:] else right[:1]
        if same(mine, target):
            return "Only the first of the batch came back."
    return ""


def _sign(right: Tensor, mine: Tensor, same: Same) -> str:
    return "The sign is wrong: the negative of the result is right." if same(-mine) else ""


def _factor(right: Tensor, mine: Tensor, same: Same) -> str:
    """A constant factor, measured at the largest expected value and tested on all of them."""
    index = int(right.abs().argmax())
    top, own = right.flatten()[index], mine.flatten()[index]
    if right.is_complex() or right.numel() < 2 or float(own) == 0 or float(top) == 0:
        return ""
    factor = float(own / top)
    if not same(mine / factor) or _nearly_zero(right, same):
        return ""
    return f"Every value is {factor:.6g} times the expected one: is a mean a sum, or a scale missing?"


def _offset(right: Tensor, mine: Tensor, same: Same) -> str:
    shift = (mine - right).mean()
    if right.is_complex() or right.numel() < 2 or not same(mine - shift):
        return ""
    return f"Every value is {abs(float(shift)):.6g} too {'large' if float(shift) > 0 else 'small'}."


def _unclamped(right: Tensor, mine: Tensor, same: Same) -> str:
    if right.is_complex():
        return ""
    for low, high in ((0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)):
        if same(mine.clamp(low, high)):
            where = "below 0" if high == math.inf else f"outside [{low:g}, {high:g}]"
            return f"Right, but for values {where}: they need to be cut off."
    return ""


def _power(right: Tensor, mine: Tensor, same: Same) -> str:
    if right.is_complex():
        return ""
    if same(mine.square()):
        return "The square of the result is right."
    if (mine >= 0).all() and same(mine.sqrt()):
        return "The square root of the result is right: squared once too often?"
    if (right >= 0).all() and same(mine.abs()):
        return "The absolute value of the result is right."
    if (mine >= 0).all() and same(mine, right.abs()):
        return "The signs are lost: the result is the absolute value of what is expected."
    return ""


def _turned(right: Tensor, mine: Tensor, same: Same) -> str:
    for dim in range(right.dim()):
        if right.shape[dim] < 2:
            continue
        if same(mine.flip(dim)):
            return f"The result is reversed along axis {dim}."
        for step in (1, -1):
            if same(mine.roll(step, dim)):
                return f"The result is shifted by one along axis {dim}: counting starts at 0."
    return ""


def _batch(right: Tensor, mine: Tensor, same: Same) -> str:
    if right.dim() < 1 or not 2 <= right.shape[0] <= 64 or right[0].numel() == right.numel():
        return ""
    if same(mine, right[:1].expand_as(right)):
        return "Every entry of the batch got the value of the first."
    if same(mine, right.mean(0, keepdim=True).expand_as(right)):
        return "The batch was mixed: every entry got the mean over the batch."
    order = [next((j for j in range(len(right)) if same(mine[i], right[j])), -1) for i in range(len(right))]
    return "The batch entries are right and in another order." if sorted(order) == list(range(len(right))) else ""


def _zeros(right: Tensor, mine: Tensor, same: Same) -> str:
    return "Every value is 0: is the result ever filled?" if mine.numel() > 1 and not mine.any() else ""


_SAME_SHAPE = (_sign, _zeros, _batch, _axes, _factor, _offset, _unclamped, _power, _turned)
_OTHER_SHAPE = (_squeezed, _axes, _first_only, _not_reduced, _over_reduced)


def _nearly_zero(right: Tensor, same: Same) -> bool:
    return same(torch.zeros_like(right))
