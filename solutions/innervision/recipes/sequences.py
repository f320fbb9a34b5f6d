"""What the recipes of transformers share: the loss of the next token, and the pace of learning."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from innervision.training import Batch

WARM_UP_SHARE = 0.1
"""The share of a run in which the learning rate rises."""


def surprises(network: nn.Module, sequences: Int[Tensor, "batch length"]) -> Float[Tensor, "batch later"]:
    """How surprised a network is at every token but the first, in nats."""
    return F.cross_entropy(network(sequences[:, :-1]).transpose(1, 2), sequences[:, 1:], reduction="none")


def next_token_loss(network: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Mean surprise, in nats, at every token but the first of the sequences that a batch holds."""
    return F.cross_entropy(network(batch[0][:, :-1]).flatten(0, 1), batch[0][:, 1:].flatten())


def one_cycle(
    network: nn.Module, peak: float, weight_decay: float, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW, whose learning rate rises to its peak over ``WARM_UP_SHARE`` of the steps and then falls to nearly 0."""
    optimizer = torch.optim.AdamW(network.parameters(), peak, weight_decay=weight_decay)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=steps, pct_start=WARM_UP_SHARE)
    return optimizer, scheduler
