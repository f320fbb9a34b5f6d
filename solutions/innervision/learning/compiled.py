"""The algorithm of modular addition written as weights, by hand.

How it adds. Let a' be a·2πk/p. The token vectors hold cos a' and sin a'. Attention looks at all three places alike, so
after ``=`` the stream holds a third of cos a' + cos b' and of sin a' + sin b', which are

    2 cos((a' - b') / 2) · cos((a' + b') / 2)   and   2 cos((a' - b') / 2) · sin((a' + b') / 2).

Neuron j turns this by its own angle φ and rectifies: |2 cos((a' - b') / 2)| · relu(± cos((a' + b') / 2 - φ)). A
rectified cosine holds a wave of twice its frequency. All neurons together, with weights cos 2φ and sin 2φ, leave just
this wave: cos and sin of a' + b', whichever the sign was. The answer c with the largest Σ cos(a' + b' - c') wins. It is
a + b: nowhere else do all cosines reach 1; and since p is odd, no factor cos((a' - b') / 2) is 0.

Source: Nanda et al., "Progress measures for grokking via mechanistic interpretability", 2023 (waves); Zhong et al.,
"The clock and the pizza", 2023 (adding first and rectifying then).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from innervision.learning.modular_addition import check_frequencies, check_modulus
from innervision.learning.transformer import Sizes, Transformer

ANGLES = 15
"""Neurons of a frequency. Odd, so that of a rectified cosine's waves (1, and all even ones) the next that falls on the
second is the 28th, with 1/261 of its size: (2² - 1) / (28² - 1)."""


def waves_of_numbers(modulus: int, frequencies: Sequence[int]) -> Float[Tensor, "numbers waves"]:
    """Cosine and sine of each number at each frequency, of size 1: columns cos k1, sin k1, cos k2, and so on."""
    turns = torch.outer(torch.arange(modulus), torch.tensor(list(frequencies))) % modulus
    angles = 2 * math.pi * turns.double() / modulus
    return rearrange([angles.cos(), angles.sin()], "wave number frequency -> number (frequency wave)").float()


def compile_modular_addition(modulus: int, frequencies: Sequence[int], angles: int = ANGLES) -> Transformer:
    """A transformer that adds modulo p with a few waves; nothing in it was trained.

    Args:
        modulus: p, odd.
        frequencies: At least one, from 1 to (p - 1) / 2. More of them keep answers farther apart.
        angles: Neurons of a frequency, odd, at least 5.

    Returns:
        It reads ``a b =``, as ``every_sum`` asks; its logits stand at the last position. The first half of its residual
        stream holds the waves of the numbers, the second half those of the sum. The sign ``=`` is token p; its vector
        stays 0. Shapes of what is written: ``token_vectors`` (tokens, width); of block 0 ``value`` (head, width, each)
        and ``out`` (head, each, width), with one head as wide as the stream, ``into`` (width, neurons) and ``back``
        (neurons, width); ``unembed`` (width, answers).

    Raises:
        ValueError: A value breaks its rule.
    """
    network, half = empty_network(modulus, frequencies, angles), 2 * len(frequencies)
    waves, (into, back) = waves_of_numbers(modulus, frequencies), turned_neurons(angles)
    block = network.block(0)
    network.token_vectors[:modulus, :half] = waves
    block.value[:, :half, :half] = torch.eye(half)
    block.out[:, :half, :half] = torch.eye(half)
    block.into[:half] = torch.block_diag(*[into] * len(frequencies))
    block.back[:, half:] = torch.block_diag(*[back] * len(frequencies))
    network.unembed[half:] = waves.T
    return network


def empty_network(modulus: int, frequencies: Sequence[int], angles: int = ANGLES) -> Transformer:
    """A transformer of the sizes that the algorithm needs, in which every weight is 0.

    Its one head looks everywhere alike, since queries and keys are 0. Its residual stream has four numbers for each
    frequency; it has ``angles`` neurons for each.

    Raises:
        ValueError: As ``compile_modular_addition``.
    """
    check_modulus(modulus)
    check_frequencies(modulus, frequencies)
    if not frequencies:
        raise ValueError("frequencies: is empty; give at least one")
    if angles < 5 or angles % 2 == 0:
        raise ValueError(f"angles: {angles} is not an odd number from 5 on")
    width, neurons = 4 * len(frequencies), angles * len(frequencies)
    sizes = Sizes(modulus + 1, modulus, 3, width=width, heads=1, blocks=1, neurons=neurons)
    network = Transformer(sizes, torch.Generator()).requires_grad_(False).eval()
    for parameter in network.parameters():
        parameter.zero_()
    return network


def turned_neurons(angles: int = ANGLES) -> tuple[Float[Tensor, "2 angles"], Float[Tensor, "angles 2"]]:
    """Weights of one frequency's neurons: they read cos and sin of an angle, and write cos and sin of twice the angle.

    Neuron j reads at φ = 2πj / angles, that is with the weights cos φ and sin φ. It writes with cos 2φ and sin 2φ,
    times 9π / (2 · angles).

    Args:
        angles: How many neurons.

    Returns:
        What goes into the neurons, and what comes back from them. Given a third of cos a' + cos b' and of
        sin a' + sin b', rectified in between, they write |cos((a' - b') / 2)| times cos and sin of a' + b'.

    Example:
        >>> into, back = turned_neurons(15)
        >>> read = torch.tensor([[0.8, 0.6]]) / 3  # two arrows with a sum that is 1 long and points to 37°
        >>> (read @ into).relu() @ back  # about |cos((a' - b') / 2)| = 0.5 times cos and sin of 74°, (0.14, 0.48)
        tensor([[0.1391, 0.4775]])
    """
    turn = 2 * math.pi * torch.arange(angles) / angles
    into = torch.stack([turn.cos(), turn.sin()])
    # Attention leaves a third, the sum of two waves doubles, and relu(cos x) holds 2 / (3π) cos 2x; half of a sum of
    # squared cosines over all angles is angles / 2.
    back = torch.stack([(2 * turn).cos(), (2 * turn).sin()], dim=1) * (3 / 2) * (3 * math.pi / 2) * (2 / angles)
    return into, back
