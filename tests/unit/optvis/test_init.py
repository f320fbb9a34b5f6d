"""The public names of ``innervision.optvis``."""

from __future__ import annotations

from types import ModuleType

import innervision.optvis
import innervision.optvis.render

NAMES = [
    "PUBLISHED_COLOR_CORRELATION",
    "Fourier",
    "Objective",
    "Parametrization",
    "Pixel",
    "Rendering",
    "Scorer",
    "ascend",
    "channel",
    "color_correlation",
    "compose",
    "correlate",
    "fourier_image",
    "high_frequency_share",
    "jitter",
    "maximize",
    "of_image",
    "pad",
    "parse_objective",
    "power_spectrum",
    "random_rotate",
    "random_scale",
    "redirect_rectifiers",
    "redirected_relu",
    "robust_activation",
    "standard_transforms",
    "to_displayable",
    "total_variation",
    "unit",
    "unseen_transforms",
]


def test_exported_names() -> None:
    assert innervision.optvis.__all__ == NAMES
    assert all(hasattr(innervision.optvis, name) for name in NAMES)


def test_render_stays_a_module() -> None:
    assert isinstance(innervision.optvis.render, ModuleType)
