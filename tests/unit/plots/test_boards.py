"""Boards: one scale for all, frames where moves are legal."""

from __future__ import annotations

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Rectangle
from tests.unit.refusals import refuses

from innervision.plots import board_sheet


def test_boards_share_one_scale_and_legal_squares_have_thick_frames() -> None:
    boards = torch.randint(3, (2, 25), generator=torch.Generator().manual_seed(0))
    chances = torch.rand(2, 25, generator=torch.Generator().manual_seed(1))
    legal = torch.zeros(2, 25, dtype=torch.bool)
    legal[0, 3] = legal[1, :4] = True
    figure = board_sheet(boards, chances, legal, ["before", "after"], marked=torch.tensor([3, 4]))
    limits = {axes.images[0].get_clim() for axes in figure.axes}
    thick = [
        sum(isinstance(patch, Rectangle) and patch.get_linewidth() == 2 for patch in axes.patches)
        for axes in figure.axes
    ]
    plt.close(figure)
    assert len(limits) == 1
    assert thick == [1, 4]


def test_refuses_parts_that_are_not_as_many() -> None:
    with refuses("titles: 1 for 2 boards; give one of everything for each board"):
        board_sheet(torch.zeros(2, 25), torch.zeros(2, 25), torch.zeros(2, 25, dtype=torch.bool), ["one"])
