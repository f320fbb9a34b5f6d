"""Images from everywhere: one order, one range, never more than a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from innervision.examples import fetch, in_batches


@pytest.fixture
def images() -> Tensor:
    return torch.rand(10, 3, 4, 5, generator=torch.Generator().manual_seed(0))


class Pictures(Dataset[Tensor]):
    def __init__(self, images: Tensor):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


def sources(images: Tensor) -> dict[str, Any]:
    labels = torch.arange(10)
    return {
        "tensor": images,
        "data set": Pictures(images),
        "data set with labels": TensorDataset(images, labels),
        "loader": DataLoader(TensorDataset(images, labels), batch_size=3),
        "list of batches": list(images.split(4)),
        "list of pairs": [(part, None) for part in images.split(4)],
        "list of pictures": list(images),
    }


@pytest.mark.parametrize("name", list(sources(torch.zeros(10, 3, 2, 2))))
def test_every_source_gives_the_same_images_in_order(images: Tensor, name: str) -> None:
    source = sources(images)[name]
    batches = list(in_batches(source, 4))
    assert max(len(batch) for batch in batches) <= 4
    torch.testing.assert_close(torch.cat(batches), images, rtol=0, atol=0)
    torch.testing.assert_close(fetch(source, [7, 0, 7]), images[[7, 0, 7]], rtol=0, atol=0)


def test_a_generator_can_be_walked_once(images: Tensor) -> None:
    torch.testing.assert_close(torch.cat(list(in_batches(part for part in images.split(3)))), images, rtol=0, atol=0)
    with refuses(
        "images: a generator can be gone through only once; "
        "give a tensor, a Dataset, a list of batches or a DataLoader that does not shuffle"
    ):
        fetch((part for part in images.split(3)), [0])


def test_only_one_batch_is_held() -> None:
    made = []

    def endless() -> Iterator[Tensor]:
        while True:
            made.append(1)
            yield torch.zeros(3, 2, 2)

    first = next(in_batches(endless(), 5))
    assert first.shape == (5, 3, 2, 2)
    assert len(made) == 5


def test_bytes_become_numbers_in_the_unit_range() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = torch.tensor([0.0, 0.2, 1.0]).view(1, 3, 1, 1)
    for source in (images, [images], list(images)):
        torch.testing.assert_close(next(in_batches(source)), expected)
        torch.testing.assert_close(fetch(source, [0]), expected)


def test_refusals(images: Tensor) -> None:
    with refuses("batch_size: 0 is too few; give a whole number, at least 1"):
        next(in_batches(images, 0))
    with refuses("images: the DataLoader shuffles, so that no index would say which image is meant"):
        next(in_batches(DataLoader(Pictures(images), shuffle=True)))
    with refuses("images: hold an item of str; give tensors (3, height, width) or (batch, 3, height, width)"):
        next(in_batches(["a"]))
    with refuses("images: hold an item of shape (5,); give tensors (3, height, width) or (batch, 3, height, width)"):
        next(in_batches([torch.zeros(5)]))
    for source in (images, Pictures(images), list(images.split(4))):
        with refuses("indices: there is no image 10"):
            fetch(source, torch.tensor([3, 10]))
