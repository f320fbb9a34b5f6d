"""The activation atlas: everything that a layer tells apart, on one map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from innervision.activations import record
from innervision.atlas.covariance import whitening
from innervision.atlas.icons import draw_icons
from innervision.atlas.layouts import layout
from innervision.attribution import activation_and_gradient
from innervision.examples import Images, Places, in_batches, random_places


@dataclass(frozen=True)
class Cells:
    """What ``grid_averages`` returns: the cells of a map that hold enough points, row by row.

    Attributes:
        vectors: Mean of the activations in each cell.
        rows: The cell's row, from 0 at the top.
        columns: The cell's column, from 0 at the left.
        counts: Number of activations in the cell.
        side: Rows, and columns, of the whole map.
    """

    vectors: Float[Tensor, "cells channel"]
    rows: Int[Tensor, "cells"]
    columns: Int[Tensor, "cells"]
    counts: Int[Tensor, "cells"]
    side: int


@dataclass(frozen=True)
class Atlas:
    """What ``activation_atlas`` returns.

    Attributes:
        icons: One for each cell.
        cells: Where they lie, and how many activations each stands for.
        places: The activations on the map, one of each image, and where in the image they lie.
        coordinates: (row, column) of each of them on the map, in [0, 1].
    """

    icons: Float[Tensor, "cells 3 size size"]
    cells: Cells
    places: Places
    coordinates: Float[Tensor, "points 2"]


@torch.no_grad()
def sample_activations(
    model: nn.Module, layer: str, images: Images, *, margin: int = 1, seed: int = 0, batch_size: int = 250
) -> Places:
    """All channels' activations at one random place of each image.

    Args:
        model: A network in eval mode.
        layer: A layer with activations ``(batch, channel, row, column)``.
        images: A tensor, a ``Dataset``, a ``DataLoader`` …: see ``innervision.examples.Images``.
        margin: Positions along each border that are left out, since units there see the padding.
        seed: Seed of the places.
        batch_size: Images that the network sees at once, ≥ 1. It changes no result.

    Returns:
        ``Places``; row i of ``values`` is the vector of image i.

    Raises:
        ValueError: The layer does not exist; the margin leaves no position.
    """
    generator = torch.Generator().manual_seed(seed)
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    parts = [
        random_places(record(model, batch.to(device), layer)[layer].cpu(), generator, margin=margin)
        for batch in in_batches(images, batch_size)
    ]
    return Places(*(torch.cat([getattr(part, name) for part in parts]) for name in ("values", "rows", "columns")))


def grid_averages(
    vectors: Float[Tensor, "points channel"], coordinates: Float[Tensor, "points 2"], side: int, *, least: int = 1
) -> Cells:
    """Divide a map into squares and average the vectors in each.

    Args:
        vectors: One a point.
        coordinates: (row, column) of each point, both in [0, 1].
        side: Squares along each side of the map, ≥ 1.
        least: Squares with fewer points are left out, ≥ 1.

    Returns:
        ``Cells``, row by row from the top left.

    Raises:
        ValueError: No square holds enough points.

    Example:
        >>> vectors = torch.tensor([[1.0], [3.0], [8.0]])
        >>> cells = grid_averages(vectors, torch.tensor([[0.1, 0.1], [0.4, 0.2], [0.9, 1.0]]), side=2)
        >>> cells.vectors.flatten(), cells.rows, cells.columns, cells.counts
        (tensor([2., 8.]), tensor([0, 1]), tensor([0, 1]), tensor([2, 1]))
    """
    row, column = (coordinates * side).long().clamp(max=side - 1).unbind(dim=1)  # 1.0 belongs to the last square
    square = row * side + column
    counts = torch.bincount(square)  # as many as up to the last square with a point
    sums = vectors.new_zeros(len(counts), vectors.shape[1]).index_add_(0, square, vectors)
    kept = filled_squares(counts, least)
    return Cells(sums[kept] / counts[kept, None], kept // side, kept % side, counts[kept], side)


def filled_squares(counts: Int[Tensor, "squares"], least: int) -> Int[Tensor, "filled"]:
    """Which squares of a map hold enough points?

    Args:
        counts: Points in each square.
        least: So many are enough, ≥ 1.

    Returns:
        Indices of the squares, in order.

    Raises:
        ValueError: No square holds enough points.

    Example:
        >>> filled_squares(torch.tensor([2, 0, 5, 1]), least=2)
        tensor([0, 2])
    """
    fullest = max(counts.tolist(), default=0)
    if fullest < max(least, 1):
        raise ValueError(f"least: no square holds {least} of the {counts.sum()} points; the fullest has {fullest}")
    return torch.nonzero(counts >= max(least, 1)).flatten()


def class_evidence(
    model: nn.Module, layer: str, images: Images, places: Places, classes: Sequence[int], *, batch_size: int = 250
) -> Float[Tensor, "images classes"]:
    """How much does each sampled activation speak for some classes? Gradient × activation at its place.

    Args:
        model: The network of the sample, in eval mode.
        layer: The layer of the sample.
        images: The images of the sample.
        places: From ``sample_activations``.
        classes: Indices of logits. One backward pass each.
        batch_size: Images that the network sees at once, ≥ 1.

    Returns:
        One number for each image and class: about how much the logit would fall if that place went silent.
        ``evidence.argmax(dim=1) == k`` keeps, for ``activation_atlas``, what speaks most for the k-th of the classes.

    Source:
        Carter et al., "Activation atlas", Distill 2019, "Focusing on a single classification".
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    found, seen = [], 0
    for batch in in_batches(images, batch_size):
        here = places[seen : seen + len(batch)]
        seen += len(batch)
        of_batch = []
        for target in classes:
            activation, gradient = activation_and_gradient(model, layer, batch.to(device), target)
            products = (activation * gradient).sum(dim=1).cpu()
            of_batch.append(products[torch.arange(len(batch)), here.rows[:, 0].long(), here.columns[:, 0].long()])
        found.append(torch.stack(of_batch, dim=1))
    return torch.cat(found)


def activation_atlas(
    model: nn.Module,
    layer: str,
    images: Images,
    *,
    side: int = 10,
    keep: Bool[Tensor, "images"] | None = None,
    method: str = "tsne",
    least: int = 3,
    size: int | None = None,
    steps: int = 128,
    cosine_power: float = 2.0,
    seed: int = 0,
) -> Atlas:
    """Map what a layer tells apart: sample activations, lay them out, average them by squares, draw each average.

    Args:
        model: A network in eval mode.
        layer: A layer with activations ``(batch, channel, row, column)``.
        images: A tensor, a ``Dataset``, a ``DataLoader`` …: see ``innervision.examples.Images``.
        side: Squares along each side of the map, ≥ 1.
        keep: Which images are on the map, for example those of one class; by default all. What is common to
            activations (``whitening``) is always judged from all images.
        method: How to lay them out; see ``layout``.
        least: Squares with fewer activations stay empty, ≥ 1.
        size: Height and width of an icon in pixels; by default as in ``draw_icons``.
        steps: Steps of the optimisation, ≥ 1.
        cosine_power: How much an icon must keep to its direction, ≥ 0; see ``draw_icons``.
        seed: Seed of places, layout and drawings.

    Returns:
        An ``Atlas``; ``innervision.plots.icon_map`` shows it.

    Raises:
        ValueError: As its parts: ``sample_activations``, ``layout``, ``grid_averages``, ``draw_icons``.

    Source:
        Carter et al., "Activation atlas", Distill 2019.
    """
    everything = sample_activations(model, layer, images, seed=seed)
    places = everything if keep is None else everything[keep]
    coordinates = layout(places.values, method, seed=seed)
    cells = grid_averages(places.values, coordinates, side, least=least)
    directions = cells.vectors @ whitening(everything.values)
    icons = draw_icons(model, layer, directions, size=size, steps=steps, cosine_power=cosine_power, seed=seed)
    return Atlas(icons, cells, places, coordinates)
