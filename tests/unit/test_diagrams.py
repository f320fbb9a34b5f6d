"""Diagrams: every step is there with its numbers; colours keep the sign."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
import torch
from tests.unit.refusals import refuses

from innervision import diagrams
from innervision.models.architectures import FULL, MINI, Mixed


@pytest.fixture(autouse=True)
def _no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_zero_is_white_and_the_sides_differ():
    colors = diagrams.signed_colors(torch.tensor([[-2.0, 0.0, 2.0]]))
    assert colors.shape == (3, 1, 3)
    assert float(colors[:, 0, 1].min()) > 0.95
    orange, violet = colors[:, 0, 0], colors[:, 0, 2]
    assert orange[0] > orange[2]
    assert violet[2] > violet[1]


def test_all_numbers_share_one_scale_or_the_one_that_was_given():
    numbers = torch.tensor([[[1.0]], [[4.0]], [[-9.0]]])
    shared = diagrams.signed_colors(numbers)
    assert torch.equal(shared[1], diagrams.signed_colors(torch.tensor([[4 / 9]]), limit=1.0))
    clipped = diagrams.signed_colors(numbers, limit=4.0)
    assert torch.equal(clipped[1], diagrams.signed_colors(torch.tensor([[7.0]]), limit=1.0))
    assert torch.equal(diagrams.signed_colors(torch.zeros(2, 2)), diagrams.signed_colors(torch.zeros(2, 2), limit=3.0))


def test_a_limit_must_be_above_zero():
    with refuses("limit: 0.0 is no distance from 0; give a number above 0"):
        diagrams.signed_colors(torch.ones(1, 1), limit=0.0)


@pytest.mark.parametrize("architecture", [MINI, FULL], ids=["mini", "full"])
def test_the_anatomy_has_a_bar_for_every_step_with_its_channels_and_size(architecture):
    axes = diagrams.network_diagram(architecture).axes[0]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert [label.split()[0] for label in labels] == ["image", *[step.name for step in architecture.steps], "classes"]
    heights: dict[int, float] = {}
    for bar in axes.patches:
        place = round(bar.get_x() + bar.get_width() / 2)
        heights[place] = heights.get(place, 0) + bar.get_height()
    written = [text.get_text() for text in axes.texts]
    assert written == [str(round(heights[place])) for place in range(len(labels))]
    widths = {step.name: step.width for step in architecture.steps if isinstance(step, Mixed)}
    assert {labels[place].split()[0]: round(heights[place]) for place in heights if "mixed" in labels[place]} == widths


def test_the_anatomy_of_inceptionv1_shrinks_as_published():
    labels = [label.get_text() for label in diagrams.network_diagram(FULL).axes[0].get_xticklabels()]
    sizes = dict(label.split() for label in labels[:-1])
    published = {"conv2d0": 112, "conv2d2": 56, "mixed3a": 28, "mixed4e": 14, "mixed5b": 7}  # Szegedy et al., table 1
    assert {name: sizes[name] for name in published} == {name: f"{side}×{side}" for name, side in published.items()}


def test_a_block_names_every_part_with_its_channels():
    step = Mixed("mixed3a", 32, 64, 65, 8, 16, 17)
    words = {text.get_text() for text in diagrams.block_diagram(step, 96).axes[0].texts} - {""}
    assert words == {
        "input\n96",
        "1×1\n32",
        "1×1 bottleneck\n64",
        "3×3\n65",
        "1×1 bottleneck\n8",
        "5×5\n16",
        "3×3 max pool",
        "1×1 pool_reduce\n17",
        "mixed3a\n130",
    }
