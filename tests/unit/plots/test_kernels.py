"""Kernel sheets: one scale, a sign that shows without colour, every picture beside its kernel."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from tests.unit.refusals import refuses
from torch import Tensor

from innervision import plots


@pytest.fixture(autouse=True)
def _no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def kernels(outputs: int = 2, inputs: int = 3) -> Tensor:
    return torch.randn(outputs, inputs, 5, 5, generator=torch.Generator().manual_seed(0))


def flat(value: float) -> Tensor:
    """A picture that can be told from others by its brightness."""
    return torch.full((3, 4, 4), value)


def shown(axes: Axes) -> np.ndarray:
    return np.asarray(axes.images[0].get_array())


def panels(figure: plt.Figure) -> tuple[list[Axes], dict[float, Axes]]:
    """Axes of the kernels, row by row, and those of flat pictures by their brightness."""
    filled = [axes for axes in figure.axes if axes.images]
    drawn = [axes for axes in filled if shown(axes).ndim == 2]
    return drawn, {round(float(shown(axes)[0, 0, 0]), 2): axes for axes in filled if shown(axes).ndim == 3}


def test_kernels_share_a_scale_and_stand_in_their_rows() -> None:
    numbers = kernels()
    figure = plots.kernel_sheet(numbers, rows=["a", "b"], columns=["x", "y", "z"], title="six kernels")
    drawn, pictures = panels(figure)
    assert pictures == {}
    limit = float(numbers.abs().max())
    for axes, kernel in zip(drawn, numbers.flatten(0, 1), strict=True):
        np.testing.assert_array_equal(shown(axes), kernel)
        assert axes.images[0].get_clim() == pytest.approx((-limit, limit))
    places = [axes.get_window_extent() for axes in drawn]
    assert places[0].y0 == pytest.approx(places[2].y0)
    assert places[3].y1 < places[0].y0
    assert places[1].x0 > places[0].x1
    words = {text.get_text(): text.get_window_extent() for text in figure.texts}
    assert words["b"].y0 < places[3].y1
    assert words["b"].x1 < places[3].x0
    assert words["y"].y0 > places[1].y1
    assert places[1].x0 < (words["y"].x0 + words["y"].x1) / 2 < places[1].x1


def test_what_inhibits_is_struck_through() -> None:
    numbers = torch.tensor([[10.0, -10.0], [-0.6, -0.4]])[None, None]  # the last is nearly white
    (axes,), _ = panels(plots.kernel_sheet(numbers))
    strokes = axes.collections[0].get_segments()
    assert sorted(tuple(stroke.mean(axis=0)) for stroke in strokes) == [(0, 1), (1, 0)]
    (faint,), _ = panels(plots.kernel_sheet(numbers, limit=1.0))
    assert len(faint.collections[0].get_segments()) == 3
    assert faint.images[0].get_clim() == (-1, 1)


def test_the_bar_says_what_the_colours_mean() -> None:
    figure = plots.kernel_sheet(torch.full((1, 1, 3, 3), -0.25))
    bar = figure.axes[-1]
    assert [label.get_text() for label in bar.get_yticklabels()] == ["-0.25\ninhibits", "0", "excites\n0.25"]
    assert len(bar.collections[-1].get_segments()) == 8


def test_pictures_stand_beside_kernels() -> None:
    inputs = torch.stack([flat(0.1 * index) for index in range(6)]).unflatten(0, (2, 3))
    outputs = torch.stack([flat(0.8), flat(0.9)])
    names = [["a", "b", "c"], ["d", "e", "f"]]
    figure = plots.kernel_sheet(kernels(), names=names, inputs=inputs, outputs=outputs)
    drawn, pictures = panels(figure)
    for index, axes in enumerate(drawn):
        kernel, picture = axes.get_window_extent(), pictures[round(0.1 * index, 2)].get_window_extent()
        assert (kernel.y0, kernel.width) == pytest.approx((picture.y0, picture.width))
        assert 0 < kernel.x0 - picture.x1 < 10
        assert axes.texts[0].get_text() == names[index // 3][index % 3]
    for row, brightness in enumerate((0.8, 0.9)):
        reader = pictures[brightness].get_window_extent()
        first = pictures[round(0.3 * row, 2)].get_window_extent()
        assert reader.y0 == pytest.approx(first.y0)
        assert reader.x1 < first.x0


def test_pictures_that_all_rows_share_stand_above() -> None:
    figure = plots.kernel_sheet(kernels(), inputs=torch.stack([flat(0.1 * index) for index in range(3)]))
    drawn, pictures = panels(figure)
    for column in range(3):
        kernel, picture = drawn[column].get_window_extent(), pictures[round(0.1 * column, 2)].get_window_extent()
        assert kernel.x0 == pytest.approx(picture.x0)
        assert kernel.y1 < picture.y0


def test_contextualized_weights_draw_every_unit_once() -> None:
    weights = torch.tensor([[1.0, -3.0, 2.0, -0.5], [0.0, 0.0, 0.0, 0.0]])[:, :, None, None]
    asked: list[list[str]] = []

    def draw(names: list[str]) -> Tensor:
        asked.append(names)
        return torch.stack([flat(0.1 * int(name.split(":")[1])) for name in names])

    figure = plots.contextualized_weights(weights, 0, draw, from_layer="one", to_layer="two", count=2)
    assert asked == [["two:0", "one:2", "one:0", "one:1", "one:3"]]
    drawn, pictures = panels(figure)
    assert [shown(axes).item() for axes in drawn] == [2, 1, -3, -0.5]
    assert [axes.texts[0].get_text() for axes in drawn] == ["one:2", "one:0", "one:1", "one:3"]
    assert pictures[0.2].get_window_extent().x1 < drawn[0].get_window_extent().x0
    assert {"excite", "inhibit"} < {text.get_text() for text in figure.texts}
    with refuses("draw: returned 1 pictures for 5 units"):
        plots.contextualized_weights(weights, 0, lambda names: flat(0.0)[None], from_layer="a", to_layer="b", count=2)
    with refuses("unit: 2 is no output channel; there are 2 (0 to 1)"):
        plots.contextualized_weights(weights, 2, draw, from_layer="one", to_layer="two")


def test_refusals() -> None:
    numbers, pictures = kernels(), torch.zeros(4, 3, 8, 8)
    with refuses("kernels: shape (3, 5, 5) is not (outputs, inputs, rows, columns)"):
        plots.kernel_sheet(numbers[0])
    with refuses("kernels: hold NaN or infinity; give finite weights"):
        plots.kernel_sheet(numbers / 0)
    with refuses("rows: 1 words for 2 rows of kernels"):
        plots.kernel_sheet(numbers, rows=["a"])
    with refuses("columns: 2 words for 3 columns of kernels"):
        plots.kernel_sheet(numbers, columns=["a", "b"])
    with refuses("names: rows of [3, 2] names; give 2 rows of 3"):
        plots.kernel_sheet(numbers, names=["abc", "de"])
    with refuses("inputs: shape (4, 3, 8, 8) is not (3, 3, height, width) or (2, 3, 3, height, width)"):
        plots.kernel_sheet(numbers, inputs=pictures)
    with refuses("outputs: 4 pictures for 2 rows of kernels"):
        plots.kernel_sheet(numbers, outputs=pictures)
    with refuses("limit: 0 is no distance from 0; give a number above 0"):
        plots.kernel_sheet(numbers, limit=0)
    with refuses("images: run from -1 to -1; a picture needs numbers in [0, 1]"):
        plots.kernel_sheet(numbers, outputs=pictures[:2] - 1)
