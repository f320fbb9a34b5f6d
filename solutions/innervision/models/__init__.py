"""Networks: definitions by configuration, ready-made weights, and reading their answers."""

from innervision.models.architectures import FULL, MINI, Architecture
from innervision.models.efficientnet import LITE0, EfficientNetLite, LiteArchitecture
from innervision.models.inception import Inception, fold_batch_norm
from innervision.models.labels import class_names
from innervision.models.load import NETWORKS, load
from innervision.models.packaged import provenance
from innervision.models.predictions import top_predictions

__all__ = [
    "FULL",
    "LITE0",
    "MINI",
    "NETWORKS",
    "Architecture",
    "EfficientNetLite",
    "Inception",
    "LiteArchitecture",
    "class_names",
    "fold_batch_norm",
    "load",
    "provenance",
    "top_predictions",
]
