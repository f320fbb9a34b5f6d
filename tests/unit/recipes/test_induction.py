"""The recipe of the networks of attention alone."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from innervision.learning.shipped import INDUCTION
from innervision.recipes import induction, train


def test_settings_are_those_of_the_shipped_runs() -> None:
    assert induction.task().settings == {
        "batch": 64,
        "steps": 100,
        "epochs": 30,
        "learning_rate": 3e-3,
        "weight_decay": 0.01,
        "width": 64,
        "heads": 2,
    }


def test_a_network_that_guesses_is_as_surprised_the_second_time() -> None:
    class Guesses(nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return torch.zeros(*tokens.shape, INDUCTION.answers)

    assert induction.repeated_loss(Guesses()) == pytest.approx(
        {"first_loss": math.log(32), "repeated_loss": math.log(32)}, rel=1e-6
    )


def test_a_network_that_copies_is_surprised_the_first_time_only() -> None:
    class Copies(nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            logits = torch.zeros(*tokens.shape, INDUCTION.answers)
            period, last = induction.TEST_PERIOD, tokens.shape[1]
            for place in range(period - 1, last):  # what comes next stood a period before it
                logits[:, place].scatter_(1, tokens[:, place + 1 - period, None], 50.0)
            return logits

    found = induction.repeated_loss(Copies())
    assert found["first_loss"] == pytest.approx(math.log(32), rel=1e-6)
    assert found["repeated_loss"] < 1e-6


def test_a_short_run_writes_weights_under_its_seed(tmp_path, monkeypatch) -> None:
    for name, value in (("STEPS", 2), ("BATCH", 4), ("EPOCHS", 1), ("TEST_SEQUENCES", 4)):
        monkeypatch.setattr(induction, name, value)
    monkeypatch.setitem(induction.task.__kwdefaults__, "epochs", 1)
    entry = train("induction", seed=2, folder=tmp_path / "run", into=tmp_path)
    assert (entry["command"], entry["file"]) == ("innervision train induction --seed 2", "induction-2.safetensors")
    assert entry["sequences_seen"] == 8
    state = load_file(tmp_path / "induction-2.safetensors")
    assert entry["parameters"] == sum(value.numel() for value in state.values())
