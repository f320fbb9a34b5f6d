"""A network that has the same weights in the wrong places: what an attribution still shows there, it did not learn."""

from __future__ import annotations

import copy

import torch
from torch import nn

from innervision.activations import match_layers


def shuffle_weights(model: nn.Module, generator: torch.Generator, layers: str | list[str] | None = None) -> nn.Module:
    """A copy of a network whose weights changed places at random, each tensor of weights for itself.

    Every number is still there, so sizes and signs are as likely as before; what training arranged is gone. An
    attribution that looks the same on both networks explains the picture, not the network.

    Args:
        model: Any network; it is left as it is.
        generator: Draws the places; a generator of the CPU.
        layers: Names or patterns of the layers to shuffle, as in ``record``; by default all.

    Returns:
        The shuffled copy, in the mode (eval or training) of the original.

    Raises:
        ValueError: A layer does not exist.

    Source:
        Adebayo et al., "Sanity checks for saliency maps", 2018, section 3 (there new weights are drawn).
    """
    shuffled = copy.deepcopy(model)
    modules = dict(shuffled.named_modules())
    chosen = [shuffled] if layers is None else [modules[name] for name in match_layers(shuffled, layers)]
    parameters = {id(parameter): parameter for module in chosen for parameter in module.parameters()}
    with torch.no_grad():
        for parameter in parameters.values():
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return shuffled
