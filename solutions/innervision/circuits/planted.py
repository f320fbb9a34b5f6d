"""Networks with a known answer: a written circuit, compiled into weights and hidden among noise and decoys.

What a method for reading circuits says of a trained network nobody can check. Of a planted one anybody can.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from innervision.circuits.drawings import draw, line_kernel
from innervision.circuits.written import Unit
from innervision.models.inception import ConvolutionLayer

KERNELS = (9, 11, 13)
"""Sides of the three layers' kernels, in pixels: wide enough for what the written circuits read."""

THRESHOLD = 0.4
"""A unit is silent below this share of its response to what it is meant for: most of what it reads has to be there."""

READS = 4
"""How many channels a decoy reads."""


@dataclass(frozen=True)
class Answer:
    """The answer key of a planted network.

    Attributes:
        channels: Unit → (layer, channel).
        edges: Convolution → which channel (row) truly reads which (column) of the layer before.
        angles: Unit → angle in degrees, for lines and curves; see ``Unit``.
        units: The circuit, as it was written.
    """

    channels: dict[str, tuple[str, int]]
    edges: dict[str, Bool[Tensor, "outputs inputs"]]
    angles: dict[str, float]
    units: tuple[Unit, ...]

    def circuit_of(self, name: str) -> dict[str, Bool[Tensor, "outputs inputs"]]:
        """The true edges that lead to one unit of the third layer, straight or through others.

        Raises:
            ValueError: The circuit has no such unit.
        """
        if name not in self.channels:
            raise ValueError(f"name: no unit '{name}' in this circuit; it has {', '.join(self.channels)}")
        last = torch.zeros_like(self.edges["layer3.conv"])
        last[self.channels[name][1]] = self.edges["layer3.conv"][self.channels[name][1]]
        return {"layer2.conv": self.edges["layer2.conv"] & last.any(dim=0)[:, None], "layer3.conv": last}


class Planted(nn.Module):
    """Three convolution layers, ``layer1`` to ``layer3``, each with ``.conv`` and ``.relu``.

    Inputs are images in [0, 1]; grey, 0.5, is nothing. Outputs are ``(batch, channels of layer3)``: the strongest
    response of each channel, wherever it is.
    """

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        before = 3
        for number, (width, kernel) in enumerate(zip(widths, KERNELS, strict=True), start=1):
            self.add_module(f"layer{number}", ConvolutionLayer(before, width, kernel, 1, batch_norm=False))
            before = width

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch channels"]:
        """The strongest response of each channel of the last layer."""
        hidden = images - 0.5
        for number in (1, 2, 3):
            hidden = self.get_submodule(f"layer{number}")(hidden)
        return hidden.amax(dim=(2, 3))


def plant(
    circuit: Sequence[Unit], generator: torch.Generator, *, noise: float = 0.2, decoys: int = 8
) -> tuple[Planted, Answer]:
    """Compile a written circuit into a network, and hide it.

    Args:
        circuit: Units, each after those that it reads; ``written`` has some.
        generator: Where the noise, the decoys and the order of the channels come from.
        noise: Normal numbers are added to all weights: to each channel's as many as make this share of its weights'
            length (root of the sum of squares), in [0, 1].
        decoys: Channels in each layer that belong to no circuit. They read four channels each, as strongly as units do.

    Returns:
        ``(network, answer)``; the network is in eval mode.

    Raises:
        ValueError: ``noise`` or ``decoys`` is out of range.
    """
    if not 0 <= noise <= 1:
        raise ValueError(f"noise: {noise} is not between 0 and 1, a share of the weights' length")
    if decoys < 0:
        raise ValueError(f"decoys: {decoys} is below 0; give a number of channels")
    layers = [[unit for unit in circuit if unit.layer == number] for number in (1, 2, 3)]
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, then replaced
        network = Planted([len(units) + decoys for units in layers]).eval()
    channels = _places(layers, decoys, generator)
    edges = {f"layer{number}.conv": _edges(layers, number, channels, decoys) for number in (2, 3)}
    angles = {unit.name: unit.angle for unit in circuit if unit.angle is not None}
    answer = Answer(channels, edges, angles, tuple(circuit))
    with torch.no_grad():
        for number, units in enumerate(layers, start=1):
            _write(network, number, units, answer)
            _add_decoys(network, number, answer, generator)
        for number in (1, 2, 3):
            _add_noise(network.get_submodule(f"layer{number}.conv").weight, noise, generator)  # type: ignore[arg-type]
    return network, answer


def _places(layers: Sequence[Sequence[Unit]], decoys: int, generator: torch.Generator) -> dict[str, tuple[str, int]]:
    places = {}
    for number, units in enumerate(layers, start=1):
        order = torch.randperm(len(units) + decoys, generator=generator).tolist()
        places.update({unit.name: (f"layer{number}", order[index]) for index, unit in enumerate(units)})
    return places


def _edges(
    layers: Sequence[Sequence[Unit]], number: int, channels: Mapping[str, tuple[str, int]], decoys: int
) -> Bool[Tensor, "outputs inputs"]:
    units, before = layers[number - 1], layers[number - 2]
    edges = torch.zeros(len(units) + decoys, len(before) + decoys, dtype=torch.bool)
    for unit in units:
        for read in unit.reads:
            edges[channels[unit.name][1], channels[read.unit][1]] = True
    return edges


def _write(network: Planted, number: int, units: Sequence[Unit], answer: Answer) -> None:
    """Weights and thresholds of a layer's units: each responds with 1 to the picture of what it is meant for."""
    layer: ConvolutionLayer = network.get_submodule(f"layer{number}")  # type: ignore[assignment]
    layer.conv.weight.zero_()
    layer.conv.bias.zero_()  # type: ignore[union-attr]
    for unit in units:
        kernel = layer.conv.weight[answer.channels[unit.name][1]]
        if unit.angle is not None and number == 1:
            kernel.copy_(line_kernel(unit.angle, KERNELS[0]).expand_as(kernel))
        for read in unit.reads:
            _put(kernel[answer.channels[read.unit][1]], read.row, read.column, read.weight)
    for unit in units:
        channel = answer.channels[unit.name][1]
        pictures = torch.stack([draw(answer.units, name) for name in unit.means or (unit.name,)])
        responses = _responses(network, number, pictures)[:, channel].amax(dim=(1, 2))
        scale = 1 / (1 - THRESHOLD) / responses.min()
        layer.conv.weight[channel] *= scale
        layer.conv.bias[channel] = -THRESHOLD / (1 - THRESHOLD)  # type: ignore[index]


def _responses(network: Planted, number: int, images: Tensor) -> Tensor:
    hidden = images - 0.5
    for before in range(1, number):
        hidden = network.get_submodule(f"layer{before}")(hidden)
    return network.get_submodule(f"layer{number}.conv")(hidden)


def _put(kernel: Tensor, row: float, column: float, weight: float) -> None:
    """Add a weight at a place between pixels: shared out among the four around it, by how near they are."""
    middle = kernel.shape[0] // 2
    top, left = math.floor(row), math.floor(column)
    for y, x in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        share = (1 - abs(row - y)) * (1 - abs(column - x))
        if share > 0:
            kernel[middle + y, middle + x] += weight * share


def _add_decoys(network: Planted, number: int, answer: Answer, generator: torch.Generator) -> None:
    """Fill the channels that are no units: noise in the first layer, a few readings at random places in later ones."""
    weight: Tensor = network.get_submodule(f"layer{number}.conv").weight  # type: ignore[assignment]
    bias: Tensor = network.get_submodule(f"layer{number}.conv").bias  # type: ignore[assignment]
    taken = {channel for layer, channel in answer.channels.values() if layer == f"layer{number}"}
    length = weight[sorted(taken)].flatten(1).norm(dim=1).mean()
    for channel in sorted(set(range(len(weight))) - taken):
        kernel = torch.zeros_like(weight[channel])
        if number == 1:
            kernel = torch.randn(kernel.shape, generator=generator)
        else:
            sources = torch.randperm(len(kernel), generator=generator)[:READS].tolist()
            for source, place in zip(sources, torch.rand(READS, 2, generator=generator).tolist(), strict=False):
                reach = kernel.shape[1] - 3
                _put(kernel[source], (place[0] - 0.5) * reach, (place[1] - 0.5) * reach, 1.0)
        weight[channel] = kernel * length / kernel.norm()
        bias[channel] = -THRESHOLD / (1 - THRESHOLD)


def _add_noise(weight: Tensor, noise: float, generator: torch.Generator) -> None:
    """To each channel's kernels, normal numbers with this share of their length."""
    drawn = torch.randn(weight.shape, generator=generator)
    drawn *= noise / drawn.flatten(1).norm(dim=1)[:, None, None, None]
    weight += drawn * weight.flatten(1).norm(dim=1)[:, None, None, None]
