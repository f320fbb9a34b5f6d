"""Shares, pairs and purity on units whose likings are written by hand; the interval against its closed form."""

from __future__ import annotations

import math

import torch
from tests.unit.refusals import refuses

from innervision.superposition import bootstrap_difference, class_share, polysemanticity, purity, top_classes

LABELS = torch.arange(4).repeat_interleave(10)
UNRELATED = torch.zeros(4, 4, dtype=torch.bool)
UNRELATED[0, 3] = UNRELATED[3, 0] = True


def liking(**strongest: int) -> torch.Tensor:
    """A unit whose strongest images are so many of each class; the others are nearly 0."""
    values = torch.linspace(0.001, 0.002, 40)
    for name, count in strongest.items():
        start = 10 * int(name[1:])
        values[start : start + count] += 1
    return values[:, None]


def test_counts_of_the_strongest() -> None:
    values = torch.cat([liking(c0=6, c3=4), liking(c1=10)], dim=1)
    assert top_classes(values, LABELS, 10).T.tolist() == [[6, 0, 0, 4], [0, 10, 0, 0]]
    assert purity(values, LABELS, 10).tolist() == [0.6000000238418579, 1]


def test_only_unrelated_pairs_count_and_the_smaller_of_the_two() -> None:
    values = torch.cat([liking(c0=6, c3=4), liking(c0=5, c1=5), liking(c2=10), liking(c1=5, c0=3, c3=2)], dim=1)
    assert polysemanticity(values, LABELS, UNRELATED, 10).tolist() == [4, 0, 0, 2]


def test_among_equals_the_earlier_image_comes_first() -> None:
    assert top_classes(torch.zeros(40, 1), LABELS, 12)[:, 0].tolist() == [10, 2, 0, 0]


def test_shares_count_every_response() -> None:
    values = torch.zeros(40, 3)
    values[:20, 0], values[0, 1], values[39, 1] = 1, 3, 1
    assert class_share(values, LABELS).tolist() == [0.5, 0.75, 0]
    torch.testing.assert_close(class_share(torch.ones(40, 1), LABELS), torch.tensor([0.25]))


def test_the_interval_is_that_of_two_means() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(400, generator=generator) + 1, torch.randn(100, generator=generator)
    low, high = bootstrap_difference(one, other, generator, draws=4000)
    error = math.sqrt(float(one.var()) / 400 + float(other.var()) / 100)
    difference = float(one.mean() - other.mean())
    # A percentile of 4,000 draws is uncertain by about 0.04 standard errors.
    assert abs(low - (difference - 1.96 * error)) < 0.15 * error
    assert abs(high - (difference + 1.96 * error)) < 0.15 * error
    again = bootstrap_difference(one, other, torch.Generator().manual_seed(5), draws=50)
    assert again == bootstrap_difference(one, other, torch.Generator().manual_seed(5), draws=50)


def test_what_is_refused() -> None:
    with refuses("values: shape (40, 1) does not fit 39 labels; give (images, units)"):
        class_share(torch.ones(40, 1), LABELS[:39])
    with refuses("count: 41 is not from 1 to 40, the number of images"):
        purity(torch.ones(40, 1), LABELS, 41)
    with refuses("unrelated: shape (3, 3) is not (4, 4), a row and a column for each class"):
        polysemanticity(torch.ones(40, 1), LABELS, UNRELATED[:3, :3], 5)
    with refuses("values: -1 is below 0; give what is behind a rectifier"):
        class_share(-torch.ones(40, 1), LABELS)
