"""The network that an ``Architecture`` describes, and its layers.

Every named step is a direct child of the network, so a layer's path in ``named_modules()`` is the
name the field uses for it: ``conv2d0``, ``mixed3a``, ``mixed3a_3x3_bottleneck``, ``mixed3a_pool_reduce``.
A convolution layer's output is taken after its rectifier; ``<layer>.conv`` is the value before it.

Source: Szegedy et al., "Going deeper with convolutions", 2014 (the architecture); lucid,
``modelzoo/other_models/InceptionV1.py`` (the ``inception5h`` graph and its layer names).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from innervision.models.architectures import (
    Architecture,
    Convolution,
    Mixed,
    Normalization,
    Pool,
    Step,
)
from innervision.models.branches import Branched, Branches, selectable
from innervision.models.normalization import ResponseNorm


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis so that the output has ``ceil(size / stride)`` positions.

    Args:
        size: Positions along the axis.
        kernel: Kernel size in positions.
        stride: Step in positions.

    Returns:
        ``(before, after)``; an odd total puts the extra one after, as TensorFlow's ``SAME`` does.
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def pad_same(
    images: Float[Tensor, "batch channel height width"], kernel: int, stride: int, value: float = 0.0
) -> Float[Tensor, "batch channel padded_height padded_width"]:
    """Pad height and width by ``same_padding`` with ``value``."""
    top, bottom = same_padding(images.shape[-2], kernel, stride)
    left, right = same_padding(images.shape[-1], kernel, stride)
    if top == bottom == left == right == 0:
        return images
    return F.pad(images, (left, right, top, bottom), value=value)


def local_response_norm() -> ResponseNorm:
    """The normalisation of lucid's graph: ``x_c / sqrt(2 + 1e-4 Σ x²)``, summed over 11 channels around c.

    The graph says depth_radius 5, alpha 1e-4, beta 0.5, bias 2.
    The ports to torch that are in circulation (lucent, captum) use ``nn.LocalResponseNorm``, whose alpha multiplies
    the mean of the squares and not their sum, with size 9, alpha 1e-4 and k 1: their values after this step are up to
    √2 times as large, so numbers measured on them differ from lucid's and from ours.

    Source: the graph's own attributes, as printed in greentfrapp/lucent pull request 51.
    """
    return ResponseNorm(radius=5, alpha=1e-4, bias=2.0)


class ConvolutionLayer(nn.Module):
    """Convolution, optional batch normalisation (only while training), rectifier."""

    def __init__(self, inputs: int, width: int, kernel: int, stride: int, *, batch_norm: bool):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, width, kernel, stride, padding=padding, bias=not batch_norm)
        self.norm = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        self.relu = nn.ReLU()

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch width new_height new_width"]:
        """Rectified responses, one map per output channel."""
        if self.stride > 1:
            images = pad_same(images, self.kernel, self.stride)
        return self.relu(self.norm(self.conv(images)))


class MaxPool(nn.Module):
    """3×3 max pooling, stride 2, padded at the far edges first (as TensorFlow's ``SAME``)."""

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel half_height half_width"]:
        """The largest of each 3×3 window."""
        (top, _), (left, _) = same_padding(images.shape[-2], 3, 2), same_padding(images.shape[-1], 3, 2)
        # A position beyond the far edge has no value in ceil_mode, so nothing has to be copied to pad by one there.
        return F.max_pool2d(images, 3, 2, padding=(top, left), ceil_mode=True)


class BranchPool(nn.Module):
    """3×3 max pooling, stride 1: the first half of a mixed layer's pool branch."""

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """The largest of each 3×3 window, same size as the input."""
        return F.max_pool2d(images, 3, 1, padding=1)


class Concatenate(nn.Module):
    """Joins the branches of a mixed layer along the channel axis."""

    def forward(self, *branches: Float[Tensor, "batch _ height width"]) -> Float[Tensor, "batch all height width"]:
        """The branches, one after the other, in the order of ``BRANCHES``."""
        return torch.cat(branches, dim=1)


class Inception(nn.Module, Branched):
    """A network of inception blocks built from an ``Architecture``.

    Args:
        architecture: ``FULL`` or ``MINI``, or your own.
        batch_norm: Put batch normalisation between convolution and rectifier. For training only;
            ``fold_batch_norm`` removes it.

    Inputs are images in [0, 1], ``(batch, 3, height, width)``; outputs are logits ``(batch, classes)``. Images need not
    have ``architecture.image_size``: the classifier reads the mean over all positions, however many there are.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, architecture: Architecture, *, batch_norm: bool = False):
        super().__init__()
        self.architecture = architecture
        self.batch_norm = batch_norm
        self.register_buffer("mean", torch.tensor(architecture.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(architecture.scale).view(1, 3, 1, 1), persistent=False)
        width = 3
        for step in architecture.steps:
            width = self._add(step, width)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.add_module(architecture.classifier, nn.Linear(width, architecture.classes))

    def _add(self, step: Step, inputs: int) -> int:
        """Register the modules of one step; return the channels it puts out."""
        match step:
            case Pool():
                self.add_module(step.name, MaxPool())
                return inputs
            case Normalization():
                self.add_module(step.name, local_response_norm())
                return inputs
            case Convolution():
                self._add_convolution(step.name, inputs, step.width, step.kernel, step.stride)
                return step.width
            case Mixed():
                self._add_convolution(f"{step.name}_1x1", inputs, step.one, 1)
                self._add_convolution(f"{step.name}_3x3_bottleneck", inputs, step.three_bottleneck, 1)
                self._add_convolution(f"{step.name}_3x3", step.three_bottleneck, step.three, 3)
                self._add_convolution(f"{step.name}_5x5_bottleneck", inputs, step.five_bottleneck, 1)
                self._add_convolution(f"{step.name}_5x5", step.five_bottleneck, step.five, 5)
                self.add_module(f"{step.name}_pool", BranchPool())
                self._add_convolution(f"{step.name}_pool_reduce", inputs, step.pool_reduce, 1)
                self.add_module(step.name, Concatenate())
                return step.width

    def _add_convolution(self, name: str, inputs: int, width: int, kernel: int, stride: int = 1) -> None:
        self.add_module(name, ConvolutionLayer(inputs, width, kernel, stride, batch_norm=self.batch_norm))

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch classes"]:
        """Logits of a batch of images in [0, 1]."""
        hidden = (images - self.mean) * self.scale
        for step in self.architecture.steps:
            hidden = self._mixed(step, hidden) if isinstance(step, Mixed) else self._part(step.name)(hidden)
        return self._part(self.architecture.classifier)(self.avgpool(hidden).flatten(1))

    def _part(self, name: str) -> nn.Module:
        return self._modules[name]  # type: ignore[return-value]

    def _mixed(
        self, step: Mixed, hidden: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch all height width"]:
        """One inception block: four branches side by side, concatenated."""
        outputs = []
        for chain in step.chains:
            output = hidden
            for name in chain:
                output = self._part(name)(output)
            outputs.append(output)
        return self._part(step.name)(*outputs)

    def branches(self, layer: str) -> Branches | None:
        """The four branches of a mixed layer; a convolution is a single one."""
        before = dict(pairwise(step.name for step in reversed(self.architecture.steps)))
        step = next((step for step in self.architecture.steps if step.name == layer), None)
        if type(self) is not Inception or layer not in before or not isinstance(step, Mixed | Convolution):
            return None
        joined = isinstance(step, Convolution) or type(self._part(layer)) is Concatenate
        last = [self._part(chain[-1]) for chain in step.chains]
        intact = joined and all(type(part) is ConvolutionLayer and selectable(part) for part in last)
        return Branches(before[layer], step.chains) if intact else None

    def convolution_layers(self) -> Iterator[tuple[str, ConvolutionLayer]]:
        """Names and modules of every convolution, in order."""
        for name, module in self.named_children():
            if isinstance(module, ConvolutionLayer):
                yield name, module


def fold_batch_norm(network: Inception) -> Inception:
    """The same function with every batch normalisation folded into the convolution before it.

    With running mean m, variance v, gain g and shift b, ``g (Wx - m) / sqrt(v + eps) + b`` is one
    convolution with weights ``W g / sqrt(v + eps)`` and bias ``b - m g / sqrt(v + eps)``.

    Args:
        network: An ``Inception`` with ``batch_norm=True``; it is left as it was.

    Returns:
        An eval-mode ``Inception`` without batch normalisation.

    Raises:
        ValueError: The network has no batch normalisation to fold.
    """
    if not network.batch_norm:
        raise ValueError("network: there is no batch normalisation to fold; build it with batch_norm=True")
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, then replaced
        folded = Inception(network.architecture, batch_norm=False)
    classifier = network.architecture.classifier
    folded._part(classifier).load_state_dict(network._part(classifier).state_dict())
    for (_, source), (_, target) in zip(network.convolution_layers(), folded.convolution_layers(), strict=True):
        target.conv.load_state_dict(_folded(source.conv, source.norm))
    return folded.eval()


def _folded(convolution: nn.Conv2d, norm: nn.Module) -> dict[str, Tensor]:
    """State of the one convolution that does both; computed in float64."""
    values = {key: value.double() for key, value in norm.state_dict().items()}
    gain = values["weight"] / torch.sqrt(values["running_var"] + norm.eps)
    weight = convolution.weight.detach().double() * gain.view(-1, 1, 1, 1)
    return {"weight": weight.float(), "bias": (values["bias"] - values["running_mean"] * gain).float()}
