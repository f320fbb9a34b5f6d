"""Which pixels can a unit see? Found out by trying, so that it holds for any network.

One row of pixels is set to NaN ("not a number"). Whatever is computed from a NaN is NaN again, through convolutions,
rectifiers and poolings alike, so the units that turn NaN are those that can see the row. Unlike a gradient this does
not depend on the weights, nor on which rectifiers happen to be open.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Int
from torch import Tensor, nn

from innervision.activations import record

PROBES = 16
"""Rows tried in one batch: few enough for the memory of any machine that runs the network at all."""

WIDTHS = (16, 64)
"""What one row does to other rows does not depend on how long it is, so short rows are tried first, in pixels."""


@dataclass(frozen=True)
class ReceptiveField:
    """What each unit of a layer can see of an image, cut off at the image's border.

    Attributes:
        tops: First pixel row that a unit in this row of the layer sees.
        bottoms: First pixel row below it that the unit does not see.
        lefts: The same for columns.
        rights: The same for columns.
        image_size: Height and width of the image in pixels.
    """

    tops: Int[Tensor, "rows"]
    bottoms: Int[Tensor, "rows"]
    lefts: Int[Tensor, "columns"]
    rights: Int[Tensor, "columns"]
    image_size: tuple[int, int]

    def boxes(self, rows: Int[Tensor, "*units"], columns: Int[Tensor, "*units"]) -> Int[Tensor, "*units 4"]:
        """(top, bottom, left, right) of some units in pixels; it sees ``image[:, top:bottom, left:right]``."""
        rows, columns = rows.long(), columns.long()
        return torch.stack([self.tops[rows], self.bottoms[rows], self.lefts[columns], self.rights[columns]], dim=-1)

    @property
    def geometry(self) -> tuple[int, int, int]:
        """(size, jump, start) along the rows, in pixels, as ``innervision.models.receptive_field`` computes it.

        Unit i sees ``size`` pixels from ``start + i * jump`` on.

        Raises:
            ValueError: The border cuts off what the unit in the middle sees; the image is too small to tell.
        """
        middle = (len(self.tops) - 1) // 2
        top, bottom = int(self.tops[middle]), int(self.bottoms[middle])
        if len(self.tops) < 2 or top == 0 or bottom == self.image_size[0]:
            raise ValueError(
                f"image_size: {self.image_size[0]} rows are too few: the unit in the middle sees all of them or more"
            )
        jump = int(self.tops[middle + 1]) - top
        return bottom - top, jump, top - middle * jump


_known: WeakKeyDictionary[nn.Module, dict[tuple[str, tuple[int, int]], ReceptiveField]] = WeakKeyDictionary()


def probe_receptive_field(model: nn.Module, layer: str, image_size: tuple[int, int]) -> ReceptiveField:
    """Find out by trying which pixels each unit of a layer can see.

    The answer is kept as long as the network lives: ask again and it is there. (Should you change which layers
    the network has, make a new network.) The weights do not matter, only how the layers are connected.

    Args:
        model: A network in eval mode whose layers take images of any size, as convolutions do.
        layer: A layer with activations ``(batch, channel, row, column)``.
        image_size: Height and width of the images in pixels.

    Returns:
        A ``ReceptiveField``. A layer that compares all positions with each other sees the whole image.

    Raises:
        ValueError: The layer does not exist or has no rows and columns; the model is in training mode.
    """
    if model.training:
        raise ValueError("model: is in training mode; call model.eval() first")
    height, width = int(image_size[0]), int(image_size[1])
    known = _known.setdefault(model, {})
    if (layer, (height, width)) not in known:
        tops, bottoms = _reach(model, layer, height, width, axis=2)
        lefts, rights = _reach(model, layer, width, height, axis=3)
        known[layer, (height, width)] = ReceptiveField(tops, bottoms, lefts, rights, (height, width))
    return known[layer, (height, width)]


def _reach(model: nn.Module, layer: str, length: int, across: int, axis: int) -> tuple[Tensor, Tensor]:
    """First pixel along an axis that each position of the layer sees, and the first behind those it sees."""
    widths = sorted({min(width, across) for width in (*WIDTHS, across)})
    with warnings.catch_warnings(), ExitStack() as plain:
        warnings.simplefilter("ignore")  # switching a library off warns about what it could do on other machines
        # Fast convolutions (Winograd, Fourier) work on whole tiles and would spread a NaN over them.
        for library in (torch.backends.mkldnn, torch.backends.nnpack, torch.backends.cudnn):
            plain.enter_context(library.flags(enabled=False))
        for width in widths:
            try:
                sees = _try_pixels(model, layer, (length, width) if axis == 2 else (width, length), axis)
                break
            except RuntimeError:  # too narrow for a layer's kernel
                if width == across:
                    raise
    return sees.argmax(dim=0), length - sees.flip(0).argmax(dim=0)


@torch.no_grad()
def _try_pixels(model: nn.Module, layer: str, size: tuple[int, int], axis: int) -> Int[Tensor, "pixels positions"]:
    """1 where a NaN in all pixels of one index along the axis reaches a position of the layer, else 0."""
    first = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    reached = []
    for pixels in torch.arange(size[axis - 2], device=device).split(PROBES):
        images = torch.zeros(len(pixels), first.in_channels if first else 3, *size, device=device)
        images.movedim(axis, 1)[torch.arange(len(pixels)), pixels] = float("nan")
        activation = record(model, images, layer)[layer]
        if activation.ndim != 4:
            raise ValueError(
                f"layer: '{layer}' has activations of shape {tuple(activation.shape)}, "
                "without rows and columns; choose one with (batch, channel, row, column)"
            )
        reached.append(activation.isnan().any(dim=1).any(dim=4 - axis))
    return torch.cat(reached).int().cpu()
