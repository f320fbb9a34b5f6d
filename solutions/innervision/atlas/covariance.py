"""What is special about an activation, when some channels are busy all the time?"""

from __future__ import annotations

import torch
from jaxtyping import Float
from sklearn.covariance import ledoit_wolf
from torch import Tensor


def whitening(vectors: Float[Tensor, "points channel"]) -> Float[Tensor, "channel channel"]:
    """The matrix S that takes out what activations have in common: the inverse of their mean outer product.

    A direction ``vector @ S`` points to what sets the vector apart from the others. Without it the channels that are
    busy everywhere decide what every icon looks like.

    Args:
        vectors: Activations, one a row.

    Returns:
        S, symmetric. The mean outer product is first drawn a little towards a multiple of the identity, as much
        as Ledoit and Wolf find best for so many vectors; otherwise silent channels could not be inverted.

    Raises:
        ValueError: All vectors are 0.

    Source:
        Carter et al., "Activation atlas", Distill 2019, notebook (``inv(XᵀX / n)``, without shrinkage, on 100,000 and
        more vectors); Ledoit, Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
    """
    if not bool((vectors != 0).any()):
        raise ValueError("vectors: are all 0, so there is nothing to tell them apart by")
    product, _ = ledoit_wolf(vectors.detach().cpu().double().numpy(), assume_centered=True)
    return torch.linalg.inv(torch.from_numpy(product)).to(vectors)
