"""The recipe of the networks that miss some pairs."""

from __future__ import annotations

import torch
from safetensors.torch import load_file
from torch import nn

from innervision.learning.scenes import COLORS, VOCABULARY, withheld_pairs
from innervision.recipes import scenes, train


def test_settings_are_those_of_the_shipped_runs() -> None:
    assert scenes.task().settings == {
        "batch": 256,
        "steps": 100,
        "epochs": 40,
        "learning_rate": 1e-3,
        "weight_decay": 0.01,
        "width": 64,
        "blocks": 2,
    }


def test_no_step_holds_a_withheld_pair(monkeypatch) -> None:
    monkeypatch.setattr(scenes, "STEPS", 5)
    withheld = withheld_pairs(1)
    for (batch,) in scenes.task(seed=1).batches(torch.Generator().manual_seed(0)):
        pairs = batch[:, :6].view(-1, 3, 2)
        assert not withheld[pairs[..., 0], pairs[..., 1] - len(COLORS)].any()


def test_who_looks_it_up_knows_all_and_who_counts_knows_no_withheld_pair() -> None:
    class LooksUp(nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            place = (tokens[:, 0:6:2] == tokens[:, 7:8]).long().argmax(dim=1, keepdim=True)
            answer = tokens.gather(1, 2 * place + 1)
            return torch.zeros(*tokens.shape, VOCABULARY).scatter(2, answer[:, None].expand(-1, 8, -1), 1.0)

    class Counts(nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            seen = (~withheld_pairs(0)).float()[tokens[:, -1]]
            logits = torch.zeros(*tokens.shape, VOCABULARY)
            logits[:, -1, len(COLORS) : -1] = seen
            return logits

    assert scenes.accuracies(LooksUp(), 0) == {"seen_accuracy": 1.0, "withheld_accuracy": 1.0}
    assert scenes.accuracies(Counts(), 0)["withheld_accuracy"] == 0.0


def test_a_short_run_writes_weights_under_its_seed(tmp_path, monkeypatch) -> None:
    for name, value in (("STEPS", 2), ("BATCH", 4), ("EPOCHS", 1), ("TEST_SCENES", 4)):
        monkeypatch.setattr(scenes, name, value)
    monkeypatch.setitem(scenes.task.__kwdefaults__, "epochs", 1)
    entry = train("scenes", seed=1, folder=tmp_path / "run", into=tmp_path)
    assert (entry["command"], entry["file"]) == ("innervision train scenes --seed 1", "scenes-1.safetensors")
    assert (entry["scenes_seen"], entry["withheld_pairs"]) == (8, 16)
    state = load_file(tmp_path / "scenes-1.safetensors")
    assert entry["parameters"] == sum(value.numel() for value in state.values())
