"""Portions: the numbers of the whole batch, each image's gradient, and never more images at once than asked for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from innervision.optvis.joint import together
from innervision.optvis.objectives import Objective, channel, of_drawing
from innervision.optvis.portions import PORTION, in_portions
from innervision.optvis.render import render
from innervision.optvis.scoring import Scorer


class Sizes(nn.Module):
    """A convolution that notes how many images it is given."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 30, 3)
        self.seen: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(len(images))
        return self.conv(images)


def brightness(images: Tensor) -> Tensor:
    return images.square().mean(dim=(1, 2, 3))


def objectives(count: int) -> list[Objective]:
    return [channel("conv", i) - (i + 1) * of_drawing(brightness) for i in range(count)]


def batches(count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images, drawing = (torch.rand(count, 3, 6, 6, generator=generator) for _ in range(2))
    return images.requires_grad_(True), drawing.requires_grad_(True)


@pytest.mark.parametrize("portion", [1, 2, 3, 5, 9])
def test_scores_and_gradients_are_those_of_the_whole_batch(portion: int) -> None:
    model, (images, drawing) = Sizes().eval(), batches(5)
    scorer = Scorer(model, objectives(5), images.detach(), drawing.detach())
    weights = torch.arange(1.0, 6.0)
    whole = scorer(images, drawing)
    expected = torch.autograd.grad((whole * weights).sum(), [images, drawing])
    model.seen.clear()
    scores = in_portions(scorer, images, drawing, portion)
    assert model.seen == [min(portion, 5 - first) for first in range(0, 5, portion)]
    torch.testing.assert_close(scores, whole, rtol=0, atol=1e-6)
    found = torch.autograd.grad((scores * weights).sum(), [images, drawing])
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_what_needs_no_gradient_gets_none() -> None:
    model, (images, drawing) = Sizes().eval(), batches(3)
    scorer = Scorer(model, ["conv:0", "conv:1", "conv:2"], images.detach())
    assert not in_portions(scorer, images.detach(), drawing.detach(), 2).requires_grad
    in_portions(scorer, images, drawing.detach(), 2).sum().backward()
    assert images.grad is not None
    assert drawing.grad is None


def test_render_shows_the_network_portions() -> None:
    model = Sizes().eval()
    render(model, [f"conv:{i}" for i in range(2 * PORTION + 3)], size=8, steps=1)
    assert model.seen[1:-1] == [PORTION, PORTION, 3]  # between a look at what is read, and the finished images' scores


def test_images_of_one_objective_stay_together() -> None:
    model = Sizes().eval()
    render(model, [together("conv:1", PORTION + 2), "conv:0"], size=8, steps=1)
    assert PORTION + 3 in model.seen
    assert PORTION not in model.seen
