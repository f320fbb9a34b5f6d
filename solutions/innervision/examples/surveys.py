"""One walk over a data set that notes, for every image and channel, three places: strongest, weakest, one at random.

An activation map is looked at and let go. What stays is 20 bytes for each image and channel: 50,000 images and the 252
channels of mini's mixed4c take 250 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int16
from torch import Tensor, nn

from innervision.activations import match_layers, record
from innervision.examples.batches import Images, in_batches
from innervision.examples.tables import Table


@dataclass(frozen=True)
class Places:
    """Activations and where they lie, one for each image (and for each channel, if there are several).

    Slice it like a tensor: of all channels' places, ``places[:, 5]`` are those of channel 5.

    Attributes:
        values: The activations.
        rows: Row of the layer, from 0 at the top.
        columns: Column of the layer, from 0 at the left.
    """

    values: Float[Tensor, "images *channels"]
    rows: Int16[Tensor, "images *channels"]
    columns: Int16[Tensor, "images *channels"]

    def __getitem__(self, index: Any) -> Places:
        return Places(self.values[index], self.rows[index], self.columns[index])

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Survey:
    """What ``survey`` returns.

    Attributes:
        layer: The layer surveyed.
        highest: Each image's strongest place in each channel.
        lowest: Each image's weakest place in each channel.
        random: One place of each image, drawn evenly, the same in all channels.
    """

    layer: str
    highest: Places
    lowest: Places
    random: Places

    def of_channel(self, channel: int) -> list[Places]:
        """Highest, lowest and random places of one channel, as ``activation_spectrum`` takes them."""
        return [places[:, channel] for places in (self.highest, self.lowest, self.random)]


def strongest_places(maps: Float[Tensor, "images channels rows columns"], *, lowest: bool = False) -> Places:
    """Where in each image is each channel most active?

    Args:
        maps: Activations of a layer.
        lowest: Look for the smallest activation instead of the largest.

    Returns:
        ``Places`` with tensors ``(images, channels)``. Of equal activations the first counts, row by row from
        the top left.

    Example:
        >>> maps = torch.tensor([[[[0.0, 3.0, 1.0], [2.0, 0.0, 3.0]]]])  # one image, one channel, 2 × 3
        >>> places = strongest_places(maps)
        >>> places.values.item(), places.rows.item(), places.columns.item()
        (3.0, 0, 1)
    """
    flat = maps.flatten(2)
    values, index = flat.min(dim=2) if lowest else flat.max(dim=2)
    columns = maps.shape[3]
    return Places(values, (index // columns).short(), (index % columns).short())


def random_places(
    maps: Float[Tensor, "images channels rows columns"], generator: torch.Generator, *, margin: int = 0
) -> Places:
    """One place of each image, every position equally likely, the same for all its channels.

    Args:
        maps: Activations of a layer.
        generator: A generator of the CPU. It moves on by two numbers an image, so batches of any size give the
            same places.
        margin: Positions along each border that are left out, ≥ 0.

    Returns:
        ``Places`` with tensors ``(images, channels)``.

    Raises:
        ValueError: The margin leaves no position.
    """
    images, channels, height, width = maps.shape
    inner = (height - 2 * margin, width - 2 * margin)
    if margin < 0 or min(inner) < 1:
        raise ValueError(f"margin: {margin} leaves no position of a layer of {height} × {width}")
    drawn = torch.rand(images, 2, generator=generator, dtype=torch.float64).to(maps.device)
    rows, columns = ((drawn[:, axis] * inner[axis]).long() + margin for axis in range(2))
    values = maps[torch.arange(images, device=maps.device), :, rows, columns]
    return Places(values, *(index.short()[:, None].expand(-1, channels) for index in (rows, columns)))


@torch.no_grad()
def survey(
    model: nn.Module,
    layer: str,
    images: Images,
    *,
    channels: Sequence[int] | None = None,
    batch_size: int = 250,
    seed: int = 0,
    generator: torch.Generator | None = None,
) -> Survey:
    """Walk over a data set once and note each image's strongest, weakest and one random place in a layer.

    Args:
        model: A network in eval mode.
        layer: A layer with activations ``(batch, channel, row, column)``. To see what suppresses a channel, take the
            value before its rectifier, in ``mini`` for example ``"mixed3b_3x3.conv"``.
        images: A tensor, a ``Dataset``, a ``DataLoader``, a generator of batches…: see ``Images``.
        channels: The channels to note, for very large data sets; by default all. The survey then counts only
            these, from 0.
        batch_size: Images that the network sees at once, ≥ 1. It changes no result.
        seed: Seed of the random places, unless ``generator`` is given.
        generator: A CPU generator to draw from in place of ``seed``; it moves on.

    Returns:
        A ``Survey`` on the CPU.

    Raises:
        ValueError: The layer does not exist or has no rows and columns; there are no images; the model is in
            training mode.
    """
    if model.training:
        raise ValueError("model: is in training mode; call model.eval() first")
    match_layers(model, layer, "layer")
    generator = torch.Generator().manual_seed(seed) if generator is None else generator
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    tables = [_PlacesTable() for _ in range(3)]
    for batch in in_batches(images, batch_size):
        maps = _maps(record(model, batch.to(device), layer)[layer], layer).cpu()
        maps = maps if channels is None else maps[:, list(channels)]
        found = strongest_places(maps), strongest_places(maps, lowest=True), random_places(maps, generator)
        for table, places in zip(tables, found, strict=True):
            table.append(places)
    return Survey(layer, *(table.finish() for table in tables))


def _maps(activation: Tensor, layer: str) -> Tensor:
    if activation.ndim != 4:
        raise ValueError(
            f"layer: '{layer}' has activations of shape {tuple(activation.shape)}, "
            "without rows and columns; choose one with (batch, channel, row, column)"
        )
    return activation


class _PlacesTable:
    """Places of one batch after the other; indices that all channels share are stored once."""

    def __init__(self) -> None:
        self.values, self.rows, self.columns = Table(), Table(), Table()
        self.channels = 0

    def append(self, places: Places) -> None:
        self.channels = places.values.shape[1]
        distinct = self.channels if places.rows.stride(1) else 1
        self.values.append(places.values)
        self.rows.append(places.rows[:, :distinct])
        self.columns.append(places.columns[:, :distinct])

    def finish(self) -> Places:
        values = self.values.finish()
        return Places(values, *(table.finish().expand(-1, self.channels) for table in (self.rows, self.columns)))
