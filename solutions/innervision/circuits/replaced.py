"""A circuit alone, while everything else goes on as it does on other images, in place of being silent.

Silence may be unlike anything that a network knows. An edge that carries what it usually carries says nothing about the
image at hand, and leaves the rest of the network as it is used to being.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from innervision.activations import Edit, edit
from innervision.circuits.edges import padding_of
from innervision.circuits.subnetworks import Behaviour, Circuit, keep_only, masked_convolutions

WAYS = ("mean", "resample")


@contextmanager
def replace_others(
    model: nn.Module,
    circuit: Circuit,
    images: Float[Tensor, "samples 3 height width"],
    how: str = "mean",
    *,
    generator: torch.Generator | None = None,
) -> Iterator[nn.Module]:
    """Inside this block the edges of a circuit carry what they should; all others what they carry on other images.

    As ``keep_only``, which lets the others carry nothing.

    Args:
        model: A network in eval mode. Afterwards it is as it was, also after an error.
        circuit: The edges that stay.
        images: The other images, in [0, 1], as large as those on which the model will run.
        how: ``"mean"``: at each position, what an edge carries there on average. ``"resample"``: for each image that
            the model runs on, and for each convolution, what its edges carry on one of the others, drawn at random.
        generator: Where resample draws from.

    Yields:
        The model.

    Raises:
        ValueError: ``how`` is neither, or resample lacks a generator; or as ``keep_only``.

    Source:
        Wang et al., "Interpretability in the wild", 2022, section 2 (mean); Chan et al., "Causal scrubbing", 2022
        (resampling).
    """
    if how not in WAYS:
        raise ValueError(f"how: '{how}' is none of 'mean', 'resample'")
    if how == "resample" and generator is None:
        raise ValueError("generator: is needed for 'resample'; give a torch.Generator")
    layers = masked_convolutions(model, circuit)
    elsewhere = _read(model, images, list(layers))
    edits = {}
    for name, layer in layers.items():
        others = layer.weight.data * ~circuit[name][:, :, None, None].to(layer.weight.device)
        carried = F.conv2d(elsewhere[name], others, None, layer.stride, padding_of(layer))
        edits[name] = _add_mean(carried) if generator is None or how == "mean" else _add_drawn(carried, generator)
    with keep_only(model, circuit), edit(model, edits):
        yield model


def replaced_faithfulness(
    model: nn.Module,
    circuit: Circuit,
    behaviour: Behaviour,
    images: Float[Tensor, "samples 3 height width"],
    how: str = "mean",
    *,
    generator: torch.Generator | None = None,
) -> float:
    """``faithfulness``, where what is left out is replaced by what it carries on other images.

    Args:
        model: A network in eval mode.
        circuit: The edges that stay.
        behaviour: What is measured.
        images: As ``replace_others``.
        how: As ``replace_others``.
        generator: As ``replace_others``.

    Returns:
        (circuit − nothing) / (whole network − nothing), where nothing is the network whose edges are all replaced in
        the circuit's convolutions.

    Raises:
        ValueError: Replacing all edges changes nothing; or as ``replace_others``.
    """
    with replace_others(
        model, {name: torch.zeros_like(mask) for name, mask in circuit.items()}, images, how, generator=generator
    ):
        nothing = behaviour()
    whole = behaviour()
    if whole == nothing:
        raise ValueError("behaviour: is the same with all edges replaced; measure what depends on these convolutions")
    with replace_others(model, circuit, images, how, generator=generator):
        return (behaviour() - nothing) / (whole - nothing)


def _read(model: nn.Module, images: Tensor, convolutions: Sequence[str]) -> dict[str, Tensor]:
    """What convolutions read on some images."""
    read: dict[str, Tensor] = {}

    def keep(name: str, given: Tensor) -> None:
        read[name] = given.clone()

    with ExitStack() as stack, torch.no_grad():
        for name in convolutions:
            layer = model.get_submodule(name)
            hook = layer.register_forward_pre_hook(lambda module, given, name=name: keep(name, given[0]))
            stack.callback(hook.remove)
        model(images)
    return read


def _add_mean(carried: Tensor) -> Edit:
    return lambda output: output + carried.mean(dim=0)


def _add_drawn(carried: Tensor, generator: torch.Generator) -> Edit:
    return lambda output: output + carried[torch.randint(len(carried), (len(output),), generator=generator)]
