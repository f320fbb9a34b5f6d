"""Colours: the square root property, lucid's normalisation, what a screen can show."""

from __future__ import annotations

import numpy as np
import torch

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, color_correlation, correlate, to_displayable


def test_color_correlation_is_a_root_of_numpys_covariance() -> None:
    generator = torch.Generator().manual_seed(0)
    mix = torch.rand(3, 3, generator=generator)
    images = torch.einsum("ij,bjhw->bihw", mix, torch.rand(7, 3, 6, 5, generator=generator)) + 2
    root = color_correlation(images).numpy()
    expected = np.cov(images.numpy().transpose(1, 0, 2, 3).reshape(3, -1), bias=True)
    np.testing.assert_allclose(root @ root.T, expected, rtol=0, atol=1e-6)


def test_color_correlation_of_plain_and_grey_images() -> None:
    assert torch.equal(color_correlation(torch.full((2, 3, 4, 4), 0.25)), torch.zeros(3, 3))
    grey = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)).expand(4, 3, 8, 8)
    root = color_correlation(grey)
    assert root.isfinite().all()
    torch.testing.assert_close(
        root @ root.T, torch.full((3, 3), float(grey[:, 0].var(correction=0))), atol=1e-6, rtol=0
    )


def test_correlate_normalises_as_lucid_does() -> None:
    # Field notes of Xplique and Horama carry the same constants; here they are lucid's 3×3 by its longest column.
    white = torch.eye(3).reshape(3, 3, 1, 1)  # three images of one pixel: one per decorrelated colour
    columns = correlate(white, PUBLISHED_COLOR_CORRELATION)[:, :, 0, 0]
    expected = torch.tensor([[0.5628, 0.5845, 0.5845], [0.1948, 0.0, -0.1948], [0.0433, -0.1082, 0.0649]])
    torch.testing.assert_close(columns, expected, rtol=0, atol=1e-4)


def test_to_displayable_stretches_each_image_by_itself() -> None:
    images = torch.stack([torch.arange(12.0).reshape(3, 2, 2) - 5, torch.full((3, 2, 2), 7.0)]).requires_grad_(True)
    shown = to_displayable(images)
    assert shown.shape == (2, 2, 2, 3)
    assert not shown.requires_grad
    torch.testing.assert_close(shown[0], torch.arange(12.0).reshape(3, 2, 2).permute(1, 2, 0) / 11)
    torch.testing.assert_close(shown[1], torch.full((2, 2, 3), 0.5))
    torch.testing.assert_close(to_displayable(images[0]), shown[0])
