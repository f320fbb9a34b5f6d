"""From a trained network to weights that ship: fold, verify, measure, write, record."""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int64, UInt8
from safetensors.torch import save_file
from torch import Tensor, nn

from innervision.files import write_aside, write_text_aside
from innervision.models.architectures import Convolution, Mixed
from innervision.models.inception import Inception, fold_batch_norm
from innervision.models.states import file_sha256

TOLERANCE = 1e-4
"""Largest difference of a logit that folding may make."""

HEADER = """\
# What each file of weights is: how it was made and what was measured on it. Written by `innervision train NAME`.
"""

Images = UInt8[Tensor, "images 3 height width"]
Labels = Int64[Tensor, " images"]


def export(name: str, network: Inception, test: tuple[Images, Labels], into: Path, record: dict[str, Any]) -> dict:
    """Write ``NAME.safetensors`` and its entry in ``weights.toml``.

    Args:
        name: What ``load`` will call the network.
        network: As trained, with its batch normalisation; left as it was.
        test: Images and labels that accuracy and dead channels are measured on.
        into: Receives both files. Entries of other networks stay.
        record: What is known of the run: command, seed, data and so on.

    Returns:
        The entry: ``record`` and what was measured.

    Raises:
        ValueError: Folding changed a logit by more than ``TOLERANCE``; nothing was written.
    """
    folded, difference = folded_safely(network, test[0][:1000])
    dead, channels = dead_channels(folded, test[0])
    measured = {
        "test_images": len(test[0]),
        "accuracy": accuracy(folded, *test),
        "channels": channels,
        "dead_channels": dead,
        "folding_difference": difference,
    }
    parameters = sum(value.numel() for value in folded.state_dict().values())
    return write_weights(name, folded.state_dict(), into, {"parameters": parameters, **record, **measured})


def folded_safely(network: Inception, images: Images) -> tuple[Inception, float]:
    """The same function without batch normalisation, and by how much a logit of some images differs; two digits.

    Args:
        network: As trained; in eval mode afterwards, else left as it was.
        images: Whose logits are compared.

    Raises:
        ValueError: A logit differs by more than ``TOLERANCE``.
    """
    folded = fold_batch_norm(network.eval())
    difference = largest_difference(network, folded, images)
    if not difference <= TOLERANCE:
        raise ValueError(f"network: folding changes its logits by {difference:.1e}, more than {TOLERANCE:.0e}")
    return folded, float(f"{difference:.1e}")


def write_weights(name: str, state: Mapping[str, Tensor], into: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Write ``NAME.safetensors`` and its entry in ``weights.toml``.

    Args:
        name: What the weights will be called.
        state: What is written.
        into: Receives both files. Entries of others stay.
        record: What is known of the run, and what was measured.

    Returns:
        The entry: file, hash, size, the record, the date, and the release of torch.
    """
    weights = into / f"{name}.safetensors"
    written = {key: value.contiguous() for key, value in state.items()}
    write_aside(weights, lambda path: save_file(written, path))
    entry = {
        "file": weights.name,
        "sha256": file_sha256(weights),
        "bytes": weights.stat().st_size,
        **record,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "torch": str(torch.__version__),
    }
    write_entry(into / "weights.toml", name, entry)
    return entry


@torch.no_grad()
def largest_difference(one: nn.Module, other: nn.Module, images: Images) -> float:
    """Largest absolute difference of any logit of two networks on some images."""
    return max(float((one(part / 255) - other(part / 255)).abs().max()) for part in images.float().split(250))


@torch.no_grad()
def accuracy(network: nn.Module, images: Images, labels: Labels) -> float:
    """Share of images whose largest logit is their label, in [0, 1]."""
    network.eval()
    parts = zip(images.split(500), labels.split(500), strict=True)
    return sum(int((network(part.float() / 255).argmax(1) == truth).sum()) for part, truth in parts) / len(images)


@torch.no_grad()
def dead_channels(network: Inception, images: Images) -> tuple[int, int]:
    """How many channels answer nothing at any position of any image, and how many there are.

    Counted are the layers that the architecture lists: plain convolutions and the outputs of mixed layers.
    """
    layers = [step.name for step in network.architecture.steps if isinstance(step, Convolution | Mixed)]
    alive: dict[str, Tensor] = {}

    def note(name: str, output: Tensor) -> None:
        answered = (output > 0).flatten(2).any(2).any(0)
        alive[name] = alive[name] | answered if name in alive else answered

    modules = dict(network.named_children())
    hooks = [
        modules[name].register_forward_hook(lambda module, inputs, output, name=name: note(name, output))
        for name in layers
    ]
    try:
        for part in images.split(500):
            network(part.float() / 255)
    finally:
        for hook in hooks:
            hook.remove()
    answered = torch.cat(list(alive.values()))
    return int((~answered).sum()), len(answered)


def write_entry(catalogue: Path, name: str, entry: dict[str, Any]) -> None:
    """Put one network's entry into ``weights.toml``; the others stay."""
    entries = tomllib.loads(catalogue.read_text(encoding="utf-8")) if catalogue.exists() else {}
    entries[name] = entry
    # JSON's strings, integers and floats are TOML's too.
    tables = ("\n".join([f"[{key}]", *(f"{k} = {json.dumps(v)}" for k, v in e.items())]) for key, e in entries.items())
    write_text_aside(catalogue, HEADER + "".join(f"\n{table}\n" for table in tables))
