"""Parametrizations: the spectrum, sizes, what decorrelation does, noise from the generator alone."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION
from innervision.optvis.parametrizations import (
    NOISE,
    Fourier,
    ParametrizationFactory,
    Pixel,
    device_option,
    fourier_image,
)


@pytest.mark.parametrize("size", [(8, 8), (6, 9), (9, 6), (7, 7), (1, 4)])
def test_fourier_image_agrees_with_numpy(size: tuple[int, int]) -> None:
    height, width = size
    generator = torch.Generator().manual_seed(0)
    coefficients = torch.randn(2, 3, height, width // 2 + 1, dtype=torch.complex64, generator=generator)
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    scale = 1 / np.maximum(np.sqrt(rows**2 + columns**2), 1 / max(size))
    expected = np.fft.irfft2(coefficients.numpy() * scale, s=size, norm="ortho")
    np.testing.assert_allclose(fourier_image(coefficients, size).numpy(), expected, rtol=0, atol=1e-4)


def test_one_coefficient_is_one_wave_and_coarse_ones_are_stronger() -> None:
    strengths = []
    for frequency in (1, 2, 4):
        coefficients = torch.zeros(1, 3, 16, 9, dtype=torch.complex64)
        coefficients[0, 0, 0, frequency] = 1
        wave = fourier_image(coefficients, (16, 16))[0, 0]
        cosine = torch.cos(2 * torch.pi * frequency * torch.arange(16.0) / 16)
        torch.testing.assert_close(wave, float(wave[0, 0]) * cosine.expand(16, 16), rtol=0, atol=1e-5)
        strengths.append(float(wave[0, 0]))
    assert strengths[0] == pytest.approx(2 * strengths[1]) == pytest.approx(4 * strengths[2])


def test_noise_becomes_an_image_with_power_one_over_frequency_squared() -> None:
    generator = torch.Generator().manual_seed(0)
    coefficients = torch.randn(64, 3, 32, 17, dtype=torch.complex64, generator=generator)
    power = torch.fft.rfft2(fourier_image(coefficients, (32, 32))).abs().square().mean(dim=(0, 1))[0]
    frequencies = torch.arange(2.0, 16)  # 192 draws each: relative standard error 0.07
    slope = np.polyfit(frequencies.log().numpy(), power[2:16].log().numpy(), 1)[0]
    assert slope == pytest.approx(-2, abs=0.15)


@pytest.mark.parametrize("parametrization", [Fourier, Pixel])
@pytest.mark.parametrize("size", [(8, 12), (9, 7)])
def test_images_are_in_range_and_of_the_size_asked_for(
    parametrization: ParametrizationFactory, size: tuple[int, int]
) -> None:
    drawing = parametrization(2, size, torch.Generator().manual_seed(0))
    (parameter,) = drawing.parameters()
    assert parameter.is_leaf
    assert parameter.requires_grad
    with torch.no_grad():
        parameter.mul_(1e4)
    image = drawing.image()
    assert image.shape == (2, 3, *size)
    assert float(image.detach().min()) >= 0
    assert float(image.detach().max()) <= 1
    image.sum().backward()
    assert parameter.grad is not None


@pytest.mark.parametrize("parametrization", [Pixel, Fourier])
def test_noise_is_small_and_from_the_generator_alone(parametrization: type[Pixel] | type[Fourier]) -> None:
    before = torch.get_rng_state()
    first, second, other = (
        parametrization(4, (16, 16), torch.Generator().manual_seed(seed)).parameters()[0].detach() for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    numbers = torch.view_as_real(first) if first.is_complex() else first
    assert float(numbers.std()) == pytest.approx(NOISE, rel=0.05)
    image = parametrization(4, (16, 16), torch.Generator().manual_seed(1)).image().detach()
    assert float((image - 0.5).abs().max()) < 0.3


def test_decorrelated_parameters_give_the_published_color_correlation() -> None:
    generator = torch.Generator().manual_seed(0)
    plain = Fourier(256, (8, 8), generator, decorrelate=False)
    correlated = Fourier(256, (8, 8), torch.Generator().manual_seed(0))

    def correlation(drawing: Fourier) -> np.ndarray:
        pixels = torch.logit(drawing.image().detach()).movedim(1, 0).flatten(1)
        return np.corrcoef(pixels.numpy())

    np.testing.assert_allclose(correlation(plain), np.eye(3), rtol=0, atol=0.1)
    covariance = (PUBLISHED_COLOR_CORRELATION @ PUBLISHED_COLOR_CORRELATION.T).numpy()
    deviation = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(correlation(correlated), covariance / np.outer(deviation, deviation), rtol=0, atol=0.05)


def test_a_device_is_given_to_whoever_takes_one_and_has_none() -> None:
    assert device_option(Fourier, "cpu") == {"device": "cpu"}
    assert device_option(partial(Fourier, decorrelate=False), "cpu") == {"device": "cpu"}
    assert device_option(partial(Fourier, device="meta"), "cpu") == {}
    assert device_option(lambda *_: Pixel(1, (2, 2), torch.Generator()), "cpu") == {}
