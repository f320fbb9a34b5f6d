"""The sparse autoencoder, part by part; and that one finds planted directions where principal components cannot."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses

from innervision.superposition import (
    SparseAutoencoder,
    dead_features,
    mean_max_cosine,
    normalize_decoder,
    sae_decode,
    sae_encode,
    sae_loss,
    unexplained,
)


def drawn(active: int | None = None) -> SparseAutoencoder:
    """An autoencoder none of whose numbers is special."""
    generator = torch.Generator().manual_seed(0)
    autoencoder = SparseAutoencoder(4, 6, active, generator=generator)
    for parameter in autoencoder.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return autoencoder.requires_grad_(False)


@pytest.fixture
def activations() -> torch.Tensor:
    return torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(1))


def test_it_begins_as_its_own_transpose_with_directions_of_length_one() -> None:
    autoencoder = SparseAutoencoder(4, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(autoencoder.decoder.norm(dim=1), torch.ones(6))
    assert torch.equal(autoencoder.encoder, autoencoder.decoder.T)
    autoencoder.encoder.data.zero_()
    assert autoencoder.decoder.norm() > 0  # two parameters, not two views of one


def test_all_codes_or_the_largest_few(activations: torch.Tensor) -> None:
    every, few = sae_encode(activations, drawn()), sae_encode(activations, drawn(2))
    one = drawn()
    expected = ((activations[1, 2] - one.decoder_bias) @ one.encoder + one.encoder_bias).clamp(min=0)
    torch.testing.assert_close(every[1, 2], expected)
    assert every.min() == 0
    kept = few > 0
    assert kept.sum(dim=-1).max() == 2
    assert torch.equal(few[kept], every[kept])
    assert (every.masked_fill(kept, 0).amax(dim=-1) <= every.topk(2).values[..., 1]).all()


def test_decoding_adds_directions(activations: torch.Tensor) -> None:
    autoencoder = drawn()
    codes = F.one_hot(torch.tensor([3]), 6).float() * 2
    torch.testing.assert_close(sae_decode(codes, autoencoder)[0], 2 * autoencoder.decoder[3] + autoencoder.decoder_bias)
    expected = sae_decode(sae_encode(activations, autoencoder), autoencoder)
    torch.testing.assert_close(autoencoder(activations), expected)


def test_the_loss_is_lengths_of_errors_and_a_price() -> None:
    there, back, codes = torch.tensor([[3.0, 4.0], [0, 0]]), torch.zeros(2, 2), torch.tensor([[1.0, 1.0], [0, 2.0]])
    assert float(sae_loss(there, back, codes)) == 12.5
    assert float(sae_loss(there, back, codes, penalty=0.25)) == 13


def test_lengths_go_over_to_the_codes(activations: torch.Tensor) -> None:
    autoencoder = drawn()
    autoencoder.decoder[5] = 0
    before = copy.deepcopy(autoencoder)
    normalize_decoder(autoencoder)
    torch.testing.assert_close(autoencoder.decoder.norm(dim=1), torch.tensor([1.0, 1, 1, 1, 1, 0]))
    torch.testing.assert_close(autoencoder(activations), before(activations))
    codes, old = sae_encode(activations, autoencoder), sae_encode(activations, before)
    torch.testing.assert_close(codes[..., :5], (old * before.decoder.norm(dim=1))[..., :5])


def test_dead_is_what_is_never_present() -> None:
    codes = torch.zeros(2, 3, 4)
    codes[1, 2, 1], codes[0, 0, 3] = 0.1, 2
    assert dead_features(codes).tolist() == [True, False, True, False]
    assert dead_features(codes[0]).tolist() == [True, True, True, False]


def test_unexplained_of_nothing_and_of_everything(activations: torch.Tensor) -> None:
    rows = activations.flatten(0, 1)
    assert unexplained(rows, rows) == 0
    assert unexplained(rows, rows.mean(dim=0).expand_as(rows)) == pytest.approx(1)


def test_planted_directions_are_found() -> None:
    generator = torch.Generator().manual_seed(0)
    features = F.normalize(torch.randn(24, 12, generator=generator), dim=1)
    present = torch.rand(2000, 24, generator=generator) * (torch.rand(2000, 24, generator=generator) < 0.06)
    seen = present @ features
    autoencoder = SparseAutoencoder(12, 24, 2, generator=generator)
    optimizer = torch.optim.Adam(autoencoder.parameters(), 1e-2)
    for _ in range(400):
        some = seen[torch.randint(len(seen), (256,), generator=generator)]
        codes = sae_encode(some, autoencoder)
        loss = sae_loss(some, sae_decode(codes, autoencoder), codes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        normalize_decoder(autoencoder)
    components = torch.linalg.svd(seen)[2]
    found = mean_max_cosine(autoencoder.decoder, features)
    assert found > 0.9
    assert found > mean_max_cosine(torch.cat([components, -components]), features) + 0.1


def test_how_many_codes_may_be_kept() -> None:
    with refuses("active: 7 is not from 1 to 6, the number of features"):
        SparseAutoencoder(4, 6, 7, generator=torch.Generator())
