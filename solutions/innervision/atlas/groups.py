"""Channels that fire together, in the same places: groups found by non-negative matrix factorisation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from sklearn.decomposition import NMF
from torch import Tensor

ITERATIONS = 1000
"""At most so many rounds. The groups of mini's layers settled within 150, in double precision; in single precision the
test for that can fail for ever."""


@dataclass(frozen=True)
class Groups:
    """What ``neuron_groups`` returns, strongest group first.

    Attributes:
        channels: How much each channel belongs to each group: directions of length 1, nothing below 0.
        maps: How strong each group is at each position of each image, nothing below 0.
        unexplained: Length of what the groups leave over, divided by the length of the activations, in [0, 1]; 0 where
            nothing is active.
    """

    channels: Float[Tensor, "groups channel"]
    maps: Float[Tensor, "images groups rows columns"]
    unexplained: float


def neuron_groups(activations: Float[Tensor, "images channel rows columns"], groups: int, *, seed: int = 0) -> Groups:
    """Sum up a layer's activations by a few groups of channels, each with a map of where it is active.

    At each position the activations of all channels are made, as nearly as possible, of a non-negative mixture of the
    groups: ``activations ≈ einsum("ngrc,gk->nkrc", maps, channels)``.

    Args:
        activations: Of a layer after its rectifier, nothing below 0. One image or several; several share the groups.
        groups: How many, from 1 to the number of channels (and of positions).
        seed: Breaks what is left to chance in the start of the factorisation.

    Returns:
        ``Groups``. Each row of ``channels`` has length 1; the size is in the maps. The strongest group is the
        one with the longest maps: the root of the sum of squares, over all images and positions.

    Raises:
        ValueError: There are negative activations; ``groups`` is out of range.

    Example:
        >>> activations = torch.tensor([[[[2.0, 0.0]], [[2.0, 0.0]], [[0.0, 3.0]]]])  # 3 channels, 1 × 2 positions
        >>> found = neuron_groups(activations, 2)
        >>> (found.channels * 100).round(), found.maps[0].round()  # the third channel; the first two together
        (tensor([[  0.,   0., 100.],
                [ 71.,  71.,   0.]]), tensor([[[0., 3.]],
        <BLANKLINE>
                [[3., 0.]]]))

    Source:
        Olah et al., "The building blocks of interpretability", Distill 2018, "Making things human-scale"; Lee, Seung,
        "Learning the parts of objects by non-negative matrix factorization", 1999.
    """
    images, _, rows, _ = activations.shape
    matrix = rearrange(activations.detach(), "image channel row column -> (image row column) channel")
    places, channels = factorize(matrix, groups, seed=seed)
    lengths = channels.norm(dim=1)
    places, channels = places * lengths, F.normalize(channels, dim=1)
    order = places.norm(dim=0).argsort(descending=True)
    maps = rearrange(places[:, order], "(image row column) group -> image group row column", image=images, row=rows)
    left = (matrix - places @ channels).norm() / matrix.norm().clamp(min=torch.finfo(matrix.dtype).tiny)
    return Groups(channels[order], maps, float(left))


def factorize(
    matrix: Float[Tensor, "positions channel"], groups: int, *, seed: int = 0
) -> tuple[Float[Tensor, "positions groups"], Float[Tensor, "groups channel"]]:
    """Non-negative matrix factorisation, as scikit-learn does it: ``matrix ≈ places @ channels``, nothing below 0.

    Args:
        matrix: Nothing below 0.
        groups: How many columns ``places`` has, from 1 to the smaller side of the matrix.
        seed: Breaks what is left to chance in the start.

    Returns:
        ``(places, channels)``, in no special order. Lengths are left to chance: twice one, half the other is as good.

    Raises:
        ValueError: The matrix has negative numbers; ``groups`` is out of range.

    Source:
        Lee, Seung, "Learning the parts of objects by non-negative matrix factorization", 1999; Boutsidis, Gallopoulos,
        "SVD based initialization", 2008 (the start: nndsvda).
    """
    if not 1 <= groups <= min(matrix.shape):
        raise ValueError(
            f"groups: {groups} is not between 1 and {min(matrix.shape)}, the smaller one of "
            f"{matrix.shape[1]} channels and {matrix.shape[0]} positions"
        )
    if float(matrix.min()) < 0:
        raise ValueError(f"activations: go down to {float(matrix.min()):.3g}; take a layer after its rectifier")
    factors = NMF(groups, init="nndsvda", max_iter=ITERATIONS, random_state=seed)
    places = factors.fit_transform(matrix.detach().cpu().double().numpy())
    return torch.from_numpy(places).to(matrix), torch.from_numpy(factors.components_).to(matrix)
