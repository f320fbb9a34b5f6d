"""Figures for lessons: pictures side by side, maps of icons, heat over photographs, curves, spectra, bars, matrices;
tuning curves around wheels, kernels beside their units, circuits, a network that adds.

What is compared shares one scale. Colours are told apart by colour-blind readers too, and lines differ in
their dashes as well. Every function returns a matplotlib ``Figure`` that is open in pyplot and never shows it: in a
notebook end the line with ``;`` (Jupyter shows an open figure by itself), in a script call ``figure.savefig``.
"""

from innervision.plots.addition import frequency_bars, number_circles, strength_curves, training_curves, wrong_answers
from innervision.plots.boards import board_sheet
from innervision.plots.by_layer import layer_curves
from innervision.plots.charts import bars, curves, matrices, spectra
from innervision.plots.circuits import circuit_diagram
from innervision.plots.contextualized import contextualized_weights
from innervision.plots.kernels import kernel_sheet
from innervision.plots.language import attention_sheet, dose_curves, word_map
from innervision.plots.maps import heat_maps, icon_map
from innervision.plots.pictures import image_grid
from innervision.plots.style import COLORS, DASHES, DOTS_PER_INCH, EXCITES, INHIBITS
from innervision.plots.superposition import dimensionality_strips, feature_arrows, phase_map
from innervision.plots.tuning import tuning_map, tuning_wheel

__all__ = [
    "COLORS",
    "DASHES",
    "DOTS_PER_INCH",
    "EXCITES",
    "INHIBITS",
    "attention_sheet",
    "bars",
    "board_sheet",
    "circuit_diagram",
    "contextualized_weights",
    "curves",
    "dimensionality_strips",
    "dose_curves",
    "feature_arrows",
    "frequency_bars",
    "heat_maps",
    "icon_map",
    "image_grid",
    "kernel_sheet",
    "layer_curves",
    "matrices",
    "number_circles",
    "phase_map",
    "spectra",
    "strength_curves",
    "training_curves",
    "tuning_map",
    "tuning_wheel",
    "word_map",
    "wrong_answers",
]
