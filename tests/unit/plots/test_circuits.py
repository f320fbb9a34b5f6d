"""Circuit diagrams: every unit and edge in its place, signs told apart by shape, weights by width."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise, product

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from tests.unit.refusals import refuses

from innervision import plots

LAYERS = [["a", "b"], ["c"]]


@pytest.fixture(autouse=True)
def _no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def large() -> tuple[list[list[str]], dict[tuple[str, str], float]]:
    """Three layers of six units, every edge between neighbours."""
    layers = [[f"mixed3{layer}:{100 + unit}" for unit in range(6)] for layer in "abc"]
    generator = torch.Generator().manual_seed(0)
    edges = [edge for pair in pairwise(layers) for edge in product(*pair)]
    return layers, dict(zip(edges, torch.randn(len(edges), generator=generator).tolist(), strict=True))


def parts(figure: Figure) -> tuple[list[Line2D], list[Line2D], list[Polygon]]:
    """Whole lines, dashed lines, and arrowheads; without the legend's."""
    (axes,) = figure.axes
    above = [line for line in axes.lines if max(line.get_ydata()) > 0.4]
    longest = [line for line in above if np.ptp(line.get_xdata()) > 0.5]
    heads = [patch for patch in axes.patches if len(patch.get_xy()) == 4 and patch.get_xy()[:, 1].min() > 0.4]
    dashed = [line for line in longest if line.is_dashed()]
    return [line for line in longest if not line.is_dashed()], dashed, heads


def test_excitation_ends_in_an_arrow_and_inhibition_in_a_bar() -> None:
    figure = plots.circuit_diagram(LAYERS, {("a", "c"): 2.0, ("b", "c"): -1.0}, title="a circuit")
    (whole,), (dashed,), (head,) = parts(figure)
    assert whole.get_color() == plots.EXCITES
    assert head.get_facecolor() == to_rgba(plots.EXCITES)
    assert dashed.get_color() == plots.INHIBITS
    assert whole.get_linewidth() == pytest.approx(4.5)
    assert dashed.get_linewidth() == pytest.approx(0.7 + 3.8 / 2)
    bars = [line for line in figure.axes[0].lines if np.ptp(line.get_xdata()) < 0.5 and max(line.get_ydata()) > 0.4]
    (bar,) = bars
    assert bar.get_xydata().mean(axis=0) == pytest.approx(dashed.get_xydata()[-1])
    along, across = np.diff(dashed.get_xydata(), axis=0)[0], np.diff(bar.get_xydata(), axis=0)[0]
    assert along @ across == pytest.approx(0, abs=1e-9)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words == ["a", "b", "c", "excites", "inhibits", "widest: weight ±2"]


def test_edges_lead_from_unit_to_unit() -> None:
    layers, edges = large()
    figure = plots.circuit_diagram(layers, edges)
    whole, dashed, heads = parts(figure)
    assert len(whole) == len(heads) == sum(weight > 0 for weight in edges.values())
    assert len(dashed) == sum(weight < 0 for weight in edges.values())
    starts = {round(line.get_ydata()[0], 6) for line in [*whole, *dashed]}
    assert len(starts) == 36  # each edge leaves its unit at a place of its own, alike in both columns
    (axes,) = figure.axes
    ups = {text.get_text(): text.get_position()[1] for text in axes.texts}
    reached = [min(ups, key=lambda name: abs(ups[name] - line.get_ydata()[1])) for line in [*whole, *dashed]]
    left = [min(ups, key=lambda name: abs(ups[name] - line.get_ydata()[0])) for line in [*whole, *dashed]]
    rows = sorted((one[-1], other[-1]) for one, other in zip(left, reached, strict=True))  # 100 to 105
    assert rows == sorted((one[-1], other[-1]) for one, other in edges)


def test_a_wide_circuit_can_be_read() -> None:
    layers, edges = large()
    pictures = {name: torch.full((3, 8, 8), 0.5) for layer in layers for name in layer}
    figure = plots.circuit_diagram(layers, edges, pictures, title="all")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert len(axes.images) == 18
    boxes = [text.get_window_extent() for text in [*axes.texts, *figure.texts]]
    boxes += [image.get_window_extent() for image in axes.images]
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1
    sides = {(round(box.width), round(box.height)) for box in boxes[-18:]}
    assert sides == {(66, 66)}


def test_weights_are_written_where_they_cover_no_other() -> None:
    layers, edges = large()
    strongest = dict(sorted(edges.items(), key=lambda item: -abs(item[1]))[:12])
    figure = plots.circuit_diagram(layers, strongest, digits=2)
    figure.draw_without_rendering()
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    numbers = [texts[f"{weight:.2f}"] for weight in strongest.values()]
    for one, other in combinations(numbers, 2):
        assert not plt.Text.get_window_extent(one).overlaps(plt.Text.get_window_extent(other))


def test_an_edge_may_pass_a_layer_and_a_circuit_may_have_no_edge() -> None:
    figure = plots.circuit_diagram([["a"], ["b"], ["c"]], {("a", "c"): 1.0})
    (line,), _, _ = parts(figure)
    assert np.ptp(line.get_xdata()) > 2 * 1.7
    bare = plots.circuit_diagram(LAYERS, {})
    assert [text.get_text() for text in bare.axes[0].texts] == ["a", "b", "c"]


def test_refusals() -> None:
    with refuses("layers: hold no unit; give at least one"):
        plots.circuit_diagram([[]], {})
    with refuses("layers: 'a' stands twice; give each unit a name of its own"):
        plots.circuit_diagram([["a"], ["a"]], {})
    with refuses("edges: 'd' stands in no layer; the layers hold a, b, c"):
        plots.circuit_diagram(LAYERS, {("a", "d"): 1.0})
    with refuses("edges: 'b' does not stand in a later layer than 'a', which it reads"):
        plots.circuit_diagram(LAYERS, {("a", "b"): 1.0})
    for weight in (0.0, torch.nan):
        with refuses(f"edges: from 'a' to 'c' the weight is {weight:g}; leave the edge out"):
            plots.circuit_diagram(LAYERS, {("a", "c"): weight})
    with refuses("pictures: 'd' stands in no layer; the layers hold a, b, c"):
        plots.circuit_diagram(LAYERS, {}, {"d": torch.zeros(3, 4, 4)})
