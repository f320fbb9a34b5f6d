"""From a trained network to weights that ship."""

import os
import tomllib

import pytest
import torch
from torch import nn

from innervision.models.architectures import Architecture, Convolution, Mixed
from innervision.models.inception import Inception
from innervision.models.packaged import provenance
from innervision.models.states import file_sha256
from innervision.recipes import exporting as module
from innervision.recipes.exporting import accuracy, dead_channels, export, largest_difference, write_entry

SMALL = Architecture(
    steps=(Convolution("conv2d0", 4, 3), Mixed("mixed3a", 2, 3, 4, 2, 3, 1)),
    classes=3,
    mean=(0.5, 0.5, 0.5),
    scale=(2.0, 2.0, 2.0),
    classifier="logits",
    image_size=8,
)


@pytest.fixture
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Inception(SMALL, batch_norm=True)


@pytest.fixture
def images():
    return torch.randint(0, 256, (20, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


class Reader(nn.Module):
    """Logits that are the first pixels of the red channel."""

    def forward(self, images):
        return images[:, 0, 0, :3]


def test_accuracy_counts_the_largest_logit():
    images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    images[[0, 1, 2, 3], 0, 0, [0, 1, 2, 2]] = 255
    assert accuracy(Reader(), images, torch.tensor([0, 1, 2, 0])) == 0.75


def test_largest_difference_is_over_all_images():
    images = torch.zeros(600, 3, 8, 8, dtype=torch.uint8)
    images[555, 0, 0, 1] = 51
    zero = nn.Sequential(Reader(), nn.Hardtanh(0.0, 1e-9))
    assert largest_difference(Reader(), zero, images) == pytest.approx(0.2)


def test_dead_channels_are_those_silent_everywhere(network, images):
    network.eval()
    assert dead_channels(network, images) == (0, 14)
    with torch.no_grad():
        network.conv2d0.norm.bias[1] = -100.0
        network.mixed3a_5x5.norm.bias[2] = -100.0
        network.mixed3a_3x3_bottleneck.norm.bias[0] = -100.0  # not the output of a listed layer
    assert dead_channels(network, images) == (2, 14)
    assert all(not module._forward_hooks for module in network.modules())


def test_a_channel_that_answers_once_is_alive(network):
    network.eval()
    with torch.no_grad():
        network.conv2d0.conv.weight.zero_()
        network.conv2d0.conv.weight[0, 0, 1, 1] = 1.0
        network.conv2d0.norm.bias.fill_(-0.9)
    images = torch.zeros(700, 3, 8, 8, dtype=torch.uint8)
    assert dead_channels(network, images)[0] >= 4
    before = dead_channels(network, images)[0]
    images[3, 0, 5, 5] = 255
    assert dead_channels(network, images)[0] <= before - 1


def test_what_is_written_loads_and_is_recorded(network, images, tmp_path):
    labels = torch.arange(20) % 3
    entry = export("small", network, (images, labels), tmp_path, {"command": "train small", "seed": 7})
    assert sorted(os.listdir(tmp_path)) == ["small.safetensors", "weights.toml"]
    path = tmp_path / "small.safetensors"
    assert tomllib.loads((tmp_path / "weights.toml").read_text()) == {"small": entry}
    assert (entry["command"], entry["seed"]) == ("train small", 7)
    assert (entry["sha256"], entry["bytes"]) == (file_sha256(path), path.stat().st_size)
    assert (entry["test_images"], entry["channels"], entry["dead_channels"]) == (20, 14, 0)
    assert entry["parameters"] == sum(value.numel() for value in module.fold_batch_norm(network).parameters())
    assert entry["accuracy"] == accuracy(network, images, labels)
    assert entry["folding_difference"] <= 1e-4


def test_the_record_is_read_back_by_name(network, images, tmp_path):
    entry = export("mini", network, (images, torch.zeros(20, dtype=torch.int64)), tmp_path, {})
    assert provenance("mini", tmp_path) == entry


def test_entries_of_other_networks_stay(tmp_path):
    path = tmp_path / "weights.toml"
    write_entry(path, "one", {"file": "one", "accuracy": 0.5, "tiny": 2e-06})
    write_entry(path, "two", {"file": 'a "quoted" name', "seed": 3})
    write_entry(path, "one", {"file": "new"})
    assert tomllib.loads(path.read_text()) == {"one": {"file": "new"}, "two": {"file": 'a "quoted" name', "seed": 3}}


def test_folding_that_changes_the_function_writes_nothing(network, images, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "fold_batch_norm", lambda network: Inception(SMALL).eval())
    with pytest.raises(ValueError, match=r"^network: folding changes its logits by \d\.\de[+-]\d\d, more than 1e-04$"):
        export("small", network, (images, torch.zeros(20, dtype=torch.int64)), tmp_path, {})
    assert os.listdir(tmp_path) == []
