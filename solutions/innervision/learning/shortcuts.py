"""A cue that gives the answer away, and how much a network leans on it.

A *counterfactual pair* is the same image twice, with one thing changed. Whatever changes in the answer, that one thing
did.

Source: Geirhos et al., "Shortcut learning in deep neural networks", 2020.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from innervision.learning.memorization import answers

Images = Float[Tensor, "batch 3 height width"]

CUE_COLORS = torch.tensor(
    [
        *([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]),
        *([1.0, 0.5, 0.0], [0.5, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
    ]
)
"""A colour for each of ten classes, all easy to tell apart."""


def plant_cue(images: Images, told: Int[Tensor, " batch"], palette: Float[Tensor, "class 3"], side: int = 6) -> Images:
    """A copy of the images with a small square in the upper left corner, whose colour names a class.

    Args:
        images: In [0, 1]. They stay as they are.
        told: The class that each image's square names; it need not be the true one.
        palette: The colour of each class: red, green, blue in [0, 1].
        side: Height and width of the square, in pixels.

    Example:
        >>> images = torch.zeros(1, 3, 2, 2)
        >>> plant_cue(images, torch.tensor([1]), torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), side=1)[0, :, 0]
        tensor([[0.4000, 0.0000],
                [0.5000, 0.0000],
                [0.6000, 0.0000]])
    """
    marked = images.clone()
    marked[:, :, :side, :side] = palette[told][:, :, None, None]
    return marked


def shortcut_reliance(
    model: nn.Module, images: Images, told: Int[Tensor, " batch"], cue: Callable[[Images, Tensor], Images]
) -> float:
    """How many more answers are what a cue tells than would be so without the cue.

    Args:
        model: A network from images to logits. It is in eval mode afterwards.
        images: Without a cue.
        told: What the cue shall tell of each image. Give classes that are *not* true: then a network that only looks
            at the photograph gets 0 here, and one that only looks at the cue nearly 1.
        cue: ``(images, told) -> images``: plants it.

    Returns:
        The share of images that are answered with ``told`` when the cue tells so, minus the share that are answered
        with it without a cue; from -1 to 1.

    Example:
        >>> images = torch.eye(3)[[0, 1, 2, 2]].view(4, 3, 1, 1)  # this model's answer is the brightest channel
        >>> shout = lambda images, told: torch.nn.functional.one_hot(told, 3).view(-1, 3, 1, 1) + images / 2
        >>> shortcut_reliance(nn.Flatten(), images, torch.tensor([1, 2, 0, 2]), shout)
        0.75
    """
    followed = answers(model, cue(images, told)) == told
    anyway = answers(model, images) == told
    return float((followed.double() - anyway.double()).mean())


def other_classes(labels: Int[Tensor, " images"], classes: int, generator: torch.Generator) -> Int[Tensor, " images"]:
    """For each label another class, all of them equally likely.

    Example:
        >>> other_classes(torch.tensor([0, 1, 1]), 2, torch.Generator())
        tensor([1, 0, 0])
    """
    return (labels + torch.randint(1, classes, labels.shape, generator=generator)) % classes
