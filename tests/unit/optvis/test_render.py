"""Rendering: it climbs, it repeats bit for bit, it touches nothing, and it says what is wrong."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch
from PIL import Image
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision.optvis.joint import diverse, diversity, interpolate, together
from innervision.optvis.objectives import IMAGE, channel, of_drawing, of_image
from innervision.optvis.portions import PORTION
from innervision.optvis.published import lucid_transforms
from innervision.optvis.pyramids import LaplacianPyramid
from innervision.optvis.render import Rendering, ascend, maximize, render
from innervision.optvis.transforms import jitter, pad
from innervision.optvis.transparency import transparent

QUICK: dict[str, Any] = {"steps": 6, "size": 12}


def network(seed: int = 0) -> nn.Sequential:
    """Two rectified convolutions. Biases are small, so nothing is dead by accident."""
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers).eval()


@pytest.fixture
def model() -> nn.Sequential:
    state = torch.get_rng_state()
    built = network()
    torch.set_rng_state(state)
    return built


def test_ascend_follows_the_gradient_by_the_step_size() -> None:
    generator = torch.Generator().manual_seed(0)
    images, weights = torch.rand(2, 3, 2, 2, generator=generator), torch.randn(2, 3, 2, 2, generator=generator)
    moved = ascend(images, lambda images: (images * weights).sum(dim=(1, 2, 3)), 0.25)
    expected = images + 0.25 * weights / weights.flatten(1).norm(dim=1).view(2, 1, 1, 1)
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-6)
    assert not moved.requires_grad
    assert not images.requires_grad


def test_ascend_leaves_an_image_without_gradient() -> None:
    images = torch.rand(2, 3, 2, 2)
    moved = ascend(images, lambda images: images[0].sum() * torch.tensor([1.0, 0.0]), 1.0)
    assert torch.equal(moved[1], images[1])
    assert float((moved[0] - images[0]).norm()) == pytest.approx(1.0, abs=1e-6)


def test_maximize_takes_adams_steps_uphill() -> None:
    target = torch.full((2, 3, 2, 2), 0.5)
    parameter = torch.zeros(2, 3, 2, 2, requires_grad=True)
    twin = torch.zeros(2, 3, 2, 2, requires_grad=True)
    optimizer = torch.optim.Adam([twin], lr=0.1)
    expected = []
    for _ in range(5):
        optimizer.zero_grad()
        scores = -(twin - target).square().sum(dim=(1, 2, 3))
        (-scores.sum()).backward()
        optimizer.step()
        expected.append(scores.detach())
    history = maximize(
        [parameter],
        lambda: parameter * 1,
        lambda images, generator: images,
        lambda images: -(images - target).square().sum(dim=(1, 2, 3)),
        steps=5,
        learning_rate=0.1,
        generator=torch.Generator(),
    )
    torch.testing.assert_close(history, torch.stack(expected), rtol=0, atol=1e-6)
    torch.testing.assert_close(parameter, twin, rtol=0, atol=1e-6)
    assert history.shape == (5, 2)
    assert not history.requires_grad


@pytest.mark.parametrize("parametrization", ["fourier", "pixel"])
def test_the_objective_rises(model: nn.Sequential, parametrization: str) -> None:
    drawn = render(model, ["2:0", "2:3"], size=12, steps=40, parametrization=parametrization)
    assert drawn.images.shape == (2, 3, 12, 12)
    assert drawn.history.shape == (40, 2)
    assert float(drawn.images.min()) >= 0
    assert float(drawn.images.max()) <= 1
    assert (drawn.history[-5:].mean(dim=0) > drawn.history[:5].mean(dim=0) + 0.01).all()
    with torch.no_grad():
        shown = model[2](model[1](model[0](drawn.images)))
    torch.testing.assert_close(drawn.scores, torch.stack([shown[0, 0].mean(), shown[1, 3].mean()]), rtol=0, atol=1e-5)
    assert not drawn.images.requires_grad
    assert drawn.names == ["2:0", "2:3"]


def test_an_image_does_not_depend_on_its_companions(model: nn.Sequential) -> None:
    """Same noise, same transforms: only the rounding of a larger batch may differ."""
    noise = torch.randn(3, 3, 12, 12, generator=torch.Generator().manual_seed(3)) * 0.01

    class Fixed:
        def __init__(self, rows: list[int]):
            self.values = noise[rows].clone().requires_grad_(True)

        def parameters(self) -> list[Tensor]:
            return [self.values]

        def image(self) -> Tensor:
            return torch.sigmoid(self.values)

    together = render(model, ["2:0", "2:1", "2:2"], parametrization=lambda *_: Fixed([0, 1, 2]), **QUICK)
    alone = render(model, "2:1", parametrization=lambda *_: Fixed([1]), **QUICK)
    torch.testing.assert_close(together.images[1:2], alone.images, rtol=0, atol=1e-4)


def test_same_seed_same_pixels_and_nothing_global_changes(model: nn.Sequential) -> None:
    before = torch.get_rng_state()
    first, second = (render(model, ["2:0", "2:1"], **QUICK) for _ in range(2))
    other = render(model, ["2:0", "2:1"], seed=1, **QUICK)
    given = render(model, ["2:0", "2:1"], generator=torch.Generator().manual_seed(0), **QUICK)
    assert torch.equal(first.images, second.images)
    assert torch.equal(first.history, second.history)
    assert torch.equal(first.images, given.images)
    assert not torch.equal(first.images, other.images)
    assert torch.equal(torch.get_rng_state(), before)


def test_same_seed_same_pixels_after_other_work(model: nn.Sequential) -> None:
    """Other drawings, sizes and batches, training, and draws from the global generator in between."""
    names = [f"2:{i % 5}" for i in range(PORTION + 3)]
    first = render(model, names, **QUICK)
    other = network(seed=1)
    for size, count in ((9, 1), (14, PORTION), (12, 2)):
        render(other, names[:count], size=size, steps=3, seed=count, parametrization="pixel")
    other.train()
    optimizer = torch.optim.Adam(other.parameters())
    other(torch.rand(4, 3, 12, 12)).sum().backward()
    optimizer.step()
    render(model, "0:1", size=20, steps=2)
    again = render(model, names, **QUICK)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.history, again.history)
    assert torch.equal(first.scores, again.scores)


@pytest.mark.slow
def test_same_seed_same_pixels_in_another_process() -> None:
    program = (
        "import hashlib, torch\n"
        "from innervision.models import MINI, Inception\n"
        "from innervision.optvis.render import render\n"
        "torch.set_num_threads(1); torch.manual_seed(0)\n"
        "images = render(Inception(MINI).eval(), ['mixed3a:1', 'mixed3a:100'], size=24, steps=5).images\n"
        "print(hashlib.sha256(images.numpy().tobytes()).hexdigest())\n"
    )
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in "ab"]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.strip()) == hashlib.sha256().digest_size * 2


def test_fewer_bits_climb_as_well(model: nn.Sequential) -> None:
    """The network computes with them; image, history and scores are float32, and repeat."""
    seen: set[torch.dtype] = set()
    model[1].register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    options: dict[str, Any] = {"size": 12, "steps": 40}
    names = ("float32", "bfloat16", "bfloat16")
    plain, fewer, again = (render(model, ["2:0", "2:3"], precision=name, **options) for name in names)
    assert seen == {torch.float32, torch.bfloat16}
    assert {part.dtype for part in (fewer.images, fewer.history, fewer.scores)} == {torch.float32}
    assert torch.equal(fewer.images, again.images)
    assert not torch.equal(fewer.images, plain.images)
    rise = plain.scores - plain.history[0]
    torch.testing.assert_close(fewer.scores - fewer.history[0], rise, rtol=0.1, atol=0)  # a tenth of the climb
    assert fewer.settings["precision"] == "bfloat16"


def test_settings_repeat_the_drawing(model: nn.Sequential) -> None:
    drawn = render(model, ["2:0"], size=(10, 14), steps=4, learning_rate=0.1, seed=7, redirect_steps=2)
    chosen = drawn.settings
    assert chosen == {
        "objectives": ["2:0"],
        "size": [10, 14],
        "steps": 4,
        "parametrization": "fourier",
        "transforms": "standard_transforms(10)",
        "learning_rate": 0.1,
        "seed": 7,
        "redirect_steps": 2,
        "precision": "float32",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    keys = ("steps", "parametrization", "learning_rate", "seed", "redirect_steps")
    again = render(model, chosen["objectives"], size=tuple(chosen["size"]), **{key: chosen[key] for key in keys})
    assert torch.equal(drawn.images, again.images)


def test_transforms_may_be_none_at_all_one_or_several(model: nn.Sequential) -> None:
    bare = render(model, "2:0", transforms=[], **QUICK)
    assert bare.settings["transforms"] == []
    assert render(model, "2:0", transforms=jitter(2), **QUICK).settings["transforms"] == "jitter.<locals>.jittered"
    assert render(model, "2:0", transforms=[pad(1), jitter(2)], **QUICK).images.shape == (1, 3, 12, 12)


def test_a_penalty_on_the_image_is_an_objective(model: nn.Sequential) -> None:
    def darkness(images: Tensor) -> Tensor:
        return -images.mean(dim=(1, 2, 3))

    drawn = render(model, 0.0 * channel("2", 0) + of_image(darkness), size=12, steps=30, transforms=[])
    assert float(drawn.images.mean()) < 0.4


def test_a_joint_objective_is_drawn_on_as_many_images_as_it_wants(model: nn.Sequential) -> None:
    row = interpolate("2:0", "2:3", images=3)
    drawn = render(model, [row, "2:1", together("2:2", 2)], **QUICK)
    assert drawn.images.shape == (6, 3, 12, 12)
    assert drawn.history.shape == (6, 6)
    assert drawn.names == ["2:0 to 2:3"] * 3 + ["2:1"] + ["2:2"] * 2
    assert drawn.settings["objectives"] == ["2:0 to 2:3", "2:1", "2:2"]
    with torch.no_grad():
        shown = model[2](model[1](model[0](drawn.images))).mean(dim=(2, 3))
    ends = [shown[0, 0], (shown[1, 0] + shown[1, 3]) / 2, shown[2, 3], shown[3, 1], shown[4, 2], shown[5, 2]]
    torch.testing.assert_close(drawn.scores, torch.stack(ends), rtol=0, atol=1e-5)
    alone = render(model, row, **QUICK)
    assert alone.images.shape == (3, 3, 12, 12)
    assert torch.equal(alone.images, render(model, [row], **QUICK).images)


def test_diversity_makes_images_differ_in_style(model: nn.Sequential) -> None:
    def style(weight: float) -> float:
        drawn = render(model, diverse("2:0", images=3, weight=weight, layer="1"), size=12, steps=40)
        with torch.no_grad():
            return float(diversity("1")({"1": model[1](model[0](drawn.images))}).mean())

    assert style(2.0) > style(0.0) + 0.01


def test_a_penalty_on_the_drawing_sees_it_before_transforms(model: nn.Sequential) -> None:
    sizes: list[tuple[int, ...]] = []

    def brightness(images: Tensor) -> Tensor:
        sizes.append(tuple(images.shape))
        return images.mean(dim=(1, 2, 3))

    drawn = render(model, 0.0 * channel("2", 0) - of_drawing(brightness), size=12, steps=30, transforms=[pad(3)])
    assert set(sizes) == {(1, 3, 12, 12)}
    assert float(drawn.images.mean()) < 0.4
    torch.testing.assert_close(drawn.scores, -drawn.images.mean(dim=(1, 2, 3)))


def test_a_transparent_drawing_keeps_only_what_matters(model: nn.Sequential) -> None:
    def left_half_is_red(activations: Any) -> Tensor:
        image = activations[IMAGE]
        return (image[:, 0] - image[:, 2])[..., :6].mean(dim=(1, 2)).clamp(min=0)

    drawn = render(
        model, transparent(left_half_is_red), size=12, steps=60, parametrization="transparent", transforms=[]
    )
    assert drawn.images.shape == (1, 3, 12, 12)
    assert drawn.opacity is not None
    assert drawn.opacity.shape == (1, 1, 12, 12)
    left, right = drawn.opacity[..., :5].mean(), drawn.opacity[..., 7:].mean()
    assert float(left) > float(right) + 0.2
    again = render(
        model, transparent(left_half_is_red), size=12, steps=60, parametrization="transparent", transforms=[]
    )
    assert torch.equal(drawn.images, again.images)
    assert torch.equal(drawn.opacity, again.opacity)
    assert render(model, "2:0", **QUICK).opacity is None
    with refuses(
        "parametrization: '2:0' is to be transparent, but the drawing has no opacity; "
        "give parametrization='transparent'"
    ):
        render(model, transparent("2:0"), **QUICK)


def test_names_and_options_give_what_the_classes_give(model: nn.Sequential) -> None:
    by_name = render(model, "2:0", parametrization="laplacian", transforms="lucid", **QUICK)
    by_class = render(model, "2:0", parametrization=LaplacianPyramid, transforms=lucid_transforms(), **QUICK)
    assert torch.equal(by_name.images, by_class.images)
    fewer = render(model, "2:0", parametrization=partial(LaplacianPyramid, levels=2), **QUICK)
    assert fewer.settings["parametrization"] == "LaplacianPyramid(levels=…)"
    assert by_name.settings["transforms"] == "lucid"
    with pytest.raises(ValueError, match=r"\Atransforms: 'lucent' is unknown; "):
        render(model, "2:0", transforms="lucent", **QUICK)


def dead_network() -> nn.Sequential:
    """Its only channel is 0 on every nearly grey image, and active where red minus blue exceeds 0.2."""
    conv = nn.Conv2d(3, 1, 1)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1))
        conv.bias.fill_(-0.2)
    return nn.Sequential(conv, nn.ReLU()).eval()


def test_a_blocked_unit_is_drawn_only_with_redirected_rectifiers() -> None:
    model = dead_network()
    drawn = render(model, "1:0", size=16, steps=64)
    flat = render(model, "1:0", size=16, steps=64, redirect_steps=0)
    assert torch.equal(flat.history, torch.zeros(64, 1))
    untouched = render(model, "1:0", size=16, steps=1, redirect_steps=0)
    assert torch.equal(flat.images, untouched.images)
    assert float(drawn.scores) > 0.1
    assert not model[1]._forward_hooks


def test_rectifiers_are_redirected_in_the_first_steps_only() -> None:
    """A unit that no image can reach: its image moves while gradients are redirected and then stands still."""
    model = dead_network()
    with torch.no_grad():
        model[0].bias.fill_(-100.0)
    kept: list[Tensor] = []

    def keep(images: Tensor, generator: torch.Generator) -> Tensor:
        kept.append(images.detach().clone())
        return images

    render(model, "1:0", size=4, steps=9, redirect_steps=3, parametrization="pixel", transforms=keep)
    shown = kept[1:]  # the first is render's own look
    assert not torch.equal(shown[2], shown[3])
    gradient_left = [float((b - a).abs().max()) for a, b in pairwise(shown)]
    assert gradient_left[0] == pytest.approx(gradient_left[1], rel=0.2)  # Adam's steady pace
    assert gradient_left[-1] < gradient_left[2]  # then only its fading memory


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_behind_after_an_error(model: nn.Sequential, failure: type[BaseException]) -> None:
    model[0].weight.requires_grad_(False)
    calls = 0

    def fail_later(activations: Any) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise failure
        return activations["2"].mean(dim=(1, 2, 3))

    with pytest.raises(failure):
        render(model, fail_later, **QUICK)
    assert sum(len(module._forward_hooks) for module in model.modules()) == 0
    assert [parameter.requires_grad for parameter in model.parameters()] == [False, True, True, True]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.training


def test_the_weights_gather_no_gradients(model: nn.Sequential) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    render(model, "2:0", **QUICK)
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_works_inside_no_grad(model: nn.Sequential) -> None:
    with torch.no_grad():
        inside = render(model, "2:0", **QUICK)
    assert torch.equal(inside.images, render(model, "2:0", **QUICK).images)


def test_size_by_default(model: nn.Sequential) -> None:
    assert render(model, "0:0", steps=1).images.shape[2:] == (128, 128)

    class Architecture:
        image_size = 9

    model.architecture = Architecture()  # type: ignore[assignment]
    assert render(model, "0:0", steps=1).images.shape[2:] == (18, 18)


def test_no_bar_off_a_terminal(model: nn.Sequential, capsys: pytest.CaptureFixture[str]) -> None:
    shown = render(model, "2:0", progress=True, **QUICK)
    assert torch.equal(shown.images, render(model, "2:0", **QUICK).images)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps: 0 is too few; give a whole number, at least 1"),
        ({"steps": 2.5}, "steps: 2.5 is too few; give a whole number, at least 1"),
        ({"learning_rate": 0.0}, "learning_rate: 0.0 does not climb; give a number above 0"),
        ({"precision": "float16"}, "precision: 'float16' is unknown; give 'float32' or 'bfloat16'"),
        ({"redirect_steps": -1}, "redirect_steps: -1 is no count; give a whole number, at least 0"),
        ({"size": 0}, "size: 0 is no size; give whole numbers of pixels, at least 1"),
        ({"size": (8, -1)}, "size: (8, -1) is no size; give whole numbers of pixels, at least 1"),
        (
            {"parametrization": "foo"},
            "parametrization: 'foo' is unknown; give 'fourier', 'pixel', 'low-resolution', 'laplacian', 'shared', "
            "'cppn', 'phase' or 'transparent', or a function",
        ),
        (
            {"transforms": jitter(12)},
            "transforms: turn images of shape (1, 3, 12, 12) into (1, 3, 0, 0); "
            "keep batch and colours, and at least one pixel",
        ),
        ({"objectives": "9:0"}, "layers: no layer '9' in this network; layer_names(model) lists all"),
        (
            {"objectives": "2:5"},
            "objectives: '2:5' asks for an index that does not exist; 2 has 5 channels (0 to 4) of 11 × 11",
        ),
    ],
)
def test_wrong_arguments(model: nn.Sequential, change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"objectives": "2:0", **QUICK, "transforms": jitter(1), **change}
    with refuses(message):
        render(model, **arguments)


def test_save_writes_the_images_side_by_side(tmp_path: Any) -> None:
    images = torch.stack([torch.full((3, 4, 5), value) for value in (0.0, 0.5, 1.0)])
    drawn = Rendering(images, torch.zeros(1, 3), torch.zeros(3), ["a", "b", "c"])
    drawn.save(tmp_path / "sheet.png", columns=2, zoom=3)
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.size == (3 * (5 + 2 + 5), 3 * (4 + 2 + 4))
        assert [picture.getpixel(place) for place in ((0, 0), (22, 0), (0, 20), (22, 20))] == [
            (0, 0, 0),
            (128, 128, 128),
            (255, 255, 255),
            (255, 255, 255),
        ]
