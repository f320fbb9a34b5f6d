"""What networks learn: by heart, by statistics, or by an algorithm that can be read off their weights."""

from innervision.learning.board_game import (
    Games,
    legal_moves,
    mine_and_theirs,
    play,
    random_games,
    replay,
    starting_boards,
)
from innervision.learning.compiled import compile_modular_addition
from innervision.learning.modular_addition import (
    every_sum,
    excluded_logits,
    excluded_loss,
    explained_by_frequencies,
    fourier_basis,
    frequency_norms,
    key_frequencies,
    restricted_logits,
    restricted_loss,
    sum_waves,
)
from innervision.learning.ngrams import ngram_loss, ngram_probability
from innervision.learning.shipped import AdditionRun, as_tokens, load_addition, load_ripple
from innervision.learning.transformer import Sizes, Transformer

__all__ = [
    "AdditionRun",
    "Games",
    "Sizes",
    "Transformer",
    "as_tokens",
    "compile_modular_addition",
    "every_sum",
    "excluded_logits",
    "excluded_loss",
    "explained_by_frequencies",
    "fourier_basis",
    "frequency_norms",
    "key_frequencies",
    "legal_moves",
    "load_addition",
    "load_ripple",
    "mine_and_theirs",
    "ngram_loss",
    "ngram_probability",
    "play",
    "random_games",
    "replay",
    "restricted_logits",
    "restricted_loss",
    "starting_boards",
    "sum_waves",
]
