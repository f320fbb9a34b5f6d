"""The atlas's parts by hand, and the whole of it on mini, small."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import nn

from innervision import load, record
from innervision.atlas import activation_atlas, class_evidence, filled_squares, grid_averages, sample_activations
from innervision.data import load_sample


def test_samples_are_activations_at_their_places_away_from_the_border() -> None:
    mini, images = load("mini"), load_sample().images[:60]
    places = sample_activations(mini, "mixed4a", images, batch_size=7)
    with torch.no_grad():
        maps = record(mini, images.float() / 255, "mixed4a")["mixed4a"]
    rows, columns = places.rows[:, 0].long(), places.columns[:, 0].long()
    torch.testing.assert_close(places.values, maps[torch.arange(60), :, rows, columns])
    assert {int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())} == {1, 6}  # of 0 to 7
    again = sample_activations(mini, "mixed4a", images)
    assert torch.equal(places.rows, again.rows)
    assert not torch.equal(places.rows, sample_activations(mini, "mixed4a", images, seed=1).rows)


def test_grid_averages_by_hand() -> None:
    vectors = torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0], [7.0, 7.0]])
    places = torch.tensor([[0.0, 0.0], [0.49, 0.2], [1.0, 1.0], [0.2, 0.6]])
    cells = grid_averages(vectors, places, side=2)
    assert cells.vectors.tolist() == [[2, 1], [7, 7], [5, 5]]
    assert cells.rows.tolist() == [0, 0, 1]
    assert cells.columns.tolist() == [0, 1, 1]
    assert cells.counts.tolist() == [2, 1, 1]
    assert cells.side == 2
    assert grid_averages(vectors, places, side=2, least=2).counts.tolist() == [2]
    with refuses("least: no square holds 3 of the 4 points; the fullest has 2"):
        grid_averages(vectors, places, side=2, least=3)


def test_filled_squares() -> None:
    counts = torch.tensor([3, 0, 1, 3])
    assert filled_squares(counts, 1).tolist() == [0, 2, 3]
    assert filled_squares(counts, 3).tolist() == [0, 3]
    assert filled_squares(counts, 0).tolist() == [0, 2, 3]  # a square without points has no average
    with refuses("least: no square holds 4 of the 7 points; the fullest has 3"):
        filled_squares(counts, 4)


def test_evidence_on_a_linear_network_is_weight_times_activation() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4 * 30, 3)).eval()
    images = torch.rand(9, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    places = sample_activations(model, "0", images)
    found = class_evidence(model, "0", images, places, [2, 0], batch_size=4)
    weights = model[2].weight.detach().view(3, 4, 5, 6)
    for image in range(9):
        row, column = int(places.rows[image, 0]), int(places.columns[image, 0])
        expected = weights[[2, 0], :, row, column] @ places.values[image]
        torch.testing.assert_close(found[image], expected, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_evidence_favours_the_right_class_on_mini() -> None:
    mini, sample = load("mini"), load_sample()
    images, labels = sample.images[:100], sample.labels[:100]
    places = sample_activations(mini, "mixed4c", images)
    evidence = class_evidence(mini, "mixed4c", images, places, range(10))
    assert float((evidence.argmax(dim=1) == labels).float().mean()) > 0.3  # by chance 0.1


@pytest.mark.slow
def test_atlas_end_to_end_with_a_class_filter() -> None:
    mini, sample = load("mini"), load_sample()
    keep = sample.labels == 3

    def draw(keep: torch.Tensor | None) -> object:
        return activation_atlas(mini, "mixed4a", sample.images, side=3, keep=keep, method="pca", size=16, steps=2)

    atlas = draw(keep)
    assert atlas.icons.shape == (len(atlas.cells.rows), 3, 16, 16)
    assert len(atlas.places) == len(atlas.coordinates) == 100
    assert 90 <= int(atlas.cells.counts.sum()) <= 100  # squares with fewer than 3 are empty
    assert int(atlas.cells.counts.min()) >= 3
    everything = sample_activations(mini, "mixed4a", sample.images)
    torch.testing.assert_close(atlas.places.values, everything.values[keep], rtol=0, atol=0)
    assert torch.equal(atlas.icons, draw(keep).icons)
