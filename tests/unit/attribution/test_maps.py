"""Attribution where the truth is known, and what it must do where it is not: add up, and depend on the weights."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import spearmanr
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision import edit, load, record
from innervision.attribution import (
    channel_attribution,
    integrated_attribution,
    path_start,
    relaxed_max_pooling,
    shuffle_weights,
    spatial_attribution,
)
from innervision.data import load_sample


@pytest.fixture
def linear() -> nn.Sequential:
    """Convolution, then a linear read-out: the weight of each activation is known."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 5 * 6, 3)).double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return model


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_on_a_linear_network_attribution_is_weight_times_activation(linear: nn.Sequential, images: Tensor) -> None:
    truth = (linear[2].weight[2].view(4, 5, 6) * linear[0](images)).detach()
    exact = {"rtol": 0, "atol": 1e-12}
    torch.testing.assert_close(spatial_attribution(linear, "0", images, 2), truth.sum(dim=1), **exact)
    torch.testing.assert_close(channel_attribution(linear, "0", images, 2), truth.sum(dim=(2, 3)), **exact)
    for steps in (1, 3):
        torch.testing.assert_close(integrated_attribution(linear, "0", images, 2, steps=steps), truth, **exact)


def test_the_integrated_one_adds_up_exactly_on_a_linear_network(linear: nn.Sequential, images: Tensor) -> None:
    baseline = torch.rand(4, 5, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = integrated_attribution(linear, "0", images, torch.tensor([1, 0]), baseline=baseline, steps=1)
    difference = linear(images) - linear[2](baseline.flatten())
    expected = difference[[0, 1], [1, 0]].detach()
    torch.testing.assert_close(found.sum(dim=(1, 2, 3)), expected, rtol=0, atol=1e-12)


def test_of_a_later_channel(linear: nn.Sequential, images: Tensor) -> None:
    """To a channel's mean over positions: by hand through a 1 × 1 convolution."""
    model = nn.Sequential(linear[0], nn.Conv2d(4, 2, 1).double(), nn.Flatten(), nn.Linear(60, 2).double()).eval()
    weights = model[1].weight[1, :, 0, 0].detach()
    truth = weights.view(4, 1, 1) * model[0](images).detach() / 30
    torch.testing.assert_close(spatial_attribution(model, "0", images, 1, of="1"), truth.sum(dim=1))
    torch.testing.assert_close(channel_attribution(model, "0", images, 1, of="1"), truth.sum(dim=(2, 3)))
    torch.testing.assert_close(integrated_attribution(model, "0", images, 1, of="1", steps=2), truth)


def test_channels_of_a_layer_without_positions(linear: nn.Sequential, images: Tensor) -> None:
    found = channel_attribution(linear, "1", images, 0)
    torch.testing.assert_close(found.sum(dim=1), (linear(images)[:, 0] - linear[2].bias[0]).detach())


def a_few() -> tuple[Tensor, Tensor]:
    sample = load_sample()
    return sample.images[:12].float() / 255, sample.labels[:12]


def gap(layer: str, steps: int, count: int = 4) -> Tensor:
    """By which share of the difference between two logits does the sum of attributions miss it?"""
    mini = load("mini")
    images, labels = (each[:count] for each in a_few())
    total = integrated_attribution(mini, layer, images, labels, steps=steps).sum(dim=(1, 2, 3))
    with torch.no_grad():
        full = mini(images).gather(1, labels[:, None])[:, 0]
        with edit(mini, {layer: torch.zeros_like}):
            silent = mini(images).gather(1, labels[:, None])[:, 0]
    return (total - (full - silent)).abs() / (full - silent).abs()


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["mixed3b", "mixed4b"])
def test_completeness_on_mini_within_one_percent(layer: str) -> None:
    coarse, fine = gap(layer, 4), gap(layer, 128)
    assert float(fine.max()) < 0.01
    assert float(fine.mean()) < float(coarse.mean()) / 4  # and it gets better with more steps


def test_shuffled_weights_give_another_attribution() -> None:
    """Rank correlation over all positions and images; the bound was measured, see the reference page."""
    mini = load("mini")
    images, labels = a_few()

    def ranks(network: nn.Module) -> Tensor:
        return spatial_attribution(network, "mixed4a", images, labels).flatten(1)

    own, again = ranks(mini), ranks(mini)
    assert torch.equal(own, again)
    for seed in range(3):
        other = ranks(shuffle_weights(mini, torch.Generator().manual_seed(seed)))
        correlations = [spearmanr(a, b).statistic for a, b in zip(own.numpy(), other.numpy(), strict=True)]
        assert abs(sum(correlations) / len(correlations)) < 0.2


def test_relaxed_changes_the_gradient_and_not_the_activation() -> None:
    mini = load("mini")
    images, labels = a_few()
    plain = spatial_attribution(mini, "mixed3b", images, labels)
    smooth = spatial_attribution(mini, "mixed3b", images, labels, relaxed=True)
    assert smooth.isfinite().all()
    assert not torch.allclose(plain, smooth)
    with relaxed_max_pooling():
        inside = record(mini, images, "mixed4c")["mixed4c"]
    torch.testing.assert_close(inside, record(mini, images, "mixed4c")["mixed4c"], rtol=0, atol=0)


def test_a_path_starts_at_the_baseline() -> None:
    end = torch.rand(2, 3, 4, 4)
    one, each = torch.rand(3, 4, 4), torch.rand(2, 3, 4, 4, dtype=torch.float64)
    assert torch.equal(path_start(None, end, 1), torch.zeros(2, 3, 4, 4))
    assert torch.equal(path_start(one, end, 1), torch.stack([one, one]))
    assert torch.equal(path_start(each, end, 1), each.float())


def test_refusals(linear: nn.Sequential, images: Tensor) -> None:
    with refuses("steps: 0 is too few; give a whole number, at least 1"):
        integrated_attribution(linear, "0", images, 0, steps=0)
    with refuses("baseline: shape (3, 5, 6) does not fit; the layer's activation has (2, 4, 5, 6)"):
        integrated_attribution(linear, "0", images, 0, baseline=torch.zeros(3, 5, 6))
