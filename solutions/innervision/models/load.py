"""Ready-made networks by name: ``load("mini")``.

Weights that ship with the package lie in ``models/weights``; ``weights.toml`` says of each how it was made and what its
SHA-256 is, and no weights are used that do not match it.
"""

from __future__ import annotations

import difflib
import hashlib
import pickle
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from innervision.models.inception import FULL, MINI, Inception

NETWORKS = {"mini": MINI, "inceptionv1": FULL}
"""The architecture of every name that ``load`` knows."""

WEIGHTS_FOLDER = Path(__file__).parent / "weights"

_AUXILIARY = re.compile(r"(head|nn|softmax)[01]_")


def load(name: str, *, weights: str | Path | None = None, device: str | torch.device = "cpu") -> Inception:
    """A trained network in eval mode, its parameters frozen.

    Args:
        name: One of ``NETWORKS``: "mini" ships with the package, "inceptionv1" needs ``weights``.
        weights: A local file: ``.safetensors``, or a state dict saved by torch (read without executing anything in
            it). Its keys are either ours (``mixed3a_1x1.conv.weight``) or those under which InceptionV1 is published
            for torch (``mixed3a_1x1_pre_relu_conv.weight``); the published auxiliary heads are ignored.
        device: Where the network shall live.

    Returns:
        A network from images in [0, 1], ``(batch, 3, height, width)``, to logits.

    Raises:
        ValueError: The name is unknown, or the weights are missing, damaged, or of another network.

    Source: inception5h.pth (ProGamerGov/pytorch-old-tensorflow-models) for the published layout.
    """
    if name not in NETWORKS:
        raise ValueError(_unknown(name))
    state = _packaged(name) if weights is None else _read(Path(weights))
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, then replaced: the caller's seed stays untouched
        network = Inception(NETWORKS[name])
    network.load_state_dict(_fitting(state, network, name, weights))
    return network.requires_grad_(False).eval().to(device)


def provenance(name: str, folder: Path = WEIGHTS_FOLDER) -> dict[str, Any]:
    """What ``weights.toml`` records of packaged weights: command, seed, data and file hashes, what was measured.

    Args:
        name: A network whose weights ship with the package.
        folder: Where ``weights.toml`` and the weights lie.

    Raises:
        ValueError: No weights of that name ship with the package.
    """
    if name not in NETWORKS:
        raise ValueError(_unknown(name))
    catalogue = folder / "weights.toml"
    entries = tomllib.loads(catalogue.read_text(encoding="utf-8")) if catalogue.exists() else {}
    if name not in entries:
        raise ValueError(f'weights: none ship for "{name}"; pass weights=PATH, a local file in the published layout')
    return entries[name]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unknown(name: str) -> str:
    known = ", ".join(f'"{network}"' for network in NETWORKS)
    close = difflib.get_close_matches(str(name).lower(), NETWORKS, n=1)
    return f'name: there is no network "{name}"; known are {known}' + (f'; did you mean "{close[0]}"?' if close else "")


def _packaged(name: str) -> dict[str, Tensor]:
    record = provenance(name, WEIGHTS_FOLDER)
    path = WEIGHTS_FOLDER / record["file"]
    if not path.exists():
        raise ValueError(f"weights: {path} is missing; reinstall innervision")
    stat = path.stat()
    if _sha256_once(path, stat.st_size, stat.st_mtime_ns) != record["sha256"]:
        raise ValueError(f"weights: {path} is not the file that weights.toml describes; reinstall innervision")
    return _read(path)


@cache
def _sha256_once(path: Path, size: int, modified: int) -> str:
    """The hash of a file, computed once a process unless size or time of change differ."""
    return file_sha256(path)


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ValueError(f"weights: there is no file {path}")
    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError, OSError) as error:
        raise ValueError(f"weights: {path} cannot be read as weights; it is damaged or of another kind") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"weights: {path} holds no state dict, that is names with their tensors")
    return state


def _our_key(key: str) -> str:
    """The published name of a parameter as ours."""
    return key.replace("_pre_relu_conv.", ".conv.").replace("_pre_activation_matmul.", "_pre_activation.")


def _fitting(state: dict[str, Tensor], network: Inception, name: str, weights: str | Path | None) -> dict[str, Tensor]:
    """The state under our keys, checked: every key there, none too many, every shape right, every number finite."""
    wanted = network.state_dict()
    found = {_our_key(key): value for key, value in state.items() if not _AUXILIARY.match(key)}
    origin = f"weights: {weights or name}"
    for problem, keys in (("lacks", wanted.keys() - found.keys()), ("has the unknown", found.keys() - wanted.keys())):
        if keys:
            first = min(keys)
            others = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            raise ValueError(f'{origin} {problem} parameter "{first}"{others}; these are not weights of "{name}"')
    for key, value in wanted.items():
        if found[key].shape != value.shape:
            shapes = f"shape {tuple(found[key].shape)}, expected {tuple(value.shape)}"
            raise ValueError(f'{origin} has "{key}" of {shapes}; these are not weights of "{name}"')
        if not found[key].isfinite().all():
            raise ValueError(f'{origin} has numbers in "{key}" that are not finite')
    return found
