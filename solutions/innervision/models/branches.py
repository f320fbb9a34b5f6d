"""Where the channels of a layer come from, so that a few of them can be computed without the others.

A mixed layer of an inception network puts its branches side by side: each of its channels is made by one filter of the
last convolution of one branch. All other branches, and all other filters, have no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call


@dataclass(frozen=True)
class Branches:
    """A layer that puts the outputs of some chains of layers side by side, in the order of their channels.

    Attributes:
        source: The layer whose output every chain starts from.
        chains: For each branch the names of its layers, which run one after the other. The last one is ``selectable``.
        adds_source: Whether the source is added to what the chains put out (a shortcut around a block).
    """

    source: str
    chains: tuple[tuple[str, ...], ...]
    adds_source: bool = False


class Branched:
    """A network that can say where the channels of its layers come from. Other networks need not."""

    def branches(self, layer: str) -> Branches | None:
        """The branches of a layer as the network is now, or None where its channels cannot be had one by one.

        Args:
            layer: A path of ``named_modules()``.
        """
        raise NotImplementedError


PER_CHANNEL = (nn.Identity, nn.ReLU, nn.ReLU6)
"""What may follow a convolution: each of its channels is made from one of those before."""


def selectable(layer: nn.Module) -> bool:
    """Whether a layer with the parts ``conv``, ``norm`` and ``relu`` can compute some of its channels by themselves.

    A part that somebody has replaced by one of another kind may mix channels.
    """
    convolution = layer.conv
    return (
        type(convolution) is nn.Conv2d
        and convolution.groups == 1
        and type(layer.norm) is nn.Identity
        and type(layer.relu) in PER_CHANNEL
    )


def width_of(layer: nn.Module) -> int:
    """Channels that a selectable layer puts out."""
    return len(layer.conv.weight)  # type: ignore[union-attr,arg-type]


def some_channels(
    layer: nn.Module, images: Float[Tensor, "batch channel height width"], channels: Sequence[int]
) -> Float[Tensor, "batch chosen new_height new_width"]:
    """Some channels of a selectable layer's output, in this order; the others are never computed."""
    filters = {f"conv.{name}": values[channels] for name, values in layer.conv.named_parameters()}  # type: ignore[union-attr]
    found: Tensor = functional_call(layer, filters, (images,))
    return found
