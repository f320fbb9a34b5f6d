"""Directions that were planted are found beside others; a change lands in its place; the believed board is used."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.activations import record
from innervision.learning.board_game import legal_moves, mine_and_theirs, random_games
from innervision.learning.interventions import board_directions, intervene, legal_errors
from innervision.learning.shipped import as_tokens, load_ripple
from innervision.learning.transformer import Sizes, Transformer


def small() -> Transformer:
    return Transformer(Sizes(6, 5, 8, width=8, heads=2, blocks=2), torch.Generator().manual_seed(0)).eval()


def test_finds_directions_that_were_planted_beside_other_squares_and_time() -> None:
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randint(4, (600,), generator=generator)
    # Square 1 mostly goes with square 0, and both are fuller in late boards.
    boards = torch.randint(3, (600, 2), generator=generator)
    boards[:, 1] = torch.where(torch.rand(600, generator=generator) < 0.7, boards[:, 0], boards[:, 1])
    boards[numbers == 0, 0] = 0
    owners = (boards == 2).float() - (boards == 1).float()
    planted, by_time = torch.randn(2, 5, generator=generator), torch.randn(4, 5, generator=generator)
    stream = owners / 2 @ planted + by_time[numbers] + 0.01 * torch.randn(600, 5, generator=generator)
    torch.testing.assert_close(board_directions(stream, boards, numbers), planted, atol=0.01, rtol=0)


def test_a_change_lands_in_its_place_alone() -> None:
    network = small()
    tokens = torch.randint(6, (3, 8), generator=torch.Generator().manual_seed(1))
    places = torch.tensor([0, 4, 7])
    change = torch.randn(3, 8, generator=torch.Generator().manual_seed(2))
    answers = intervene(network, tokens, "blocks.1", places, change)
    # After the last block there is only the unembedding, which is linear.
    rows = torch.arange(3)
    with torch.no_grad():
        expected = network(tokens)[rows, places] + change @ network.unembed
    torch.testing.assert_close(answers, expected, atol=1e-5, rtol=1e-5)
    assert not answers.requires_grad


def test_nothing_before_the_place_is_touched_and_hooks_are_gone() -> None:
    network, tokens = small(), torch.zeros(2, 8, dtype=torch.long)
    with torch.no_grad():
        before = network(tokens)
    found = intervene(network, tokens, "embed", torch.tensor([3, 3]), torch.zeros(2, 8))
    torch.testing.assert_close(found, before[:, 3])
    with torch.no_grad():
        torch.testing.assert_close(network(tokens), before)


def test_counts_squares_named_wrongly_and_squares_left_out() -> None:
    logits = torch.tensor([[3.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0]])
    legal = torch.tensor([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.bool)
    assert legal_errors(logits, legal).tolist() == [0, 2, 2]


def flips(network: Transformer, seed: int, games: int = 150) -> dict[str, Tensor]:
    """Errors against the edited board: as the network is, when edited, and by random edits of the same length."""
    generator = torch.Generator().manual_seed(seed)
    known, asked = random_games(400, 30, generator), random_games(games, 30, generator)
    with torch.no_grad():
        stream = record(network, as_tokens(known.moves), "blocks.1")["blocks.1"][:, 1:].flatten(0, 1)
    boards = mine_and_theirs(known)[:, 1:].flatten(0, 1)
    directions = board_directions(stream, boards, torch.arange(1, 30).repeat(400))
    rows, places = torch.arange(games), torch.randint(6, 30, (games,), generator=generator)
    edited = mine_and_theirs(asked)[rows, places]
    squares = torch.multinomial((edited > 0).float(), 1, generator=generator)[:, 0]
    mine = edited[rows, squares] == 1
    edited[rows, squares] = 3 - edited[rows, squares]
    legal, tokens = legal_moves(edited, 1), as_tokens(asked.moves)
    change = 2 * directions[squares] * torch.where(mine, 1.0, -1.0)[:, None]
    noise = torch.randn(change.shape, generator=generator)
    noise *= (change.norm(dim=1) / noise.norm(dim=1))[:, None]
    edits = {"none": 0 * change, "directions": change, "random": noise}
    return {
        name: legal_errors(intervene(network, tokens, "blocks.1", places, one), legal).double().mean()
        for name, one in edits.items()
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ripples_network_moves_as_the_edited_board_demands(seed: int) -> None:
    errors = flips(load_ripple(), seed)
    assert errors["directions"] < 0.6 * errors["none"]
    assert errors["random"] > 0.95 * errors["none"]


def test_refuses_what_does_not_fit() -> None:
    network, tokens = small(), torch.zeros(2, 8, dtype=torch.long)
    with refuses("places: shape (1,) is not (2,), one for each sequence"):
        intervene(network, tokens, "embed", torch.tensor([3]), torch.zeros(2, 8))
    with refuses("change: shape (8,) is not (2, width), a row for each sequence"):
        intervene(network, tokens, "embed", torch.tensor([3, 3]), torch.zeros(8))
    with refuses("places: from 3 to 8; there are positions 0 to 7"):
        intervene(network, tokens, "embed", torch.tensor([3, 8]), torch.zeros(2, 8))
