"""One channel of a layer for each image, without computing the channels that nobody asked for.

A network that is ``Branched`` says where the channels of a layer come from. Then each image runs through its own branch
only, and the last convolution of the branch has no more filters than were asked for. Any other network, and any layer
that somebody watches or changes on the way, is run whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from innervision.activations import record
from innervision.models.branches import Branched, Branches, some_channels, width_of
from innervision.optvis.objectives import Objective
from innervision.optvis.rectifiers import is_redirected

Place = tuple[int, int]
"""A channel as branch, and channel of this branch."""


def channels_read(objectives: Sequence[Objective], layers: Sequence[str]) -> list[int] | None:
    """The one channel of the one layer that each objective reads, or None if any reads more or does not say."""
    found = []
    for objective in objectives:
        read = set(objective.reads or ())
        if len(read) != 1 or [layer for layer, _ in read] != list(layers):
            return None
        found += [channel for _, channel in read]
    return found if all(type(channel) is int for channel in found) else None


def selected_channels(
    model: nn.Module, images: Float[Tensor, "batch 3 height width"], layer: str, channels: Sequence[int]
) -> tuple[Float[Tensor, "batch 1 rows columns"], int] | None:
    """For each image one channel of a layer.

    Args:
        model: Any network.
        images: What it takes.
        layer: A path of ``named_modules()``.
        channels: For each image the channel that is wanted; negative ones count from the end.

    Returns:
        The channels and the layer's width; the same numbers as in the whole activation up to rounding. None where the
        layer must be run whole: the network does not say what it is made of, or there is a hook on it.
    """
    branches = model.branches(layer) if isinstance(model, Branched) else None
    if branches is None or _is_watched(model, layer, branches):
        return None
    hidden = record(model, images, branches.source)[branches.source]
    widths = [width_of(model.get_submodule(chain[-1])) for chain in branches.chains]
    all_places = [(branch, index) for branch, width in enumerate(widths) for index in range(width)]
    found = _in_branches(model, hidden, branches, [all_places[channel] for channel in channels])
    if branches.adds_source:
        found = found + torch.cat([one[:, [channel]] for one, channel in zip(hidden.split(1), channels, strict=True)])
    return found, len(all_places)


def _in_branches(
    model: nn.Module, hidden: Float[Tensor, "batch channel height width"], branches: Branches, places: Sequence[Place]
) -> Float[Tensor, "batch 1 height width"]:
    """Each image through the branch of its place; images of one branch go together."""
    order = sorted(range(len(places)), key=lambda image: places[image])
    ordered = order == list(range(len(places)))
    groups = [list(group) for _, group in groupby((places[image] for image in order), key=lambda place: place[0])]
    parts = (hidden if ordered else hidden[order]).split([len(group) for group in groups])
    found = torch.cat([_in_branch(model, part, branches, group) for part, group in zip(parts, groups, strict=True)])
    return found if ordered else found[[order.index(image) for image in range(len(places))]]


def _in_branch(
    model: nn.Module, hidden: Float[Tensor, "batch channel height width"], branches: Branches, places: Sequence[Place]
) -> Float[Tensor, "batch 1 height width"]:
    *most, last = (model.get_submodule(name) for name in branches.chains[places[0][0]])
    for part in most:
        hidden = part(hidden)
    wanted = sorted({index for _, index in places})
    outputs = some_channels(last, hidden, wanted).split(1)
    at = [wanted.index(index) for _, index in places]
    return torch.cat([output[:, i : i + 1] for output, i in zip(outputs, at, strict=True)])


def _is_watched(model: nn.Module, layer: str, branches: Branches) -> bool:
    """Whether anybody would notice that a part of the layer does not run, or runs on some of the images only."""
    parts = [model.get_submodule(name) for name in {layer, *(name for chain in branches.chains for name in chain)}]
    return (
        bool(_has_any_global_hook())
        or "forward" in vars(model)
        or any(_has_hooks(module) for part in parts for module in part.modules())
    )


def _has_hooks(module: nn.Module) -> bool:
    """Whether anything was hung on a module or put in place of its own pass; redirected rectifiers do not count."""
    return bool(
        module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or "forward" in vars(module)
        or (module._forward_hooks and not is_redirected(module))
    )
