"""Is a board written in the stream of a network that never saw one? Probes, and what a probe alone would have found.

A probe that reads something off a network proves little: a good learner reads much off anything. So the same probe is
given a task of the same shape in which there is nothing to know. What it does better at the real task is selective.

Source: Li et al., "Emergent world representations: exploring a sequence model trained on a synthetic task", 2023
(probes for a board); Nanda, Lee, Wattenberg, "Emergent linear representations in world models of self-supervised
sequence models", 2023 (mine and theirs, linear probes); Hewitt and Liang, "Designing and interpreting probes with
control tasks", 2019 (control tasks, selectivity).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import einsum
from jaxtyping import Bool, Float, Int, Int8
from torch import Tensor

STATES = 3
"""Of a square: 0 empty, 1 mine, 2 the other's, as ``mine_and_theirs`` has them."""

RIDGE = 1e-3
"""Keeps a probe's weights small. Of Ripple's network, any value from 1e-5 to 1e-2 reads as many squares rightly, within
a thousandth."""


def board_probe(
    stream: Float[Tensor, "samples width"], boards: Int[Tensor, "samples squares"], ridge: float = RIDGE
) -> Float[Tensor, "inputs squares states"]:
    """Linear probes of all squares at once: least squares with a penalty on large weights, solved in one step.

    Each sample's input is its stream with a 1 appended. The targets are 1 for the state that a square is in, and 0 for
    its other two. Smallest shall be: squared errors, their mean over samples, plus ``ridge`` times all squared weights.

    Args:
        stream: A layer's activation, a row for each sample.
        boards: States 0, 1, 2 of each square, a row for each sample.
        ridge: Above 0.

    Returns:
        Weights, ``(width + 1, squares, 3)``; the last row belongs to the 1.

    Raises:
        ValueError: Shapes do not fit, a state is none of 0, 1, 2, or ``ridge`` is not above 0.

    Example:
        >>> board_probe(torch.tensor([[-1.0], [1.0]]), torch.tensor([[1], [2]]), ridge=1e-6)  # empty, mine, theirs
        tensor([[[ 0.0000, -0.5000,  0.5000]],
        <BLANKLINE>
                [[ 0.0000,  0.5000,  0.5000]]])
    """
    check_samples(stream, boards, ridge)
    inputs = F.pad(stream, (0, 1), value=1).double()
    targets = F.one_hot(boards.long(), STATES).flatten(1).double()
    penalty = ridge * len(stream) * torch.eye(inputs.shape[1])
    weights = torch.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ targets)
    return weights.float().unflatten(1, (-1, STATES))


def read_board(
    probe: Float[Tensor, "inputs squares states"], stream: Float[Tensor, "samples width"]
) -> Int8[Tensor, "samples squares"]:
    """The board that a probe reads off each sample: of each square the state with the largest answer.

    Args:
        probe: As ``board_probe`` makes it.
        stream: Activations of the layer that the probe is for.
    """
    answers = einsum(F.pad(stream, (0, 1), value=1), probe, "sample input, input square state -> sample square state")
    return answers.argmax(dim=-1).to(torch.int8)


def probe_accuracy(
    stream: Float[Tensor, "samples width"], boards: Int[Tensor, "samples squares"], trained: Bool[Tensor, " samples"]
) -> float:
    """The share of squares that a probe reads rightly on samples that it was not fitted to.

    Args:
        stream: A layer's activation, a row for each sample.
        boards: States of each square.
        trained: Which samples the probe is fitted to.
    """
    probe = board_probe(stream[trained], boards[trained])
    return float((read_board(probe, stream[~trained]) == boards[~trained]).double().mean())


def control_task(
    keys: Int[Tensor, "samples parts"], boards: Int8[Tensor, "samples squares"], generator: torch.Generator
) -> Int8[Tensor, "samples squares"]:
    """Boards that mean nothing: each different key is dealt the board of some sample, whichever that is.

    Who knows the key could look the board up; nothing else could be known of it. Boards and states are about as
    frequent as they were.

    Args:
        keys: What decides the board of a sample, a row for each: for example the last two tokens.
        boards: The real ones. Each key gets one of these, every sample's board being as likely.
        generator: Deals them.

    Returns:
        A board for each sample; samples with equal keys have equal boards.

    Raises:
        ValueError: Keys and boards are not as many.

    Example:
        >>> boards = torch.tensor([[0], [1], [2], [1]], dtype=torch.int8)
        >>> dealt = control_task(torch.tensor([[7], [3], [7], [7]]), boards, torch.Generator())
        >>> bool(dealt[0] == dealt[2] == dealt[3])
        True

    Source:
        Hewitt and Liang, "Designing and interpreting probes with control tasks", 2019, section 2: there the keys are
        words.
    """
    check_keys(keys, boards)
    different, key_of = keys.unique(dim=0, return_inverse=True)
    dealt = torch.randint(len(boards), (len(different),), generator=generator)
    return boards[dealt][key_of]


def selectivity(
    stream: Float[Tensor, "samples width"],
    boards: Int[Tensor, "samples squares"],
    controls: Int[Tensor, "samples squares"],
    trained: Bool[Tensor, " samples"],
) -> float:
    """How much better a probe reads the boards than it reads a control task, off the same stream.

    Args:
        stream: A layer's activation, a row for each sample.
        boards: What is asked for.
        controls: The control task, of the same shape.
        trained: Which samples probes are fitted to; they are measured on the others.

    Returns:
        Share of boards' squares read rightly minus that of the controls' squares, from -1 to 1. For either task a probe
        of its own is fitted.

    Example:
        >>> stream, boards = torch.tensor([[-1.0], [1.0], [-1.0], [1.0]]), torch.tensor([[1], [2], [1], [2]])
        >>> controls, trained = torch.tensor([[1], [1], [2], [2]]), torch.tensor([True, True, False, False])
        >>> selectivity(stream, boards, controls, trained)  # all right, minus none right
        1.0

    Source:
        Hewitt and Liang, "Designing and interpreting probes with control tasks", 2019, section 3.
    """
    return probe_accuracy(stream, boards, trained) - probe_accuracy(stream, controls, trained)


def check_samples(stream: Tensor, boards: Tensor, ridge: float = RIDGE) -> None:
    """Refuse samples to which no probe can be fitted."""
    if stream.ndim != 2 or boards.ndim != 2 or len(stream) != len(boards):
        raise ValueError(f"boards: shape {tuple(boards.shape)} does not fit a stream of shape {tuple(stream.shape)}")
    if boards.numel() and not (boards.min() >= 0 and boards.max() < STATES):
        raise ValueError(f"boards: from {int(boards.min())} to {int(boards.max())}; a state is 0, 1 or 2")
    if not ridge > 0:
        raise ValueError(f"ridge: {ridge} is not above 0")


def check_keys(keys: Tensor, boards: Tensor) -> None:
    """Refuse keys that are not one for each board."""
    if keys.ndim != 2 or len(keys) != len(boards):
        raise ValueError(f"keys: shape {tuple(keys.shape)} is not ({len(boards)}, parts), a row for each board")
