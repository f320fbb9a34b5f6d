"""InceptionV1 as data: the full network of lucid, and ``mini`` at small width.

Source: Szegedy et al., "Going deeper with convolutions", 2014 (the architecture); lucid,
``modelzoo/other_models/InceptionV1.py`` (the ``inception5h`` graph and its layer names).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

BRANCHES = ("1x1", "3x3", "5x5", "pool_reduce")
"""Order in which a mixed layer concatenates its branches along the channel axis."""


@dataclass(frozen=True)
class Convolution:
    """One convolution with its rectifier: output width, kernel size and stride."""

    name: str
    width: int
    kernel: int
    stride: int = 1

    @property
    def chains(self) -> tuple[tuple[str, ...], ...]:
        """Names of the layers that make its channels: itself."""
        return ((self.name,),)


@dataclass(frozen=True)
class Pool:
    """A 3×3 max pooling with stride 2."""

    name: str


@dataclass(frozen=True)
class Normalization:
    """Local response normalisation across channels, as in ``inception5h``; see ``local_response_norm``."""

    name: str


@dataclass(frozen=True)
class Mixed:
    """One inception block: widths of its six convolutions."""

    name: str
    one: int
    three_bottleneck: int
    three: int
    five_bottleneck: int
    five: int
    pool_reduce: int

    @property
    def branch_widths(self) -> tuple[int, int, int, int]:
        """Channels of the four branches in the order in which they are concatenated."""
        return (self.one, self.three, self.five, self.pool_reduce)

    @cached_property
    def chains(self) -> tuple[tuple[str, ...], ...]:
        """Names of the layers of each branch, which run one after the other."""
        parts = (("1x1",), ("3x3_bottleneck", "3x3"), ("5x5_bottleneck", "5x5"), ("pool", "pool_reduce"))
        return tuple(tuple(f"{self.name}_{part}" for part in branch) for branch in parts)

    @property
    def width(self) -> int:
        """Channels of the block's output."""
        return sum(self.branch_widths)


Step = Convolution | Pool | Normalization | Mixed


@dataclass(frozen=True)
class Architecture:
    """A whole network: its steps in order, its classes, and how an image in [0, 1] is normalised.

    ``mean`` and ``scale`` are per channel: the first layer receives ``(image - mean) * scale``.
    """

    steps: tuple[Step, ...]
    classes: int
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    classifier: str
    image_size: int


FULL = Architecture(
    steps=(
        Convolution("conv2d0", 64, 7, stride=2),
        Pool("maxpool0"),
        Normalization("localresponsenorm0"),
        Convolution("conv2d1", 64, 1),
        Convolution("conv2d2", 192, 3),
        Normalization("localresponsenorm1"),
        Pool("maxpool1"),
        Mixed("mixed3a", 64, 96, 128, 16, 32, 32),
        Mixed("mixed3b", 128, 128, 192, 32, 96, 64),
        Pool("maxpool4"),
        Mixed("mixed4a", 192, 96, 204, 16, 48, 64),
        Mixed("mixed4b", 160, 112, 224, 24, 64, 64),
        Mixed("mixed4c", 128, 128, 256, 24, 64, 64),
        Mixed("mixed4d", 112, 144, 288, 32, 64, 64),
        Mixed("mixed4e", 256, 160, 320, 32, 128, 128),
        Pool("maxpool10"),
        Mixed("mixed5a", 256, 160, 320, 48, 128, 128),
        Mixed("mixed5b", 384, 192, 384, 48, 128, 128),
    ),
    classes=1008,
    mean=(117 / 255, 117 / 255, 117 / 255),
    scale=(255.0, 255.0, 255.0),
    classifier="softmax2_pre_activation",
    image_size=224,
)
"""lucid's InceptionV1. Its input range is [-117, 138] (``inception5h``)."""

MINI = Architecture(
    steps=(
        Convolution("conv2d0", 32, 5),
        Convolution("conv2d1", 32, 1),
        Pool("maxpool0"),
        Convolution("conv2d2", 96, 3),
        Mixed("mixed3a", 32, 64, 64, 8, 16, 16),
        Mixed("mixed3b", 48, 64, 80, 16, 40, 24),
        Pool("maxpool4"),
        Mixed("mixed4a", 96, 64, 104, 8, 24, 32),
        Mixed("mixed4b", 80, 64, 112, 12, 32, 32),
        Mixed("mixed4c", 64, 80, 128, 12, 32, 32),
    ),
    classes=10,
    mean=(0.4914, 0.4822, 0.4465),
    scale=(1 / 0.2470, 1 / 0.2435, 1 / 0.2616),
    classifier="logits",
    image_size=32,
)
"""The embedded network. Mean and standard deviation are CIFAR-10's training images' own, per channel."""
