"""Maps of icons and heat over photographs."""

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


def test_icon_map_puts_each_icon_in_its_square() -> None:
    icons = torch.rand(3, 3, 10, 10, generator=torch.Generator().manual_seed(0))
    figure = plots.icon_map(
        icons, torch.tensor([0, 1, 1]), torch.tensor([2, 0, 1]), sizes=torch.tensor([4.0, 1.0, 0.0]), title="a map"
    )
    shown = figure.axes[0].images
    for image, icon, (row, column) in zip(shown, icons, [(0, 2), (1, 0), (1, 1)], strict=True):
        np.testing.assert_allclose(image.get_array(), icon.permute(1, 2, 0), rtol=0, atol=1e-7)
        left, right, bottom, top = image.get_extent()
        assert ((left + right) / 2, (top + bottom) / 2) == (pytest.approx(column + 0.5), pytest.approx(row + 0.5))
    sides = [image.get_extent()[1] - image.get_extent()[0] for image in shown]
    assert sides[0] > sides[1] > sides[2] > 0.3  # the least is still to be seen
    box = figure.axes[0].get_window_extent()
    assert (box.width, box.height) == (pytest.approx(30), pytest.approx(20))
    with refuses("rows, columns: two icons lie at (1, 1); give each a square of its own"):
        plots.icon_map(icons, torch.ones(3).int(), torch.tensor([0, 1, 1]))


def test_heat_maps_show_signs_on_one_scale() -> None:
    heat = torch.tensor([[[4.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, -2.0]]])
    figure = plots.heat_maps(torch.full((2, 3, 4, 4), 0.5), heat, ["for", "against"], words="share")
    first, second = (axes.images[0].get_array() for axes in figure.axes[:2])
    np.testing.assert_allclose(first[3, 3], first[0, 3])  # 0 leaves the grey photograph
    assert np.ptp(first[3, 3]) == pytest.approx(0)
    assert first[0, 0, 0] > first[0, 0, 2]  # orange: more red than blue
    assert second[3, 3, 2] > second[3, 3, 1]  # violet: more blue than green
    bar = figure.axes[2]
    assert bar.get_ylabel() == "share"
    assert bar.get_ylim() == (-4, 4)
    places = [axes.get_window_extent() for axes in figure.axes]
    assert places[0].width == pytest.approx(120)
    assert places[2].x0 > places[1].x1


def test_heat_maps_each_on_its_own_scale() -> None:
    heat = torch.tensor([[[1.0]], [[100.0]]])
    figure = plots.heat_maps(torch.full((2, 3, 4, 4), 0.5), heat, shared=False)
    one, other = (axes.images[0].get_array() for axes in figure.axes[:2])
    np.testing.assert_allclose(one, other)
    assert figure.axes[2].get_ylabel() == "attribution, share of the picture's largest"
    assert figure.axes[2].get_ylim() == (0, 1)  # nothing is below 0
    with refuses("heat: 1 maps for 2 images; give one each"):
        plots.heat_maps(torch.zeros(2, 3, 4, 4), heat[:1])
