"""What networks learn: by heart, by statistics, or by an algorithm that can be read off their weights."""

from innervision.learning.adversarial import fgsm, pgd, random_signs
from innervision.learning.attention import (
    causal_attention,
    induction_score,
    previous_token_score,
    repeated_tokens,
    without_heads,
)
from innervision.learning.board_controls import bag_of_moves, other_boards, twin_games
from innervision.learning.board_game import (
    Games,
    legal_moves,
    mine_and_theirs,
    play,
    random_games,
    replay,
    starting_boards,
)
from innervision.learning.board_probes import board_probe, control_task, probe_accuracy, read_board, selectivity
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
from innervision.learning.fitted import FITTED, Fitted, folded, load_fitted, untrained
from innervision.learning.interventions import board_directions, intervene, legal_errors
from innervision.learning.memorization import accuracy, answers, randomize_labels, train_epoch
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
from innervision.learning.probes import linear_probe
from innervision.learning.sanity import edge_map, gradient_map, guided_map, randomization_test, rank_correlation
from innervision.learning.scenes import random_scenes, with_withheld_pair, withheld_pairs
from innervision.learning.sentences import SentenceEncoder, load_sentence_encoder
from innervision.learning.shipped import (
    AdditionRun,
    as_tokens,
    load_addition,
    load_induction,
    load_ripple,
    load_scenes,
    load_text_model,
)
from innervision.learning.shortcuts import CUE_COLORS, other_classes, plant_cue, shortcut_reliance
from innervision.learning.spectra import shuffle_tiles, swap_phase_and_magnitude
from innervision.learning.steering import dose_response, steering_vector
from innervision.learning.surprise import cross_entropy
from innervision.learning.transformer import Sizes, Transformer
from innervision.learning.word_vectors import analogy, neighbour_counts, pmi_vectors

__all__ = [
    "CUE_COLORS",
    "FITTED",
    "AdditionRun",
    "Fitted",
    "Games",
    "SentenceEncoder",
    "Sizes",
    "Transformer",
    "accuracy",
    "analogy",
    "answers",
    "as_tokens",
    "bag_of_moves",
    "board_directions",
    "board_probe",
    "causal_attention",
    "compile_modular_addition",
    "control_task",
    "cross_entropy",
    "dose_response",
    "doubled_frequency",
    "edge_map",
    "every_sum",
    "excluded_loss",
    "explained_by_frequencies",
    "fgsm",
    "folded",
    "fourier_basis",
    "frequency_norms",
    "gradient_map",
    "guided_map",
    "induction_score",
    "interference",
    "intervene",
    "key_frequencies",
    "legal_errors",
    "legal_moves",
    "linear_probe",
    "load_addition",
    "load_fitted",
    "load_induction",
    "load_ripple",
    "load_scenes",
    "load_sentence_encoder",
    "load_text_model",
    "look_evenly",
    "mine_and_theirs",
    "neighbour_counts",
    "neurons_by_frequency",
    "ngram_loss",
    "ngram_probability",
    "other_boards",
    "other_classes",
    "pgd",
    "plant_cue",
    "play",
    "pmi_vectors",
    "previous_token_score",
    "probe_accuracy",
    "random_games",
    "random_scenes",
    "random_signs",
    "randomization_test",
    "randomize_labels",
    "rank_correlation",
    "read_board",
    "repeated_tokens",
    "replay",
    "restricted_loss",
    "selectivity",
    "shortcut_reliance",
    "shuffle_tiles",
    "starting_boards",
    "steering_vector",
    "strength_by_difference",
    "sum_waves",
    "swap_phase_and_magnitude",
    "train_epoch",
    "twin_games",
    "untrained",
    "with_numbers",
    "with_withheld_pair",
    "withheld_pairs",
    "without_frequencies",
    "without_heads",
]
