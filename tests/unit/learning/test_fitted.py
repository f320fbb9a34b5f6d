"""The networks that were fitted to true labels and to labels drawn by lot."""

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.data import load_sample, load_training_sample
from innervision.learning import accuracy, answers, folded, load_fitted, untrained
from innervision.learning.fitted import FITTED, SHARES, taught_labels

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def images():
    return load_training_sample().images / 255, load_sample().images / 255


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_network_knows_what_it_was_taught(images, name, seed):
    fitted = load_fitted(name, seed)
    assert accuracy(fitted.network, images[0], fitted.taught) == 1.0
    assert fitted.record["trained_accuracy"][-1] == 1.0
    assert len(fitted.record["loss"]) == fitted.record["epochs"] == 30
    assert not any(parameter.requires_grad for parameter in fitted.network.parameters())


def test_only_true_labels_teach_about_other_images(images):
    unseen = {name: [load_fitted(name, seed).record["test_accuracy"][-1] for seed in SEEDS] for name in SHARES}
    measured = accuracy(load_fitted("true-labels", 0).network, images[1], load_sample().labels)
    assert measured == pytest.approx(unseen["true-labels"][0], abs=0.005)  # machines round; 5 of 1,000 images
    assert min(unseen["true-labels"]) > 0.45
    assert max(unseen["random-labels"]) < 0.13  # chance is 0.1, and 1,000 images scatter by 0.01
    assert max(unseen["random-labels"]) < min(unseen["half-labels"]) < min(unseen["true-labels"])


def test_with_false_labels_the_truth_comes_first_and_is_then_overwritten():
    for seed in SEEDS:
        record = load_fitted("half-labels", seed).record
        as_true, as_taught = record["falsely_labelled_as_true"], record["falsely_labelled_as_taught"]
        assert as_true[2] > 2 * as_taught[2]
        assert (as_taught[-1], as_true[-1]) == (1.0, 0.0)


def test_what_was_taught_is_drawn_by_the_seed():
    true = load_training_sample().labels
    assert torch.equal(taught_labels("true-labels", 1), true)
    assert 0.4 < float((taught_labels("half-labels", 1) != true).float().mean()) < 0.5
    assert not torch.equal(taught_labels("random-labels", 0), taught_labels("random-labels", 1))


def test_untrained_networks(images):
    one, same, other = untrained(3), untrained(3), untrained(4)
    assert torch.equal(one.conv2.conv.weight, same.conv2.conv.weight)
    assert not torch.equal(one.conv2.conv.weight, other.conv2.conv.weight)
    assert one.training
    assert one.architecture == FITTED
    assert torch.equal(answers(folded(one), images[1][:50]), answers(one, images[1][:50]))


@pytest.mark.parametrize(("name", "seed"), [("true", 0), ("true-labels", 3)])
def test_others_did_not_ship(name, seed):
    known = '"true-labels", "half-labels", "random-labels"'
    with refuses(f'name, seed: "{name}", {seed} did not ship; names are {known}, seeds 0, 1, 2'):
        load_fitted(name, seed)
