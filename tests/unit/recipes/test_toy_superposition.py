"""The recipe of the toy models that ship."""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from innervision.recipes import toy_superposition, train
from innervision.superposition import feature_dimensionality


def test_settings_are_those_of_the_shipped_run() -> None:
    assert toy_superposition.task().settings == {
        "features": 100,
        "hidden": 10,
        "probabilities": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05],
        "models": 3,
        "batch": 256,
        "steps": 250,
        "epochs": 12,
        "learning_rate": 1e-2,
    }


def test_features_with_half_a_dimension_are_counted() -> None:
    toys = toy_superposition.Toys(torch.Generator())
    toys.weights.data.zero_()
    toys.weights.data[:, 0, 0], toys.weights.data[:, 0, 1] = 1, -1
    assert feature_dimensionality(toys.weights)[0, :2].tolist() == [0.5, 0.5]
    assert toy_superposition.at_one_half(toys) == {"at_one_half": 0.02}


def test_a_short_run_writes_weights_by_probability(tmp_path, monkeypatch) -> None:
    for name, value in (("STEPS", 2), ("BATCH", 4), ("EPOCHS", 1)):
        monkeypatch.setattr(toy_superposition, name, value)
    monkeypatch.setitem(toy_superposition.task.__kwdefaults__, "epochs", 1)
    entry = train("toy-superposition", folder=tmp_path / "run", into=tmp_path)
    state = load_file(tmp_path / "toy-superposition.safetensors")
    assert state["weights"].shape == (10, 3, 10, 100)
    assert len(state["probabilities"]) == 10
    assert (entry["models"], entry["hidden"]) == (30, 10)
