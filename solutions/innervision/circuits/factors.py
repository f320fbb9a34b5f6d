"""Many kernels summed up by few: groups of input channels that are read alike.

Where several inputs mean nearly the same, a unit reads all of them through nearly the same kernel. One-sided
factorisation finds such groups, from the weights alone: no image is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from sklearn.decomposition import NMF
from torch import Tensor

ITERATIONS = 1000
"""At most so many rounds. Expanded weights between neighbours among mini's layers settled within 370, for eight units
and up to six factors."""


@dataclass(frozen=True)
class WeightFactors:
    """What ``factorize_weights`` returns, strongest factor first: ``einsum("ofrc,fi->oirc", kernels, channels)``.

    Attributes:
        channels: How much each input channel belongs to each factor: directions of length 1, nothing below 0.
        kernels: How each output reads each factor: above 0 excites, below inhibits.
        unexplained: Length of what the factors leave over, divided by the length of the weights, in [0, 1] or a hair
            above.
    """

    channels: Float[Tensor, "factors inputs"]
    kernels: Float[Tensor, "outputs factors rows columns"]
    unexplained: float


def factorize_weights(
    weights: Float[Tensor, "outputs inputs rows columns"], factors: int, *, seed: int = 0
) -> WeightFactors:
    """Sum up the inputs of some units by a few groups, each read through one kernel: one-sided NMF.

    Groups are non-negative mixtures of input channels, so each is a set of channels that are read alike; kernels have
    both signs. For the factorisation the weights above 0 and those below stand one under the other, as two positive
    matrices that share the groups; afterwards the second half of the kernels is subtracted from the first.

    That is exact where each input channel belongs to one group. Where it belongs to two groups that a unit reads with
    opposite signs at one place, the two halves each see a part of it, and the result is only near.

    Args:
        weights: Expanded weights or a convolution's own, of one unit or of several that share the groups.
        factors: How many groups, from 1 to the number of input channels (and of twice the weights that each has).
        seed: Breaks what is left to chance in the start of the factorisation.

    Raises:
        ValueError: ``factors`` is out of range, or all weights are 0.

    Example:
        >>> weights = torch.tensor([[2.0, 2.0, 0.0], [0.0, 0.0, -3.0]]).view(2, 3, 1, 1)
        >>> found = factorize_weights(weights, 2)
        >>> (found.channels * 100).round()  # the third channel; the first two together
        tensor([[  0.,   0., 100.],
                [ 71.,  71.,   0.]])
        >>> (found.kernels[:, :, 0, 0] * 100).round() / 100  # row: output
        tensor([[ 0.0000,  2.8300],
                [-3.0000,  0.0000]])

    Source:
        Voss et al., "Visualizing weights", Distill 2021 (one-sided NMF); with free signs on
        one side, Ding, Li, Jordan, "Convex and semi-nonnegative matrix factorizations", 2010.
    """
    outputs, inputs, rows, columns = weights.shape
    each = outputs * rows * columns
    if not 1 <= factors <= min(inputs, 2 * each):
        rule = f"the smaller one of {inputs} inputs and twice {each} weights of each"
        raise ValueError(f"factors: {factors} is not between 1 and {min(inputs, 2 * each)}, {rule}")
    if not bool(weights.count_nonzero()):
        raise ValueError("weights: are all 0; there is nothing to sum up")
    matrix = rearrange(weights.detach().cpu().double(), "output input row column -> (output row column) input")
    found = NMF(factors, init="nndsvda", max_iter=ITERATIONS, random_state=seed)
    excites, inhibits = torch.from_numpy(
        found.fit_transform(torch.cat([matrix.clamp(min=0), (-matrix).clamp(min=0)]).numpy())
    ).chunk(2)
    channels = torch.from_numpy(found.components_)
    reads = (excites - inhibits) * channels.norm(dim=1)
    order = reads.norm(dim=0).argsort(descending=True)
    reads, channels = reads[:, order], F.normalize(channels, dim=1)[order]
    unexplained = float((matrix - reads @ channels).norm() / matrix.norm())
    kernels = rearrange(reads, "(output row column) factor -> output factor row column", row=rows, column=columns)
    return WeightFactors(channels.to(weights), kernels.to(weights), unexplained)
