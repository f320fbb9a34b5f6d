"""Patterns on one scale, words at their points, doses with bands."""

from __future__ import annotations

import matplotlib.pyplot as plt
import torch
from tests.unit.refusals import refuses

from innervision.plots import attention_sheet, dose_curves, word_map


def test_patterns_share_the_scale_from_0_to_1() -> None:
    figure = attention_sheet({"one": torch.eye(4), "other": torch.full((4, 4), 0.25)}, title="two heads")
    limits = [axes.images[0].get_clim() for axes in figure.axes]
    plt.close(figure)
    assert limits == [(0, 1), (0, 1)]


def test_each_word_stands_at_its_point() -> None:
    points = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    figure = word_map(points, ["king", "queen", "ox"], {"people": ["king", "queen"], "animals": ["ox"]})
    found = {text.get_text(): tuple(text.xy) for text in figure.axes[0].texts}
    plt.close(figure)
    assert found == {"king": (0.0, 1.0), "queen": (2.0, 3.0), "ox": (4.0, 5.0)}


def test_a_line_is_the_mean_and_its_band_holds_all_repeats() -> None:
    repeats = torch.tensor([[1.0, 3.0], [2.0, 6.0]])
    figure = dose_curves([0, 2], {"response": {"steered": torch.tensor([0.0, 1.0]), "random": repeats}})
    lines, bands = figure.axes[0].lines, figure.axes[0].collections
    heights = bands[0].get_paths()[0].vertices[:, 1]
    plt.close(figure)
    assert lines[1].get_ydata().tolist() == [2.0, 4.0]
    assert (heights.min(), heights.max()) == (1.0, 6.0)


def test_refuses_what_does_not_fit() -> None:
    with refuses("patterns: is empty; give at least one"):
        attention_sheet({})
    with refuses("words: 1 for 2 points; give one for each"):
        word_map(torch.zeros(2, 2), ["one"], {})
    with refuses("panels: 'steered' has 3 numbers for 2 doses"):
        dose_curves([0, 1], {"response": {"steered": torch.zeros(3)}})
    plt.close("all")
