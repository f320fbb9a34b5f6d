"""Ripple, a small board game of ours: what is legal depends on a board that the list of moves does not show.

Two players, 5 × 5 squares, player 1 begins. At the start each holds two opposite corners. A move names a square that is
not yours and touches one of yours, side by side. The square becomes yours, and with it every square of the other
player that touches it. Players take turns until nobody cares to go on.

So an occupied square belongs to whoever last moved to it or beside it. How often each square was named does not say who
that was: the order does. A network that predicts legal moves needs something like the board.

Source: the question is that of Li et al., "Emergent world representations: exploring a sequence model trained on a
synthetic task", 2023, who used Othello. The rules are ours, made for a small network to learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Bool, Int, Int8
from torch import Tensor

SIDE = 5
SQUARES = SIDE * SIDE
EMPTY, FIRST, SECOND = 0, 1, 2

Boards = Int8[Tensor, "games squares"]
"""For each square 0 (empty), 1 or 2 (who holds it); squares row by row."""


@dataclass(frozen=True)
class Games:
    """Games that were played at random, move by move.

    Attributes:
        moves: Squares, ``(games, moves)``; player 1 makes the moves 0, 2, 4 and so on.
        boards: The board before each move, ``(games, moves, squares)``.
        legal: Which squares the player may name then, ``(games, moves, squares)``.
    """

    moves: Int[Tensor, "games moves"]
    boards: Int8[Tensor, "games moves squares"]
    legal: Bool[Tensor, "games moves squares"]


@cache
def neighbours() -> Bool[Tensor, "squares squares"]:
    """Which squares touch side by side."""
    rows, columns = torch.arange(SQUARES) // SIDE, torch.arange(SQUARES) % SIDE
    apart = (rows[:, None] - rows).abs() + (columns[:, None] - columns).abs()
    return apart == 1


def starting_boards(games: int) -> Boards:
    """Player 1 holds the upper left and the lower right corner, player 2 the other two."""
    boards = torch.zeros(games, SQUARES, dtype=torch.int8)
    boards[:, [0, SQUARES - 1]] = FIRST
    boards[:, [SIDE - 1, SQUARES - SIDE]] = SECOND
    return boards


def legal_moves(boards: Boards, player: int) -> Bool[Tensor, "games squares"]:
    """Squares that are not the player's and touch one that is.

    Args:
        boards: As they stand.
        player: 1 or 2.

    Raises:
        ValueError: There is no such player.
    """
    check_player(player)
    own = boards == player
    return (own.float() @ neighbours().float() > 0) & ~own


def play(boards: Boards, moves: Int[Tensor, " games"], player: int) -> Boards:
    """The boards after one move in each game; those given stay as they are.

    Args:
        boards: As they stand.
        moves: A square for each game.
        player: Who moves, 1 or 2.

    Raises:
        ValueError: There is no such player, or a move is not legal.
    """
    allowed = legal_moves(boards, player).gather(1, moves[:, None])[:, 0]
    if not allowed.all():
        game = int((~allowed).nonzero()[0])
        raise ValueError(f"moves: square {int(moves[game])} in game {game} is not legal for player {player}")
    turned = boards.masked_fill(neighbours()[moves] & (boards == 3 - player), player)
    return turned.scatter(1, moves[:, None], player)


def replay(moves: Int[Tensor, "games moves"]) -> Games:
    """The boards and legal moves along some games.

    Raises:
        ValueError: A move is not legal.
    """
    boards, seen, legal = starting_boards(len(moves)), [], []
    for number, chosen in enumerate(moves.unbind(dim=1)):
        player = FIRST + number % 2
        seen.append(boards)
        legal.append(legal_moves(boards, player))
        boards = play(boards, chosen, player)
    return Games(moves, torch.stack(seen, dim=1), torch.stack(legal, dim=1))


def random_games(games: int, moves: int, generator: torch.Generator, greed: float = 0.0) -> Games:
    """Games in which every legal move is equally likely, or moves that turn many squares are likelier.

    A player who has been left without a square could not go on. That is rare (two of ten thousand games of 30 moves),
    and such a game is played anew.

    Args:
        games: How many, ≥ 1.
        moves: In each game, ≥ 1.
        generator: Chooses the moves.
        greed: A legal move that turns n squares is exp(``greed`` · n) times as likely as one that turns none.

    Raises:
        ValueError: A number is below 1.
    """
    for name, value in (("games", games), ("moves", moves)):
        if value < 1:
            raise ValueError(f"{name}: {value} is below 1")
    played = _attempt(games, moves, generator, greed)
    while (stuck := (played < 0).any(dim=1)).any():
        played[stuck] = _attempt(int(stuck.sum()), moves, generator, greed)
    return replay(played)


def _attempt(games: int, moves: int, generator: torch.Generator, greed: float) -> Int[Tensor, "games moves"]:
    """Moves of random games; -1 from where a player had none."""
    boards, made = starting_boards(games), []
    for number in range(moves):
        player = FIRST + number % 2
        legal = legal_moves(boards, player)
        going = legal.any(dim=1)
        turned = (boards == 3 - player).float() @ neighbours().float()
        chances = legal * (greed * turned).exp()
        chances[~going] = 1
        chosen = torch.multinomial(chances, 1, generator=generator)[:, 0].where(going, -1)
        made.append(chosen)
        boards[going] = play(boards[going], chosen[going], player)
    return torch.stack(made, dim=1)


def mine_and_theirs(games: Games) -> Int8[Tensor, "games moves squares"]:
    """The board as whoever is to move sees it: 0 empty, 1 mine, 2 the other's."""
    turns = torch.arange(games.moves.shape[1]) % 2 == 1
    turned = torch.tensor([EMPTY, SECOND, FIRST], dtype=torch.int8)[games.boards.long()]
    return torch.where(turns[:, None], turned, games.boards)


def check_player(player: int) -> None:
    """Refuse anybody but the two."""
    if player not in (FIRST, SECOND):
        raise ValueError(f"player: {player} is neither 1 nor 2")
