"""How surprised a model is by what came: one number for networks and for tables of counts alike.

Source: Shannon, "A mathematical theory of communication", 1948.
"""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor


def cross_entropy(logits: Float[Tensor, "*batch vocabulary"], tokens: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Surprise of a network at each token that came: minus the logarithm of the probability it gave to it.

    Args:
        logits: What the network said of each token; probabilities are their softmax.
        tokens: What came, a token for each row of logits.

    Returns:
        In nats, from 0; one number for each token, no mean. Finite also where logits are thousands apart.

    Raises:
        ValueError: Shapes do not fit, or a token is outside the vocabulary.

    Example:
        >>> cross_entropy(torch.tensor([[0.0, 0.0], [0.0, 100.0]]), torch.tensor([0, 0]))
        tensor([  0.6931, 100.0000])

    Source:
        Shannon, "A mathematical theory of communication", 1948.
    """
    check_logits(logits, tokens)
    came = logits.gather(-1, tokens[..., None]).squeeze(-1)
    return logits.logsumexp(dim=-1) - came


def check_logits(logits: Tensor, tokens: Tensor) -> None:
    """Refuse tokens that the logits say nothing of."""
    if logits.shape[:-1] != tokens.shape:
        raise ValueError(f"tokens: shape {tuple(tokens.shape)} does not fit logits of shape {tuple(logits.shape)}")
    vocabulary = logits.shape[-1]
    if tokens.numel() and not (tokens.min() >= 0 and tokens.max() < vocabulary):
        low, high = int(tokens.min()), int(tokens.max())
        raise ValueError(f"tokens: from {low} to {high}; the vocabulary has 0 to {vocabulary - 1}")
