"""Selected channels: the whole layer's own numbers for less work, and the whole layer wherever anybody looks at it.

In float64, because in float32 a rectifier's input of 1e-9 may be rounded to either side.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from benchmarks.products import products
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision.activations import edit, record
from innervision.models import EfficientNetLite, Inception, LiteArchitecture, load
from innervision.models.architectures import Architecture, Convolution, Mixed, Pool
from innervision.models.efficientnet import Stage
from innervision.optvis.joint import together
from innervision.optvis.objectives import Objective, channel, of_image, unit
from innervision.optvis.penalties import total_variation
from innervision.optvis.rectifiers import redirect_rectifiers
from innervision.optvis.scoring import Scorer, frozen
from innervision.optvis.selected import selected_channels

PLAIN = ((0.5,) * 3, (2.0,) * 3)
BLOCKS = (
    Mixed("one", 3, 2, 4, 2, 3, 2),
    Pool("pool"),
    Mixed("two", 2, 3, 5, 2, 4, 3),
    Mixed("three", 1, 1, 1, 1, 1, 1),
)
INCEPTION = Architecture((Convolution("first", 4, 3), Convolution("second", 5, 3, 2), *BLOCKS), 2, *PLAIN, "logits", 8)  # type: ignore[arg-type]
LITE = LiteArchitecture(4, (Stage(2, 3, 1, 1, 3), Stage(2, 5, 2, 2, 5)), 6, 2, *PLAIN, 8)  # type: ignore[arg-type]


@pytest.fixture
def inception() -> Inception:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Inception(INCEPTION).double().eval()
    with torch.no_grad():
        for _, layer in network.convolution_layers():
            layer.conv.bias += 0.5  # so that no rectifier blocks everything
    return network


@pytest.fixture
def lite() -> EfficientNetLite:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return EfficientNetLite(LITE).double().eval()


def noise(count: int) -> Tensor:
    return torch.rand(count, 3, 9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def whole(model: nn.Module, layer: str, channels: list[int], images: Tensor) -> tuple[Tensor, Tensor]:
    """Each image's channel mean in the whole activation, and the gradients of their sum."""
    images = images.clone().requires_grad_(True)
    activation = record(model, images, layer)[layer]
    means = torch.stack([activation[image, number].mean() for image, number in enumerate(channels)])
    return means.detach(), torch.autograd.grad(means.sum(), images)[0]


def scored(model: nn.Module, layer: str, channels: list[int], images: Tensor) -> tuple[Tensor, Tensor]:
    """The same by a scorer."""
    scorer = Scorer(model, [channel(layer, number) for number in channels], images)
    images = images.clone().requires_grad_(True)
    scores = scorer(images)
    return scores.detach(), torch.autograd.grad(scores.sum(), images)[0]


def assert_alike(found: tuple[Tensor, Tensor], expected: tuple[Tensor, Tensor]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("network", "layer", "width"),
    [
        ("inception", "second", 5),
        ("inception", "one", 12),
        ("inception", "two", 14),
        ("inception", "three", 4),
        ("lite", "block1a", 3),
        ("lite", "block1b", 3),
        ("lite", "block2a", 5),
        ("lite", "block2b", 5),
    ],
)
def test_every_channel_has_the_numbers_of_the_whole_layer(
    request: pytest.FixtureRequest, network: str, layer: str, width: int
) -> None:
    model = request.getfixturevalue(network)
    mixed_up = torch.randperm(width, generator=torch.Generator().manual_seed(2)).tolist()
    for channels in (list(range(width)), mixed_up, [*mixed_up, *mixed_up], [width - 1] * 3, [-1, -width]):
        images = noise(len(channels))
        found = selected_channels(model, images, layer, channels)
        assert found is not None
        assert found[0].shape[1] == 1
        assert found[1] == width
        assert_alike(scored(model, layer, channels, images), whole(model, layer, channels, images))


def test_every_channel_of_mini() -> None:
    mini = load("mini").double()
    channels, images = list(range(192)), noise(192)
    assert_alike(scored(mini, "mixed3b", channels, images), whole(mini, "mixed3b", channels, images))


def test_only_the_filters_asked_for_are_computed(inception: Inception) -> None:
    images = noise(3)
    layers = ["one:3", "one:5", "one:11"]  # two of the 3×3 branch, one of the pool branch
    scorer = Scorer(inception, layers, images)
    places = 5 * 4
    source = products(lambda: record(inception, images, "second"))
    three = 2 * (5 * 2 + 2 * 9 * 2)  # both images: the bottleneck of two filters, then two filters of 3×3
    pool = 5  # one filter of 1×1
    assert products(lambda: scorer(images)) - source == places * (three + pool)
    all_filters = 5 * 3 + (5 * 2 + 2 * 9 * 4) + (5 * 2 + 2 * 25 * 3) + 5 * 2
    assert products(lambda: record(inception, images, "one")) - source == places * 3 * all_filters


def test_one_objective_for_all_and_objectives_of_a_unit(inception: Inception) -> None:
    images = noise(4)
    activation = record(inception, images, "two")["two"]
    penalty = total_variation(images)
    for objective, expected in [
        (channel("two", 9), activation[:, 9].mean(dim=(1, 2))),
        (unit("two", 9, 1, 0), activation[:, 9, 1, 0]),
        (unit("two", 2), activation[:, 2, 1, 1]),
        (3 - 2 * channel("two", -1), 3 - 2 * activation[:, 13].mean(dim=(1, 2))),
        (-unit("two", 4) - 0.1 * of_image(total_variation), -activation[:, 4, 1, 1] - 0.1 * penalty),
    ]:
        scorer = Scorer(inception, objective, images)
        assert products(lambda scorer=scorer: scorer(images)) < products(lambda: record(inception, images, "two"))
        torch.testing.assert_close(scorer(images), expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(Scorer(inception, [objective] * 4, images)(images), expected, rtol=0, atol=1e-12)


def undeclared(activations: dict[str, Tensor]) -> Tensor:
    return activations["two"][:, 3].mean(dim=(1, 2))


@pytest.mark.parametrize(
    "objectives",
    [
        [channel("two", 3) + channel("two", 4)] * 4,
        [channel("two", 3) + channel("one", 3)] * 4,
        ["two:3", "one:3", "two:4", "one:4"],
        [undeclared] * 4,
        ["two:3", "two:4", together("two:5", 2)],
        together("two:5", 4),
        [Objective(undeclared) - channel("two", 2)] * 4,
    ],
)
def test_whoever_reads_more_than_a_channel_gets_the_whole_layer(inception: Inception, objectives: object) -> None:
    images = noise(4)
    scorer = Scorer(inception, objectives, images)  # type: ignore[arg-type]
    assert products(lambda: scorer(images)) == products(lambda: record(inception, images, "two"))


EDITED = [
    "three",
    "three_1x1",
    "three_3x3_bottleneck",
    "three_3x3.conv",
    "three_5x5.relu",
    "three_pool",
    "two",
    "one_5x5",
]


@pytest.mark.parametrize("layer", EDITED)
def test_edits_have_their_effect(inception: Inception, layer: str) -> None:
    channels, images = [0, 1, 2, 3], noise(4)
    before = whole(inception, "three", channels, images)
    with edit(inception, {layer: lambda activation: 0.5 * activation.flip(0) + 0.1}):
        expected = whole(inception, "three", channels, images)
        assert not torch.equal(expected[0], before[0])
        assert_alike(scored(inception, "three", channels, images), expected)
    assert_alike(scored(inception, "three", channels, images), before)


def test_whoever_watches_sees_the_whole_layer(inception: Inception) -> None:
    images, part, joint = noise(2), inception.three_3x3, inception.three
    scorer = Scorer(inception, ["three:0", "three:1"], images)
    seen: list[tuple[int, ...]] = []
    note = lambda module, given, *output: seen.append(tuple(given[0].shape))  # noqa: E731
    for handle in (
        part.register_forward_hook(note),
        part.conv.register_forward_pre_hook(note),
        joint.register_forward_pre_hook(note),
        nn.modules.module.register_module_forward_pre_hook(note),
    ):
        with handle:
            scorer(images)
        assert seen[-1][0] == 2
        assert any(shape[1:] in {(1, 3, 2), (14, 3, 2)} for shape in seen), seen
        seen.clear()
    scorer(images)
    assert not seen


def test_redirected_rectifiers_redirect_the_selected_channel(inception: Inception) -> None:
    channels, images = list(range(14)), noise(14)
    with torch.no_grad():
        for name in ("two_1x1", "two_3x3", "two_5x5", "two_pool_reduce"):
            inception.get_submodule(name).conv.bias -= 10  # everything is blocked
    assert scored(inception, "two", channels, images)[1].abs().max() == 0
    with redirect_rectifiers(inception):
        assert selected_channels(inception, images, "two", channels) is not None
        expected = whole(inception, "two", channels, images)
        assert (expected[1].flatten(1).abs().amax(dim=1) > 0).all()
        assert_alike(scored(inception, "two", channels, images), expected)


class Mixing(nn.Conv2d):
    """A convolution whose outputs depend on each other."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).softmax(dim=1)


def replace_convolution(model: Inception) -> None:
    model.two_3x3.conv = Mixing(3, 5, 3, padding=1)


def replace_rectifier(model: Inception) -> None:
    model.two_3x3.relu = nn.Softmax(dim=1)


def replace_joint(model: Inception) -> None:
    model.two = nn.Sequential(type(model.two)())
    model.two.forward = lambda *branches: torch.cat(branches[::-1], dim=1)  # type: ignore[method-assign]


def replace_layer(model: Inception) -> None:
    model.two_3x3 = nn.Conv2d(3, 5, 3, padding=1)


def replace_bottleneck(model: Inception) -> None:
    model.two_3x3_bottleneck = nn.Sequential(nn.Conv2d(12, 3, 1), nn.Tanh())


def replace_pass(model: Inception) -> None:
    layer = model.two_3x3
    layer.forward = lambda images: layer.conv(images).abs()  # type: ignore[method-assign]


def replace_whole_pass(model: Inception) -> None:
    original = model.forward
    model.forward = lambda images: original(1 - images)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "change",
    [
        replace_convolution,
        replace_rectifier,
        replace_joint,
        replace_layer,
        replace_bottleneck,
        replace_pass,
        replace_whole_pass,
    ],
)
def test_networks_that_were_changed(inception: Inception, change: Callable[[Inception], None]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        change(inception)
    inception.double()
    channels, images = list(range(14)), noise(14)
    assert_alike(scored(inception, "two", channels, images), whole(inception, "two", channels, images))


class Doubled(Inception):
    """Puts twice the image through."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(2 * images)


def test_networks_of_other_kinds_are_run_whole(inception: Inception, lite: EfficientNetLite) -> None:
    images = noise(2)
    foreign = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3)).double().eval()
    for model, layer in [
        (foreign, "2"),
        (Doubled(INCEPTION).eval(), "two"),
        (Inception(INCEPTION, batch_norm=True).eval(), "two"),
        (inception, "first"),  # nothing lies before it
        (inception, "pool"),
        (inception, "two_3x3"),
        (inception, "logits"),
        (lite, "stem"),
        (lite, "block2a.expand"),
        (lite, "head"),
    ]:
        assert selected_channels(model, images, layer, [0, 1]) is None
    assert_alike(scored(foreign, "2", [3, 1], images), whole(foreign, "2", [3, 1], images))


def test_weights_get_their_gradients_too(inception: Inception) -> None:
    images, weight = noise(2), inception.two_3x3.conv.weight
    (gradient,) = torch.autograd.grad(Scorer(inception, ["two:3", "two:5"], images)(images).sum(), weight)
    assert [bool(part.abs().sum() > 0) for part in gradient] == [False, True, False, True, False]
    with frozen(inception):
        assert not Scorer(inception, ["two:3", "two:5"], images)(images).requires_grad


def test_a_channel_that_does_not_exist(inception: Inception) -> None:
    message = "objectives[1]: 'two:14' asks for an index that does not exist; two has 14 channels (0 to 13) of 3 × 2"
    with refuses(message):
        Scorer(inception, ["two:13", "two:14"], noise(2))
