"""Against torch-lucent: equal where it follows what was published; where it does not, ours follows the publication.

lucent minimises, so its objectives have the other sign, and they are sums or means over the batch where ours return a
number for each image.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, correlate
from innervision.optvis.directions import cosine, direction, direction_unit
from innervision.optvis.joint import alignment, diversity, interpolate
from innervision.optvis.objectives import DRAWING, Objective, channel, of_drawing, unit
from innervision.optvis.parametrizations import CONTRAST, fourier_image
from innervision.optvis.penalties import blur_distance
from innervision.optvis.render import render
from innervision.optvis.transforms import jitter, random_rotate, random_scale

pytestmark = pytest.mark.filterwarnings("ignore")  # lucent's own, when it is imported and used

LUCIDS_DIVISOR = 4.0
"""lucid and lucent divide a Fourier image by this before the sigmoid; ``fourier_image`` does not, and our
parametrizations multiply by ``CONTRAST`` instead."""


@pytest.fixture
def activations() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(5, 4, 6, 6, generator=generator) for name in ("a", "b")}


def test_colours_are_the_same() -> None:
    from lucent.optvis.param.color import color_correlation_svd_sqrt, to_valid_rgb

    np.testing.assert_array_equal(PUBLISHED_COLOR_CORRELATION.numpy(), color_correlation_svd_sqrt)
    images = torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    ours = torch.sigmoid(correlate(images, PUBLISHED_COLOR_CORRELATION))
    torch.testing.assert_close(ours, to_valid_rgb(lambda: images, decorrelate=True)(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(16, 16), (12, 20), (9, 7)])
def test_fourier_images_are_the_same_up_to_the_divisor(size: tuple[int, int]) -> None:
    from lucent.optvis.param.spatial import fft_image

    (spectrum,), image = fft_image((2, 3, *size), sd=1.0)
    coefficients = torch.view_as_complex(spectrum.detach())[..., : size[1] // 2 + 1]
    theirs = image().detach()
    torch.testing.assert_close(fourier_image(coefficients, size) / LUCIDS_DIVISOR, theirs, rtol=0, atol=1e-5)
    assert CONTRAST * LUCIDS_DIVISOR == 2  # ours has twice the contrast, for fewer steps


VECTOR = torch.tensor([1.0, -2.0, 0.5, 3.0])


def same(ours: Objective, theirs: Callable, activations: dict[str, Tensor], *, mean: bool = False) -> None:
    """lucent's value is minus ours, summed or averaged over images."""
    scores = ours(activations)
    total = scores.mean() if mean else scores.sum()
    torch.testing.assert_close(-total, theirs(activations.__getitem__), rtol=1e-5, atol=1e-5)


def test_objectives_are_the_same_up_to_sign(activations: dict[str, Tensor]) -> None:
    from lucent.optvis import objectives as lucent

    same(channel("a", 2), lucent.channel("a", 2), activations, mean=True)
    same(unit("a", 2), lucent.neuron("a", 2), activations, mean=True)
    same(unit("a", 2, row=1, column=4), lucent.neuron("a", 2, x=4, y=1), activations, mean=True)
    same(
        channel("a", 1) - 2 * channel("b", 3),
        lucent.channel("a", 1) - 2 * lucent.channel("b", 3),
        activations,
        mean=True,
    )
    same(interpolate("a:1", "b:2", images=5), lucent.channel_interpolate("a", 1, "b", 2), activations)
    same(alignment("a"), lucent.alignment("a"), activations)
    same(alignment("a", decay=3), lucent.alignment("a", decay_ratio=3), activations)
    # a reward here, for being different; lucent's has lucid's name and is subtracted
    same(-1 * diversity("a"), lucent.diversity("a"), activations)


def test_the_blur_penalty_is_the_same_up_to_sign(activations: dict[str, Tensor]) -> None:
    from lucent.optvis import objectives as lucent

    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    ours = of_drawing(blur_distance)({DRAWING: images}).sum()
    torch.testing.assert_close(-ours, lucent.blur_input_each_step()({"input": images}.__getitem__))


def test_lucents_direction_is_our_cosine(activations: dict[str, Tensor]) -> None:
    from lucent.optvis import objectives as lucent

    same(cosine("a", VECTOR), lucent.direction("a", VECTOR), activations, mean=True)
    at_centre = {"a": activations["a"][:, :, 3:4, 3:4]}
    same(cosine("a", VECTOR), lucent.direction_neuron("a", VECTOR), activations | at_centre, mean=True)


def test_our_direction_is_lucids(activations: dict[str, Tensor]) -> None:
    """lucid's ``_dot_cossim``, written in numpy: the dot product, times the cosine of at least 0.1 to some power."""
    x, y = activations["a"].numpy(), VECTOR.numpy()
    dot = np.einsum("bchw,c->bhw", x, y)
    cosines = dot / (1e-4 + np.linalg.norm(x, axis=1)) / (1e-4 + np.linalg.norm(y))
    for power in (0, 2, 4):
        published = dot * np.maximum(0.1, cosines) ** power if power else dot
        ours = direction("a", VECTOR, power)(activations)
        np.testing.assert_allclose(ours.numpy(), published.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)
        ours = direction_unit("a", VECTOR, 2, 5, power)(activations)
        np.testing.assert_allclose(ours.numpy(), published[:, 2, 5], rtol=1e-4, atol=1e-5)


def test_the_centre_is_the_centre_of_an_activation_that_is_not_square() -> None:
    """lucid: row height // 2, column width // 2. lucent swaps the two."""
    from lucent.optvis import objectives as lucent

    activation = torch.arange(4 * 6.0).reshape(1, 1, 4, 6)
    assert float(unit("a", 0)({"a": activation})) == float(activation[0, 0, 2, 3])
    assert -float(lucent.neuron("a", 0)({"a": activation}.__getitem__)) == float(activation[0, 0, 3, 2])


def test_jitter_cuts_and_never_shows_black() -> None:
    """lucid: a random crop. lucent shifts right and down, never by d, and fills with black."""
    from lucent.optvis import transform

    white = torch.ones(1, 3, 12, 12)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        assert torch.equal(jitter(4)(white, generator), torch.ones(1, 3, 8, 8))
    np.random.seed(0)
    shown = [transform.jitter(4)(white) for _ in range(20)]
    assert {tuple(image.shape) for image in shown} == {(1, 3, 12, 12)}
    assert min(float(image.min()) for image in shown) == 0


def test_scaling_changes_the_size_and_pads_with_nothing() -> None:
    """lucid: resize to int(size · factor). lucent rounds up, and pads with black what became smaller."""
    from lucent.optvis import transform

    white = torch.ones(1, 3, 10, 10)
    assert torch.equal(random_scale([0.75])(white, torch.Generator()), torch.ones(1, 3, 7, 7))
    theirs = transform.random_scale([0.75])(white)
    assert theirs.shape == (1, 3, 10, 10)
    assert float(theirs.min()) == 0
    assert torch.equal(theirs[..., 1:-1, 1:-1], torch.ones(1, 3, 8, 8))


def test_what_a_turn_brings_in_is_grey() -> None:
    """lucid and lucent turn black corners in; here they have the grey of the padding, as the image's border has."""
    from lucent.optvis import transform

    grey = torch.full((1, 3, 12, 12), 0.5)
    torch.testing.assert_close(random_rotate([10])(grey, torch.Generator()), grey)
    assert float(transform.random_rotate([10])(grey).min()) < 0.1


def test_no_hooks_stay() -> None:
    """lucent leaves one on every module, so each drawing is slower than the last."""
    from lucent.optvis import param
    from lucent.optvis.render import render_vis

    def network() -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1)).eval()

    def hooks(model: nn.Module) -> int:
        return sum(len(module._forward_hooks) for module in model.modules())

    ours, theirs = network(), network()
    render(ours, "2:0", size=12, steps=1)
    assert hooks(ours) == 0
    options = {"transforms": [], "thresholds": (1,), "progress": False, "show_image": False, "preprocess": False}
    render_vis(theirs, "2:0", lambda: param.image(12), fixed_image_size=12, **options)
    assert hooks(theirs) == len(theirs)


def test_a_seed_repeats_and_global_generators_are_left_alone() -> None:
    """lucent draws transforms from NumPy's global generator, so seeding torch does not repeat a drawing."""
    from lucent.optvis import transform

    before = np.random.get_state()[1].copy()
    images = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    shown = [jitter(6)(images, torch.Generator().manual_seed(1)) for _ in range(2)]
    assert torch.equal(*shown)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    torch.manual_seed(0)
    transform.jitter(6)(images)
    assert not np.array_equal(np.random.get_state()[1], before) or np.random.get_state()[2] != 0
