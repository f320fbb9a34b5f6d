"""Objectives along a direction of a layer: a weighted mixture of its channels.

A direction is a vector with one number per channel. A channel is the direction that is 1 there and 0 elsewhere.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from innervision.optvis.objectives import Activations, Objective

LEAST_COSINE = 0.1
"""Cosines below count as this one. With 0 a picture that starts at a right angle to the direction would never move.
Source: lucid, ``optvis/objectives.py`` (``_dot_cossim``)."""

EPSILON = 1e-4
"""Added to lengths before dividing by them. Source: as above."""


def along(
    activation: Float[Tensor, "batch channel *position"], vector: Float[Tensor, "channel"], cosine_power: float = 0
) -> Float[Tensor, "batch *position"]:
    """How far does an activation reach along a direction, at each position?

    At a position the activations of all channels form a vector a. Its number is (a · v) · max(0.1, cos(a, v)) ^
    cosine_power. The dot product alone can be raised by strong activations that only lean towards v; the cosine makes
    them point along it.

    Args:
        activation: Of a layer, one number per channel at each position.
        vector: The direction v, one number per channel, any length above 0.
        cosine_power: Exponent of the cosine, ≥ 0; 0 is the plain dot product.

    Returns:
        One number per image and position. Where the activation is 0 it is 0.

    Example:
        >>> activation = torch.tensor([[[[3.0, 0.0]], [[4.0, 2.0]]]])  # 2 channels, 1 × 2 positions
        >>> vector = torch.tensor([0.0, 2.0])
        >>> along(activation, vector), along(activation, vector, cosine_power=1)  # 4/5 of 8, and all of 4
        (tensor([[[8., 4.]]]), tensor([[[6.4, 4.0]]]))

    Source:
        lucid, ``optvis/objectives.py`` (``_dot_cossim``).
    """
    dot = torch.einsum("bc...,c->b...", activation, vector)
    cosines = dot / (EPSILON + activation.norm(dim=1)) / (EPSILON + vector.norm())
    return dot * cosines.clamp(min=LEAST_COSINE) ** cosine_power


def direction(layer: str, vector: Float[Tensor, "channels"], cosine_power: float = 0) -> Objective:
    """An objective: how far do activations reach along a direction, on average over positions?

    The mean over positions of ``along``: (a · v) · max(0.1, cos(a, v)) ^ cosine_power.

    Args:
        layer: The layer's name, for example ``"mixed3b"``.
        vector: The direction v, one number per channel, any length.
        cosine_power: Exponent of the cosine, ≥ 0; 0 is the plain dot product. lucid's recipes use 2 and 4.

    Returns:
        An objective: one number per image.

    Raises:
        ValueError: ``vector`` has not one axis; on use, when the layer has another number of channels.

    Source:
        lucid, ``optvis/objectives.py`` (``direction``). torch-lucent's function of that name is another one: it is the
        mean cosine, our ``cosine``.
    """
    _check(vector)

    def on_average(activations: Activations) -> Float[Tensor, "batch"]:
        return _mean_over_positions(_along(layer, activations[layer], vector, cosine_power))

    return Objective(on_average, _named(layer, "", cosine_power))


def direction_unit(
    layer: str,
    vector: Float[Tensor, "channels"],
    row: int | None = None,
    column: int | None = None,
    cosine_power: float = 0,
) -> Objective:
    """An objective: how far do activations reach along a direction at one position?

    Args:
        layer: The layer's name.
        vector: The direction, one number per channel.
        row: Index on axis 2, from 0 at the top; by default the centre, ``height // 2``.
        column: Index on axis 3, from 0 at the left; by default the centre, ``width // 2``.
        cosine_power: As in ``direction``.

    Returns:
        An objective: one number per image.

    Raises:
        ValueError: As in ``direction``.

    Source:
        lucid, ``optvis/objectives.py`` (``direction_neuron``).
    """
    _check(vector)

    def at_position(activations: Activations) -> Float[Tensor, "batch"]:
        height, width = activations[layer].shape[2:]
        at_row = height // 2 if row is None else row
        at_column = width // 2 if column is None else column
        return _along(layer, activations[layer][:, :, at_row, at_column], vector, cosine_power)

    place = "@centre" if row is None and column is None else f"@{row},{column}"
    return Objective(at_position, _named(layer, place, cosine_power))


def cosine(layer: str, vector: Float[Tensor, "channels"]) -> Objective:
    """An objective: do activations point along a direction? The mean cosine over positions, in [-1, 1].

    How strong they are does not count, so faint pictures do as well as strong ones.

    Args:
        layer: The layer's name.
        vector: The direction, one number per channel.

    Raises:
        ValueError: As in ``direction``.

    Source:
        lucid, ``optvis/objectives.py`` (``direction_cossim``), there divided by the number of channels.
    """
    _check(vector)

    def mean_cosine(activations: Activations) -> Float[Tensor, "batch"]:
        dot = _along(layer, activations[layer], vector, 0)
        lengths = activations[layer].norm(dim=1) * vector.norm().to(dot)
        return _mean_over_positions(dot / lengths.clamp(min=torch.finfo(dot.dtype).eps))

    return Objective(mean_cosine, f"cosine({layer}·v)")


def _along(layer: str, activation: Tensor, vector: Tensor, power: float) -> Float[Tensor, "batch *position"]:
    if activation.shape[1] != len(vector):
        raise ValueError(f"vector: has {len(vector)} numbers; '{layer}' has {activation.shape[1]} channels")
    return along(activation, vector.to(activation), power)


def _mean_over_positions(values: Float[Tensor, "batch *position"]) -> Float[Tensor, "batch"]:
    return values.reshape(len(values), -1).mean(dim=1)  # logits have no positions


def _check(vector: Tensor) -> None:
    if not isinstance(vector, Tensor) or vector.ndim != 1:
        got = f"shape {tuple(vector.shape)}" if isinstance(vector, Tensor) else type(vector).__name__
        raise ValueError(f"vector: {got} is no direction; give a tensor of one number per channel")


def _named(layer: str, place: str, power: float) -> str:
    return f"{layer}·v{place}" if power == 0 else f"{layer}·v{place} (cosine ^ {power:g})"
