"""Feature visualization: draw what a unit, a channel or any other objective responds to.

``render`` itself is ``innervision.render``: this package has a module of that name.
"""

from innervision.optvis.color import PUBLISHED_COLOR_CORRELATION, color_correlation, correlate, to_displayable
from innervision.optvis.measures import high_frequency_share, power_spectrum, robust_activation
from innervision.optvis.objectives import Objective, channel, of_image, parse_objective, unit
from innervision.optvis.parametrizations import Fourier, Parametrization, Pixel, fourier_image
from innervision.optvis.penalties import total_variation
from innervision.optvis.rectifiers import redirect_rectifiers, redirected_relu
from innervision.optvis.render import Rendering, ascend, maximize
from innervision.optvis.scoring import Scorer
from innervision.optvis.transforms import (
    compose,
    jitter,
    pad,
    random_rotate,
    random_scale,
    standard_transforms,
    unseen_transforms,
)

__all__ = [
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
