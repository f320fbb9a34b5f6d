"""What can be read off a layer by a weighted sum, and nothing cleverer.

Source: Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def linear_probe(
    features: Float[Tensor, "train feature"],
    labels: Int[Tensor, " train"],
    others: Float[Tensor, "test feature"],
    classes: int,
    penalty: float = 1.0,
) -> Float[Tensor, "test class"]:
    """Learn to read classes off features by a weighted sum, and read others.

    First every feature is shifted and scaled so that over the training rows its mean is 0 and its standard deviation
    1; one that never changes there becomes 0. Then for each class the weights are found that miss its *target* (1 for
    rows of that class, 0 for all others) least: the mean over rows of the squared miss, plus ``penalty`` times the sum
    of squared weights, is as small as can be. The intercept, the target's mean, costs nothing.

    Args:
        features: What is known of each row, for example the activations of a layer.
        labels: Their classes, from 0 to classes - 1.
        others: Features of rows that the probe has not seen. They are shifted and scaled as the training rows were.
        classes: How many classes there are.
        penalty: Above 0. The larger, the smaller are the weights. Without one, weights could grow without end where
            there are more features than rows.

    Returns:
        A score of each class for each of the others; the largest is the answer. Computed in double precision, returned
        in single.

    Raises:
        ValueError: Shapes do not fit, a label is outside the classes, or ``penalty`` is not above 0.

    Example:
        >>> features = torch.tensor([[-1.0, 7.0], [1.0, 7.0]])
        >>> others = torch.tensor([[-1.0, 7.0], [0.0, 7.0]])
        >>> linear_probe(features, torch.tensor([0, 1]), others, classes=2, penalty=1.0)
        tensor([[0.7500, 0.2500],
                [0.5000, 0.5000]])

    Source:
        Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems", 1970 (the penalty).
    """
    check_probe(features, labels, others, classes, penalty)
    train, test = features.double(), others.double()
    mean, spread = train.mean(dim=0), train.std(dim=0, correction=0)
    spread = torch.where(spread > 0, spread, torch.inf)
    train, test = (train - mean) / spread, (test - mean) / spread
    targets = F.one_hot(labels, classes).double()
    moments = train.T @ train / len(train) + penalty * torch.eye(train.shape[1])
    weights = torch.linalg.solve(moments, train.T @ targets / len(train))
    return (test @ weights + targets.mean(dim=0)).float()


def check_probe(features: Tensor, labels: Tensor, others: Tensor, classes: int, penalty: float) -> None:
    """Refuse what no probe can be fitted to."""
    if features.ndim != 2 or others.ndim != 2 or features.shape[1] != others.shape[1]:
        raise ValueError(
            f"features, others: shapes {tuple(features.shape)} and {tuple(others.shape)} are not (rows, features) with "
            "the same features"
        )
    if labels.shape != features.shape[:1] or not len(labels):
        raise ValueError(f"labels: shape {tuple(labels.shape)} for {len(features)} rows; give one label a row")
    if not (labels.min() >= 0 and labels.max() < classes):
        low, high = int(labels.min()), int(labels.max())
        raise ValueError(f"labels: from {low} to {high}; {classes} classes are 0 to {classes - 1}")
    if not penalty > 0:
        raise ValueError(f"penalty: {penalty} is not above 0")
