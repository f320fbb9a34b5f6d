"""Effective kernels and expanded weights: against convolving twice, and against autograd of the linear network."""

from __future__ import annotations

import resource
import sys
import time

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.refusals import refuses
from torch import Tensor, nn
from torchvision.models import GoogLeNet

from innervision import load
from innervision.circuits import effective_kernel, expanded_weights, top_connections
from innervision.circuits.composition import LinearMap, joined
from innervision.circuits.linear import Step, linear_steps
from innervision.models.architectures import FULL
from innervision.models.inception import BranchPool, Inception, MaxPool, pad_same


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_one_kernel_does_what_two_do(rows: int, more_rows: int, stride: int, next_stride: int) -> None:
    first, second, images = drawn(4, 3, rows, 2), drawn(5, 4, more_rows, 3, seed=1), drawn(2, 3, 17, 18, seed=2)
    twice = F.conv2d(F.conv2d(images, first, stride=stride), second, stride=next_stride)
    once = F.conv2d(images, effective_kernel(first, second, stride), stride=stride * next_stride)
    torch.testing.assert_close(once, twice, rtol=1e-12, atol=1e-12)


def test_padding_differs_only_at_the_border() -> None:
    first, second, images = drawn(4, 3, 3, 3), drawn(5, 4, 5, 5, seed=1), drawn(2, 3, 20, 20, seed=2)
    twice = F.conv2d(F.conv2d(images, first, stride=2, padding=1), second, padding=2)
    once = F.conv2d(images, effective_kernel(first, second, 2), stride=2, padding=1 + 2 * 2)
    assert once.shape == twice.shape
    torch.testing.assert_close(once[:, :, 2:-2, 2:-2], twice[:, :, 2:-2, 2:-2], rtol=1e-12, atol=1e-12)
    assert not torch.allclose(once, twice)


class AverageOf(nn.Module):
    """The average in place of one of InceptionV1's max poolings, padded as that one is."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        padded = pad_same(images, 3, 2) if self.stride == 2 else F.pad(images, (1, 1, 1, 1))
        return F.avg_pool2d(padded, 3, self.stride)


def linearized(model: Inception) -> Inception:
    """The network with its rectifiers taken out and its poolings averaged; changes the model."""
    for name, module in list(model.named_modules()):
        parent = model.get_submodule(name.rpartition(".")[0])
        if isinstance(module, nn.ReLU):
            setattr(parent, name.rpartition(".")[2], nn.Identity())
        if isinstance(module, MaxPool | BranchPool):
            setattr(parent, name.rpartition(".")[2], AverageOf(2 if isinstance(module, MaxPool) else 1))
    return model


def gradient_of_unit(model: nn.Module, layers: tuple[str, str], channel: int, place: int, size: int) -> Tensor:
    """What one unit of the linear network reads of the earlier layer: the oracle."""
    kept: list[Tensor] = []
    handles = [
        model.get_submodule(layer).register_forward_hook(lambda *given: kept.append(given[2])) for layer in layers
    ]
    model(torch.zeros(1, 3, size, size, requires_grad=True))
    for handle in handles:
        handle.remove()
    return torch.autograd.grad(kept[1][0, channel, place, place], kept[0])[0][0]


def begins(steps: list[Step]) -> tuple[int, int]:
    """Where the kernel of the unit at (0, 0) begins, along rows (as along columns), and the stride to the next."""
    ways = [(0, 1)]
    for step in steps:
        (start, stride), *others = (ways[number] for number in step.sources)
        if step.kernel is None:
            ways.append((min([start, *(other for other, _ in others)]), stride))
        else:
            ways.append((start - stride * step.padding[0], stride * step.stride))
    return ways[-1]


@pytest.mark.parametrize(
    "layers",
    [
        ("conv2d2", "mixed3a"),
        ("mixed3a", "mixed3b"),
        ("mixed3b", "mixed4a"),
        ("conv2d1", "conv2d2"),
        ("conv2d2", "mixed4a"),
        ("mixed3a", "mixed3b_5x5.conv"),
        ("mixed3a_5x5_bottleneck", "mixed3a_5x5"),
    ],
)
def test_mini_agrees_with_autograd_of_the_linear_network(layers: tuple[str, str]) -> None:
    weights = expanded_weights(load("mini"), *layers)
    start, stride = begins(linear_steps(load("mini"), *layers))
    linear = linearized(load("mini"))
    place = 12 // stride
    for channel in (0, len(weights) // 2, len(weights) - 1):
        gradient = gradient_of_unit(linear, layers, channel, place, 64)
        corner = place * stride + start
        framed = torch.zeros_like(gradient)
        framed[:, corner : corner + weights.shape[2], corner : corner + weights.shape[3]] = weights[channel]
        torch.testing.assert_close(framed, gradient, rtol=1e-4, atol=1e-5)  # sums in another order, single precision


def test_exact_on_a_linear_network() -> None:
    parts = [nn.Conv2d(3, 6, 3), nn.AvgPool2d(2), nn.Conv2d(6, 4, (1, 3), bias=False), nn.BatchNorm2d(4)]
    model = nn.Sequential(nn.Identity(), *parts).double().eval()
    model[4].running_var.copy_(drawn(4).square())
    images = drawn(2, 3, 21, 24)
    with torch.no_grad():
        without_bias = model(images) - model(torch.zeros_like(images))
    kernel = expanded_weights(model, "0", "4")
    torch.testing.assert_close(F.conv2d(images, kernel, stride=2), without_bias, rtol=1e-10, atol=1e-10)


def test_functions_in_place_of_modules_are_followed() -> None:
    model = GoogLeNet(aux_logits=False, init_weights=False).eval()
    weights = expanded_weights(model, "inception3a", "inception3b")
    assert weights.shape == (480, 256, 3, 3)  # torchvision's "5x5" branch is 3×3
    branch = model.inception3b.branch1
    gain = branch.bn.weight * torch.rsqrt(branch.bn.running_var + branch.bn.eps)
    expected = branch.conv.weight.detach()[:, :, 0, 0] * gain.detach()[:, None]
    torch.testing.assert_close(weights[:128, :, 1, 1], expected)


def test_a_pooling_alone_reads_each_channel_by_itself() -> None:
    mini = load("mini")
    weights = expanded_weights(mini, "mixed3b", "maxpool4")
    channels = sum(mini.architecture.steps[5].branch_widths)
    expected = torch.eye(channels)[:, :, None, None] / 9 * torch.ones(3, 3)
    torch.testing.assert_close(weights, expected)


def test_top_connections_by_sign() -> None:
    weights = torch.zeros(2, 4, 3, 3)
    weights[1, 0, 0] = torch.tensor([3.0, 4.0, -1.0])
    weights[1, 2, 1, 1], weights[1, 3, 2, 2] = 4.0, -6.0
    excites, inhibits = top_connections(weights, 1, count=2)
    assert excites.channels.tolist() == [0, 2]
    assert excites.strengths.tolist() == [5.0, 4.0]
    assert inhibits.channels.tolist() == [3, 0]
    assert inhibits.strengths.tolist() == [6.0, 1.0]
    torch.testing.assert_close(excites.kernels, weights[1, [0, 2]], rtol=0, atol=0)
    with refuses("unit: 2 is no output channel; there are 2 (0 to 1)"):
        top_connections(weights, 2)
    with refuses("count: 5 is not between 1 and 4, the number of input channels"):
        top_connections(weights, 0)


def test_refusals() -> None:
    mini = load("mini")
    with refuses("to_layer: 'mixed3a' does not read 'mixed3b'; name a layer after it"):
        expanded_weights(mini, "mixed3b", "mixed3a")
    with refuses("to_layer: nothing lies between 'mixed3a' and 'mixed3a'; name a later layer"):
        expanded_weights(mini, "mixed3a", "mixed3a")
    with refuses("from_layer: 'mixed3*' is 16 layers; name one"):
        expanded_weights(mini, "mixed3*", "mixed4a")
    with refuses("model: calls 'adaptive_avg_pool2d' between the two layers, which is no linear step"):
        expanded_weights(mini, "mixed4c", "logits")
    with refuses("model: is in training mode; call model.eval() first"):
        expanded_weights(nn.Sequential(nn.Conv2d(3, 3, 1)), "0", "0")
    grouped = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1, groups=2)).eval()
    with refuses("model: has a convolution with 2 groups and dilation (1, 1); give 1 and 1"):
        expanded_weights(grouped, "0", "1")
    uneven = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1, stride=(1, 2))).eval()
    with refuses("model: has a step with stride (1, 2); both have to be equal"):
        expanded_weights(uneven, "0", "1")
    with refuses("model: has no convolution; give the image to follow it on, images=…"):
        linear_steps(nn.Sequential(nn.Identity()).eval(), "0", "0")
    with refuses("maps: have strides [1, 2]; branches that are joined have one stride"):
        joined([LinearMap(torch.ones(1, 1, 1, 1), stride) for stride in (1, 2)], [3, 3])
    assert sum(len(module._forward_hooks) for module in mini.modules()) == 0


@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in kilobytes, as Linux does")
@pytest.mark.parametrize("layers", [("mixed3a", "mixed3b"), ("mixed4e", "mixed5a")])
def test_full_inception_in_two_seconds_and_a_gigabyte(layers: tuple[str, str]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Inception(FULL).eval()
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    weights = expanded_weights(network, *layers)
    seconds, kilobytes = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert weights.shape[1] == {"mixed3a": 256, "mixed4e": 832}[layers[0]]
    assert seconds <= 2
    assert kilobytes <= 1e6
