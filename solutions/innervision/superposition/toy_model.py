"""Toy models of superposition: many features squeezed through few dimensions, and taken out again.

A toy model reads n features, mixes them into m < n hidden numbers, and has to say from these what the features were:
x' = relu(WᵀW x + b). Column i of W is the direction along which feature i is kept. Many models are trained at once,
each with features of its own rarity.

Source: Elhage et al., "Toy models of superposition", 2022.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Forward = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From features, weights and biases to what the models say the features were."""

STEPS, BATCH, LEARNING_RATE = 3000, 256, 2e-2
"""Published: 10,000 steps of 1e-3. Fewer, larger steps that shrink to 0 train fifty small models in seconds, and five
sparse features in two dimensions still end as a pentagon (angles of 70° to 74°, in most runs)."""


@dataclass(frozen=True)
class ToyModels:
    """Trained toy models, one after the other.

    Attributes:
        weights: Column i of each model: the direction of feature i.
        biases: One for each feature.
        losses: Of each model, mean over the last tenth of training.
    """

    weights: Float[Tensor, "models hidden features"]
    biases: Float[Tensor, "models features"]
    losses: Float[Tensor, " models"]


def sample_features(
    probabilities: Float[Tensor, " models"], batch: int, features: int, generator: torch.Generator
) -> Float[Tensor, "models batch features"]:
    """Examples of features that are rarely there: 0, or with some probability a number between 0 and 1.

    Args:
        probabilities: For each model, how probable it is that a feature is present, in [0, 1].
        batch: Examples for each model.
        features: Features of an example. Each is present or absent by itself, whatever the others are.
        generator: Where chance comes from.

    Returns:
        0 where a feature is absent; where it is present, a number drawn evenly from 0 to 1.

    Raises:
        ValueError: A probability is not in [0, 1].

    Example:
        >>> x = sample_features(torch.tensor([0.0, 0.1, 1.0]), 1000, 5, torch.Generator().manual_seed(0))
        >>> x.shape, (x > 0).float().mean(dim=(1, 2)).round(decimals=1)
        (torch.Size([3, 1000, 5]), tensor([0.0000, 0.1000, 1.0000]))

    Source:
        Elhage et al., "Toy models of superposition", 2022, "Demonstrating superposition".
    """
    check_probabilities(probabilities)
    shape = (len(probabilities), batch, features)
    strengths = torch.rand(shape, generator=generator)
    present = torch.rand(shape, generator=generator) < probabilities[:, None, None]
    return strengths * present


def toy_forward(
    features: Float[Tensor, "models batch features"],
    weights: Float[Tensor, "models hidden features"],
    biases: Float[Tensor, "models features"],
) -> Float[Tensor, "models batch features"]:
    """What toy models say the features were: relu(WᵀW x + b), each model with its own W and b.

    Args:
        features: x, for each model and example.
        weights: W; its columns are the directions of the features.
        biases: b.

    Example:
        >>> weights = torch.tensor([[[1.0, -1.0]]])  # one model: two features share one dimension, one each way
        >>> toy_forward(torch.tensor([[[0.5, 0.0], [0.0, 0.8], [0.5, 0.8]]]), weights, torch.zeros(1, 2))
        tensor([[[0.5000, 0.0000],
                 [0.0000, 0.8000],
                 [0.0000, 0.3000]]])

    Source:
        Elhage et al., "Toy models of superposition", 2022, "The ReLU output model".
    """
    hidden = features @ weights.mT
    return (hidden @ weights + biases[:, None]).relu()


def linear_forward(
    features: Float[Tensor, "models batch features"],
    weights: Float[Tensor, "models hidden features"],
    biases: Float[Tensor, "models features"],
) -> Float[Tensor, "models batch features"]:
    """The control: the same model without its rectifier, WᵀW x + b. It can do no better than principal components.

    Source:
        Elhage et al., "Toy models of superposition", 2022, "The linear model".
    """
    return features @ weights.mT @ weights + biases[:, None]


def toy_loss(
    features: Float[Tensor, "models batch features"],
    outputs: Float[Tensor, "models batch features"],
    importance: Float[Tensor, "*each features"],
) -> Float[Tensor, " models"]:
    """How much toy models miss: squared errors, weighted by importance, added up over features; mean over examples.

    Args:
        features: What was there.
        outputs: What the models say.
        importance: How much a squared error of each feature counts, 0 or more; one number for each feature. (Where
            models differ in it, the library hands over (models, 1, features); a product minds that by itself.)

    Returns:
        One number for each model.

    Example:
        >>> there, said = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]]), torch.tensor([[[0.0, 0.0], [0.0, 2.0]]])
        >>> toy_loss(there, said, torch.tensor([1.0, 0.5]))
        tensor([1.5000])

    Source:
        Elhage et al., "Toy models of superposition", 2022, "Loss".
    """
    return (importance * (features - outputs).square()).sum(dim=2).mean(dim=1)


def train_toys(
    probabilities: Float[Tensor, " models"],
    importance: Float[Tensor, "*each features"],
    hidden: int,
    generator: torch.Generator,
    *,
    steps: int = STEPS,
    batch: int = BATCH,
    learning_rate: float = LEARNING_RATE,
    forward: Forward = toy_forward,
) -> ToyModels:
    """Train many toy models at once, each from its own first weights and on its own examples.

    Args:
        probabilities: For each model, how probable it is that a feature is present, in [0, 1].
        importance: Of each feature; says how many there are. For models of several importances, (models, 1, features).
        hidden: Dimensions that the features must go through.
        generator: Draws first weights and examples.
        steps: Steps of AdamW, whose size shrinks to 0 along half a cosine.
        batch: Examples of a step, for each model.
        learning_rate: Size of the first step.
        forward: What the models compute; ``linear_forward`` is the control.

    Raises:
        ValueError: A probability is not in [0, 1], or an importance is below 0.
    """
    check_probabilities(probabilities)
    check_importance(importance)
    models, features = len(probabilities), importance.shape[-1]
    weights = (torch.randn(models, hidden, features, generator=generator) / features**0.5).requires_grad_()
    biases = torch.zeros(models, features, requires_grad=True)
    optimizer = torch.optim.AdamW([weights, biases], learning_rate)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    last = torch.zeros(models)
    for step in range(steps):
        x = sample_features(probabilities, batch, features, generator)
        losses = toy_loss(x, forward(x, weights, biases), importance)
        optimizer.zero_grad()
        losses.sum().backward()  # each model's parameters have a part in its own loss alone
        optimizer.step()
        scheduler.step()
        if step >= steps - steps // 10:
            last += losses.detach() / (steps // 10)
    return ToyModels(weights.detach(), biases.detach(), last)


def check_probabilities(probabilities: Tensor) -> None:
    """Refuse what is no probability."""
    for probability in probabilities.tolist():
        if not 0 <= probability <= 1:
            raise ValueError(f"probabilities: {probability:g} is not from 0 to 1")


def check_importance(importance: Tensor) -> None:
    """Refuse an importance below 0: the model would be praised for mistakes."""
    if (importance < 0).any():
        raise ValueError(f"importance: {importance.min():g} is below 0")
