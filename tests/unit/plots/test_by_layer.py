"""A measure, layer by layer."""

import matplotlib.pyplot as plt
import pytest
import torch

from innervision.plots import layer_curves


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_means_are_lines_and_seeds_are_dots():
    values = torch.tensor([[0.1, 0.3], [0.5, 0.7], [0.2, 0.2]])
    figure = layer_curves({"trained": values, "one": values[:, 0]}, ["a", "b", "c"], up="accuracy", floor=0.1)
    axes = figure.axes[0]
    assert axes.lines[0].get_ydata().tolist() == pytest.approx([0.2, 0.6, 0.2])
    assert [line.get_ydata().tolist() for line in axes.lines[1:3]] == [
        pytest.approx(values[:, seed].tolist()) for seed in (0, 1)
    ]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["trained", "one", "chance"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c"]


def test_refusals():
    with pytest.raises(ValueError, match=r"^series: 'x' has 2 layers, 3 are named$"):
        layer_curves({"x": torch.zeros(2)}, ["a", "b", "c"], up="y")
    with pytest.raises(ValueError, match=r"^series: is empty; give at least one$"):
        layer_curves({}, [], up="y")
