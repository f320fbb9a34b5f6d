"""Small random changes that a drawing must survive: shifts, sizes, turns.

A transform is ``transform(images, generator) -> images``. It draws once per call, for the whole batch, and only
from the generator: the same generator state gives the same transform. Output sizes may differ from input sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "batch 3 height width"]
Transform = Callable[[Images, torch.Generator], Images]

GREY = 0.5
"""What lies outside an image. Source: lucid's ``pad(…, constant_value=.5)``."""


def pad(pixels: int) -> Transform:
    """Surround images by grey.

    Args:
        pixels: Width of the border on each side, ≥ 0.
    """

    def padded(images: Images, generator: torch.Generator) -> Images:
        return F.pad(images, (pixels,) * 4, value=GREY)

    return padded


def jitter(pixels: int) -> Transform:
    """Shift images by cutting them at a random place.

    A crop, not a shift that fills with black: what is shown is always image.

    Args:
        pixels: How many pixels smaller the output is, in height and in width, ≥ 0 and less than both.

    Returns:
        A transform. It cuts out ``(height - pixels, width - pixels)``, the same place for the whole batch. Its
        first row and its first column are drawn apart, each 0, 1, … or ``pixels``, all equally likely.

    Example:
        >>> images = torch.rand(2, 3, 10, 12)
        >>> jitter(4)(images, torch.Generator().manual_seed(0)).shape
        torch.Size([2, 3, 6, 8])

    Source:
        lucid, ``optvis/transform.py``; Mordvintsev, Olah, Tyka, "Inceptionism", 2015.
    """

    def jittered(images: Images, generator: torch.Generator) -> Images:
        height, width = images.shape[2] - pixels, images.shape[3] - pixels
        row, column = torch.randint(pixels + 1, (2,), generator=generator).tolist()
        return images[:, :, row : row + height, column : column + width]

    return jittered


def random_scale(factors: Sequence[float]) -> Transform:
    """Make images a little larger or smaller.

    Args:
        factors: Factors to draw from, each equally likely, > 0; 1.0 leaves the size as it is.

    Returns:
        A transform. It draws one factor for the whole batch and resizes the images, bilinearly, to
        ``(int(height * factor), int(width * factor))``.

    Example:
        >>> images = torch.rand(2, 3, 10, 20)
        >>> random_scale([1.5])(images, torch.Generator().manual_seed(0)).shape
        torch.Size([2, 3, 15, 30])

    Source:
        lucid, ``optvis/transform.py``.
    """

    def scaled(images: Images, generator: torch.Generator) -> Images:
        factor = factors[int(torch.randint(len(factors), (), generator=generator))]
        size = (int(images.shape[2] * factor), int(images.shape[3] * factor))
        return F.interpolate(images, size=size, mode="bilinear", align_corners=False)

    return scaled


def random_rotate(degrees: Sequence[float]) -> Transform:
    """Turn images a little around their centre.

    Args:
        degrees: Angles to draw from, each equally likely; positive turns counter-clockwise as one looks at it.

    Returns:
        A transform. It draws one angle for the whole batch and turns the images around their centre,
        bilinearly, keeping their size. What comes in from outside is grey: 0.5.

        With ``F.affine_grid`` and ``F.grid_sample``: row one of the 2×3 matrix is (cos, -sin · height / width, 0),
        row two (sin · width / height, cos, 0), since both count from -1 to 1 across an axis of any length.

    Example:
        >>> images = torch.rand(2, 3, 10, 10)
        >>> turned = random_rotate([90])(images, torch.Generator().manual_seed(0))
        >>> torch.allclose(turned, images.rot90(1, dims=(2, 3)), atol=1e-5)
        True

    Source:
        lucid, ``optvis/transform.py``.
    """

    def rotated(images: Images, generator: torch.Generator) -> Images:
        angle = math.radians(degrees[int(torch.randint(len(degrees), (), generator=generator))])
        height, width = images.shape[2:]
        cos, sin = math.cos(angle), math.sin(angle)
        matrix = torch.tensor([[cos, -sin * height / width, 0.0], [sin * width / height, cos, 0.0]])
        matrix = matrix.to(images).expand(len(images), 2, 3)
        grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
        return F.grid_sample(images - 0.5, grid, align_corners=False) + 0.5  # zeros outside become grey

    return rotated


def compose(transforms: Sequence[Transform]) -> Transform:
    """Several transforms, one after the other, as one.

    Args:
        transforms: Applied from first to last, each to what the one before it returned; all draw from the
            same generator. None at all leaves images unchanged.

    Returns:
        A transform.

    Example:
        >>> images = torch.rand(1, 3, 10, 10)
        >>> compose([pad(3), jitter(6)])(images, torch.Generator().manual_seed(0)).shape
        torch.Size([1, 3, 10, 10])
    """

    def composed(images: Images, generator: torch.Generator) -> Images:
        for transform in transforms:
            images = transform(images, generator)
        return images

    return composed


def standard_transforms(size: int = 128) -> Transform:
    """lucid's standard transforms: pad 12, jitter 8, scale ±10 %, rotate ±10°, jitter 4, for images of 128 pixels.

    Args:
        size: Shorter side of the images in pixels, ≥ 1. The border shrinks with it, since 12 pixels around an
            image of 32 would be two thirds of the picture. The shifts shrink too, but not below 4 and 2 pixels (in
            images of 16 or more): a network's own grid of strides does not shrink with the image, and shifts have
            to cross it.

    Source:
        lucid, ``optvis/transform.py`` (``standard_transforms``), made for its default image of 128 pixels. Here they
        are ``one_pose``: the same five draws, one interpolation.
    """
    border = max(1, round(12 * size / 128))
    first = max(round(8 * size / 128), min(4, size // 4))
    second = max(round(4 * size / 128), min(2, size // 8))
    factors = [1 + (i - 5) / 50 for i in range(11)]
    return one_pose(border, first, factors, [*range(-10, 11), 0, 0, 0, 0, 0], second)


def one_pose(border: int, first: int, factors: Sequence[float], degrees: Sequence[float], second: int) -> Transform:
    """Pad, jitter, scale, rotate and jitter in one go: a third of the time, and the image is interpolated once.

    Draws what ``compose([pad(border), jitter(first), random_scale(factors), random_rotate(degrees),
    jitter(second)])`` draws, in the same order, and shows the same piece of the image in the same size. That one
    interpolates twice, which blurs a little, and hides under grey what its first jitter has cut off.

    Args:
        border: As in ``pad``, in pixels.
        first: As in ``jitter``, in pixels.
        factors: As in ``random_scale``.
        degrees: As in ``random_rotate``.
        second: As in ``jitter``, in pixels.
    """

    def posed(images: Images, generator: torch.Generator) -> Images:
        def draw(count: int, *shape: int) -> list[int]:
            return torch.randint(count, shape or (1,), generator=generator).tolist()

        top, left = draw(first + 1, 2)
        factor, angle = factors[draw(len(factors))[0]], math.radians(degrees[draw(len(degrees))[0]])
        row, column = draw(second + 1, 2)
        height, width = images.shape[2:]
        cut = (width + 2 * border - first, height + 2 * border - first)
        scaled = tuple(int(side * factor) for side in cut)
        shown = tuple(side - second for side in scaled)
        # Read from the last step to the first: from a place in what is shown back to a place in the image.
        steps = [
            _moved(2 / width, 2 / height, -1, -1),  # pixels to the -1 … 1 that grid_sample wants
            _moved(1, 1, left - border + cut[0] / 2, top - border + cut[1] / 2),
            _moved(cut[0] / scaled[0], cut[1] / scaled[1], 0, 0),
            _turned(angle),
            _moved(shown[0] / 2, shown[1] / 2, (shown[0] - scaled[0]) / 2 + column, (shown[1] - scaled[1]) / 2 + row),
        ]
        matrix = torch.linalg.multi_dot(steps)[:2].to(images)
        grid = F.affine_grid(matrix[None], [1, 3, shown[1], shown[0]], align_corners=False)
        return F.grid_sample(images - GREY, grid.expand(len(images), -1, -1, -1), align_corners=False) + GREY

    return posed


def _moved(across: float, down: float, right: float, below: float) -> Float[Tensor, "3 3"]:
    """Stretch, then shift, for columns (x, y, 1)."""
    return torch.tensor([[across, 0, right], [0, down, below], [0, 0, 1]], dtype=torch.float64)


def _turned(angle: float) -> Float[Tensor, "3 3"]:
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], dtype=torch.float64)


def unseen_transforms(size: int = 128) -> Transform:
    """Transforms that ``standard_transforms`` never makes: sizes ±15 to 20 % and turns of 12° to 20°.

    For measuring whether a drawing excites its unit only in the poses it was optimised in.

    Args:
        size: Shorter side of the images in pixels, as in ``standard_transforms``.
    """
    border, shift = (max(1, round(pixels * size / 128)) for pixels in (12, 12))
    turns = [float(angle) for angle in range(12, 21)]
    return compose(
        [
            pad(border),
            jitter(shift),
            random_scale([0.80, 0.85, 1.15, 1.20]),
            random_rotate([*turns, *(-angle for angle in turns)]),
        ]
    )
