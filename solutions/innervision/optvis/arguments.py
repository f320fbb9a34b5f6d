"""What ``render`` makes of its arguments: names become things, wrong ones a sentence, all of them settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from innervision.optvis.cppn import CPPN
from innervision.optvis.parametrizations import (
    Fourier,
    Parametrization,
    ParametrizationFactory,
    Pixel,
    device_option,
)
from innervision.optvis.phase import Phase
from innervision.optvis.published import TRANSFORMS
from innervision.optvis.pyramids import LaplacianPyramid, LowResolution, Shared
from innervision.optvis.transforms import Images, Transform, compose, standard_transforms
from innervision.optvis.transparency import Transparent, is_transparent, on_random_backgrounds

PARAMETRIZATIONS: dict[str, ParametrizationFactory] = {
    "fourier": Fourier,
    "pixel": Pixel,
    "low-resolution": LowResolution,
    "laplacian": LaplacianPyramid,
    "shared": Shared,
    "cppn": CPPN,
    "phase": Phase,
    "transparent": Transparent,
}
"""The parametrizations that ``render`` knows by name. Options go in with ``functools.partial``:
``partial(Fourier, correlation=color_correlation(photographs))`` draws in the colours of those photographs."""

ChosenTransforms = str | Transform | Sequence[Transform] | None


def chosen_size(model: nn.Module, size: int | tuple[int, int] | None) -> tuple[int, int]:
    """Height and width; by default twice the size that the network was trained on, at most 128.

    Raises:
        ValueError: Not whole numbers, at least 1.
    """
    if size is None:
        trained_on = getattr(getattr(model, "architecture", None), "image_size", None)
        size = 128 if trained_on is None else min(2 * trained_on, 128)
    height, width = (size, size) if isinstance(size, int) else size
    if not (isinstance(height, int) and isinstance(width, int) and height >= 1 and width >= 1):
        raise ValueError(f"size: {size} is no size; give whole numbers of pixels, at least 1")
    return height, width


def check_numbers(*, steps: int, learning_rate: float, redirect_steps: int) -> None:
    """Refuse numbers that ``render`` cannot use.

    Raises:
        ValueError: One is out of range.
    """
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps: {steps} is too few; give a whole number, at least 1")
    if not learning_rate > 0:
        raise ValueError(f"learning_rate: {learning_rate} does not climb; give a number above 0")
    if not isinstance(redirect_steps, int) or redirect_steps < 0:
        raise ValueError(f"redirect_steps: {redirect_steps} is no count; give a whole number, at least 0")


PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def chosen_precision(precision: str) -> torch.dtype:
    """The numbers that the network computes with.

    Raises:
        ValueError: The name is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: '{precision}' is unknown; give {_quoted(PRECISIONS)}")
    return PRECISIONS[precision]


def chosen_parametrization(
    model: nn.Module,
    parametrization: str | ParametrizationFactory,
    count: int,
    shape: tuple[int, int],
    generator: torch.Generator,
) -> Parametrization:
    """``count`` images of a parametrization, on the network's device if it can be told.

    Raises:
        ValueError: The name is unknown, or the function makes another number of images.
    """
    if isinstance(parametrization, str):
        if parametrization not in PARAMETRIZATIONS:
            raise ValueError(
                f"parametrization: '{parametrization}' is unknown; give {_quoted(PARAMETRIZATIONS)}, or a function"
            )
        parametrization = PARAMETRIZATIONS[parametrization]
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    drawing = parametrization(count, shape, generator, **device_option(parametrization, device))
    if len(drawing.image()) != count:
        raise ValueError(f"parametrization: makes {len(drawing.image())} images for {count} objectives; make one each")
    return drawing


def chosen_transform(transforms: ChosenTransforms, side: int) -> Transform:
    """The transform that ``render`` was asked for.

    Raises:
        ValueError: The name is unknown.
    """
    if transforms is None:
        return standard_transforms(side)
    if isinstance(transforms, str):
        if transforms not in TRANSFORMS:
            raise ValueError(f"transforms: '{transforms}' is unknown; give {_quoted(TRANSFORMS)}, or functions")
        return TRANSFORMS[transforms](side)
    return transforms if callable(transforms) else compose(list(transforms))


def onto_backgrounds(transform: Transform, drawing: Parametrization) -> Transform:
    """The transform, followed by random backgrounds for a drawing that one can see through."""
    return compose([transform, on_random_backgrounds]) if is_transparent(drawing) else transform


def describe(
    *,
    size: tuple[int, int],
    parametrization: str | ParametrizationFactory,
    transforms: ChosenTransforms,
    seed: int,
    generator: torch.Generator | None,
    **others: float | str,
) -> dict[str, Any]:
    """The settings: everything needed to make the same drawing again."""
    return {
        "size": list(size),
        "parametrization": parametrization if isinstance(parametrization, str) else name_of(parametrization),
        "transforms": _described(transforms, min(size)),
        "seed": seed if generator is None else f"generator with initial seed {generator.initial_seed()}",
        **others,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _described(transforms: ChosenTransforms, side: int) -> str | list[str]:
    if transforms is None:
        return f"standard_transforms({side})"
    if isinstance(transforms, str):
        return transforms
    return name_of(transforms) if callable(transforms) else [name_of(transform) for transform in transforms]


def name_of(function: Callable[..., Any]) -> str:
    """For the settings; a ``partial`` with the names of its options."""
    if isinstance(function, partial):
        return f"{name_of(function.func)}({', '.join(f'{option}=…' for option in function.keywords)})"
    return getattr(function, "__qualname__", type(function).__name__)


def transformed(transform: Transform, images: Images, generator: torch.Generator, channels: int) -> Images:
    """Images under a transform.

    Raises:
        ValueError: What comes out is no batch of images of so many channels.
    """
    shown = transform(images, generator)
    if shown.ndim != 4 or shown.shape[:2] != (len(images), channels) or 0 in shown.shape:
        raise ValueError(
            f"transforms: turn images of shape {tuple(images.shape)} into {tuple(shown.shape)}; "
            "keep batch and colours, and at least one pixel"
        )
    return shown


def _quoted(names: dict[str, Any]) -> str:
    *most, last = (f"'{name}'" for name in names)
    return f"{', '.join(most)} or {last}"
