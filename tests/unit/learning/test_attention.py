"""Attention patterns, the scores of heads, and heads taken away."""

import pytest
import torch
import torch.nn.functional as F

from innervision.activations import record
from innervision.learning import Sizes, Transformer
from innervision.learning.attention import (
    PERIODS,
    causal_attention,
    chains,
    induction_score,
    mixed_sequences,
    neighbour_table,
    previous_token_score,
    repeated_tokens,
    without_heads,
)

SIZES = Sizes(tokens=7, answers=7, length=12, width=8, heads=2, blocks=2)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def network(generator):
    return Transformer(SIZES, generator).requires_grad_(False)


def test_attention_is_what_torch_computes(generator):
    queries, keys, values = torch.randn(3, 2, 5, 9, 4, generator=generator, dtype=torch.float64)
    mixed = causal_attention(queries, keys) @ values
    torch.testing.assert_close(mixed, F.scaled_dot_product_attention(queries, keys, values, is_causal=True))


def test_nobody_looks_ahead_and_all_attention_is_given(generator):
    pattern = causal_attention(*torch.randn(2, 6, 3, generator=generator))
    assert torch.equal(pattern.triu(1), torch.zeros(6, 6))
    torch.testing.assert_close(pattern.sum(dim=1), torch.ones(6))


def test_a_head_that_only_copies_scores_one_whatever_the_period():
    for period in (1, 3, 5):
        pattern = torch.zeros(2, 1, 12, 12)
        later = torch.arange(period, 12)
        pattern[:, 0, later, later - period + 1] = 1.0
        assert induction_score(pattern, period).tolist() == [1.0]


def test_looking_at_the_same_token_or_one_too_far_is_no_induction():
    pattern = torch.zeros(1, 2, 12, 12)
    later = torch.arange(4, 12)
    pattern[0, 0, later, later - 4] = 1.0
    pattern[0, 1, later, later - 2] = 1.0
    assert induction_score(pattern, period=4).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("period", [0, 12])
def test_a_period_that_does_not_fit_is_refused(period):
    with pytest.raises(ValueError, match=rf"^period: {period} is not from 1 to 11, one less than the positions$"):
        induction_score(torch.zeros(1, 1, 12, 12), period)


def test_the_token_before():
    before = torch.eye(5).roll(-1, dims=1).tril()[None, None]  # row t looks at t - 1
    assert previous_token_score(before).item() == 1.0
    assert previous_token_score(torch.eye(5)[None, None]).item() == 0.0


def test_repeated_tokens_repeat(generator):
    tokens = repeated_tokens(4, 5, 3, 100, generator)
    assert tokens.shape == (4, 15)
    assert torch.equal(tokens[:, :10], tokens[:, 5:])
    assert len(tokens[:, :5].unique()) > 10


@pytest.mark.parametrize("place", range(4))
def test_fewer_than_one_is_refused(place, generator):
    given = [2, 2, 2, 2]
    given[place] = 0
    name = ("sequences", "period", "copies", "vocabulary")[place]
    with pytest.raises(ValueError, match=rf"^{name}: 0 is below 1$"):
        repeated_tokens(*given, generator)


def test_chains_follow_the_table(generator):
    table = neighbour_table(5)
    torch.testing.assert_close(table.sum(dim=1), torch.ones(5))
    tokens = chains(200, 100, 5, generator)
    counts = torch.zeros(5, 5).index_put((tokens[:, :-1].flatten(), tokens[:, 1:].flatten()), torch.ones(()), True)
    # 4,000 draws a row: a share is off by about 0.008.
    torch.testing.assert_close(counts / counts.sum(dim=1, keepdim=True), table, atol=0.04, rtol=0)


def test_half_of_the_mixture_comes_again(generator):
    tokens = mixed_sequences(20, 65, 32, generator)
    found = [next(period for period in range(1, 65) if torch.equal(row[period:], row[:-period])) for row in tokens[10:]]
    assert tokens.shape == (20, 65)
    assert PERIODS[0] <= min(found) < max(found) <= PERIODS[1]


def test_a_head_taken_away_adds_its_mean(network, generator):
    tokens = torch.randint(0, 7, (6, 12), generator=generator)
    usual = record(network, tokens, "blocks.1.heads")["blocks.1.heads"]
    with without_heads(network, [(1, 0)]):
        left = record(network, tokens, "blocks.1.heads")["blocks.1.heads"]
    torch.testing.assert_close(left[:, 0], usual[:, 0].mean(dim=(0, 1)).expand_as(usual[:, 0]))
    assert torch.equal(left[:, 1], usual[:, 1])


def test_heads_of_both_blocks_go_and_come_back(network, generator):
    tokens = torch.randint(0, 7, (6, 12), generator=generator)
    before = network(tokens)
    with without_heads(network, [(0, 0), (0, 1), (1, 0), (1, 1)]):
        spread = (network(tokens) - (network.token_vectors[tokens] + network.position_vectors) @ network.unembed).std(
            dim=(0, 1)
        )
    torch.testing.assert_close(spread, torch.zeros(7), atol=1e-5, rtol=0)  # what is left of attention is constant
    assert torch.equal(network(tokens), before)


@pytest.mark.parametrize("head", [(2, 0), (0, 2), (-1, 0)])
def test_a_head_that_does_not_exist_is_refused(head, network):
    message = r"^heads: \(-?\d, \d\) does not exist; there are 2 blocks of 2 heads$"
    with pytest.raises(ValueError, match=message), without_heads(network, [head]):
        pass
