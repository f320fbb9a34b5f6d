"""Layouts: neighbours stay neighbours, places lie in the unit square, and a seed repeats them."""

from __future__ import annotations

import sys

import pytest
import torch
from sklearn.manifold import trustworthiness
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.atlas import LAYOUTS, layout


def clusters(count: int = 40) -> tuple[Tensor, Tensor]:
    """Six bundles of directions in 30 dimensions, of very different lengths."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(6, 30, generator=generator)
    labels = torch.arange(6).repeat_interleave(count)
    points = centres[labels] + 0.3 * torch.randn(6 * count, 30, generator=generator)
    return points * torch.rand(len(points), 1, generator=generator).add(0.1) * 5, labels


@pytest.mark.parametrize("method", list(LAYOUTS))
def test_in_the_unit_square_and_repeatable(method: str) -> None:
    if method == "umap":
        pytest.importorskip("umap", reason="the extra innervision[atlas] is not installed")
    vectors, _ = clusters()
    before = torch.get_rng_state()
    places = layout(vectors, method)
    assert places.shape == (240, 2)
    assert float(places.min()) == 0
    assert float(places.max()) == 1
    assert torch.equal(places, layout(vectors, method))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("method", "least"), [("tsne", 0.95), ("pca", 0.8), ("umap", 0.95)])
def test_neighbours_stay_neighbours(method: str, least: float) -> None:
    """Trustworthiness: 1 if all neighbours on the map are neighbours among the vectors, about 0.5 by chance."""
    if method == "umap":
        pytest.importorskip("umap", reason="the extra innervision[atlas] is not installed")
    vectors, labels = clusters()
    places = layout(vectors, method)
    assert trustworthiness(vectors.numpy(), places.numpy(), n_neighbors=10, metric="cosine") > least
    nearest = torch.cdist(places, places).fill_diagonal_(torch.inf).argmin(dim=1)
    assert float((labels[nearest] == labels).float().mean()) > least


def test_lengths_do_not_count() -> None:
    vectors, _ = clusters()
    longer = vectors * torch.linspace(1, 9, len(vectors))[:, None]
    torch.testing.assert_close(layout(vectors, "pca"), layout(longer, "pca"), rtol=0, atol=1e-4)


def test_few_points() -> None:
    assert layout(torch.eye(4)).shape == (4, 2)
    with refuses("vectors: 3 are too few to lay out; give at least 4"):
        layout(torch.eye(3))


def test_unknown_method_and_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    with refuses("method: 'mds' is unknown; give one of 'tsne', 'pca', 'umap'"):
        layout(torch.eye(5), "mds")
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r"\Amethod: 'umap' needs umap-learn; pip install 'innervision\[atlas\]'\Z"):
        layout(torch.eye(5), "umap")
