"""What render makes of its arguments: names, options, settings."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from tests.unit.refusals import refuses
from torch import nn

from innervision.optvis.arguments import (
    PARAMETRIZATIONS,
    chosen_parametrization,
    chosen_transform,
    describe,
    name_of,
    onto_backgrounds,
)
from innervision.optvis.parametrizations import Fourier, ParametrizationFactory
from innervision.optvis.published import TRANSFORMS
from innervision.optvis.transforms import jitter, pad
from innervision.optvis.transparency import Transparent, on_random_backgrounds

MODEL = nn.Conv2d(3, 2, 1)


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_every_name_makes_the_images_asked_for(name: str) -> None:
    drawing = chosen_parametrization(MODEL, name, 3, (10, 12), torch.Generator().manual_seed(0))
    assert drawing.image().shape == (3, 4 if name == "transparent" else 3, 10, 12)
    again = chosen_parametrization(MODEL, name, 3, (10, 12), torch.Generator().manual_seed(0))
    assert torch.equal(drawing.image(), again.image())


@pytest.mark.parametrize("parametrization", [*PARAMETRIZATIONS, partial(Fourier, decorrelate=False)])
def test_everything_lives_on_the_networks_device(parametrization: str | ParametrizationFactory) -> None:
    """The device "meta" computes no numbers, but like any other it refuses tensors from elsewhere."""
    model, source = nn.Conv2d(3, 2, 1, device="meta"), torch.Generator().manual_seed(0)
    drawing = chosen_parametrization(model, parametrization, 2, (8, 8), source)
    assert {parameter.device.type for parameter in drawing.parameters()} == {"meta"}
    image = drawing.image()
    assert image.device.type == "meta"
    if parametrization == "transparent":
        assert on_random_backgrounds(image, source).device.type == "meta"


def test_a_device_that_was_chosen_stays() -> None:
    model = nn.Conv2d(3, 2, 1, device="meta")
    drawing = chosen_parametrization(model, partial(Fourier, device="cpu"), 1, (4, 4), torch.Generator())
    assert drawing.image().device.type == "cpu"


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_name_of_transforms(name: str) -> None:
    transform = chosen_transform(name, 32)
    images = torch.rand(1, 3, 32, 32)
    expected = TRANSFORMS[name](32)(images, torch.Generator().manual_seed(0))
    assert torch.equal(transform(images, torch.Generator().manual_seed(0)), expected)


def test_no_transforms_asked_for_means_standard_ones() -> None:
    images = torch.rand(1, 3, 32, 32)
    shown = [chosen_transform(asked, 32)(images, torch.Generator().manual_seed(0)) for asked in (None, "standard")]
    assert torch.equal(*shown)


def test_unknown_names() -> None:
    with refuses(
        "transforms: 'lucent' is unknown; give 'standard', 'lucid', 'article', 'caricature' or 'none', or functions"
    ):
        chosen_transform("lucent", 32)
    with refuses(
        "parametrization: 'foo' is unknown; give 'fourier', 'pixel', 'low-resolution', 'laplacian', 'shared', 'cppn', "
        "'phase' or 'transparent', or a function"
    ):
        chosen_parametrization(MODEL, "foo", 1, (4, 4), torch.Generator())
    with refuses("parametrization: makes 1 images for 2 objectives; make one each"):
        chosen_parametrization(MODEL, lambda *_: Fourier(1, (4, 4), torch.Generator()), 2, (4, 4), torch.Generator())


def test_only_drawings_with_opacity_are_laid_on_backgrounds() -> None:
    transform, source = jitter(2), torch.Generator()
    assert onto_backgrounds(transform, Fourier(1, (8, 8), source)) is transform
    drawing = Transparent(1, (8, 8), source)
    assert onto_backgrounds(transform, drawing)(drawing.image(), source).shape == (1, 3, 6, 6)


def test_settings_name_functions_and_options() -> None:
    assert name_of(Fourier) == "Fourier"
    assert (
        name_of(partial(Fourier, correlation=torch.eye(3), decorrelate=True)) == "Fourier(correlation=…, decorrelate=…)"
    )
    settings = describe(
        size=(8, 9), parametrization=Fourier, transforms=[pad(1), jitter(1)], seed=3, generator=None, steps=5
    )
    assert settings == {
        "size": [8, 9],
        "parametrization": "Fourier",
        "transforms": ["pad.<locals>.padded", "jitter.<locals>.jittered"],
        "seed": 3,
        "steps": 5,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    named = describe(
        size=(8, 9), parametrization="cppn", transforms="lucid", seed=3, generator=torch.Generator().manual_seed(7)
    )
    assert (named["parametrization"], named["transforms"]) == ("cppn", "lucid")
    assert named["seed"] == "generator with initial seed 7"
