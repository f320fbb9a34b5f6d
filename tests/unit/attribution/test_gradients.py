"""Activation and gradient: where they come from, what may be asked for, and nothing left behind."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision import load
from innervision.attribution import activation_and_gradient
from innervision.attribution.gradients import target_scores


class Careless(nn.Module):
    """Writes over its activations, uses one rectifier twice, and has a side branch that leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(4, 2, 1)
        self.side = nn.Conv2d(3, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        self.side(images)
        return self.relu(self.second(self.relu(self.first(images)))).mean(dim=(2, 3))


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def test_agrees_with_plain_autograd_on_mini() -> None:
    mini = load("mini")
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0), requires_grad=True)
    kept: list[Tensor] = []
    handle = mini.mixed4b.register_forward_hook(lambda module, given, output: kept.append(output))
    logits = mini(images)
    handle.remove()
    expected = torch.autograd.grad(logits[:, 6].sum(), kept)[0]
    activation, gradient = activation_and_gradient(mini, "mixed4b", images.detach(), 6)
    torch.testing.assert_close(activation, kept[0].detach(), rtol=0, atol=0)
    torch.testing.assert_close(gradient, expected)
    assert not activation.requires_grad


def test_in_place_steps_do_no_harm(images: Tensor) -> None:
    model = Careless().eval()
    activation, gradient = activation_and_gradient(model, "first", images, 1)
    torch.testing.assert_close(activation, model.first(images).detach(), rtol=0, atol=0)
    assert gradient.shape == activation.shape


def test_works_where_gradients_are_switched_off(images: Tensor) -> None:
    with torch.no_grad():
        _, gradient = activation_and_gradient(Careless().eval(), "first", images, 0)
    assert gradient.shape == (2, 4, 4, 4)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (1, [5.0, 6.0]),
        (torch.tensor([0, 1]), [2.0, 6.0]),
        (torch.tensor(0), [2.0, -1.0]),
        (lambda output: output[:, 1, 0, 0] - output[:, 0, 0, 1], [1.0, 7.0]),
    ],
)
def test_targets(target: object, expected: list[float]) -> None:
    output = torch.tensor([[[[1.0, 3.0]], [[4.0, 6.0]]], [[[-2.0, 0.0]], [[7.0, 5.0]]]])
    assert target_scores(output, target).tolist() == expected  # type: ignore[arg-type]
    if not callable(target):
        assert target_scores(output.mean(dim=(2, 3)), target).tolist() == expected  # type: ignore[arg-type]


def test_refusals(images: Tensor) -> None:
    model = Careless().eval()
    with refuses("layer: 'relu' runs 2 times on an image; choose a layer that runs once"):
        activation_and_gradient(model, "relu", images, 0)
    with refuses("layer: the target does not depend on 'side'; choose a layer before it"):
        activation_and_gradient(model, "side", images, 0)
    with refuses("layer: the target does not depend on 'second'; choose a layer before it"):
        activation_and_gradient(model, "second", images, 0, of="first")
    with refuses("layer: '*' is 4 layers; name one"):
        activation_and_gradient(model, "*", images, 0)
    with refuses("of: no layer 'secnd' in this network; the closest are 'second', 'side'"):
        activation_and_gradient(model, "first", images, 0, of="secnd")
    with refuses("target: 2 is no index of the output, which has 2 (0 to 1)"):
        activation_and_gradient(model, "first", images, 2)
    with refuses("target: -1 is no index of the output, which has 2 (0 to 1)"):
        activation_and_gradient(model, "first", images, -1)
    with refuses("target: shape (3,) for 2 images; give one index, or one for each"):
        activation_and_gradient(model, "first", images, torch.tensor([0, 0, 1]))
    with refuses("target: returned shape (2, 2); return one number per image, shape (2,)"):
        activation_and_gradient(model, "first", images, lambda output: output)
    assert sum(len(module._forward_hooks) for module in model.modules()) == 0
    with refuses("model: is in training mode; call model.eval() first"):
        activation_and_gradient(model.train(), "first", images, 0)
