"""Labels that mean nothing, and networks that learn them all the same.

Source: Zhang, Bengio, Hardt, Recht, Vinyals, "Understanding deep learning requires rethinking generalization", 2017.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

BATCH = 100
"""Images of a step, for the networks that ship; a choice of ours."""


def randomize_labels(
    labels: Int[Tensor, " images"], share: float, classes: int, generator: torch.Generator
) -> Int[Tensor, " images"]:
    """Labels of which some were drawn anew, by lot, from all classes alike.

    Of ``len(labels)`` labels, ``round(share * len(labels))`` are chosen at random and drawn anew. The lot does not look
    at the image, nor at its old label: of those drawn anew about one in ``classes`` happens to be what it was.

    Args:
        labels: From 0 to classes - 1. They stay as they are.
        share: How many are drawn anew, from 0 (none) to 1 (all).
        classes: How many classes there are.
        generator: Draws.

    Returns:
        The new labels, of the same type.

    Raises:
        ValueError: ``share`` is outside [0, 1], or a label is outside the classes.

    Example:
        >>> randomize_labels(torch.tensor([0, 1, 2, 0]), share=0.0, classes=3, generator=torch.Generator())
        tensor([0, 1, 2, 0])

    Source:
        Zhang et al., 2017, section 2.1 ("partially corrupted labels"; there each label is chosen by a lot of its own).
    """
    check_labels(labels, share, classes)
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    drawn = torch.randint(classes, (len(chosen),), generator=generator, dtype=labels.dtype)
    return labels.index_copy(0, chosen, drawn)


def check_labels(labels: Tensor, share: float, classes: int) -> None:
    """Refuse a share that is none, and labels outside the classes."""
    if not 0 <= share <= 1:
        raise ValueError(f"share: {share} is not between 0 and 1")
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        low, high = int(labels.min()), int(labels.max())
        raise ValueError(f"labels: from {low} to {high}; {classes} classes are 0 to {classes - 1}")


def train_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Float[Tensor, "images 3 height width"],
    labels: Int[Tensor, " images"],
    generator: torch.Generator,
    batch: int = BATCH,
) -> float:
    """Look at every image once, a batch at a time and in a new order, and after each batch change the weights a little.

    Args:
        network: From images to logits. Its weights change; it is in training mode afterwards.
        optimizer: Holds the network's parameters.
        images: In [0, 1].
        labels: The answers that are taught, one for each image.
        generator: Draws the order.
        batch: Images of a step. The last batch may be smaller.

    Returns:
        The mean over the batches of their cross-entropy, in nats, as it was before each step.

    Example:
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))
        >>> _ = [weight.data.zero_() for weight in model.parameters()]
        >>> steps = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> train_epoch(model, steps, torch.zeros(4, 3, 1, 1), torch.tensor([0, 1, 0, 1]), torch.Generator(), batch=4)
        0.6931471824645996
    """
    network.train()
    losses = []
    for chosen in torch.randperm(len(images), generator=generator).split(batch):
        loss = F.cross_entropy(network(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def accuracy(
    network: nn.Module, images: Float[Tensor, "images 3 height width"], labels: Int[Tensor, " images"]
) -> float:
    """Share of images whose largest logit is their label, in [0, 1]. The network is in eval mode afterwards.

    Example:
        >>> images = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).view(2, 3, 1, 1)
        >>> accuracy(nn.Flatten(), images, torch.tensor([0, 1]))
        0.5
    """
    return float((answers(network, images) == labels).double().mean())


@torch.no_grad()
def answers(network: nn.Module, images: Float[Tensor, "images 3 height width"]) -> Int[Tensor, " images"]:
    """The class of each image's largest logit. The network is in eval mode afterwards."""
    network.eval()
    return torch.cat([network(part).argmax(dim=1) for part in images.split(500)])
