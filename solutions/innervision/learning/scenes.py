"""A little language in which some combinations were never said: coloured shapes, and a question.

A scene names three objects, each a colour and a shape, all colours different: ``red ring blue star green cross``. Then
it asks for the shape of one colour. Nine tokens: three pairs, a question mark, a colour, and its shape.

Some pairs of colour and shape are withheld: no sentence of the training ever holds them. Each colour and each shape is
known well, from other pairs. Whoever answers by counting what stood beside what has never seen the right answer;
whoever looks the answer up in the scene has no trouble.

Source: the question is that of Fodor and Pylyshyn, "Connectionism and cognitive architecture", 1988, tested on networks
by Lake and Baroni, "Generalization without systematicity", 2018. The language is ours.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
from torch import Tensor

COLORS = ("red", "orange", "yellow", "green", "blue", "violet", "white", "black")
SHAPES = ("ring", "star", "cross", "square", "moon", "arrow", "heart", "drop")
WORDS = (*COLORS, *SHAPES, "?")
VOCABULARY = len(WORDS)
OBJECTS = 3
LENGTH = 2 * OBJECTS + 2
"""Tokens that a network reads; its answer comes at the last of them."""
WITHHELD_PER_COLOR = 2


def withheld_pairs(seed: int) -> Bool[Tensor, "colors shapes"]:
    """Which pairs a run never sees: two shapes of each colour, and two colours of each shape.

    Args:
        seed: Of the run; other seeds withhold other pairs.
    """
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randperm(len(COLORS), generator=generator) for _ in range(2))
    ring = torch.arange(len(COLORS))
    withheld = torch.zeros(len(COLORS), len(SHAPES), dtype=torch.bool)
    for step in range(WITHHELD_PER_COLOR):
        withheld[rows, columns[(ring + step) % len(SHAPES)]] = True
    return withheld


def random_scenes(
    scenes: int, allowed: Bool[Tensor, "colors shapes"], generator: torch.Generator
) -> Int[Tensor, "scenes position"]:
    """Scenes of allowed pairs, with a question and its answer; every choice is equally likely.

    Args:
        scenes: How many, ≥ 1.
        allowed: Which pairs may occur; each colour has at least one shape.
        generator: Draws objects and questions.

    Returns:
        Nine tokens each: colour, shape, colour, shape, colour, shape, ``?``, a colour of these, its shape.

    Raises:
        ValueError: A number is below 1, or a colour has no shape.
    """
    if scenes < 1:
        raise ValueError(f"scenes: {scenes} is below 1")
    if not allowed.any(dim=1).all():
        raise ValueError(f'allowed: "{COLORS[int((~allowed.any(dim=1)).nonzero()[0])]}" has no shape')
    colors = torch.rand(scenes, len(COLORS), generator=generator).argsort(dim=1)[:, :OBJECTS]
    shapes = torch.multinomial(allowed.float()[colors].flatten(0, 1), 1, generator=generator).view(scenes, OBJECTS)
    asked = torch.randint(0, OBJECTS, (scenes, 1), generator=generator)
    return written(colors, shapes, asked)


def with_withheld_pair(
    scenes: int, withheld: Bool[Tensor, "colors shapes"], generator: torch.Generator
) -> Int[Tensor, "scenes position"]:
    """Scenes in which one object is of a withheld pair, and the question is for it; the others were all seen.

    Args:
        scenes: How many, ≥ 1.
        withheld: Which pairs were never seen.
        generator: Draws objects.
    """
    found = random_scenes(scenes, ~withheld, generator)
    shapes = torch.multinomial(withheld.float()[found[:, -2]], 1, generator=generator) + len(COLORS)
    place = (found[:, : 2 * OBJECTS : 2] == found[:, -2:-1]).long().argmax(dim=1, keepdim=True)
    return found.scatter(1, 2 * place + 1, shapes).scatter(1, torch.full_like(place, LENGTH), shapes)


def written(
    colors: Int[Tensor, "scenes objects"], shapes: Int[Tensor, "scenes objects"], asked: Int[Tensor, "scenes 1"]
) -> Int[Tensor, "scenes position"]:
    """Scenes as tokens: the objects, the question for one of them, and its answer."""
    pairs = torch.stack([colors, shapes + len(COLORS)], dim=2).flatten(1)
    question = F.pad(colors.gather(1, asked), (1, 0), value=VOCABULARY - 1)
    return torch.cat([pairs, question, shapes.gather(1, asked) + len(COLORS)], dim=1)


def spelled(scene: Int[Tensor, " position"]) -> str:
    """A scene in words."""
    return " ".join(WORDS[token] for token in scene.tolist())
