"""A cue in the corner, and who follows it."""

import pytest
import torch
from torch import nn

from innervision.learning.shortcuts import CUE_COLORS, other_classes, plant_cue, shortcut_reliance


@pytest.fixture
def images():
    return torch.rand(50, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def plant(images, told):
    return plant_cue(images, told, CUE_COLORS, 2)


class ReadsCorner(nn.Module):
    """Follows the cue in a share of images, and otherwise says class 0."""

    def __init__(self, every):
        super().__init__()
        self.every = every

    def forward(self, images):
        near = -(images[:, None, :, 0, 0] - CUE_COLORS).norm(dim=2)
        chosen = torch.arange(len(images)) % self.every == 0
        return torch.where(chosen[:, None], near, torch.eye(10)[0])


def test_the_corner_changes_and_nothing_else(images):
    before, told = images.clone(), torch.arange(50) % 10
    marked = plant(images, told)
    assert torch.equal(images, before)
    assert torch.equal(marked[:, :, :2, :2], CUE_COLORS[told][:, :, None, None].expand(-1, -1, 2, 2))
    marked[:, :, :2, :2] = images[:, :, :2, :2]
    assert torch.equal(marked, images)


def test_colours_are_far_apart():
    apart = torch.cdist(CUE_COLORS, CUE_COLORS) + 10 * torch.eye(10)
    assert float(apart.min()) >= 0.5


def test_reliance_is_what_the_cue_adds(images):
    told = torch.arange(50) % 9 + 1  # never class 0
    assert shortcut_reliance(ReadsCorner(1), torch.zeros_like(images), told, plant) == pytest.approx(
        1 - 5 / 50
    )  # black
    assert shortcut_reliance(ReadsCorner(100), images[:1].expand(50, -1, -1, -1), told, plant) == pytest.approx(
        float(shortcut_reliance(ReadsCorner(100), images[:1], told[:1], plant)) / 50
    )
    assert shortcut_reliance(nn.Sequential(nn.Flatten(), nn.Linear(192, 10)), images, told, lambda some, _: some) == 0.0


def test_who_says_so_anyway_does_not_count(images):
    always = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    nn.init.zeros_(always[2].weight)
    with torch.no_grad():
        always[2].bias.copy_(torch.eye(10)[4])
    assert shortcut_reliance(always, images, torch.full((50,), 4), plant) == 0.0


def test_other_classes_are_others_and_all_alike():
    labels = torch.arange(10).repeat(900)
    others = other_classes(labels, 10, torch.Generator().manual_seed(0))
    table = torch.zeros(10, 10).index_put_((labels, others), torch.ones(9000), accumulate=True)
    assert not table.diagonal().any()
    apart = (table - 100).abs()[~torch.eye(10, dtype=torch.bool)]
    assert float(apart.max()) < 50  # five standard deviations of a count
