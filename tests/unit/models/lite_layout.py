"""Random weights in the layout in which EfficientNet-Lite is published for torch."""

from __future__ import annotations

import torch
from torch import Tensor

from innervision.models.efficientnet import LiteArchitecture

PublishedState = dict[str, Tensor]


def published_state(architecture: LiteArchitecture, generator: torch.Generator) -> PublishedState:
    """Every parameter under its name in ``efficientnet_pytorch``, drawn so that values neither vanish nor explode."""
    state: PublishedState = {}

    def convolution(name: str, *shape: int) -> None:
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5

    def norm(name: str, width: int) -> None:
        for key in ("weight", "running_var"):
            state[f"{name}.{key}"] = torch.rand(width, generator=generator) + 0.5
        for key in ("bias", "running_mean"):
            state[f"{name}.{key}"] = torch.randn(width, generator=generator) * 0.3
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    width, index = architecture.stem, 0
    convolution("_conv_stem", width, 3, 3, 3)
    norm("_bn0", width)
    for stage in architecture.stages:
        for _ in range(stage.blocks):
            name, hidden = f"_blocks.{index}", width * stage.expansion
            if stage.expansion > 1:
                convolution(f"{name}._expand_conv", hidden, width, 1, 1)
                norm(f"{name}._bn0", hidden)
            convolution(f"{name}._depthwise_conv", hidden, 1, stage.kernel, stage.kernel)
            norm(f"{name}._bn1", hidden)
            convolution(f"{name}._project_conv", stage.width, hidden, 1, 1)
            norm(f"{name}._bn2", stage.width)
            width, index = stage.width, index + 1
    convolution("_conv_head", architecture.head, width, 1, 1)
    norm("_bn1", architecture.head)
    state["_fc.weight"] = torch.randn(architecture.classes, architecture.head, generator=generator) * 0.1
    state["_fc.bias"] = torch.randn(architecture.classes, generator=generator) * 0.1
    return state
