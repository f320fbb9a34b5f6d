"""n-grams: counted by plain loops, and as good as can be on texts whose rule is known."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.learning.ngrams import following_counts, ngram_loss, ngram_probability


def by_loops(text: list[int], context: tuple[int, ...], vocabulary: int, strength: float) -> list[float]:
    chances = [1 / vocabulary] * vocabulary
    for before in range(len(context) + 1):
        end = context[len(context) - before :]
        counts = Counter(text[i + before] for i in range(len(text) - before) if tuple(text[i : i + before]) == end)
        total = sum(counts.values()) + strength
        chances = [(counts[token] + strength * chances[token]) / total for token in range(vocabulary)]
    return chances


@pytest.mark.parametrize("before", [0, 1, 2, 3])
@pytest.mark.parametrize("strength", [0.1, 2.0])
def test_agrees_with_plain_loops(before: int, strength: float) -> None:
    generator = torch.Generator().manual_seed(before)
    text = torch.randint(5, (300,), generator=generator)
    contexts = torch.randint(5, (20, before), generator=generator)
    expected = [by_loops(text.tolist(), tuple(context), 5, strength) for context in contexts.tolist()]
    found = ngram_probability(text, contexts, 5, strength)
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-6, rtol=0)  # single precision
    torch.testing.assert_close(found.sum(dim=1), torch.ones(20))


def test_a_context_never_seen_says_what_its_end_says() -> None:
    text = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    unseen = ngram_probability(text, torch.tensor([[2, 2, 1]]), 4)
    torch.testing.assert_close(unseen, ngram_probability(text, torch.tensor([[1]]), 4))


def test_a_text_shorter_than_the_context() -> None:
    assert following_counts(torch.tensor([1, 2]), torch.tensor([[1, 2]]), 3).tolist() == [[0, 0, 0]]


def test_a_chain_is_known_by_pairs_and_no_better_by_triples() -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.rand(4, 4, generator=generator).pow(3)
    table /= table.sum(dim=1, keepdim=True)
    text = [0]
    for draw in torch.rand(20_000, generator=generator).tolist():
        text.append(int((table[text[-1]].cumsum(dim=0) < draw).sum().clamp(max=3)))
    train, test = torch.tensor(text[:15_000]), torch.tensor(text[15_000:])[None]
    surprise = -table.log()[test[0, :-1], test[0, 1:]].mean()
    losses = [float(ngram_loss(train, test, order, 4).mean()) for order in (1, 2, 3)]
    assert losses[0] > losses[1] + 0.05
    assert losses[1] == pytest.approx(float(surprise), abs=0.005)
    assert losses[2] == pytest.approx(float(surprise), abs=0.01)


def test_random_tokens_cannot_be_predicted_though_they_are_repeated() -> None:
    """The second half of each sequence is the first again: no count of neighbours in other sequences can know."""
    generator = torch.Generator().manual_seed(1)
    train = torch.randint(16, (20_000,), generator=generator)
    half = torch.randint(16, (50, 20), generator=generator)
    surprise = ngram_loss(train, torch.cat([half, half], dim=1), 3, 16)
    assert surprise.shape == (50, 38)
    assert float(surprise.mean()) > math.log(16) - 0.02


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: ngram_probability(torch.zeros(2, 3, dtype=torch.long), torch.zeros(1, 1, dtype=torch.long), 3),
            "tokens: shape (2, 3) is not (length,), one text",
        ),
        (
            lambda: ngram_probability(torch.tensor([0, 3]), torch.zeros(1, 1, dtype=torch.long), 3),
            "tokens: from 0 to 3; the vocabulary has 0 to 2",
        ),
        (
            lambda: ngram_probability(torch.tensor([0, 1]), torch.tensor([1]), 3),
            "contexts: shape (1,) is not (batch, before)",
        ),
        (lambda: ngram_probability(torch.tensor([0]), torch.tensor([[0]]), 3, 0), "strength: 0 is not above 0"),
        (
            lambda: ngram_loss(torch.tensor([0]), torch.tensor([[0, 1]]), 3, 3),
            "order: 3 is not from 1 to 2, the length of the sequences",
        ),
    ],
)
def test_refusals(call, sentence: str) -> None:
    with refuses(sentence):
        call()


def test_long_contexts_are_numbered_by_sorting_and_agree() -> None:
    generator = torch.Generator().manual_seed(4)
    text = torch.randint(3, (400,), generator=generator)
    contexts = torch.cat([text.unfold(0, 5, 1)[:10], torch.randint(3, (5, 5), generator=generator)])
    # 3 ** 5 numbers are few; with so many tokens that none but three occur, numbers to that base would not fit.
    few, many = following_counts(text, contexts, 3), following_counts(text, contexts, 10_000)
    assert 10_000**5 >= 2**63
    assert torch.equal(few, many[:, :3])
    assert int(many[:, 3:].sum()) == 0
