"""Circuits alone, their scores, and branches: closed forms, scipy as oracle, and the network as it was."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import hypergeom
from tests.unit.refusals import refuses
from torch import nn

from innervision.circuits.subnetworks import (
    behaviour_of,
    branch_specialization,
    completeness,
    edges_of,
    faithfulness,
    keep_only,
    minimal_circuit,
)


class Sum(nn.Module):
    """Puts out the sum of what its edges carry, ``(batch, 1)``: weights are shares of the behaviour."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(len(weights), 1, 1, bias=False)
        self.conv.weight.data = torch.tensor(weights).view(1, -1, 1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.conv(images).mean(dim=(2, 3))


WEIGHTS = [5.0, 3.0, 1.5, 0.5, 0.0]


def mask(*channels: int) -> dict[str, torch.Tensor]:
    kept = torch.zeros(1, len(WEIGHTS), dtype=torch.bool)
    kept[0, list(channels)] = True
    return {"conv": kept}


def test_shares_of_a_sum() -> None:
    model = Sum(WEIGHTS).eval()
    behaviour = behaviour_of(model, torch.ones(2, len(WEIGHTS), 3, 3), 0)
    assert faithfulness(model, mask(0, 1), behaviour) == pytest.approx(0.8)
    assert completeness(model, mask(0, 1), behaviour) == pytest.approx(0.8)
    assert faithfulness(model, mask(), behaviour) == 0
    assert completeness(model, mask(0, 1, 2, 3), behaviour) == pytest.approx(1)


def test_the_minimal_circuit_keeps_the_share_and_can_lose_no_edge() -> None:
    model = Sum(WEIGHTS).eval()
    behaviour = behaviour_of(model, torch.ones(2, len(WEIGHTS), 3, 3), 0)
    circuit = minimal_circuit(model, {"conv": torch.tensor([WEIGHTS])}, behaviour, share=0.9)
    assert edges_of(circuit) == [("conv", 0, 0), ("conv", 0, 1), ("conv", 0, 2)]
    misled = minimal_circuit(model, {"conv": -torch.tensor([WEIGHTS]).flip(1)}, behaviour, share=0.5)
    for name, row, column in edges_of(misled):  # no guarantee of the smallest, only that none can go
        assert faithfulness(model, misled, behaviour) >= 0.5
        misled[name][row, column] = False
        assert faithfulness(model, misled, behaviour) < 0.5
        misled[name][row, column] = True


def test_weights_come_back_after_an_error() -> None:
    model = Sum(WEIGHTS).eval()
    with keep_only(model, mask(1)):
        assert model.conv.weight.flatten().tolist() == [0, 3, 0, 0, 0]
    assert model.conv.weight.flatten().tolist() == WEIGHTS

    def stop() -> None:
        with keep_only(model, mask(1)):
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        stop()
    assert model.conv.weight.flatten().tolist() == WEIGHTS


@pytest.mark.parametrize(
    "numbers", [(30, 30, 96, 480), (9, 9, 32, 256), (11, 4, 128, 256), (8, 0, 5, 40), (3, 2, 7, 9)]
)
def test_branches_agree_with_scipy(numbers: tuple[int, int, int, int]) -> None:
    family, in_branch, branch, layer = numbers
    expected = hypergeom.sf(in_branch - 1, layer, branch, family)
    assert branch_specialization(*numbers) == pytest.approx(expected, rel=1e-9)


def test_published_families() -> None:
    """All 30 curve-related units of mixed3b lie in the 5×5 branch; all 9 black-and-white ones of mixed3a in its."""
    assert branch_specialization(30, 30, 96, 480) == pytest.approx(1.68e-23, rel=0.005)
    assert branch_specialization(9, 9, 32, 256) == pytest.approx(2.48e-9, rel=0.005)


def test_refusals() -> None:
    model = Sum(WEIGHTS).eval()
    turned = {"conv": mask()["conv"].T}
    with refuses("circuit: the mask of 'conv' has shape (5, 1); give (1, 5)"), keep_only(model, turned):
        pass
    with refuses("behaviour: is the same without any edge; measure what depends on these convolutions"):
        faithfulness(model, mask(0), lambda: 1.0)
    with refuses("in_branch: 31 of 30 in a branch of 96, in a layer of 480; a part cannot be larger than its whole"):
        branch_specialization(30, 31, 96, 480)
