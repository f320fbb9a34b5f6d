"""Games that ask what a network knows of a board: twins that only the order of moves tells apart, and another board.

Whoever counts moves sees no difference between twins: each player made the same moves, and the last ones are the same
too. Only who knows how they changed the board can tell which moves are legal.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int8
from torch import Tensor

from innervision.learning.board_game import (
    FIRST,
    SQUARES,
    Games,
    legal_moves,
    mine_and_theirs,
    neighbours,
    random_games,
    replay,
    starting_boards,
)


def twin_games(games: int, moves: int, generator: torch.Generator, kept: int = 4) -> tuple[Games, Games]:
    """Pairs of games that no count of moves can tell apart, yet at their ends different moves are legal.

    In a random game two moves of one player change places, neither of them among the last ``kept``. Pairs are kept
    where all moves stay legal, and where other squares are legal before the last move.

    Args:
        games: How many pairs at most are looked for, ≥ 1.
        moves: Moves of a game, more than ``kept`` + 3.
        generator: Plays the games and chooses the moves that are exchanged.
        kept: How many moves before the last one are the same at the same place, ≥ 0.

    Returns:
        The games as they were played, and their twins, in the same order. Of 4,000 games of 30 moves about a hundred
        have such a twin.

    Raises:
        ValueError: A number is out of range.
    """
    if kept < 0 or moves <= kept + 3:
        raise ValueError(f"moves: {moves} is not above kept + 3 = {kept + 3}")
    drawn = random_games(games, moves, generator)
    free = moves - 1 - kept  # the last move is only asked for: nothing comes after it
    first = torch.randint(free - 2, (games,), generator=generator)
    most = (free - 1 - first) // 2  # exchange with a later move of the same player
    second = first + 2 * (1 + (torch.rand(games, generator=generator) * most).long())
    swapped, rows = drawn.moves.clone(), torch.arange(games)
    swapped[rows, first], swapped[rows, second] = drawn.moves[rows, second], drawn.moves[rows, first]
    ends = legal_before(swapped)
    good = ends.any(dim=1) & (ends != drawn.legal[:, -1]).any(dim=1)
    # The last move itself is never made here, so that it need not be legal in both.
    swapped[:, -1] = torch.where(good, ends.byte().argmax(dim=1), swapped[:, -1])
    return Games(drawn.moves[good], drawn.boards[good], drawn.legal[good]), replay(swapped[good])


def bag_of_moves(moves: Int[Tensor, "games moves"]) -> Float[Tensor, "games moves features"]:
    """What can be known before each move by whoever counts, and sees no order but the last move.

    Args:
        moves: Squares.

    Returns:
        For each square: how often it was named by whoever is to move, how often by the other, whether it was at all
        (by either), and whether it was the last one named; 5 × 25 features.
    """
    named = F.one_hot(moves, SQUARES).float()
    seats = (torch.arange(moves.shape[1]) % 2)[:, None]  # 0 moves first
    counts = [F.pad((named * (seats == seat)).cumsum(dim=1)[:, :-1], (0, 0, 1, 0)) for seat in (0, 1)]
    mine, theirs = torch.where(seats == 0, counts[0], counts[1]), torch.where(seats == 0, counts[1], counts[0])
    last = F.pad(named[:, :-1], (0, 0, 1, 0))
    return torch.cat([mine, theirs, (mine > 0).float(), (theirs > 0).float(), last], dim=-1)


def legal_before(moves: Int[Tensor, "games moves"]) -> Tensor:
    """What is legal before the last move of each game; nothing, where a move before was not legal."""
    boards, fair = starting_boards(len(moves)), torch.ones(len(moves), dtype=torch.bool)
    for number, chosen in enumerate(moves[:, :-1].unbind(dim=1)):
        player = FIRST + number % 2
        fair &= legal_moves(boards, player).gather(1, chosen[:, None])[:, 0]
        boards = after(boards, chosen, player)
    return legal_moves(boards, FIRST + (moves.shape[1] - 1) % 2) & fair[:, None]


def other_boards(
    moves: Int[Tensor, "games moves"], layout: Int[Tensor, " squares"]
) -> Int8[Tensor, "games moves squares"]:
    """The board of another game, played with the same moves: the rule is Ripple's, but other squares touch.

    A control task for probes. Its boards follow from the moves as the real ones do, by the same rule; only, nothing in
    the network has ever depended on them.

    Args:
        moves: Of games of Ripple. Whether they are legal in the other game is not asked.
        layout: A permutation of the squares: squares a and b touch, if ``layout[a]`` and ``layout[b]`` do in Ripple.

    Returns:
        As ``mine_and_theirs``: the board before each move, 0 empty, 1 mine, 2 the other's.
    """
    touching = neighbours()[layout][:, layout]
    boards, seen = starting_boards(len(moves)), []
    for number, chosen in enumerate(moves.unbind(dim=1)):
        seen.append(boards)
        boards = after(boards, chosen, FIRST + number % 2, touching)
    legal = torch.zeros(*moves.shape, SQUARES, dtype=torch.bool)
    return mine_and_theirs(Games(moves, torch.stack(seen, dim=1), legal))


def after(
    boards: Int8[Tensor, "games squares"],
    chosen: Int[Tensor, " games"],
    player: int,
    touching: Tensor | None = None,
) -> Int8[Tensor, "games squares"]:
    """The boards after one move, legal or not."""
    touching = neighbours() if touching is None else touching
    turned = boards.masked_fill(touching[chosen] & (boards == 3 - player), player)
    return turned.scatter(1, chosen[:, None], player)
