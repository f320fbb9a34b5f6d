"""Dataset examples: which photographs excite a unit most, least, and a little, and which part of them it sees."""

from innervision.examples.batches import Images, fetch, in_batches
from innervision.examples.fields import ReceptiveField, probe_receptive_field
from innervision.examples.selection import Examples, activation_spectrum, crops, example_crops, top_examples
from innervision.examples.surveys import Places, Survey, random_places, strongest_places, survey

__all__ = [
    "Examples",
    "Images",
    "Places",
    "ReceptiveField",
    "Survey",
    "activation_spectrum",
    "crops",
    "example_crops",
    "fetch",
    "in_batches",
    "probe_receptive_field",
    "random_places",
    "strongest_places",
    "survey",
    "top_examples",
]
