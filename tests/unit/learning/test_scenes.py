"""A language with pairs that are never said."""

import pytest
import torch

from innervision.learning.scenes import (
    COLORS,
    LENGTH,
    SHAPES,
    VOCABULARY,
    random_scenes,
    spelled,
    with_withheld_pair,
    withheld_pairs,
)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


def pairs_of(scenes):
    said = torch.zeros(len(COLORS), len(SHAPES), dtype=torch.bool)
    said[scenes[:, 0:6:2], scenes[:, 1:6:2] - len(COLORS)] = True
    return said


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_colour_and_every_shape_misses_two(seed):
    withheld = withheld_pairs(seed)
    assert (withheld.sum(dim=0) == 2).all()
    assert (withheld.sum(dim=1) == 2).all()
    assert torch.equal(withheld, withheld_pairs(seed))
    assert not torch.equal(withheld, withheld_pairs(seed + 1))


def test_scenes_say_all_allowed_pairs_and_no_other(generator):
    withheld = withheld_pairs(0)
    scenes = random_scenes(3000, ~withheld, generator)
    assert torch.equal(pairs_of(scenes), ~withheld)
    assert scenes.shape == (3000, LENGTH + 1)
    assert (scenes[:, 0:6:2].sort(dim=1).values.diff(dim=1) > 0).all()  # colours differ


def test_the_answer_is_the_shape_of_the_colour_asked_for(generator):
    for scene in random_scenes(50, ~withheld_pairs(0), generator).tolist():
        named = dict(zip(scene[0:6:2], scene[1:6:2], strict=True))
        assert scene[6] == VOCABULARY - 1
        assert named[scene[7]] == scene[8]


def test_a_withheld_pair_is_in_the_scene_and_is_asked_for(generator):
    withheld = withheld_pairs(1)
    scenes = with_withheld_pair(2000, withheld, generator)
    assert withheld[scenes[:, 7], scenes[:, 8] - len(COLORS)].all()
    assert torch.equal(pairs_of(scenes) & withheld, withheld)  # all of them come
    for scene in scenes[:50].tolist():
        named = list(zip(scene[0:6:2], scene[1:6:2], strict=True))
        assert dict(named)[scene[7]] == scene[8]
        assert sum(bool(withheld[color, shape - len(COLORS)]) for color, shape in named) == 1


def test_a_scene_in_words(generator):
    words = spelled(random_scenes(1, ~withheld_pairs(0), generator)[0]).split()
    assert (words[6], words[0] in COLORS, words[1] in SHAPES, len(words)) == ("?", True, True, 9)


def test_what_cannot_be_drawn_is_refused(generator):
    with pytest.raises(ValueError, match=r"^scenes: 0 is below 1$"):
        random_scenes(0, ~withheld_pairs(0), generator)
    allowed = torch.ones(8, 8, dtype=torch.bool)
    allowed[1] = False
    with pytest.raises(ValueError, match=r'^allowed: "orange" has no shape$'):
        random_scenes(3, allowed, generator)
