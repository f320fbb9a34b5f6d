"""The recipe of the network that plays Ripple."""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from innervision.learning.board_game import SQUARES, random_games
from innervision.learning.shipped import RIPPLE, as_tokens
from innervision.recipes import ripple, train
from innervision.recipes.ripple import legality


def test_settings_are_those_of_the_shipped_run() -> None:
    assert ripple.task(random_games(2, 30, torch.Generator())).settings == {
        "games": 256,
        "steps": 200,
        "epochs": 16,
        "learning_rate": 1e-3,
        "weight_decay": 0.01,
        "width": 128,
        "blocks": 3,
    }


def test_at_position_n_it_reads_what_came_before_move_n() -> None:
    moves = torch.tensor([[1, 3, 7]])
    assert as_tokens(moves).tolist() == [[SQUARES, 1, 3]]


def test_no_two_steps_see_the_same_games(monkeypatch) -> None:
    monkeypatch.setattr(ripple, "STEPS", 2)
    monkeypatch.setattr(ripple, "GAMES", 20)
    task = ripple.task(random_games(2, 30, torch.Generator()), epochs=1)
    (_, one), (_, other) = task.batches(torch.Generator().manual_seed(0))
    assert not torch.equal(one, other)


def test_legality_of_a_network_that_knows_the_rules_and_of_one_that_guesses() -> None:
    games = random_games(40, 30, torch.Generator().manual_seed(0))
    answers = games.legal.float().log()

    class Knows(torch.nn.Module):
        def forward(self, tokens):
            return answers

    class Guesses(torch.nn.Module):
        def forward(self, tokens):
            return torch.zeros_like(answers)

    assert legality(Knows(), games) == {"likeliest_legal": 1.0, "illegal_probability": 0.0}
    expected = 1 - float(games.legal.double().mean())
    assert abs(legality(Guesses(), games)["illegal_probability"] - expected) < 1e-6


def test_a_short_run_writes_weights_that_fit(tmp_path, monkeypatch) -> None:
    for name, value in (("STEPS", 2), ("GAMES", 8), ("EPOCHS", 1), ("TEST_GAMES", 4)):
        monkeypatch.setattr(ripple, name, value)
    monkeypatch.setitem(ripple.task.__kwdefaults__, "epochs", 1)
    entry = train("ripple", folder=tmp_path / "run", into=tmp_path)
    assert (entry["games_seen"], entry["test_games"]) == (16, 4)
    assert load_file(tmp_path / "ripple.safetensors")["unembed"].shape == (RIPPLE.width, SQUARES)
