"""Do the methods for circuits find what was planted? Twenty random networks for each of several kinds of noise.

For each: how well edges are ranked, by attribution and by patching (area under the curve: 1 is perfect, 0.5 chance);
how much of the behaviour the true circuit shows alone, a random one of equal size, and the smallest that was found.
No times are taken. It takes about five minutes on one core; ``--networks`` makes it shorter.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from innervision.circuits import (
    Answer,
    Planted,
    behaviour_of,
    draw,
    edge_attribution,
    edge_patching,
    edges_of,
    faithfulness,
    minimal_circuit,
    plant,
    preferred_orientation,
    tuning_curve,
    written,
)
from innervision.data.stimuli import draw_curve, draw_line

SIZE = 26  # pixels: all that is drawn fits, with room for the kernels around it
STIMULUS = 29  # pixels, odd, so that a unit lies in the middle
CIRCUITS = {"circle": written.circle, "car": written.car, "head": written.head, "car_or_head": written.polysemantic}

METHODS = ("attribution, layer2", "attribution, layer3", "patching, layer2", "patching, layer3")
SHARES = (
    "faithfulness: true circuit",
    "faithfulness: random, of equal size",
    "faithfulness: smallest found",
    "edges in the smallest found / true edges",
)

Noise = Callable[[Tensor, Tensor], Tensor]
NOISES: Mapping[str, Noise] = {
    "a fifth of each channel's length": lambda weight, drawn: (
        0.2 * drawn * (weight.flatten(1).norm(dim=1) / drawn.flatten(1).norm(dim=1))[:, None, None, None]
    ),
    "a fifth of each weight": lambda weight, drawn: 0.2 * drawn * weight,
    "everywhere, a twentieth of the largest weight": lambda weight, drawn: 0.05 * drawn * _largest(weight),
    "everywhere, a fifth of the largest weight": lambda weight, drawn: 0.2 * drawn * _largest(weight),
}


def _largest(weight: Tensor) -> Tensor:
    return weight.abs().flatten(1).amax(dim=1)[:, None, None, None]


@dataclass(frozen=True)
class Case:
    """One planted network, a unit of it, and pictures of what that means."""

    network: Planted
    answer: Answer
    target: int
    truth: Mapping[str, Tensor]
    images: Tensor


def case(seed: int, noise: Noise) -> Case:
    """A random network that holds one of the four circuits."""
    generator = torch.Generator().manual_seed(seed)
    name = list(CIRCUITS)[seed % len(CIRCUITS)]
    turn = 180 * float(torch.rand((), generator=generator))
    circuit = CIRCUITS[name](turn) if name in ("circle", "car") else CIRCUITS[name]()
    network, answer = plant(circuit, generator, noise=0)
    with torch.no_grad():
        for weight in [parameter for parameter in network.parameters() if parameter.ndim == 4]:
            weight += noise(weight, torch.randn(weight.shape, generator=generator))
    images = torch.stack([draw(circuit, meaning, SIZE) for meaning in circuit[-1].means or (name,)])
    return Case(network, answer, answer.channels[name][1], answer.circuit_of(name), images)


def ranked(one: Case) -> list[float]:
    """Areas under the curve: two layers by attribution, two by patching."""
    blank, areas = torch.full_like(one.images, 0.5), []
    for score in (edge_attribution, lambda *given: edge_patching(*given, blank)):
        for name, edges in one.truth.items():
            found = score(one.network, one.images, name, one.target).abs()
            areas.append(roc_auc_score(edges.flatten(), found.flatten()))
    return areas


def shown(one: Case, seed: int, search: bool) -> list[float]:
    """Faithfulness of the truth and of a random circuit; then of the smallest, with its size beside the true one."""
    behaviour, generator = behaviour_of(one.network, one.images, one.target), torch.Generator().manual_seed(seed)
    orders = {name: torch.randperm(edges.numel(), generator=generator) for name, edges in one.truth.items()}
    random = {name: edges.flatten()[orders[name]].view_as(edges) for name, edges in one.truth.items()}
    shares = [faithfulness(one.network, circuit, behaviour) for circuit in (one.truth, random)]
    if not search:
        return shares
    scores = {name: edge_attribution(one.network, one.images, name, one.target) for name in one.truth}
    smallest = minimal_circuit(one.network, scores, behaviour)
    size = len(edges_of(smallest)) / len(edges_of(one.truth))
    return [*shares, faithfulness(one.network, smallest, behaviour), size]


def orientation_errors(networks: int, noise: Noise) -> list[float]:
    """Degrees between planted and recovered orientations: worst curve, worst line of each network."""
    errors, around = [], torch.arange(0.0, 360, 2)
    for seed in range(0, networks * len(CIRCUITS), len(CIRCUITS)):  # the seeds that plant a circle
        one = case(seed, noise)
        for layer, kind, period in (("layer2", "curve", 360), ("layer1", "line", 180)):
            names = [name for name in one.answer.angles if name.startswith(kind)]
            true = torch.tensor([one.answer.angles[name] for name in names]) + (90 if kind == "line" else 0)
            angles = around[around < period]
            line = draw_line(angles, size=STIMULUS)
            stimuli = line if kind == "line" else draw_curve(angles, written.RADIUS, size=STIMULUS)
            responses = tuning_curve(one.network, layer, stimuli)[[one.answer.channels[name][1] for name in names]]
            found = preferred_orientation(responses, angles * 360 / period) * period / 360
            apart = ((found - true + period / 2) % period - period / 2).abs()
            errors.append(float(apart.nan_to_num(period / 2).max()))  # none at all is the worst that can be
    return errors


def line(words: str, values: Tensor) -> str:
    """Mean and worst over networks."""
    low, high = values.min(), values.max()
    return f"  {words:44s} mean {values.mean():6.3f}   least {low:6.3f}   most {high:6.3f}"


def main() -> None:
    """Print a table for each kind of noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=20)
    networks = parser.parse_args().networks
    for number, (kind, noise) in enumerate(NOISES.items()):
        cases = [case(seed, noise) for seed in range(networks)]
        areas = torch.tensor([ranked(one) for one in cases])
        shares = torch.tensor([shown(one, seed, search=number == 0) for seed, one in enumerate(cases)])
        print(f"Noise: {kind}; {networks} networks")
        print(line("orientations, worst error (degrees)", torch.tensor(orientation_errors(networks, noise))))
        for method, column in zip(METHODS, areas.T, strict=True):
            print(line(f"edges by {method} (area)", column))
        for words, column in zip(SHARES, shares.T, strict=False):
            print(line(words, column))


if __name__ == "__main__":
    main()
