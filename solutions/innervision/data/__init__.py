"""Images to train on and to look at."""

from innervision.data import cifar10
from innervision.data.cache import DataError, cache_folder
from innervision.data.sample import Sample, load_sample, load_training_sample

__all__ = ["DataError", "Sample", "cache_folder", "cifar10", "load_sample", "load_training_sample"]
