"""What is drawn in the benchmarks, and how torch-lucent draws it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from innervision.models import FULL, Inception, load


@dataclass(frozen=True)
class Subject:
    """A network, a layer near its middle, and the size of the images.

    Attributes:
        make: Makes the network.
        steps: Steps of the comparison at equal steps.
        enough: Steps after which ``render`` is compared with what torch-lucent reaches in 512; 0 for a network that
            was not trained: an activation says nothing there.
    """

    name: str
    make: Callable[[], nn.Module]
    layer: str
    size: int
    steps: int
    enough: int

    def network(self) -> nn.Module:
        """The network in eval mode. Parameters want gradients, as torch gives them and as torch-lucent leaves them."""
        torch.manual_seed(0)
        return self.make().eval().requires_grad_(True)

    def channels(self, network: nn.Module, count: int) -> list[int]:
        """So many channels of the layer, evenly spread."""
        from innervision.activations import record

        with torch.no_grad():
            width = record(network, torch.zeros(1, 3, self.size, self.size), self.layer)[self.layer].shape[1]
        return [int(channel) for channel in torch.linspace(0, width - 1, count)]


SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject("mini", lambda: load("mini"), "mixed3b", 48, 64, 64),
        Subject("efficientnet-lite0", lambda: load("efficientnet-lite0"), "block5b", 128, 32, 64),
        Subject("inceptionv1", lambda: Inception(FULL), "mixed4c", 128, 32, 0),
    )
}


def draw_with_lucent(
    network: nn.Module, layer: str, channel: int, size: int, steps: int, **options: Any
) -> tuple[Tensor, float]:
    """One channel by torch-lucent as it is: ``(1, 3, size, size)``, and the wall seconds.

    torch-lucent enlarges small images to 224 pixels unless ``fixed_image_size`` is set; it is the image size here.
    It draws from the global generators, which are seeded, and leaves its hooks behind, which are removed: each
    drawing would be slower than the last.
    """
    from lucent.optvis import param
    from lucent.optvis.render import render_vis

    torch.manual_seed(channel)
    np.random.seed(channel)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        (image,) = render_vis(
            network,
            f"{layer}:{channel}",
            lambda: param.image(size),
            thresholds=(steps,),
            progress=False,
            show_image=False,
            preprocess=False,  # our networks normalise inside
            fixed_image_size=size,
            **options,
        )
        seconds = time.perf_counter() - start
    for module in network.modules():
        module._forward_hooks.clear()
        for parameter in module.parameters(recurse=False):
            parameter.grad = None
    return torch.from_numpy(image).permute(0, 3, 1, 2), seconds
