"""Dimensionality, angles, cosines: against shapes whose numbers are known."""

from __future__ import annotations

import math

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.superposition import (
    PUBLISHED_DIMENSIONALITIES,
    feature_dimensionality,
    mean_max_cosine,
    neighbour_angles,
)

ROOT_HALF = math.sqrt(0.5)


def polygon(corners: int, turn: float = 0.3) -> torch.Tensor:
    angles = turn + 2 * math.pi * torch.arange(corners) / corners
    return torch.stack([angles.cos(), angles.sin()])


SHAPES = {
    "alone": torch.eye(3),
    "tetrahedron": torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]),
    "triangle": polygon(3),
    "pair": torch.tensor([[1.0, -1.0]]),
    "pentagon": polygon(5),
    "square antiprism": torch.cat(
        [
            torch.stack([*(math.sqrt(2) * polygon(4, 0)), torch.ones(4)]),
            torch.stack([*(math.sqrt(2) * polygon(4, math.pi / 4)), -torch.ones(4)]),
        ],
        dim=1,
    ),
}


@pytest.mark.parametrize("name", list(SHAPES))
def test_published_shapes_have_the_published_dimensionality(name: str) -> None:
    shares = feature_dimensionality(SHAPES[name])
    torch.testing.assert_close(shares, torch.full_like(shares, PUBLISHED_DIMENSIONALITIES[name]))


def test_dimensionality_is_the_same_from_any_side_and_at_any_size() -> None:
    weights = torch.randn(4, 3, 6, generator=torch.Generator().manual_seed(0))
    turned = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))[0]
    torch.testing.assert_close(feature_dimensionality(turned @ weights * 7), feature_dimensionality(weights))
    assert (feature_dimensionality(weights).sum(dim=1) <= 3 + 1e-5).all()  # never more than there are dimensions


def test_a_feature_that_was_not_learned_has_no_dimension() -> None:
    assert feature_dimensionality(torch.tensor([[1.0, 0.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("corners", [2, 3, 5])
def test_angles_of_a_polygon(corners: int) -> None:
    weights = polygon(corners)[:, torch.randperm(corners, generator=torch.Generator().manual_seed(0))]
    torch.testing.assert_close(neighbour_angles(weights), torch.full((corners,), 360 / corners), atol=1e-3, rtol=0)


def test_angles_leave_out_what_is_short() -> None:
    weights = torch.tensor([[1.0, 0.0, 0.3], [0.0, 1.0, 0.3]])
    assert neighbour_angles(weights).tolist() == [90, 270]
    assert len(neighbour_angles(weights, least=0.1)) == 3
    assert neighbour_angles(weights, least=2).tolist() == []
    assert neighbour_angles(weights[:, :1]).tolist() == [360]


def test_angles_need_two_dimensions() -> None:
    with refuses("weights: shape (3, 5) is not (2, features)"):
        neighbour_angles(torch.ones(3, 5))


def test_cosines_look_from_the_known_features_and_mind_the_sign() -> None:
    features = torch.eye(2)
    assert float(mean_max_cosine(features[[1, 0, 1]] * 5, features)) == 1
    assert float(mean_max_cosine(-torch.eye(2), features)) == 0
    # A dictionary that has one of the two features twice has found half of them.
    found = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    assert float(mean_max_cosine(found, features)) == 0.5
    assert float(mean_max_cosine(features, found)) == 1
    assert float(mean_max_cosine(torch.ones(1, 2), features)) == pytest.approx(ROOT_HALF)
