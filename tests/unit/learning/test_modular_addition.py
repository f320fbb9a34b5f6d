"""Waves over the numbers modulo p: bases, frequencies, and how much of some logits they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses

from innervision.learning import (
    every_sum,
    excluded_loss,
    explained_by_frequencies,
    fourier_basis,
    frequency_norms,
    key_frequencies,
    restricted_loss,
    sum_waves,
)

PRIME = 13


def clock_logits(frequencies: list[int], height: float = 1.0) -> torch.Tensor:
    """What the algorithm gives: a sum of cosines of (a + b - c) at some frequencies."""
    _, answers = every_sum(PRIME)
    apart = answers[:, None] - torch.arange(PRIME)
    return height * sum((2 * math.pi * frequency * apart / PRIME).cos() for frequency in frequencies)


def test_every_question_once_and_its_answer() -> None:
    questions, answers = every_sum(PRIME)
    assert len({tuple(question) for question in questions.tolist()}) == PRIME**2
    assert set(questions[:, 2].tolist()) == {PRIME}
    assert all((a + b) % PRIME == c for (a, b, _), c in zip(questions.tolist(), answers.tolist(), strict=True))


def test_the_basis_is_orthonormal_and_what_it_says() -> None:
    basis = fourier_basis(PRIME)
    torch.testing.assert_close(basis @ basis.T, torch.eye(PRIME), atol=1e-6, rtol=0)  # single precision
    numbers = torch.arange(PRIME)
    for frequency in range(1, 7):
        angles = 2 * math.pi * frequency * numbers / PRIME
        torch.testing.assert_close(basis[2 * frequency - 1], F.normalize(angles.cos(), dim=0), atol=1e-6, rtol=0)
        torch.testing.assert_close(basis[2 * frequency], F.normalize(angles.sin(), dim=0), atol=1e-6, rtol=0)


def test_norms_agree_with_the_discrete_fourier_transform() -> None:
    vectors = torch.randn(PRIME, 5, generator=torch.Generator().manual_seed(0))
    spectrum = np.fft.rfft(vectors.numpy(), axis=0, norm="ortho")[1:]
    expected = np.sqrt(2 * (np.abs(spectrum) ** 2).sum(axis=1))
    np.testing.assert_allclose(frequency_norms(vectors).numpy(), expected, rtol=1e-5)


def test_planted_frequencies_are_found_and_no_others() -> None:
    generator = torch.Generator().manual_seed(1)
    rows = fourier_basis(PRIME)[[3, 4, 9, 10]]  # frequencies 2 and 5
    vectors = rows.T @ torch.randn(4, 8, generator=generator) + 0.01 * torch.randn(PRIME, 8, generator=generator) + 3
    assert key_frequencies(vectors) == [2, 5]


def test_the_waves_of_the_sum_have_length_1_and_follow_the_answer() -> None:
    waves = sum_waves(PRIME, [4])
    torch.testing.assert_close(waves @ waves.T, torch.eye(2), atol=1e-6, rtol=0)
    _, answers = every_sum(PRIME)
    expected = (2 * math.pi * 4 * answers / PRIME).cos()
    torch.testing.assert_close(waves[0], F.normalize(expected, dim=0), atol=1e-6, rtol=0)


@pytest.mark.parametrize("frequencies", [[1], [2, 5], [1, 2, 3, 4, 5, 6]])
def test_logits_of_the_algorithm_are_explained_by_its_frequencies_alone(frequencies: list[int]) -> None:
    logits = clock_logits(frequencies)
    others = [frequency for frequency in range(1, 7) if frequency not in frequencies]
    assert float(explained_by_frequencies(logits, PRIME, frequencies)) == pytest.approx(1, abs=1e-5)
    assert float(explained_by_frequencies(logits, PRIME, others)) == pytest.approx(0, abs=1e-5)
    whole = float(F.cross_entropy(logits, every_sum(PRIME)[1]))
    assert float(restricted_loss(logits, PRIME, frequencies)) == pytest.approx(whole, abs=1e-5)
    assert float(excluded_loss(logits, PRIME, others)) == pytest.approx(whole, abs=1e-5)


def test_chance_explains_its_share_of_directions() -> None:
    noise = torch.randn(PRIME**2, 400, generator=torch.Generator().manual_seed(0))
    # Two waves of 168 directions in which 169 questions can differ; 400 columns leave a standard error of 0.0006.
    assert float(explained_by_frequencies(noise, PRIME, [3])) == pytest.approx(2 / 168, abs=0.003)


def test_a_network_that_computes_needs_its_frequencies() -> None:
    logits = clock_logits([2, 5], height=20.0)
    whole = float(F.cross_entropy(logits, every_sum(PRIME)[1]))
    assert float(restricted_loss(logits, PRIME, [2, 5])) == pytest.approx(whole, rel=1e-3)
    assert float(excluded_loss(logits, PRIME, [2, 5])) == pytest.approx(math.log(PRIME), abs=1e-3)  # guessing
    assert float(excluded_loss(logits, PRIME, [1, 3])) == pytest.approx(whole, rel=1e-3)


def test_a_network_that_knows_answers_by_heart_does_not() -> None:
    generator, (_, answers) = torch.Generator().manual_seed(0), every_sum(PRIME)
    known = torch.randperm(PRIME**2, generator=generator)[:60]
    logits = torch.randn(PRIME**2, PRIME, generator=generator)
    logits[known, answers[known]] += 20
    assert float(excluded_loss(logits, PRIME, [2, 5], among=known)) < 0.01
    assert float(excluded_loss(logits, PRIME, [2, 5])) > 1
    assert float(restricted_loss(logits, PRIME, [2, 5])) > 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: every_sum(12), "modulus: 12 is not an odd number from 3 on"),
        (lambda: fourier_basis(1), "modulus: 1 is not an odd number from 3 on"),
        (lambda: sum_waves(13, [7]), "frequencies: 7 is not from 1 to 6"),
        (lambda: sum_waves(13, [2, 2]), "frequencies: [2, 2] name one twice"),
        (lambda: key_frequencies(torch.ones(13, 2), share=1), "share: 1 is not above 0 and below 1"),
        (
            lambda: restricted_loss(torch.zeros(13, 13), 13, [1]),
            "values: shape (13, 13) is not (169, columns), a row for each question",
        ),
        (
            lambda: explained_by_frequencies(torch.ones(169, 2), 13, [1]),
            "values: are the same for every question; there is nothing to explain",
        ),
        (
            lambda: key_frequencies(torch.zeros(13, 2)),
            "vectors: are all alike; there is no frequency in them",
        ),
    ],
)
def test_refusals(call, sentence: str) -> None:
    with refuses(sentence):
        call()
