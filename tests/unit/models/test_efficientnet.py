"""EfficientNet-Lite against a plain computation from weights in the published layout."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from tests.unit.models.lite_layout import PublishedState, published_state
from torch import Tensor, nn

from innervision.activations import record
from innervision.models.efficientnet import LITE0, EfficientNetLite, LiteArchitecture, Stage, fold_lite
from innervision.models.efficientnet_weights import from_published

SMALL = LiteArchitecture(
    stem=4,
    stages=(Stage(1, 3, 1, 1, 4), Stage(2, 5, 2, 2, 6), Stage(2, 3, 1, 3, 6)),
    head=8,
    classes=5,
    mean=(0.5, 0.4, 0.3),
    scale=(2.0, 3.0, 4.0),
    image_size=16,
)
BLOCKS = ["block1a", "block2a", "block2b", "block3a", "block3b"]


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def small(state: PublishedState) -> EfficientNetLite:
    network = EfficientNetLite(SMALL, batch_norm=True).eval()
    network.load_state_dict(from_published(state, SMALL))
    return network


class Plain:
    """What the published weights compute, written out with functions only."""

    def __init__(self, state: PublishedState, architecture: LiteArchitecture):
        self.state, self.architecture = state, architecture

    def convolution(self, values: Tensor, conv: str, norm: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight = self.state[f"{conv}.weight"]
        padding = []
        for size in (values.shape[3], values.shape[2]):  # F.pad starts with the last axis
            total = max((math.ceil(size / stride) - 1) * stride + weight.shape[2] - size, 0)
            padding += [total // 2, total - total // 2]
        values = F.conv2d(F.pad(values, padding), weight, stride=stride, groups=groups)
        mean, variance, gain, shift = (
            self.state[f"{norm}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(values, mean, variance, gain, shift, eps=1e-3)

    def block(self, values: Tensor, index: int, stride: int) -> Tensor:
        name, inputs = f"_blocks.{index}", values
        if f"{name}._expand_conv.weight" in self.state:
            values = self.convolution(values, f"{name}._expand_conv", f"{name}._bn0").clamp(0, 6)
        groups = values.shape[1]
        values = self.convolution(values, f"{name}._depthwise_conv", f"{name}._bn1", stride, groups).clamp(0, 6)
        values = self.convolution(values, f"{name}._project_conv", f"{name}._bn2")
        return values + inputs if values.shape == inputs.shape and stride == 1 else values

    def __call__(self, images: Tensor) -> Tensor:
        mean, scale = (torch.tensor(x).view(1, 3, 1, 1) for x in (self.architecture.mean, self.architecture.scale))
        values = self.convolution((images - mean) * scale, "_conv_stem", "_bn0", stride=2).clamp(0, 6)
        index = 0
        for stage in self.architecture.stages:
            for position in range(stage.blocks):
                values = self.block(values, index, stage.stride if position == 0 else 1)
                index += 1
        values = self.convolution(values, "_conv_head", "_bn1").clamp(0, 6).mean(dim=(2, 3))
        return values @ self.state["_fc.weight"].T + self.state["_fc.bias"]


@pytest.mark.parametrize("size", [(16, 16), (17, 30)])
def test_the_network_computes_what_the_published_weights_mean(
    generator: torch.Generator, size: tuple[int, int]
) -> None:
    state = published_state(SMALL, generator)
    images = torch.rand(3, 3, *size, generator=generator)
    expected = Plain(state, SMALL)(images)
    with torch.no_grad():
        torch.testing.assert_close(small(state)(images), expected, rtol=1e-4, atol=1e-4)


def test_folding_batch_norm_changes_no_layer(generator: torch.Generator) -> None:
    network = small(published_state(SMALL, generator))
    images = torch.rand(2, 3, 24, 24, generator=generator)
    layers = ["stem", *BLOCKS, "block2b.depthwise", "head", "logits"]
    with torch.no_grad():
        before = record(network, images, layers)
        after = record(fold_lite(network), images, layers)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    for name in layers:
        torch.testing.assert_close(after[name], before[name], rtol=1e-4, atol=1e-4)


def test_layers_have_names_and_rectifiers_are_modules_of_their_own(generator: torch.Generator) -> None:
    network = fold_lite(small(published_state(SMALL, generator)))
    children = [name for name, _ in network.named_children()]
    assert children == ["stem", *BLOCKS, "head", "avgpool", "logits"]
    rectifiers = [module for module in network.modules() if isinstance(module, nn.ReLU6)]
    assert len(rectifiers) == 1 + 2 * len(BLOCKS) - 1 + 1  # block1a does not expand
    assert not any(rectifier.inplace for rectifier in rectifiers)


def test_lite0_has_the_published_sizes() -> None:
    network = EfficientNetLite(LITE0).eval()
    with torch.no_grad():
        seen = record(network, torch.rand(1, 3, 224, 224), ["stem", "block*", "head", "logits"])
    sizes = {name: tuple(value.shape[1:3]) for name, value in seen.items() if name.endswith(("a", "head", "stem"))}
    assert sizes == {
        "stem": (32, 112),
        "block1a": (16, 112),
        "block2a": (24, 56),
        "block3a": (40, 28),
        "block4a": (80, 14),
        "block5a": (112, 14),
        "block6a": (192, 7),
        "block7a": (320, 7),
        "head": (1280, 7),
    }
    assert seen["logits"].shape == (1, 1000)
    assert sum(name.startswith("block") for name in seen) == 16


def test_lite0_has_the_published_number_of_parameters() -> None:
    network = EfficientNetLite(LITE0, batch_norm=True)
    # The builder's page says 4.7M.
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 1) == 4.7


def test_lite0_receives_the_published_range() -> None:
    low, high = ((torch.tensor([0.0, 1.0]) - LITE0.mean[0]) * LITE0.scale[0]).tolist()
    assert (low, high) == (pytest.approx(-127 / 128), pytest.approx(1.0))
