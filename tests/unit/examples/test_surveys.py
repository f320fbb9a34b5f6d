"""A survey finds what a search through all activations finds, in little memory."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision import load, record
from innervision.data import load_sample
from innervision.examples import Places, random_places, strongest_places, survey


@pytest.fixture
def maps() -> Tensor:
    """Whole numbers, so that many are equal."""
    return torch.randint(-3, 4, (6, 5, 3, 4), generator=torch.Generator().manual_seed(0)).float()


@pytest.mark.parametrize("lowest", [False, True])
def test_strongest_places_by_hand_first_of_equals(maps: Tensor, lowest: bool) -> None:
    places = strongest_places(maps, lowest=lowest)
    for image in range(6):
        for channel in range(5):
            numbers = maps[image, channel].flatten().tolist()
            best = min(numbers) if lowest else max(numbers)
            assert places.values[image, channel] == best
            assert (places.rows[image, channel] * 4 + places.columns[image, channel]).item() == numbers.index(best)


def test_random_places_are_one_an_image_and_even() -> None:
    maps = torch.arange(12.0).view(1, 1, 3, 4).expand(6000, 2, 3, 4)
    places = random_places(maps, torch.Generator().manual_seed(0))
    torch.testing.assert_close(places.values[:, 0], (places.rows * 4 + places.columns)[:, 0].float())
    torch.testing.assert_close(places.values[:, 0], places.values[:, 1])
    counts = torch.bincount(places.values[:, 0].long(), minlength=12)
    assert float(((counts - 500) ** 2 / 500).sum()) < 31.3  # chi-squared, 11 degrees of freedom: 0.1 %
    inner = random_places(maps, torch.Generator().manual_seed(0), margin=1)
    assert set(inner.values[:, 0].tolist()) == {5.0, 6.0}
    with refuses("margin: 2 leaves no position of a layer of 3 × 4"):
        random_places(maps, torch.Generator(), margin=2)


def test_survey_agrees_with_all_activations_whatever_the_batch_size() -> None:
    mini = load("mini")
    images = load_sample().images[:40]
    with torch.no_grad():
        maps = record(mini, images.float() / 255, "mixed3b")["mixed3b"]
    one, other = survey(mini, "mixed3b", images, batch_size=7), survey(mini, "mixed3b", images, batch_size=40)
    for found, again in zip(one.of_channel(5), other.of_channel(5), strict=True):
        torch.testing.assert_close(found.values, again.values)  # kernels differ with the batch size
        assert torch.equal(found.rows, again.rows)
        assert torch.equal(found.columns, again.columns)
    torch.testing.assert_close(one.highest.values, maps.amax(dim=(2, 3)))
    torch.testing.assert_close(one.lowest.values, maps.amin(dim=(2, 3)))
    where = one.random
    each = torch.arange(40)[:, None]
    channels = torch.arange(maps.shape[1])
    torch.testing.assert_close(where.values, maps[each, channels, where.rows.long(), where.columns.long()])
    assert not torch.equal(survey(mini, "mixed3b", images, seed=1).random.rows, where.rows)


def test_some_channels_only() -> None:
    mini = load("mini")
    images = load_sample().images[:10]
    some, every = survey(mini, "mixed3a", images, channels=[7, 2]), survey(mini, "mixed3a", images)
    torch.testing.assert_close(some.highest.values, every.highest.values[:, [7, 2]])
    assert torch.equal(some.lowest.columns, every.lowest.columns[:, [7, 2]])


def test_slicing_places(maps: Tensor) -> None:
    places = strongest_places(maps)[2:4, 1]
    assert isinstance(places, Places)
    assert len(places) == 2
    assert places.values.tolist() == [maps[2, 1].max(), maps[3, 1].max()]


def test_refusals() -> None:
    mini = load("mini")
    images = torch.rand(2, 3, 32, 32)
    with refuses("images: is empty; give at least one"):
        survey(mini, "mixed3a", [])
    with refuses("layer: no layer 'mixd3a' in this network; the closest are 'mixed3a', 'mixed4a', 'mixed3b'"):
        survey(mini, "mixd3a", images)
    with refuses(
        "layer: 'logits' has activations of shape (2, 10), without rows and columns; "
        "choose one with (batch, channel, row, column)"
    ):
        survey(mini, "logits", images)
    with refuses("model: is in training mode; call model.eval() first"):
        survey(nn.Conv2d(3, 2, 3), "", images)


MEMORY = """
import resource, sys, torch
from torch import nn
from innervision.examples import activation_spectrum, example_crops, survey, top_examples

torch.set_num_threads(1)
model = nn.Sequential(nn.Conv2d(3, 256, 4, 4), nn.ReLU()).eval()
images = torch.randint(0, 256, (50_000, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
found = survey(model, "1", images)
examples = activation_spectrum(found.of_channel(5))
example_crops(model, "1", images, examples)
top_examples(found.highest[:, 5])
try:  # Linux: of this program alone; ru_maxrss begins with what the process that started it had
    with open("/proc/self/status") as status:
        print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 2**20)
except FileNotFoundError:  # macOS counts bytes
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**30)
"""


@pytest.mark.slow
def test_fifty_thousand_images_and_256_channels_fit_in_two_gigabytes() -> None:
    """The maps alone would take 3.1 GiB; the images themselves, as bytes, take 0.14."""
    pytest.importorskip("resource", reason="Windows does not tell")
    peak = float(subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True).stdout)
    assert peak < 2
