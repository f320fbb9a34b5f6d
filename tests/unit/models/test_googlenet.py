"""torchvision's network with random weights: our arrangement of it computes what torchvision's own does."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torchvision
from tests.unit.serving import FileServer, Page, serving
from torch import nn

from innervision.activations import layer_runs, record
from innervision.models import googlenet, load
from innervision.models.googlenet import WEIGHTS

WARNING = (
    "\"googlenet\" is torchvision's network, not the one that Distill's articles show: their unit numbers do not apply "
    'to it; they are those of load("inceptionv1")'
)


@pytest.fixture(scope="module")
def original() -> nn.Module:
    """torchvision's own network as it arranges it for its weights, with random ones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.googlenet(weights=None, aux_logits=True, transform_input=True, init_weights=False)
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator) * 0.1)
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
    return network.eval().requires_grad_(False)


@pytest.fixture
def file(original: nn.Module, tmp_path: Path) -> Path:
    torch.save(original.state_dict(), tmp_path / "googlenet.pth")
    return tmp_path / "googlenet.pth"


def test_it_computes_what_torchvision_does_with_its_own_preprocessing(original: nn.Module, file: Path) -> None:
    with pytest.warns(UserWarning, match=f"^{WARNING.replace('(', '.').replace(')', '.')}$"):
        network = load("googlenet", weights=file)
    images = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(2))
    preset = WEIGHTS.transforms()
    normalized = (images - torch.tensor(preset.mean).view(3, 1, 1)) / torch.tensor(preset.std).view(3, 1, 1)
    torch.testing.assert_close(network(images), original(normalized), rtol=1e-4, atol=1e-4)
    assert network.architecture.image_size == preset.crop_size[0]


@pytest.mark.filterwarnings("ignore:.googlenet. is torchvision's network")
def test_rectifiers_are_modules_that_write_over_nothing(file: Path) -> None:
    network = load("googlenet", weights=file)
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    rectifiers = [name for name, module in network.named_modules() if isinstance(module, nn.ReLU)]
    convolutions = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    assert len(rectifiers) == len(convolutions) == 57
    runs = layer_runs(network, images)
    assert {runs[name] for name in rectifiers} == {1}
    seen = record(network, images, ["inception4a.branch1.bn", "inception4a.branch1"])
    assert seen["inception4a.branch1.bn"].min() < 0
    torch.testing.assert_close(seen["inception4a.branch1"], seen["inception4a.branch1.bn"].relu(), rtol=0, atol=0)


@pytest.fixture
def host(original: nn.Module, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server with the random weights under a name that ends in the beginning of their hash."""
    buffer = io.BytesIO()
    torch.save(original.state_dict(), buffer)
    content = buffer.getvalue()
    name = f"/models/googlenet-{hashlib.sha256(content).hexdigest()[:8]}.pth"

    class Entry:
        url = ""

    with serving() as server:
        Entry.url = server.address + name
        monkeypatch.setattr(googlenet, "WEIGHTS", Entry)
        server.pages[name] = Page(content)
        yield server


@pytest.mark.filterwarnings("ignore:.googlenet. is torchvision's network")
def test_weights_are_fetched_once(host: FileServer, tmp_path: Path) -> None:
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    first = load("googlenet", cache=tmp_path)(images)
    assert len(host.asked) == 1
    assert torch.equal(load("googlenet", cache=tmp_path)(images), first)
    assert len(host.asked) == 1


@pytest.mark.filterwarnings("ignore:.googlenet. is torchvision's network")
def test_the_hash_in_the_name_is_checked(host: FileServer, tmp_path: Path) -> None:
    (name, page), *_ = host.pages.items()
    host.pages[name] = Page(page.body[:-1] + b"!")
    with pytest.raises(
        ValueError, match=r"is not the published file: its SHA-256 begins with [0-9a-f]{8}, not [0-9a-f]{8};"
    ):
        load("googlenet", cache=tmp_path)
    assert not (tmp_path / "weights" / name.rsplit("/", 1)[1]).exists()


def test_torchvision_publishes_the_address_and_the_hash_that_we_read_from_it() -> None:
    assert WEIGHTS.url == "https://download.pytorch.org/models/googlenet-1378be20.pth"
