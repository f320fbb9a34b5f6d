"""Images from wherever they lie, a batch at a time: a tensor, a data set, a loader, a list of batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

Images = Tensor | Dataset[Any] | Iterable[Any]
"""A tensor ``(images, 3, height, width)``; a ``Dataset`` of pictures; or anything that gives pictures or batches one
after the other. Where an item is a pair (or more) its first part counts: labels are passed over. Numbers are in
[0, 1], or bytes 0 to 255."""


def in_batches(images: Images, size: int = 250) -> Iterator[Float[Tensor, "batch 3 height width"]]:
    """Go through images once, in order, with never more than one batch in memory.

    Args:
        images: See ``Images``. Batches that come ready-made keep their size.
        size: Images in a batch made from single pictures or from a tensor, ≥ 1.

    Yields:
        Batches in [0, 1].

    Raises:
        ValueError: ``size`` is below 1; a loader shuffles, so that an index would not say which image is meant.
    """
    if size < 1:
        raise ValueError(f"batch_size: {size} is too few; give a whole number, at least 1")
    if isinstance(images, Tensor):
        yield from (_in_unit_range(part) for part in images.split(size))
        return
    waiting: list[Tensor] = []
    for pictures in _pictures(images):
        if pictures.ndim == 4:
            yield _in_unit_range(pictures)
            continue
        waiting.append(pictures)
        if len(waiting) == size:
            yield _in_unit_range(torch.stack(waiting))
            waiting.clear()
    if waiting:
        yield _in_unit_range(torch.stack(waiting))


def fetch(images: Images, indices: Int[Tensor, "chosen"] | Sequence[int]) -> Float[Tensor, "chosen 3 height width"]:
    """Look some images up again by their place in the order of ``in_batches``.

    Args:
        images: See ``Images``; no generator, which is empty after its first use.
        indices: From 0; repeats are welcome.

    Returns:
        The images in [0, 1], in the order of the indices.

    Raises:
        ValueError: The images can be gone through only once; an index is not below their number.
    """
    wanted = [int(index) for index in indices]
    if isinstance(images, Iterator):
        raise ValueError(
            f"images: a {type(images).__name__} can be gone through only once; "
            "give a tensor, a Dataset, a list of batches or a DataLoader that does not shuffle"
        )
    found: dict[int, Tensor] = {}
    if isinstance(images, Tensor):
        found = {index: _in_unit_range(images[index]) for index in wanted if 0 <= index < len(images)}
    elif (places := _with_places(images)) is not None:
        found = {index: _in_unit_range(_first(places[index])) for index in wanted if 0 <= index < len(places)}
    else:
        seen = 0
        for batch in in_batches(images):
            found.update({index: batch[index - seen] for index in wanted if seen <= index < seen + len(batch)})
            seen += len(batch)
    missing = [index for index in wanted if index not in found]
    if missing:
        raise ValueError(f"indices: there is no image {missing[0]}")
    return torch.stack([found[index] for index in wanted])


def _pictures(images: Any) -> Iterator[Tensor]:
    if isinstance(images, DataLoader) and isinstance(images.sampler, RandomSampler):
        raise ValueError("images: the DataLoader shuffles, so that no index would say which image is meant")
    places = _with_places(images)
    items = images if places is None else (places[index] for index in range(len(places)))
    return (_first(item) for item in items)


def _with_places(images: Any) -> Any:
    """The images, if an index leads straight to one of them. (A list may hold batches, so it is gone through.)"""
    return images if isinstance(images, Dataset) and hasattr(images, "__len__") else None


def _first(item: Any) -> Tensor:
    pictures = item[0] if isinstance(item, tuple | list) else item
    if not isinstance(pictures, Tensor) or pictures.ndim not in (3, 4):
        got = f"shape {tuple(pictures.shape)}" if isinstance(pictures, Tensor) else type(pictures).__name__
        raise ValueError(f"images: hold an item of {got}; give tensors (3, height, width) or (batch, 3, height, width)")
    return pictures


def _in_unit_range(pictures: Tensor) -> Tensor:
    return pictures.float() / 255 if pictures.dtype == torch.uint8 else pictures
