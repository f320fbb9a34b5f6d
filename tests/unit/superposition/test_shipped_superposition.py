"""What ships is what its record says: toy models that share dimensions, and dictionaries that mini can speak."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.activations import edit, record
from innervision.data import load_sample
from innervision.models import load, provenance
from innervision.superposition import (
    class_share,
    codes_of,
    feature_dimensionality,
    in_words_of,
    load_dictionary,
    load_toys,
)


@pytest.fixture(scope="module")
def sample():
    return load_sample()


@pytest.fixture(scope="module")
def maps(sample):
    with torch.no_grad():
        return record(load("mini"), sample.images[::4] / 255, "mixed4b")["mixed4b"]


def test_toys_by_falling_probability() -> None:
    toys, entry = load_toys(), provenance("toy-superposition")
    assert list(toys) == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]
    assert all(weights.shape == (3, entry["hidden"], entry["features"]) for weights in toys.values())
    shares = torch.stack([feature_dimensionality(weights) for weights in toys.values()])
    at_one_half = float(((shares - 0.5).abs() < 0.02).double().mean())
    assert abs(at_one_half - entry["at_one_half"]) < 0.005  # the weights were rounded to half precision


def test_in_the_middle_features_go_in_pairs_and_random_directions_do_not() -> None:
    weights = load_toys()[0.4]
    generator = torch.Generator().manual_seed(0)
    random = torch.nn.functional.normalize(torch.randn(weights.shape, generator=generator), dim=-2)
    for model, control in zip(weights, random * weights.norm(dim=-2, keepdim=True), strict=True):
        kept = model.norm(dim=0) > 0.5
        assert ((feature_dimensionality(model)[kept] - 0.5).abs() < 0.02).double().mean() > 0.9
        assert ((feature_dimensionality(control)[kept] - 0.5).abs() < 0.02).double().mean() < 0.2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_dictionary_is_what_its_record_says(seed: int, sample, maps) -> None:
    dictionary, entry = load_dictionary(seed), provenance(f"dictionary-{seed}")
    assert (dictionary.active, dictionary.decoder.shape) == (entry["active"], (512, 256))
    torch.testing.assert_close(dictionary.decoder.norm(dim=1), torch.ones(512), atol=1e-3, rtol=0)  # half precision
    assert not any(parameter.requires_grad for parameter in dictionary.parameters())
    codes = codes_of(maps, dictionary)
    assert int((codes > 0).sum(dim=1).max()) <= 8
    varying = maps - maps.mean(dim=(0, 2, 3), keepdim=True)
    missed = float((maps - in_words_of(dictionary)(maps)).square().sum() / varying.square().sum())
    # On 250 test images in place of training images; the record has 41,000 other positions.
    assert abs(missed - entry["unexplained"]) < 0.03
    shares = [class_share(values.mean(dim=(2, 3)), sample.labels[::4]) for values in (codes, maps)]
    assert shares[0][shares[0] > 0].mean() > shares[1].mean() + 0.1
    assert entry["accuracy"] > provenance("mini")["accuracy"] - 0.01
    assert entry["dead_features"] < 0.1 * 512
    assert entry["bytes"] <= 5e6


def test_mini_goes_on_in_the_words_of_a_dictionary(sample) -> None:
    network, images, labels = load("mini"), sample.images[::5] / 255, sample.labels[::5]
    with torch.no_grad():
        before = int((network(images).argmax(dim=1) == labels).sum())
        with edit(network, {"mixed4b": in_words_of(load_dictionary())}):
            after = int((network(images).argmax(dim=1) == labels).sum())
    assert abs(before - after) <= 6  # of 200


def test_dictionaries_that_do_not_ship() -> None:
    with refuses("seed: 3 is none of 0, 1, 2; others are trained with innervision train dictionary"):
        load_dictionary(3)
