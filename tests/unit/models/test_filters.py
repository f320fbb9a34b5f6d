"""One layer in a few lines, against torch's own convolution and closed forms."""

import doctest
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from innervision.models import filters
from innervision.models.filters import conv2d_by_hand, gabor_kernel, relu_threshold


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("rows", "columns", "padding"), [(3, 3, 1), (1, 1, 0), (2, 4, 0), (5, 3, 2)])
def test_a_convolution_agrees_with_torch(generator, rows, columns, padding):
    images = torch.randn(2, 3, 6, 7, generator=generator)
    kernels = torch.randn(4, 3, rows, columns, generator=generator)
    expected = F.conv2d(images, kernels, padding=padding)
    torch.testing.assert_close(conv2d_by_hand(images, kernels, padding), expected, rtol=0, atol=1e-5)


def test_a_convolution_keeps_double_precision_and_gradients(generator):
    images = torch.randn(1, 1, 4, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    kernels = torch.randn(1, 1, 3, 3, generator=generator, dtype=torch.float64)
    matches = conv2d_by_hand(images, kernels)
    assert matches.dtype == torch.float64
    (gradient,) = torch.autograd.grad(matches[0, 0, 0, 0], images)
    torch.testing.assert_close(gradient[0, 0, :3, :3], kernels[0, 0], rtol=0, atol=1e-12)


def test_a_bias_is_a_threshold_for_its_own_kernel():
    matches = torch.tensor([[5.0, 1.0, -3.0], [5.0, 1.0, -3.0]]).view(1, 2, 1, 3)
    passed = relu_threshold(matches, torch.tensor([-2.0, 4.0]))
    assert passed.view(2, 3).tolist() == [[3, 0, 0], [9, 5, 1]]


@pytest.mark.parametrize("orientation", [0, 30, 90, 145, 300])
@pytest.mark.parametrize(("phase", "size"), [(0, 5), (90, 5), (200, 8)])
def test_a_gabor_kernel_is_a_wave_under_a_bell(orientation, phase, size):
    kernel = np.empty((size, size))
    for row in range(size):
        for column in range(size):
            right, up = column - (size - 1) / 2, (size - 1) / 2 - row
            theta = np.deg2rad(orientation)
            wave = np.cos(2 * np.pi * 0.2 * (right * np.cos(theta) + up * np.sin(theta)) + np.deg2rad(phase))
            kernel[row, column] = wave * math.exp(-(right**2 + up**2) / (2 * (size / 4) ** 2))
    kernel -= kernel.mean()
    expected = torch.from_numpy(kernel / np.linalg.norm(kernel)).float()
    torch.testing.assert_close(gabor_kernel(orientation, 0.2, phase, size), expected, rtol=0, atol=1e-5)


def test_a_gabor_kernel_answers_to_its_own_stripes_only():
    upright, lying = gabor_kernel(0, 0.25, 0, 9), gabor_kernel(90, 0.25, 0, 9)
    assert float((upright * upright).sum()) == pytest.approx(1, abs=1e-6)
    assert abs(float((upright * lying).sum())) < 0.1
    torch.testing.assert_close(upright.T, lying, rtol=0, atol=1e-6)


def test_half_a_turn_turns_the_edge_over_and_leaves_the_stripe():
    torch.testing.assert_close(gabor_kernel(200, 0.2, 90, 7), -gabor_kernel(20, 0.2, 90, 7), rtol=0, atol=1e-5)
    torch.testing.assert_close(gabor_kernel(200, 0.2, 0, 7), gabor_kernel(20, 0.2, 0, 7), rtol=0, atol=1e-5)


def test_the_examples_say_what_happens():
    assert doctest.testmod(filters) == (0, 5)
