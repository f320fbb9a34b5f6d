"""Modular addition written as weights: right on every question, for the reason that was written."""

from __future__ import annotations

import math

import pytest
import torch
from tests.unit.refusals import refuses

from innervision import edit, record
from innervision.learning import compile_modular_addition, every_sum, frequency_norms, key_frequencies


@pytest.mark.parametrize(
    ("modulus", "frequencies"), [(113, [9, 13, 28, 52]), (113, [1]), (67, [5, 30]), (7, [1, 2, 3])]
)
def test_it_adds_without_a_single_mistake(modulus: int, frequencies: list[int]) -> None:
    questions, answers = every_sum(modulus)
    logits = compile_modular_addition(modulus, frequencies)(questions)[:, -1]
    assert torch.equal(logits.argmax(dim=1), answers)


def test_its_logits_are_the_formula() -> None:
    modulus, frequencies = 29, [3, 11]
    questions, answers = every_sum(modulus)
    logits = compile_modular_addition(modulus, frequencies)(questions)[:, -1]
    turn = 2 * math.pi * torch.tensor(frequencies) / modulus
    difference = (questions[:, 0] - questions[:, 1])[:, None, None]
    apart = (answers[:, None] - torch.arange(modulus))[..., None]
    expected = ((turn * difference / 2).cos().abs() * (turn * apart).cos()).sum(dim=-1)
    # Of a rectified cosine's waves m, those that 15 angles cannot tell from the second are left, 3 / (m² - 1) as large.
    left = sum(3 / ((30 * n + sign * 2) ** 2 - 1) for n in range(1, 1000) for sign in (-1, 1))
    torch.testing.assert_close(logits, expected, atol=2 * left, rtol=0)  # two frequencies


def test_more_neurons_come_closer_to_the_formula() -> None:
    questions, answers = every_sum(29)
    turn = 2 * math.pi * 3 / 29
    apart = answers[:, None] - torch.arange(29)
    expected = (turn * (questions[:, :1] - questions[:, 1:2]) / 2).cos().abs() * (turn * apart).cos()
    errors = [
        float((compile_modular_addition(29, [3], angles)(questions)[:, -1] - expected).abs().max())
        for angles in (5, 9, 15, 25)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.005


def test_its_frequencies_are_found_blind() -> None:
    network = compile_modular_addition(113, [9, 13, 28, 52])
    vectors = network.token_vectors[:113]
    assert key_frequencies(vectors) == [9, 13, 28, 52]
    assert int((frequency_norms(vectors) > 1e-4).sum()) == 4


def test_without_its_neurons_it_guesses() -> None:
    questions, _ = every_sum(29)
    network = compile_modular_addition(29, [3, 11])
    with edit(network, {"blocks.0.hidden": lambda neurons: neurons * 0}):
        blind = network(questions)[:, -1]
    assert torch.equal(blind, torch.zeros_like(blind))


def test_attention_looks_everywhere_alike() -> None:
    network = compile_modular_addition(7, [2])
    pattern = record(network, every_sum(7)[0], "blocks.0.pattern")["blocks.0.pattern"]
    torch.testing.assert_close(pattern[:, 0, -1], torch.full((49, 3), 1 / 3))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((12, [1]), "modulus: 12 is not an odd number from 3 on"),
        ((13, []), "frequencies: is empty; give at least one"),
        ((13, [0]), "frequencies: 0 is not from 1 to 6"),
        ((13, [1], 8), "angles: 8 is not an odd number from 5 on"),
    ],
)
def test_refusals(arguments: tuple, sentence: str) -> None:
    with refuses(sentence):
        compile_modular_addition(*arguments)
