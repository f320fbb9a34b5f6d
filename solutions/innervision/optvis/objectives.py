"""What an image is optimised for: activations in, one number per image out, to be maximised.

Any function of that kind is an objective. ``Objective`` wraps one and adds algebra, so that
``channel("mixed3b", 5) - 0.1 * channel("mixed3b", 7)`` is an objective again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

Activations = Mapping[str, Float[Tensor, "batch channel height width"]]
"""Layer name → activation. The name ``IMAGE`` stands for the image that the network is shown."""

ObjectiveFunction = Callable[[Activations], Float[Tensor, "batch"]]

Reads = tuple[tuple[str, int], ...] | None
"""What of a network an objective looks at: every ``(layer, channel)``, nothing with ``()``, or anything with None."""

IMAGE = "image"
"""The key under which an objective finds the (transformed) image itself, ``(batch, 3, height, width)``."""

DRAWING = "drawing"
"""The key under which an objective finds the image before any transform, as it will be shown. A drawing with
transparency has its opacity as a fourth channel here. Without transforms it is the same as ``IMAGE``."""


@dataclass(frozen=True)
class Objective:
    """An objective with a name, and with ``+``, ``-``, ``*`` and ``sum()``.

    Attributes:
        function: ``activations -> one number per image``.
        name: What it is called in titles and settings.
        reads: Every ``(layer, channel)`` that the function looks at, if it says so: others may then hold anything, so
            that they need not be computed. ``()`` if it looks at images only.
    """

    function: ObjectiveFunction
    name: str = ""
    reads: Reads = field(default=None, kw_only=True)

    def __call__(self, activations: Activations) -> Float[Tensor, "batch"]:
        """One number per image, larger is better."""
        return self.function(activations)

    def __add__(self, other: Objective | float) -> Objective:
        if isinstance(other, Objective):
            return Objective(
                lambda activations: self(activations) + other(activations),
                f"{self} + {other}",
                reads=_together(self.reads, other.reads),
            )
        if isinstance(other, int | float):
            name = f"{self}" if other == 0 else f"{self} + {other:g}"
            return Objective(lambda activations: self(activations) + other, name, reads=self.reads)
        return NotImplemented

    __radd__ = __add__  # sum() starts from 0

    def __mul__(self, factor: float) -> Objective:
        if not isinstance(factor, int | float):
            return NotImplemented
        name = f"{factor:g} * {self._factor_name()}"
        return Objective(lambda activations: self(activations) * factor, name, reads=self.reads)

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        return Objective(lambda activations: -self(activations), f"-{self._factor_name()}", reads=self.reads)

    def __sub__(self, other: Objective | float) -> Objective:
        if isinstance(other, Objective):
            name = f"{self} - {other._factor_name()}"
            reads = _together(self.reads, other.reads)
            return Objective(lambda activations: self(activations) - other(activations), name, reads=reads)
        if isinstance(other, int | float):
            return self + -other
        return NotImplemented

    def __rsub__(self, other: float) -> Objective:
        return -self + other

    def __truediv__(self, divisor: float) -> Objective:
        if not isinstance(divisor, int | float):
            return NotImplemented
        return self * (1 / divisor)

    def __str__(self) -> str:
        return self.name or getattr(self.function, "__name__", "objective")

    def _factor_name(self) -> str:
        return f"({self})" if " + " in str(self) or " - " in str(self) else str(self)


def _together(first: Reads, second: Reads) -> Reads:
    """What two objectives look at; if one does not say, nobody knows."""
    return None if first is None or second is None else first + second


def channel(layer: str, channel: int) -> Objective:
    """An objective: how active is one channel, on average over all its positions?

    Drawing it gives a pattern that the whole channel looks for, repeated over the image.

    Args:
        layer: The layer's name, for example ``"mixed3b"``.
        channel: Index on the activation's axis 1, from 0.

    Returns:
        An objective ``activations -> Float[Tensor, "batch"]``. It looks up ``activations[layer]``, of shape
        ``(batch, channel, height, width)``, and returns that channel's mean over height and width, one number
        per image.

    Example:
        >>> import torch
        >>> activations = {"mixed3b": torch.arange(8.0).reshape(1, 2, 2, 2)}  # one image, two channels, 2 × 2
        >>> channel("mixed3b", 1)(activations)
        tensor([5.5000])

    Source:
        Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017, "Optimization objectives".
    """

    def mean_over_positions(activations: Activations) -> Float[Tensor, "batch"]:
        return activations[layer][:, channel].mean(dim=(1, 2))

    return Objective(mean_over_positions, f"{layer}:{channel}", reads=((layer, channel),))


def unit(layer: str, channel: int, row: int | None = None, column: int | None = None) -> Objective:
    """An objective: how active is one channel at one position?

    Args:
        layer: The layer's name, for example ``"mixed3b"``.
        channel: Index on the activation's axis 1, from 0.
        row: Index on axis 2, from 0 at the top; by default the centre, ``height // 2``.
        column: Index on axis 3, from 0 at the left; by default the centre, ``width // 2``.

    Returns:
        An objective ``activations -> Float[Tensor, "batch"]``: the activation at that channel, row and column,
        one number per image. Sizes are read from ``activations[layer]`` on each call, because transforms
        change them.

    Example:
        >>> import torch
        >>> activations = {"mixed3b": torch.arange(18.0).reshape(1, 2, 3, 3)}  # one image, two channels, 3 × 3
        >>> unit("mixed3b", 1)(activations), unit("mixed3b", 1, 0, 2)(activations)
        (tensor([13.]), tensor([11.]))

    Source:
        Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017, "Optimization objectives" (neuron).
    """

    def at_position(activations: Activations) -> Float[Tensor, "batch"]:
        height, width = activations[layer].shape[2:]
        at_row = height // 2 if row is None else row
        at_column = width // 2 if column is None else column
        return activations[layer][:, channel, at_row, at_column]

    place = "" if row is None and column is None else f"@{row},{column}"
    return Objective(at_position, f"{layer}:{channel}{place or '@centre'}", reads=((layer, channel),))


def of_image(
    measure: Callable[[Float[Tensor, "batch 3 height width"]], Float[Tensor, "batch"]], name: str = ""
) -> Objective:
    """An objective that looks at the image itself, for penalties: ``channel(…) - 0.1 * of_image(total_variation)``.

    Args:
        measure: ``images -> one number per image``. It is given the image as the network sees it: transformed.
        name: What it is called; by default the function's own name.
    """
    called = name or getattr(measure, "__name__", "image")
    return Objective(lambda activations: measure(activations[IMAGE]), called, reads=())


def of_drawing(
    measure: Callable[[Float[Tensor, "batch channel height width"]], Float[Tensor, "batch"]], name: str = ""
) -> Objective:
    """An objective that looks at the drawing before any transform, where ``of_image`` looks at what the network sees.

    lucid's penalties on its "input" look there, too: a border is then the drawing's own and not the padding.

    Args:
        measure: ``images -> one number per image``.
        name: What it is called; by default the function's own name.
    """
    called = name or getattr(measure, "__name__", "drawing")
    return Objective(lambda activations: measure(activations[DRAWING]), called, reads=())


def parse_objective(text: str) -> Objective:
    """The channel objective that a string names.

    Args:
        text: ``"LAYER:CHANNEL"``, for example ``"mixed3b:5"``.

    Raises:
        ValueError: It has another form.
    """
    layer, separator, number = text.rpartition(":")
    if not (separator and layer and number.isascii() and number.isdigit()):
        raise ValueError(f"objective: '{text}' is not LAYER:CHANNEL, for example mixed3b:5")
    return channel(layer, int(number))


Asked = str | ObjectiveFunction
"""An objective, or a string such as ``"mixed3b:5"``."""


def as_objective(asked: Asked) -> Objective:
    """One objective from a string such as ``"mixed3b:5"``, a plain function or an objective.

    Raises:
        ValueError: A string of another form.
    """
    if isinstance(asked, str):
        return parse_objective(asked)
    if isinstance(asked, Objective):
        return asked
    return Objective(asked, getattr(asked, "__name__", type(asked).__name__))
