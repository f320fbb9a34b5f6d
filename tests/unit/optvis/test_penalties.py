"""Total variation against hand counts."""

from __future__ import annotations

import torch

from innervision.optvis.penalties import total_variation


def test_of_plain_images_is_zero() -> None:
    assert torch.equal(total_variation(torch.rand(4, 3, 1, 1).expand(4, 3, 5, 6)), torch.zeros(4))


def test_counts_differences_down_and_right_by_themselves() -> None:
    rows, columns = torch.arange(4.0)[:, None], torch.arange(5.0)[None, :]
    ramp = (2 * rows - 3 * columns).expand(2, 3, 4, 5)  # 2 to the one below, 3 to the one at the right
    torch.testing.assert_close(total_variation(ramp), torch.full((2,), 5.0))


def test_each_image_by_itself_and_all_colours() -> None:
    images = torch.zeros(2, 3, 2, 2)
    images[1, 0, 0, 0] = 1.0  # one red pixel: one of 6 differences down, one of 6 to the right
    torch.testing.assert_close(total_variation(images), torch.tensor([0.0, 1 / 3]))
