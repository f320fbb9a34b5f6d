"""Who looks where: attention patterns, what heads do on text that repeats itself, and a network without some heads.

Source: Olsson et al., "In-context learning and induction heads", 2022 (repeated random tokens; an induction head looks
at what came after the last time; it builds on a head that looks at the token before).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor

from innervision.activations import Edit, edit
from innervision.learning.transformer import Transformer, causal_attention

__all__ = [
    "PERIODS",
    "causal_attention",
    "chains",
    "induction_score",
    "mixed_sequences",
    "neighbour_table",
    "previous_token_score",
    "repeated_tokens",
    "without_heads",
]

PERIODS = (8, 32)
"""Places until random tokens come again in what the networks were trained on: at least, at most."""


def repeated_tokens(
    sequences: int, period: int, copies: int, vocabulary: int, generator: torch.Generator
) -> Int[Tensor, "sequences position"]:
    """Random tokens, said again and again: no table of neighbours knows what comes next, yet the text itself does.

    Args:
        sequences: How many, ≥ 1; each of other tokens.
        period: Tokens until a sequence repeats, ≥ 1.
        copies: How often they are said, ≥ 1.
        vocabulary: How many different tokens there are, all equally likely.
        generator: Draws them.

    Raises:
        ValueError: A number is below 1.
    """
    given = {"sequences": sequences, "period": period, "copies": copies, "vocabulary": vocabulary}
    for name, value in given.items():
        if value < 1:
            raise ValueError(f"{name}: {value} is below 1")
    return torch.randint(0, vocabulary, (sequences, period), generator=generator).repeat(1, copies)


def neighbour_table(vocabulary: int) -> Float[Tensor, "vocabulary vocabulary"]:
    """Which token follows which in the chains that networks were trained on: the same table for all of them.

    Args:
        vocabulary: How many different tokens there are.

    Returns:
        Each row sums to 1: the chance of each token after one. About four tokens share most of a row.
    """
    scores = torch.randn(vocabulary, vocabulary, generator=torch.Generator().manual_seed(vocabulary))
    return (3 * scores).softmax(dim=1)


def chains(
    sequences: int, length: int, vocabulary: int, generator: torch.Generator
) -> Int[Tensor, "sequences position"]:
    """Sequences in which each token is drawn from the row of the one before in ``neighbour_table``."""
    table = neighbour_table(vocabulary)
    tokens = [torch.randint(0, vocabulary, (sequences,), generator=generator)]
    while len(tokens) < length:
        tokens.append(torch.multinomial(table[tokens[-1]], 1, generator=generator)[:, 0])
    return torch.stack(tokens, dim=1)


def mixed_sequences(
    sequences: int, length: int, vocabulary: int, generator: torch.Generator
) -> Int[Tensor, "sequences position"]:
    """What those networks were trained on: chains in one half, random tokens that come again in the other.

    Args:
        sequences: How many, even.
        length: Tokens of each, above 32.
        vocabulary: How many different tokens there are.
        generator: Draws everything; each sequence of the second half has a period of its own, from 8 to 32.
    """
    half = sequences // 2
    periods = torch.randint(PERIODS[0], PERIODS[1] + 1, (half, 1), generator=generator)
    said = torch.randint(0, vocabulary, (half, PERIODS[1]), generator=generator)
    again = said.gather(1, torch.arange(length) % periods)
    return torch.cat([chains(sequences - half, length, vocabulary, generator), again])


def induction_score(pattern: Float[Tensor, "batch head position position"], period: int) -> Float[Tensor, " head"]:
    """How much each head looks at what came after the last time, in sequences that repeat themselves.

    At a token that stood ``period`` places before, too, an induction head looks at the place after that earlier one:
    there stands what will come next.

    Args:
        pattern: Attention on sequences of that period: row t holds how much position t looks at each position.
        period: From 1 to the number of positions - 1.

    Returns:
        In [0, 1]: mean attention from each position t from ``period`` on to position t - ``period`` + 1.

    Raises:
        ValueError: The period is out of range.

    Example:
        >>> pattern = torch.zeros(1, 1, 4, 4)
        >>> pattern[0, 0, 2, 1] = 1.0  # the token at 2 is the one at 0; next comes what stands at 1
        >>> induction_score(pattern, period=2)
        tensor([0.5000])

    Source:
        Olsson et al., "In-context learning and induction heads", 2022.
    """
    check_period(period, pattern)
    return pattern.diagonal(offset=1 - period, dim1=-2, dim2=-1)[..., 1:].mean(dim=(0, -1))


def previous_token_score(pattern: Float[Tensor, "batch head position position"]) -> Float[Tensor, " head"]:
    """How much each head looks at the token just before: mean attention from each position t from 1 on to t - 1.

    Args:
        pattern: Attention on any text: row t holds how much position t looks at each position.
    """
    return pattern.diagonal(offset=-1, dim1=-2, dim2=-1).mean(dim=(0, -1))


def check_period(period: int, pattern: Float[Tensor, "batch head position position"]) -> None:
    """Refuse a period after which nothing comes again."""
    positions = pattern.shape[-1]
    if not 1 <= period < positions:
        raise ValueError(f"period: {period} is not from 1 to {positions - 1}, one less than the positions")


@contextmanager
def without_heads(network: Transformer, heads: Sequence[tuple[int, int]]) -> Iterator[Transformer]:
    """Take heads away: each adds what it adds on average, over sequences and positions of the batch, and nothing else.

    Args:
        network: Runs as usual again after the block.
        heads: ``(block, head)``, both from 0.

    Yields:
        The network.

    Raises:
        ValueError: There is no such head.
    """
    chosen: dict[int, list[int]] = {}
    for block, head in heads:
        if not (0 <= block < network.sizes.blocks and 0 <= head < network.sizes.heads):
            blocks, each = network.sizes.blocks, network.sizes.heads
            raise ValueError(f"heads: ({block}, {head}) does not exist; there are {blocks} blocks of {each} heads")
        chosen.setdefault(block, []).append(head)
    with edit(network, {f"blocks.{block}.heads": _averaging(some) for block, some in chosen.items()}):
        yield network


def _averaging(heads: Sequence[int]) -> Edit:
    def average(added: Float[Tensor, "batch head position width"]) -> Float[Tensor, "batch head position width"]:
        averaged = added.clone()
        averaged[:, heads] = added[:, heads].mean(dim=(0, 2), keepdim=True)
        return averaged

    return average
