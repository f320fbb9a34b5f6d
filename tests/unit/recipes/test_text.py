"""The recipe of the network that reads words."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from innervision.data.text import Text, load_text
from innervision.learning.shipped import TEXT
from innervision.recipes import text as recipe
from innervision.recipes import train


@pytest.fixture
def small() -> Text:
    """Twenty chapters of 140 words, which count up; each begins elsewhere."""
    tokens = torch.cat([(torch.arange(140) + 7 * chapter) % 50 for chapter in range(20)])
    chapters = torch.arange(20).repeat_interleave(140)
    return Text(tokens, [f"w{number}" for number in range(TEXT.tokens)], chapters, chapters // 10, ["One", "Two"])


def test_settings_are_those_of_the_shipped_run(small: Text) -> None:
    assert recipe.task(small).settings == {
        "batch": 32,
        "steps": 200,
        "epochs": 15,
        "learning_rate": 3e-3,
        "weight_decay": 0.1,
        "width": 96,
        "blocks": 2,
    }


def test_held_out_pieces_lie_within_held_out_chapters(small: Text) -> None:
    pieces = recipe.held_out_pieces(small, 65)
    assert pieces.shape == (4, 65)  # two chapters of ten are the tenth, and each holds two pieces
    assert pieces[:, 0].tolist() == [(63) % 50, (63 + 65) % 50, (133) % 50, (133 + 65) % 50]


def test_nothing_held_out_is_trained_on(small: Text, monkeypatch) -> None:
    monkeypatch.setattr(recipe, "STEPS", 20)
    small.tokens[~small.trained] = 2000
    for (batch,) in recipe.task(small).batches(torch.Generator().manual_seed(0)):
        assert batch.shape == (32, 65)
        assert batch.max() < 50


def test_surprise_of_a_network_that_guesses(small: Text) -> None:
    class Guesses(nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return torch.zeros(*tokens.shape, TEXT.answers)

    assert recipe.measure(Guesses(), recipe.held_out_pieces(small, 65)) == pytest.approx(math.log(2048), rel=1e-6)


def test_the_best_ngram_of_a_text_that_counts_up_looks_at_one_word(small: Text) -> None:
    order, strength, loss = recipe.best_ngram(small, recipe.held_out_pieces(small, 65))
    assert (order > 1, strength) == (True, min(recipe.STRENGTHS))
    assert loss < math.log(50)


@pytest.mark.slow
def test_a_short_run_writes_weights_in_half_precision(tmp_path, monkeypatch, small: Text) -> None:
    for name, value in (("STEPS", 2), ("BATCH", 2), ("EPOCHS", 1), ("SHARE", 1)):
        monkeypatch.setattr(recipe, name, value)
    monkeypatch.setattr(recipe, "load_text", lambda: small)
    monkeypatch.setitem(recipe.task.__kwdefaults__, "epochs", 1)
    entry = train("text", folder=tmp_path / "run", into=tmp_path)
    assert (entry["command"], entry["words_seen"]) == ("innervision train text", 2 * 2 * 64)
    assert entry["held_out_loss"] > 0
    state = load_file(tmp_path / "text.safetensors")
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert load_text().trained.any()
