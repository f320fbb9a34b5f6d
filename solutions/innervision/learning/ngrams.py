"""The statistics that a language model is said to be: how often did this come after that?

An n-gram model looks at the last n - 1 tokens and at nothing else. It is the sceptic's baseline: what a network does
better, counts of neighbours do not explain.

Source: Shannon, "A mathematical theory of communication", 1948 (prediction from the last few letters); MacKay and Peto,
"A hierarchical Dirichlet language model", 1995 (long contexts lean on shorter ones).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def ngram_probability(
    tokens: Int[Tensor, " length"],
    contexts: Int[Tensor, "batch before"],
    vocabulary: int,
    strength: float = 1.0,
) -> Float[Tensor, "batch vocabulary"]:
    """The probability of each token after each context, counted in a text.

    What followed a context is counted. The counts are added to ``strength`` imagined ones, which are shared out as the
    context without its first token would have it, and so on down to no context, and from there to all tokens alike.
    So a context that was never seen says what its shorter end says.

    Args:
        tokens: The text that is counted.
        contexts: The tokens before; their number is n - 1, and 0 is allowed.
        vocabulary: How many different tokens there are.
        strength: Imagined counts, above 0. The more, the less a few sightings are believed.

    Returns:
        Each row sums to 1, and nothing is impossible.

    Raises:
        ValueError: Shapes do not fit, a token is outside the vocabulary, or ``strength`` is not above 0.

    Example:
        >>> text = torch.tensor([0, 1, 0, 1, 0, 0])
        >>> ngram_probability(text, torch.tensor([[1]]), vocabulary=2)  # after 1 came 0, twice
        tensor([[0.8810, 0.1190]])

    Source:
        MacKay and Peto, "A hierarchical Dirichlet language model", 1995.
    """
    check_text(tokens, contexts, vocabulary, strength)
    found = torch.full((len(contexts), vocabulary), 1 / vocabulary)
    for before in range(contexts.shape[1] + 1):
        counts = following_counts(tokens, contexts[:, contexts.shape[1] - before :], vocabulary)
        found = (counts + strength * found) / (counts.sum(dim=1, keepdim=True) + strength)
    return found


def following_counts(
    tokens: Int[Tensor, " length"], contexts: Int[Tensor, "batch before"], vocabulary: int
) -> Float[Tensor, "batch vocabulary"]:
    """How often each token follows each context in a text.

    Contexts are numbered, so that a long text is walked over once, whatever the number of contexts.
    """
    before = contexts.shape[1]
    if len(tokens) <= before:
        return torch.zeros(len(contexts), vocabulary)
    windows = tokens.unfold(0, before + 1, 1)
    if before == 0:
        return torch.bincount(tokens, minlength=vocabulary).float().expand(len(contexts), -1)
    asked, seen = numbered(contexts, windows[:, :-1], vocabulary)
    wanted, rows = asked.unique(return_inverse=True)
    place = torch.searchsorted(wanted, seen).clamp(max=len(wanted) - 1)
    hits = wanted[place] == seen
    counts = torch.bincount(place[hits] * vocabulary + windows[hits, -1], minlength=len(wanted) * vocabulary)
    return counts.view(len(wanted), vocabulary)[rows].float()


def numbered(
    contexts: Int[Tensor, "batch before"], others: Int[Tensor, "many before"], vocabulary: int
) -> tuple[Int[Tensor, " batch"], Int[Tensor, " many"]]:
    """A number for each context, the same for equal ones."""
    before = contexts.shape[1]
    if vocabulary**before < 2**63:  # then contexts are numbers to the base of the vocabulary; no sorting is needed
        places = vocabulary ** torch.arange(before)
        return (contexts * places).sum(dim=1), (others * places).sum(dim=1)
    _, numbers = torch.cat([contexts, others]).unique(dim=0, return_inverse=True)
    return numbers[: len(contexts)], numbers[len(contexts) :]


def ngram_loss(
    train: Int[Tensor, " length"],
    test: Int[Tensor, "batch position"],
    order: int,
    vocabulary: int,
    strength: float = 1.0,
) -> Float[Tensor, "batch later"]:
    """Surprise of an n-gram model at each token of some sequences, from the n-th on, in nats.

    Args:
        train: The text that is counted.
        test: Sequences, each at least n long.
        order: n: how many tokens are looked at together, at least 1.
        vocabulary: How many different tokens there are.
        strength: As ``ngram_probability``.

    Returns:
        ``(batch, position - n + 1)``: minus the logarithm of the probability of what came.

    Raises:
        ValueError: ``order`` is out of range, or as ``ngram_probability``.
    """
    if not 1 <= order <= test.shape[1]:
        raise ValueError(f"order: {order} is not from 1 to {test.shape[1]}, the length of the sequences")
    windows = test.unfold(1, order, 1)
    contexts, came = windows[..., :-1].flatten(0, 1), windows[..., -1].flatten()
    chances = ngram_probability(train, contexts, vocabulary, strength)
    return -chances.gather(1, came[:, None]).log().view(windows.shape[:2])


def check_text(tokens: Tensor, contexts: Tensor, vocabulary: int, strength: float) -> None:
    """Refuse what cannot be counted."""
    if tokens.ndim != 1:
        raise ValueError(f"tokens: shape {tuple(tokens.shape)} is not (length,), one text")
    if contexts.ndim != 2:
        raise ValueError(f"contexts: shape {tuple(contexts.shape)} is not (batch, before)")
    for name, values in (("tokens", tokens), ("contexts", contexts)):
        if values.numel() and not (values.min() >= 0 and values.max() < vocabulary):
            low, high = int(values.min()), int(values.max())
            raise ValueError(f"{name}: from {low} to {high}; the vocabulary has 0 to {vocabulary - 1}")
    if not strength > 0:
        raise ValueError(f"strength: {strength} is not above 0")
