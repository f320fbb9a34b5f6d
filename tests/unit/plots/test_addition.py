"""Figures of a network that adds: every number and every wave where it belongs, what is compared on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from innervision import plots
from innervision.learning import fourier_basis, interference

PRIME = 13


@pytest.fixture(autouse=True)
def _no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_numbers_on_a_circle_are_drawn_on_a_circle() -> None:
    vectors = 3 + fourier_basis(PRIME)[[5, 6]].T @ torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    rows, _ = torch.linalg.qr(torch.randn(4, 2, generator=torch.Generator().manual_seed(1)))
    circle = 3 + fourier_basis(PRIME)[[5, 6]].T @ rows.T
    figure = plots.number_circles({"round": circle, "bent": vectors}, [3, 1], labelled=2)
    assert [axes.get_title() for axes in figure.axes] == ["frequency 3", "frequency 1", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes] == ["round", "", "bent", ""]
    points = np.asarray(figure.axes[0].collections[0].get_offsets())
    np.testing.assert_allclose(np.hypot(*points.T), math.sqrt(2 / PRIME), rtol=1e-4)  # cosine and sine of length 1
    assert [text.get_text() for text in figure.axes[0].texts] == ["0", "1"]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_frequency_bars_mark_what_they_are_told_on_one_scale() -> None:
    spectra = {"first": torch.tensor([1.0, 5.0, 0.5]), "second": torch.tensor([1.0, 1.0, 1.0])}
    figure = plots.frequency_bars(spectra, {"first": [2]})
    first, second = figure.axes
    assert [bar.get_height() for bar in first.patches] == [1, 5, 0.5]
    assert [text.get_text() for text in first.texts] == ["2"]
    assert len({bar.get_facecolor() for bar in first.patches}) == 2
    assert not second.texts
    assert first.get_ylim() == second.get_ylim()


def test_losses_are_drawn_on_a_logarithmic_scale_and_guessing_as_a_line() -> None:
    panels = {"accuracy": {"trained on": [0.0, 1.0]}, "loss": {"trained on": [1.0, 0.1], "unseen": [1.0, 2.0]}}
    figure = plots.training_curves([0, 100], panels, guess={"accuracy": 0.5})
    accuracy, loss = figure.axes
    assert (accuracy.get_yscale(), loss.get_yscale()) == ("linear", "log")
    np.testing.assert_allclose(accuracy.lines[0].get_xdata(), [0, 100])
    assert [line.get_label() for line in accuracy.lines] == ["trained on", "guessing"]
    assert [line.get_label() for line in loss.lines] == ["trained on", "unseen"]


def test_wrong_answers_stand_beside_what_was_predicted() -> None:
    heights = interference(PRIME, {2: 1.0})
    given = {"only 2": torch.tensor([0, 0, 6, 7])}
    axes = plots.wrong_answers({"only 2": heights}, given).axes[0]
    shares = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in axes.patches}
    assert {offset: share for offset, share in shares.items() if share} == {0: 0.5, 6: 0.25, -6: 0.25}
    rivals = axes.lines[1].get_xdata()
    assert sorted(rivals) == [-6, 6]  # 2 · 6 is -1 modulo 13


def test_strengths_are_sorted_by_angle_and_their_largest_is_1() -> None:
    frequency = 5
    strengths = 3 * (math.pi * frequency * torch.arange(PRIME) / PRIME).cos().abs()
    figure = plots.strength_curves({"pizza": {frequency: strengths}, "the same": {frequency: strengths}}, columns=2)
    line, grey = figure.axes[0].lines
    angles = np.asarray(line.get_xdata())
    assert (np.diff(angles) > 0).all()
    np.testing.assert_allclose(line.get_ydata(), np.abs(np.cos(np.radians(angles / 2))), atol=1e-5)
    assert grey.get_label() == "|cos|"
    assert [axes.get_title() for axes in figure.axes] == ["pizza", "the same"]
