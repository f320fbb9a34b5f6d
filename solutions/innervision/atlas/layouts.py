"""A place on a flat map for each of many vectors, so that similar ones are neighbours."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

PERPLEXITY = 30.0
"""About so many neighbours each point looks at. Source: van der Maaten, Hinton, "Visualizing data using t-SNE", 2008:
5 to 50; scikit-learn's default."""

OUTLIERS, MARGIN = 1.0, 0.1
"""Percent of the points at each end of an axis that may be pushed in, and the share of the axis that is added first.
Source: the notebook of Carter et al., "Activation atlas", Distill 2019 (percentiles 1 and 99, margin 0.1)."""


def layout(
    vectors: Float[Tensor, "points channel"], method: str = "tsne", *, seed: int = 0
) -> Float[Tensor, "points 2"]:
    """Lay out vectors on a square so that those with a similar direction lie close together.

    Args:
        vectors: At least 4. Their lengths do not count: likeness is the cosine.
        method: ``"tsne"`` (scikit-learn), ``"pca"`` (quick and coarse), or ``"umap"``, which needs the extra
            ``innervision[atlas]``.
        seed: What the method leaves to chance.

    Returns:
        (row, column) of each vector, both in [0, 1].

    Raises:
        ValueError: There are too few vectors; there is no such method.
        ImportError: ``"umap"`` was asked for and ``umap-learn`` is not installed.

    Source:
        Carter et al., "Activation atlas", Distill 2019. On mini's mixed4b t-SNE keeps more neighbours than the other
        methods of scikit-learn; see the reference page for the figures.
    """
    if method not in LAYOUTS:
        known = ", ".join(f"'{name}'" for name in LAYOUTS)
        raise ValueError(f"method: '{method}' is unknown; give one of {known}")
    if len(vectors) < 4:
        raise ValueError(f"vectors: {len(vectors)} are too few to lay out; give at least 4")
    lengths = vectors.norm(dim=1, keepdim=True)
    directions = vectors / lengths.clamp(min=torch.finfo(vectors.dtype).tiny)
    points = LAYOUTS[method](directions.detach().cpu().numpy(), seed)
    return torch.from_numpy(_in_unit_square(points.astype(np.float64))).float()


def _tsne(directions: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(directions) - 1) / 3)
    # On unit vectors squared Euclidean distance is twice the cosine distance, and its neighbours are found by trees.
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(directions)


def _pca(directions: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.decomposition import PCA

    return PCA(2, random_state=seed).fit_transform(directions)


def _umap(directions: np.ndarray, seed: int) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)  # it says that TensorFlow is missing; we need none
            from umap import UMAP
    except ImportError as error:
        raise ImportError("method: 'umap' needs umap-learn; pip install 'innervision[atlas]'") from error
    neighbors = min(20, len(directions) - 1)  # 20 and 0.01: Carter et al.
    return UMAP(
        n_neighbors=neighbors, min_dist=0.01, metric="cosine", random_state=seed, n_jobs=1, init="pca"
    ).fit_transform(directions)


LAYOUTS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"tsne": _tsne, "pca": _pca, "umap": _umap}
"""The methods that ``layout`` knows."""


def _in_unit_square(points: np.ndarray) -> np.ndarray:
    """Far-off points pushed in, then both axes stretched to [0, 1]."""
    low, high = np.percentile(points, [OUTLIERS, 100 - OUTLIERS], axis=0)
    room = MARGIN * (high - low)
    points = np.clip(points, low - room, high + room)
    points = points - points.min(axis=0)
    spread = points.max(axis=0)
    return points / np.where(spread > 0, spread, 1)
