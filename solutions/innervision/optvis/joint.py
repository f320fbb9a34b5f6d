"""Objectives that look at several images at once: different ones, aligned ones, and a path from one to another.

``Joint`` is an objective that says how many images it wants; ``render`` then draws that many for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from innervision.optvis.objectives import Activations, Asked, Objective, as_objective


@dataclass(frozen=True)
class Joint(Objective):
    """An objective for several images: it is given the activations of all of them, and returns one number for each.

    Sums with other objectives are joint, too: ``interpolate("mixed3b:5", "mixed3b:7", images=6) +
    alignment("mixed3a")`` wants six images.

    Attributes:
        images: How many images it wants, ≥ 1.
    """

    images: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.images, int) or self.images < 1:
            raise ValueError(f"images: {self.images} is too few; give a whole number, at least 1")

    def __add__(self, other: Objective | float) -> Joint:
        return self._joint(super().__add__(other), other)

    def __radd__(self, other: Objective | float) -> Joint:
        made = Objective.__add__(other, self) if isinstance(other, Objective) else super().__add__(other)
        return self._joint(made, other)

    def __sub__(self, other: Objective | float) -> Joint:
        return self._joint(super().__sub__(other), other)

    def __rsub__(self, other: Objective | float) -> Joint:
        made = Objective.__sub__(other, self) if isinstance(other, Objective) else super().__rsub__(other)
        return self._joint(made, other)

    def __mul__(self, factor: float) -> Joint:
        return self._joint(super().__mul__(factor), factor)

    __rmul__ = __mul__

    def __neg__(self) -> Joint:
        return self._joint(super().__neg__(), 0)

    def _joint(self, made: Any, other: Any) -> Joint:
        """What algebra made, as an objective for as many images."""
        if not isinstance(made, Objective):
            return made  # NotImplemented
        if isinstance(other, Joint) and other.images != self.images:
            raise ValueError(
                f"images: '{self}' wants {self.images} and '{other}' wants {other.images}; make them equal"
            )
        return Joint(made.function, made.name, self.images)


def check_two(images: int, fault: str) -> None:
    """Refuse a single image where several belong together.

    Raises:
        ValueError: Fewer than two images; ``fault`` says what is the matter with one.
    """
    if images < 2:
        raise ValueError(f"images: {images} {fault}; give at least 2")


def together(objective: Asked, images: int) -> Joint:
    """Several images of one objective, each with its own score.

    Alone they differ in their first noise only. Add an objective that looks at all of them, such as ``diversity``.

    Args:
        objective: An objective, or a string such as ``"mixed4a:5"``.
        images: How many, ≥ 1.
    """
    single = as_objective(objective)
    return Joint(single.function, str(single), images)


def images_wanted(objective: Asked) -> int:
    """How many images an objective is for: 1, unless it is joint."""
    return objective.images if isinstance(objective, Joint) else 1


def diversity(layer: str) -> Objective:
    """An objective for several images: how different are they in style?

    A channel may respond to several things, and a single drawing shows one. Style is the Gram matrix of a layer's
    activations: which channels are active at the same places, wherever these lie. Each image is compared with all
    others: the more alike, the lower.

    Args:
        layer: The layer whose Gram matrices are compared, for example ``"mixed4a"``.

    Returns:
        An objective: for each image minus the sum of the cosines between its Gram matrix and each of the others',
        divided by the number of images. Between -1 and 1, and never above 0 for rectified layers.

    Example:
        >>> # Three images, two channels, 1 × 2 positions. The second has in each channel what the first has, elsewhere.
        >>> first, second, third = [[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]]
        >>> diversity("mixed3b")({"mixed3b": torch.tensor([first, second, third])[:, :, None]})
        tensor([-0.5000, -0.5000, -0.3333])

    Source:
        Olah et al., "Feature Visualization", Distill 2017, "Diversity"; lucid, ``optvis/objectives.py``
        (``diversity``), which is the sum over images with the other sign, to be subtracted.
    """

    def difference(activations: Activations) -> Float[Tensor, "batch"]:
        features = activations[layer].flatten(2)
        styles = F.normalize((features @ features.transpose(1, 2)).flatten(1), dim=1)
        likeness = styles @ styles.T
        return (likeness.diagonal() - likeness.sum(dim=1)) / len(likeness)

    return Objective(difference, f"diversity({layer})")


DIVERSITY_WEIGHT = 0.1
"""Of diversity against the objective in ``diverse``. Chosen by eye on mini, whose channels reach means around 1: four
drawings of mixed4c:3 differ and each still excites it as much; at 0.5 some drawings show nothing of their channel."""


def diverse(objective: Asked, images: int = 4, weight: float = DIVERSITY_WEIGHT, layer: str | None = None) -> Joint:
    """Several images of one objective that are to differ in style.

    Args:
        objective: An objective, or a string such as ``"mixed4a:5"``.
        images: How many, ≥ 2.
        weight: How much difference counts against the objective, ≥ 0. Its right size depends on how large the
            objective is: too little gives the same picture again, too much gives pictures of something else. lucid's
            notebooks use 100 and 1,000 for InceptionV1, whose activations are much larger than mini's.
        layer: Where style is measured; by default the layer that the string names.

    Raises:
        ValueError: Fewer than two images, or no layer for an objective that is not a string.
    """
    check_two(images, "cannot differ from each other")
    if layer is None:
        if not isinstance(objective, str):
            raise ValueError(f"layer: is missing; '{as_objective(objective)}' does not say where to compare images")
        layer = objective.rpartition(":")[0]
    return together(objective, images) + weight * diversity(layer)


def alignment(layer: str, decay: float = 2.0, reach: int = 4) -> Objective:
    """An objective for several images in a row: are neighbours alike, place by place?

    With it, what two pictures have in common is drawn at the same place, so that they can be compared.

    Args:
        layer: The layer that is compared.
        decay: How much less a difference counts with each further step apart, > 0.
        reach: Images up to so many steps apart are compared, ≥ 1.

    Returns:
        An objective: for each image minus half the mean squared differences to those in reach, each divided by
        ``decay`` to the power of the steps between. (The other half counts for the other image.)

    Source:
        lucid, ``optvis/objectives.py`` (``alignment``): its value is the sum over images, with decay 2 and reach 4.
    """

    def likeness(activations: Activations) -> Float[Tensor, "batch"]:
        flat = activations[layer].flatten(1)
        costs = torch.zeros_like(flat[:, 0])
        for steps in range(1, min(reach, len(flat) - 1) + 1):
            half = (flat[steps:] - flat[:-steps]).square().mean(dim=1) / decay**steps / 2
            costs = costs + F.pad(half, (0, steps)) + F.pad(half, (steps, 0))
        return -costs

    return Objective(likeness, f"alignment({layer})")


def interpolate(first: Asked, second: Asked, images: int = 5) -> Joint:
    """A row of images that goes from one objective to another in equal steps.

    Args:
        first: What the first image is drawn for, an objective or a string such as ``"mixed3b:5"``.
        second: What the last image is drawn for. Those between are drawn for mixtures.
        images: How many, ≥ 2.

    Returns:
        A joint objective: image i of n gets (1 - i / (n - 1)) · first + i / (n - 1) · second, i from 0.
        For pictures that change place by place, add ``alignment`` or draw with ``parametrization="shared"``.

    Raises:
        ValueError: Fewer than two images.

    Example:
        >>> activation = torch.tensor([[8.0, 1.0], [8.0, 1.0], [8.0, 1.0]]).view(3, 2, 1, 1)  # of three equal images
        >>> path = interpolate("mixed3b:0", "mixed3b:1", images=3)
        >>> path({"mixed3b": activation}), path.images
        (tensor([8.0000, 4.5000, 1.0000]), 3)

    Source:
        Olah et al., "Feature Visualization", Distill 2017, "Interaction between neurons"; lucid,
        ``optvis/objectives.py`` (``channel_interpolate``).
    """
    check_two(images, "makes no path")
    start, end = as_objective(first), as_objective(second)

    def mixture(activations: Activations) -> Float[Tensor, "batch"]:
        from_first, from_second = start(activations), end(activations)
        share = torch.linspace(0, 1, len(from_first)).to(from_first)
        return (1 - share) * from_first + share * from_second

    return Joint(mixture, f"{start} to {end}", images)
