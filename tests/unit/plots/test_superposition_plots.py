"""Arrows, strips and maps of toy models show the numbers they were given."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.text import Annotation

from innervision import plots


@pytest.fixture(autouse=True)
def _no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_an_arrow_for_each_feature_and_a_number_at_those_that_are_there() -> None:
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.8, 0.05]])
    directions = torch.tensor([[2.0, 0.0]])
    figure = plots.feature_arrows({"one": weights, "other": weights}, others={"one": directions})
    assert [axes.get_title() for axes in figure.axes] == ["one", "other"]
    for axes in figure.axes:
        arrows = [child for child in axes.get_children() if isinstance(child, Annotation)]
        torch.testing.assert_close(torch.tensor([arrow.xy for arrow in arrows]), weights.T[:2])
        assert [text.get_text() for text in axes.texts if not isinstance(text, Annotation)] == ["0", "1"]
        assert axes.get_xlim() == figure.axes[0].get_xlim()
    assert [len(axes.lines) for axes in figure.axes] == [2, 1]  # the third feature is a point
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata()[1], [1.25, 0])


def test_six_models_need_two_rows_and_empty_panels_stay_blank() -> None:
    figure = plots.feature_arrows({str(number): torch.eye(2) for number in range(6)})
    assert len(figure.axes) == 10
    assert not any(axes.axison for axes in figure.axes)


def test_strips_show_every_number_at_its_height() -> None:
    groups = {"a": torch.tensor([[0.1, 0.5]]), "b": torch.tensor([1.0])}
    figure = plots.dimensionality_strips(groups, {"pair": 0.5}, across="how often")
    (axes,) = figure.axes
    dashed, *strips = axes.lines
    assert list(dashed.get_ydata()) == [0.5, 0.5]
    for place, (strip, values) in enumerate(zip(strips, groups.values(), strict=True)):
        np.testing.assert_allclose(strip.get_ydata(), values.flatten())
        assert np.abs(np.asarray(strip.get_xdata()) - place).max() <= 0.31
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]
    assert [text.get_text() for text in axes.texts] == ["pair"]


def test_words_at_lines_that_are_close_do_not_overlap() -> None:
    figure = plots.dimensionality_strips({"a": torch.tensor([0.5])}, {"upper": 0.4, "lower": 0.375, "far": 0.9})
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert [text.get_text() for text in figure.axes[0].texts] == ["lower", "upper", "far"]
    assert boxes[0].y1 <= boxes[1].y0 + 1
    assert [line.get_ydata()[0] for line in figure.axes[0].lines[:3]] == [0.375, 0.4, 0.9]


def test_a_map_has_one_colour_for_each_kind() -> None:
    outcome = torch.tensor([[0, 1], [2, 2]])
    figure = plots.phase_map(
        {"left": outcome, "right": outcome.flip(0)},
        ["none", "one", "both"],
        rows=["low", "high"],
        columns=["rare", "often"],
        up="importance",
        across="presence",
    )
    first, second = figure.axes
    np.testing.assert_array_equal(first.images[0].get_array(), outcome)
    np.testing.assert_array_equal(second.images[0].get_array(), outcome.flip(0))
    assert first.images[0].origin == "lower"
    colours = [to_hex(first.images[0].to_rgba(np.array([[kind]]))[0, 0]) for kind in range(3)]
    legend = figure.legends[0]
    assert [to_hex(patch.get_facecolor()) for patch in legend.get_patches()] == colours
    assert len(set(colours)) == 3
    assert [text.get_text() for text in legend.get_texts()] == ["none", "one", "both"]
