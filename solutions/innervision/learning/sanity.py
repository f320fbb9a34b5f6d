"""Does a picture that explains a network change when the network does?

Source: Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim, "Sanity checks for saliency maps", 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.ndimage import sobel
from scipy.stats import rankdata
from torch import Tensor, nn

Maps = Float[Tensor, "batch row column"]


def rank_correlation(one: Maps, other: Maps) -> Float[Tensor, " batch"]:
    """Do two maps put the positions of an image in the same order? Spearman's rank correlation, pair by pair.

    Every number of a map is replaced by its *rank*: the smallest number of the map becomes 1, the next 2, and so on;
    equal numbers share the mean of their ranks. Then the ranks of the two maps are correlated (Pearson).

    Args:
        one: A map for each image.
        other: Another one for each, of the same shape.

    Returns:
        For each pair: 1 the same order, -1 the opposite, about 0 no common order. NaN where one of the two maps is the
        same everywhere.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> maps = torch.tensor([[[0.1, 0.2], [0.3, 9.0]]])
        >>> rank_correlation(maps, maps**2), rank_correlation(maps, -maps)
        (tensor([1.]), tensor([-1.]))

    Source:
        Spearman, "The proof and measurement of association between two things", 1904.
    """
    check_maps(one, other)
    ranks = [torch.from_numpy(rankdata(maps.flatten(1).numpy(), axis=1)) for maps in (one, other)]
    centred = [rank - rank.mean(dim=1, keepdim=True) for rank in ranks]
    lengths = centred[0].norm(dim=1) * centred[1].norm(dim=1)
    return ((centred[0] * centred[1]).sum(dim=1) / lengths).float()


def check_maps(one: Tensor, other: Tensor) -> None:
    """Refuse maps that are no pairs."""
    if one.shape != other.shape or one.ndim != 3:
        raise ValueError(
            f"one, other: shapes {tuple(one.shape)} and {tuple(other.shape)} are not both (batch, row, column)"
        )


def randomization_test(
    model: nn.Module,
    saliency: Callable[[nn.Module], Maps],
    layers: Sequence[str],
    scramble: Callable[[nn.Module, list[str]], nn.Module],
) -> dict[str, Float[Tensor, " batch"]]:
    """How much of a saliency map is left while more and more of the network's weights become random?

    Step by step one more of the layers is made random, and those before it stay random (a *cascade*). After each step
    the maps are compared with those of the intact network by ``rank_correlation``. Maps that stay the same cannot tell
    what the network has learned.

    Args:
        model: The intact network.
        saliency: ``network -> maps``, always of the same images.
        layers: Names or patterns, in the order in which they become random; by custom from the output down.
        scramble: ``(network, layers) -> network``: a copy in which these layers are random and all others as they were.

    Returns:
        For each of the layers, in the same order: the correlation for each image once this layer, too, is random.

    Example:
        >>> maps = torch.rand(2, 4, 4)  # a saliency that does not look at the network
        >>> randomization_test(nn.Identity(), lambda model: maps, ["b", "a"], lambda model, layers: model)
        {'b': tensor([1., 1.]), 'a': tensor([1., 1.])}

    Source:
        Adebayo et al., 2018, section 3.1 ("cascading randomization").
    """
    intact = saliency(model)
    return {
        layer: rank_correlation(intact, saliency(scramble(model, list(layers[: index + 1]))))
        for index, layer in enumerate(layers)
    }


def gradient_map(
    model: nn.Module, images: Float[Tensor, "batch 3 height width"], labels: Int[Tensor, " batch"]
) -> Maps:
    """How much does each pixel matter to a logit? The largest size of the gradient over the three colours.

    Args:
        model: A network from images to logits.
        images: In [0, 1].
        labels: The class whose logit is explained, for each image.

    Source:
        Simonyan, Vedaldi, Zisserman, "Deep inside convolutional networks", 2014, section 3.
    """
    return input_gradient(model, images, labels).abs().amax(dim=1)


def guided_map(model: nn.Module, images: Float[Tensor, "batch 3 height width"], labels: Int[Tensor, " batch"]) -> Maps:
    """As ``gradient_map``, but at every rectifier only what is positive is passed back (*guided backpropagation*).

    Source:
        Springenberg, Dosovitskiy, Brox, Riedmiller, "Striving for simplicity: the all convolutional net", 2015,
        section 3.4.
    """
    with guided(model):
        return input_gradient(model, images, labels).abs().amax(dim=1)


def edge_map(images: Float[Tensor, "batch 3 height width"]) -> Maps:
    """Where an image changes from pixel to pixel: a map that knows no network at all (Sobel)."""
    # Image by image: scipy smooths along every other axis, and would mix neighbours of a batch.
    maps = [np.hypot(*(sobel(grey, axis, mode="nearest") for axis in (0, 1))) for grey in images.mean(dim=1).numpy()]
    return torch.from_numpy(np.stack(maps))


def input_gradient(
    model: nn.Module, images: Float[Tensor, "batch 3 height width"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, "batch 3 height width"]:
    """The gradient of a logit of each image with respect to the image."""
    leaf = images.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        total = model(leaf).gather(1, labels[:, None]).sum()
    return torch.autograd.grad(total, leaf)[0]


@contextmanager
def guided(model: nn.Module) -> Iterator[nn.Module]:
    """While the block runs, every rectifier of the network passes back only what is positive."""

    def keep_positive(module: nn.Module, inward: Any, outward: Any) -> tuple[Tensor]:
        return (inward[0].clamp(min=0),)

    handles = [
        module.register_full_backward_hook(keep_positive) for module in model.modules() if isinstance(module, nn.ReLU)
    ]
    try:
        yield model
    finally:
        for handle in handles:
            handle.remove()
