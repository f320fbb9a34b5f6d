"""Networks: one definition by configuration, ready-made weights, and reading their answers."""

from innervision.models.inception import FULL, MINI, Architecture, Inception, fold_batch_norm
from innervision.models.load import NETWORKS, load, provenance
from innervision.models.predictions import top_predictions

__all__ = [
    "FULL",
    "MINI",
    "NETWORKS",
    "Architecture",
    "Inception",
    "fold_batch_norm",
    "load",
    "provenance",
    "top_predictions",
]
