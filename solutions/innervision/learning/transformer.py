"""A small transformer whose parts all have names: of attention alone, or with a perceptron in each block.

What ``record`` and ``edit`` know: ``embed`` (token and position, added), and of each block ``blocks.0.pattern`` (who
looks where), ``blocks.0.heads`` (what each head adds, before they are summed), ``blocks.0.hidden`` (the perceptron's
neurons), and ``blocks.0`` (the residual stream after the block).

Source: Vaswani et al., "Attention is all you need", 2017; Elhage et al., "A mathematical framework for transformer
circuits", 2021 (a residual stream that heads read and add to); Nanda et al., "Progress measures for grokking via
mechanistic interpretability", 2023 (no layer normalisation, so that weights can be read).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    """Sizes of a transformer.

    Attributes:
        tokens: How many different tokens it reads.
        answers: How many different answers it gives at a position.
        length: Most positions of a sequence.
        width: Numbers in the residual stream.
        heads: Heads of a block; they share the width.
        blocks: How many blocks.
        neurons: Neurons of a block's perceptron; 0 for attention alone.
        normalized: Whether each part reads the stream through a layer normalisation.

    Raises:
        ValueError: A size is too small, or the heads cannot share the width.
    """

    tokens: int
    answers: int
    length: int
    width: int
    heads: int
    blocks: int
    neurons: int = 0
    normalized: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "neurons" else 1
            if field.name != "normalized" and value < least:
                raise ValueError(f"{field.name}: {value} is below {least}")
        if self.width % self.heads:
            raise ValueError(f"heads: {self.heads} cannot share a width of {self.width}; give a divisor of it")


class Transformer(nn.Module):
    """Answers at each position from what stands there and before.

    Args:
        sizes: Its sizes.
        generator: Draws the first weights; each has a standard deviation of 1 / √(inputs).
    """

    def __init__(self, sizes: Sizes, generator: torch.Generator):
        super().__init__()
        self.sizes = sizes
        self.token_vectors = drawn((sizes.tokens, sizes.width), sizes.width, generator)
        self.position_vectors = drawn((sizes.length, sizes.width), sizes.width, generator)
        self.embed = nn.Identity()
        self.blocks = nn.ModuleList([Block(sizes, generator) for _ in range(sizes.blocks)])
        self.norm = normalization(sizes)
        self.unembed = drawn((sizes.width, sizes.answers), sizes.width, generator)

    def forward(self, tokens: Int[Tensor, "batch position"]) -> Float[Tensor, "batch position answers"]:
        """Logits at each position.

        Raises:
            ValueError: The sequences are longer than the network has positions, or a token does not exist.
        """
        self._check(tokens)
        stream = self.embed(self.token_vectors[tokens] + self.position_vectors[: tokens.shape[1]])
        for block in self.blocks:
            stream = block(stream)
        return self.norm(stream) @ self.unembed

    def block(self, index: int) -> Block:
        """The block of that index, from 0."""
        found = self.blocks[index]
        assert isinstance(found, Block)
        return found

    def _check(self, tokens: Tensor) -> None:
        if tokens.ndim != 2:
            raise ValueError(f"tokens: shape {tuple(tokens.shape)} is not (batch, position)")
        if tokens.shape[1] > self.sizes.length:
            raise ValueError(f"tokens: {tokens.shape[1]} positions; this network has {self.sizes.length}")
        if tokens.numel() and not (tokens.min() >= 0 and tokens.max() < self.sizes.tokens):
            low, high = int(tokens.min()), int(tokens.max())
            raise ValueError(f"tokens: from {low} to {high}; this network knows 0 to {self.sizes.tokens - 1}")


class Block(nn.Module):
    """Attention, then perhaps a perceptron; each reads the residual stream and adds to it."""

    def __init__(self, sizes: Sizes, generator: torch.Generator):
        super().__init__()
        width, each = sizes.width, sizes.width // sizes.heads
        self.norm = normalization(sizes)
        self.query, self.key, self.value = (drawn((sizes.heads, width, each), width, generator) for _ in range(3))
        self.out = drawn((sizes.heads, each, width), width, generator)
        self.pattern, self.heads = nn.Identity(), nn.Identity()
        self.has_perceptron = sizes.neurons > 0
        if self.has_perceptron:
            self.second_norm = normalization(sizes)
            self.into = drawn((width, sizes.neurons), width, generator)
            self.bias = nn.Parameter(torch.zeros(sizes.neurons))
            self.hidden = nn.ReLU()
            self.back = drawn((sizes.neurons, width), sizes.neurons, generator)

    def forward(self, stream: Float[Tensor, "batch position width"]) -> Float[Tensor, "batch position width"]:
        """The residual stream after this block."""
        stream = stream + self.heads(self.attend(self.norm(stream))).sum(dim=1)
        if self.has_perceptron:
            stream = stream + self.hidden(self.second_norm(stream) @ self.into + self.bias) @ self.back
        return stream

    def attend(self, seen: Float[Tensor, "batch position width"]) -> Float[Tensor, "batch head position width"]:
        """What each head adds at each position; it looks at this position and those before."""
        into = "batch position width, head width each -> batch head position each"
        query, key, value = (einsum(seen, weights, into) for weights in (self.query, self.key, self.value))
        pattern = self.pattern(causal_attention(query, key))
        out = "batch head position each, head each width -> batch head position width"
        return einsum(pattern @ value, self.out, out)


def causal_attention(
    queries: Float[Tensor, "... position each"], keys: Float[Tensor, "... position each"]
) -> Float[Tensor, "... position position"]:
    """Who looks where, and how much: the attention pattern of a head that never looks ahead.

    How well a query fits a key is their dot product over √each, so that it does not grow with their length. Each
    position shares out its attention, 1 in all, over itself and the positions before: the better a key fits, the more,
    by softmax.

    Args:
        queries: What each position asks for.
        keys: What each position offers, as long as the queries.

    Returns:
        Row t holds how much position t looks at each position; nothing at later ones.

    Example:
        >>> causal_attention(torch.zeros(3, 2), torch.zeros(3, 2))  # nobody asks for anything
        tensor([[1.0000, 0.0000, 0.0000],
                [0.5000, 0.5000, 0.0000],
                [0.3333, 0.3333, 0.3333]])

    Source:
        Vaswani et al., "Attention is all you need", 2017, section 3.2.1.
    """
    scores = queries @ keys.transpose(-1, -2) / keys.shape[-1] ** 0.5
    later = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(dim=-1)


def drawn(size: tuple[int, ...], inputs: int, generator: torch.Generator) -> nn.Parameter:
    """First weights: normal, with a standard deviation of 1 / √inputs."""
    return nn.Parameter(torch.randn(size, generator=generator) / inputs**0.5)


def normalization(sizes: Sizes) -> nn.Module:
    """Layer normalisation, or nothing."""
    return nn.LayerNorm(sizes.width) if sizes.normalized else nn.Identity()
