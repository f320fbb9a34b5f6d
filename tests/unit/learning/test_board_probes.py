"""Probes find what was planted, and nothing where there is nothing; control tasks keep their keys."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from sklearn.linear_model import Ridge
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.learning.board_probes import board_probe, control_task, probe_accuracy, read_board, selectivity


def planted(samples: int = 400, width: int = 20, squares: int = 4, noise: float = 0.1) -> tuple[Tensor, Tensor]:
    """Streams into which the state of each square was written along directions of its own."""
    generator = torch.Generator().manual_seed(0)
    boards = torch.randint(3, (samples, squares), generator=generator, dtype=torch.int8)
    directions = torch.randn(squares * 3, width, generator=generator)
    stream = F.one_hot(boards.long(), 3).flatten(1).float() @ directions
    return stream + noise * torch.randn(samples, width, generator=generator), boards


def test_agrees_with_ridge_regression_of_scikit_learn() -> None:
    stream, boards = planted()
    targets = F.one_hot(boards.long(), 3).flatten(1)
    theirs = Ridge(alpha=0.01 * len(stream), fit_intercept=False)
    theirs.fit(F.pad(stream, (0, 1), value=1).double().numpy(), targets.double().numpy())
    expected = torch.from_numpy(theirs.coef_.T).float().unflatten(1, (4, 3))
    torch.testing.assert_close(board_probe(stream, boards, ridge=0.01), expected, atol=1e-5, rtol=1e-4)


def test_reads_what_was_planted_also_in_samples_it_never_saw() -> None:
    stream, boards = planted()
    assert read_board(board_probe(stream, boards), stream).tolist() == boards.tolist()
    trained = torch.arange(400) < 200
    assert probe_accuracy(stream, boards, trained) > 0.99


def test_the_accuracy_is_that_of_samples_left_out() -> None:
    stream = torch.randn(120, 100, generator=torch.Generator().manual_seed(1))
    boards = torch.randint(3, (120, 1), generator=torch.Generator().manual_seed(2))
    trained = torch.arange(120) < 90
    # As many inputs as samples learn anything by heart; of what was left out, chance is a third.
    assert probe_accuracy(stream, boards, trained) < 0.6


def test_a_control_task_depends_on_the_key_and_on_nothing_else() -> None:
    generator = torch.Generator().manual_seed(0)
    keys = torch.randint(4, (3000, 2), generator=generator)
    boards = torch.randint(3, (3000, 5), generator=generator, dtype=torch.int8)
    boards[:, 0] = 2  # what no board has is not dealt
    dealt = control_task(keys, boards, generator)
    first = {}
    for key, board in zip(keys.tolist(), dealt.tolist(), strict=True):
        assert first.setdefault(tuple(key), board) == board
    assert len(set(map(tuple, first.values()))) > 8, "sixteen keys, 81 boards"
    assert bool((dealt[:, 0] == 2).all())
    assert dealt.dtype == boards.dtype


def test_a_generator_deals_the_same_again() -> None:
    keys, boards = torch.arange(50)[:, None], torch.arange(50, dtype=torch.int8)[:, None] % 3
    one, other = (control_task(keys, boards, torch.Generator().manual_seed(3)) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert one.tolist() != boards.tolist()


def test_selectivity_is_large_where_a_board_was_planted_and_none_where_the_key_was() -> None:
    stream, boards = planted()
    generator = torch.Generator().manual_seed(5)
    keys = torch.arange(400)[:, None] % 200
    controls, trained = control_task(keys, boards, generator), torch.arange(400) < 200
    assert selectivity(stream, boards, controls, trained) > 0.5
    of_keys = F.one_hot(keys[:, 0]).float()
    assert selectivity(of_keys, boards, controls, trained) < -0.5
    assert selectivity(stream, boards, boards, trained) == 0


def test_refuses_what_does_not_fit() -> None:
    stream, boards = planted(10)
    with refuses("boards: shape (9, 4) does not fit a stream of shape (10, 20)"):
        board_probe(stream, boards[1:])
    with refuses("boards: from 0 to 3; a state is 0, 1 or 2"):
        board_probe(stream[:2], torch.tensor([[0], [3]]))
    with refuses("ridge: 0.0 is not above 0"):
        board_probe(stream, boards, ridge=0.0)
    with refuses("keys: shape (9, 1) is not (10, parts), a row for each board"):
        control_task(torch.zeros(9, 1, dtype=torch.long), boards, torch.Generator())
