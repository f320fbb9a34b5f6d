"""Published facts fit together, and our functions derive from them what the articles derived."""

from __future__ import annotations

import pytest
import torch

from innervision.circuits import branch_specialization
from innervision.circuits.published_curves import (
    CURVE_RELATED,
    CURVES_CONV2D2,
    CURVES_MIXED3A,
    CURVES_MIXED3B,
    EDITED_ECHOES,
    PUBLISHED_TUNING,
    TOP_FIVE_CORRECT,
)
from innervision.models.architectures import FULL, Mixed


def branch(layer: str, part: str) -> range:
    """Channels of one branch of InceptionV1, from its architecture."""
    step = next(step for step in FULL.steps if step.name == layer)
    assert isinstance(step, Mixed)
    starts = {"3x3": step.one, "5x5": step.one + step.three}
    return range(starts[part], starts[part] + {"3x3": step.three, "5x5": step.five}[part])


def test_two_gaps_stand_out() -> None:
    orientations = torch.tensor(list(CURVES_MIXED3B.values())).sort().values
    gaps = (orientations.roll(-1) - orientations) % 360
    assert gaps.sum() == pytest.approx(360)
    assert gaps.sort().values[-3:].tolist() == [44.0, 62.0, 68.0]


def test_families_lie_in_the_branches_named() -> None:
    assert all(channel in branch("mixed3b", "5x5") for channel in CURVES_MIXED3B)
    assert all(channel in branch("mixed3a", "3x3") for channel in CURVES_MIXED3A)
    assert len(set(CURVES_CONV2D2)) == 12
    assert len(branch("mixed3b", "5x5")) == 96


def test_thirty_of_thirty_is_no_accident() -> None:
    found = sum(CURVE_RELATED.values())
    assert found == 30
    assert CURVE_RELATED["curves"] == len(CURVES_MIXED3B)
    assert branch_specialization(found, found, 96, 480) == pytest.approx(1.68e-23, rel=0.005)  # three digits are given


def test_what_was_lost_and_what_came_back() -> None:
    whole, without, hand_built = TOP_FIVE_CORRECT.values()
    assert round(2000 * (whole - without)) == 46
    assert round(2000 * (whole - hand_built)) == 20


def test_echoes_fall_from_layer_to_layer() -> None:
    echoes = [tuning.echo for tuning in PUBLISHED_TUNING.values()]
    assert echoes == sorted(echoes, reverse=True)
    assert EDITED_ECHOES["early curves only"] == pytest.approx(PUBLISHED_TUNING["mixed3b"].echo, abs=0.002)
    assert EDITED_ECHOES["positive weights only"] > 20 * EDITED_ECHOES["early curves only"]
