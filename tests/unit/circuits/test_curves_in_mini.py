"""The curve detectors of mini: found by stimuli, used by the next layer, and partly replaced by hand-built ones.

What lesson 04 measures at leisure, on fewer photographs: the signs and the order of effects, not their sizes.
"""

from __future__ import annotations

from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from innervision import edit, load, record
from innervision.circuits import (
    ablate,
    echo_ratio,
    expanded_weights,
    hand_built_curve_detector,
    orientation_selectivity,
    preferred_orientation,
    splice,
    tuned_channels,
    tuning_curve,
)
from innervision.data.sample import load_sample
from innervision.data.stimuli import draw_curve, draw_line

pytestmark = pytest.mark.slow

ANGLES, HALF_TURN = torch.arange(0.0, 360, 4), torch.arange(0.0, 180, 4)
LAYER, RADIUS = "mixed3a", 6.0


@cache
def mini() -> nn.Module:
    return load("mini")


@cache
def photographs() -> Tensor:
    return load_sample().images[::4] / 255


def answers(layer: str, *, lines: bool = False) -> Tensor:
    """To white strokes, and to black ones: ``(2, channel, stimuli)``."""
    strokes = [
        draw_line(HALF_TURN, contrast=contrast) if lines else draw_curve(ANGLES, RADIUS, contrast=contrast)
        for contrast in (1.0, -1.0)
    ]
    return torch.stack([tuning_curve(mini(), layer, one) for one in strokes])


@cache
def family() -> tuple[Tensor, Tensor]:
    """Curve detectors, as lesson 04 finds them, and where they point."""
    both, straight = answers(LAYER), answers(LAYER, lines=True).mean(dim=0)
    arcs, (white, black) = both.mean(dim=0), preferred_orientation(both, ANGLES)
    passed = (
        tuned_channels(arcs, ANGLES, generator=torch.Generator().manual_seed(0), strength=0.15, selectivity=0.6)
        & (((white - black + 180) % 360 - 180).abs() < 30)
        & (echo_ratio(arcs, ANGLES) < 0.3)
        & (arcs.amax(dim=1) > 1.5 * straight.amax(dim=1))
    )
    members = passed.nonzero()[:, 0]
    return members, preferred_orientation(arcs[members], ANGLES)


def test_a_family_lies_in_one_branch() -> None:
    members, orientations = family()
    around = orientations.sort().values
    assert len(members) >= 15
    assert ((members >= 32) & (members < 96)).all()  # 3×3
    assert ((around.roll(-1) - around) % 360).max() < 90


def test_its_readers_need_it_more_than_random_channels_of_equal_norm() -> None:
    members, _ = family()
    excites = expanded_weights(mini(), LAYER, "mixed3b").clamp(min=0).sum(dim=(2, 3))
    readers = (excites[:, members].sum(dim=1) / excites.sum(dim=1)).topk(10).indices
    some = photographs()[::2]
    with torch.no_grad():
        usual = record(mini(), some, [LAYER, "mixed3b"])
    norms, left = usual[LAYER].square().mean(dim=(0, 2, 3)).sqrt(), torch.ones(128, dtype=torch.bool)
    left[members] = False
    others = []
    for member in members:
        nearest = (norms.log() - norms[member].log()).abs().masked_fill(~left, torch.inf).argmin()
        left[nearest] = False
        others.append(int(nearest))
    assert norms[others].norm() == pytest.approx(float(norms[members].norm()), rel=0.05)

    def fall(channels: list[int]) -> Tensor:
        """Of the readers together, on each photograph."""
        with torch.no_grad(), edit(mini(), {LAYER: ablate(channels)}):
            after = record(mini(), some, "mixed3b")["mixed3b"]
        return (usual["mixed3b"] - after)[:, readers].mean(dim=(1, 2, 3))

    more = fall(members.tolist()) - fall(others)
    assert more.mean() > 3 * more.std() / len(more) ** 0.5  # three standard errors
    assert fall(members.tolist()).mean() > 0.2 * usual["mixed3b"][:, readers].mean()


def test_hand_built_ones_bring_back_a_part_and_shuffled_ones_do_not() -> None:
    members, points_to = family()
    straight = answers("conv2d2", lines=True).mean(dim=0)
    heights = straight.amax(dim=1)
    selective = orientation_selectivity(straight, 2 * HALF_TURN) >= 0.5
    lines = (selective & (heights >= 0.15 * heights.max())).nonzero()[:, 0]
    orientations = preferred_orientation(straight[lines], 2 * HALF_TURN) / 2
    calibration, tested = photographs()[::2], photographs()[1::2]
    with torch.no_grad():
        seen = record(mini(), calibration, ["conv2d2", LAYER])
        whole = mini()(tested)
        with edit(mini(), {LAYER: ablate(members.tolist())}):
            lost = (mini()(tested) - whole).square().sum()

    def back(lines_at: Tensor) -> float:
        """Share of the squared distance from the whole network's answers that hand-built members bring back."""
        kernels = torch.zeros(len(members), 96, 3, 3)
        for kernel, points in zip(kernels, points_to.tolist(), strict=True):
            written = hand_built_curve_detector(lines_at, points, RADIUS / 2, 3)
            kernel[lines] = written / heights[lines, None, None]
        drive = F.conv2d(seen["conv2d2"], kernels, padding=1).transpose(0, 1).flatten(1)
        learned = seen[LAYER][:, members].transpose(0, 1).flatten(1)
        silent = (learned == 0).float().mean(dim=1)
        threshold = torch.stack([one.quantile(share) for one, share in zip(drive, silent, strict=True)])
        scale = learned.mean(dim=1) / (drive - threshold[:, None]).relu().mean(dim=1)
        spliced = kernels * scale[:, None, None, None]
        with torch.no_grad(), splice(mini(), LAYER, members.tolist(), "conv2d2", spliced, -threshold * scale):
            return 1 - float((mini()(tested) - whole).square().sum() / lost)

    shuffled = [
        back(orientations[torch.randperm(len(lines), generator=torch.Generator().manual_seed(seed))])
        for seed in range(3)
    ]
    hand_built = back(orientations)
    assert hand_built > 0.1
    assert hand_built > max(shuffled)
    assert sum(shuffled) < 0  # on average worse than silence
