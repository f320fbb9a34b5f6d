"""Files of weights: read without executing anything in them, and fitted to a network."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from innervision.data.cache import DataError

State = dict[str, Tensor]
"""A state dict: names of parameters and buffers with their values."""


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_state(path: Path, origin: str | Path | None = None) -> State:
    """The state dict in a file.

    Args:
        path: ``.safetensors``, or a state dict saved by torch; code in it is never executed.
        origin: What to call the file in errors; by default its path.

    Raises:
        DataError: There is no such file, it is damaged, or it holds something else.
    """
    origin = origin or path
    if not path.is_file():
        raise DataError(f"weights: there is no file {origin}")
    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError, OSError) as error:
        raise DataError(f"weights: {origin} cannot be read as weights; it is damaged or of another kind") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(f"weights: {origin} holds no state dict, that is names with their tensors")
    return dict(state)


def check_state(state: State, network: nn.Module, name: str, origin: str | Path) -> State:
    """A state dict, checked: every key there, none too many, every shape right, every number finite.

    Args:
        state: Under the network's own keys.
        network: The one that the state is meant for; it is left as it is.
        name: The network's name, for errors.
        origin: Where the state comes from, for errors.

    Returns:
        The same state.

    Raises:
        DataError: The state does not fit; the first difference is named.
    """
    wanted = network.state_dict()
    start, end = f"weights: {origin}", f'these are not weights of "{name}"'
    for problem, keys in (("lacks", wanted.keys() - state.keys()), ("has the unknown", state.keys() - wanted.keys())):
        if keys:
            others = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            raise DataError(f'{start} {problem} parameter "{min(keys)}"{others}; {end}')
    for key, value in wanted.items():
        if state[key].shape != value.shape:
            shapes = f"shape {tuple(state[key].shape)}, expected {tuple(value.shape)}"
            raise DataError(f'{start} has "{key}" of {shapes}; {end}')
        if not state[key].isfinite().all():
            raise DataError(f'{start} has numbers in "{key}" that are not finite')
    return state
