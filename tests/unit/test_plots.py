"""Figures: pixels as they are, one scale for what is compared, words where they belong."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from tests.unit.refusals import refuses

from innervision import plots


@pytest.fixture(autouse=True)
def _no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_image_grid_shows_the_numbers_as_they_are() -> None:
    images = torch.rand(5, 3, 4, 6, generator=torch.Generator().manual_seed(0)) * 0.5
    figure = plots.image_grid(images, ["a", "b", "c", "d", "e"], columns=3)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c", "d", "e"]
    for axes, image in zip(figure.axes, images, strict=True):
        np.testing.assert_allclose(axes.images[0].get_array(), image.permute(1, 2, 0), rtol=0, atol=1e-7)
        box = axes.get_window_extent()
        assert box.width / box.height == pytest.approx(6 / 4)
    places = [axes.get_window_extent() for axes in figure.axes]
    assert places[0].y0 == pytest.approx(places[2].y0)
    assert places[3].y1 < places[0].y0
    assert places[1].x0 > places[0].x1


def test_image_grid_scale_is_screen_pixels_per_image_pixel() -> None:
    figure = plots.image_grid(torch.zeros(1, 3, 10, 20), scale=3)
    box = figure.axes[0].get_window_extent()
    assert (box.width, box.height) == (pytest.approx(60), pytest.approx(30))


def test_image_grid_with_rows() -> None:
    figure = plots.image_grid(torch.zeros(6, 3, 8, 8), ["left", "mid", "right"], rows=["top", "bottom"])
    assert [axes.get_title() for axes in figure.axes] == ["left", "mid", "right", "", "", ""]
    assert [axes.texts[0].get_text() for axes in figure.axes if axes.texts] == ["top", "bottom"]


def test_image_grid_takes_bytes() -> None:
    figure = plots.image_grid(torch.full((1, 3, 2, 2), 51, dtype=torch.uint8))
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), np.full((2, 2, 3), 0.2), rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.rand(3, 4, 4), {}, "images: shape (3, 4, 4) is no batch of pictures; give (batch, 3, height, width)"),
        (
            torch.rand(0, 3, 4, 4),
            {},
            "images: shape (0, 3, 4, 4) is no batch of pictures; give (batch, 3, height, width)",
        ),
        (torch.full((1, 3, 4, 4), -2.0), {}, "images: run from -2 to -2; a picture needs numbers in [0, 1]"),
        (torch.full((1, 3, 4, 4), float("nan")), {}, "images: hold NaN; a picture needs numbers in [0, 1]"),
        (torch.rand(2, 3, 4, 4), {"titles": ["a"]}, "titles: 1 titles for 2 images"),
        (torch.rand(4, 3, 4, 4), {"titles": ["a"], "rows": ["x", "y"]}, "titles: 1 titles for 2 columns"),
        (torch.rand(3, 3, 4, 4), {"rows": ["x", "y"]}, "rows: 2 rows cannot be filled evenly by 3 images"),
    ],
)
def test_image_grid_refuses(images: torch.Tensor, options: dict[str, list[str]], message: str) -> None:
    with refuses(message):
        plots.image_grid(images, **options)  # type: ignore[arg-type]


def test_curves_draw_each_series_and_a_band() -> None:
    history = torch.tensor([[0.0, 2.0], [1.0, 5.0]])
    figure = plots.curves({"one": history[:, 0], "two": history}, up="mean activation", title="climb")
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0, 1])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [1, 3])
    assert len(axes.collections) == 1
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "two"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("step", "mean activation", "climb")
    assert axes.lines[0].get_color() != axes.lines[1].get_color()
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()
    with refuses("series: is empty; give at least one"):
        plots.curves({})


def test_spectra_of_white_noise_are_flat_at_one() -> None:
    noise = torch.randn(16, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    figure = plots.spectra({"noise": noise, "louder": 9 * noise})
    for line in figure.axes[0].lines[:2]:
        np.testing.assert_allclose(line.get_ydata(), np.ones(16), rtol=0, atol=0.3)  # few waves in the coarsest ring


def test_bars_start_at_zero_and_carry_their_numbers() -> None:
    figure = plots.bars(
        {"activation": {"plain": 1.0, "robust": torch.tensor([1.0, 3.0])}, "share": {"plain": 0.5, "robust": 0.25}}
    )
    widths = [[patch.get_width() for patch in axes.patches] for axes in figure.axes]
    assert widths == [[1.0, 2.0], [0.5, 0.25]]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.00", "2.00", "mean"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["0.50", "0.25"]
    assert all(patch.get_x() == 0 for axes in figure.axes for patch in axes.patches)
    assert [axes.get_xlabel() for axes in figure.axes] == ["activation", "share"]
    with refuses("measures: 'b' lists ['y']; list the same things everywhere: ['x']"):
        plots.bars({"a": {"x": 1.0}, "b": {"y": 1.0}})


def test_matrices_share_one_scale() -> None:
    figure = plots.matrices({"small": torch.eye(2), "large": -4 * torch.eye(2)}, rows=["a", "b"], columns=["c", "d"])
    limits = {axes.images[0].get_clim() for axes in figure.axes}
    assert limits == {(-4.0, 4.0)}
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.00", "0.00", "0.00", "1.00"]
