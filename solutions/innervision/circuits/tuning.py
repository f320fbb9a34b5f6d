"""Tuning curves: the response of units to stimuli that differ in one thing only, or in two.

What a unit likes best one picture can show. That it likes nothing else, and how far it bears a change, takes many.
``circular`` has the numbers that describe a curve over orientations.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from innervision.activations import match_layers, record

PLACES = ("centre", "strongest")
"""Where a channel is looked at: ``tuning_curve`` says what they mean."""


def tuning_curve(
    model: nn.Module,
    layer: str,
    stimuli: Float[Tensor, "stimuli 3 height width"],
    *,
    at: str = "centre",
    batch_size: int = 64,
) -> Float[Tensor, "channel stimuli"]:
    """The response of every channel of a layer to every stimulus.

    Args:
        model: A network in eval mode.
        layer: Name of one layer.
        stimuli: Images in [0, 1], for example of ``draw_curve``.
        at: ``"centre"``: the unit at (rows // 2, columns // 2), which looks at the middle of an image of 33 pixels.
            ``"strongest"``: for each image the unit of the channel that responds most, wherever it is. Orientations
            are less exact there: the unit may answer to a part of the stimulus that lies beside its middle.
        batch_size: Images that are run at a time: a matter of memory only.

    Returns:
        Activations, without gradients.

    Raises:
        ValueError: ``at`` or ``batch_size`` is out of range; the layer does not exist, is a pattern, or has no rows and
            columns.

    Example:
        >>> stimuli = torch.arange(18.0).view(2, 1, 3, 3)
        >>> tuning_curve(nn.Sequential(nn.Identity()), "0", stimuli)
        tensor([[ 4., 13.]])
        >>> tuning_curve(nn.Sequential(nn.Identity()), "0", stimuli, at="strongest")
        tensor([[ 8., 17.]])

    Source:
        Cammarata et al., "Curve detectors", Distill 2020, "Synthetic curves".
    """
    check_recording(model, layer, at, batch_size)
    responses = []
    with torch.no_grad():
        for batch in stimuli.split(batch_size):
            activation = record(model, batch, layer)[layer]
            check_places(layer, activation)
            rows, columns = activation.shape[2:]
            centre = activation[:, :, rows // 2, columns // 2]
            responses.append(centre if at == "centre" else activation.amax(dim=(2, 3)))
    return torch.cat(responses).T


def joint_tuning(
    model: nn.Module,
    layer: str,
    make_stimuli: Callable[[Tensor, Tensor], Float[Tensor, "stimuli 3 height width"]],
    first: Float[Tensor, "first"],
    second: Float[Tensor, "second"],
    *,
    at: str = "centre",
    batch_size: int = 64,
) -> Float[Tensor, "channel first second"]:
    """The response of every channel to stimuli that differ in two things: is one liked whatever the other is?

    Args:
        model: A network in eval mode.
        layer: Name of one layer.
        make_stimuli: Takes values of the first and of the second parameter, equally many, and returns an image for
            each pair, for example ``lambda orientation, radius: draw_curve(orientation, radius)``.
        first: Values of the first parameter.
        second: Values of the second; each is paired with each of the first.
        at: As ``tuning_curve``.
        batch_size: As ``tuning_curve``.

    Returns:
        Activations, without gradients. Only the stimuli of one value of ``first`` are held at a time.

    Raises:
        ValueError: ``make_stimuli`` returns another number of images; or as ``tuning_curve``.

    Example:
        >>> model, product = nn.Sequential(nn.Identity()), lambda first, second: (first * second).view(-1, 1, 1, 1)
        >>> joint_tuning(model, "0", product, torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0, 5.0]))
        tensor([[[ 3.,  4.,  5.],
                 [ 6.,  8., 10.]]])

    Source:
        Cammarata et al., "Curve detectors", Distill 2020, "Joint tuning curves".
    """
    curves = []
    for value in first:
        stimuli = make_stimuli(value.expand(len(second)), second)
        if len(stimuli) != len(second):
            raise ValueError(f"make_stimuli: returned {len(stimuli)} images for {len(second)} pairs of values")
        curves.append(tuning_curve(model, layer, stimuli, at=at, batch_size=batch_size))
    return torch.stack(curves, dim=1)


def check_recording(model: nn.Module, layer: str, at: str, batch_size: int) -> None:
    """Refuse a layer that is none or several, a place that is none, or batches of nothing."""
    if (names := match_layers(model, layer, "layer")) != [layer]:
        raise ValueError(f"layer: '{layer}' is a pattern that fits {', '.join(names)}; name one layer")
    if at not in PLACES:
        raise ValueError(f"at: '{at}' is none of 'centre', 'strongest'")
    if batch_size < 1:
        raise ValueError(f"batch_size: {batch_size} is below 1; give a number of images")


def check_places(layer: str, activation: Tensor) -> None:
    """Refuse an activation without rows and columns."""
    if activation.ndim != 4:
        shape = tuple(activation.shape)
        raise ValueError(f"layer: '{layer}' puts out shape {shape}; name one with (batch, channel, rows, columns)")
