"""Joint objectives: values by hand, algebra keeps the number of images, one score for each image."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.optvis.joint import Joint, alignment, diverse, diversity, images_wanted, interpolate, together
from innervision.optvis.objectives import Objective, channel


@pytest.fixture
def activations() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(6, 3, 2, 4, generator=generator, requires_grad=True) for name in ("a", "b")}


def test_interpolate_goes_from_one_to_the_other(activations: dict[str, Tensor]) -> None:
    row = interpolate("a:1", channel("b", 2), images=6)
    first, second = channel("a", 1)(activations), channel("b", 2)(activations)
    expected = torch.stack([(1 - i / 5) * first[i] + i / 5 * second[i] for i in range(6)])
    torch.testing.assert_close(row(activations), expected)
    assert row.images == images_wanted(row) == 6
    assert str(row) == "a:1 to b:2"
    (gradient,) = torch.autograd.grad(row(activations).sum(), activations["a"])
    assert torch.equal(gradient.flatten(1).abs().sum(dim=1) > 0, torch.tensor([True] * 5 + [False]))


def test_diversity_is_lower_for_images_of_one_style() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(1, 4, 3, 3, generator=generator)
    places = torch.randperm(9, generator=generator)
    moved = features.flatten(2)[:, :, places].view_as(features)  # other places, same style
    other = torch.rand(1, 4, 3, 3, generator=generator)
    same = diversity("a")({"a": torch.cat([features, 5 * moved])})
    torch.testing.assert_close(same, torch.tensor([-0.5, -0.5]))
    different = diversity("a")({"a": torch.cat([features, other])})
    assert (different > same + 0.01).all()


def test_diversity_by_hand() -> None:
    # Channels that share no place; in the second image only the first channel: Gram matrices diag(1, 4) and diag(9, 0).
    activations = torch.zeros(2, 2, 1, 2)
    activations[0, 0, 0, 0], activations[0, 1, 0, 1], activations[1, 0, 0, 1] = 1, 2, 3
    cosine = 9 / (17**0.5 * 9)
    torch.testing.assert_close(diversity("a")({"a": activations}), torch.full((2,), -cosine / 2))


def test_diversity_survives_a_silent_image() -> None:
    activations = torch.zeros(2, 3, 2, 2, requires_grad=True)
    value = diversity("a")({"a": activations})
    (gradient,) = torch.autograd.grad(value.sum(), activations)
    assert value.isfinite().all()
    assert gradient.isfinite().all()


def test_diverse_wants_several_images_of_one_objective(activations: dict[str, Tensor]) -> None:
    objective = diverse("a:1", images=6, weight=10)
    assert objective.images == 6
    expected = channel("a", 1)(activations) + 10 * diversity("a")(activations)
    torch.testing.assert_close(objective(activations), expected)
    assert str(objective) == "a:1 + 10 * diversity(a)"
    elsewhere = diverse(channel("a", 1), images=6, weight=10, layer="b")
    torch.testing.assert_close(elsewhere(activations), channel("a", 1)(activations) + 10 * diversity("b")(activations))


def test_alignment_by_hand() -> None:
    activations = {"a": torch.tensor([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1).expand(3, 2, 2, 2)}
    # Pairs one step apart: 1 and 4, halved for decay 2; two steps apart: 9, quartered. Half to each of the pair.
    pairs = {(0, 1): 1 / 2, (1, 2): 4 / 2, (0, 2): 9 / 4}
    expected = [-sum(cost for pair, cost in pairs.items() if i in pair) / 2 for i in range(3)]
    torch.testing.assert_close(alignment("a")(activations), torch.tensor(expected))
    near = [-sum(cost for pair, cost in pairs.items() if i in pair and pair != (0, 2)) / 2 for i in range(3)]
    torch.testing.assert_close(alignment("a", reach=1)(activations), torch.tensor(near))


def test_together_repeats_one_objective(activations: dict[str, Tensor]) -> None:
    objective = together("a:0", 6)
    assert objective.images == 6
    assert torch.equal(objective(activations), channel("a", 0)(activations))


def test_algebra_stays_joint(activations: dict[str, Tensor]) -> None:
    row, single = interpolate("a:0", "a:1", images=6), channel("b", 0)
    value, other = row(activations), single(activations)
    for objective, expected, name in [
        (row + single, value + other, "a:0 to a:1 + b:0"),
        (single + row, other + value, "b:0 + a:0 to a:1"),
        (row - single, value - other, "a:0 to a:1 - b:0"),
        (single - row, other - value, "b:0 - a:0 to a:1"),
        (2 * row, 2 * value, "2 * a:0 to a:1"),
        (row * 2, 2 * value, "2 * a:0 to a:1"),
        (row / 2, value / 2, "0.5 * a:0 to a:1"),
        (-row, -value, "-a:0 to a:1"),
        (1 - row, 1 - value, "-a:0 to a:1 + 1"),
        (row + 1, value + 1, "a:0 to a:1 + 1"),
        (row - 1, value - 1, "a:0 to a:1 + -1"),
        (sum([row, single, row]), 2 * value + other, "a:0 to a:1 + b:0 + a:0 to a:1"),
    ]:
        assert isinstance(objective, Joint)
        assert objective.images == 6
        torch.testing.assert_close(objective(activations), expected)
        assert str(objective) == name


def test_what_is_not_joint_is_for_one_image() -> None:
    assert images_wanted("a:1") == images_wanted(channel("a", 1)) == images_wanted(lambda activations: None) == 1
    assert not isinstance(channel("a", 1) + diversity("a"), Joint)
    assert isinstance(channel("a", 1) + diversity("a"), Objective)


def test_refusals() -> None:
    with refuses("images: 1 makes no path; give at least 2"):
        interpolate("a:0", "a:1", images=1)
    with refuses("images: 1 cannot differ from each other; give at least 2"):
        diverse("a:0", images=1)
    with refuses("layer: is missing; 'a:0' does not say where to compare images"):
        diverse(channel("a", 0))
    with refuses("images: 0 is too few; give a whole number, at least 1"):
        together("a:0", 0)
    with refuses("images: 'a:0' wants 2 and 'a:1' wants 3; make them equal"):
        together("a:0", 2) + together("a:1", 3)
    with pytest.raises(TypeError):
        together("a:0", 2) + "a:1"  # type: ignore[operator]
