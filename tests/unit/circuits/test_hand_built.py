"""Curve detectors written by hand: closed forms, symmetries, and what they answer to real lines."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses
from torch import nn

from innervision.circuits import preferred_orientation, tuning_curve
from innervision.circuits.drawings import line_kernel
from innervision.circuits.hand_built import hand_built_curve_detector
from innervision.circuits.splicing import splice
from innervision.data.stimuli import draw_curve

LINES = torch.arange(0.0, 180, 22.5)


def test_the_middle_reads_lines_along_the_curve() -> None:
    middle = hand_built_curve_detector(LINES, 30.0, 4.0, 5)[:, 2, 2]
    assert torch.allclose(middle, torch.deg2rad(2 * (LINES - 30)).cos(), atol=1e-6)  # rounding of single precision


def test_evenly_spread_lines_add_up_to_nothing_at_every_place() -> None:
    kernel = hand_built_curve_detector(LINES, 77.0, 3.0, 7)
    assert kernel.sum(dim=0).abs().max() < 1e-6  # rounding of eight numbers up to 1
    assert kernel.abs().max() <= 1


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_turns_the_kernel(quarters: int) -> None:
    kernel = hand_built_curve_detector(LINES, 20.0, 3.0, 5)
    turned = hand_built_curve_detector(LINES + 90 * quarters, 20.0 + 90 * quarters, 3.0, 5)
    assert torch.allclose(torch.rot90(kernel, quarters, (1, 2)), turned, atol=1e-5)  # single precision of angles


def test_beyond_a_quarter_of_the_circle_nothing_is_read() -> None:
    kernel = hand_built_curve_detector(torch.tensor([0.0]), 90.0, 2.0, 9)[0]
    assert (kernel[7:] == 0).all()
    assert kernel[4, 4] == pytest.approx(-1)  # an upright line crosses the top of a circle
    assert kernel[6].abs().max() < 1e-6  # level with the centre: exactly a quarter


def test_a_huge_circle_is_a_line() -> None:
    kernel = hand_built_curve_detector(torch.tensor([90.0]), 90.0, 1e4, 5)[0]
    assert torch.allclose(kernel, kernel.flip(0), atol=1e-3)  # a sagitta of 2² / 2e4 positions
    assert torch.allclose(kernel[2], torch.ones(5), atol=1e-3)


def test_width_is_the_distance_in_which_weights_fade() -> None:
    narrow, wide = (hand_built_curve_detector(torch.tensor([0.0]), 0.0, 50.0, 5, width)[0, 2] for width in (1.0, 2.0))
    assert narrow[3] == pytest.approx(float(torch.tensor(-0.5).exp()), rel=1e-4)
    assert wide[4] == pytest.approx(float(narrow[3]), rel=1e-4)


def test_built_on_line_detectors_it_answers_to_its_curve_and_not_to_the_opposite_one() -> None:
    lines = torch.stack([line_kernel(float(angle) - 90, 9).expand(3, 9, 9) for angle in LINES])
    first = nn.Sequential(nn.Conv2d(3, 8, 9, padding=4, bias=False), nn.ReLU(), nn.ReLU()).eval()
    first[0].weight.data = lines
    angles = torch.arange(0.0, 360, 10)
    kernel = hand_built_curve_detector(LINES, 140.0, 6.0, 9)
    with splice(first, "2", [0], "1", kernel[None]):
        responses = tuning_curve(first, "2", draw_curve(angles, 6.0, length=14.0))[0]
    best = preferred_orientation(responses, angles)
    assert abs(float(best) - 140) < 3  # lines lie 22.5 degrees apart
    opposite = draw_curve(torch.tensor([140.0, 320.0]), 6.0, length=14.0)
    with torch.no_grad(), splice(first, "2", [0], "1", kernel[None]):
        own, echo = (first(opposite - 0.5))[:, 0, 16, 16]
    assert echo < 0.5 * own


def test_refuses() -> None:
    with refuses("radius: 0 is not above 0 positions"):
        hand_built_curve_detector(LINES, 0.0, 0, 5)
    with refuses("width: -1.0 is not above 0 positions"):
        hand_built_curve_detector(LINES, 0.0, 3.0, 5, -1.0)
    for size in (4, 0, -1):
        with refuses(f"size: {size} is not odd; a kernel needs a middle"):
            hand_built_curve_detector(LINES, 0.0, 3.0, size)


def test_gradients_reach_the_orientations() -> None:
    lines = LINES.clone().requires_grad_(True)
    F.relu(hand_built_curve_detector(lines, 0.0, 3.0, 3)).sum().backward()
    assert lines.grad is not None
    assert lines.grad.abs().max() > 0
