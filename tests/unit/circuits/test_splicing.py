"""Hand-built channels in place of learned ones: what is computed, what stays, and what is refused."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision import load, record
from innervision.circuits.splicing import splice


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 5, 1), nn.Conv2d(5, 2, 1)).eval()


def images(seed: int = 1) -> Tensor:
    return torch.rand(2, 3, 6, 7, generator=torch.Generator().manual_seed(seed))


def test_named_channels_are_computed_and_others_stay(model: nn.Sequential) -> None:
    kernels, biases = torch.randn(2, 4, 3, 3), torch.tensor([0.5, -0.5])
    before = record(model, images(), ["1", "2"])
    with splice(model, "2", [3, 1], "1", kernels, biases):
        after = record(model, images(), "2")["2"]
    computed = F.conv2d(before["1"], kernels, biases, padding=1).relu()
    assert torch.allclose(after[:, [3, 1]], computed)
    assert torch.equal(after[:, [0, 2, 4]], before["2"][:, [0, 2, 4]])
    assert (computed == 0).any()  # so that the rectifier is tested


def test_what_follows_reads_the_new_channels(model: nn.Sequential) -> None:
    whole = model(images())
    with splice(model, "2", [0], "1", torch.ones(1, 4, 1, 1)):
        spliced = model(images())
        again = model(images(2))
        second = record(model, images(2), "3")["3"]
    assert not torch.allclose(spliced, whole)
    assert torch.equal(again, second)  # nothing is left of the batch before
    assert torch.equal(model(images()), whole)


def test_its_own_kernels_change_nothing() -> None:
    network, photographs = load("mini"), torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    own = network.get_submodule("conv2d2.conv")
    with torch.no_grad():
        usual = network(photographs)
        with splice(network, "conv2d2", range(10), "maxpool0", own.weight[:10], own.bias[:10]):
            spliced = network(photographs)
    assert torch.allclose(usual, spliced, atol=1e-4)  # ten channels by themselves are summed in another order


def test_the_network_is_restored_after_an_error(model: nn.Sequential) -> None:
    whole = model(images())
    with pytest.raises(RuntimeError, match="midway"), splice(model, "2", [0], "1", torch.ones(1, 4, 1, 1)):
        raise RuntimeError("midway")
    assert torch.equal(model(images()), whole)
    assert not any(module._forward_hooks for module in model.modules())


def test_refuses_what_does_not_fit_before_anything_runs(model: nn.Sequential) -> None:
    one = torch.ones(1, 4, 1, 1)
    with refuses("source: no layer '9' in this network; layer_names(model) lists all"):
        splice(model, "2", [0], "9", one).__enter__()
    with refuses("source: '2' is the layer itself; name an earlier one"):
        splice(model, "2", [0], "2", one).__enter__()
    for shape in ((1, 4, 2, 2), (1, 4, 3, 1)):
        with refuses(f"kernels: shape {shape} is not (units, inputs, size, size) with an odd size"):
            splice(model, "2", [0], "1", torch.ones(shape)).__enter__()
    for channels in ([0, 0], [1, 2, 3]):
        with refuses(f"channels: {channels} for 2 kernels; name one for each, and each once"):
            splice(model, "2", channels, "1", one.repeat(2, 1, 1, 1)).__enter__()
    with refuses("biases: shape (2,) is not (1,), one for each kernel"):
        splice(model, "2", [0], "1", one, torch.zeros(2)).__enter__()


def test_refuses_what_shows_only_when_the_network_runs(model: nn.Sequential) -> None:
    one = torch.ones(1, 4, 1, 1)
    with (
        refuses("source: was not run before the layer; name an earlier one"),
        splice(model, "1", [0], "2", torch.ones(1, 5, 1, 1)),
    ):
        model(images())
    three = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 4, 1))
    with refuses("kernels: have 4 inputs; the source has 3 channels"), splice(three, "1", [0], "0", one):
        three(images())
    with refuses("channels: [0, 5] are not all from 0 to 4"), splice(model, "2", [0, 5], "1", one.repeat(2, 1, 1, 1)):
        model(images())
    pooled = nn.Sequential(nn.Conv2d(3, 4, 1), nn.MaxPool2d(2))
    message = "source: has 6 × 7 positions and the layer 3 × 3; name the pooling between them"
    with refuses(message), splice(pooled, "1", [0], "0", one):
        pooled(images())
