"""Waves of fixed strength: magnitudes agree with numpy, stay fixed, and keep their strength at other sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.unit.refusals import refuses

from innervision.data.sample import load_sample
from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate, decorrelate
from innervision.optvis.phase import PACE, Phase, _at_size, mean_magnitudes


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_magnitudes_agree_with_numpy() -> None:
    images = torch.rand(5, 3, 6, 8, generator=generator())
    plain = decorrelate(images, PUBLISHED_COLOR_CORRELATION)
    torch.testing.assert_close(correlate(plain, PUBLISHED_COLOR_CORRELATION), images, rtol=0, atol=1e-5)
    expected = np.abs(np.fft.fft2(plain.numpy(), norm="ortho")).mean(axis=0)
    expected[:, 0, 0] = 0
    np.testing.assert_allclose(mean_magnitudes(images).numpy(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (6, 8)])
def test_only_phases_move(size: tuple[int, int]) -> None:
    magnitudes = mean_magnitudes(torch.rand(20, 3, *size, generator=generator()))
    drawing = Phase(2, size, generator(1), magnitudes=magnitudes)
    with torch.no_grad():
        drawing.phases.add_(torch.randn(drawing.phases.shape, generator=generator(2)))
    standard = decorrelate(torch.logit(drawing.image().detach()), PUBLISHED_COLOR_CORRELATION)
    found = torch.fft.rfft2(standard).abs()[..., 1 : (size[1] + 1) // 2]  # away from columns that fold onto themselves
    wanted = magnitudes[..., 1 : (size[1] + 1) // 2].expand_as(found)
    ratio = found / wanted
    torch.testing.assert_close(ratio, ratio.mean(dim=(1, 2, 3), keepdim=True).expand_as(ratio), rtol=1e-3, atol=0)
    torch.testing.assert_close(standard.std(dim=(1, 2, 3)), torch.ones(2), rtol=1e-4, atol=0)
    torch.testing.assert_close(standard.mean(dim=(1, 2, 3)), torch.zeros(2), rtol=0, atol=1e-4)


@pytest.mark.parametrize("known", [(16, 16), (15, 17)])
@pytest.mark.parametrize("wanted", [(16, 16), (32, 24), (9, 11), (64, 63)])
def test_a_wave_keeps_its_strength_at_another_size(known: tuple[int, int], wanted: tuple[int, int]) -> None:
    """A spectrum that is straight in frequency is met exactly between known frequencies."""

    def straight(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        return 3 - 2 * rows.abs()[:, None] - columns.abs()[None]

    sampled = straight(*(torch.fft.fftfreq(side) for side in known)).expand(3, *known)
    rows, columns = torch.fft.fftfreq(wanted[0]), torch.fft.rfftfreq(wanted[1])
    inside = (rows.abs() <= 0.46)[:, None] & (columns <= 0.46)[None]  # odd sizes know nothing nearer to ½
    beyond = (rows.abs() > 1 / 15)[:, None] | (columns > 1 / 15)[None]  # nor anything near 0
    found = _at_size(sampled, wanted)
    expected = straight(rows, columns).expand_as(found)
    torch.testing.assert_close(found[:, inside & beyond], expected[:, inside & beyond], rtol=0, atol=1e-5)
    assert (found[:, 0, 0] == 0).all()
    assert (found.flatten(1)[:, 1:] > 0).all()


def test_phases_are_uniform_and_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = (Phase(8, (16, 16), generator()).phases.detach() for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, Phase(8, (16, 16), generator(1)).phases)
    assert torch.equal(torch.get_rng_state(), before)
    assert PACE * float(first.mean()) == pytest.approx(torch.pi, rel=0.05)
    assert PACE * float(first.std()) == pytest.approx(2 * torch.pi / 12**0.5, rel=0.05)


def test_the_sample_is_the_default_and_its_spectrum_falls() -> None:
    magnitudes = mean_magnitudes(load_sample().images / 255)
    drawing = Phase(1, (32, 32), generator())
    torch.testing.assert_close(drawing.magnitudes, magnitudes[:, :, :17], rtol=1e-4, atol=1e-5)
    assert float(magnitudes[0, 0, 1]) > 4 * float(magnitudes[0, 0, 8])
    drawing.image().square().sum().backward()
    assert drawing.phases.grad is not None
    assert (drawing.phases.grad != 0).any()


def test_wrong_magnitudes() -> None:
    with refuses("magnitudes: shape (1, 3, 8, 8) does not fit; give (3, height, width)"):
        Phase(1, (8, 8), generator(), magnitudes=torch.ones(1, 3, 8, 8))
