"""How the network that reads words was trained: the next word of the King James Bible, nine chapters of ten.

``innervision train text`` runs this recipe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from innervision.data.text import TEXT_FILE, Text, load_text
from innervision.learning.ngrams import ngram_loss
from innervision.learning.shipped import TEXT
from innervision.learning.transformer import Transformer
from innervision.recipes.exporting import write_weights
from innervision.recipes.prepared import Prepared, Rows
from innervision.recipes.sequences import next_token_loss, one_cycle, surprises
from innervision.training import Batch, Task

BATCH = 32
STEPS = 200
"""Steps of an epoch."""
EPOCHS = 15
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.1
ORDERS = (1, 2, 3, 4)
"""n-gram models that it is compared with: how many words are looked at together."""
STRENGTHS = (10.0, 30.0, 100.0, 300.0)
"""How strongly long contexts lean on shorter ones. The best pair is taken on the held-out words themselves: the n-gram
model gets that advantage."""
SHARE = 3
"""Of so many held-out pieces one is measured: about 27,000 words. More would only take longer."""
FROM = max(ORDERS) - 1
"""The first word of a piece that counts: there, every model has all it looks at."""


def prepare(cache: str | Path | None, seed: int) -> Prepared:
    """Everything for a run; the text ships with the package."""
    text = load_text()
    prepared = task(text, seed=seed)
    about = {"data": "King James Bible", "data_sha256": hashlib.sha256(TEXT_FILE.read_bytes()).hexdigest()}
    return Prepared(prepared, about, lambda rows, into, record: export(prepared, text, rows, into, record))


def task(text: Text, *, epochs: int = EPOCHS, seed: int = 0) -> Task:
    """The training task: a fresh network, its optimiser, and pieces of the text that begin anywhere."""
    network = Transformer(TEXT, torch.Generator().manual_seed(seed))
    optimizer, scheduler = one_cycle(network, LEARNING_RATE, WEIGHT_DECAY, epochs * STEPS)
    words, held_out = text.tokens[text.trained], held_out_pieces(text, TEXT.length + 1)[::SHARE]
    offsets = torch.arange(TEXT.length + 1)

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        for _ in range(STEPS):
            begins = torch.randint(0, len(words) - TEXT.length, (BATCH, 1), generator=generator)
            yield (words[begins + offsets],)

    settings = {
        "batch": BATCH,
        "steps": STEPS,
        "epochs": epochs,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "width": TEXT.width,
        "blocks": TEXT.blocks,
    }

    def evaluate(model: nn.Module) -> dict[str, float]:
        return {"held_out_loss": measure(model, held_out)}

    return Task(network, batches, next_token_loss, evaluate, optimizer, scheduler, settings)


def held_out_pieces(text: Text, length: int) -> Int[Tensor, "pieces length"]:
    """Pieces of the chapters that are held out, one after the other, none across the border of a chapter."""
    found = []
    for chapter in range(int(text.chapters.max()) + 1):
        words = text.tokens[(text.chapters == chapter) & ~text.trained]
        found.append(words[: len(words) // length * length].view(-1, length))
    return torch.cat(found)


@torch.no_grad()
def measure(network: nn.Module, pieces: Int[Tensor, "pieces length"]) -> float:
    """Mean surprise at the words of held-out chapters, in nats; of each piece from word ``FROM`` on."""
    return float(torch.cat([surprises(network, some)[:, FROM - 1 :] for some in pieces.split(128)]).double().mean())


def best_ngram(text: Text, pieces: Int[Tensor, "pieces length"]) -> tuple[int, float, float]:
    """Order, strength and mean surprise of the n-gram model that does best, on the same words."""
    words = text.tokens[text.trained]
    found = [
        (float(ngram_loss(words, pieces, order, TEXT.tokens, strength)[:, FROM + 1 - order :].mean()), order, strength)
        for order in ORDERS
        for strength in STRENGTHS
    ]
    loss, order, strength = min(found)
    return order, strength, loss


def export(run: Task, text: Text, rows: Rows, into: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Write the weights, in half precision, and what was measured beside the best n-gram model."""
    state = {name: value.half() for name, value in run.network.state_dict().items()}
    run.network.load_state_dict(state)  # what ships is what is measured
    pieces = held_out_pieces(text, TEXT.length + 1)[::SHARE]
    order, strength, ngram = best_ngram(text, pieces)
    measured = {
        "words_seen": BATCH * STEPS * TEXT.length * len(rows),
        "held_out_words": pieces[:, FROM:].numel(),
        "held_out_loss": measure(run.network, pieces),
        "best_ngram": order,
        "best_ngram_strength": strength,
        "best_ngram_loss": ngram,
    }
    parameters = sum(value.numel() for value in state.values())
    return write_weights("text", state, into, {"parameters": parameters, **record, **measured})
