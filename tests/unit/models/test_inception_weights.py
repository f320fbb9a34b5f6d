"""The published layouts of InceptionV1."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from innervision.activations import record
from innervision.models import FULL, Inception, load
from innervision.models.architectures import Mixed
from innervision.models.inception_weights import SOURCES, our_key

CAPTUM_OUTSIDE = {"conv2d0": "conv1", "conv2d1": "conv2", "conv2d2": "conv3", "softmax2_pre_activation": "fc"}
CAPTUM_INSIDE = {
    "1x1": "conv_1x1",
    "3x3_bottleneck": "conv_3x3_reduce",
    "3x3": "conv_3x3",
    "5x5_bottleneck": "conv_5x5_reduce",
    "5x5": "conv_5x5",
    "pool_reduce": "pool_proj",
}


def lucid(key: str) -> str:
    return key.replace(".conv.", "_pre_relu_conv.").replace("_pre_activation.", "_pre_activation_matmul.")


def captum(key: str) -> str:
    layer, end = key.split(".", 1)[0], key.rsplit(".", 1)[1]
    if layer in CAPTUM_OUTSIDE:
        return f"{CAPTUM_OUTSIDE[layer]}.{end}"
    block, branch = layer.split("_", 1)
    return f"{block}.{CAPTUM_INSIDE[branch]}.{end}"


AUXILIARY = {
    lucid: {
        "head0_bottleneck_pre_relu_conv.weight": (128, 508, 1, 1),
        "nn1_pre_relu_matmul.bias": (1024,),
        "softmax0_pre_activation_matmul.weight": (1008, 1024),
    },
    captum: {"aux1.loss_conv.weight": (128, 508, 1, 1), "aux2.loss_fc.bias": (1024,)},
}


@pytest.mark.parametrize("layout", [lucid, captum])
def test_every_parameter_of_the_full_network_is_found(layout) -> None:
    ours = list(Inception(FULL).state_dict())
    theirs = [layout(key) for key in ours]
    assert len(set(theirs)) == len(ours) == 2 * (3 + 6 * sum(isinstance(step, Mixed) for step in FULL.steps) + 1)
    assert [our_key(key) for key in theirs] == ours
    assert [our_key(key) for key in ours] == ours


@pytest.mark.parametrize("layout", [lucid, captum])
def test_the_full_network_reads_the_layout(layout, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    state = {key: torch.randn(value.shape, generator=generator) for key, value in Inception(FULL).state_dict().items()}
    extra = {key: torch.zeros(shape) for key, shape in AUXILIARY[layout].items()}
    save_file({layout(key): value for key, value in state.items()} | extra, tmp_path / "w.safetensors")
    network = load("inceptionv1", weights=tmp_path / "w.safetensors")
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


PUBLISHED_WIDTHS = {
    "conv2d0": 64,
    "conv2d1": 64,
    "conv2d2": 192,
    "mixed3a": 256,
    "mixed3b": 480,
    "mixed4a": 508,
    "mixed4b": 512,
    "mixed4c": 512,
    "mixed4d": 528,
    "mixed4e": 832,
    "mixed5a": 832,
    "mixed5b": 1024,
}


@pytest.mark.parametrize("layout", [lucid, captum])
def test_a_file_in_a_published_layout_gives_the_published_channels(layout, tmp_path: Path) -> None:
    state = {layout(key): torch.full(value.shape, 0.01) for key, value in Inception(FULL).state_dict().items()}
    torch.save(
        state | {key: torch.zeros(shape) for key, shape in AUXILIARY[layout].items()}, tmp_path / "inception.pth"
    )
    network = load("inceptionv1", weights=tmp_path / "inception.pth")
    seen = record(network, torch.zeros(1, 3, 64, 64), [*PUBLISHED_WIDTHS, "softmax2_pre_activation"])
    assert seen.pop("softmax2_pre_activation").shape == (1, 1008)
    assert {name: activation.shape[1] for name, activation in seen.items()} == PUBLISHED_WIDTHS


def test_the_published_addresses() -> None:
    assert [source.address for source in SOURCES] == [
        "https://github.com/ProGamerGov/pytorch-old-tensorflow-models/raw/master/inception5h.pth",
        "https://pytorch.s3.amazonaws.com/models/captum/inception5h.pth",
    ]
    assert len({source.file for source in SOURCES}) == 2


@pytest.mark.network
def test_the_published_file_is_what_it_should_be(tmp_path: Path) -> None:
    network = load("inceptionv1", cache=tmp_path)
    assert sum(parameter.numel() for parameter in network.parameters()) == sum(
        parameter.numel() for parameter in Inception(FULL).parameters()
    )
