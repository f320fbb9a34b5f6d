"""Words as vectors, made of nothing but which words stand near each other.

Source: Firth, "A synopsis of linguistic theory", 1957 (a word is known by the company it keeps); Levy and Goldberg,
"Neural word embedding as implicit matrix factorization", 2014 (learned word vectors factor such a table); Levy,
Goldberg and Dagan, "Improving distributional similarity with lessons learned from word embeddings", 2015 (positive
values only, the root of the singular values).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def neighbour_counts(
    tokens: Int[Tensor, " length"], vocabulary: int, window: int
) -> Float[Tensor, "vocabulary vocabulary"]:
    """How often two words stand near each other, whichever comes first.

    Args:
        tokens: A text, one number for each word.
        vocabulary: How many different words there are.
        window: How many places apart they may stand, ≥ 1.

    Returns:
        Symmetric; a word next to itself counts twice, once from each side.

    Raises:
        ValueError: The window is below 1, or a token is outside the vocabulary.
    """
    if window < 1:
        raise ValueError(f"window: {window} is below 1")
    if tokens.numel() and not (tokens.min() >= 0 and tokens.max() < vocabulary):
        low, high = int(tokens.min()), int(tokens.max())
        raise ValueError(f"tokens: from {low} to {high}; the vocabulary has 0 to {vocabulary - 1}")
    counts = torch.zeros(vocabulary * vocabulary)
    for apart in range(1, min(window, len(tokens) - 1) + 1):
        pairs = tokens[:-apart] * vocabulary + tokens[apart:]
        counts += torch.bincount(pairs, minlength=vocabulary * vocabulary)
    counts = counts.view(vocabulary, vocabulary)
    return counts + counts.T


def pmi_vectors(counts: Float[Tensor, "words words"], width: int) -> Float[Tensor, "words width"]:
    """A vector for each word, so that words with the same neighbours get similar vectors.

    The pointwise mutual information of two words is log p(a, b) / (p(a) p(b)), in nats: how much more often they stand
    together than chance would have it. Negative values, and those of pairs never seen, count as 0. The table is then
    written with fewer columns: its first left singular vectors, each times the root of its singular value.

    Args:
        counts: How often two words stand together, as ``neighbour_counts``; each word at least once.
        width: Numbers of a vector, from 1 to the number of words.

    Returns:
        The signs of whole columns are free.

    Raises:
        ValueError: The width is out of range, or a word has no neighbours.

    Example:
        >>> vectors = pmi_vectors(torch.tensor([[4.0, 0.0], [0.0, 4.0]]), width=2)  # each stands beside itself only
        >>> vectors @ vectors.T  # twice as often as by chance: log 2
        tensor([[0.6931, 0.0000],
                [0.0000, 0.6931]])

    Source:
        Levy and Goldberg, 2014; Levy, Goldberg and Dagan, "Improving distributional similarity with lessons learned
        from word embeddings", 2015, section 3.
    """
    check_counts(counts, width)
    together = counts / counts.sum()
    alone = together.sum(dim=1)
    information = (together / torch.outer(alone, alone)).log().clamp(min=0)
    left, strengths, _ = torch.linalg.svd(information)
    return left[:, :width] * strengths[:width].sqrt()


def analogy(vectors: Float[Tensor, "words width"], a: int, b: int, c: int, count: int = 1) -> list[int]:
    """A is to b as c is to which word? The words nearest to b - a + c.

    All vectors are first made one long. Then the words are compared with that sum by the cosine of the angle, the
    nearest first. The three words of the question are never answers.

    Args:
        vectors: One for each word.
        a: Number of a word, as ``b`` and ``c``.
        b: What a leads to.
        c: What the answer comes from.
        count: How many answers, at least 1.

    Example:
        >>> vectors = torch.tensor([[1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1], [1, 1, 0]]).float()
        >>> analogy(vectors, 0, 1, 2)  # from 0 to 1 the last number changes its sign
        [3]

    Source:
        Mikolov, Yih and Zweig, "Linguistic regularities in continuous space word representations", 2013.
    """
    units = F.normalize(vectors, dim=1)
    nearness = units @ (units[b] - units[a] + units[c])  # the order is that of the cosines
    nearness[[a, b, c]] = -torch.inf
    return nearness.topk(count).indices.tolist()


def check_counts(counts: Tensor, width: int) -> None:
    """Refuse what no vectors can be made of."""
    words = len(counts)
    if counts.shape != (words, words):
        raise ValueError(f"counts: shape {tuple(counts.shape)} is not (words, words)")
    if not 1 <= width <= words:
        raise ValueError(f"width: {width} is not from 1 to {words}, the number of words")
    if (alone := counts.sum(dim=1) == 0).any():
        raise ValueError(f"counts: word {int(alone.nonzero()[0])} stands beside no other; leave it out")
