"""Fitting labels, true ones and others."""

import torch
from safetensors.torch import load_file

from innervision.recipes import memorization, train
from innervision.recipes.memorization import share, task


def test_a_short_run_writes_weights_and_curves(tmp_path, monkeypatch):
    monkeypatch.setattr(memorization.RANDOM, "EPOCHS", 1)
    entry = train("random-labels", folder=tmp_path / "run", into=tmp_path, seed=1)
    assert entry["command"] == "innervision train random-labels --seed 1"
    assert entry["share_of_random_labels"] == 1.0
    curves = ("loss", "trained_accuracy", "test_accuracy", "falsely_labelled_as_taught", "falsely_labelled_as_true")
    assert [len(entry[key]) for key in curves] == [1] * 5
    assert entry["known_by_heart_after"] == -1
    assert entry["parameters"] == sum(
        value.numel() for value in load_file(tmp_path / "random-labels-1.safetensors").values()
    )


def test_only_the_labels_differ():
    true, random = (task(name, 0, 1) for name in ("true-labels", "random-labels"))
    for one, other in zip(true.network.parameters(), random.network.parameters(), strict=True):
        assert torch.equal(one, other)
    pairs = zip(*(some.batches(torch.Generator().manual_seed(7)) for some in (true, random)), strict=True)
    same = [(torch.equal(one[0], other[0]), torch.equal(one[1], other[1])) for one, other in pairs]
    assert same == [(True, False)] * 12


def test_a_share():
    assert share(torch.tensor([True, False, False])) == 0.3333
    assert share(torch.tensor([], dtype=torch.bool)) == 0.0
