"""Weights between layers that are no neighbours: two convolutions as one, and a whole way through a network as one.

A network's own kernels often end at bottlenecks, which mean little. What counts is what a unit reads from the last
layer that means something, with everything between the two multiplied out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from innervision.circuits.linear import Step, linear_steps


def effective_kernel(
    first: Float[Tensor, "middle inputs rows columns"],
    second: Float[Tensor, "outputs middle more_rows more_columns"],
    stride: int = 1,
) -> Float[Tensor, "outputs inputs all_rows all_columns"]:
    """Two convolutions, one after the other, as one.

    Where nothing is padded the one kernel does exactly what the two do, without their biases. With paddings p and q and
    strides s and t, its padding is ``p + s * q`` and its stride ``s * t``; then only positions at the border differ,
    where the second convolution reads zeros in place of what the first would find beyond the image.

    Args:
        first: Kernels of the first convolution.
        second: Kernels of the second; it reads what the first puts out.
        stride: Of the first, in positions. (The second's does not change the kernel.)

    Returns:
        Kernels with ``all_rows = rows + stride * (more_rows - 1)``, and the columns likewise.

    Example:
        >>> difference = torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2)
        >>> effective_kernel(difference, difference).flatten()  # the difference of differences
        tensor([ 1., -2.,  1.])

    Source:
        Voss et al., "Visualizing weights", Distill 2021, "Interaction graphs": weights are multiplied out where
        units between them are of no interest.
    """
    return F.conv_transpose2d(second, first, stride=stride)


@dataclass(frozen=True)
class LinearMap:
    """What a layer reads of an earlier one, when all between them is linear.

    Attributes:
        kernel: ``(outputs, inputs, rows, columns)``; ``(1, 1, rows, columns)`` if each channel reads only itself.
        stride: Positions of the earlier layer from one position to the next.
        start: Row and column where the kernel begins for the unit at (0, 0); negative in the padding.
    """

    kernel: Float[Tensor, "outputs inputs rows columns"]
    stride: int = 1
    start: tuple[int, int] = (0, 0)

    def then(self, step: Step) -> LinearMap:
        """This map, followed by one more convolution or pooling."""
        if step.kernel is None:
            raise ValueError("step: joins activations; use joined")
        top, left = (place - self.stride * pad for place, pad in zip(self.start, step.padding, strict=True))
        return LinearMap(_followed(self.kernel, step.kernel, self.stride), self.stride * step.stride, (top, left))

    def over(self, channels: int) -> LinearMap:
        """The same map, with a kernel for each pair of channels, also where each channel reads only itself."""
        if self.kernel.shape[:2] != (1, 1):
            return self
        diagonal = torch.eye(channels, dtype=self.kernel.dtype, device=self.kernel.device)[:, :, None, None]
        return LinearMap(diagonal * self.kernel, self.stride, self.start)


def _followed(first: Tensor, second: Tensor, stride: int) -> Tensor:
    """``effective_kernel``, where kernels that every channel shares are not written out for each pair of channels."""
    if first.shape[:2] == (1, 1):
        outputs, inputs = second.shape[:2]
        return effective_kernel(first, second.flatten(0, 1)[:, None], stride).unflatten(0, (outputs, inputs))[:, :, 0]
    if second.shape[:2] == (1, 1):
        every = first.flatten(0, 1)[None]  # one channel in the middle, each pair of channels an input of its own
        return effective_kernel(every, second, stride)[0].unflatten(0, tuple(first.shape[:2]))
    return effective_kernel(first, second, stride)


def joined(maps: Sequence[LinearMap], channels: Sequence[int]) -> LinearMap:
    """Maps from one layer to several branches, as one map to all their channels in a row.

    Kernels are set into a frame of zeros that holds all of them, each in its place.

    Args:
        maps: One for each branch, all with the same stride.
        channels: How many channels each branch has.

    Raises:
        ValueError: The strides differ.
    """
    whole = [one.over(count) for one, count in zip(maps, channels, strict=True)]
    if len(strides := {one.stride for one in whole}) > 1:
        raise ValueError(f"maps: have strides {sorted(strides)}; branches that are joined have one stride")
    begin = [min(one.start[axis] for one in whole) for axis in (0, 1)]
    end = [max(one.start[axis] + one.kernel.shape[2 + axis] for one in whole) for axis in (0, 1)]
    outputs = sum(len(one.kernel) for one in whole)
    frame = whole[0].kernel.new_zeros(outputs, whole[0].kernel.shape[1], end[0] - begin[0], end[1] - begin[1])
    for part, one in zip(frame.split([len(one.kernel) for one in whole]), whole, strict=True):
        (row, column), (rows, columns) = [one.start[axis] - begin[axis] for axis in (0, 1)], one.kernel.shape[2:]
        part[:, :, row : row + rows, column : column + columns] = one.kernel
    return LinearMap(frame, whole[0].stride, (begin[0], begin[1]))


def first_map(steps: Sequence[Step]) -> LinearMap:
    """The map from a layer to itself, where some steps begin: each channel reads itself, once."""
    weights = next((step.kernel for step in steps if step.kernel is not None), torch.ones(()))
    return LinearMap(weights.new_ones(1, 1, 1, 1))


def expanded_weights(
    model: nn.Module, from_layer: str, to_layer: str, images: Float[Tensor, "1 channel height width"] | None = None
) -> Float[Tensor, "outputs inputs rows columns"]:
    """What a layer's units read of an earlier layer, with everything between the two multiplied out.

    Rectifiers are skipped and poolings averaged; biases are left out. For a network without rectifiers and with average
    poolings that is exact. For others it is the network that you get by calling all its units active.

    Args:
        model: A network in eval mode, of convolutions, poolings, rectifiers, batch normalisations and
            concatenations: InceptionV1, mini, GoogLeNet.
        from_layer: The earlier layer, for example ``"mixed3a"``.
        to_layer: The later one, for example ``"mixed3b"``.
        images: An image that the network takes, only to follow its way; by default blank, 64 pixels high and wide.

    Returns:
        One kernel for each pair of channels, in positions of the earlier layer.

    Raises:
        ValueError: As ``linear_steps``.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 3), nn.MaxPool2d(2)).eval()
        >>> expanded_weights(model, "0", "3").shape  # 3 × 3, met at 2 × 2 places
        torch.Size([2, 4, 4, 4])

    Source:
        Voss et al., "Visualizing weights", Distill 2021, "Expanded weights".
    """
    steps = linear_steps(model, from_layer, to_layer, images)
    maps = [first_map(steps)]
    for step in steps:
        before = [maps[number] for number in step.sources]
        maps.append(joined(before, step.channels) if step.kernel is None else before[0].then(step))
    return maps[-1].over(steps[0].channels[0]).kernel


@dataclass(frozen=True)
class Connections:
    """Input channels of a unit, strongest first, and the kernels through which they are read.

    Attributes:
        channels: Numbers of the input channels.
        strengths: Root of the sum of squares of the weights of the sign in question; falling, never below 0.
        kernels: Whole kernels, weights of both signs.
    """

    channels: Int[Tensor, "count"]
    strengths: Float[Tensor, "count"]
    kernels: Float[Tensor, "count rows columns"]


def top_connections(
    weights: Float[Tensor, "outputs inputs rows columns"], unit: int, count: int = 5
) -> tuple[Connections, Connections]:
    """Which channels excite a unit most, and which inhibit it most?

    A channel can do both: a line excites a curve where it lies along it, and inhibits it where it cuts across.

    Args:
        weights: Expanded weights, or a convolution's own.
        unit: Number of the output channel.
        count: How many channels of each kind, from 1 to the number of inputs.

    Returns:
        ``(excitatory, inhibitory)``: by the weights above 0, and by those below.

    Raises:
        ValueError: ``unit`` or ``count`` is out of range.

    Example:
        >>> weights = torch.tensor([1.0, -3.0, 2.0]).view(1, 3, 1, 1)
        >>> excites, inhibits = top_connections(weights, 0, count=1)
        >>> excites.channels, inhibits.channels
        (tensor([2]), tensor([1]))
    """
    check_connections(weights, unit, count)
    kernels, found = weights[unit], []
    for sign in (1, -1):
        strengths, channels = (sign * kernels).clamp(min=0).flatten(1).norm(dim=1).topk(count)
        found.append(Connections(channels, strengths, kernels[channels]))
    return found[0], found[1]


def check_connections(weights: Tensor, unit: int, count: int) -> None:
    """Refuse a unit that is none, and more inputs than there are."""
    outputs, inputs = weights.shape[:2]
    if not 0 <= unit < outputs:
        raise ValueError(f"unit: {unit} is no output channel; there are {outputs} (0 to {outputs - 1})")
    if not 1 <= count <= inputs:
        raise ValueError(f"count: {count} is not between 1 and {inputs}, the number of input channels")
