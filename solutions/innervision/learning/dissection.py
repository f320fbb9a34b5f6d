"""Taking a network that adds apart: numbers without some of their waves, attention made even, neurons by frequency.

Two ways to add with waves are known. In both the answer is where the waves of a + b agree. In the *clock* they are
equally strong for every question. In the *pizza* a wave of frequency k is |cos((a - b)·πk/p)| times as strong, since
the network only adds up the two numbers' waves: where these are opposite, nothing is left. So the strength by a - b
tells the two apart.

Source: Nanda et al., "Progress measures for grokking via mechanistic interpretability", 2023 (ablations, neurons by
frequency); Zhong et al., "The clock and the pizza: two stories in mechanistic explanation of neural networks", 2023
(strength by difference; attention between even and uneven; a second frequency, twice the first, that fills the gap).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from innervision.learning.modular_addition import (
    check_frequencies,
    check_questions,
    every_sum,
    fourier_basis,
)
from innervision.learning.transformer import Transformer


def without_frequencies(
    vectors: Float[Tensor, "numbers width"], frequencies: Sequence[int]
) -> Float[Tensor, "numbers width"]:
    """Vectors, one for each number, without what goes up and down with some frequencies.

    Args:
        vectors: For example the token vectors of 0 to p - 1; their number p is odd.
        frequencies: From 1 to (p - 1) / 2. All else stays, and so does the mean.

    Raises:
        ValueError: A frequency is out of range, or is named twice.

    Example:
        >>> angles = 2 * torch.pi * torch.arange(5) / 5
        >>> vectors = 3 + angles.cos() + (2 * angles).sin()
        >>> torch.allclose(without_frequencies(vectors[:, None], [1])[:, 0], 3 + (2 * angles).sin())
        True
    """
    check_frequencies(len(vectors), frequencies)
    rows = [row for frequency in frequencies for row in (2 * frequency - 1, 2 * frequency)]
    waves = fourier_basis(len(vectors))[rows].to(vectors)
    return vectors - waves.T @ (waves @ vectors)


def with_numbers(network: Transformer, vectors: Float[Tensor, "numbers width"]) -> Transformer:
    """A copy of a network in which the first tokens, the numbers, have other vectors."""
    changed = copy.deepcopy(network)
    with torch.no_grad():
        changed.token_vectors[: len(vectors)] = vectors
    return changed


def interference(modulus: int, strengths: Mapping[int, float]) -> Float[Tensor, " offsets"]:
    """How high each answer stands where waves of the sum are added up.

    Args:
        modulus: p.
        strengths: Frequency, from 1 to (p - 1) / 2 → height of its wave.

    Returns:
        ``(p,)``, in float32: at offset e the sum over all frequencies k of strength times cos(2πk·e/p). An answer's
        offset is how far it lies behind the right one, modulo p; so offset 0 is the right answer.

    Raises:
        ValueError: A frequency is out of range.

    Example:
        >>> interference(5, {1: 2.0})
        tensor([ 2.0000,  0.6180, -1.6180, -1.6180,  0.6180])
    """
    check_frequencies(modulus, list(strengths))
    offsets, heights = torch.arange(modulus), torch.zeros(modulus)
    for frequency, strength in strengths.items():
        heights += strength * (2 * math.pi * frequency * offsets / modulus).cos()
    return heights


def strength_by_difference(
    logits: Float[Tensor, "questions answers"], modulus: int, frequency: int
) -> Float[Tensor, " differences"]:
    """How strong is a wave of the sum in the logits, for each difference between the two numbers?

    In the logits of one question the wave of frequency k is as strong as 2/p · Σ_c logit(c) · cos(2πk(a + b - c)/p).

    Args:
        logits: One row for each question of ``every_sum``.
        modulus: p.
        frequency: k, from 1 to (p - 1) / 2.

    Returns:
        ``(p,)``: at d the mean of that strength over the p questions with a - b = d, modulo p.

    Raises:
        ValueError: Shapes do not fit, or the frequency is out of range.

    Source:
        Zhong et al., "The clock and the pizza", 2023, section 4 (there for the logit of the right answer).
    """
    check_questions(logits, modulus)
    check_frequencies(modulus, [frequency])
    questions, answers = every_sum(modulus)
    apart = answers[:, None] - torch.arange(modulus)
    wave = (2 * math.pi * frequency * apart / modulus).cos().to(logits)
    strengths = (logits * wave).sum(dim=1) * 2 / modulus
    differences = ((questions[:, 0] - questions[:, 1]) % modulus).to(logits.device)
    return strengths.new_zeros(modulus).index_add(0, differences, strengths) / modulus


def look_evenly(pattern: Float[Tensor, "questions head 3 3"]) -> Float[Tensor, "questions head 3 3"]:
    """Attention in which ``=`` gives one half to each of the two numbers, whatever they are: an edit of a pattern."""
    even = pattern.clone()
    even[:, :, -1] = torch.tensor([0.5, 0.5, 0.0]).to(pattern)
    return even


def doubled_frequency(modulus: int, frequency: int) -> int:
    """Twice a frequency, from 1 to (p - 1) / 2: over whole numbers, waves of k and of p - k are the same waves."""
    twice = 2 * frequency % modulus
    return min(twice, modulus - twice)


def neurons_by_frequency(
    activations: Float[Tensor, "questions neurons"], modulus: int
) -> Float[Tensor, "neurons frequencies"]:
    """Which share of what a neuron does over all questions goes with one frequency, of a, of b, and of both together?

    Args:
        activations: One row for each question of ``every_sum``.
        modulus: p.

    Returns:
        In [0, 1], for the frequencies 1 to (p - 1) / 2 in order; 0 for a neuron that never changes. Of the waves of
        (a, b) those are counted that have this frequency in one number and the same or none in the other: 8 of
        p² - 1 directions, so that noise gives 8 / (p² - 1).

    Raises:
        ValueError: Shapes do not fit.

    Source:
        Nanda et al., "Progress measures for grokking via mechanistic interpretability", 2023, section 4.2.
    """
    check_questions(activations, modulus)
    basis = fourier_basis(modulus).to(activations)
    grid = rearrange(activations - activations.mean(dim=0), "(a b) neuron -> neuron a b", a=modulus)
    squares = einsum(basis, grid, basis, "wave a, neuron a b, other b -> neuron wave other").square()
    of_a = rearrange(squares[:, 1:], "neuron (k wave) other -> neuron k wave other", wave=2).sum(dim=2)
    of_both = rearrange(of_a[..., 1:], "neuron k (other wave) -> neuron k other wave", wave=2).sum(dim=3)
    of_b = rearrange(squares[:, 0, 1:], "neuron (k wave) -> neuron k wave", wave=2).sum(dim=2)
    own = of_a[..., 0] + of_b + of_both.diagonal(dim1=1, dim2=2)
    return own / squares.sum(dim=(1, 2)).clamp(min=torch.finfo(squares.dtype).tiny)[:, None]
