"""Phase, magnitude, and tiles."""

import pytest
import torch

from innervision.learning.spectra import shuffle_tiles, swap_phase_and_magnitude


@pytest.fixture
def images():
    return 0.4 + 0.2 * torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_with_itself_nothing_changes(images):
    torch.testing.assert_close(swap_phase_and_magnitude(images, images), images)


def test_phases_of_one_and_magnitudes_of_the_other():
    generator = torch.Generator().manual_seed(1)
    one, other = (0.5 + 0.01 * torch.randn(4, 3, 8, 8, generator=generator) for _ in range(2))  # nothing is cut off
    waves = torch.fft.fft2(swap_phase_and_magnitude(one, other).double())
    torch.testing.assert_close(waves.abs(), torch.fft.fft2(other.double()).abs(), atol=1e-4, rtol=1e-4)
    turned = (waves / torch.fft.fft2(one.double())).angle()
    assert float(turned.abs().max()) < 1e-2  # float32 phases of waves as small as 0.01


def test_the_result_is_an_image(images):
    made = swap_phase_and_magnitude(images, images.flip(0) * 0 + torch.rand(6, 3, 16, 16))
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_shapes_must_agree(images):
    with pytest.raises(
        ValueError, match=r"^others: shape \(5, 3, 16, 16\) is not that of the images, \(6, 3, 16, 16\)$"
    ):
        swap_phase_and_magnitude(images, images[:5])


def test_tiles_change_places_and_stay_whole(images):
    generator = torch.Generator().manual_seed(2)
    moved = shuffle_tiles(images, 4, generator)

    def tiles(image):
        return sorted(image.unfold(1, 4, 4).unfold(2, 4, 4).permute(1, 2, 0, 3, 4).reshape(16, 48).tolist())

    assert all(tiles(one) == tiles(other) for one, other in zip(images, moved, strict=True))
    assert not torch.equal(images, moved)
    assert not torch.equal(shuffle_tiles(images, 4, generator), moved)
    assert torch.equal(shuffle_tiles(images, 16, generator), images)
    with pytest.raises(ValueError, match=r"^side: 16 × 16 pixels cannot be cut into tiles of 5 × 5$"):
        shuffle_tiles(images, 5, generator)
