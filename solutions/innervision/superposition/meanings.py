"""Does a unit respond to one kind of thing, or to several that have nothing to do with each other?

Labels stand in for "kinds of things" here. That is crude: a unit that loves grass has nothing to do with any one class
and means one thing all the same. So what is measured is how units compare, not what each of them means.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

COUNT = 20
"""So many of a unit's strongest images are looked at: two per cent of the sample, as in the lesson on many faces."""


def top_classes(
    values: Float[Tensor, "images units"], labels: Int[Tensor, " images"], count: int = COUNT
) -> Int[Tensor, "classes units"]:
    """How many of each unit's strongest images belong to each class.

    Args:
        values: How strongly each unit responds to each image.
        labels: Class of each image, from 0 on.
        count: How many of the strongest images count, from 1 to all. Among equal values the earlier image comes first.

    Raises:
        ValueError: Numbers of images do not fit, or ``count`` is out of range.

    Example:
        >>> top_classes(torch.tensor([[0.9], [0.1], [0.8], [0.7]]), torch.tensor([0, 0, 1, 1]), count=3)
        tensor([[1],
                [2]])
    """
    check_values(values, labels, count)
    strongest = values.argsort(dim=0, descending=True, stable=True)[:count]
    return F.one_hot(labels[strongest], int(labels.max()) + 1).sum(dim=0).T


def polysemanticity(
    values: Float[Tensor, "images units"],
    labels: Int[Tensor, " images"],
    unrelated: Bool[Tensor, "classes classes"],
    count: int = COUNT,
) -> Int[Tensor, " units"]:
    """The largest n such that a unit's strongest images hold n of one class and n of another, unrelated one.

    Args:
        values: How strongly each unit responds to each image.
        labels: Class of each image, from 0 on.
        unrelated: Which pairs of classes have nothing to do with each other, for example an animal and a vehicle.
        count: How many of the strongest images count.

    Returns:
        From 0 (no two unrelated classes among them) to half of ``count``.

    Raises:
        ValueError: Shapes do not fit, or ``count`` is out of range.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 1, 1, 2])
        >>> values = torch.tensor([[0.9, 0.1], [0.8, 0.9], [0.7, 0.8], [0.6, 0.1], [0.5, 0.1], [0.1, 0.7]])
        >>> unrelated = torch.tensor([[False, True, False], [True, False, False], [False, False, False]])
        >>> polysemanticity(values, labels, unrelated, count=5)  # the second unit: classes 0 and 1, one image of 1
        tensor([2, 1])
    """
    counts = top_classes(values, labels, count)
    check_unrelated(unrelated, len(counts))
    of_pairs = torch.minimum(counts[:, None], counts[None])
    return (of_pairs * unrelated[:, :, None]).amax(dim=(0, 1))


def purity(
    values: Float[Tensor, "images units"], labels: Int[Tensor, " images"], count: int = COUNT
) -> Float[Tensor, " units"]:
    """Which share of a unit's strongest images is of their most frequent class.

    Args:
        values: How strongly each unit responds to each image.
        labels: Class of each image, from 0 on.
        count: How many of the strongest images count.

    Returns:
        From 1 / classes to 1.

    Raises:
        ValueError: Numbers of images do not fit, or ``count`` is out of range.
    """
    return top_classes(values, labels, count).amax(dim=0) / count


def class_share(values: Float[Tensor, "images units"], labels: Int[Tensor, " images"]) -> Float[Tensor, " units"]:
    """Of all that a unit says, over all images, weak responses too: the largest share that falls to one class.

    Args:
        values: How strongly each unit responds to each image, 0 or more.
        labels: Class of each image, from 0 on. Classes should have equally many images.

    Returns:
        1 if it responds to one class only, 1 / classes if to all alike, 0 if it never responds.

    Raises:
        ValueError: Numbers of images do not fit, or a value is below 0.

    Example:
        >>> class_share(torch.tensor([[3.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 0, 1]))
        tensor([0.7500, 0.0000])
    """
    check_values(values, labels, 1)
    check_not_negative(values)
    of_class = F.one_hot(labels).to(values).T @ values
    return (of_class.amax(dim=0) / of_class.sum(dim=0)).nan_to_num(0.0)


def bootstrap_difference(
    one: Float[Tensor, " units"],
    other: Float[Tensor, " others"],
    generator: torch.Generator,
    *,
    draws: int = 2000,
    inside: float = 0.95,
) -> tuple[float, float]:
    """Between which bounds the difference of two means would lie, had other units been drawn.

    Args:
        one: A number for each unit of a kind.
        other: The same for another kind.
        generator: Where units are drawn from, with repetition.
        draws: How often.
        inside: Share of the draws between the bounds, above 0 and below 1.

    Returns:
        Lower and upper bound of mean of ``one`` minus mean of ``other``.

    Source:
        Efron, "Bootstrap methods: another look at the jackknife", 1979 (the percentile interval).
    """

    def means(values: Tensor) -> Tensor:
        return values[torch.randint(len(values), (draws, len(values)), generator=generator)].mean(dim=1)

    edges = torch.tensor([0.5 - inside / 2, 0.5 + inside / 2], dtype=torch.float64)
    low, high = (means(one.double()) - means(other.double())).quantile(edges).tolist()
    return low, high


def check_values(values: Tensor, labels: Tensor, count: int) -> None:
    """Refuse values and labels of different images, and a count that is out of range."""
    if values.ndim != 2 or labels.shape != values.shape[:1]:
        raise ValueError(f"values: shape {tuple(values.shape)} does not fit {len(labels)} labels; give (images, units)")
    if not 1 <= count <= len(labels):
        raise ValueError(f"count: {count} is not from 1 to {len(labels)}, the number of images")


def check_unrelated(unrelated: Tensor, classes: int) -> None:
    """Refuse a table that does not hold every pair of classes."""
    if tuple(unrelated.shape) != (classes, classes):
        rule = f"({classes}, {classes}), a row and a column for each class"
        raise ValueError(f"unrelated: shape {tuple(unrelated.shape)} is not {rule}")


def check_not_negative(values: Tensor) -> None:
    """Refuse values below 0: they have no shares."""
    if (values < 0).any():
        raise ValueError(f"values: {values.min():g} is below 0; give what is behind a rectifier")
