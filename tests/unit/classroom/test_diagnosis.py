"""Differences in words, and causes that are named only when undoing them gives the right output."""

from __future__ import annotations

import math

import pytest
import torch

from innervision.classroom.compare import Tolerance, describe, difference, wanted
from innervision.classroom.diagnosis import cause_of_error, likely_cause, next_step
from innervision.classroom.wire import Other

CLOSE = Tolerance(atol=1e-5)
GENERATOR = torch.Generator().manual_seed(0)
RIGHT = torch.randn(3, 4, 5, generator=GENERATOR)
SQUARE = torch.randn(4, 4, generator=GENERATOR)
POSITIVE = torch.rand(3, 4, generator=GENERATOR) + 0.5
SCORES = torch.randn(6, generator=GENERATOR)


@pytest.mark.parametrize(
    ("right", "got", "cause"),
    [
        (RIGHT, -RIGHT, "The sign is wrong: the negative of the result is right."),
        (RIGHT, RIGHT * 20, "Every value is 20 times the expected one: is a mean a sum, or a scale missing?"),
        (RIGHT, RIGHT + 0.5, "Every value is 0.5 too large."),
        (SQUARE, SQUARE.T, "The axes are in another order: permute(1, 0) of the result is right."),
        (RIGHT, RIGHT.permute(2, 0, 1), "The axes are in another order: permute(1, 2, 0) of the result is right."),
        (RIGHT, torch.zeros_like(RIGHT), "Every value is 0: is the result ever filled?"),
        (RIGHT, RIGHT.flip(2), "The result is reversed along axis 2."),
        (RIGHT, RIGHT.roll(1, 1), "The result is shifted by one along axis 1: counting starts at 0."),
        (RIGHT.clamp(0, 1), RIGHT, "Right, but for values outside [0, 1]: they need to be cut off."),
        (RIGHT, RIGHT.abs(), "The signs are lost: the result is the absolute value of what is expected."),
        (POSITIVE.square(), POSITIVE, "The square of the result is right."),
        (POSITIVE, POSITIVE.square(), "The square root of the result is right: squared once too often?"),
        (RIGHT, RIGHT[:1].expand_as(RIGHT), "Every entry of the batch got the value of the first."),
        (RIGHT, RIGHT[[1, 2, 0]], "The batch entries are right and in another order."),
        (
            RIGHT,
            RIGHT.mean(0, keepdim=True).expand_as(RIGHT),
            "The batch was mixed: every entry got the mean over the batch.",
        ),
        (
            RIGHT,
            RIGHT / 0 * 0,
            "There are NaNs: a division by zero, or the logarithm or root of a negative number.",
        ),
        (
            RIGHT,
            RIGHT.abs() / 0,
            "There are infinities: a division by zero, or numbers too large for their dtype.",
        ),
        ((RIGHT * 9).trunc() + 0.25, (RIGHT * 9).trunc().long(), "Every value is 0.25 too small."),
        (RIGHT * 9, (RIGHT * 9).long(), "The fractions were cut off: the result has dtype int64."),
        (
            SCORES,
            SCORES[:, None],
            "The values are right; an axis of length 1 is too many or missing (keepdim, squeeze, unsqueeze).",
        ),
        (RIGHT, RIGHT.flatten(), "The values are right and in order, in another shape."),
        (RIGHT, RIGHT[0], "Only the first of the batch came back."),
        (RIGHT.mean((1, 2)), RIGHT, "The mean over axes 1, 2 of the result is right: that mean was left out."),
        (RIGHT.sum(1), RIGHT, "The sum over axis 1 of the result is right: that sum was left out."),
        (
            SCORES,
            SCORES.mean(),
            "The result was averaged over axis 0 of what is expected. "
            "That is the batch: every image needs its own value.",
        ),
        (SQUARE + 0j, SQUARE, "The expected output is complex."),
        (SQUARE, SQUARE + 0j, "The result is complex: take its real part."),
        (SCORES, None, "The function returns nothing: is the return statement missing?"),
        (SCORES, Other("numpy.ndarray"), "The result left torch: keep it a tensor instead of a NumPy array."),
        (2.0, -2.0, "The sign is wrong: the negative of the result is right."),
        ([1.0, 2.0, 4.0], [4.0, 2.0, 1.0], "The values are right and in reverse order."),
        ({"a": RIGHT, "b": 1}, {"a": -RIGHT, "b": 1}, "The sign is wrong: the negative of the result is right."),
    ],
)  # fmt: skip
def test_a_tested_cause_is_named(right, got, cause):
    assert likely_cause(right, got, CLOSE) == cause


@pytest.mark.parametrize(
    ("right", "got"),
    [
        (RIGHT, torch.randn(3, 4, 5, generator=GENERATOR)),
        (RIGHT, torch.randn(7, generator=GENERATOR)),
        (RIGHT, torch.empty(0, 4, 5)),
        ({"a": RIGHT, "b": SQUARE}, {"a": -RIGHT, "b": SQUARE + 1}),
        ("a", "b"),
        (3.0, 4.0),
    ],
)
def test_no_cause_is_made_up(right, got):
    assert likely_cause(right, got, CLOSE) == ""


@pytest.mark.parametrize(
    ("right", "got", "text"),
    [
        (
            torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
            torch.tensor([[1.0, 2.5], [3.0, 5.0]]),
            "a float32 tensor of shape (2, 2), values from 1 to 5; 2 of 4 values differ, "
            "first at [0, 1]: 2.5 where 2 is expected",
        ),
        (
            torch.zeros(2),
            torch.tensor([[1.0, math.nan]]),
            "a float32 tensor of shape (1, 2), values from 1 to 1, 1 NaN or infinite where shape (2,) is expected",
        ),
        ({"a": [1, 2]}, {"a": [1, 3]}, "a: [1, 3] where [1, 2] is expected"),
        ({"a": 1, "b": RIGHT}, {"a": 1, "b": None}, "b: None where a tensor of shape (3, 4, 5) is expected"),
        ([1.0, [2.0, "x"]], [1.0, [3.0, "x"]], "entry 2 of 2, entry 1 of 2: 3 where 2 is expected"),
        (list(range(9)), [*range(8), 9], "entry 9 of 9: 9 where 8 is expected"),
        ((4, 2, -1), 4, "4 where a tuple of 3 is expected"),
        ({"a": 1}, {"b": 1}, "a dict with the keys b where the keys a are expected"),
        ([1, 2], (1,), "a tuple of 1 (1 first) where 2 are expected"),
        (torch.zeros(2), [0.0, 0.0], "a list of 2 (0 first) where a tensor of shape (2,) is expected"),
        (1.0, None, "None where a number is expected"),
        ("left", "right", "'right' where 'left' is expected"),
        (1.5, Other("Equal"), "an object of type Equal where a number is expected"),
        (1.0, math.nan, "nan where 1 is expected"),
    ],
)
def test_differences_in_words(right, got, text):
    found = difference(right, got, CLOSE)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    ("right", "got", "tolerance"),
    [
        (torch.ones(2), torch.ones(2, dtype=torch.float64) + 1e-6, CLOSE),
        (1.0, torch.tensor(1.0), CLOSE),
        ((1, [2]), [1, (2,)], Tolerance()),
        (torch.tensor([math.nan]), torch.tensor([math.nan]), Tolerance(equal_nan=True)),
        (torch.tensor([True]), torch.tensor([1]), Tolerance()),
        (math.inf, math.inf, CLOSE),
        (None, None, CLOSE),
    ],
)
def test_what_counts_as_equal(right, got, tolerance):
    assert difference(right, got, tolerance) is None


@pytest.mark.parametrize(
    ("right", "got", "tolerance"),
    [
        (torch.ones(2), torch.ones(2, 1), CLOSE),
        (torch.ones(2), torch.tensor(1.0), CLOSE),
        (torch.tensor([math.nan]), torch.tensor([math.nan]), CLOSE),
        (torch.ones(2), torch.ones(2).double(), Tolerance(dtype=True)),
        (Other("x"), Other("x"), CLOSE),
        (1, 1 + 1e-4, CLOSE),
        (1, 10**400, CLOSE),
        ("1", 1, CLOSE),
    ],
    ids=range(8),
)
def test_what_does_not(right, got, tolerance):
    assert difference(right, got, tolerance) is not None


def test_a_difference_knows_its_part_and_its_case():
    found = difference({"for 5": [RIGHT, RIGHT]}, {"for 5": [RIGHT, -RIGHT]}, CLOSE)
    assert found is not None
    assert found.part is RIGHT
    assert found.case == "for 5, entry 2 of 2"
    assert next_step("02.channel", found) == (
        'Work this case out by hand: for 5, entry 2 of 2. Or ask hint("02.channel").'
    )


def test_a_few_numbers_are_wanted_as_a_row():
    assert wanted((9, 2, -3), Tolerance()) == "(9, 2, -3)"
    assert wanted([0.5, 1.25], Tolerance(1e-3)) == "[0.5, 1.25], within 0.001"
    assert wanted(list(range(7)), Tolerance()) == "a list of 7 with the right values"


def test_what_is_wanted_gives_no_values_away():
    assert wanted(torch.full((2, 3), 0.123), Tolerance(1e-6)) == (
        "a tensor of shape (2, 3) with the right values, within 1e-06"
    )
    assert wanted(torch.ones(2), Tolerance(0, 0.01, dtype=True)) == (
        "a tensor of shape (2,) and dtype float32 with the right values, within 0.01 of each value"
    )


def test_descriptions_stay_short():
    assert len(describe("x" * 10_000)) <= 80
    assert describe({}) == "an empty dict"


@pytest.mark.parametrize(
    ("error", "beginning"),
    [
        (
            "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn",
            "The result is cut off",
        ),
        ("RuntimeError: The size of tensor a (3) must match the size of tensor b (4)", "Two tensors with shapes"),
        ("IndexError: index 7 is out of bounds for dimension 0 with size 5", "An index is larger"),
        ("TypeError: channel() takes 1 positional argument but 2 were given", "The function's parameters differ"),
        ("TypeError: sibling() takes 1 positional argument but 2 were given", ""),
        ("NameError: name 'math' is not defined", "A name is used"),
        (
            "TypeError: randint() received an invalid combination of arguments - got (int, tuple, torch._C.Generator), "
            "but expected one of:\n * (int high, tuple of ints size, *, Generator generator, torch.dtype dtype)",
            "A torch function was called with arguments",
        ),
        ("TypeError: only one element tensors can be converted to Python scalars", "A function for one number"),
        ("RuntimeError: stack expects each tensor to be equal size, but got [1] and [2]", "torch.stack needs tensors"),
        (
            "TypeError: channel.<locals>.<lambda>() takes 2 positional arguments but 3 were given",
            "A function that was handed over",
        ),
        ("ValueError: something else", ""),
    ],
)
def test_causes_of_errors(error, beginning):
    cause = cause_of_error(error, "channel")
    assert cause.startswith(beginning)
    assert bool(cause) == bool(beginning)
