"""Turning a direction up, and a layer in the words of a dictionary."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import nn

from innervision.activations import edit, record
from innervision.data import load_sample
from innervision.models import load
from innervision.superposition import (
    SparseAutoencoder,
    codes_of,
    go_on_from,
    in_words_of,
    maps_of,
    sae_encode,
    turn_up,
    vectors_of,
)


def test_what_is_added_has_the_length_asked_for_at_every_position() -> None:
    maps, direction = torch.rand(2, 3, 4, 5), torch.tensor([2.0, 0.0, -1.0])
    before = maps.clone()
    added = turn_up(direction, 6.0)(maps) - maps
    assert torch.equal(maps, before)
    torch.testing.assert_close(added.norm(dim=1), torch.full((2, 4, 5), 6.0))
    torch.testing.assert_close(added[1, :, 3, 4], 6 * direction / direction.norm())
    torch.testing.assert_close(turn_up(5 * direction, -6.0)(maps), maps - added)


def test_a_direction_must_point_somewhere() -> None:
    with refuses("direction: is all 0 and points nowhere"):
        turn_up(torch.zeros(3), 1.0)


def test_a_layer_in_the_dictionarys_words_position_by_position() -> None:
    autoencoder = SparseAutoencoder(3, 5, 2, generator=torch.Generator().manual_seed(0)).requires_grad_(False)
    maps = torch.rand(2, 3, 4, 5)
    assert torch.equal(maps_of(vectors_of(maps)), maps)
    with edit(model := nn.Sequential(nn.Identity()), {"0": in_words_of(autoencoder)}):
        written = model(maps)
    torch.testing.assert_close(written[1, :, 2, 3], autoencoder(maps[1, :, 2, 3]))
    torch.testing.assert_close(codes_of(maps, autoencoder)[0, :, 3, 1], sae_encode(maps[0, :, 3, 1], autoencoder))


def test_going_on_from_a_layer_is_the_whole_network_with_an_edit() -> None:
    network, images = load("mini"), load_sample().images[:3] / 255
    change = turn_up(torch.ones(256), 2.0)
    with torch.no_grad():
        maps = record(network, images, "mixed4b")["mixed4b"]
        with edit(network, {"mixed4b": change}):
            expected = network(images)
        torch.testing.assert_close(go_on_from(network, "mixed4b", change(maps)), expected, atol=1e-4, rtol=0)
        torch.testing.assert_close(go_on_from(network, "mixed4b", maps), network(images), atol=1e-4, rtol=0)
    assert not any(module._forward_hooks for module in network.modules())


def test_hooks_are_gone_after_an_error() -> None:
    network = load("mini")
    with pytest.raises(RuntimeError):
        go_on_from(network, "mixed4b", torch.zeros(1, 5, 8, 8))
    assert not any(module._forward_hooks for module in network.modules())
    with pytest.raises(ValueError, match=r"^layer: no layer 'mixed9'"):
        go_on_from(network, "mixed9", torch.zeros(1, 5, 8, 8))
