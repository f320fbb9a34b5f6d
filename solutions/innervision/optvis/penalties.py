"""Penalties: numbers that are large for images that one does not want."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def total_variation(images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch"]:
    """How restless is an image? The mean difference between neighbouring pixels.

    Args:
        images: At least 2×2 pixels each.

    Returns:
        One number per image: the mean absolute difference between each pixel and the one below it, plus the
        mean absolute difference between each pixel and the one to its right. Means run over all three
        colours. 0 for a plain image.

    Example:
        >>> import torch
        >>> stripes = torch.tensor([0.0, 1.0, 0.0]).expand(1, 3, 4, 3)  # columns black, white, black
        >>> total_variation(stripes)
        tensor([1.])

    Source:
        Rudin, Osher, Fatemi, "Nonlinear total variation based noise removal algorithms", 1992 (here with
        absolute differences, along each axis by itself); Mahendran, Vedaldi, "Understanding deep image
        representations by inverting them", 2015 (as a penalty on optimised images).
    """
    below = images[..., 1:, :] - images[..., :-1, :]
    right = images[..., :, 1:] - images[..., :, :-1]
    return below.abs().mean(dim=(1, 2, 3)) + right.abs().mean(dim=(1, 2, 3))


def l1(values: Float[Tensor, "batch ..."], center: float = 0.0) -> Float[Tensor, "batch"]:
    """The mean absolute distance from a value, per image; for images ``center=0.5`` is grey.

    Args:
        values: An image or an activation, any further axes.
        center: What is not punished.

    Source:
        lucid, ``optvis/objectives.py`` (``L1``), which sums: its value is ours times the number of values of an image.
    """
    return (values - center).abs().flatten(1).mean(dim=1)


def l2(values: Float[Tensor, "batch ..."], center: float = 0.0) -> Float[Tensor, "batch"]:
    """The root of the mean squared distance from a value, per image; for images ``center=0.5`` is grey.

    Args:
        values: An image or an activation, any further axes.
        center: What is not punished.

    Source:
        lucid, ``optvis/objectives.py`` (``L2``), which sums: its value is ours times the root of the number of values
        of an image. Its 1e-6 under the root keeps the gradient finite at 0, here divided by the number of values.
    """
    squares = (values - center).square().flatten(1)
    return (squares.mean(dim=1) + 1e-6 / squares.shape[1]).sqrt()


def blur_distance(images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch"]:
    """Half the squared distance of an image from its own blur.

    Climbing against it with step k mixes the blur into the image: image ← (1 - k) · image + k · blur(image). So
    ``channel(…) - k * of_drawing(blur_distance)`` blurs a little in every step.

    Args:
        images: Any range.

    Returns:
        One sum per image, over all its numbers. Gradients do not pass through the blur.

    Source:
        lucid, ``optvis/objectives.py`` (``blur_input_each_step``: 3 × 3, with ½ around the middle); Nguyen, Yosinski,
        Clune, "Deep neural networks are easily fooled", 2015.
    """
    return 0.5 * (images - blur(images, 3).detach()).square().sum(dim=(1, 2, 3))


def boundary_complexity(
    images: Float[Tensor, "batch channel height width"], border: int = 20, center: float = 0.5
) -> Float[Tensor, "batch"]:
    """How much is going on at an image's border? For icons whose subject stands in the middle.

    Args:
        images: Any range.
        border: Width of the border in pixels, ≥ 1; half the image or more means all of it.
        center: The colour that the border may have.

    Returns:
        One sum per image, over the border: squared distance from its blur plus 0.8 times the squared distance from
        ``center``.

    Source:
        lucid, ``optvis/objectives.py`` (``penalize_boundary_complexity``, with the same widths and weights, and the
        other sign). Its activation atlas uses a border of 5 pixels for icons of 80.
    """
    restless = (blur(images, 5) - images).square() + 0.8 * (images - center).square()
    counts = torch.ones_like(images)
    counts[..., border:-border, border:-border] = 0
    return (restless * counts).sum(dim=(1, 2, 3))


def blur(
    images: Float[Tensor, "batch channel height width"], width: int
) -> Float[Tensor, "batch channel height width"]:
    """Each pixel's mean over a square around it, in which the outermost ring counts half; as many as lie inside.

    Args:
        images: Any range.
        width: Side of the square in pixels, odd.

    Source:
        lucid, ``optvis/objectives.py`` (``_tf_blur``).
    """
    kernel = torch.full((width, width), 0.5)
    kernel[1:-1, 1:-1] = 1.0
    weight = kernel.to(images).expand(images.shape[1], 1, width, width)
    sums, counts = (
        F.conv2d(values, weight, padding=width // 2, groups=images.shape[1])
        for values in (images, torch.ones_like(images))
    )
    return sums / counts
