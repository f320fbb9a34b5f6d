"""What every attribution is made of: a layer's activation, and how fast an output grows with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from innervision.activations import edit, match_layers, record
from innervision.attribution.pooling import relaxed_max_pooling

Target = int | Int[Tensor, "batch"] | Callable[[Tensor], Tensor]
"""Which number of an output is explained. An index: that class of the logits, or that channel's mean over all
positions. One index for each image. Or a function ``output -> one number per image``, such as the difference of two
logits."""


def activation_and_gradient(
    model: nn.Module,
    layer: str,
    images: Float[Tensor, "batch 3 height width"],
    target: Target,
    *,
    of: str | None = None,
    activation: Float[Tensor, "batch channel ..."] | None = None,
    relaxed: bool = False,
) -> tuple[Float[Tensor, "batch channel ..."], Float[Tensor, "batch channel ..."]]:
    """A layer's activation on some images, and the gradient of an output with respect to it.

    Args:
        model: A network in eval mode.
        layer: The layer.
        images: In [0, 1].
        target: Which number of the output: see ``Target``.
        of: The layer whose output the target is part of; by default the network's own output.
        activation: Numbers to put in the place of the layer's activation; by default its own.
        relaxed: Use the gradient of ``relaxed_max_pooling``.

    Returns:
        ``(activation, gradient)``, of equal shape, detached.

    Raises:
        ValueError: A layer does not exist, or runs several times, or the output does not depend on it; the target
            is no index of the output, or returns another shape than one number per image; the model is in training
            mode.
    """
    if model.training:
        raise ValueError("model: is in training mode; call model.eval() first")
    held: list[Tensor] = []
    pooling = relaxed_max_pooling() if relaxed else nullcontext()

    def hold(output: Tensor) -> Tensor:
        held.append((output if activation is None else activation).detach().clone().requires_grad_(True))
        return held[-1].clone()  # a copy, because a network may write over it

    name, last = _single(model, layer), None if of is None else _single(model, of, "of")
    with torch.enable_grad(), edit(model, {name: hold}), pooling:
        output = model(images) if last is None else record(model, images, last)[last]
        total = target_scores(output, target).sum()
    if len(held) > 1:
        raise ValueError(f"layer: '{layer}' runs {len(held)} times on an image; choose a layer that runs once")
    gradient = torch.autograd.grad(total, held, allow_unused=True)[0] if held and total.requires_grad else None
    if gradient is None:
        raise ValueError(f"layer: the target does not depend on '{layer}'; choose a layer before it")
    return held[0].detach(), gradient


def target_scores(output: Float[Tensor, "batch channel ..."], target: Target) -> Float[Tensor, "batch"]:
    """The numbers of an output that are to be explained, one for each image.

    Args:
        output: Logits, or a layer's activation.
        target: See ``Target``.

    Raises:
        ValueError: The target is no index of the output, or returns another shape than one number per image.
    """
    count, channels = output.shape[:2]
    if callable(target):
        scores = target(output)
        if not isinstance(scores, Tensor) or scores.shape != (count,):
            got = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
            raise ValueError(f"target: returned {got}; return one number per image, shape ({count},)")
        return scores
    index = torch.as_tensor(target, device=output.device)
    if index.ndim > 1 or (index.ndim == 1 and len(index) != count):
        raise ValueError(f"target: shape {tuple(index.shape)} for {count} images; give one index, or one for each")
    if bool((index < 0).any() or (index >= channels).any()):
        raise ValueError(f"target: {target} is no index of the output, which has {channels} (0 to {channels - 1})")
    means = output.flatten(2).mean(dim=2) if output.ndim > 2 else output
    return means.gather(1, index.expand(count)[:, None])[:, 0]


def _single(model: nn.Module, layer: str, argument: str = "layer") -> str:
    names = match_layers(model, layer, argument)
    if len(names) > 1:
        raise ValueError(f"{argument}: '{layer}' is {len(names)} layers; name one")
    return names[0]
