"""Shuffling weights: every number stays, none keeps its meaning."""

from __future__ import annotations

import torch
from tests.unit.refusals import refuses

from innervision import load
from innervision.attribution import shuffle_weights


def test_same_numbers_other_places_and_the_original_stays() -> None:
    mini = load("mini")
    before = {name: value.clone() for name, value in mini.state_dict().items()}
    state = torch.get_rng_state()
    shuffled = shuffle_weights(mini, torch.Generator().manual_seed(0))
    for name, value in shuffled.state_dict().items():
        assert torch.equal(mini.state_dict()[name], before[name])
        assert torch.equal(value.flatten().sort().values, before[name].flatten().sort().values)
        assert not torch.equal(value, before[name])
    assert not shuffled.training
    assert torch.equal(state, torch.get_rng_state())
    again = shuffle_weights(mini, torch.Generator().manual_seed(0))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in shuffled.state_dict().items())


def test_only_some_layers() -> None:
    mini = load("mini")
    shuffled = shuffle_weights(mini, torch.Generator().manual_seed(0), "mixed4c_*")
    changed = {
        name.split(".")[0]
        for name, value in shuffled.state_dict().items()
        if not torch.equal(value, mini.state_dict()[name])
    }
    assert changed == {
        f"mixed4c_{part}" for part in ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool_reduce")
    }
    with refuses("layers: no layer 'mixed9*' in this network; the closest are 'mixed4c', 'mixed4b', 'mixed4a'"):
        shuffle_weights(mini, torch.Generator(), "mixed9*")
