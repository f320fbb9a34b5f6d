"""How much a call multiplies: what it costs whatever else the machine does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Products(TorchDispatchMode):
    """Counts the multiplications of convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = function(*args, **kwargs or {})
        if function is torch.ops.aten.convolution.default:
            self.count += output.numel() * args[1][0].numel()
        return output


def products(call: Callable[[], object]) -> int:
    """Multiplications in the convolutions of what a call computes."""
    with Products() as counter:
        call()
    return counter.count
