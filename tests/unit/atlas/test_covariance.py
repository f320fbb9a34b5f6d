"""Whitening: what all activations share goes, what is special stays."""

from __future__ import annotations

import torch
from tests.unit.refusals import refuses

from innervision.atlas import whitening


def test_inverse_of_the_mean_outer_product_for_many_vectors() -> None:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(5, 5, generator=generator)
    vectors = torch.randn(20_000, 5, generator=generator) @ mixing
    product = vectors.T @ vectors / len(vectors)
    torch.testing.assert_close(whitening(vectors) @ product, torch.eye(5), rtol=0, atol=0.02)  # shrunk a little


def test_the_busy_channel_no_longer_decides() -> None:
    generator = torch.Generator().manual_seed(0)
    special = torch.rand(1000, 8, generator=generator) * (torch.rand(1000, 8, generator=generator) < 0.2)
    special[:, 0] = 10 + torch.rand(1000, generator=generator)  # busy everywhere
    vector = torch.zeros(8)
    vector[0], vector[3] = 10.5, 1.0
    plain, white = vector, vector @ whitening(special)
    assert int(plain.argmax()) == 0
    assert int(white.argmax()) == 3


def test_silent_channels_and_few_vectors_do_no_harm() -> None:
    vectors = torch.zeros(6, 10)
    vectors[:, :4] = torch.rand(6, 4, generator=torch.Generator().manual_seed(0))
    matrix = whitening(vectors)
    assert matrix.isfinite().all()
    torch.testing.assert_close(matrix, matrix.T)
    with refuses("vectors: are all 0, so there is nothing to tell them apart by"):
        whitening(torch.zeros(5, 3))
