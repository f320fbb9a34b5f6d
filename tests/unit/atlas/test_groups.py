"""Groups of channels: planted ones come back."""

from __future__ import annotations

import pytest
import torch
from einops import einsum
from tests.unit.refusals import refuses
from torch import Tensor

from innervision import load, record
from innervision.atlas import factorize, neuron_groups
from innervision.data import load_sample


def planted(noise: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """Activations of 4 images made of 3 groups of 20 channels, each active in about a third of the places."""
    generator = torch.Generator().manual_seed(0)
    channels = torch.rand(3, 20, generator=generator) * (torch.rand(3, 20, generator=generator) < 0.4)
    channels = channels / channels.norm(dim=1, keepdim=True)
    maps = torch.rand(4, 3, 6, 7, generator=generator) * (torch.rand(4, 3, 6, 7, generator=generator) < 0.3)
    maps = maps * torch.tensor([1.0, 4.0, 2.0]).view(1, 3, 1, 1)
    activations = einsum(maps, channels, "n group r c, group k -> n k r c")
    activations = activations + noise * torch.rand(activations.shape, generator=generator)
    return activations, channels, maps


def cosine(one: Tensor, other: Tensor) -> Tensor:
    return torch.nn.functional.cosine_similarity(one, other, dim=-1)


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_planted_groups_come_back(noise: float) -> None:
    activations, channels, maps = planted(noise)
    found = neuron_groups(activations, 3)
    order = [1, 2, 0]  # strongest first
    assert float(cosine(found.channels, channels[order]).min()) >= 0.95
    by_group = [each.transpose(0, 1).flatten(1) for each in (found.maps, maps[:, order])]
    assert float(cosine(*by_group).min()) >= 0.95
    assert found.unexplained < 0.02 + 2 * noise


def test_shapes_signs_and_lengths() -> None:
    activations, _, _ = planted()
    found = neuron_groups(activations, 5)
    assert found.channels.shape == (5, 20)
    assert found.maps.shape == (4, 5, 6, 7)
    assert float(found.channels.min()) >= 0
    assert float(found.maps.min()) >= 0
    torch.testing.assert_close(found.channels.norm(dim=1), torch.ones(5))
    made = einsum(found.maps, found.channels, "n group r c, group k -> n k r c")
    assert float((activations - made).norm() / activations.norm()) == pytest.approx(found.unexplained, abs=1e-5)


def test_more_groups_explain_more_on_mini_and_repeat() -> None:
    images = load_sample().images[:8].float() / 255
    with torch.no_grad():
        activations = record(load("mini"), images, "mixed4a")["mixed4a"]
    left = [neuron_groups(activations, count).unexplained for count in (1, 4, 8)]
    assert left == sorted(left, reverse=True)
    first, again = neuron_groups(activations, 4), neuron_groups(activations, 4)
    assert torch.equal(first.channels, again.channels)
    assert torch.equal(first.maps, again.maps)


def test_a_silent_layer_is_no_error() -> None:
    found = neuron_groups(torch.zeros(1, 4, 2, 3), 2)
    assert found.channels.tolist() == [[0] * 4] * 2
    assert not found.maps.any()
    assert found.unexplained == 0


def test_activations_that_hang_on_a_gradient() -> None:
    activations, _, _ = planted()
    found = neuron_groups(activations.requires_grad_(), 3)
    assert not found.maps.requires_grad
    assert not found.channels.requires_grad


def test_factorize_a_product_of_two() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.rand(12, 2, generator=generator) @ torch.rand(2, 7, generator=generator)
    places, channels = factorize(matrix, 2)
    assert (places.shape, channels.shape) == ((12, 2), (2, 7))
    assert min(float(places.min()), float(channels.min())) >= 0
    torch.testing.assert_close(places @ channels, matrix, rtol=0, atol=1e-2)


def test_refusals() -> None:
    activations, _, _ = planted()
    with refuses("groups: 0 is not between 1 and 20, the smaller one of 20 channels and 168 positions"):
        neuron_groups(activations, 0)
    with refuses("groups: 21 is not between 1 and 20, the smaller one of 20 channels and 168 positions"):
        neuron_groups(activations, 21)
    with refuses("activations: go down to -0.5; take a layer after its rectifier"):
        neuron_groups(activations - 0.5, 2)
