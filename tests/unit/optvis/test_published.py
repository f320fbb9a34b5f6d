"""Published transforms: sizes that come out, what is drawn, what is grey."""

from __future__ import annotations

import pytest
import torch

from innervision.optvis.published import (
    TRANSFORMS,
    article_transforms,
    caricature_transforms,
    cut_to,
    lucid_transforms,
)
from innervision.optvis.transforms import Transform

DRAWS = 300


def sizes(transform: Transform, side: int) -> set[int]:
    source = torch.Generator().manual_seed(0)
    images = torch.full((1, 3, side, side), 0.5)
    return {transform(images, source).shape[2] for _ in range(DRAWS)}


def test_lucid_sizes_at_128_pixels() -> None:
    # 128 + 2 · 12 - 8 = 144, times 0.90 to 1.10 in steps of 0.02, rounded down, minus 4
    assert sizes(lucid_transforms(), 128) == {int(144 * (1 + (i - 5) / 50)) - 4 for i in range(11)}


def test_lucid_transforms_do_not_shrink_with_the_image() -> None:
    assert sizes(lucid_transforms(), 32) == {int(48 * (1 + (i - 5) / 50)) - 4 for i in range(11)}


def test_article_sizes_at_128_pixels() -> None:
    # 128 + 2 · 16 - 16 = 144, times at least 0.95, minus 8: 128 or more, of which the image's own 128 are kept
    assert sizes(article_transforms(), 128) == {128}
    # at 224 pixels the factors 0.95 and 0.975 leave 220 and 226
    assert sizes(article_transforms(), 224) == {220, 224}


def test_caricature_sizes_at_128_pixels() -> None:
    assert sizes(caricature_transforms(), 128) == {int(136 * factor) - 2 for factor in (0.9, 0.95, 1, 1.05, 1.1)}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_name_repeats_with_the_generator_and_keeps_grey_grey(name: str) -> None:
    transform = TRANSFORMS[name](32)
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    first, second = (transform(images, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    grey = torch.full((2, 3, 32, 32), 0.5)
    torch.testing.assert_close(
        transform(grey, torch.Generator().manual_seed(3)), torch.full(first.shape, 0.5), rtol=0, atol=1e-6
    )


def test_none_is_nothing() -> None:
    images = torch.rand(1, 3, 5, 6)
    assert torch.equal(TRANSFORMS["none"](5)(images, torch.Generator()), images)


def test_cut_to_takes_the_middle_and_never_enlarges() -> None:
    images = torch.arange(35.0).reshape(1, 1, 5, 7).expand(1, 3, 5, 7)
    source = torch.Generator()
    assert torch.equal(cut_to((3, 3))(images, source), images[:, :, 1:4, 2:5])
    assert torch.equal(cut_to((9, 3))(images, source), images[:, :, :, 2:5])
    assert torch.equal(cut_to((5, 7))(images, source), images)
