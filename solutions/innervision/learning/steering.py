"""Turn something up inside a language model, and measure what that does, and what else it does.

Source: Turner et al., "Steering language models with activation engineering", 2023 (add a difference of activations to
the stream); Rimsky et al., "Steering Llama 2 via contrastive activation addition", 2024 (means over many examples).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from innervision.activations import edit, record


def steering_vector(
    network: nn.Module,
    towards: Int[Tensor, "some position"],
    away: Int[Tensor, "others position2"],
    layer: str,
) -> Float[Tensor, " width"]:
    """The way from one kind of text to another inside a network: difference of the mean activations.

    Args:
        network: Takes tokens.
        towards: Sequences of the kind to steer to.
        away: Sequences to compare them with; they may be more, or of another length.
        layer: For example ``"blocks.0"``; its activation is ``(batch, position, width)``.

    Returns:
        Mean activation over all sequences and positions of ``towards``, minus that of ``away``; without gradients.

    Raises:
        ValueError: There is no such layer.

    Example:
        >>> network = nn.Sequential(nn.Embedding.from_pretrained(torch.eye(3)), nn.Identity())  # layers "0" and "1"
        >>> steering_vector(network, torch.tensor([[0, 1]]), torch.tensor([[2], [2]]), "0")
        tensor([ 0.5000,  0.5000, -1.0000])

    Source:
        Rimsky et al., "Steering Llama 2 via contrastive activation addition", 2024.
    """
    with torch.no_grad():
        ends = [record(network, tokens, layer)[layer].mean(dim=(0, 1)) for tokens in (towards, away)]
    return ends[0] - ends[1]


def dose_response(
    network: nn.Module,
    tokens: Int[Tensor, "batch position"],
    layer: str,
    vector: Float[Tensor, " width"],
    doses: Sequence[float],
    measure: Callable[[Float[Tensor, "batch position answers"]], Tensor],
) -> Float[Tensor, " doses"]:
    """A measure of what a network answers, as more and more of a vector is added inside.

    Args:
        network: Takes tokens, answers ``(batch, position, answers)``.
        tokens: The sequences it reads.
        layer: Where the vector is added, at every position.
        vector: Its direction and unit: a dose of 1 adds it once, a dose of -1 subtracts it.
        doses: At least one. With 0 the network is as it was.
        measure: Makes one number of the logits, for example the mean probability of some words.

    Returns:
        One number for each dose, without gradients. The network itself stays as it was.

    Raises:
        ValueError: There is no such layer, or no dose.

    Example:
        >>> network = nn.Sequential(nn.Embedding.from_pretrained(torch.eye(2)), nn.Identity())  # layers "0" and "1"
        >>> vector, tokens = torch.tensor([0.0, 1.0]), torch.tensor([[0, 0, 1]])
        >>> dose_response(network, tokens, "0", vector, [0.0, 2.0], lambda logits: logits[..., 1].sum())
        tensor([1., 7.])
    """
    check_doses(doses)

    def response(dose: float) -> Tensor:
        with torch.no_grad(), edit(network, {layer: lambda stream: stream + dose * vector}):
            return measure(network(tokens))

    return torch.stack([response(dose) for dose in doses])


def check_doses(doses: Sequence[float]) -> None:
    """Refuse an empty list."""
    if not len(doses):
        raise ValueError("doses: is empty; give at least one")
