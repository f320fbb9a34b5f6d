"""Tuning curves: of layers written by hand, of mini, and of twenty planted networks whose orientations are known."""

from __future__ import annotations

import time
from functools import partial

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision import load, record
from innervision.circuits import (
    Answer,
    Planted,
    find_family,
    joint_tuning,
    plant,
    preferred_orientation,
    shuffle_responses,
    tuning_curve,
    written,
)
from innervision.data.stimuli import draw_curve, draw_line

SIZE = 29  # pixels, odd, so that a unit lies in the middle; the written curves and all their kernels read fit
AROUND = torch.arange(0.0, 360, 2)
draw_known_curve = partial(draw_curve, radius=written.RADIUS, size=SIZE)


def planted(seed: int) -> tuple[Planted, Answer]:
    """A network with lines and curves at random orientations, with noise of a fifth of the weights."""
    generator = torch.Generator().manual_seed(seed)
    turn = 360 * float(torch.rand((), generator=generator))
    return plant(written.circle(turn), generator, noise=0.2)


def channels_and_angles(answer: Answer, kind: str) -> tuple[list[int], Tensor]:
    """Channels of one kind of unit, and the angles with which they were written."""
    names = [name for name in answer.angles if name.startswith(kind)]
    return [answer.channels[name][1] for name in names], torch.tensor([answer.angles[name] for name in names])


@pytest.mark.parametrize("seed", range(20))
def test_planted_orientations_are_recovered_within_five_degrees(seed: int) -> None:
    network, answer = planted(seed)
    curves, bulges = channels_and_angles(answer, "curve")
    responses = tuning_curve(network, "layer2", draw_known_curve(AROUND))[curves]
    errors = (preferred_orientation(responses, AROUND) - bulges + 180) % 360 - 180
    assert len(errors) == written.CURVES
    assert float(errors.abs().max()) <= 5
    lines, along = channels_and_angles(answer, "line")
    halves = AROUND[AROUND < 180]
    responses = tuning_curve(network, "layer1", draw_line(halves, size=SIZE))[lines]
    across = preferred_orientation(responses, 2 * halves) / 2
    errors = (across - (along + 90) + 90) % 180 - 90
    assert len(errors) == written.LINES
    assert float(errors.abs().max()) <= 5


@pytest.mark.parametrize("seed", range(20))
def test_the_planted_family_is_found_and_none_when_shuffled(seed: int) -> None:
    """Some decoys are tuned by accident of what they read; they respond less than half as much as the family does."""
    network, answer = planted(seed)
    curves, bulges = channels_and_angles(answer, "curve")
    responses = tuning_curve(network, "layer2", draw_known_curve(AROUND))
    found = find_family(responses, AROUND, generator=torch.Generator().manual_seed(seed), strength=0.5)
    assert found.tolist() == [curves[index] for index in bulges.argsort()]
    shuffled = shuffle_responses(responses, torch.Generator().manual_seed(seed))
    assert find_family(shuffled, AROUND, generator=torch.Generator().manual_seed(seed)).tolist() == []


def test_a_layer_written_by_hand() -> None:
    """Channel 0 takes brightness, channel 1 what is left above a half; units are single pixels."""
    layer = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU()).eval()
    with torch.no_grad():
        layer[0].weight.copy_(torch.ones(2, 3, 1, 1) / 3)
        layer[0].bias.copy_(torch.tensor([0.0, -0.5]))
    brightness = torch.tensor([0.1, 0.5, 0.9])
    stimuli = torch.zeros(3, 3, 4, 7)
    stimuli[:, :, 2, 3] = brightness[:, None]  # rows // 2, columns // 2
    stimuli[:, :, 0, 4] = 1.0
    expected = torch.stack([brightness, torch.tensor([0.0, 0.0, 0.4])])
    torch.testing.assert_close(tuning_curve(layer, "1", stimuli), expected)
    strongest = tuning_curve(layer, "1", stimuli, at="strongest")
    torch.testing.assert_close(strongest, torch.tensor([[1.0] * 3, [0.5] * 3]))


@pytest.mark.parametrize("at", ["centre", "strongest"])
def test_batches_change_nothing_and_nothing_is_left_behind(at: str) -> None:
    mini, stimuli = load("mini"), draw_curve(AROUND[::23], 8)
    activation = record(mini, stimuli, "mixed3a")["mixed3a"].detach()
    rows, columns = activation.shape[2:]
    middle, largest = activation[:, :, rows // 2, columns // 2].T, activation.flatten(2).max(dim=2)[0].T
    for batch_size in (1, 3, 64):
        responses = tuning_curve(mini, "mixed3a", stimuli, at=at, batch_size=batch_size)
        torch.testing.assert_close(responses, middle if at == "centre" else largest, rtol=1e-4, atol=1e-5)
        assert not responses.requires_grad
    assert sum(len(module._forward_hooks) for module in mini.modules()) == 0


def test_joint_tuning_is_many_tuning_curves() -> None:
    mini, radii = load("mini"), torch.tensor([4.0, 8.0, 16.0])
    joint = joint_tuning(mini, "mixed3a", draw_curve, AROUND[::23], radii, at="strongest", batch_size=2)
    for column, radius in enumerate(radii):
        alone = tuning_curve(mini, "mixed3a", draw_curve(AROUND[::23], float(radius)), at="strongest")
        torch.testing.assert_close(joint[:, :, column], alone, rtol=1e-4, atol=1e-5)
    assert joint.shape[1:] == (8, 3)


def test_refusals() -> None:
    mini, stimuli = load("mini"), draw_curve(0, 8)
    with refuses("at: 'center' is none of 'centre', 'strongest'"):
        tuning_curve(mini, "mixed3a", stimuli, at="center")
    with refuses("batch_size: 0 is below 1; give a number of images"):
        tuning_curve(mini, "mixed3a", stimuli, batch_size=0)
    with refuses("layer: 'logits' puts out shape (1, 10); name one with (batch, channel, rows, columns)"):
        tuning_curve(mini, "logits", stimuli)
    for pattern, fits in (("mixed3?", "mixed3a, mixed3b"), ("*ixed3b", "mixed3b")):
        message = f"layer: '{pattern}' is a pattern that fits {fits}; name one layer"
        with refuses(message):
            tuning_curve(mini, pattern, stimuli)
        with refuses(message):
            joint_tuning(mini, pattern, draw_curve, torch.zeros(2), torch.ones(2))
    with refuses("make_stimuli: returned 1 images for 2 pairs of values"):
        joint_tuning(mini, "mixed3a", lambda first, second: stimuli, torch.ones(3), torch.ones(2))


@pytest.mark.alone
def test_all_channels_of_a_layer_at_180_orientations_in_two_seconds() -> None:
    mini, threads = load("mini"), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        start = time.perf_counter()
        responses = tuning_curve(mini, "mixed3b", draw_curve(torch.arange(0.0, 360, 2), radius=8))
        seconds = time.perf_counter() - start
    finally:
        torch.set_num_threads(threads)
    assert responses.shape[1] == 180
    assert seconds <= 2
