"""Edges against oracles that share no code with them: gates on single edges, by plain autograd and by differences."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from innervision import load
from innervision.circuits import edge_attribution, edge_patching, plant, written
from innervision.circuits.drawings import draw


def gated(model: nn.Module, images: Tensor, convolution: str, target: int, gates: Tensor) -> Tensor:
    """The output, with each edge's kernel multiplied by its gate."""
    weight = model.get_submodule(convolution).weight.detach()
    gated_weight = {f"{convolution}.weight": weight * gates[:, :, None, None]}
    return functional_call(model, gated_weight, images)[:, target].mean()


def open_gates(model: nn.Module, convolution: str) -> Tensor:
    weight = model.get_submodule(convolution).weight
    return torch.ones(weight.shape[:2], dtype=weight.dtype, requires_grad=True)


@pytest.mark.parametrize("convolution", ["mixed3a_3x3.conv", "mixed4b_5x5_bottleneck.conv"])
def test_attribution_is_the_slope_of_the_output_along_each_gate(convolution: str) -> None:
    mini = load("mini").double()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gates = open_gates(mini, convolution)
    (slopes,) = torch.autograd.grad(gated(mini, images, convolution, 3, gates), gates)
    found = edge_attribution(mini, images, convolution, 3)
    torch.testing.assert_close(found, slopes, rtol=1e-8, atol=1e-12)
    strongest = divmod(int(slopes.abs().argmax()), slopes.shape[1])
    ends = []
    for step in (1e-5, -1e-5):  # and without autograd at all
        moved = gates.detach().clone()
        moved[strongest] += step
        ends.append(gated(mini, images, convolution, 3, moved).detach())
    torch.testing.assert_close((ends[0] - ends[1]) / 2e-5, found[strongest], rtol=1e-4, atol=0)


class Taken(nn.Module):
    """A planted network, rewritten: what one convolution reads of other images is added, edge by edge, by gates."""

    def __init__(self, network: nn.Module, other: Tensor) -> None:
        super().__init__()
        self.network, self.other = network, other

    def forward(self, images: Tensor, gates: Tensor) -> Tensor:
        hidden, elsewhere = images - 0.5, self.other - 0.5
        for number in (1, 2, 3):
            layer = self.network.get_submodule(f"layer{number}")
            out = layer.conv(hidden)
            if number == 2:
                change = torch.stack(
                    [
                        F.conv2d(hidden[:, [i]] - elsewhere[:, [i]], layer.conv.weight[:, [i]], padding="same")
                        for i in range(hidden.shape[1])
                    ]
                )
                out = out - torch.einsum("ibohw,oi->bohw", change, gates)
            hidden, elsewhere = out.relu(), layer(elsewhere)
        return hidden.amax(dim=(2, 3))


@pytest.mark.parametrize("seed", range(2))
def test_between_two_images_patching_shuts_a_gate_and_attribution_is_its_slope(seed: int) -> None:
    circuit = written.head()
    network, answer = plant(circuit, torch.Generator().manual_seed(seed), decoys=3)
    network = network.double()
    target = answer.channels["head"][1]
    images, other = (draw(circuit, name, 26)[None].double() for name in ("left_head", "line3"))
    model = Taken(network, other)
    gates = torch.zeros(network.layer2.conv.weight.shape[:2], dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(-model(images, gates)[:, target].mean(), gates)
    found = edge_attribution(network, images, "layer2.conv", target, other)
    torch.testing.assert_close(found, slopes, rtol=1e-8, atol=1e-12)
    patched = edge_patching(network, images, "layer2.conv", target, other).double()
    row = answer.channels["left_head"][1]
    with torch.no_grad():
        for source in range(gates.shape[1]):
            shut = gates.clone()
            shut[row, source] = 1
            expected = (model(images, gates) - model(images, shut))[:, target].mean()
            torch.testing.assert_close(patched[row, source], expected, rtol=1e-5, atol=1e-6)
