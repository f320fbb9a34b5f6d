"""Families of turned kernels: exact by quarters, near 1 for a family built by turning, near 0 for a shuffled one."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.circuits.families import equivariance_score, rotate_family, shuffled_scores
from innervision.circuits.planted import plant
from innervision.circuits.written import circle


def planted_family() -> Tensor:
    """Weights from the lines to the curves of a planted network without noise, both sorted by orientation."""
    network, answer = plant(circle(), torch.Generator().manual_seed(0), noise=0, decoys=0)
    curves, lines = ([answer.channels[f"{kind}{index}"][1] for index in range(8)] for kind in ("curve", "line"))
    return network.layer2.conv.weight.detach()[curves][:, lines]


def test_quarter_turns_are_exact() -> None:
    weights = torch.randn(4, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    turned = rotate_family(weights, 90, unit_shift=1, input_shift=1)
    torch.testing.assert_close(turned[2, 1], torch.rot90(weights[1, 0]), rtol=0, atol=0)
    back = rotate_family(turned, -90, unit_shift=-1, input_shift=-1)
    torch.testing.assert_close(back, weights, rtol=0, atol=0)


def test_other_angles_turn_anticlockwise() -> None:
    weights = torch.zeros(1, 1, 9, 9)
    weights[0, 0, 4, 8] = 1.0  # to the right of the middle
    turned = rotate_family(weights, 45)[0, 0]
    row, column = divmod(int(turned.argmax()), 9)
    assert (row, column) == (1, 7)  # up and to the right


def test_a_planted_family_is_equivariant_and_a_shuffled_one_is_not() -> None:
    family = planted_family()
    assert equivariance_score(family, 90, unit_shift=2, input_shift=4) == pytest.approx(1, abs=1e-5)
    eighth = equivariance_score(family, 45, unit_shift=1, input_shift=2)
    controls = shuffled_scores(family, 45, 1, 2, generator=torch.Generator().manual_seed(0))
    assert eighth > 0.7  # places are whole pixels, so weights that were shared out are shared out once more
    assert controls.max() < eighth
    assert controls.mean() < 0.3


def test_refuses_no_shuffles() -> None:
    with refuses("shuffles: 0 is too few; give a whole number, at least 1"):
        shuffled_scores(torch.ones(2, 2, 3, 3), 90, generator=torch.Generator(), shuffles=0)
