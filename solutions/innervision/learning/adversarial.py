"""Changes of a picture that nobody sees and a network falls for, and noise of the same size that it does not mind.

A change is measured by its *radius*: by how much any number of the image may move, in an image from 0 to 1. One grey
level of a file is 1/255.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


def fgsm(
    model: nn.Module,
    images: Float[Tensor, "batch 3 height width"],
    labels: Int[Tensor, " batch"],
    radius: float,
) -> Float[Tensor, "batch 3 height width"]:
    """The fast gradient sign method: move every number by the radius, whichever way the loss grows.

    The loss is the cross-entropy of the labels. A number whose gradient is 0 stays, and none leaves [0, 1].

    Args:
        model: A network from images to logits.
        images: In [0, 1].
        labels: The class that the network shall be led away from, for each image.
        radius: In [0, 1]; 4 / 255 is four grey levels.

    Returns:
        The changed images, without a gradient. Those given stay as they are, and so does the network: no parameter
        is left with a gradient.

    Example:
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(3, 2, bias=False))
        >>> _ = model[1].weight.data.copy_(torch.tensor([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]]))
        >>> fgsm(model, torch.full((1, 3, 1, 1), 0.5), torch.tensor([0]), 0.1).flatten()
        tensor([0.4000, 0.6000, 0.5000])

    Source:
        Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples", 2015, section 4.
    """
    changed = images.clone().requires_grad_(True)
    with torch.enable_grad():
        loss = F.cross_entropy(model(changed), labels)
    (gradient,) = torch.autograd.grad(loss, changed)
    return (images + radius * gradient.sign()).clamp(0, 1)


def pgd(
    model: nn.Module,
    images: Float[Tensor, "batch 3 height width"],
    labels: Int[Tensor, " batch"],
    radius: float,
    generator: torch.Generator,
    steps: int = 10,
) -> Float[Tensor, "batch 3 height width"]:
    """Projected gradient descent: many small steps of ``fgsm``, each drawn back to within the radius.

    It starts at a random place within the radius. Each step is 2.5 × radius / steps long, so that it can reach any
    place from any other. A network that withstands one large step only, and not these, hides its gradient.

    Args:
        model: A network from images to logits.
        images: In [0, 1].
        labels: The class that the network shall be led away from, for each image.
        radius: In [0, 1].
        generator: Draws the start.
        steps: At least 1.

    Returns:
        The changed images.

    Raises:
        ValueError: ``steps`` is below 1.

    Source:
        Madry et al., "Towards deep learning models resistant to adversarial attacks", 2018, section 2.1, and their
        published attack on CIFAR-10 (a step of 2.5 × radius / steps).
    """
    if steps < 1:
        raise ValueError(f"steps: {steps} is too few; give a whole number, at least 1")
    start = 2 * torch.rand(images.shape, generator=generator).to(images) - 1
    changed = (images + radius * start).clamp(0, 1)
    for _ in range(steps):
        changed = fgsm(model, changed, labels, 2.5 * radius / steps)
        changed = within(changed, images, radius)
    return changed


def within(
    changed: Float[Tensor, "batch 3 height width"], images: Float[Tensor, "batch 3 height width"], radius: float
) -> Float[Tensor, "batch 3 height width"]:
    """Changed images, drawn back to within the radius around the images, and to [0, 1]."""
    return (images + (changed - images).clamp(-radius, radius)).clamp(0, 1)


def random_signs(
    images: Float[Tensor, "batch 3 height width"], radius: float, generator: torch.Generator
) -> Float[Tensor, "batch 3 height width"]:
    """The control for ``fgsm``: every number moves by the radius, up or down by the toss of a coin.

    Args:
        images: In [0, 1].
        radius: In [0, 1].
        generator: Tosses the coins.

    Returns:
        Images in [0, 1].
    """
    coins = torch.randint(0, 2, images.shape, generator=generator).to(images) * 2 - 1
    return (images + radius * coins).clamp(0, 1)
