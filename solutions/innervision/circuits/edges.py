"""What comes along each edge of a convolution, from one channel to another, and what of it an output needs.

By gradient × activation, for all edges at once, or by patching: one edge at a time carries what it carries elsewhere.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.grad import conv2d_weight

from innervision.activations import Edit, check_images, edit, match_layers


def read_and_gradient(
    model: nn.Module, images: Float[Tensor, "batch 3 height width"], convolution: str, target: int
) -> tuple[nn.Conv2d, Float[Tensor, "batch inputs height width"], Float[Tensor, "batch outputs rows columns"]]:
    """A convolution, what it reads on some images, and how fast an output grows with what it puts out.

    Args:
        model: A network in eval mode.
        images: In [0, 1].
        convolution: An ``nn.Conv2d`` by name, for example ``"layer2.conv"``.
        target: Which of the network's outputs.

    Raises:
        ValueError: The layer is no convolution, or the output does not depend on it.
    """
    check_images(model, images)
    layer = the_convolution(model, convolution)
    read: list[Tensor] = []
    out: list[Tensor] = []

    def hold(output: Tensor) -> Tensor:
        out.append(output.detach().clone().requires_grad_(True))
        return out[-1].clone()

    handle = layer.register_forward_pre_hook(lambda module, given: read.append(given[0].detach().clone()))
    try:
        with torch.enable_grad(), edit(model, {convolution: hold}):
            score = model(images)[:, target].sum()
    finally:
        handle.remove()
    if not score.requires_grad:
        raise ValueError(f"convolution: the output does not depend on '{convolution}'; name one before it")
    return layer, read[0], torch.autograd.grad(score, out[0])[0]


def the_convolution(model: nn.Module, name: str) -> nn.Conv2d:
    """A convolution by its name.

    Raises:
        ValueError: It does not exist, or is something else.
    """
    (found,) = match_layers(model, name, "convolution")[:1]
    layer = model.get_submodule(found)
    if not isinstance(layer, nn.Conv2d):
        raise ValueError(f"convolution: '{name}' is a {type(layer).__name__}; name an nn.Conv2d")
    return layer


def padding_of(layer: nn.Conv2d) -> tuple[int, int]:
    """Zeros that a convolution puts above and below, and at both sides.

    Raises:
        ValueError: It says so in a word, or pads with something else.
    """
    if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        raise ValueError(f"convolution: pads {layer.padding} with {layer.padding_mode}; give a number, of zeros")
    return layer.padding[0], layer.padding[1]


def edge_attribution(
    model: nn.Module,
    images: Float[Tensor, "batch 3 height width"],
    convolution: str,
    target: int,
    other: Float[Tensor, "batch 3 height width"] | None = None,
) -> Float[Tensor, "outputs inputs"]:
    """How much of an output comes along each edge of a convolution, from an input channel to an output channel?

    Gradient × activation along an edge: what the edge adds to the channel that it leads to, times how fast the
    network's output grows with that, summed over positions. With a second set of images it is what *changes* on the
    edge between the two: a straight-line guess of ``edge_patching``, for all edges at the price of one.

    Args:
        model: A network in eval mode.
        images: In [0, 1].
        convolution: An ``nn.Conv2d`` by name, for example ``"layer2.conv"``.
        target: Which of the network's outputs.
        other: One image for each of ``images``; by default silence in place of them.

    Returns:
        Mean over the images; row: the channel an edge leads to, column: where it comes from.

    Raises:
        ValueError: As ``read_and_gradient``.

    Source:
        Nanda, "Attribution patching", 2023; Syed, Rager, Conmy, "Attribution patching outperforms automated
        circuit discovery", 2023.
    """
    layer, read, gradient = read_and_gradient(model, images, convolution, target)
    if other is not None:
        read = read - read_and_gradient(model, other, convolution, target)[1]
    weight = layer.weight.detach()
    slopes = conv2d_weight(read, weight.shape, gradient, layer.stride, padding_of(layer))
    return (slopes * weight).sum(dim=(2, 3)) / len(images)


def edge_patching(
    model: nn.Module,
    images: Float[Tensor, "batch 3 height width"],
    convolution: str,
    target: int,
    other: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, "outputs inputs"]:
    """By how much does an output fall when one edge carries what it carries on another image?

    Each edge is tried by itself: the network runs once for each.

    Args:
        model: A network in eval mode.
        images: In [0, 1].
        convolution: An ``nn.Conv2d`` by name, for example ``"layer2.conv"``.
        target: Which of the network's outputs.
        other: One image for each of ``images``.

    Returns:
        Output without patching minus output with it, mean over the images; row: the channel an edge leads to.

    Raises:
        ValueError: As ``read_and_gradient``.

    Source:
        Goldowsky-Dill et al., "Localizing model behavior with path patching", 2023.
    """
    layer, read, _ = read_and_gradient(model, images, convolution, target)
    change = read_and_gradient(model, other, convolution, target)[1] - read
    padding, effects = padding_of(layer), torch.zeros(layer.out_channels, layer.in_channels)
    with torch.no_grad():
        usual = model(images)[:, target].mean()
        for source in range(layer.in_channels):
            carried = F.conv2d(change[:, [source]], layer.weight[:, [source]], None, layer.stride, padding)
            for channel in range(layer.out_channels):
                with edit(model, {convolution: _adding(channel, carried[:, channel])}):
                    effects[channel, source] = usual - model(images)[:, target].mean()
    return effects


def _adding(channel: int, amount: Tensor) -> Edit:
    def added(output: Tensor) -> Tensor:
        changed = output.clone()
        changed[:, channel] += amount
        return changed

    return added
