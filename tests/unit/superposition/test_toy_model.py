"""Toy models: features drawn as asked, the loss by hand, and trained models that do what was published."""

from __future__ import annotations

import torch
from tests.unit.refusals import refuses

from innervision.superposition import (
    feature_dimensionality,
    linear_forward,
    neighbour_angles,
    sample_features,
    toy_forward,
    toy_loss,
    train_toys,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_features_are_as_rare_as_asked_and_even_where_present() -> None:
    features = sample_features(torch.tensor([0.0, 0.2, 1.0]), 4000, 3, seeded())
    assert features.shape == (3, 4000, 3)
    assert features[0].abs().max() == 0
    # Of 12,000 draws with probability 0.2 the standard deviation of the share is 0.0037.
    assert abs(float((features[1] > 0).double().mean()) - 0.2) < 0.015
    present = features[features > 0]
    assert 0 < present.min() < 0.01
    assert 0.99 < present.max() < 1
    assert abs(float(present.mean()) - 0.5) < 0.02


def test_features_come_and_go_independently_and_repeat_with_the_seed() -> None:
    features = sample_features(torch.tensor([0.5]), 4000, 4, seeded())[0]
    correlations = torch.corrcoef((features > 0).double().T)
    assert (correlations - torch.eye(4)).abs().max() < 0.08  # five standard deviations
    assert torch.equal(features, sample_features(torch.tensor([0.5]), 4000, 4, seeded())[0])


def test_each_model_uses_its_own_weights() -> None:
    features, weights, biases = torch.rand(3, 7, 5), torch.randn(3, 2, 5), torch.randn(3, 5)
    rectified, linear = toy_forward(features, weights, biases), linear_forward(features, weights, biases)
    for model in range(3):
        for example in range(7):
            expected = weights[model].T @ (weights[model] @ features[model, example]) + biases[model]
            torch.testing.assert_close(linear[model, example], expected)
            torch.testing.assert_close(rectified[model, example], expected.clamp(min=0))


def test_the_loss_weighs_features_and_keeps_models_apart() -> None:
    there, said = torch.zeros(2, 2, 2), torch.zeros(2, 2, 2)
    there[0, 0], said[1, 1] = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 3.0])
    assert toy_loss(there, said, torch.tensor([1.0, 0.5])).tolist() == [1.5, 2.25]


def test_dense_features_get_two_dimensions_and_sparse_ones_a_pentagon() -> None:
    probabilities = torch.tensor([1.0] * 3 + [0.05] * 3)
    trained = train_toys(probabilities, 0.9 ** torch.arange(5), 2, seeded(1), steps=1500)
    for weights in trained.weights[:3]:
        assert weights.norm(dim=0)[:2].min() > 0.9  # the two most important ones
        assert weights.norm(dim=0)[2:].max() < 0.3
        assert abs(float(neighbour_angles(weights).min()) - 90) < 5
    for weights in trained.weights[3:]:
        angles = neighbour_angles(weights)
        assert len(angles) == 5
        assert (angles - 72).abs().max() < 5
        assert (feature_dimensionality(weights) - 2 / 5).abs().max() < 0.02
    assert trained.biases.shape == (6, 5)
    assert trained.losses[:3].min() > trained.losses[3:].max() > 0


def test_without_the_rectifier_nothing_is_shared() -> None:
    sparse = torch.full((3,), 0.05)
    trained = train_toys(sparse, 0.9 ** torch.arange(5), 2, seeded(), steps=800, batch=1024, forward=linear_forward)
    # Two dimensions, however sparse: in all, the features are as long as two of length 1.
    assert (trained.weights.square().sum(dim=(1, 2)) - 2).abs().max() < 0.05


def test_models_trained_together_are_those_trained_alone_as_far_as_gradients_go() -> None:
    weights = torch.randn(2, 2, 3, generator=seeded()).requires_grad_()
    features = torch.rand(2, 6, 3, generator=seeded(1))
    toy_loss(features, toy_forward(features, weights, torch.zeros(2, 3)), torch.ones(3))[0].backward()
    assert weights.grad is not None
    assert weights.grad[1].abs().max() == 0


def test_what_is_refused() -> None:
    with refuses("probabilities: 1.5 is not from 0 to 1"):
        sample_features(torch.tensor([0.5, 1.5]), 2, 2, seeded())
    with refuses("importance: -1 is below 0"):
        train_toys(torch.tensor([0.5]), torch.tensor([1.0, -1.0]), 1, seeded())
    with refuses("probabilities: nan is not from 0 to 1"):
        sample_features(torch.tensor([float("nan")]), 2, 2, seeded())
