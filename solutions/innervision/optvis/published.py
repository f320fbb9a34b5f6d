"""Transforms as others published them, pixel for pixel, and the names that ``render`` knows them by.

``standard_transforms`` shrinks its border and shifts with small images; those here do not.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from innervision.optvis.transforms import (
    Images,
    Transform,
    compose,
    jitter,
    pad,
    random_rotate,
    random_scale,
    standard_transforms,
)


def lucid_transforms() -> Transform:
    """lucid's standard transforms: pad 12, jitter 8, scale ±10 % in steps of 2 %, rotate ±10°, jitter 4.

    Six in 26 turns are by 0°.

    Source:
        lucid, ``optvis/transform.py`` (``standard_transforms``), for its default image of 128 pixels. torch-lucent's
        transforms of the same names shift and shrink images into black instead of cutting them.
    """
    return compose(
        [
            pad(12),
            jitter(8),
            random_scale([1 + (i - 5) / 50 for i in range(11)]),
            random_rotate([*range(-10, 11), *[0] * 5]),
            jitter(4),
        ]
    )


def article_transforms() -> Transform:
    """The transforms of the article: pad 16, jitter 16, scale up to ±5 %, rotate ±5°, jitter 8, cut off the padding.

    The article does not say what the padding holds, nor how to cut when a factor below 1 has used it up: it is grey
    here, and cutting off leaves at most the image's own size.

    Source:
        Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017, the list of transforms in "The enemy of
        feature visualization"; there with 2,560 steps of Adam at 0.05.
    """
    change = compose(
        [
            pad(16),
            jitter(16),
            random_scale([1, 0.975, 1.025, 0.95, 1.05]),
            random_rotate(range(-5, 6)),
            jitter(8),
        ]
    )

    def changed_and_cut(images: Images, generator: torch.Generator) -> Images:
        return cut_to(images.shape[2:])(change(images, generator), generator)

    return changed_and_cut


def caricature_transforms() -> Transform:
    """lucid's transforms for caricatures: pad 8, jitter 8, every second time scale ±10 %, rotate -5° to 4°, jitter 2.

    Source:
        lucid, ``recipes/caricature.py``.
    """
    return compose(
        [
            pad(8),
            jitter(8),
            random_scale([0.9, 0.95, 1.05, 1.1, *[1.0] * 4]),
            random_rotate([*range(-5, 5), *[0] * 5]),
            jitter(2),
        ]
    )


def cut_to(size: tuple[int, ...]) -> Transform:
    """Cut out the middle.

    Args:
        size: ``(height, width)`` that are left; an axis that is shorter stays as it is.
    """

    def cut(images: Images, generator: torch.Generator) -> Images:
        top, left = (max(0, (have - want) // 2) for have, want in zip(images.shape[2:], size, strict=True))
        return images[:, :, top : top + size[0], left : left + size[1]]

    return cut


TRANSFORMS: dict[str, Callable[[int], Transform]] = {
    "standard": standard_transforms,
    "lucid": lambda side: lucid_transforms(),
    "article": lambda side: article_transforms(),
    "caricature": lambda side: caricature_transforms(),
    "none": lambda side: compose([]),
}
"""The transforms that ``render`` knows by name: ``name -> (shorter side in pixels -> transform)``."""
