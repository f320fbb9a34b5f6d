"""Many activations at once: of one image as a grid, in groups of channels, of a whole data set as a map."""

from innervision.atlas.covariance import whitening
from innervision.atlas.grid import Grid, activation_grid
from innervision.atlas.groups import Groups, factorize, neuron_groups
from innervision.atlas.icons import draw_icons
from innervision.atlas.layouts import LAYOUTS, layout
from innervision.atlas.map import (
    Atlas,
    Cells,
    activation_atlas,
    class_evidence,
    filled_squares,
    grid_averages,
    sample_activations,
)

__all__ = [
    "LAYOUTS",
    "Atlas",
    "Cells",
    "Grid",
    "Groups",
    "activation_atlas",
    "activation_grid",
    "class_evidence",
    "draw_icons",
    "factorize",
    "filled_squares",
    "grid_averages",
    "layout",
    "neuron_groups",
    "sample_activations",
    "whitening",
]
