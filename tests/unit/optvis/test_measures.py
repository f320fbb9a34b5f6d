"""Measures against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from tests.unit.refusals import refuses
from torch import nn

from innervision.optvis.measures import high_frequency_share, power_spectrum, robust_activation
from innervision.optvis.transforms import pad, random_scale


def wave(cycles_per_pixel: float, size: int = 32) -> torch.Tensor:
    return torch.cos(2 * torch.pi * cycles_per_pixel * torch.arange(float(size))).expand(1, 3, size, size)


def test_share_of_single_waves_and_mixtures() -> None:
    coarse, fine = wave(1 / 16), wave(3 / 8)
    images = torch.cat([coarse, fine, coarse + fine, 3 * coarse + fine, torch.full((1, 3, 32, 32), 0.7)])
    torch.testing.assert_close(high_frequency_share(images), torch.tensor([0.0, 1.0, 0.5, 0.1, 0.0]), rtol=0, atol=1e-5)


def test_share_of_white_noise_is_the_area_beyond_the_cutoff() -> None:
    noise = torch.randn(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for cutoff in (0.1, 0.25, 0.4):
        assert float(high_frequency_share(noise, cutoff).mean()) == pytest.approx(1 - math.pi * cutoff**2, abs=0.01)


def test_spectrum_finds_a_wave_in_its_ring() -> None:
    frequency, power = power_spectrum(wave(3 / 16), bins=8)
    assert float(frequency[int(power[0].argmax())]) == pytest.approx(3 / 16, abs=0.5 / 16)
    assert frequency.shape == (8,)
    assert power.shape == (1, 8)


def test_spectrum_of_white_noise_is_flat() -> None:
    noise = torch.randn(32, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    _, power = power_spectrum(noise, bins=8)
    assert float(power.mean(dim=0).std() / power.mean()) < 0.03


def test_robust_activation_is_the_mean_over_draws() -> None:
    model = nn.Sequential(nn.AvgPool2d(1), nn.Conv2d(3, 1, 1, bias=False)).eval()
    with torch.no_grad():
        model[1].weight.fill_(1 / 3)
    images = torch.stack([torch.full((3, 4, 4), 0.5), torch.full((3, 4, 4), 0.9)])
    measured = robust_activation(model, "1:0", images, random_scale([0.5, 2.0]), 3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(measured, torch.tensor([0.5, 0.9]))
    padded = robust_activation(model, ["1:0", "1:0"], images, pad(2), 1, torch.Generator())
    torch.testing.assert_close(padded, torch.tensor([0.5, 0.6]))  # a quarter image, three quarters grey


def test_draws_below_one_are_refused() -> None:
    with refuses("draws: 0 is too few; give a whole number, at least 1"):
        robust_activation(nn.Conv2d(3, 1, 1).eval(), ":0", torch.rand(1, 3, 4, 4), pad(1), 0, torch.Generator())
