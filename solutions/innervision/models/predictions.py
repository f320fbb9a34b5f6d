"""From a network's logits to words."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor


def top_predictions(
    logits: Float[Tensor, "batch classes"], names: Sequence[str], count: int = 3
) -> list[list[tuple[str, float]]]:
    """The most likely classes of each image, with their probabilities.

    Probabilities are the softmax of the logits over all classes, so those of the classes left out are missing from
    the sum of those listed.

    Args:
        logits: A network's output, one row an image.
        names: One name a class, in the network's order.
        count: How many classes to list for each image, from 1 to the number of classes.

    Returns:
        For each image a list of ``count`` pairs ``(name, probability)``, most likely first; probabilities in [0, 1].
    """
    probabilities, classes = logits.softmax(dim=1).topk(count, dim=1)
    return [
        [(names[index], probability) for index, probability in zip(*row, strict=True)]
        for row in zip(classes.tolist(), probabilities.tolist(), strict=True)
    ]
