"""Scores and their gradients a few images at a time: the same numbers in less memory, and sooner on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

PORTION = 8
"""Images that go through the network together on a CPU. Origin: forward and backward pass on two cores, with 1, 2, 4,
8, 16 and 32 images of 140 pixels: 15.7, 9.2, 7.5, 6.8, 7.8 and 13.3 ms for each image on EfficientNet-Lite0 up to
block5b, 37, 27, 23, 22, 20 and 23 ms on the full InceptionV1 up to mixed4c. Fewer leave the processor waiting; the
activations of more are so large that the system hands out fresh memory for each."""

Drawn = Float[Tensor, "batch channel height width"]
PartScore = Callable[[Drawn, Drawn, int], Float[Tensor, "part"]]
"""``(images, drawing, first) -> one number per image``: some of the images, of which the first has this index."""


def in_portions(
    score: PartScore,
    images: Float[Tensor, "batch 3 height width"],
    drawing: Drawn,
    portion: int = PORTION,
) -> Float[Tensor, "batch"]:
    """Score images a portion at a time, and find the gradients of each portion before the next one begins.

    Args:
        score: Scores some of the images; each number depends on its own image and drawing only.
        images: What the network is shown.
        drawing: The same before any transform.
        portion: Images that are scored together, ≥ 1.

    Returns:
        One number per image, with gradients back to images and drawing (first derivatives only).
    """
    return _InPortions.apply(score, images, drawing, portion)


class _InPortions(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, score: PartScore, images: Tensor, drawing: Tensor, portion: int) -> Tensor:
        wanted = [place for place in (0, 1) if context.needs_input_grad[1 + place]]
        scores, gradients = [], []
        for first in range(0, len(images), portion):
            part = [values[first : first + portion].detach() for values in (images, drawing)]
            for place in wanted:
                part[place].requires_grad_(True)
            with torch.enable_grad():
                found = score(part[0], part[1], first)
                if asked := [part[place] for place in wanted]:
                    gradients.append(torch.autograd.grad(found.sum(), asked, allow_unused=True, materialize_grads=True))
            scores.append(found.detach())
        context.wanted = wanted
        context.save_for_backward(*(torch.cat(pieces) for pieces in zip(*gradients, strict=True)))
        return torch.cat(scores)

    @staticmethod
    @once_differentiable
    def backward(context: Any, weights: Tensor) -> tuple[Tensor | None, ...]:
        found: list[Tensor | None] = [None, None]
        for place, gradient in zip(context.wanted, context.saved_tensors, strict=True):
            found[place] = gradient * weights[:, None, None, None]
        return None, *found, None
