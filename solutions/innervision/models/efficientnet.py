"""EfficientNet-Lite: a small network trained on ImageNet, built from inverted bottlenecks.

A block widens its input by a 1×1 convolution (``expand``), filters each channel by itself (``depthwise``), and narrows
again without a rectifier (``project``); where input and output have one size they are added. Every step is a child of
the network, so layers are called ``stem``, ``block1a``, ``block2a``, ``block2a.expand``, … ``head``, ``logits``. A
convolution layer's output is taken after its rectifier; ``<layer>.conv`` is the value before it.

Source: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019; tensorflow/tpu,
``models/official/efficientnet/lite/efficientnet_lite_builder.py`` (Lite: no squeeze-and-excitation, ReLU6 for swish).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_lowercase

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from innervision.models.branches import Branched, Branches, selectable
from innervision.models.inception import pad_same

NORM_EPSILON = 1e-3
"""Added to variances in batch normalisation. Source: ``batch_norm_epsilon`` in the builder."""


@dataclass(frozen=True)
class Stage:
    """Some blocks in a row; the first has the stride, and brings the width."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


@dataclass(frozen=True)
class LiteArchitecture:
    """A whole network: widths of its first and last convolution, its stages, and how an image in [0, 1] is normalised.

    ``mean`` and ``scale`` are per channel: the first layer receives ``(image - mean) * scale``.
    """

    stem: int
    stages: tuple[Stage, ...]
    head: int
    classes: int
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    image_size: int

    def blocks(self) -> Iterator[tuple[str, int, Stage]]:
        """Name, stride and stage of each block in order: block1a, block2a, block2b, …"""
        for number, stage in enumerate(self.stages, start=1):
            for letter in ascii_lowercase[: stage.blocks]:
                yield f"block{number}{letter}", stage.stride if letter == "a" else 1, stage


LITE0 = LiteArchitecture(
    stem=32,
    stages=(
        Stage(1, 3, 1, 1, 16),
        Stage(2, 3, 2, 6, 24),
        Stage(2, 5, 2, 6, 40),
        Stage(3, 3, 2, 6, 80),
        Stage(3, 5, 1, 6, 112),
        Stage(4, 5, 2, 6, 192),
        Stage(1, 3, 1, 6, 320),
    ),
    head=1280,
    classes=1000,
    mean=(127 / 255, 127 / 255, 127 / 255),
    scale=(255 / 128, 255 / 128, 255 / 128),
    image_size=224,
)
"""EfficientNet-Lite0. Its input is (255 · image - 127) / 128. Source: ``_DEFAULT_BLOCKS_ARGS``,
``efficientnet_lite_params``, ``MEAN_RGB`` and ``STDDEV_RGB`` in the builder."""


class ConvolutionLayer(nn.Module):
    """Convolution, batch normalisation (until it is folded), rectifier up to 6 (in most of them)."""

    def __init__(
        self,
        inputs: int,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        rectified: bool = True,
        batch_norm: bool = False,
    ):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        padding = kernel // 2 if stride == 1 else 0  # with a stride, the far edge may need more
        self.conv = nn.Conv2d(inputs, width, kernel, stride, padding, groups=groups, bias=not batch_norm)
        self.norm = nn.BatchNorm2d(width, eps=NORM_EPSILON) if batch_norm else nn.Identity()
        self.relu = nn.ReLU6() if rectified else nn.Identity()

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch new_channel new_height new_width"]:
        """Responses, one map per output channel; the output has ``ceil(size / stride)`` positions."""
        if self.stride > 1:
            images = pad_same(images, self.kernel, self.stride)
        return self.relu(self.norm(self.conv(images)))


class Block(nn.Module):
    """An inverted bottleneck: wide inside, narrow outside, and around it a shortcut where the sizes allow."""

    def __init__(self, inputs: int, width: int, kernel: int, stride: int, expansion: int, *, batch_norm: bool):
        super().__init__()
        hidden = inputs * expansion
        self.shortcut = stride == 1 and inputs == width
        self.expand = ConvolutionLayer(inputs, hidden, batch_norm=batch_norm) if expansion > 1 else nn.Identity()
        self.depthwise = ConvolutionLayer(hidden, hidden, kernel, stride, groups=hidden, batch_norm=batch_norm)
        self.project = ConvolutionLayer(hidden, width, rectified=False, batch_norm=batch_norm)

    def forward(
        self, hidden: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch new_channel new_height new_width"]:
        """The block's output, which may be negative."""
        output = self.project(self.depthwise(self.expand(hidden)))
        return hidden + output if self.shortcut else output


class EfficientNetLite(nn.Module, Branched):
    """A network of inverted bottlenecks built from a ``LiteArchitecture``.

    Args:
        architecture: ``LITE0``, or your own.
        batch_norm: Put batch normalisation behind each convolution, as in published weights; ``fold_lite`` removes it.

    Inputs are images in [0, 1], ``(batch, 3, height, width)``, of any size; outputs are logits ``(batch, classes)``.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, architecture: LiteArchitecture, *, batch_norm: bool = False):
        super().__init__()
        self.architecture = architecture
        self.register_buffer("mean", torch.tensor(architecture.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(architecture.scale).view(1, 3, 1, 1), persistent=False)
        width = architecture.stem
        self.stem = ConvolutionLayer(3, width, 3, 2, batch_norm=batch_norm)
        self.block_names = [name for name, _, _ in architecture.blocks()]
        for name, stride, stage in architecture.blocks():
            block = Block(width, stage.width, stage.kernel, stride, stage.expansion, batch_norm=batch_norm)
            self.add_module(name, block)
            width = stage.width
        self.head = ConvolutionLayer(width, architecture.head, batch_norm=batch_norm)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.logits = nn.Linear(architecture.head, architecture.classes)

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch classes"]:
        """Logits of a batch of images in [0, 1]."""
        hidden = self.stem((images - self.mean) * self.scale)
        for name in self.block_names:
            hidden = self._modules[name](hidden)  # type: ignore[misc]
        return self.logits(self.avgpool(self.head(hidden)).flatten(1))

    def branches(self, layer: str) -> Branches | None:
        """A block is a single chain; its source may be added to what that puts out."""
        before = {after: name for name, after in pairwise(["stem", *self.block_names])}
        block = self._modules.get(layer)
        if type(self) is not EfficientNetLite or layer not in before or type(block) is not Block:
            return None
        if type(block.project) is not ConvolutionLayer or not selectable(block.project):
            return None
        chain = tuple(f"{layer}.{part}" for part in ("expand", "depthwise", "project"))
        return Branches(before[layer], (chain,), adds_source=block.shortcut)


def fold_lite(network: EfficientNetLite) -> EfficientNetLite:
    """Fold every batch normalisation into the convolution before it, in place; the function stays the same.

    Args:
        network: In eval mode, as the statistics that are folded are the running ones.

    Returns:
        The same network.
    """
    for layer in network.modules():
        if isinstance(layer, ConvolutionLayer) and isinstance(layer.norm, nn.BatchNorm2d):
            layer.conv, layer.norm = fuse_conv_bn_eval(layer.conv, layer.norm), nn.Identity()
    return network
