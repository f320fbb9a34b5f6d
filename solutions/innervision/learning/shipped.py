"""Networks of the lessons on learning that ship with the package, and what they were while they were trained."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
from safetensors.torch import load_file
from torch import Tensor

from innervision.learning.board_game import SQUARES
from innervision.learning.scenes import LENGTH, VOCABULARY
from innervision.learning.transformer import Sizes, Transformer
from innervision.models.packaged import packaged, provenance, shipped_seed

MODULUS = 113
TRAINED_SHARE = 0.4
ADDING = Sizes(tokens=MODULUS + 1, answers=MODULUS, length=3, width=64, heads=4, blocks=1, neurons=256)
"""Sizes of the networks that add modulo 113."""

RIPPLE = Sizes(
    tokens=SQUARES + 1, answers=SQUARES, length=30, width=128, heads=4, blocks=3, neurons=512, normalized=True
)
"""Sizes of the network that plays Ripple. The token after those of the squares stands for the beginning."""

INDUCTION = Sizes(tokens=32, answers=32, length=64, width=64, heads=2, blocks=2)
"""Sizes of the networks that read repeated tokens: attention alone, twice."""

TEXT = Sizes(tokens=2048, answers=2048, length=64, width=96, heads=4, blocks=2, neurons=384, normalized=True)
"""Sizes of the network that reads the King James Bible, word by word."""

SCENES = Sizes(
    tokens=VOCABULARY, answers=VOCABULARY, length=LENGTH, width=64, heads=4, blocks=2, neurons=256, normalized=True
)
"""Sizes of the networks that read scenes of coloured shapes."""


@dataclass(frozen=True)
class AdditionRun:
    """Networks that learned to add modulo 113, from one run.

    Attributes:
        networks: By the number of steps they were trained for, rising. Frozen, in eval mode.
        trained: For each question of ``every_sum(113)``, whether the run was trained on it.
    """

    networks: dict[int, Transformer]
    trained: Bool[Tensor, " questions"]

    @property
    def last(self) -> Transformer:
        """The network at the end of the run."""
        return self.networks[max(self.networks)]


def split(seed: int, share: float = TRAINED_SHARE) -> Bool[Tensor, " questions"]:
    """Which questions of ``every_sum(113)`` a run is trained on; the others it never sees.

    Args:
        seed: Of the run.
        share: Of all questions, above 0 and below 1.
    """
    count = MODULUS**2
    chosen = torch.zeros(count, dtype=torch.bool)
    chosen[torch.randperm(count, generator=torch.Generator().manual_seed(seed))[: round(share * count)]] = True
    return chosen


def load_addition(seed: int = 0) -> AdditionRun:
    """A run of ``innervision train modular-addition``: for seed 0 states along the way, for 1 and 2 the last one.

    Args:
        seed: 0, 1 or 2.

    Raises:
        ValueError: No such run ships; or its file is missing, or another one.
    """
    name = f"modular-addition-{shipped_seed(seed, 'modular-addition')}"
    states: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for key, value in load_file(packaged(name)).items():
        after, _, parameter = key.partition("/")
        states[int(after)][parameter] = value
    networks = {}
    for steps in sorted(states):
        network = Transformer(ADDING, torch.Generator())
        network.load_state_dict(states[steps])
        networks[steps] = network.requires_grad_(False).eval()
    trained = split(seed)
    assert int(trained.sum()) == provenance(name)["trained_questions"]
    return AdditionRun(networks, trained)


def as_tokens(moves: Int[Tensor, "games moves"]) -> Int[Tensor, "games moves"]:
    """What the network of Ripple reads: the beginning, then all moves but the last."""
    return F.pad(moves[:, :-1], (1, 0), value=SQUARES)


def load_ripple() -> Transformer:
    """The network that learned Ripple from moves alone, frozen, in eval mode: ``innervision train ripple``.

    Raises:
        ValueError: Its file is missing, or another one.
    """
    return _loaded("ripple", RIPPLE)


def load_induction(seed: int = 0) -> Transformer:
    """A network of attention alone that read chains and repeated tokens: ``innervision train induction``.

    Args:
        seed: 0, 1 or 2.

    Raises:
        ValueError: No such network ships; or its file is missing, or another one.
    """
    return _loaded(f"induction-{shipped_seed(seed, 'induction')}", INDUCTION)


def load_scenes(seed: int = 0) -> Transformer:
    """A network that never read the pairs of ``withheld_pairs(seed)``: ``innervision train scenes``.

    Args:
        seed: 0, 1 or 2.

    Raises:
        ValueError: No such network ships; or its file is missing, or another one.
    """
    return _loaded(f"scenes-{shipped_seed(seed, 'scenes')}", SCENES)


def load_text_model() -> Transformer:
    """The network that read nine tenths of the King James Bible, word by word: ``innervision train text``.

    Raises:
        ValueError: Its file is missing, or another one.
    """
    return _loaded("text", TEXT)


def _loaded(name: str, sizes: Sizes) -> Transformer:
    network = Transformer(sizes, torch.Generator())
    network.load_state_dict(load_file(packaged(name)))
    return network.requires_grad_(False).eval()
