"""How features lie in the dimensions that they share: at which angles, each with how much room, and who found them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

PUBLISHED_DIMENSIONALITIES = {
    "alone": 1.0,
    "tetrahedron": 3 / 4,
    "triangle": 2 / 3,
    "pair": 1 / 2,
    "pentagon": 2 / 5,
    "square antiprism": 3 / 8,
}
"""How much of a dimension a feature has in each arrangement. Source: Elhage et al., "Toy models of superposition",
2022, "The geometry of superposition"."""


def feature_dimensionality(weights: Float[Tensor, "*models hidden features"]) -> Float[Tensor, "*models features"]:
    """Which share of a dimension each feature has for itself: |Wᵢ|² / Σⱼ (Ŵᵢ · Wⱼ)², where Ŵᵢ is Wᵢ at length 1.

    The sum goes over all features, i among them. 1: no other feature lies along its direction. 1/2: one other as long
    as itself does, as in a pair that points both ways along one dimension.

    Args:
        weights: Column i is the direction of feature i.

    Returns:
        In [0, 1]; 0 where the column is all 0.

    Example:
        >>> feature_dimensionality(torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 2.0, -2.0, 0.0]]))
        tensor([1.0000, 0.5000, 0.5000, 0.0000])

    Source:
        Elhage et al., "Toy models of superposition", 2022, "The geometry of superposition".
    """
    overlaps = F.normalize(weights, dim=-2).mT @ weights
    shares = weights.square().sum(dim=-2) / overlaps.square().sum(dim=-1)
    return shares.nan_to_num(0.0)


def neighbour_angles(weights: Float[Tensor, "2 features"], least: float = 0.5) -> Float[Tensor, " learned"]:
    """Angles between neighbours among the features of a model with two dimensions, once around.

    Args:
        weights: Column i is the direction of feature i.
        least: Features whose column is shorter than this count as not learned and are left out.

    Returns:
        In degrees, in the order in which one meets them; they add up to 360. Nothing if no feature was learned.

    Raises:
        ValueError: The model does not have two dimensions.

    Example:
        >>> neighbour_angles(torch.tensor([[1.0, 0.0, 0.1], [0.0, 1.0, 0.1]]))
        tensor([ 90., 270.])
    """
    if weights.ndim != 2 or len(weights) != 2:
        raise ValueError(f"weights: shape {tuple(weights.shape)} is not (2, features)")
    across, up = weights[:, weights.norm(dim=0) >= least]
    directions = torch.atan2(up, across).rad2deg().sort().values
    return torch.cat([directions, directions[:1] + 360]).diff()


def mean_max_cosine(
    found: Float[Tensor, "directions channels"], features: Float[Tensor, "features channels"]
) -> Float[Tensor, ""]:
    """How well directions that were found match those that are known: for each known one the best cosine; their mean.

    Args:
        found: For example the decoder of an autoencoder. Lengths do not matter, signs do: a direction that points the
            other way has not found the feature.
        features: The true directions.

    Returns:
        In [-1, 1]; 1 if every known direction was found. Many directions come near any feature by chance, so compare
        with as many random ones.

    Example:
        >>> mean_max_cosine(torch.tensor([[3.0, 0.0], [0.0, -1.0]]), torch.eye(2))
        tensor(0.5000)

    Source:
        Sharkey, Braun, Millidge, "Taking features out of superposition with sparse autoencoders", 2022.
    """
    cosines = F.normalize(features, dim=1) @ F.normalize(found, dim=1).T
    return cosines.amax(dim=1).mean()
