"""What lies between two layers, as a list of linear steps: rectifiers left out, poolings averaged.

A network runs once on a blank image, and every function that it calls between the two layers is noted down. So any
way of writing a network will do: blocks, branches, functions in place of modules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from innervision.activations import edit, match_layers, record

BLANK = 64
"""Height and width, in pixels, of the blank image on which a network is followed: enough for InceptionV1's last layer.
What the image shows does not matter, nor does its size, as long as the network takes it."""

UNCHANGED = ("relu", "relu_", "threshold", "clone", "contiguous", "detach", "dropout", "to")
"""Functions that a linear network leaves out: rectifiers, and what changes no value of an evaluated network."""


@dataclass(frozen=True)
class Step:
    """One linear step between two layers.

    Attributes:
        sources: Numbers of the activations it reads: 0 is the first layer's, n the one that step n put out.
        channels: How many channels each of them has.
        kernel: Of a convolution, ``(outputs, inputs, rows, columns)``. ``(1, 1, rows, columns)`` is used on each
            channel by itself, as averaging does. None if the sources are put in a row, channel after channel.
        stride: From one position to the next, in positions of the source.
        padding: Zeros above, and to the left.
    """

    sources: tuple[int, ...]
    channels: tuple[int, ...]
    kernel: Float[Tensor, "outputs inputs rows columns"] | None = None
    stride: int = 1
    padding: tuple[int, int] = (0, 0)


def linear_steps(
    model: nn.Module, from_layer: str, to_layer: str, images: Float[Tensor, "1 channel height width"] | None = None
) -> list[Step]:
    """The linear steps that lead from one layer's activation to another's, in the order in which the network runs them.

    Args:
        model: A network in eval mode, of convolutions, poolings, rectifiers, batch normalisations and concatenations.
        from_layer: Where the way begins: its output is activation number 0.
        to_layer: Where it ends: its output is what the last step puts out.
        images: An image that the network takes, only to follow its way; by default blank, 64 pixels high and wide.

    Raises:
        ValueError: A layer does not exist; the second does not read the first; nothing lies between them; something
            between them is no linear step, or a convolution in groups, or with holes, or with another stride along
            rows than along columns.
    """
    if model.training:
        raise ValueError("model: is in training mode; call model.eval() first")
    start, end = (_single(model, layer, name) for layer, name in ((from_layer, "from_layer"), (to_layer, "to_layer")))
    follow = _Follow()
    with torch.no_grad(), follow, edit(model, {start: follow.begin}):
        blank = _blank(model) if images is None else images
        reached = record(model, blank, end)[end]
    if (number := follow.number(reached)) is None:
        raise ValueError(f"to_layer: '{to_layer}' does not read '{from_layer}'; name a layer after it")
    if number == 0:
        raise ValueError(f"to_layer: nothing lies between '{from_layer}' and '{to_layer}'; name a later layer")
    return follow.steps[:number]


def _single(model: nn.Module, layer: str, argument: str) -> str:
    names = match_layers(model, layer, argument)
    if len(names) > 1:
        raise ValueError(f"{argument}: '{layer}' is {len(names)} layers; name one")
    return names[0]


def _blank(model: nn.Module) -> Tensor:
    first = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None:
        raise ValueError("model: has no convolution; give the image to follow it on, images=…")
    return torch.zeros(1, first.in_channels, BLANK, BLANK, dtype=first.weight.dtype, device=first.weight.device)


class _Follow(TorchFunctionMode):
    """Notes down each function that is called on the first layer's activation, or on what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self._kept: list[tuple[Tensor, int, tuple[int, int]]] = []  # held, so that no other tensor gets its identity
        self._known: dict[int, int] = {}

    def begin(self, activation: Tensor) -> Tensor:
        """Call an activation number 0, and follow it from here on."""
        start = activation.clone()
        self._note(start, 0)
        return start

    def number(self, tensor: Any) -> int | None:
        """Which number an activation has; None if it does not come of number 0."""
        place = self._known.get(id(tensor))
        return None if place is None else self._kept[place][1]

    def _note(self, tensor: Tensor, number: int, padding: tuple[int, int] = (0, 0)) -> None:
        self._known[id(tensor)] = len(self._kept)
        self._kept.append((tensor, number, padding))

    def _padding(self, tensor: Tensor) -> tuple[int, int]:
        return self._kept[self._known[id(tensor)]][2]

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "")
        first = args[0] if args else (kwargs or {}).get("input", (kwargs or {}).get("tensors"))
        tensors: list[Any] = list(first) if isinstance(first, (list, tuple)) else [first]
        numbers = [self.number(tensor) for tensor in tensors]
        if isinstance(output, Tensor) and any(number is not None for number in numbers):
            if name in UNCHANGED:
                self._note(output, numbers[0] or 0, self._padding(tensors[0]))
            elif name == "pad":
                self._pad(tensors[0], output, args, kwargs or {})
            elif name in _READ:
                self._step(name, tensors, numbers, output, args, kwargs or {})
            else:
                raise ValueError(f"model: calls '{name}' between the two layers, which is no linear step")
        return output

    def _pad(self, tensor: Tensor, output: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        amounts = args[1] if len(args) > 1 else kwargs["pad"]
        top, left = self._padding(tensor)
        number = self.number(tensor) or 0
        self._note(output, number, (top + amounts[2] if len(amounts) > 2 else top, left + amounts[0]))

    def _step(
        self,
        name: str,
        tensors: Sequence[Tensor],
        numbers: Sequence[int | None],
        output: Tensor,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        if None in numbers:
            raise ValueError("model: joins activations of which some do not come of from_layer")
        known = tuple(number for number in numbers if number is not None)
        kernel, stride, (top, left) = _READ[name](tensors[0], *args[1:], **kwargs)
        more = self._padding(tensors[0])
        channels = tuple(tensor.shape[1] for tensor in tensors)
        self.steps.append(Step(known, channels, kernel, stride, (top + more[0], left + more[1])))
        self._note(output, len(self.steps))


Read = tuple[Tensor | None, int, tuple[int, int]]
"""Kernel, stride and padding of a function that was called."""


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else (value[0], value[-1])
    return pair


def _one_stride(stride: int | Sequence[int]) -> int:
    rows, columns = _pair(stride)
    if rows != columns:
        raise ValueError(f"model: has a step with stride {(rows, columns)}; both have to be equal")
    return rows


def _convolution(
    given: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Read:
    if groups != 1 or _pair(dilation) != (1, 1):
        raise ValueError(f"model: has a convolution with {groups} groups and dilation {_pair(dilation)}; give 1 and 1")
    return weight.detach(), _one_stride(stride), _pair(padding)


def _pooling(
    given: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    *rest: Any,
    **options: Any,
) -> Read:
    rows, columns = _pair(kernel_size)
    mean = torch.full((1, 1, rows, columns), 1 / (rows * columns), dtype=given.dtype, device=given.device)
    return mean, _one_stride(stride or kernel_size), _pair(padding)


def _normalization(
    given: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *rest: Any,
) -> Read:
    gain = torch.rsqrt(variance + eps) * (1 if weight is None else weight)
    return torch.diag(gain.detach())[:, :, None, None], 1, (0, 0)


def _concatenation(given: Tensor, dim: int = 0, *, tensors: Any = None) -> Read:
    if dim not in (1, -3):
        raise ValueError(f"model: joins activations along dimension {dim}; only channels, dimension 1, can be joined")
    return None, 1, (0, 0)


_READ: dict[str, Callable[..., Read]] = {
    "conv2d": _convolution,
    "max_pool2d": _pooling,
    "avg_pool2d": _pooling,
    "batch_norm": _normalization,
    "cat": _concatenation,
}
