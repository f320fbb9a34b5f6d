"""How the network that plays Ripple was trained: it sees moves of random games, and never a board.

``innervision train ripple`` runs this recipe. It predicts the next move at every position; since games are random, the
best it can do is to give every legal move the same chance.

Source: Li et al., "Emergent world representations: exploring a sequence model trained on a synthetic task", 2023.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from innervision.learning.board_game import Games, random_games
from innervision.learning.shipped import RIPPLE, as_tokens
from innervision.learning.transformer import Transformer
from innervision.recipes.exporting import write_weights
from innervision.recipes.prepared import Prepared, Rows
from innervision.recipes.sequences import one_cycle
from innervision.training import Batch, Task

GAMES = 256
"""Games of a step. None is seen twice."""
STEPS = 200
EPOCHS = 16
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.01
TEST_GAMES = 1000
TEST_SEED = 2**31
"""Far from the seeds of epochs."""


def prepare(cache: str | Path | None, seed: int) -> Prepared:
    """Everything for a run; there is nothing to fetch."""
    test = random_games(TEST_GAMES, RIPPLE.length, torch.Generator().manual_seed(TEST_SEED))
    prepared = task(test, seed=seed)
    about = {
        "data": "random games of Ripple, made while training; the hash is that of the test games",
        "data_sha256": hashlib.sha256(test.moves.numpy().tobytes()).hexdigest(),
    }
    return Prepared(prepared, about, lambda rows, into, record: export(prepared.network, rows, into, record))


def task(test: Games, *, epochs: int = EPOCHS, seed: int = 0) -> Task:
    """The training task: a fresh network, its optimiser, and games without end."""
    network = Transformer(RIPPLE, torch.Generator().manual_seed(seed))
    optimizer, scheduler = one_cycle(network, LEARNING_RATE, WEIGHT_DECAY, epochs * STEPS)

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        for _ in range(STEPS):
            moves = random_games(GAMES, RIPPLE.length, generator).moves
            yield as_tokens(moves), moves

    settings = {
        "games": GAMES,
        "steps": STEPS,
        "epochs": epochs,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "width": RIPPLE.width,
        "blocks": RIPPLE.blocks,
    }
    return Task(network, batches, next_move_loss, lambda model: legality(model, test), optimizer, scheduler, settings)


def next_move_loss(network: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy of the moves that were made, in nats."""
    return F.cross_entropy(network(batch[0]).flatten(0, 1), batch[1].flatten())


@torch.no_grad()
def legality(network: nn.Module, games: Games) -> dict[str, float]:
    """How legal the predictions are: the likeliest move, and the probability that goes to illegal ones."""
    chances = network(as_tokens(games.moves)).softmax(dim=-1)
    likeliest = games.legal.gather(2, chances.argmax(dim=-1, keepdim=True))
    return {
        "likeliest_legal": float(likeliest.double().mean()),
        "illegal_probability": float(chances.masked_fill(games.legal, 0).sum(dim=-1).double().mean()),
    }


def export(network: nn.Module, rows: Rows, into: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Write the weights and what was measured on the test games."""
    state = {name: value.cpu() for name, value in network.state_dict().items()}
    measured = {
        "games_seen": GAMES * STEPS * len(rows),
        "test_games": TEST_GAMES,
        "likeliest_legal": rows[-1]["likeliest_legal"],
        "illegal_probability": rows[-1]["illegal_probability"],
    }
    parameters = sum(value.numel() for value in state.values())
    return write_weights("ripple", state, into, {"parameters": parameters, **record, **measured})
