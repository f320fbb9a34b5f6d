"""Objectives for a whole layer, for a class, and for the opposite of something."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor

from innervision.optvis.objectives import Activations, Asked, Objective, as_objective


def layer(name: str) -> Objective:
    """An objective: how much happens in a layer? The mean of the squares of all its numbers.

    Squares reward what is strong already, so a picture grows into whatever it resembles. This is the objective of
    deep dream.

    Args:
        name: The layer's name, for example ``"mixed4a"``.

    Returns:
        An objective: one mean per image, over channels and positions.

    Example:
        >>> activations = {"mixed3a": torch.tensor([[[[1.0, -2.0]], [[0.0, 3.0]]]])}  # 2 channels, 1 × 2 positions
        >>> layer("mixed3a")(activations)  # 1, 4, 0 and 9 on average
        tensor([3.5000])

    Source:
        Mordvintsev, Olah, Tyka, "Inceptionism", 2015; lucid, ``optvis/objectives.py`` (``deepdream``).
    """

    def mean_square(activations: Activations) -> Float[Tensor, "batch"]:
        return activations[name].square().flatten(1).mean(dim=1)

    return Objective(mean_square, f"{name} (all)")


def class_logit(layer: str, label: int | str, labels: Sequence[str] | None = None) -> Objective:
    """An objective: how strongly does the network vote for a class?

    Args:
        layer: The layer of logits, ``(batch, classes)``; further axes, as in ``(batch, classes, 1, 1)``, are averaged.
            Take the numbers before the softmax: a probability also rises when the other classes fall.
        label: The class, as an index from 0 or as one of ``labels``.
        labels: The classes' names in the network's order, needed for a label given by name.

    Raises:
        ValueError: ``label`` is a name that ``labels`` does not hold exactly once.

    Source:
        lucid, ``optvis/objectives.py`` (``class_logit``); Simonyan, Vedaldi, Zisserman, "Deep inside convolutional
        networks", 2013 (logits rather than probabilities).
    """
    if isinstance(label, str):
        count = list(labels or []).count(label)
        if count != 1:
            raise ValueError(f"label: '{label}' is {count} times in labels; give an index, or labels that hold it once")
        index = list(labels or []).index(label)
    else:
        index = label

    def logit(activations: Activations) -> Float[Tensor, "batch"]:
        return activations[layer][:, index, None].flatten(1).mean(dim=1)

    return Objective(logit, f"{layer}:{label}")


def negative(objective: Asked) -> Objective:
    """The opposite: what makes this smaller? The same as ``-objective``, also for a string such as ``"mixed3b:5"``.

    After a rectifier nothing is below 0, so the picture of a negative channel stops changing once the channel is
    silent. Ask for the layer before the rectifier to go on.

    Source:
        Olah et al., "Feature Visualization", Distill 2017 (negative neurons).
    """
    return -as_objective(objective)


def of_layer(layer: str, measure: Callable[[Tensor], Float[Tensor, "batch"]], name: str = "") -> Objective:
    """An objective that measures a layer, for penalties: ``channel(…) - 0.1 * of_layer("mixed3a", l1)``.

    Args:
        layer: The layer's name.
        measure: ``activation -> one number per image``.
        name: What it is called; by default the function's name and the layer's.
    """
    called = name or f"{getattr(measure, '__name__', 'measure')}({layer})"
    return Objective(lambda activations: measure(activations[layer]), called)
