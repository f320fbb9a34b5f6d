"""The transformer: no look into the future, named parts that do what they say, an oracle from torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses

from innervision import edit, record
from innervision.learning import Sizes, Transformer

SIZES = Sizes(tokens=11, answers=7, length=9, width=12, heads=3, blocks=2, neurons=20, normalized=True)


@pytest.fixture
def network() -> Transformer:
    return Transformer(SIZES, torch.Generator().manual_seed(0)).eval()


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randint(11, (4, 9), generator=torch.Generator().manual_seed(1))


def test_a_later_token_changes_nothing_before_it(network, tokens) -> None:
    changed = tokens.clone()
    changed[:, 5] = (changed[:, 5] + 1) % 11
    one, other = network(tokens), network(changed)
    torch.testing.assert_close(one[:, :5], other[:, :5])
    assert not torch.allclose(one[:, 5:], other[:, 5:])


def test_attention_agrees_with_torch(network, tokens) -> None:
    block = network.blocks[0]
    seen = block.norm(network.embed(network.token_vectors[tokens] + network.position_vectors))[:, None]
    found = record(network, tokens, "blocks.0.heads")["blocks.0.heads"]
    mixed = F.scaled_dot_product_attention(seen @ block.query, seen @ block.key, seen @ block.value, is_causal=True)
    torch.testing.assert_close(found, mixed @ block.out)


def test_the_stream_is_the_sum_of_what_the_parts_add(network, tokens) -> None:
    seen = record(network, tokens, ["embed", "blocks.0", "blocks.0.heads", "blocks.0.hidden"])
    perceptron = seen["blocks.0.hidden"] @ network.blocks[0].back
    torch.testing.assert_close(seen["blocks.0"], seen["embed"] + seen["blocks.0.heads"].sum(dim=1) + perceptron)


def test_patterns_are_shares_of_what_came_before(network, tokens) -> None:
    pattern = record(network, tokens, "blocks.1.pattern")["blocks.1.pattern"].detach()
    assert pattern.shape == (4, 3, 9, 9)
    torch.testing.assert_close(pattern.sum(dim=-1), torch.ones(4, 3, 9))
    assert float(pattern.triu(1).max()) == 0


def test_a_head_can_be_switched_off(network, tokens) -> None:
    def without_the_first(heads: torch.Tensor) -> torch.Tensor:
        kept = heads.clone()
        kept[:, 0] = 0
        return kept

    with edit(network, {"blocks.1.heads": without_the_first}):
        changed = network(tokens)
    assert not torch.allclose(changed, network(tokens))


def test_without_perceptron_and_normalisation_it_is_linear_in_the_values(tokens) -> None:
    network = Transformer(Sizes(11, 7, 9, 12, 3, 1), torch.Generator().manual_seed(0)).eval()
    assert not any(name.endswith("hidden") for name, _ in network.named_modules())
    added = [record(network, tokens, "blocks.0.heads")["blocks.0.heads"]]
    with torch.no_grad():
        network.blocks[0].value.mul_(2)
    added.append(record(network, tokens, "blocks.0.heads")["blocks.0.heads"])
    torch.testing.assert_close(added[1], 2 * added[0])


def test_first_weights_are_a_function_of_the_generator() -> None:
    before = torch.get_rng_state()
    one, same, other = (Transformer(SIZES, torch.Generator().manual_seed(seed)).unembed for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Sizes(11, 7, 9, 12, 5, 1), "heads: 5 cannot share a width of 12; give a divisor of it"),
        (lambda: Sizes(11, 7, 0, 12, 3, 1), "length: 0 is below 1"),
        (lambda: Sizes(11, 7, 9, 12, 3, 1, neurons=-1), "neurons: -1 is below 0"),
    ],
)
def test_sizes_that_cannot_be(call, sentence: str) -> None:
    with refuses(sentence):
        call()


@pytest.mark.parametrize(
    ("tokens", "sentence"),
    [
        (torch.zeros(3, dtype=torch.long), "tokens: shape (3,) is not (batch, position)"),
        (torch.zeros(1, 10, dtype=torch.long), "tokens: 10 positions; this network has 9"),
        (torch.tensor([[3, 11]]), "tokens: from 3 to 11; this network knows 0 to 10"),
    ],
)
def test_sequences_that_it_cannot_read(network, tokens: torch.Tensor, sentence: str) -> None:
    with refuses(sentence):
        network(tokens)
