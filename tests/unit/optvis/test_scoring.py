"""Scoring: each image on its own objective, in one truncated pass; wrong objectives in one sentence."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision.optvis.joint import interpolate, together
from innervision.optvis.layers import class_logit
from innervision.optvis.objectives import IMAGE, channel, of_drawing, of_image, unit
from innervision.optvis.penalties import total_variation
from innervision.optvis.scoring import Scorer, as_objectives, frozen


class Counting(nn.Module):
    """Two convolutions and a head; counts how often it runs and how often the head does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv1 = nn.Conv2d(4, 5, 3, padding=1)
        self.head = nn.Conv2d(5, 6, 1)
        self.runs = self.heads = 0

    def forward(self, images: Tensor) -> Tensor:
        self.runs += 1
        hidden = self.conv1(self.conv0(images))
        self.heads += 1
        return self.head(hidden)


@pytest.fixture
def model() -> Counting:
    torch.manual_seed(0)
    return Counting().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(3, 3, 6, 6, generator=torch.Generator().manual_seed(1))


def test_image_i_on_objective_i_in_one_truncated_pass(model: Counting, images: Tensor) -> None:
    objectives = [channel("conv1", 4), unit("conv0", 2) - 2 * channel("conv1", 0), of_image(total_variation)]
    scorer = Scorer(model, objectives, images)
    assert scorer.layers == ["conv0", "conv1"]
    model.runs = model.heads = 0
    scores = scorer(images)
    assert (model.runs, model.heads) == (1, 0)
    conv0 = model.conv0(images)
    conv1 = model.conv1(conv0)
    expected = torch.stack([conv1[0, 4].mean(), conv0[1, 2, 3, 3] - 2 * conv1[1, 0].mean(), total_variation(images)[2]])
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-6)


def test_one_objective_serves_every_image(model: Counting, images: Tensor) -> None:
    expected = model.conv1(model.conv0(images))[:, 2].mean(dim=(1, 2))
    for objective in ("conv1:2", channel("conv1", 2), lambda activations: activations["conv1"][:, 2].mean(dim=(1, 2))):
        torch.testing.assert_close(Scorer(model, objective, images)(images), expected, rtol=0, atol=1e-6)


def test_objective_of_the_image_alone_does_not_run_the_network(model: Counting, images: Tensor) -> None:
    scorer = Scorer(model, of_image(total_variation), images)
    scorer(images)
    assert model.runs == 0


def test_gradient_of_each_score_stays_in_its_image(model: Counting, images: Tensor) -> None:
    scorer = Scorer(model, ["conv1:0", "conv1:1", "conv0:0"], images)
    images.requires_grad_(True)
    (gradient,) = torch.autograd.grad(scorer(images)[1], images)
    assert gradient[1].abs().sum() > 0
    assert gradient[[0, 2]].abs().sum() == 0


def detached(activations: dict[str, Tensor]) -> Tensor:
    return activations["conv1"].detach().mean(dim=(1, 2, 3))


def scalar(activations: dict[str, Tensor]) -> Tensor:
    return activations["conv1"].mean()


def number(activations: dict[str, Tensor]) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        ("conv2:0", "layers: no layer 'conv2' in this network; the closest are 'conv1', 'conv0'"),
        (
            ["conv1:1", "conv1:5", "conv1:0"],
            "objectives[1]: 'conv1:5' asks for an index that does not exist; conv1 has 5 channels (0 to 4) of 6 × 6",
        ),
        (
            unit("conv1", 1, 6, 0),
            "objectives: 'conv1:1@6,0' asks for an index that does not exist; conv1 has 5 channels (0 to 4) of 6 × 6",
        ),
        (scalar, "objectives: 'scalar' returned shape (); return one number per image, shape (3,)"),
        ([scalar] * 3, "objectives[0]: 'scalar' returned shape (); return one number per image, shape (1,)"),
        (number, "objectives: 'number' returned float; return one number per image, shape (3,)"),
        (detached, "objectives: 'detached' does not depend on the image, so there is nothing to climb"),
        (["conv1:0"] * 2, "images: 3 for 2 objectives; give one image for each objective"),
        ([], "objectives: is empty; give at least one, for example 'mixed3b:5'"),
        (["conv1:0", 3], "objectives[1]: is a int; give a function or 'LAYER:CHANNEL'"),
        ("conv1", "objective: 'conv1' is not LAYER:CHANNEL, for example mixed3b:5"),
    ],
)
def test_wrong_objectives(model: Counting, images: Tensor, objectives: object, message: str) -> None:
    with refuses(message):
        Scorer(model, objectives, images)  # type: ignore[arg-type]
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_wrong_models_and_images(model: Counting, images: Tensor) -> None:
    with refuses("images: shape (3, 6, 6) has no batch axis; add it with image[None]"):
        Scorer(model, "conv1:0", images[0])
    with refuses("model: is in training mode; call model.eval() first"):
        Scorer(model.train(), "conv1:0", images)


def test_as_objectives_names_plain_functions() -> None:
    assert [str(objective) for objective in as_objectives(["a:1", scalar, channel("b", 2)])] == ["a:1", "scalar", "b:2"]


def test_frozen_restores_each_flag(model: Counting) -> None:
    model.conv0.weight.requires_grad_(False)
    with frozen(model):
        assert not any(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(KeyboardInterrupt), frozen(model):
        raise KeyboardInterrupt
    flags = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    assert flags.pop("conv0.weight") is False
    assert all(flags.values())


def test_the_image_key_is_the_image(model: Counting, images: Tensor) -> None:
    scorer = Scorer(model, lambda activations: activations[IMAGE].sum(dim=(1, 2, 3)), images)
    torch.testing.assert_close(scorer(images), images.sum(dim=(1, 2, 3)))


def test_a_joint_objective_gets_all_its_images_and_no_others(model: Counting) -> None:
    images = torch.rand(6, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    row = interpolate("conv0:1", "conv1:2", images=3)
    scorer = Scorer(model, ["conv1:0", row, together("conv1:3", 2)], images)
    assert scorer.wanted == [1, 3, 2]
    conv0 = model.conv0(images)
    conv1 = model.conv1(conv0)
    first, second = conv0[1:4, 1].mean(dim=(1, 2)), conv1[1:4, 2].mean(dim=(1, 2))
    share = torch.tensor([0.0, 0.5, 1.0])
    expected = torch.cat([conv1[:1, 0].mean().view(1), (1 - share) * first + share * second, conv1[4:, 3].mean((1, 2))])
    torch.testing.assert_close(scorer(images), expected, rtol=0, atol=1e-6)
    alone = Scorer(model, row, images[1:4])
    torch.testing.assert_close(alone(images[1:4]), expected[1:4], rtol=0, atol=1e-6)


def test_joint_objectives_that_get_another_number_of_images(model: Counting, images: Tensor) -> None:
    with refuses("images: 3 for 'conv1:0', which wants 2 together"):
        Scorer(model, together("conv1:0", 2), images)
    with refuses("images: 3 for objectives that want 1, 3 together"):
        Scorer(model, ["conv1:0", together("conv1:0", 3)], images)


def test_the_drawing_key_is_the_image_before_transforms(model: Counting, images: Tensor) -> None:
    def brightness(images: Tensor) -> Tensor:
        return images.mean(dim=(1, 2, 3))

    drawing = images * 0.5
    scorer = Scorer(model, of_drawing(brightness) - of_image(brightness), images, drawing)
    torch.testing.assert_close(scorer(images, drawing), brightness(drawing) - brightness(images))
    torch.testing.assert_close(scorer(images), torch.zeros(3))
    assert str(of_drawing(brightness)) == "brightness"
    assert not Scorer(model, "conv1:0", images, drawing).reads_drawing
    with_opacity = torch.cat([images, images[:, :1]], dim=1)
    each = Scorer(model, [of_drawing(lambda drawn: drawn[:, 3].mean(dim=(1, 2)))] * 3, images, with_opacity)
    torch.testing.assert_close(each(images, with_opacity), images[:, 0].mean(dim=(1, 2)))


def test_an_index_beyond_a_layer_without_positions(images: Tensor) -> None:
    flat = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    with refuses("objectives: '2:7' asks for an index that does not exist; 2 has 4 channels (0 to 3)"):
        Scorer(flat, class_logit("2", 7), images)
