"""How the networks of attention alone were trained: half of their text is chains of neighbours, half repeats itself.

``innervision train induction`` runs this recipe; with ``--seed 1`` and so on it trains others. In one half of the
sequences the next token depends on the last one, by a table that stays the same: a statistic to learn. The other half
is random tokens that come again after 8 to 32 places: there only the text itself tells what comes next.

Source: Olsson et al., "In-context learning and induction heads", 2022 (two blocks of attention suffice).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from innervision.learning.attention import mixed_sequences, neighbour_table, repeated_tokens
from innervision.learning.shipped import INDUCTION
from innervision.learning.transformer import Transformer
from innervision.recipes.exporting import write_weights
from innervision.recipes.prepared import Prepared, Rows
from innervision.recipes.sequences import one_cycle, surprises
from innervision.training import Batch, Task

BATCH = 64
STEPS = 100
"""Steps of an epoch. No sequence is seen twice."""
EPOCHS = 30
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.01
TEST_SEQUENCES = 256
TEST_PERIOD = 20
TEST_SEED = 2**31
"""Far from the seeds of epochs."""


def prepare(cache: str | Path | None, seed: int) -> Prepared:
    """Everything for a run; there is nothing to fetch."""
    prepared = task(seed=seed)
    about = {
        "data": "chains of neighbours and repeated random tokens, made while training; the hash is that of the table",
        "data_sha256": hashlib.sha256(neighbour_table(INDUCTION.tokens).numpy().tobytes()).hexdigest(),
    }
    return Prepared(prepared, about, lambda rows, into, record: export(prepared.network, rows, into, record))


def task(*, epochs: int = EPOCHS, seed: int = 0) -> Task:
    """The training task: a fresh network, its optimiser, and sequences without end."""
    network = Transformer(INDUCTION, torch.Generator().manual_seed(seed))
    optimizer, scheduler = one_cycle(network, LEARNING_RATE, WEIGHT_DECAY, epochs * STEPS)

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        for _ in range(STEPS):
            yield (mixed_sequences(BATCH, INDUCTION.length + 1, INDUCTION.tokens, generator),)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return surprises(model, batch[0]).mean()  # the networks that ship had their mean taken last, and round so

    settings = {
        "batch": BATCH,
        "steps": STEPS,
        "epochs": epochs,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "width": INDUCTION.width,
        "heads": INDUCTION.heads,
    }
    return Task(network, batches, loss, repeated_loss, optimizer, scheduler, settings)


@torch.no_grad()
def repeated_loss(network: nn.Module) -> dict[str, float]:
    """Surprise at random tokens, the first time and when they come again."""
    generator = torch.Generator().manual_seed(TEST_SEED)
    copies = -(-(INDUCTION.length + 1) // TEST_PERIOD)
    tokens = repeated_tokens(TEST_SEQUENCES, TEST_PERIOD, copies, INDUCTION.tokens, generator)
    found = surprises(network, tokens[:, : INDUCTION.length + 1]).double()
    return {
        "first_loss": float(found[:, : TEST_PERIOD - 1].mean()),
        "repeated_loss": float(found[:, TEST_PERIOD:].mean()),
    }


def export(network: nn.Module, rows: Rows, into: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Write the weights and what was measured on repeated tokens."""
    state = network.state_dict()
    measured = {
        "sequences_seen": BATCH * STEPS * len(rows),
        "test_sequences": TEST_SEQUENCES,
        "test_period": TEST_PERIOD,
        **repeated_loss(network),
    }
    parameters = sum(value.numel() for value in state.values())
    return write_weights(f"induction-{record['seed']}", state, into, {"parameters": parameters, **record, **measured})
