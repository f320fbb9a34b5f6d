"""Ablation, effects, edges: against closed forms and plain autograd, and with nothing left behind."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision.activations import edit
from innervision.circuits.ablation import ablate, direct_effect, total_effect
from innervision.circuits.edges import edge_attribution, edge_patching


class Skip(nn.Module):
    """One layer reaches the last both through the middle and past it: last = middle(first) + first."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.middle, self.last = nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        first = self.first(images)
        return self.last(3 * self.middle(first) + first)


class Chain(nn.Module):
    """Two convolutions with a rectifier between them; puts out means over positions."""

    def __init__(self, rectified: bool = True) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 3, stride=2, padding=1)
        self.relu = nn.ReLU() if rectified else nn.Identity()
        generator = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)

    def forward(self, images: Tensor) -> Tensor:
        return self.two(self.relu(self.one(images))).mean(dim=(2, 3))


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_three_ways_to_take_a_channel_out() -> None:
    activation, data = torch.ones(4, 3, 2, 2), torch.arange(60.0).view(5, 3, 2, 2)
    assert ablate([1])(activation)[:, 1].abs().sum() == 0
    assert activation.min() == 1  # what was given is left as it was
    torch.testing.assert_close(ablate([0, 2], "mean", data=data)(activation)[3, [0, 2]], data.mean(dim=0)[[0, 2]])
    resampled = ablate([0, 2], "resample", data=data, generator=torch.Generator().manual_seed(0))(activation)
    assert all(any(torch.equal(one[[0, 2]], other[[0, 2]]) for other in data) for one in resampled)
    assert len({float(one[0, 0, 0]) for one in resampled}) > 1
    assert resampled[:, 1].min() == 1
    again = ablate([0, 2], "resample", data=data, generator=torch.Generator().manual_seed(0))(activation)
    torch.testing.assert_close(again, resampled, rtol=0, atol=0)


def test_total_is_direct_and_indirect(images: Tensor) -> None:
    model = Skip().eval()
    total = total_effect(model, images, "first", ablate([1]), of="last")
    direct = direct_effect(model, images, "first", ablate([1]), of="last", through=["middle"])
    torch.testing.assert_close(total[:, 1], -4 * images[:, 1])
    torch.testing.assert_close(direct[:, 1], -images[:, 1])
    assert total[:, [0, 2]].abs().max() == 0


def test_edges_of_a_linear_chain_add_up_and_equal_patching(images: Tensor) -> None:
    model, other = Chain(rectified=False).eval(), images.flip(0)
    edges = edge_attribution(model, images, "two", 1, other)
    with torch.no_grad():
        change = (model(images) - model(other))[:, 1].mean()
    torch.testing.assert_close(edges.sum(), change, rtol=1e-4, atol=1e-6)
    patched = edge_patching(model, images, "two", 1, other)
    torch.testing.assert_close(patched, edges, rtol=1e-4, atol=1e-5)
    assert edges[0].abs().max() == 0  # leads to the other output


def test_edge_patching_is_what_an_edit_of_the_input_does(images: Tensor) -> None:
    model, other = Chain().eval(), torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        elsewhere = model.one(other).relu()[:, 2:3]
    swap = {"relu": lambda activation: torch.cat([activation[:, :2], elsewhere, activation[:, 3:]], dim=1)}
    with torch.no_grad():
        usual = model(images)[:, 0].mean()
        with edit(model, swap):
            patched = usual - model(images)[:, 0].mean()
    torch.testing.assert_close(edge_patching(model, images, "two", 0, other)[0, 2], patched, rtol=1e-4, atol=1e-6)


def test_edges_into_a_channel_add_up_to_gradient_times_activation(images: Tensor) -> None:
    model = Chain().eval()
    held = model.one(images).detach().requires_grad_(True)
    score = model.two(model.relu(held)).mean(dim=(2, 3))[:, 1].sum()
    (gradient,) = torch.autograd.grad(score, held)
    without_bias = held.detach() - model.one.bias.detach()[:, None, None]
    expected = (gradient * without_bias).sum(dim=(0, 2, 3)) / len(images)
    torch.testing.assert_close(edge_attribution(model, images, "one", 1).sum(dim=1), expected, rtol=1e-4, atol=1e-5)


def test_refusals(images: Tensor) -> None:
    model = Chain().eval()
    with refuses("how: 'noise' is none of 'zero', 'mean', 'resample'"):
        ablate([0], "noise")
    with refuses("data: is needed for 'mean'; give the layer's activation on other images"):
        ablate([0], "mean")
    with refuses("generator: is needed for 'resample'; give a torch.Generator"):
        ablate([0], "resample", data=images)
    with refuses("convolution: 'relu' is a ReLU; name an nn.Conv2d"):
        edge_attribution(model, images, "relu", 0)
    with refuses("convolution: no layer 'tow' in this network; the closest are 'two'"):
        edge_attribution(model, images, "tow", 0)
    model.two.padding = "same"
    model.two.stride = (1, 1)
    with refuses("convolution: pads same with zeros; give a number, of zeros"):
        edge_attribution(model, images, "two", 0)
    assert sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()) == 0
