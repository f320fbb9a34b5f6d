"""Channels of a network replaced by others, made by hand: does the network go on as if nothing had happened?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from innervision.activations import edit, match_layers


@contextmanager
def splice(
    model: nn.Module,
    layer: str,
    channels: Sequence[int],
    source: str,
    kernels: Float[Tensor, "units inputs size size"],
    biases: Float[Tensor, "units"] | None = None,
) -> Iterator[nn.Module]:
    """Inside this block some channels of a layer are computed by your kernels, and not by what was learned.

    They are the rectified convolution of an earlier layer's activation; beyond its border there are zeros. All other
    channels are as before. Afterwards the network is as it was, also after an error.

    Args:
        model: A network in eval mode.
        layer: The layer whose channels are replaced, for example ``"mixed3b"``.
        channels: Their numbers, each once.
        source: The layer that is read, for example ``"mixed3a"``. It runs before ``layer`` and has as many positions.
        kernels: One for each channel and each input; ``size`` is odd.
        biases: Added before the rectifier; by default 0.

    Yields:
        The model.

    Raises:
        ValueError: A layer does not exist; numbers of channels, kernels, biases or inputs do not fit; ``size`` is even;
            on running the model, that ``source`` was not run before, or has other positions.

    Example:
        >>> model = nn.Sequential(nn.Identity(), nn.ReLU()).eval()
        >>> with splice(model, "1", [1], "0", torch.tensor([2.0, 0.0]).view(1, 2, 1, 1)):
        ...     model(torch.tensor([3.0, 5.0]).view(1, 2, 1, 1)).flatten()
        tensor([3., 6.])

    Source:
        Cammarata et al., "Curve circuits", Distill 2021, "Artificial artificial neurons".
    """
    check_splice(model, layer, channels, source, kernels, biases)
    read: list[Tensor] = []

    def remember(activation: Tensor) -> Tensor:
        read[:] = [activation]
        return activation

    def replace(activation: Tensor) -> Tensor:
        check_read(read, activation, channels, kernels)
        changed = activation.clone()
        changed[:, list(channels)] = F.conv2d(read.pop(), kernels, biases, padding=kernels.shape[-1] // 2).relu()
        return changed

    with edit(model, {source: remember, layer: replace}):
        yield model


def check_splice(
    model: nn.Module, layer: str, channels: Sequence[int], source: str, kernels: Tensor, biases: Tensor | None
) -> None:
    """Refuse layers that do not exist, and kernels that do not fit the channels."""
    match_layers(model, layer, "layer")
    match_layers(model, source, "source")
    if layer == source:
        raise ValueError(f"source: '{source}' is the layer itself; name an earlier one")
    if kernels.ndim != 4 or kernels.shape[2] != kernels.shape[3] or kernels.shape[2] % 2 == 0:
        raise ValueError(f"kernels: shape {tuple(kernels.shape)} is not (units, inputs, size, size) with an odd size")
    if len(set(channels)) != len(channels) or len(channels) != len(kernels):
        raise ValueError(f"channels: {list(channels)} for {len(kernels)} kernels; name one for each, and each once")
    if biases is not None and tuple(biases.shape) != (len(kernels),):
        raise ValueError(f"biases: shape {tuple(biases.shape)} is not ({len(kernels)},), one for each kernel")


def check_read(read: Sequence[Tensor], activation: Tensor, channels: Sequence[int], kernels: Tensor) -> None:
    """Refuse a source that has not run yet, or whose activation cannot be put in place of the layer's."""
    if not read:
        raise ValueError("source: was not run before the layer; name an earlier one")
    if read[0].shape[2:] != activation.shape[2:]:
        there, here = (" × ".join(map(str, one.shape[2:])) for one in (read[0], activation))
        raise ValueError(f"source: has {there} positions and the layer {here}; name the pooling between them")
    if read[0].shape[1] != kernels.shape[1]:
        raise ValueError(f"kernels: have {kernels.shape[1]} inputs; the source has {read[0].shape[1]} channels")
    if not all(0 <= channel < activation.shape[1] for channel in channels):
        raise ValueError(f"channels: {list(channels)} are not all from 0 to {activation.shape[1] - 1}")
