"""The recipe of the networks that add: what it is trained on, and what it writes."""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from innervision.learning import every_sum
from innervision.learning.shipped import split
from innervision.recipes import modular_addition, train


def test_settings_are_those_of_the_shipped_runs() -> None:
    assert modular_addition.task().settings == {
        "modulus": 113,
        "trained_share": 0.4,
        "width": 64,
        "learning_rate": 1e-3,
        "weight_decay": 1.0,
        "steps": 100,
    }
    assert modular_addition.EPOCHS == 30 == max(modular_addition.KEPT)


def test_a_step_sees_all_questions_it_may_and_no_other() -> None:
    questions, answers = next(iter(modular_addition.task(seed=5).batches(torch.Generator())))
    every_question, every_answer = every_sum(113)
    assert torch.equal(questions, every_question[split(5)])
    assert torch.equal(answers, every_answer[split(5)])
    assert len(questions) == 5108


def test_other_seeds_learn_from_other_questions() -> None:
    shared = (split(0) & split(1)).sum() / split(0).sum()
    assert 0.35 < float(shared) < 0.45


def test_a_short_run_writes_what_was_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(modular_addition, "STEPS", 2)
    monkeypatch.setattr(modular_addition, "EPOCHS", 3)
    monkeypatch.setattr(modular_addition, "KEPT", frozenset({0, 1, 3}))
    rows: list[dict[str, float]] = []
    entry = train("modular-addition", folder=tmp_path / "run", into=tmp_path, report=rows.append)
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert (entry["steps"], entry["modulus"], entry["known_by_heart_after"]) == (6, 113, -1)
    state = load_file(tmp_path / "modular-addition-0.safetensors")
    assert {key.partition("/")[0] for key in state} == {"00000", "00002", "00006"}
    again = train("modular-addition", folder=tmp_path / "run", into=tmp_path / "again", resume=True)
    assert again["sha256"] == entry["sha256"]
