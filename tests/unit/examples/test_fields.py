"""Receptive fields found by trying: against arithmetic, and against what gradients reach."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision import load, record
from innervision.examples import probe_receptive_field
from innervision.models.architectures import MINI, Mixed
from innervision.models.inception import same_padding


def by_arithmetic(layers: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    """(size, jump, start) of (kernel, stride, padding) layers."""
    size, jump, start = 1, 1, 0
    for kernel, stride, padding in layers:
        size, jump, start = size + (kernel - 1) * jump, jump * stride, start - padding * jump
    return size, jump, start


@pytest.mark.parametrize(
    "layers",
    [[(3, 1, 1)], [(3, 1, 1), (2, 2, 0)], [(5, 2, 2), (3, 2, 1), (3, 1, 1)], [(4, 3, 0), (1, 1, 0), (3, 1, 0)]],
)
def test_convolutions_as_arithmetic_says(layers: list[tuple[int, int, int]]) -> None:
    parts = [nn.Sequential(nn.Conv2d(3, 3, kernel, stride, padding), nn.ReLU()) for kernel, stride, padding in layers]
    model = nn.Sequential(*parts).eval()
    field = probe_receptive_field(model, str(len(parts) - 1), (40, 40))
    assert field.geometry == by_arithmetic(layers)


def test_height_and_width_and_the_border() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, (3, 1), stride=(1, 2), padding=(1, 0))).eval()
    field = probe_receptive_field(model, "0", (5, 6))
    boxes = field.boxes(torch.tensor([0, 2, 4]), torch.tensor([0, 1, 2]))
    assert boxes.tolist() == [[0, 2, 0, 1], [1, 4, 2, 3], [3, 5, 4, 5]]


@pytest.mark.parametrize("layer", ["conv2d0", "maxpool0", "mixed3a", "mixed3b", "mixed4a", "mixed4c"])
def test_mini_as_arithmetic_says(layer: str) -> None:
    path = []
    for step in MINI.steps:
        if isinstance(step, Mixed):
            path.append((5, 1, 2))  # the widest branch
        elif hasattr(step, "kernel"):
            path.append((step.kernel, step.stride, step.kernel // 2))
        else:
            path.append((3, 2, same_padding(32, 3, 2)[0]))
        if step.name == layer:
            break
    assert probe_receptive_field(load("mini"), layer, (96, 96)).geometry == by_arithmetic(path)


def test_no_gradient_leaves_the_field() -> None:
    mini = load("mini")
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0), requires_grad=True)
    activation = record(mini, images, "mixed4a")["mixed4a"]
    field = probe_receptive_field(mini, "mixed4a", (32, 32))
    for row, column in [(0, 0), (3, 5), (7, 7)]:
        (gradient,) = torch.autograd.grad(activation[0, :, row, column].sum(), images, retain_graph=True)
        reached = gradient[0].abs().sum(dim=0)
        top, bottom, left, right = field.boxes(torch.tensor(row), torch.tensor(column)).tolist()
        reached[top:bottom, left:right] = 0
        assert float(reached.sum()) == 0


class Compares(nn.Module):
    """Divides by the mean over all positions, as attention and squeeze-and-excitation let positions interact."""

    def forward(self, values: Tensor) -> Tensor:
        return values / (1 + values.mean(dim=(2, 3), keepdim=True))


def test_weights_do_not_matter_and_comparing_sees_everything() -> None:
    silent = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(), Compares()).eval()
    nn.init.zeros_(silent[0].weight)
    nn.init.constant_(silent[0].bias, -100)  # every rectifier is blocked
    assert probe_receptive_field(silent, "1", (9, 9)).geometry == (3, 1, -1)
    everything = probe_receptive_field(silent, "2", (9, 7)).boxes(torch.tensor([4]), torch.tensor([0]))
    assert everything.tolist() == [[0, 9, 0, 7]]


def test_asked_twice_the_network_runs_once() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3)).eval()
    runs = []
    model[0].register_forward_hook(lambda *_: runs.append(1))
    first = probe_receptive_field(model, "0", (8, 8))
    tried = len(runs)
    assert probe_receptive_field(model, "0", (8, 8)) is first
    assert len(runs) == tried
    probe_receptive_field(model, "0", (8, 9))
    assert len(runs) > tried


def test_refusals() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()).eval()
    with refuses("layers: no layer 'x' in this network; layer_names(model) lists all"):
        probe_receptive_field(model, "x", (8, 8))
    with refuses(
        "layer: '1' has activations of shape (8, 72), without rows and columns; "
        "choose one with (batch, channel, row, column)"
    ):
        probe_receptive_field(model, "1", (8, 8))
    with refuses("image_size: 32 rows are too few: the unit in the middle sees all of them or more"):
        _ = probe_receptive_field(load("mini"), "mixed4c", (32, 32)).geometry
    with refuses("model: is in training mode; call model.eval() first"):
        probe_receptive_field(model.train(), "0", (8, 8))
