"""Addition modulo a prime: every sum there is, the waves a network adds with, and how much of a network they are.

A network reads ``a b =`` and answers ``(a + b) mod p``. Trained networks were found to turn numbers into waves: 5
becomes the cosine and sine of 5·2πk/p, for a few frequencies k. Waves can be added: cos and sin of (a + b)·2πk/p follow
from those of a and b. The sum is where all the waves agree.

Source: Nanda et al., "Progress measures for grokking via mechanistic interpretability", 2023.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor


def every_sum(modulus: int) -> tuple[Int[Tensor, "questions 3"], Int[Tensor, " questions"]]:
    """All questions ``a b =`` and their answers, a changing most slowly. The sign ``=`` is the token ``modulus``.

    Args:
        modulus: At least 3, odd.

    Raises:
        ValueError: The modulus is even, or below 3.

    Example:
        >>> questions, answers = every_sum(3)
        >>> questions[5], answers[5]
        (tensor([1, 2, 3]), tensor(0))
    """
    check_modulus(modulus)
    numbers = torch.arange(modulus)
    pairs = torch.cartesian_prod(numbers, numbers)
    return F.pad(pairs, (0, 1), value=modulus), pairs.sum(dim=1) % modulus


def fourier_basis(modulus: int) -> Float[Tensor, "waves numbers"]:
    """Waves over the numbers 0 to p - 1: a constant, then cosine and sine of each frequency, all of length 1.

    Args:
        modulus: p, at least 3, odd.

    Returns:
        ``(p, p)``; row 0 is constant, row 2k - 1 is the cosine of frequency k, row 2k its sine, for k from 1 to
        (p - 1) / 2. Each row is at right angles to all others.

    Raises:
        ValueError: The modulus is even, or below 3.

    Example:
        >>> fourier_basis(3)
        tensor([[ 0.5774,  0.5774,  0.5774],
                [ 0.8165, -0.4082, -0.4082],
                [ 0.0000,  0.7071, -0.7071]])

    Source:
        Nanda et al., "Progress measures for grokking via mechanistic interpretability", 2023.
    """
    check_modulus(modulus)
    numbers, rows = torch.arange(modulus), [torch.ones(modulus)]
    for frequency in range(1, modulus // 2 + 1):
        angles = 2 * math.pi * (frequency * numbers % modulus) / modulus
        rows += [angles.cos(), angles.sin()]
    return F.normalize(torch.stack(rows), dim=1)


def frequency_norms(vectors: Float[Tensor, "numbers width"]) -> Float[Tensor, " frequencies"]:
    """How strongly vectors, one for each number, go up and down with each frequency.

    Args:
        vectors: For example the token vectors of 0 to p - 1; their number is odd.

    Returns:
        For the frequencies 1 to (p - 1) / 2 in order: root of the sum of squares of all coefficients of its cosine
        and of its sine. The constant is left out.

    Example:
        >>> angles = 2 * torch.pi * 2 * torch.arange(5) / 5
        >>> [round(norm, 4) for norm in frequency_norms(angles.cos()[:, None]).tolist()]
        [0.0, 1.5811]
    """
    waves = fourier_basis(len(vectors)).to(vectors) @ vectors
    return rearrange(waves[1:], "(frequency wave) width -> frequency (wave width)", wave=2).norm(dim=1)


def key_frequencies(vectors: Float[Tensor, "numbers width"], share: float = 0.9) -> list[int]:
    """The fewest frequencies that hold a share of the vectors' ups and downs, rising.

    Args:
        vectors: One for each number.
        share: Of the sum of squares of all frequencies, above 0 and below 1.

    Raises:
        ValueError: The share is out of range, or the vectors are all alike.
    """
    check_share(share, vectors)
    squares, order = frequency_norms(vectors).square().sort(descending=True)
    needed = int((squares.cumsum(dim=0) < share * squares.sum()).sum()) + 1
    return sorted((order[:needed] + 1).tolist())


def sum_waves(modulus: int, frequencies: Sequence[int]) -> Float[Tensor, "waves questions"]:
    """Cosine and sine of (a + b)·2πk/p over all questions of ``every_sum``, for some frequencies k; of length 1.

    Raises:
        ValueError: A frequency is not from 1 to (p - 1) / 2, or is named twice.
    """
    check_frequencies(modulus, frequencies)
    _, answers = every_sum(modulus)
    basis = fourier_basis(modulus)
    rows = [row for frequency in frequencies for row in (2 * frequency - 1, 2 * frequency)]
    return F.normalize(basis[rows][:, answers], dim=1)


def explained_by_frequencies(
    values: Float[Tensor, "questions columns"], modulus: int, frequencies: Sequence[int]
) -> Float[Tensor, ""]:
    """Which share of what varies over all questions do the waves of the sum hold, at some frequencies?

    Args:
        values: One row for each question of ``every_sum``, for example logits.
        modulus: p.
        frequencies: From 1 to (p - 1) / 2.

    Returns:
        In [0, 1]: squares of the part along those waves over squares of all that differs from each column's mean.

    Raises:
        ValueError: Shapes do not fit, a frequency is out of range, or nothing varies.
    """
    check_varying(values, modulus)
    varying = values - values.mean(dim=0)
    return (sum_waves(modulus, frequencies).to(values) @ varying).square().sum() / varying.square().sum()


def restricted_loss(
    logits: Float[Tensor, "questions answers"], modulus: int, frequencies: Sequence[int]
) -> Float[Tensor, ""]:
    """Mean cross-entropy over all questions if the network had only the waves of the sum at these frequencies.

    What is kept of the logits: for each answer its mean over all questions, and its part along those waves. Low: the
    waves are there, and are enough. Each wave is measured over all questions at once, so that what differs between
    questions with the same sum is averaged away.

    Args:
        logits: One row for each question of ``every_sum``.
        modulus: p.
        frequencies: The key frequencies, from 1 to (p - 1) / 2.

    Raises:
        ValueError: Shapes do not fit, or a frequency is out of range.

    Source:
        Nanda et al., "Progress measures for grokking via mechanistic interpretability", 2023, section 5.1.
    """
    check_questions(logits, modulus)
    waves = sum_waves(modulus, frequencies).to(logits)
    kept = logits.mean(dim=0) + waves.T @ (waves @ logits)
    return F.cross_entropy(kept, every_sum(modulus)[1].to(logits.device))


def excluded_loss(
    logits: Float[Tensor, "questions answers"],
    modulus: int,
    frequencies: Sequence[int],
    among: Int[Tensor, " some"] | None = None,
) -> Float[Tensor, ""]:
    """Mean cross-entropy if the network had all but the waves of the sum at these frequencies.

    What is left of the logits: all but their part along those waves; the means stay. High: the network needs the waves.

    Args:
        logits: One row for each question of ``every_sum``.
        modulus: p.
        frequencies: The key frequencies, from 1 to (p - 1) / 2.
        among: Numbers of the questions that count, for example those trained on; by default all.

    Raises:
        ValueError: Shapes do not fit, or a frequency is out of range.

    Source:
        Nanda et al., "Progress measures for grokking via mechanistic interpretability", 2023, section 5.1.
    """
    check_questions(logits, modulus)
    waves = sum_waves(modulus, frequencies).to(logits)
    left, answers = logits - waves.T @ (waves @ logits), every_sum(modulus)[1].to(logits.device)
    return F.cross_entropy(left, answers) if among is None else F.cross_entropy(left[among], answers[among])


def check_modulus(modulus: int) -> None:
    """Refuse a modulus without a middle: an even one has a frequency of which there is no sine."""
    if modulus < 3 or modulus % 2 == 0:
        raise ValueError(f"modulus: {modulus} is not an odd number from 3 on")


def check_frequencies(modulus: int, frequencies: Sequence[int]) -> None:
    """Refuse what is no frequency of the modulus."""
    most = modulus // 2
    for frequency in frequencies:
        if not 1 <= frequency <= most:
            raise ValueError(f"frequencies: {frequency} is not from 1 to {most}")
    if len(set(frequencies)) != len(frequencies):
        raise ValueError(f"frequencies: {list(frequencies)} name one twice")


def check_questions(values: Tensor, modulus: int) -> None:
    """Refuse anything but one row for each question."""
    if values.ndim != 2 or len(values) != modulus**2:
        raise ValueError(f"values: shape {tuple(values.shape)} is not ({modulus**2}, columns), a row for each question")


def check_varying(values: Tensor, modulus: int) -> None:
    """Refuse anything but one row for each question, and rows that are all alike."""
    check_questions(values, modulus)
    if not (values - values.mean(dim=0)).any():
        raise ValueError("values: are the same for every question; there is nothing to explain")


def check_share(share: float, vectors: Tensor) -> None:
    """Refuse a share that is none, and vectors that have no frequency."""
    if not 0 < share < 1:
        raise ValueError(f"share: {share} is not above 0 and below 1")
    if not frequency_norms(vectors).any():
        raise ValueError("vectors: are all alike; there is no frequency in them")
