"""From a survey to pictures: the strongest, the weakest, the spectrum in between, and the part that the unit sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Int16
from torch import Tensor, nn

from innervision.examples.batches import Images, fetch
from innervision.examples.fields import probe_receptive_field
from innervision.examples.surveys import Places

GREY = 0.5
"""What lies outside an image."""


@dataclass(frozen=True)
class Examples:
    """Places of a data set that were chosen, all tensors of one shape: ``(count,)``, or ``(slices, count)``.

    Attributes:
        images: Index of the image in the data set.
        values: The channel's activation there.
        rows: Row of the layer.
        columns: Column of the layer.
    """

    images: Int[Tensor, "*chosen"]
    values: Float[Tensor, "*chosen"]
    rows: Int16[Tensor, "*chosen"]
    columns: Int16[Tensor, "*chosen"]


def top_examples(places: Places, count: int = 9, *, lowest: bool = False) -> Examples:
    """The images that excite a channel most, one place an image.

    Args:
        places: One place of each image, for one channel: ``survey(…).highest[:, channel]``.
        count: How many, from 1 to the number of images.
        lowest: The smallest activations instead, smallest first; take ``survey(…).lowest[:, channel]`` for it.

    Returns:
        ``Examples``, strongest first. Of equal activations the image with the lower index comes first.

    Raises:
        ValueError: There are not so many images.

    Example:
        >>> zeros = torch.zeros(4, dtype=torch.int16)
        >>> top_examples(Places(torch.tensor([1.0, 5.0, 0.0, 5.0]), zeros, zeros), 3).images
        tensor([1, 3, 0])

    Source:
        Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017, "Dataset examples".
    """
    check_count(count, len(places))
    order = places.values.argsort(descending=not lowest, stable=True)[:count]
    return Examples(order, places.values[order], places.rows[order], places.columns[order])


def activation_spectrum(places: Sequence[Places], slices: int = 5, count: int = 6) -> Examples:
    """Examples from all over a channel's range: what suppresses it, what excites it a little, what excites it most.

    Evenly spaced activations are taken from the smallest to the largest value of all places. To each of them belong
    the images that come closest, and of each image the place that comes closest. So the first slice holds the bottom
    of the spectrum and the last one the top.

    Args:
        places: Several places of each image, for one channel: ``survey(…).of_channel(channel)``.
        slices: How many activations to aim at, at least 2.
        count: Images for each, from 1 to the number of images.

    Returns:
        ``Examples`` with tensors ``(slices, count)``, slices from low to high, in each the closest image first; of
        equally close ones the image with the lower index, and of its places the one listed first.

    Raises:
        ValueError: ``slices`` or ``count`` break a rule above.

    Example:
        >>> zeros = torch.zeros(3, dtype=torch.int16)
        >>> highest, lowest = (Places(torch.tensor(values), zeros, zeros) for values in ([4.0, 2, 0], [-4.0, 0, -1]))
        >>> found = activation_spectrum([highest, lowest], slices=3, count=1)
        >>> found.values.flatten(), found.images.flatten()
        (tensor([-4.,  0.,  4.]), tensor([0, 1, 0]))

    Source:
        Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017, "The spectrum of examples".
    """
    check_count(count, len(places[0]), slices)
    values = torch.stack([kind.values for kind in places])
    levels = torch.linspace(float(values.min()), float(values.max()), slices, dtype=values.dtype)
    distance, closest = (values - levels[:, None, None]).abs().min(dim=1)
    images = distance.argsort(dim=1, stable=True)[:, :count]
    kinds = closest.gather(1, images)
    rows, columns = torch.stack([kind.rows for kind in places]), torch.stack([kind.columns for kind in places])
    return Examples(images, values[kinds, images], rows[kinds, images], columns[kinds, images])


def crops(
    images: Float[Tensor, "count 3 height width"], boxes: Int[Tensor, "count 4"]
) -> Float[Tensor, "count 3 box_height box_width"]:
    """Cut out of each image what a unit sees, all cuts in one size.

    Args:
        images: In [0, 1].
        boxes: (top, bottom, left, right) in pixels: ``image[:, top:bottom, left:right]`` is kept.

    Returns:
        Pictures as large as the largest box. A smaller box was cut off by the border of the image; what is missing
        is grey (0.5), on the side where the border is: above and left if the box begins at pixel 0, else below
        and right.

    Example:
        >>> image = torch.arange(9.0).reshape(1, 1, 3, 3).expand(2, 3, 3, 3) / 8
        >>> crops(image, torch.tensor([[0, 2, 0, 2], [2, 3, 0, 2]]))[1, 0]
        tensor([[0.7500, 0.8750],
                [0.5000, 0.5000]])
    """
    height, width = int((boxes[:, 1] - boxes[:, 0]).max()), int((boxes[:, 3] - boxes[:, 2]).max())
    pictures = torch.full((len(images), images.shape[1], height, width), GREY)
    for picture, image, (top, bottom, left, right) in zip(pictures, images, boxes.tolist(), strict=True):
        row = height - (bottom - top) if top == 0 else 0
        column = width - (right - left) if left == 0 else 0
        picture[:, row : row + bottom - top, column : column + right - left] = image[:, top:bottom, left:right]
    return pictures


def example_crops(
    model: nn.Module, layer: str, images: Images, examples: Examples
) -> Float[Tensor, "count 3 box_height box_width"]:
    """Of each example the part that the unit can see: its receptive field.

    Args:
        model: The network of the survey, in eval mode.
        layer: The layer of the survey.
        images: The images of the survey; they are looked up, so a generator will not do.
        examples: From ``top_examples`` or ``activation_spectrum``; slices follow one another.

    Returns:
        Pictures in [0, 1], all of one size, grey where the image ends.
    """
    chosen = fetch(images, examples.images.flatten())
    height, width = chosen.shape[2:]
    field = probe_receptive_field(model, layer, (height, width))
    return crops(chosen, field.boxes(examples.rows.flatten(), examples.columns.flatten()))


def check_count(count: int, images: int, slices: int = 2) -> None:
    """Refuse to choose what is not there.

    Args:
        count: Images to choose.
        images: Images there are.
        slices: Activations to aim at.

    Raises:
        ValueError: ``slices`` is below 2; ``count`` is not from 1 to ``images``.
    """
    if slices < 2:
        raise ValueError(f"slices: {slices} is too few; give a whole number, at least 2")
    if not 1 <= count <= images:
        raise ValueError(f"count: {count} is not between 1 and the number of images, {images}")
