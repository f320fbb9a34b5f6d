"""Attribution of networks' layers and edges, value by value as captum computes it."""

from __future__ import annotations

import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, LayerActivation, LayerGradientXActivation
from torch import Tensor, nn
from torch.func import functional_call

from innervision import load, record
from innervision.attribution import channel_attribution, integrated_attribution, spatial_attribution
from innervision.circuits import edge_attribution
from innervision.data import load_sample

LAYER = "mixed4b"
CLOSE = {"rtol": 1e-8, "atol": 1e-12}  # double precision


@pytest.fixture
def mini() -> nn.Module:
    return load("mini").double()


@pytest.fixture
def images() -> Tensor:
    return load_sample().images[:3].double() / 255


def test_activation_times_gradient(mini: nn.Module, images: Tensor) -> None:
    layer, target = mini.get_submodule(LAYER), torch.tensor([1, 5, 5])
    theirs = LayerGradientXActivation(mini, layer).attribute(images.requires_grad_(), target=target).detach()
    torch.testing.assert_close(spatial_attribution(mini, LAYER, images, target), theirs.sum(dim=1), **CLOSE)
    torch.testing.assert_close(channel_attribution(mini, LAYER, images, target), theirs.sum(dim=(2, 3)), **CLOSE)


def test_along_a_path(mini: nn.Module, images: Tensor) -> None:
    def from_there(activation: Tensor) -> Tensor:
        handle = mini.get_submodule(LAYER).register_forward_hook(lambda module, given, output: activation)
        try:
            return mini(images[:1].expand(len(activation), -1, -1, -1))
        finally:
            handle.remove()

    end = LayerActivation(mini, mini.get_submodule(LAYER)).attribute(images)[:1]
    torch.testing.assert_close(end, record(mini, images[:1], LAYER)[LAYER], **CLOSE)
    start = 0.3 * torch.rand(end.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    path = IntegratedGradients(from_there, multiply_by_inputs=True)
    theirs = path.attribute(end, start, target=4, n_steps=6, method="riemann_middle")
    ours = integrated_attribution(mini, LAYER, images[:1], 4, baseline=start, steps=6)
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-12)  # captum divides the path in single precision


@pytest.mark.parametrize("convolution", ["mixed3b_3x3.conv", "mixed4a_5x5_bottleneck.conv"])
def test_edges_as_gates_that_are_open(mini: nn.Module, images: Tensor, convolution: str) -> None:
    """An edge's attribution is that of a gate on it: its value, 1, times its gradient."""
    weight = mini.get_submodule(convolution).weight

    def gated(gates: Tensor) -> Tensor:
        (gate,) = gates
        changed = {f"{convolution}.weight": weight * gate[:, :, None, None]}
        return functional_call(mini, changed, images)[:, 2].mean().view(1)

    gates = torch.ones(1, *weight.shape[:2], dtype=torch.float64, requires_grad=True)
    (theirs,) = InputXGradient(gated).attribute(gates).detach()
    torch.testing.assert_close(edge_attribution(mini, images, convolution, 2), theirs, **CLOSE)
