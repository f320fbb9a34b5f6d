"""Gradient × activation, summed up by position or by channel, at one point or along a path."""

from __future__ import annotations

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor, nn

from innervision.attribution.gradients import Target, activation_and_gradient


def spatial_attribution(
    model: nn.Module,
    layer: str,
    images: Float[Tensor, "batch 3 height width"],
    target: Target,
    *,
    of: str | None = None,
    relaxed: bool = False,
) -> Float[Tensor, "batch rows columns"]:
    """How much does each position of a layer speak for an output?

    A position's share is the dot product of its activation and the output's gradient there: by how much the output
    would fall if this position went silent, as far as a straight line tells.

    Args:
        model: A network in eval mode.
        layer: A layer with activations ``(batch, channel, row, column)``, for example ``"mixed4a"``.
        images: In [0, 1].
        target: The class whose logit is explained, for all images or one for each; see ``Target``.
        of: A later layer whose channel number ``target`` is explained in place of a logit.
        relaxed: Let gradients pass max poolings smoothly; see ``relaxed_max_pooling``.

    Returns:
        One number for each image and position; negative where it speaks against.

    Raises:
        ValueError: As ``activation_and_gradient``.

    Example:
        >>> model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(6, 1, bias=False)).eval()
        >>> _ = model[2].weight.data.copy_(torch.arange(6.0))  # of 3 channels with 1 × 2 positions
        >>> spatial_attribution(model, "0", torch.ones(1, 3, 1, 2), 0)
        tensor([[[6., 9.]]])

    Source:
        Olah et al., "The building blocks of interpretability", Distill 2018, "Attribution".
    """
    activation, gradient = activation_and_gradient(model, layer, images, target, of=of, relaxed=relaxed)
    return (activation * gradient).sum(dim=1)


def channel_attribution(
    model: nn.Module,
    layer: str,
    images: Float[Tensor, "batch 3 height width"],
    target: Target,
    *,
    of: str | None = None,
    relaxed: bool = False,
) -> Float[Tensor, "batch channel"]:
    """How much does each channel of a layer speak for an output?

    The products of activation and gradient of ``spatial_attribution``, summed over the positions of each channel.

    Args:
        model: A network in eval mode.
        layer: A layer, for example ``"mixed4a"``.
        images: In [0, 1].
        target: The class whose logit is explained, for all images or one for each; see ``Target``.
        of: A later layer whose channel number ``target`` is explained in place of a logit.
        relaxed: Let gradients pass max poolings smoothly; see ``relaxed_max_pooling``.

    Returns:
        One number for each image and channel; negative where it speaks against.

    Raises:
        ValueError: As ``activation_and_gradient``.

    Example:
        >>> model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(6, 1, bias=False)).eval()
        >>> _ = model[2].weight.data.copy_(torch.arange(6.0))  # of 3 channels with 1 × 2 positions
        >>> channel_attribution(model, "0", torch.ones(1, 3, 1, 2), 0)
        tensor([[1., 5., 9.]])

    Source:
        Olah et al., "The building blocks of interpretability", Distill 2018, "Attribution".
    """
    activation, gradient = activation_and_gradient(model, layer, images, target, of=of, relaxed=relaxed)
    return reduce(activation * gradient, "batch channel ... -> batch channel", "sum")


def integrated_attribution(
    model: nn.Module,
    layer: str,
    images: Float[Tensor, "batch 3 height width"],
    target: Target,
    *,
    baseline: Float[Tensor, "*batch channel rows columns"] | None = None,
    steps: int = 64,
    of: str | None = None,
    relaxed: bool = False,
) -> Float[Tensor, "batch channel rows columns"]:
    """Attribution along a path: the gradient is the mean over many points between a baseline and the activation.

    One gradient tells what a small change does. Here the layer's activation is moved in a straight line from the
    baseline to what it is, and the gradient is taken at the middle of each of ``steps`` equal pieces. Then the
    attributions add up to the whole difference that the activation makes to the output (*completeness*): exactly
    with infinitely many steps, nearly with some.

    Args:
        model: A network in eval mode.
        layer: A layer, for example ``"mixed4a"``.
        images: In [0, 1].
        target: The class whose logit is explained, for all images or one for each; see ``Target``.
        baseline: Activation to start from, one for all images or one for each; by default 0: every channel silent.
        steps: Pieces of the path, ≥ 1.
        of: A later layer whose channel number ``target`` is explained in place of a logit.
        relaxed: Let gradients pass max poolings smoothly; completeness is then lost.

    Returns:
        One number for each number of the activation. Sum over dimension 1 for positions, over 2 and 3 for channels.

    Raises:
        ValueError: ``steps`` is below 1, the baseline's shape does not fit, or as ``activation_and_gradient``.

    Example:
        >>> model = nn.Sequential(nn.Identity(), nn.ReLU(), nn.Flatten()).eval()  # one number in, one out
        >>> images = torch.tensor([3.0]).view(1, 1, 1, 1)
        >>> integrated_attribution(model, "0", images, 0, baseline=-images, steps=4).flatten()  # 6 × half the way
        tensor([3.])

    Source:
        Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", 2017, sections 3 and 5.
    """
    end, _ = activation_and_gradient(model, layer, images, target, of=of)
    start = path_start(baseline, end, steps)
    total = torch.zeros_like(end)
    for step in range(steps):
        point = start + (step + 0.5) / steps * (end - start)
        total += activation_and_gradient(model, layer, images, target, of=of, activation=point, relaxed=relaxed)[1]
    return (end - start) * total / steps


def path_start(
    baseline: Float[Tensor, "*batch channel rows columns"] | None,
    end: Float[Tensor, "batch channel rows columns"],
    steps: int,
) -> Float[Tensor, "batch channel rows columns"]:
    """Where the path of ``integrated_attribution`` starts: the baseline, in the shape of the activation at its end.

    Args:
        baseline: One for all images or one for each; None for 0 everywhere.
        end: The layer's activation.
        steps: Pieces of the path, ≥ 1.

    Raises:
        ValueError: ``steps`` is below 1; the baseline's shape does not fit.

    Example:
        >>> path_start(torch.ones(3, 1, 2), end=torch.rand(5, 3, 1, 2), steps=1).shape
        torch.Size([5, 3, 1, 2])
    """
    if steps < 1:
        raise ValueError(f"steps: {steps} is too few; give a whole number, at least 1")
    if baseline is None:
        return torch.zeros_like(end)
    if baseline.shape not in (end.shape, end.shape[1:]):
        raise ValueError(
            f"baseline: shape {tuple(baseline.shape)} does not fit; the layer's activation has {tuple(end.shape)}"
        )
    return baseline.to(end).expand_as(end)
