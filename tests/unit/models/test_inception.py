"""The network by configuration, against closed forms and an independent implementation."""

import math

import pytest
import torch
from torch import nn

from innervision.models.architectures import BRANCHES, FULL, MINI, Architecture, Convolution, Mixed, Pool
from innervision.models.inception import (
    Inception,
    MaxPool,
    fold_batch_norm,
    local_response_norm,
    pad_same,
    same_padding,
)

SMALL = Architecture(
    steps=(
        Convolution("conv2d0", 4, 5, stride=2),
        Pool("maxpool0"),
        Mixed("mixed3a", 2, 3, 4, 2, 3, 1),
    ),
    classes=3,
    mean=(0.5, 0.4, 0.3),
    scale=(2.0, 3.0, 4.0),
    classifier="logits",
    image_size=16,
)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def normal(*shape, generator):
    return torch.randn(*shape, generator=generator)


@pytest.fixture(scope="module")
def full():
    torch.manual_seed(0)
    return Inception(FULL).eval()


def randomize_batch_norm(network, generator):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator))
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) * 2 + 0.1)
            with torch.no_grad():
                module.weight.copy_(torch.randn(module.num_features, generator=generator))
                module.bias.copy_(torch.randn(module.num_features, generator=generator))
    return network.eval()


@pytest.mark.parametrize("size", range(1, 20))
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_follows_tensorflows_closed_form(size, kernel, stride):
    before, after = same_padding(size, kernel, stride)
    # TensorFlow's documented rule, in its two cases.
    total = max(kernel - stride, 0) if size % stride == 0 else max(kernel - size % stride, 0)
    assert (before, after) == (total // 2, total - total // 2)
    if kernel >= stride:
        assert (size + before + after - kernel) // stride + 1 == math.ceil(size / stride)


def test_a_strided_convolution_pads_the_far_edge_more():
    network = Inception(SMALL)
    layer = network.get_submodule("conv2d0")
    with torch.no_grad():
        layer.conv.weight.fill_(0)
        layer.conv.weight[:, :, 0, 0] = 1
        layer.conv.bias.fill_(0)
    images = torch.zeros(1, 3, 16, 16)
    images[:, :, 1, 1] = 1
    # 16 positions, kernel 5, stride 2: one zero before, two after; so the corner tap of output (1, 1) sits at (1, 1).
    assert torch.nonzero(layer(images)[0, 0]).tolist() == [[1, 1]]


def test_max_pooling_ignores_the_padding_even_where_all_values_are_negative():
    assert MaxPool()(torch.full((1, 1, 6, 6), -3.0)).tolist() == torch.full((1, 1, 3, 3), -3.0).tolist()


@pytest.mark.parametrize("size", [(6, 6), (7, 7), (6, 7), (5, 8), (1, 2), (2, 1), (1, 1)])
def test_max_pooling_pads_as_tensorflow_does(size, generator):
    values = normal(2, 3, *size, generator=generator)
    padded = pad_same(values, 3, 2, value=float("-inf"))
    assert torch.equal(MaxPool()(values), torch.nn.functional.max_pool2d(padded, 3, 2))


def test_response_normalization_is_tensorflows_rule_with_the_graphs_numbers(generator):
    values = normal(2, 20, 3, 3, generator=generator) * 50
    expected = torch.empty_like(values)
    for channel in range(20):
        window = values[:, max(0, channel - 5) : channel + 6]
        expected[:, channel] = values[:, channel] / (2 + 1e-4 * (window**2).sum(1)) ** 0.5
    torch.testing.assert_close(local_response_norm()(values), expected, rtol=1e-5, atol=1e-5)


def test_images_are_normalized_inside():
    network = Inception(SMALL).eval()
    seen = []
    network.get_submodule("conv2d0").register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    network(torch.full((1, 3, 16, 16), 0.6))
    torch.testing.assert_close(seen[0][0, :, 0, 0], torch.tensor([0.2, 0.6, 1.2]))


def test_the_full_network_receives_the_published_range():
    low, high = ((torch.tensor([0.0, 1.0]) - FULL.mean[0]) * FULL.scale[0]).tolist()
    assert (low, high) == (pytest.approx(-117), pytest.approx(138))


def test_a_mixed_layer_concatenates_its_branches_in_order():
    network = Inception(SMALL).eval()
    outputs = {}
    for name, module in network.named_children():
        module.register_forward_hook(lambda module, inputs, output, name=name: outputs.__setitem__(name, output))
    network(torch.rand(2, 3, 16, 16))
    branches = [outputs[f"mixed3a_{branch}"] for branch in BRANCHES]
    assert [branch.shape[1] for branch in branches] == [2, 4, 3, 1]
    assert torch.equal(outputs["mixed3a"], torch.cat(branches, 1))


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        (
            FULL,
            {
                "conv2d0": (64, 112),
                "maxpool0": (64, 56),
                "localresponsenorm0": (64, 56),
                "conv2d1": (64, 56),
                "conv2d2": (192, 56),
                "localresponsenorm1": (192, 56),
                "maxpool1": (192, 28),
                "mixed3a": (256, 28),
                "mixed3b": (480, 28),
                "maxpool4": (480, 14),
                "mixed4a": (508, 14),
                "mixed4b": (512, 14),
                "mixed4c": (512, 14),
                "mixed4d": (528, 14),
                "mixed4e": (832, 14),
                "maxpool10": (832, 7),
                "mixed5a": (832, 7),
                "mixed5b": (1024, 7),
            },
        ),
        (
            MINI,
            {
                "conv2d0": (32, 32),
                "conv2d1": (32, 32),
                "maxpool0": (32, 16),
                "conv2d2": (96, 16),
                "mixed3a": (128, 16),
                "mixed3b": (192, 16),
                "maxpool4": (192, 8),
                "mixed4a": (256, 8),
                "mixed4b": (256, 8),
                "mixed4c": (256, 8),
            },
        ),
    ],
    ids=["full", "mini"],
)
def test_layers_have_the_published_sizes(architecture, expected):
    network = Inception(architecture).eval()
    sizes = {}
    for step in architecture.steps:
        network.get_submodule(step.name).register_forward_hook(
            lambda module, inputs, output, name=step.name: sizes.__setitem__(name, (output.shape[1], output.shape[2]))
        )
    size = architecture.image_size
    with torch.no_grad():
        logits = network(torch.rand(1, 3, size, size))
    assert sizes == expected
    assert logits.shape == (1, {"softmax2_pre_activation": 1008, "logits": 10}[architecture.classifier])


def test_every_part_of_a_mixed_layer_can_be_addressed(full):
    names = dict(full.named_modules())
    for step in FULL.steps:
        if isinstance(step, Mixed):
            for part in ("_1x1", "_3x3_bottleneck", "_3x3", "_5x5_bottleneck", "_5x5", "_pool", "_pool_reduce", ""):
                assert f"{step.name}{part}" in names
            assert f"{step.name}_3x3.conv" in names


def test_the_full_network_agrees_with_an_independent_port(full):
    port = pytest.importorskip("lucent.modelzoo.inceptionv1.InceptionV1").InceptionV1(pretrained=False).eval()
    port.load_state_dict(
        {
            key.replace(".conv.", "_pre_relu_conv.").replace("_pre_activation.", "_pre_activation_matmul."): value
            for key, value in full.state_dict().items()
        }
    )
    logits = {}
    port.softmax2_pre_activation_matmul.register_forward_hook(
        lambda module, inputs, output: logits.__setitem__("port", output)
    )
    images = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    network = Inception(FULL).eval()
    network.load_state_dict(full.state_dict())
    # The port's own response normalisation; all else must agree as it is. See local_response_norm.
    network.localresponsenorm0 = nn.LocalResponseNorm(9, alpha=9.99999974738e-05, beta=0.5, k=1)
    network.localresponsenorm1 = nn.LocalResponseNorm(9, alpha=9.99999974738e-05, beta=0.5, k=1)
    with torch.no_grad():
        port(images * 255 - 117)
        torch.testing.assert_close(network(images), logits["port"], rtol=1e-4, atol=1e-4)
        assert not torch.allclose(full(images), logits["port"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", [SMALL, MINI], ids=["small", "mini"])
def test_folding_batch_norm_changes_no_output(architecture, generator):
    network = randomize_batch_norm(Inception(architecture, batch_norm=True), generator)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    images = torch.rand(8, 3, 32, 32, generator=generator)
    folded = fold_batch_norm(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert not folded.training
    with torch.no_grad():
        expected, found = network(images), folded(images)
    # Random statistics make logits of any size, so the bound is relative to the largest.
    assert (found - expected).abs().max() <= 1e-4 * max(1.0, float(expected.abs().max()))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_there_must_be_batch_norm_to_fold():
    with pytest.raises(
        ValueError, match=r"^network: there is no batch normalisation to fold; build it with batch_norm=True$"
    ):
        fold_batch_norm(Inception(SMALL))
