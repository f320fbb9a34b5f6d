"""Steps uphill, and noise of the same size."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from innervision.learning.adversarial import fgsm, pgd, random_signs, within


@pytest.fixture
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4)).eval()


@pytest.fixture
def images():
    return torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))


LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


def loss(model, images):
    with torch.no_grad():
        return F.cross_entropy(model(images), LABELS)


def test_fgsm_moves_every_number_by_the_radius_and_uphill(model, images):
    inner = 0.1 + 0.8 * images
    changed = fgsm(model, inner, LABELS, 0.01)
    torch.testing.assert_close((changed - inner).abs(), torch.full_like(inner, 0.01), atol=1e-6, rtol=0)
    assert loss(model, changed) > loss(model, inner)
    assert loss(model, 2 * inner - changed) < loss(model, inner)
    assert not changed.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


def test_images_stay_images(model, images):
    assert float(fgsm(model, images.round(), LABELS, 0.3).min()) >= 0
    assert float(fgsm(model, images.round(), LABELS, 0.3).max()) <= 1


def test_an_image_is_attacked_alone(model, images):
    torch.testing.assert_close(fgsm(model, images, LABELS, 0.01)[:1], fgsm(model, images[:1], LABELS[:1], 0.01))


def test_it_works_on_frozen_networks_and_without_gradients(model, images):
    model.requires_grad_(False)
    with torch.no_grad():
        assert loss(model, fgsm(model, images, LABELS, 0.01)) > loss(model, images)


def test_many_small_steps_stay_within_and_come_further(model, images):
    generator = torch.Generator().manual_seed(0)
    changed = pgd(model, images, LABELS, 0.05, generator, steps=20)
    assert float((changed - images).abs().max()) <= 0.05 + 1e-6
    assert loss(model, changed) >= 0.98 * loss(model, fgsm(model, images, LABELS, 0.05))
    assert torch.equal(changed, pgd(model, images, LABELS, 0.05, torch.Generator().manual_seed(0), steps=20))
    with pytest.raises(ValueError, match=r"^steps: 0 is too few; give a whole number, at least 1$"):
        pgd(model, images, LABELS, 0.05, generator, steps=0)


def test_noise_of_equal_size(images):
    inner = 0.1 + 0.8 * images
    moved = random_signs(inner, 0.02, torch.Generator().manual_seed(0)) - inner
    torch.testing.assert_close(moved.abs(), torch.full_like(moved, 0.02), atol=1e-6, rtol=0)
    assert abs(float((moved > 0).float().mean()) - 0.5) < 0.075  # five standard deviations of 1,152 tosses


def test_within():
    images = torch.tensor([0.0, 0.5, 0.5, 1.0]).expand(1, 3, 1, 4)
    changed = torch.tensor([-0.05, 0.55, 0.9, 0.5]).expand(1, 3, 1, 4)
    expected = torch.tensor([0.0, 0.55, 0.6, 0.9]).expand(1, 3, 1, 4)
    torch.testing.assert_close(within(changed, images, 0.1), expected)
