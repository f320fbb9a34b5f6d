"""Networks that nobody built for this: rectifiers in place, modules used twice, functions in place of modules."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from innervision import record, render


class Functional(nn.Module):
    """Two convolutions with function calls between them, held in the wrong order."""

    def __init__(self) -> None:
        super().__init__()
        self.second = nn.Conv2d(4, 5, 3)
        self.first = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(images), inplace=True)), inplace=True)


def build(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Functional() if name == "functional" else torchvision.models.get_model(name, weights=None)
    return network.eval()


@pytest.mark.parametrize(
    ("name", "layer"),
    [("resnet18", "layer2.0"), ("resnet18", "layer1.0.relu"), ("mobilenet_v2", "features.3"), ("functional", "second")],
)
def test_any_network_is_drawn(name: str, layer: str) -> None:
    network = build(name)
    drawing = render(network, [f"{layer}:0", f"{layer}:1"], size=32, steps=3)
    assert drawing.images.shape == (2, 3, 32, 32)
    assert drawing.images.std() > 0
    assert drawing.scores.isfinite().all()


def test_a_residual_network_is_recorded_as_it_computes() -> None:
    network = build("resnet18")
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    layers = ["bn1", "layer1.0.bn1", "layer1.0.bn2", "layer1.0", "fc"]
    with torch.no_grad():
        seen = record(network, images, layers)
        pooled = F.max_pool2d(seen["bn1"].relu(), 3, 2, 1)
        assert (seen["bn1"] < 0).any()
        torch.testing.assert_close(seen["layer1.0"], (seen["layer1.0.bn2"] + pooled).relu(), rtol=0, atol=0)
        torch.testing.assert_close(seen["fc"], network(images), rtol=0, atol=0)
