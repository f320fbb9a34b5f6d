"""Feature visualization: draw what a unit, a channel or any other objective responds to.

``render`` itself is ``innervision.render``: this package has a module of that name.
"""

from innervision.optvis.color import (
    PUBLISHED_COLOR_CORRELATION,
    color_correlation,
    correlate,
    decorrelate,
    to_displayable,
)
from innervision.optvis.cppn import CPPN
from innervision.optvis.directions import cosine, direction, direction_unit
from innervision.optvis.joint import Joint, alignment, diverse, diversity, interpolate, together
from innervision.optvis.layers import class_logit, layer, negative, of_layer
from innervision.optvis.matching import Beside, activation_difference, against, caricature, gram, inversion
from innervision.optvis.measures import high_frequency_share, power_spectrum, robust_activation
from innervision.optvis.objectives import Objective, channel, of_drawing, of_image, parse_objective, unit
from innervision.optvis.parametrizations import Fourier, Parametrization, Pixel, fourier_image
from innervision.optvis.penalties import blur, blur_distance, boundary_complexity, l1, l2, total_variation
from innervision.optvis.phase import Phase, mean_magnitudes
from innervision.optvis.published import article_transforms, caricature_transforms, cut_to, lucid_transforms
from innervision.optvis.pyramids import LaplacianPyramid, LowResolution, Shared
from innervision.optvis.rectifiers import redirect_rectifiers, redirected_relu, redirected_relu6
from innervision.optvis.render import ascend, maximize
from innervision.optvis.rendering import Rendering
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
from innervision.optvis.transparency import Transparent, lay_on, on_random_backgrounds, transparent

__all__ = [
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
