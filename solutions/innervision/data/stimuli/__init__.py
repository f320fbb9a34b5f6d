"""Pictures made to ask a unit one question: strokes, waves, gradients, and patches of two frequencies.

Each function draws a whole batch: every parameter is a number, or a tensor with one value for each image. Units are the
same everywhere. Orientations are degrees against the clock from the right and lie *across* the strokes and stripes;
rows are counted downwards; lengths are pixels; frequencies are waves per pixel; contrast is from -1 to 1 on mid-grey.
"""

from innervision.data.stimuli.shapes import draw_circle, draw_corner, draw_curve, draw_line
from innervision.data.stimuli.waves import draw_gabor, draw_gradient, draw_grating, draw_two_frequencies

__all__ = [
    "draw_circle",
    "draw_corner",
    "draw_curve",
    "draw_gabor",
    "draw_gradient",
    "draw_grating",
    "draw_line",
    "draw_two_frequencies",
]
