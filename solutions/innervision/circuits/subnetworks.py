"""Is this the whole circuit, and nothing but the circuit? Networks with only some edges left, and their score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from math import comb

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from innervision.circuits.edges import the_convolution

Circuit = Mapping[str, Bool[Tensor, "outputs inputs"]]
"""Convolution → which of its edges belong to the circuit: row, the channel an edge leads to; column, where it comes
from. A convolution that is not named stays whole."""

Behaviour = Callable[[], float]
"""Runs the network, and says in one number how well it does what the circuit is for."""


@contextmanager
def keep_only(model: nn.Module, circuit: Circuit) -> Iterator[nn.Module]:
    """Inside this block only the edges of a circuit carry anything; all other edges of its convolutions carry nothing.

    Args:
        model: A network in eval mode. Afterwards it is as it was, also after an error.
        circuit: The edges that stay.

    Yields:
        The model.

    Raises:
        ValueError: A convolution does not exist, or its mask has another shape than its channels.

    Source:
        Cao, Sanh, Rush, "Low-complexity probing via finding subnetworks", 2021 (a mask over weights).
    """
    with ExitStack() as stack:
        for name, layer in masked_convolutions(model, circuit).items():
            stack.callback(setattr, layer.weight, "data", layer.weight.data)
            layer.weight.data = layer.weight.data * circuit[name][:, :, None, None].to(layer.weight)
        yield model


def masked_convolutions(model: nn.Module, circuit: Circuit) -> dict[str, nn.Conv2d]:
    """The convolutions that a circuit names.

    Raises:
        ValueError: One does not exist, or its mask has another shape than its channels.
    """
    layers = {name: the_convolution(model, name) for name in circuit}
    for name, layer in layers.items():
        if tuple(circuit[name].shape) != (layer.out_channels, layer.in_channels):
            rule = f"({layer.out_channels}, {layer.in_channels})"
            raise ValueError(f"circuit: the mask of '{name}' has shape {tuple(circuit[name].shape)}; give {rule}")
    return layers


def behaviour_of(model: nn.Module, images: Float[Tensor, "batch 3 height width"], target: int) -> Behaviour:
    """The mean of one of the network's outputs over some images, as a number to measure circuits by."""

    def measured() -> float:
        with torch.no_grad():
            return float(model(images)[:, target].mean())

    return measured


def nothing_and_whole(model: nn.Module, circuit: Circuit, behaviour: Behaviour) -> tuple[float, float]:
    """The behaviour without any edge in a circuit's convolutions, and with all.

    Raises:
        ValueError: They are the same.
    """
    with keep_only(model, {name: torch.zeros_like(mask) for name, mask in circuit.items()}):
        nothing = behaviour()
    whole = behaviour()
    if whole == nothing:
        raise ValueError("behaviour: is the same without any edge; measure what depends on these convolutions")
    return nothing, whole


def faithfulness(model: nn.Module, circuit: Circuit, behaviour: Behaviour) -> float:
    """Which share of the behaviour does the circuit show all by itself?

    Args:
        model: A network in eval mode.
        circuit: The edges that stay.
        behaviour: What is measured, for example ``behaviour_of(model, images, target)``.

    Returns:
        (circuit − nothing) / (whole network − nothing), where nothing is the network with no edge left in the circuit's
        convolutions: 1 if the circuit does it all, 0 if it does no more than nothing, above 1 if the rest hinders it.

    Raises:
        ValueError: The whole network shows no behaviour; or as ``keep_only``.

    Source:
        Wang et al., "Interpretability in the wild", 2022, section 4; as a share, Marks et al., "Sparse feature
        circuits", 2024.
    """
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    with keep_only(model, circuit):
        return (behaviour() - nothing) / (whole - nothing)


def completeness(model: nn.Module, circuit: Circuit, behaviour: Behaviour) -> float:
    """Is nothing of the behaviour left when the circuit is taken out?

    Args:
        model: A network in eval mode.
        circuit: The edges that are taken out.
        behaviour: What is measured.

    Returns:
        1 minus the faithfulness of all other edges: 1 if nothing is left, 0 if the network does as well without.

    Raises:
        ValueError: As ``faithfulness``.

    Source:
        Wang et al., "Interpretability in the wild", 2022, section 4, who compare after taking out any part of the
        circuit; this is their test for the circuit as a whole.
    """
    return 1 - faithfulness(model, {name: ~mask for name, mask in circuit.items()}, behaviour)


def minimal_circuit(
    model: nn.Module, scores: Mapping[str, Float[Tensor, "outputs inputs"]], behaviour: Behaviour, share: float = 0.95
) -> dict[str, Bool[Tensor, "outputs inputs"]]:
    """A small circuit that keeps a share of the behaviour: edges are taken out, weakest first, while it does.

    What is guaranteed: the circuit keeps the share; and when edges were tried for the last time, none could go without
    losing it. What is not: that no smaller circuit does. Each round tries every edge that is left.

    Args:
        model: A network in eval mode.
        scores: Convolution → how much each edge matters, for example by ``edge_attribution``; only their order counts.
        behaviour: What is kept.
        share: Least faithfulness, above 0.

    Returns:
        Convolution → edges that stay.

    Raises:
        ValueError: As ``faithfulness``.
    """
    circuit = {name: torch.ones_like(score, dtype=torch.bool) for name, score in scores.items()}
    order = sorted(edges_of(circuit), key=lambda edge: float(scores[edge[0]][edge[1:]].abs()))
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    before: list[tuple[str, int, int]] = []
    while order != before:
        before = order
        for name, *edge in order:
            circuit[name][tuple(edge)] = False
            with keep_only(model, circuit):
                circuit[name][tuple(edge)] = (behaviour() - nothing) / (whole - nothing) < share
        order = [edge for edge in order if circuit[edge[0]][edge[1:]]]
    return circuit


def edges_of(circuit: Circuit) -> list[tuple[str, int, int]]:
    """The edges of a circuit as a list: convolution, channel it leads to, channel it comes from."""
    return [(name, *edge) for name, mask in circuit.items() for edge in map(tuple, mask.nonzero().tolist())]


def branch_specialization(family: int, in_branch: int, branch: int, layer: int) -> float:
    """How likely is it that so many of a family lie in one branch, if channels were dealt out at random?

    Args:
        family: Channels in the family.
        in_branch: How many of them are in the branch.
        branch: Channels in the branch.
        layer: Channels in the layer.

    Returns:
        The hypergeometric tail: the probability of ``in_branch`` or more.

    Raises:
        ValueError: A part is larger than its whole, or below 0.

    Example:
        >>> f"{branch_specialization(family=30, in_branch=30, branch=96, layer=480):.1e}"  # curves of mixed3b, in 5×5
        '1.7e-23'

    Source:
        Voss et al., "Branch specialization", Distill 2021, which gives < 1e-20 for these 30 of mixed3b.
    """
    check_parts(family, in_branch, branch, layer)
    ways = sum(comb(branch, k) * comb(layer - branch, family - k) for k in range(in_branch, min(family, branch) + 1))
    return ways / comb(layer, family)


def check_parts(family: int, in_branch: int, branch: int, layer: int) -> None:
    """Refuse parts that are larger than their whole."""
    if not 0 <= in_branch <= min(family, branch) or max(family, branch) > layer:
        numbers = f"{in_branch} of {family} in a branch of {branch}, in a layer of {layer}"
        raise ValueError(f"in_branch: {numbers}; a part cannot be larger than its whole")
