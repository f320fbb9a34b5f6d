"""Words as vectors: counts of neighbours, their information, and analogies."""

import math

import pytest
import torch

from innervision.learning.word_vectors import analogy, neighbour_counts, pmi_vectors


def test_neighbours_are_counted_on_both_sides():
    counts = neighbour_counts(torch.tensor([0, 1, 2, 0]), 3, window=2)
    assert counts.tolist() == [[0, 2, 2], [2, 0, 1], [2, 1, 0]]


def test_counting_agrees_with_a_plain_loop():
    tokens = torch.randint(0, 6, (80,), generator=torch.Generator().manual_seed(0))
    counts = torch.zeros(6, 6)
    for place, word in enumerate(tokens.tolist()):
        for other in range(max(0, place - 3), min(80, place + 4)):
            if other != place:
                counts[word, tokens[other]] += 1
    assert torch.equal(neighbour_counts(tokens, 6, window=3), counts)


def test_a_window_longer_than_the_text_is_the_whole_text():
    assert neighbour_counts(torch.tensor([0, 1]), 2, window=9).tolist() == [[0, 1], [1, 0]]


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match=r"^window: 0 is below 1$"):
        neighbour_counts(torch.tensor([0]), 1, window=0)
    with pytest.raises(ValueError, match=r"^tokens: from 0 to 3; the vocabulary has 0 to 2$"):
        neighbour_counts(torch.tensor([0, 3]), 3, window=1)


def test_with_all_columns_the_squares_of_information_are_there():
    counts = torch.rand(5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    counts = counts + counts.T
    share = counts / counts.sum()
    information = torch.tensor(
        [[max(0.0, math.log(share[a, b] / (share[a].sum() * share[b].sum()))) for b in range(5)] for a in range(5)],
        dtype=torch.float64,
    )
    vectors = pmi_vectors(counts, 5)
    # left S leftᵀ is the root of the symmetric table's square.
    torch.testing.assert_close((vectors @ vectors.T) @ (vectors @ vectors.T), information @ information)


def test_words_with_the_same_neighbours_get_the_same_vector():
    counts = torch.tensor([[0, 0, 5, 1], [0, 0, 5, 1], [5, 5, 0, 9], [1, 1, 9, 0]]).float()
    vectors = pmi_vectors(counts, 2)
    torch.testing.assert_close(vectors[0], vectors[1])
    assert vectors.isfinite().all()


@pytest.mark.parametrize(
    ("counts", "width", "message"),
    [
        (torch.ones(2, 3), 1, r"counts: shape \(2, 3\) is not \(words, words\)"),
        (torch.ones(2, 2), 3, "width: 3 is not from 1 to 2, the number of words"),
        (torch.tensor([[1.0, 0.0], [0.0, 0.0]]), 1, "counts: word 1 stands beside no other; leave it out"),
    ],
)
def test_counts_without_vectors_are_refused(counts, width, message):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        pmi_vectors(counts, width)


def test_a_square_of_words_is_closed():
    corners = torch.tensor([[1.0, 0, 1], [1, 1, 1], [-1, 0, 1], [-1, 1, 1], [0, -1, 0]])
    assert analogy(corners, 0, 1, 2) == [3]
    assert analogy(corners * torch.tensor([[1.0], [20], [3], [0.1], [50]]), 0, 1, 2) == [3]  # lengths do not matter


def test_the_words_of_the_question_are_no_answers():
    vectors = torch.eye(5)
    assert set(analogy(vectors, 0, 1, 2, count=2)) == {3, 4}
