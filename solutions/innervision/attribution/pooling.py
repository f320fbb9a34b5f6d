"""A max pooling whose gradient goes to all that were nearly the largest, not to the winner alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.overrides import TorchFunctionMode

EPSILON = 1e-2
"""Keeps the quotient finite where a window holds only zeros. Source: the notebook of "The building blocks of
interpretability", where it is 1e-2 too."""


def relaxed_max_pool(
    values: Float[Tensor, "batch channel height width"],
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
) -> Float[Tensor, "batch channel rows columns"]:
    """A smooth stand-in for max pooling: in each window mean(x²) / (mean(|x|) + 0.01).

    It is the mean of the window in which each value has its own size as weight, so large values count most, and a
    little change of one value changes the result a little. (The largest value jumps from one pixel to another.)

    Args:
        values: What is pooled. Where it is -inf, as networks pad, nothing is counted.
        kernel_size: As for ``torch.nn.functional.max_pool2d``; so are the others.
        stride: By default the kernel size.
        padding: Positions outside on each side.
        dilation: Only 1.
        ceil_mode: Whether a window may begin inside and end outside.

    Raises:
        ValueError: The dilation is not 1.

    Source:
        Olah et al., "The building blocks of interpretability", Distill 2018, the notebook on spatial attribution.
    """
    if dilation not in (1, (1, 1)):
        raise ValueError(f"dilation: {dilation} cannot be relaxed; only a max pooling with dilation 1 can")
    finite = torch.where(values.isfinite(), values, 0)
    squares, sizes = (
        F.avg_pool2d(part, kernel_size, stride or kernel_size, padding, ceil_mode)
        for part in (finite.square(), finite.abs())
    )
    return squares / (sizes + EPSILON)


@contextmanager
def relaxed_max_pooling() -> Iterator[None]:
    """Inside this block every max pooling keeps its values and takes the gradient of ``relaxed_max_pool``.

    Modules and plain calls of ``torch.nn.functional.max_pool2d`` alike. The gradient is that of another network:
    sums that hold for the true gradient, such as completeness, no longer do.
    """
    with _RelaxedMaxPooling():
        yield


class _RelaxedMaxPooling(TorchFunctionMode):
    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        output = function(*args, **kwargs)
        if function not in (F.max_pool2d, torch.max_pool2d) or kwargs.pop("return_indices", False):
            return output
        smooth = relaxed_max_pool(*args, **kwargs)
        return output.detach() + (smooth - smooth.detach())
