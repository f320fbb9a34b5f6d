"""Tuning wheels and maps: angles where they belong, one scale, names that do not cover one another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from tests.unit.refusals import refuses

from innervision import plots

ANGLES = torch.arange(0.0, 360, 10)


@pytest.fixture(autouse=True)
def _no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def bumps(peaks: list[float], heights: list[float]) -> torch.Tensor:
    """Responses that fall from a peak, 1 or another height, to 0 after 40 degrees."""
    apart = ((ANGLES - torch.tensor(peaks)[:, None] + 180) % 360 - 180).abs()
    return (1 - apart / 40).relu() * torch.tensor(heights)[:, None]


def covers(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of words that lie over one another."""
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in [*axes.texts, *axes.get_xticklabels(), axes.title]]
    texts = [text for text in [*texts, *figure.texts] if text.get_text()]
    boxes = {id(text): text.get_window_extent() for text in texts}
    # An annotation's own box would hold its line, too.
    boxes |= {id(text): plt.Text.get_window_extent(text) for axes in figure.axes for text in axes.texts}
    pairs = combinations(texts, 2)
    return [(one.get_text(), two.get_text()) for one, two in pairs if boxes[id(one)].overlaps(boxes[id(two)])]


def test_a_wheel_for_each_unit_on_one_scale() -> None:
    figure = plots.tuning_wheel(bumps([90, 200], [4.0, 1.0]), ANGLES, ["up", "left"], title="two units")
    assert [axes.get_title() for axes in figure.axes] == ["up", "left"]
    for axes, peak, height in zip(figure.axes, (90, 200), (1, 0.25), strict=True):
        around, heights = axes.lines[0].get_data()
        assert np.rad2deg(around[heights.argmax()]) == pytest.approx(peak)
        assert heights.max() == pytest.approx(height)
        assert np.rad2deg(around[-1] - around[0]) == pytest.approx(360)  # closed
        assert axes.get_theta_direction() == 1  # against the clock
        assert axes.get_theta_offset() == 0  # from the right
    assert figure.texts[-1].get_text() == "rim: activation 4"
    assert covers(figure) == []


def test_each_unit_on_its_own_scale_and_angles_in_any_order() -> None:
    responses, order = bumps([90, 200], [4.0, 1.0]), torch.randperm(36, generator=torch.Generator().manual_seed(0))
    straight = plots.tuning_wheel(responses, ANGLES, relative=True)
    mixed = plots.tuning_wheel(responses[:, order], ANGLES[order], relative=True)
    for one, other in zip(straight.axes, mixed.axes, strict=True):
        np.testing.assert_allclose(one.lines[0].get_xydata(), other.lines[0].get_xydata())
        assert one.lines[0].get_ydata().max() == pytest.approx(1)
    assert straight.texts[-1].get_text() == "rim: each unit's own peak"
    assert [axes.get_title() for axes in straight.axes] == ["0", "1"]


def test_lines_are_drawn_on_both_sides() -> None:
    angles = torch.arange(0.0, 180, 10)
    responses = torch.deg2rad(angles - 30).cos().square()[None]
    around, heights = plots.tuning_wheel(responses, angles, period=180).axes[0].lines[0].get_data()
    best = np.rad2deg(around[np.isclose(heights, 1)])
    np.testing.assert_allclose(best, [30, 210])


@pytest.mark.parametrize("peaks", [[10.0 * i for i in range(30)], [90.0] * 12, [85.0, 88.0, 270.0, 275.0, 0.0, 1.0]])
def test_a_family_on_one_wheel_has_names_that_can_be_read(peaks: list[float]) -> None:
    names = [f"mixed3b:{100 + index}" for index in range(len(peaks))]
    figure = plots.tuning_wheel(bumps(peaks, [1.0] * len(peaks)), ANGLES, names, overlaid=True, title="a family")
    (axes,) = figure.axes
    assert sorted(text.get_text() for text in axes.texts) == names
    assert covers(figure) == []
    whole = figure.bbox
    for text in axes.texts:
        box = plt.Text.get_window_extent(text)
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1
    styles = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len(styles) == len(peaks)


def test_names_point_at_peaks_and_silence_is_said() -> None:
    figure = plots.tuning_wheel(bumps([120, 300], [2.0, 0.0]), ANGLES, ["one", "two"], overlaid=True)
    one, two = sorted(figure.axes[0].texts, key=lambda text: text.get_text())
    assert np.rad2deg(one.xy[0]) == pytest.approx(120)
    assert one.get_ha() == "right"  # it stands at the left
    assert two.get_text() == "two, silent"


def test_a_map_has_one_parameter_across_and_the_other_upwards() -> None:
    responses = torch.zeros(4, 3)
    responses[1, 2] = 5.0
    figure = plots.tuning_map(responses, torch.tensor([0.0, 10, 20, 30]), torch.tensor([2.0, 4, 64]), title="a unit")
    axes, bar = figure.axes
    mesh = axes.collections[0]
    numbers = mesh.get_array()
    assert numbers.shape == (3, 4)
    assert numbers[2, 1] == 5
    assert mesh.get_clim() == (0, 5)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["2", "4", "64"]
    assert bar.get_ylabel() == "activation"
    assert axes.get_xlabel() == "orientation (degrees)"
    silent = plots.tuning_map(torch.zeros(4, 3), torch.arange(4.0), torch.arange(3.0))
    silent.canvas.draw()
    assert silent.axes[0].collections[0].get_clim()[0] == 0


def test_refusals() -> None:
    two = torch.ones(2, 36)
    with refuses("names: 1 names for 2 units"):
        plots.tuning_wheel(two, ANGLES, ["a"])
    with refuses("responses: shape (36,) is not (units, 36), a row for each unit"):
        plots.tuning_wheel(two[0], ANGLES)
    with refuses("responses: -1 is not finite and at least 0; record after a rectifier"):
        plots.tuning_wheel(-two, ANGLES)
    with refuses("period: 360 is no multiple of 100 degrees; give 360, or 180 for lines"):
        plots.tuning_wheel(two, ANGLES, period=100)
    with refuses("responses: shape (3, 4) is not (4, 3), a response for each pair of values"):
        plots.tuning_map(torch.zeros(3, 4), torch.arange(4.0), torch.arange(3.0))
