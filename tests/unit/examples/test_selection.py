"""Top, bottom, spectrum, crops: by hand on small numbers, and on mini."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision import load
from innervision.data import load_sample
from innervision.examples import Places, activation_spectrum, crops, example_crops, survey, top_examples


def places(*values: float) -> Places:
    """Places at (row, column) = (i, 10 + i)."""
    count = torch.arange(len(values)).short()
    return Places(torch.tensor(values), count, count + 10)


def test_top_examples_strongest_first_ties_by_index() -> None:
    found = top_examples(places(2, 7, 7, -1, 7), 4)
    assert found.images.tolist() == [1, 2, 4, 0]
    assert found.values.tolist() == [7, 7, 7, 2]
    assert found.rows.tolist() == [1, 2, 4, 0]
    assert found.columns.tolist() == [11, 12, 14, 10]


def test_lowest_examples_ties_by_index() -> None:
    assert top_examples(places(2, -1, 7, -1, 0), 3, lowest=True).images.tolist() == [1, 3, 4]


def test_spectrum_takes_the_closest_place_of_each_image() -> None:
    highest, lowest = places(10, 4, 6), places(-10, -4, 0)
    found = activation_spectrum([highest, lowest], slices=5, count=2)  # aims at -10, -5, 0, 5, 10
    assert found.values.tolist() == [[-10, -4], [-4, -10], [0, 4], [4, 6], [10, 6]]
    assert found.images.tolist() == [[0, 1], [1, 0], [2, 1], [1, 2], [0, 2]]


def test_spectrum_begins_at_the_bottom_and_ends_at_the_top() -> None:
    generator = torch.Generator().manual_seed(0)
    three = [Places(torch.randn(200, generator=generator), *torch.zeros(2, 200).short()) for _ in range(3)]
    found = activation_spectrum(three, slices=4, count=5)
    highest = torch.stack([kind.values for kind in three]).amax(dim=0)
    lowest = torch.stack([kind.values for kind in three]).amin(dim=0)
    torch.testing.assert_close(found.values[-1], highest.sort(descending=True).values[:5], rtol=0, atol=0)
    torch.testing.assert_close(found.values[0], lowest.sort().values[:5], rtol=0, atol=0)
    assert (found.values.mean(dim=1).diff() > 0).all()
    assert all(len(set(row)) == 5 for row in found.images.tolist())  # one place an image


def test_crops_by_hand() -> None:
    images = torch.arange(2 * 3 * 4 * 4).view(2, 3, 4, 4).float() / 96
    found = crops(images, torch.tensor([[0, 1, 1, 4], [2, 4, 0, 2]]))
    assert found.shape == (2, 3, 2, 3)
    torch.testing.assert_close(found[0, :, 1], images[0, :, 0, 1:4], rtol=0, atol=0)
    assert (found[0, :, 0] == 0.5).all()  # the border is above
    torch.testing.assert_close(found[1, :, :, 1:], images[1, :, 2:4, 0:2], rtol=0, atol=0)
    assert (found[1, :, :, 0] == 0.5).all()  # the border is at the left


def test_example_crops_show_what_decides() -> None:
    """A detector of red 2 × 2 squares; each image has one, elsewhere."""
    model = nn.Sequential(nn.Conv2d(3, 1, 2, bias=False), nn.ReLU()).eval()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([1.0, -1, -1]).view(1, 3, 1, 1).expand(1, 3, 2, 2))
    images = torch.rand(20, 3, 6, 7, generator=torch.Generator().manual_seed(0)) * 0.3
    for number, image in enumerate(images):
        row, column = number % 5, number % 6
        image[:, row : row + 2, column : column + 2] = torch.tensor([1.0, 0, 0]).view(3, 1, 1)
    found = top_examples(survey(model, "1", images).highest[:, 0], 20)
    shown = example_crops(model, "1", images, found)
    expected = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(20, 3, 2, 2)
    torch.testing.assert_close(shown, expected, rtol=0, atol=0)


def test_on_mini_a_crop_alone_excites_the_unit_as_the_image_did() -> None:
    """mixed3a's field of 19 pixels: in a frame of the image, the crop at its place is all that counts."""
    mini, images = load("mini"), load_sample().images[:200]
    found = top_examples(survey(mini, "mixed3a", images).highest[:, 3], 5)
    shown = example_crops(mini, "mixed3a", images, found)
    assert shown.shape == (5, 3, 19, 19)
    inside = (found.rows * 2 >= 9) & (found.rows * 2 <= 22) & (found.columns * 2 >= 9) & (found.columns * 2 <= 22)
    assert ((shown == 0.5).all(dim=1).flatten(1).sum(dim=1)[inside] == 0).all()


@pytest.mark.parametrize("count", [0, 4])
def test_refusals(count: int) -> None:
    message = f"count: {count} is not between 1 and the number of images, 3"
    with refuses(message):
        top_examples(places(1, 2, 3), count)
    with refuses(message):
        activation_spectrum([places(1, 2, 3)], count=count)
    with refuses("slices: 1 is too few; give a whole number, at least 2"):
        activation_spectrum([places(1, 2, 3)], slices=1, count=1)


def test_nothing_random_and_nothing_changed() -> None:
    mini, images = load("mini"), load_sample().images[:50]

    def run() -> Tensor:
        found = activation_spectrum(survey(mini, "mixed4a", images).of_channel(9), slices=3, count=4)
        return example_crops(mini, "mixed4a", images, found)

    before = torch.get_rng_state()
    first = run()
    torch.rand(3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(first, run())
    assert torch.equal(before, torch.get_rng_state())
    assert first.shape[0] == 12
