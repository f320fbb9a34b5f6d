"""Ripple: a second player of plain loops agrees, and the order of moves matters."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.learning.board_game import (
    SIDE,
    SQUARES,
    legal_moves,
    mine_and_theirs,
    neighbours,
    play,
    random_games,
    replay,
    starting_boards,
)


def beside(square: int) -> list[int]:
    row, column = divmod(square, SIDE)
    around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
    return [SIDE * r + c for r, c in around if 0 <= r < SIDE and 0 <= c < SIDE]


def by_loops(moves: list[int]) -> tuple[list[list[int]], list[set[int]]]:
    """Boards before each move, and legal squares, for one game."""
    board, boards, legal = [0] * SQUARES, [], []
    board[0] = board[24] = 1
    board[4] = board[20] = 2
    for number, move in enumerate(moves):
        me, other = (1, 2) if number % 2 == 0 else (2, 1)
        boards.append(list(board))
        legal.append({s for s in range(SQUARES) if board[s] != me and any(board[n] == me for n in beside(s))})
        for square in beside(move):
            if board[square] == other:
                board[square] = me
        board[move] = me
    return boards, legal


def test_neighbours_touch_side_by_side() -> None:
    assert [set(row.nonzero()[:, 0].tolist()) for row in neighbours()] == [set(beside(s)) for s in range(SQUARES)]


def test_games_agree_with_plain_loops_move_by_move() -> None:
    games = random_games(20, 30, torch.Generator().manual_seed(0))
    for game in range(20):
        boards, legal = by_loops(games.moves[game].tolist())
        assert games.boards[game].tolist() == boards
        assert [set(row.nonzero()[:, 0].tolist()) for row in games.legal[game]] == legal


def test_every_move_is_legal_and_every_legal_move_is_as_likely() -> None:
    games = random_games(4000, 3, torch.Generator().manual_seed(1))
    assert bool(games.legal.gather(2, games.moves[..., None]).all())
    first = torch.bincount(games.moves[:, 0], minlength=SQUARES)
    assert first.nonzero()[:, 0].tolist() == [1, 5, 19, 23]
    # Binomial with 4,000 draws and a chance of 1/4: standard deviation 27.
    assert int((first[[1, 5, 19, 23]] - 1000).abs().max()) < 5 * 27


def test_nobody_is_left_without_a_move() -> None:
    games = random_games(3000, 30, torch.Generator().manual_seed(2))
    assert bool(games.legal.any(dim=2).all())


def test_an_occupied_square_belongs_to_whoever_last_moved_to_it_or_beside_it() -> None:
    games = random_games(50, 30, torch.Generator().manual_seed(3))
    close = neighbours() | torch.eye(SQUARES, dtype=torch.bool)
    for game in range(50):
        moves = games.moves[game].tolist()
        for square in range(SQUARES):
            last = [1 + number % 2 for number, move in enumerate(moves[:-1]) if bool(close[square, move])]
            holder = int(games.boards[game, -1, square])
            if holder and last:
                assert holder == last[-1]


def test_the_same_moves_in_another_order_make_another_board() -> None:
    """So no count of who named which square how often can know the board."""
    games = random_games(4000, 7, torch.Generator().manual_seed(4))
    mine, theirs = games.moves[:, 0:6:2].sort(dim=1).values, games.moves[:, 1:6:2].sort(dim=1).values
    bags: dict[tuple, set[tuple]] = {}
    for bag, board in zip(torch.cat([mine, theirs], dim=1).tolist(), games.boards[:, 6].tolist(), strict=True):
        bags.setdefault(tuple(bag), set()).add(tuple(board))
    assert sum(len(boards) > 1 for boards in bags.values()) >= 20


def test_the_board_as_whoever_moves_sees_it() -> None:
    games = random_games(10, 6, torch.Generator().manual_seed(5))
    seen = mine_and_theirs(games)
    assert torch.equal(seen[:, 0::2], games.boards[:, 0::2])
    assert torch.equal(seen[:, 1::2] == 1, games.boards[:, 1::2] == 2)
    assert torch.equal(seen == 0, games.boards == 0)


def test_playing_leaves_the_boards_given_as_they_are() -> None:
    before = starting_boards(2)
    after = play(before, torch.tensor([1, 5]), 1)
    assert torch.equal(before, starting_boards(2))
    assert not torch.equal(after, before)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: legal_moves(starting_boards(1), 3), "player: 3 is neither 1 nor 2"),
        (
            lambda: play(starting_boards(2), torch.tensor([1, 0]), 1),
            "moves: square 0 in game 1 is not legal for player 1",
        ),
        (lambda: replay(torch.tensor([[1, 12]])), "moves: square 12 in game 0 is not legal for player 2"),
        (lambda: random_games(0, 3, torch.Generator()), "games: 0 is below 1"),
        (lambda: random_games(3, 0, torch.Generator()), "moves: 0 is below 1"),
    ],
)
def test_refusals(call, sentence: str) -> None:
    with refuses(sentence):
        call()


def test_greedy_players_turn_more_squares() -> None:
    def turned(greed: float) -> float:
        games = random_games(300, 20, torch.Generator().manual_seed(0), greed=greed)
        seats = torch.arange(20)[:-1, None] % 2  # who moves: 0 the first, 1 the second
        theirs_before = games.boards[:, :-1] == 2 - seats
        return float((theirs_before & (games.boards[:, 1:] == 1 + seats)).float().sum(dim=2).mean())

    assert turned(-2.0) < turned(0.0) < turned(2.0)
