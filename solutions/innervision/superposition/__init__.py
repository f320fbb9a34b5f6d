"""More features than dimensions: toy models that show when it happens, and dictionaries that take it apart again."""

from innervision.superposition.geometry import (
    PUBLISHED_DIMENSIONALITIES,
    feature_dimensionality,
    mean_max_cosine,
    neighbour_angles,
)
from innervision.superposition.meanings import (
    bootstrap_difference,
    class_share,
    polysemanticity,
    purity,
    top_classes,
)
from innervision.superposition.shipped import load_dictionary, load_toys
from innervision.superposition.sparse_autoencoder import (
    SparseAutoencoder,
    dead_features,
    normalize_decoder,
    sae_decode,
    sae_encode,
    sae_loss,
    unexplained,
)
from innervision.superposition.steering import codes_of, go_on_from, in_words_of, maps_of, turn_up, vectors_of
from innervision.superposition.toy_model import (
    ToyModels,
    linear_forward,
    sample_features,
    toy_forward,
    toy_loss,
    train_toys,
)

__all__ = [
    "PUBLISHED_DIMENSIONALITIES",
    "SparseAutoencoder",
    "ToyModels",
    "bootstrap_difference",
    "class_share",
    "codes_of",
    "dead_features",
    "feature_dimensionality",
    "go_on_from",
    "in_words_of",
    "linear_forward",
    "load_dictionary",
    "load_toys",
    "maps_of",
    "mean_max_cosine",
    "neighbour_angles",
    "normalize_decoder",
    "polysemanticity",
    "purity",
    "sae_decode",
    "sae_encode",
    "sae_loss",
    "sample_features",
    "top_classes",
    "toy_forward",
    "toy_loss",
    "train_toys",
    "turn_up",
    "unexplained",
    "vectors_of",
]
