"""Twins differ in nothing that a count could see; another board follows the same rule."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.learning.board_controls import bag_of_moves, other_boards, twin_games
from innervision.learning.board_game import mine_and_theirs, random_games, replay


def made_by(moves: Tensor, player: int) -> list[list[int]]:
    return [sorted(game[player::2]) for game in moves[:, :-1].tolist()]


@pytest.mark.parametrize("kept", [0, 4])
def test_twins_made_the_same_moves_in_another_order(kept: int) -> None:
    games, twins = twin_games(3000, 16, torch.Generator().manual_seed(0), kept=kept)
    assert len(games.moves) == len(twins.moves) > 30
    for player in (0, 1):
        assert made_by(games.moves, player) == made_by(twins.moves, player)
    assert bool((games.moves[:, :-1] != twins.moves[:, :-1]).any(dim=1).all())
    last = slice(15 - kept, 15)
    assert games.moves[:, last].tolist() == twins.moves[:, last].tolist()
    assert bool((games.legal[:, -1] != twins.legal[:, -1]).any(dim=1).all())


def test_twins_are_legal_games_with_their_boards() -> None:
    for games in twin_games(1000, 16, torch.Generator().manual_seed(1)):
        again = replay(games.moves)  # refuses a move that is not legal
        assert torch.equal(again.boards, games.boards)
        assert torch.equal(again.legal, games.legal)


def test_in_its_own_layout_the_other_board_is_the_board() -> None:
    games = random_games(50, 20, torch.Generator().manual_seed(0))
    assert torch.equal(other_boards(games.moves, torch.arange(25)), mine_and_theirs(games))


def test_another_layout_changes_what_a_move_turns_and_not_what_it_takes() -> None:
    games = random_games(200, 20, torch.Generator().manual_seed(0))
    layout = torch.randperm(25, generator=torch.Generator().manual_seed(1))
    other, own = other_boards(games.moves, layout), mine_and_theirs(games)
    after_move = other[:, 1:].gather(2, games.moves[:, :-1, None])
    assert bool((after_move == 2).all()), "who moved there holds it, and the other is next"
    assert 0.05 < float((other != own).float().mean()) < 0.5


def test_a_bag_counts_who_named_what_and_shows_the_last_move() -> None:
    bag = bag_of_moves(torch.tensor([[1, 3, 1, 3]]))[0].unflatten(1, (5, 25))  # mine, theirs, whether, whether, last
    assert bag[0].count_nonzero() == 0
    # Before move 3 the second player is to move: 3 was named once by her, 1 twice by the other, who named it last.
    assert {tuple(place): float(bag[3][tuple(place)]) for place in bag[3].nonzero().tolist()} == {
        (0, 3): 1.0,
        (1, 1): 2.0,
        (2, 3): 1.0,
        (3, 1): 1.0,
        (4, 1): 1.0,
    }


def test_bags_of_twins_are_the_same() -> None:
    games, twins = twin_games(1000, 16, torch.Generator().manual_seed(2))
    assert torch.equal(bag_of_moves(games.moves)[:, -1], bag_of_moves(twins.moves)[:, -1])


def test_refuses_games_that_are_too_short() -> None:
    with refuses("moves: 7 is not above kept + 3 = 7"):
        twin_games(10, 7, torch.Generator())
