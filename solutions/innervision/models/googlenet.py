"""torchvision's GoogLeNet with rectifiers that can be reached, and with normalisation inside.

torchvision's own rectifiers are function calls that write over what the layer before them put out. Here they are
modules that write nowhere else: so what is recorded stays, and optvis can redirect their gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import GoogLeNet, GoogLeNet_Weights
from torchvision.models.googlenet import BasicConv2d, Inception, InceptionAux

from innervision.models.published import Source, read_published
from innervision.models.states import check_state, read_state

WEIGHTS = GoogLeNet_Weights.IMAGENET1K_V1
"""torchvision's entry: address, classes, measured accuracy."""


@dataclass(frozen=True)
class GoogLeNetArchitecture:
    """How an image in [0, 1] is normalised, and the size of the images that the network was trained on.

    ``mean`` and ``scale`` are per channel: the first layer receives ``(image - mean) * scale``.
    """

    classes: int = 1000
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    scale: tuple[float, float, float] = (2.0, 2.0, 2.0)
    image_size: int = 224


class RectifiedConvolution(BasicConv2d):
    """Convolution, batch normalisation, rectifier: torchvision's, but for the rectifier, which is a module."""

    def __init__(self, in_channels: int, out_channels: int, **settings: Any):
        super().__init__(in_channels, out_channels, **settings)
        self.relu = nn.ReLU()

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch width _ _"]:
        """Rectified responses, one map per output channel."""
        return self.relu(self.bn(self.conv(x)))


class NormalizedGoogLeNet(GoogLeNet):
    """torchvision's GoogLeNet without its auxiliary heads, for images in [0, 1].

    Its layers have torchvision's names: ``conv1``, ``inception3a``, ``inception3a.branch2.1.relu``, … ``fc``.
    torchvision normalises by ImageNet's mean and deviation and then undoes it (``transform_input``): what arrives at
    the first layer is 2 · image - 1, and that is what is computed here.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        block = partial(Inception, conv_block=RectifiedConvolution)
        super().__init__(aux_logits=False, init_weights=False, blocks=[RectifiedConvolution, block, InceptionAux])
        self.architecture = GoogLeNetArchitecture()
        self.register_buffer("mean", torch.tensor(self.architecture.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(self.architecture.scale).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch classes"]:
        """Logits of a batch of images in [0, 1]."""
        return super().forward((x - self.mean) * self.scale)


def published_googlenet(cache: str | Path | None = None) -> NormalizedGoogLeNet:
    """The network with the weights that torchvision publishes, from the cache or, the first time, from the network.

    The file's name ends in the beginning of its SHA-256, as torchvision's own download checks it.

    Args:
        cache: Folder of downloaded weights; see ``cache_folder``.

    Raises:
        DataError: They cannot be fetched or kept, or are not what they should be.
    """
    file = WEIGHTS.url.rsplit("/", 1)[1]
    source = Source(WEIGHTS.url, file, sha256=file.removesuffix(".pth").rsplit("-", 1)[1])
    return read_published("googlenet", [source], read_googlenet, cache)


def read_googlenet(path: Path, origin: str | Path) -> NormalizedGoogLeNet:
    """The network with the weights of a local file in torchvision's layout.

    The auxiliary heads are left out; torchvision says of its own that they were not trained.

    Args:
        path: The file.
        origin: What to call the file in errors.

    Raises:
        DataError: The file cannot be read, or holds other weights.
    """
    network = NormalizedGoogLeNet()
    state = {key: value for key, value in read_state(path, origin).items() if not key.startswith(("aux1.", "aux2."))}
    network.load_state_dict(check_state(state, network, "googlenet", origin))
    return network
