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
from innervision.learning.dissection import (
    doubled_frequency,
    interference,
    look_evenly,
    neurons_by_frequency,
    strength_by_difference,
    with_numbers,
    without_frequencies,
)
from innervision.learning.modular_addition import (
    every_sum,
    excluded_loss,
    explained_by_frequencies,
    fourier_basis,
    frequency_norms,
    key_frequencies,
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
    "doubled_frequency",
    "every_sum",
    "excluded_loss",
    "explained_by_frequencies",
    "fourier_basis",
    "frequency_norms",
    "interference",
    "key_frequencies",
    "legal_moves",
    "load_addition",
    "load_ripple",
    "look_evenly",
    "mine_and_theirs",
    "neurons_by_frequency",
    "ngram_loss",
    "ngram_probability",
    "play",
    "random_games",
    "replay",
    "restricted_loss",
    "starting_boards",
    "strength_by_difference",
    "sum_waves",
    "with_numbers",
    "without_frequencies",
]
