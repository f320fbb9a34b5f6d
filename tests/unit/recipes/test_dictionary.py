"""The recipe of the dictionaries of mini."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from innervision.activations import record
from innervision.data import load_sample
from innervision.models import load
from innervision.recipes import dictionary
from innervision.superposition import SparseAutoencoder
from innervision.training import fit

VECTORS = torch.rand(400, 256, generator=torch.Generator().manual_seed(0)).half()


@pytest.fixture
def short(monkeypatch) -> None:
    monkeypatch.setattr(dictionary, "KEPT_BACK", 2)


def test_settings_are_those_of_the_shipped_runs(monkeypatch) -> None:
    monkeypatch.setattr(dictionary, "KEPT_BACK", 0)
    vectors = torch.rand(2 * 2048, 256).half()
    assert dictionary.task(vectors).settings == {
        "layer": "mixed4b",
        "features": 512,
        "active": 8,
        "vectors": 4096,
        "batch": 2048,
        "epochs": 8,
        "learning_rate": 1e-3,
    }
    assert (dictionary.IMAGES, dictionary.PLACES) == (24000, 16)


def test_vectors_are_the_layers_own_at_different_places() -> None:
    images = load_sample().images[:3]
    vectors = dictionary.vectors_at_random(images, torch.Generator().manual_seed(0)).view(3, 16, 256)
    maps = record(load("mini"), images / 255, "mixed4b")["mixed4b"].flatten(2).mT.half()
    for one, own in zip(vectors, maps, strict=True):
        places = [int((own == vector).all(dim=1).nonzero()[0]) for vector in one]
        assert len(set(places)) == 16


def test_scaling_is_undone() -> None:
    autoencoder = SparseAutoencoder(256, 512, 8, generator=torch.Generator().manual_seed(0)).requires_grad_(False)
    autoencoder.encoder_bias[:], autoencoder.decoder_bias[:] = torch.rand(512), torch.rand(256)
    scale = dictionary.scale_of(VECTORS)
    assert (scale * VECTORS.float()).norm(dim=1).mean() == pytest.approx(16, rel=1e-4)
    expected = autoencoder(scale * VECTORS.float()) / scale
    autoencoder.load_state_dict(dictionary.unscaled(autoencoder.state_dict(), scale))
    # Half precision keeps three digits; where two codes are nearly equal, TopK may take the other one.
    missed = (autoencoder(VECTORS.float()) - expected).norm(dim=1) / expected.norm(dim=1)
    assert missed.median() < 2e-3


def test_what_is_kept_back_is_not_trained_on(short) -> None:
    task = dictionary.task(VECTORS, batch=100, epochs=1)
    seen = torch.cat([batch[0] for batch in task.batches(torch.Generator())])
    assert len(seen) == 200
    scale = dictionary.scale_of(VECTORS)
    assert torch.equal(seen.sort(dim=0).values, (scale * VECTORS[:200].float()).sort(dim=0).values)


def test_a_short_run_learns_and_writes_what_it_measured(short, tmp_path) -> None:
    task = dictionary.task(VECTORS, batch=100, epochs=3)
    rows = fit(task, 3, tmp_path / "run")
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert 0 < rows[-1]["unexplained"] < 1
    torch.testing.assert_close(task.network.decoder.norm(dim=1), torch.ones(512))
    sample = load_sample()
    test = sample.images[:20], sample.labels[:20]
    entry = dictionary.export(task, dictionary.scale_of(VECTORS), rows, test, tmp_path, {"seed": 7})
    assert load_file(tmp_path / "dictionary-7.safetensors")["decoder"].dtype == torch.float16
    assert (entry["layer"], entry["active"], entry["test_images"]) == ("mixed4b", 8, 20)
    assert 0 < entry["class_share_units"] < 1
