"""One training loop: repeatable, resumable, and never half-written."""

import json
import os
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from innervision.training import Task, epoch_generator, fit


def tiny_task(**settings):
    """A two-layer network that learns a line, with momentum, a schedule and a moving average."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 1))
        average = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 1))
    inputs = torch.arange(24.0).view(8, 3) / 10
    targets = inputs.sum(1, keepdim=True)

    def batches(generator):
        for chosen in torch.randperm(8, generator=generator).split(4):
            yield inputs[chosen] + 0.01 * torch.randn(4, 3, generator=generator), targets[chosen]

    def follow():
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
                slow.lerp_(fast, 0.1)

    optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9)
    return Task(
        network=network,
        batches=batches,
        loss=lambda model, batch: F.mse_loss(model(batch[0]), batch[1]),
        evaluate=lambda model: {"error": F.mse_loss(model.eval()(inputs), targets).item()},
        optimizer=optimizer,
        scheduler=torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.5),
        settings={"batch": 4} | settings,
        averages={"average": average},
        after_step=follow,
    )


def without_seconds(rows):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def state(task):
    modules = (task.network, task.averages["average"])
    return [value.clone() for module in modules for value in module.state_dict().values()]


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_loss_falls_and_the_log_tells(tmp_path):
    seen = []
    rows = fit(tiny_task(), 6, tmp_path, report=seen.append)
    assert rows == seen
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1].keys() == {"epoch", "loss", "seconds", "error"}
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == rows
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.pt", "log.jsonl"]


def test_same_seed_same_bits_other_seed_others(tmp_path):
    one, other, third = tiny_task(), tiny_task(), tiny_task()
    fit(one, 2, tmp_path / "one")
    fit(other, 2, tmp_path / "other")
    fit(third, 2, tmp_path / "third", seed=1)
    assert same(state(one), state(other))
    assert not same(state(one), state(third))


def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(tmp_path):
    unbroken = tiny_task()
    expected = fit(unbroken, 5, tmp_path / "unbroken")
    fit(tiny_task(), 2, tmp_path / "broken")
    resumed = tiny_task()
    rows = fit(resumed, 5, tmp_path / "broken", resume=True)
    assert without_seconds(rows) == without_seconds(expected)
    assert same(state(resumed), state(unbroken))
    assert same(
        [s["momentum_buffer"] for s in resumed.optimizer.state.values()],
        [s["momentum_buffer"] for s in unbroken.optimizer.state.values()],
    )


def test_states_along_the_way_are_kept_also_by_a_run_that_is_resumed(tmp_path):
    def keeping():
        task = tiny_task()
        task.keep = frozenset({0, 2, 3})
        return task

    whole, part, rest = keeping(), keeping(), keeping()
    first = {name: value.clone() for name, value in whole.network.state_dict().items()}
    fit(whole, 3, tmp_path / "whole")
    fit(part, 2, tmp_path / "parts")
    fit(rest, 3, tmp_path / "parts", resume=True)
    assert sorted(whole.kept) == sorted(rest.kept) == [0, 2, 3]
    assert sorted(part.kept) == [0, 2]
    assert same(whole.kept[0].values(), first.values())
    assert same(whole.kept[2].values(), part.network.state_dict().values())
    assert same(whole.kept[3].values(), whole.network.state_dict().values())
    for epoch in (0, 2, 3):
        assert same(whole.kept[epoch].values(), rest.kept[epoch].values())


def test_a_run_that_breaks_within_an_epoch_resumes_at_its_beginning(tmp_path):
    unbroken = tiny_task()
    fit(unbroken, 4, tmp_path / "unbroken")
    calls = []

    def interrupted(batches):
        for number, batch in enumerate(batches):
            calls.append(number)
            if len(calls) == 6:  # in the middle of the third epoch
                raise KeyboardInterrupt
            yield batch

    with pytest.raises(KeyboardInterrupt):
        fit(tiny_task(), 4, tmp_path / "broken", progress=interrupted)
    resumed = tiny_task()
    assert len(fit(resumed, 4, tmp_path / "broken", resume=True)) == 4
    assert same(state(resumed), state(unbroken))


def test_without_resume_a_run_starts_afresh(tmp_path):
    fit(tiny_task(), 3, tmp_path)
    assert len(fit(tiny_task(), 1, tmp_path)) == 1


def test_a_finished_run_is_only_restored(tmp_path):
    finished = tiny_task()
    rows = fit(finished, 3, tmp_path)
    again = tiny_task()
    assert fit(again, 3, tmp_path, resume=True) == rows
    assert same(state(again), state(finished))


def test_progress_wraps_each_epoch(tmp_path):
    counts = []

    def count(batches):
        counts.append(0)
        for batch in batches:
            counts[-1] += 1
            yield batch

    fit(tiny_task(), 3, tmp_path, progress=count)
    assert counts == [2, 2, 2]


def test_randomness_is_a_function_of_seed_and_epoch():
    def draw(seed, epoch):
        return torch.rand(3, generator=epoch_generator(seed, epoch)).tolist()

    assert draw(1, 2) == draw(1, 2)
    assert len({tuple(draw(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


def test_other_settings_are_refused(tmp_path):
    fit(tiny_task(), 1, tmp_path)
    path = tmp_path / "checkpoint.pt"
    text = (
        f"resume: {path} was made with settings {{'batch': 4, 'seed': 0}}, "
        "this run has {'batch': 4, 'width': 9, 'seed': 0}"
    )
    task = tiny_task(width=9)
    before = state(task)
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        fit(task, 2, tmp_path, resume=True)
    assert same(state(task), before)
    with pytest.raises(ValueError, match="'seed': 1"):
        fit(tiny_task(), 2, tmp_path, resume=True, seed=1)


@pytest.mark.parametrize("damage", ["empty", "truncated", "text", "other", "other network"])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    fit(tiny_task(), 1, tmp_path)
    path = tmp_path / "checkpoint.pt"
    content = path.read_bytes()
    if damage == "other":
        torch.save({"network": {}}, path)
    elif damage == "other network":
        saved = torch.load(path, weights_only=True)
        torch.save(saved | {"network": {"weight": torch.zeros(1)}}, path)
    else:
        path.write_bytes({"empty": b"", "truncated": content[: len(content) // 2], "text": b"hello\n"}[damage])
    text = f"resume: {path} is no checkpoint of this task or is damaged; delete it to start afresh"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        fit(tiny_task(), 2, tmp_path, resume=True)


def test_at_least_one_epoch(tmp_path):
    with pytest.raises(ValueError, match=r"^epochs: 0 is not at least 1$"):
        fit(tiny_task(), 0, tmp_path)
    assert os.listdir(tmp_path) == []


def test_an_error_leaves_the_last_whole_checkpoint(tmp_path, monkeypatch):
    fit(tiny_task(), 1, tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def half(state, path):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match=r"^no space left on device$"):
        fit(tiny_task(), 2, tmp_path, resume=True)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.pt", "log.jsonl"]
