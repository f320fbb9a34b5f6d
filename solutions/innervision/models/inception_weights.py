"""Weights of InceptionV1: where they are published, and the names under which they are."""

from __future__ import annotations

import re
from pathlib import Path

from innervision.models.architectures import FULL, Architecture
from innervision.models.inception import Inception
from innervision.models.published import Source, read_published
from innervision.models.states import check_state, read_state

SOURCES = [
    Source(
        "https://github.com/ProGamerGov/pytorch-old-tensorflow-models/raw/master/inception5h.pth", "inception5h.pth"
    ),
    Source("https://pytorch.s3.amazonaws.com/models/captum/inception5h.pth", "inception5h-captum.pth"),
]
"""Where ``inception5h`` is published for torch; neither place states a hash. Source: lucent 0.1.8,
``modelzoo/inceptionv1/InceptionV1.py``; captum, branch ``optim-wip``."""

_AUXILIARY = re.compile(r"(head|nn|softmax)[01]_|aux[12]\.")
"""The two heads that only helped training, in either layout."""

_MIXED = re.compile(r"(mixed\d\w)\.(?:conv_)?(\w+)\.(weight|bias)")
_OUTSIDE = {"conv1": "conv2d0.conv", "conv2": "conv2d1.conv", "conv3": "conv2d2.conv", "fc": FULL.classifier}


def published_inceptionv1(cache: str | Path | None = None) -> Inception:
    """InceptionV1 with its published weights, from the cache or, the first time, from the network.

    Args:
        cache: Folder of downloaded weights; see ``cache_folder``.

    Raises:
        DataError: They cannot be fetched or kept, or are not what they should be.
    """
    return read_published(
        "inceptionv1", SOURCES, lambda path, origin: read_inception(FULL, "inceptionv1", path, origin), cache
    )


def read_inception(architecture: Architecture, name: str, path: Path, origin: str | Path) -> Inception:
    """A network with the weights of a local file, in our layout or in a published one.

    Args:
        architecture: What the weights are for.
        name: The network's name, for errors.
        path: The file.
        origin: What to call the file in errors.

    Raises:
        DataError: The file cannot be read, or holds other weights.
    """
    network = Inception(architecture)
    state = {our_key(key): value for key, value in read_state(path, origin).items() if not _AUXILIARY.match(key)}
    network.load_state_dict(check_state(state, network, name, origin))
    return network


def our_key(key: str) -> str:
    """A parameter's published name as ours; other names stay as they are.

    Args:
        key: A name in lucid's terms, as the weights were ported to torch (``mixed3a_1x1_pre_relu_conv.weight``), or in
            captum's (``mixed3a.conv_1x1.weight``).

    Source: ProGamerGov/pytorch-old-tensorflow-models, ``inception5h.py``; captum, branch ``optim-wip``,
    ``optim/models/_image/inception_v1.py``.
    """
    if inside := _MIXED.fullmatch(key):
        branch = inside[2].replace("_reduce", "_bottleneck").replace("pool_proj", "pool_reduce")
        return f"{inside[1]}_{branch}.conv.{inside[3]}"
    first, _, rest = key.partition(".")
    if first in _OUTSIDE:
        return f"{_OUTSIDE[first]}.{rest}"
    return key.replace("_pre_relu_conv.", ".conv.").replace("_pre_activation_matmul.", "_pre_activation.")
