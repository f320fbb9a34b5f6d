"""The public names of ``innervision.optvis``."""

from __future__ import annotations

from types import ModuleType

import innervision.optvis
import innervision.optvis.render

NAMES = [
    "CPPN",
    "PUBLISHED_COLOR_CORRELATION",
    "Beside",
    "Fourier",
    "Joint",
    "LaplacianPyramid",
    "LowResolution",
    "Objective",
    "Parametrization",
    "Phase",
    "Pixel",
    "Rendering",
    "Scorer",
    "Shared",
    "Transparent",
    "activation_difference",
    "against",
    "alignment",
    "article_transforms",
    "ascend",
    "blur",
    "blur_distance",
    "boundary_complexity",
    "caricature",
    "caricature_transforms",
    "channel",
    "class_logit",
    "color_correlation",
    "compose",
    "correlate",
    "cosine",
    "cut_to",
    "decorrelate",
    "direction",
    "direction_unit",
    "diverse",
    "diversity",
    "fourier_image",
    "gram",
    "high_frequency_share",
    "interpolate",
    "inversion",
    "jitter",
    "l1",
    "l2",
    "lay_on",
    "layer",
    "lucid_transforms",
    "maximize",
    "mean_magnitudes",
    "negative",
    "of_drawing",
    "of_image",
    "of_layer",
    "on_random_backgrounds",
    "pad",
    "parse_objective",
    "power_spectrum",
    "random_rotate",
    "random_scale",
    "redirect_rectifiers",
    "redirected_relu",
    "redirected_relu6",
    "robust_activation",
    "standard_transforms",
    "to_displayable",
    "together",
    "total_variation",
    "transparent",
    "unit",
    "unseen_transforms",
]


def test_exported_names() -> None:
    assert innervision.optvis.__all__ == NAMES
    assert all(hasattr(innervision.optvis, name) for name in NAMES)


def test_render_stays_a_module() -> None:
    assert isinstance(innervision.optvis.render, ModuleType)
