"""Each technique of feature visualization once on mini, with few steps: a picture and not a grey square."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from innervision.activations import record
from innervision.data.sample import load_sample
from innervision.models import load
from innervision.models.inception import Inception
from innervision.optvis import (
    Beside,
    Fourier,
    Phase,
    activation_difference,
    against,
    alignment,
    boundary_complexity,
    caricature,
    channel,
    class_logit,
    color_correlation,
    cosine,
    direction,
    direction_unit,
    diverse,
    gram,
    interpolate,
    inversion,
    l1,
    l2,
    layer,
    mean_magnitudes,
    of_drawing,
    of_layer,
    transparent,
    unit,
)
from innervision.optvis.arguments import PARAMETRIZATIONS
from innervision.optvis.published import TRANSFORMS
from innervision.optvis.render import render

SIZE, STEPS = 32, 16
LEAST_CONTRAST = 0.02
"""Standard deviation over pixels, within each colour; 5 grey levels of 256. The first noise has 0.01 or less."""


@pytest.fixture(scope="module")
def mini() -> Inception:
    return load("mini")


@pytest.fixture(scope="module")
def photographs() -> Tensor:
    return load_sample().images / 255


def contrast(images: Tensor) -> Tensor:
    return images.std(dim=(2, 3)).mean(dim=1)


def shows_something(drawn: Any, count: int) -> bool:
    assert drawn.images.shape == (count, 3, SIZE, SIZE)
    assert drawn.images.isfinite().all()
    return bool((contrast(drawn.images) > LEAST_CONTRAST).all())


VECTOR = torch.linspace(-1, 1, 4)

OBJECTIVES: dict[str, tuple[Callable[[], Any], int]] = {
    "channel": (lambda: "mixed3b:5", 1),
    "unit": (lambda: unit("mixed3b", 5), 1),
    "layer": (lambda: layer("mixed4a"), 1),
    "negative": (lambda: -channel("mixed3b_1x1.conv", 5), 1),
    "interpolation": (lambda: interpolate("mixed3b:5", "mixed3b:7", images=3) + 0.1 * alignment("mixed3a"), 3),
    "diversity": (lambda: diverse("mixed4a:5", images=3), 3),
    "activation of a class": (lambda: class_logit("logits", 3), 1),
    "l1 and l2": (lambda: channel("mixed3b", 5) - 0.1 * of_drawing(partial(l1, center=0.5)) - 0.1 * of_drawing(l2), 1),
    "sparse layer": (lambda: channel("mixed3b", 5) - 0.1 * of_layer("mixed3a", l1), 1),
    "boundary": (lambda: unit("mixed3b", 5) - 1e-3 * of_drawing(partial(boundary_complexity, border=4)), 1),
}


@pytest.mark.parametrize("technique", OBJECTIVES)
def test_objectives(mini: Inception, technique: str) -> None:
    make, count = OBJECTIVES[technique]
    assert shows_something(render(mini, make(), size=SIZE, steps=STEPS), count)


@pytest.mark.parametrize("power", [0, 2])
def test_directions(mini: Inception, photographs: Tensor, power: int) -> None:
    activation = record(mini, photographs[:1], "mixed4a")["mixed4a"]
    vector = activation[0, :, 4, 4].detach()
    wanted = [direction("mixed4a", vector, power), direction_unit("mixed4a", vector, cosine_power=power)]
    assert shows_something(render(mini, [*wanted, cosine("mixed4a", vector)], size=SIZE, steps=STEPS), 3)


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_parametrizations(mini: Inception, name: str) -> None:
    asked = transparent("mixed3b:5") if name == "transparent" else channel("mixed3b", 5)
    drawn = render(mini, asked, size=SIZE, steps=STEPS, parametrization=name)
    assert shows_something(drawn, 1)
    assert (drawn.opacity is not None) is (name == "transparent")
    assert float(drawn.history[-4:].mean()) > float(drawn.history[:4].mean())


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(mini: Inception, name: str) -> None:
    assert shows_something(render(mini, "mixed3b:5", size=SIZE, steps=STEPS, transforms=name), 1)


def test_colours_and_magnitudes_from_data(mini: Inception, photographs: Tensor) -> None:
    for factory in (
        partial(Fourier, correlation=color_correlation(photographs)),
        partial(Phase, magnitudes=mean_magnitudes(photographs)),
    ):
        assert shows_something(render(mini, "mixed3b:5", size=SIZE, steps=STEPS, parametrization=factory), 1)


def test_comparing_with_a_picture(mini: Inception, photographs: Tensor) -> None:
    picture = photographs[:1]
    targets = record(mini, picture, ["conv2d2", "mixed3a"])
    alone = {"size": SIZE, "steps": STEPS, "transforms": []}
    style = activation_difference(targets, gram)
    for wanted in (
        inversion(targets),
        caricature(targets),
        caricature(targets, 4),
        -style,
        channel("mixed3b", 5) - style,
    ):
        assert shows_something(render(mini, wanted, **alone), 1)
    drawn = render(
        mini,
        against(caricature, ["conv2d2", "mixed3a"], cosine_power=4),
        size=SIZE,
        steps=STEPS,
        parametrization=partial(Beside, pictures=picture),
        transforms="caricature",
    )
    assert shows_something(drawn, 2)
    assert torch.equal(drawn.images[1:], picture)
