"""Attribution: how much of an output is each position, or each channel, of a layer answerable for?"""

from innervision.attribution.gradients import Target, activation_and_gradient
from innervision.attribution.maps import channel_attribution, integrated_attribution, path_start, spatial_attribution
from innervision.attribution.pooling import relaxed_max_pool, relaxed_max_pooling
from innervision.attribution.sanity import shuffle_weights

__all__ = [
    "Target",
    "activation_and_gradient",
    "channel_attribution",
    "integrated_attribution",
    "path_start",
    "relaxed_max_pool",
    "relaxed_max_pooling",
    "shuffle_weights",
    "spatial_attribution",
]
