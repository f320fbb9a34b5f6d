"""A linear probe, against scikit-learn's."""

import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from innervision.learning.probes import linear_probe


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(0)
    features = 3 + 5 * torch.randn(60, 8, generator=generator)
    return features, (features[:, 0] > 3).long() + (features[:, 1] > 3).long(), torch.randn(20, 8, generator=generator)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_it_is_ridge_regression_on_what_stands_out(rows, penalty):
    features, labels, others = rows
    scaler = StandardScaler().fit(features.double().numpy())
    ridge = Ridge(alpha=penalty * 60).fit(scaler.transform(features.double().numpy()), torch.eye(3)[labels].numpy())
    expected = torch.from_numpy(ridge.predict(scaler.transform(others.double().numpy()))).float()
    found = linear_probe(features, labels, others, 3, penalty)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_scale_and_place_of_a_feature_do_not_matter(rows):
    features, labels, others = rows
    factor, shift = torch.linspace(0.1, 100, 8), torch.linspace(-50, 50, 8)
    moved = linear_probe(features * factor + shift, labels, others * factor + shift, 3)
    torch.testing.assert_close(moved, linear_probe(features, labels, others, 3), atol=1e-4, rtol=1e-4)


def test_a_feature_that_never_changes_counts_nothing(rows):
    features, labels, others = rows
    still = linear_probe(
        torch.cat([features, torch.ones(60, 1)], 1), labels, torch.cat([others, torch.ones(20, 1)], 1), 3
    )
    torch.testing.assert_close(still, linear_probe(features, labels, others, 3))


def test_more_features_than_rows(rows):
    features, labels, others = rows
    found = linear_probe(features[:5], labels[:5], others, 3)
    assert found.isfinite().all()
    torch.testing.assert_close(found.sum(dim=1), torch.ones(20))  # the targets add up to 1


def test_it_reads_what_is_linear_and_not_what_is_not():
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(2000, 2, generator=generator)
    side, quadrant = (points[:, 0] > 0).long(), (points[:, 0] * points[:, 1] > 0).long()
    right = [
        (linear_probe(points[:1000], labels[:1000], points[1000:], 2).argmax(1) == labels[1000:]).float().mean()
        for labels in (side, quadrant)
    ]
    assert float(right[0]) > 0.95
    assert abs(float(right[1]) - 0.5) < 0.08  # five standard deviations of 1,000 tosses


def test_refusals(rows):
    features, labels, others = rows
    with pytest.raises(
        ValueError, match=r"^features, others: shapes \(60, 8\) and \(20, 7\) are not \(rows, features\)"
    ):
        linear_probe(features, labels, others[:, :7], 3)
    with pytest.raises(ValueError, match=r"^labels: shape \(59,\) for 60 rows; give one label a row$"):
        linear_probe(features, labels[:59], others, 3)
    with pytest.raises(ValueError, match=r"^labels: from 0 to 2; 2 classes are 0 to 1$"):
        linear_probe(features, labels, others, 2)
    with pytest.raises(ValueError, match=r"^penalty: 0\.0 is not above 0$"):
        linear_probe(features, labels, others, 3, 0.0)
