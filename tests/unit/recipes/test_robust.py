"""mini against an adversary, and its control."""

import pytest
import torch
from torch import nn

from innervision.data import load_sample
from innervision.learning import accuracy, fgsm
from innervision.models import load, provenance
from innervision.recipes import robust
from innervision.recipes.robust import NOISE, RADIUS, ROBUST, robust_accuracy, task


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (400, 3, 32, 32), dtype=torch.uint8, generator=generator), torch.arange(400) % 10


class Dark(nn.Module):
    """Falls for no small change: is the image dark or bright?"""

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([0.5 - mean, mean - 0.5], dim=1)


def test_robust_accuracy_counts_who_keeps_the_label():
    levels = torch.tensor([10, 126, 128, 250], dtype=torch.uint8).view(4, 1, 1, 1).expand(4, 3, 8, 8)
    labels = torch.tensor([0, 0, 1, 1])
    assert (
        robust_accuracy(Dark(), levels, labels, steps=3) == 0.5
    )  # four grey levels decide about the two in the middle
    assert robust_accuracy(Dark(), levels, 1 - labels, steps=3) == 0.0


def test_both_see_the_same_images_and_only_one_an_adversary(images, monkeypatch):
    monkeypatch.setattr(robust, "BATCH", 8)
    monkeypatch.setattr(robust, "STEPS", 2)
    tasks = [task(recipe, images, images) for recipe in (ROBUST, NOISE)]
    batches = [list(one.batches(torch.Generator().manual_seed(1))) for one in tasks]
    for one, other in zip(*batches, strict=True):
        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
        assert len(one[0]) == 8
        assert float((one[1] - one[0]).abs().max()) <= RADIUS + 1e-6
    harder, easier = (one.loss(one.network, batches[0][0]).item() for one in tasks)
    clean, _, truth = batches[0][0]
    unchanged = tasks[1].loss(tasks[1].network, (clean, clean, truth)).item()
    assert harder > max(easier, unchanged)  # chance alone makes an image a little easier as often as harder


def test_only_the_adversary_made_it_robust():
    robust, noise = provenance("mini-robust"), provenance("mini-noise")
    assert robust["images_seen"] == noise["images_seen"]
    assert robust["pgd_accuracy"] > 0.4
    assert noise["pgd_accuracy"] < 0.15
    assert noise["accuracy"] > robust["accuracy"] > 0.8  # robustness has its price
    # Ten small steps find little more than one large one: its gradient is not masked. Those of the control find much.
    assert robust["fgsm_accuracy"] - robust["pgd_accuracy"] < 0.1 < noise["fgsm_accuracy"] - noise["pgd_accuracy"]


def test_the_record_is_that_of_the_weights():
    sample = load_sample()
    images, labels = sample.images[:100] / 255, sample.labels[:100]
    for name in ("mini-robust", "mini-noise"):
        kept = accuracy(load(name), fgsm(load(name), images, labels, RADIUS), labels)
        assert kept == pytest.approx(
            provenance(name)["fgsm_accuracy"], abs=0.2
        )  # four standard deviations of 100 images
