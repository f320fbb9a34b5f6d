"""Objectives: values by hand, algebra, names."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.optvis.objectives import IMAGE, Objective, channel, of_image, parse_objective, unit


@pytest.fixture
def activations() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "a": torch.randn(3, 4, 5, 6, generator=generator),
        "b": torch.randn(3, 2, 2, 3, generator=generator),
        IMAGE: torch.rand(3, 3, 8, 8, generator=generator),
    }


def test_channel_is_the_mean_over_positions(activations: dict[str, Tensor]) -> None:
    expected = torch.tensor([sum(image[2].flatten().tolist()) / 30 for image in activations["a"]])
    torch.testing.assert_close(channel("a", 2)(activations), expected, rtol=0, atol=1e-6)


def test_unit_is_one_position_and_the_centre_by_default(activations: dict[str, Tensor]) -> None:
    torch.testing.assert_close(unit("a", 1)(activations), activations["a"][:, 1, 2, 3])
    torch.testing.assert_close(unit("a", 1, 0, 5)(activations), activations["a"][:, 1, 0, 5])
    torch.testing.assert_close(unit("a", 1, row=0)(activations), activations["a"][:, 1, 0, 3])
    torch.testing.assert_close(unit("b", 1)(activations), activations["b"][:, 1, 1, 1])


def test_algebra(activations: dict[str, Tensor]) -> None:
    a, b = channel("a", 0), unit("b", 1)
    va, vb = a(activations), b(activations)
    for objective, value, name in [
        (a + b, va + vb, "a:0 + b:1@centre"),
        (a - b, va - vb, "a:0 - b:1@centre"),
        (2 * a, 2 * va, "2 * a:0"),
        (a * 0.5, va / 2, "0.5 * a:0"),
        (a / 4, va / 4, "0.25 * a:0"),
        (-(a + b), -va - vb, "-(a:0 + b:1@centre)"),
        (a - (b - 1), va - vb + 1, "a:0 - (b:1@centre + -1)"),
        (1 - a, 1 - va, "-a:0 + 1"),
        (sum([a, b, a]), va + vb + va, "a:0 + b:1@centre + a:0"),
    ]:
        assert isinstance(objective, Objective)
        torch.testing.assert_close(objective(activations), value)
        assert str(objective) == name


def test_algebra_with_something_else_is_refused() -> None:
    with pytest.raises(TypeError):
        channel("a", 0) + "b"  # type: ignore[operator]
    with pytest.raises(TypeError):
        channel("a", 0) * channel("a", 1)  # type: ignore[operator]


def test_of_image_reads_the_image(activations: dict[str, Tensor]) -> None:
    def brightness(images: Tensor) -> Tensor:
        return images.mean(dim=(1, 2, 3))

    objective = of_image(brightness)
    assert str(objective) == "brightness"
    torch.testing.assert_close(objective(activations), activations[IMAGE].mean(dim=(1, 2, 3)))


def test_parse_objective(activations: dict[str, Tensor]) -> None:
    torch.testing.assert_close(parse_objective("a:3")(activations), channel("a", 3)(activations))
    assert str(parse_objective("mixed3b_1x1.conv:12")) == "mixed3b_1x1.conv:12"


@pytest.mark.parametrize("text", ["mixed3b", "mixed3b:", ":5", "mixed3b:-1", "mixed3b:x", "", "mixed3b:٣"])
def test_parse_objective_refuses(text: str) -> None:
    with refuses(f"objective: '{text}' is not LAYER:CHANNEL, for example mixed3b:5"):
        parse_objective(text)


def test_what_an_objective_reads() -> None:
    a, b = channel("a", 0), unit("b", 1)
    nothing, unknown = (
        of_image(lambda images: images.mean(dim=(1, 2, 3))),
        Objective(lambda activations: activations["a"]),
    )
    for objective, reads in [
        (a, (("a", 0),)),
        (1 - 2 * a / 3, (("a", 0),)),
        (a - nothing + b, (("a", 0), ("b", 1))),
        (-nothing, ()),
        (a + unknown, None),
        (unknown - a, None),
    ]:
        assert objective.reads == reads
