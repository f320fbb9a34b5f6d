"""Many activations at once: of one image as a grid, in groups of channels, of a whole data set as a map."""

from innervision.atlas.grid import Grid, activation_grid
from innervision.atlas.groups import Groups, neuron_groups
from innervision.atlas.icons import draw_icons
from innervision.atlas.layout import LAYOUTS, layout
from innervision.atlas.map import Atlas, Cells, activation_atlas, class_evidence, grid_averages, sample_activations
from innervision.atlas.whitening import whitening

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
    "grid_averages",
    "layout",
    "neuron_groups",
    "sample_activations",
    "whitening",
]
