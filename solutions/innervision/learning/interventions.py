"""Does a network use the board that can be read off it? Edit the believed board, and see whether its moves follow.

Reading and writing are two things. A probe is the direction along which a square can be *read*, with everything else
cancelled out. What the stream *holds* when a square changes hands is another direction, and that is what to add.

Source: Li et al., "Emergent world representations: exploring a sequence model trained on a synthetic task", 2023 (edit
the board inside, count wrong moves); Nanda, Lee, Wattenberg, "Emergent linear representations in world models of
self-supervised sequence models", 2023 (add a direction); Haufe et al., "On the interpretation of weight vectors of
linear models in multivariate neuroimaging", 2014 (filters read, patterns are what is written).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from innervision.activations import edit
from innervision.learning.board_probes import check_samples


def board_directions(
    stream: Float[Tensor, "samples width"],
    boards: Int[Tensor, "samples squares"],
    numbers: Int[Tensor, " samples"],
) -> Float[Tensor, "squares width"]:
    """What the stream holds more when a square is theirs rather than mine, all else being the same.

    A probe foretells the board from the stream. Here it is the other way round: the stream is foretold, by least
    squares, from the board. Each square is a column, +½ where it is theirs, -½ where it is mine, 0 where it is empty;
    and each number of a move is a column of zeros and ones, since late boards are full and late streams are different.

    Args:
        stream: A layer's activation, a row for each sample.
        boards: States of each square: 0 empty, 1 mine, 2 theirs.
        numbers: The number of the move at each sample, from 0.

    Returns:
        For each square the vector that belongs to its column: add it to turn mine into theirs, subtract it to turn
        theirs into mine.

    Raises:
        ValueError: Shapes do not fit, or a state is none of 0, 1, 2.

    Example:
        >>> stream, boards = torch.tensor([[0.0, 4.0], [1.0, 6.0], [9.0, 9.0]]), torch.tensor([[1], [2], [0]])
        >>> board_directions(stream, boards, torch.tensor([0, 0, 1]))
        tensor([[1., 2.]])

    Source:
        Haufe et al., "On the interpretation of weight vectors of linear models in multivariate neuroimaging", 2014.
    """
    check_samples(stream, boards)
    owners = ((boards == 2).double() - (boards == 1).double()) / 2
    columns = torch.cat([owners, F.one_hot(numbers)], dim=1)
    return torch.linalg.lstsq(columns, stream.double()).solution[: boards.shape[1]].float()


def intervene(
    network: nn.Module,
    tokens: Int[Tensor, "batch position"],
    layer: str,
    places: Int[Tensor, " batch"],
    change: Float[Tensor, "batch width"],
) -> Float[Tensor, "batch answers"]:
    """What a network answers at one place of each sequence, when its stream was changed there.

    Args:
        network: Takes tokens, answers ``(batch, position, answers)``.
        tokens: The sequences.
        layer: Where to change, for example ``"blocks.1"``; its activation is ``(batch, position, width)``.
        places: The position in each sequence that is changed, and whose answer is asked. All others stay.
        change: Is added to the activation there, a row for each sequence.

    Returns:
        Logits at these places, without gradients. The network itself stays as it was.

    Raises:
        ValueError: There is no such layer; or places or changes are not one for each sequence.

    Example:
        >>> network = nn.Sequential(nn.Embedding.from_pretrained(torch.eye(3)), nn.Identity())  # layers "0" and "1"
        >>> intervene(network, torch.tensor([[0, 1]]), "0", torch.tensor([1]), torch.tensor([[0.0, 0.0, 5.0]]))
        tensor([[0., 1., 5.]])
    """
    check_changes(tokens, places, change)
    rows = torch.arange(len(tokens))

    def changed(stream: Tensor) -> Tensor:
        return stream.index_put((rows, places), change, accumulate=True)

    with torch.no_grad(), edit(network, {layer: changed}):
        answers: Tensor = network(tokens)[rows, places]
    return answers


def legal_errors(logits: Float[Tensor, "batch squares"], legal: Bool[Tensor, "batch squares"]) -> Int[Tensor, " batch"]:
    """How many squares a network has wrong, if it may name as many as are legal.

    Its likeliest squares are taken, as many as there are legal ones. Counted are those of them that are not legal, and
    the legal ones that are not among them.

    Args:
        logits: For each square.
        legal: Which squares may be named.

    Returns:
        Even numbers, from 0.

    Source:
        Li et al., "Emergent world representations", 2023, section 4.2: false positives plus false negatives.
    """
    ranks = logits.argsort(dim=1, descending=True).argsort(dim=1)
    named = ranks < legal.sum(dim=1, keepdim=True)
    return (named != legal).sum(dim=1)


def check_changes(tokens: Tensor, places: Tensor, change: Tensor) -> None:
    """Refuse changes and places that are not one for each sequence."""
    if places.shape != (len(tokens),):
        raise ValueError(f"places: shape {tuple(places.shape)} is not ({len(tokens)},), one for each sequence")
    if change.ndim != 2 or len(change) != len(tokens):
        raise ValueError(f"change: shape {tuple(change.shape)} is not ({len(tokens)}, width), a row for each sequence")
    if len(places) and not (places.min() >= 0 and places.max() < tokens.shape[1]):
        low, high = int(places.min()), int(places.max())
        raise ValueError(f"places: from {low} to {high}; there are positions 0 to {tokens.shape[1] - 1}")
