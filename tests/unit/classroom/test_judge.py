"""The judge in one process: comparisons, properties, misconceptions, and what a student reads."""

from __future__ import annotations

import linecache
import math

import pytest
import torch
from tests.unit.classroom.tiny import COURSE, SLUG

from innervision.classroom.exercises import Question, Variant, load_graders, mark_of
from innervision.classroom.judge import Judge, Trusted, derive_seed
from innervision.classroom.messages import Failed
from innervision.classroom.student import InProcess, Request, run_scenario
from innervision.optvis import objectives, penalties
from innervision.optvis.objectives import Objective


@pytest.fixture(scope="module")
def trusted():
    return Trusted(load_graders(SLUG, COURSE))


@pytest.fixture
def judge_of(trusted):
    """A judge of an exercise, for a student with these names."""

    def make(exercise: str, seed: int = 7, **names) -> Judge:
        graders = trusted.graders
        return Judge(exercise, InProcess(names, graders.functions, graders.scenarios), trusted, seed)

    return make


@pytest.fixture
def verdict(trusted, judge_of):
    """What the first check of an exercise says of a student with these names; None if nothing."""

    def find(exercise: str, number: int = 0, **names) -> Failed | None:
        check = trusted.graders.exercises[exercise][number]
        try:
            check.function(judge_of(exercise, **names))
        except Failed as failed:
            return failed
        return None

    return find


def right_channel(layer, channel):
    return Objective(lambda activations: activations[layer][:, channel].mean(dim=(1, 2)))


def test_right_answers_pass(verdict, trusted):
    assert verdict("99.channel", channel=right_channel) is None
    for variant in trusted.graders.alternatives["99.channel"]:
        assert verdict("99.channel", channel=variant.function) is None


def test_the_reference_passes_when_nobody_else_answers(trusted):
    graders = trusted.graders
    run = InProcess(None, graders.functions, graders.scenarios)
    for exercise, checks in graders.exercises.items():
        for check in checks[: 1 if exercise == "99.to_displayable" else None]:
            check.function(Judge(exercise, run, trusted, 3))


def test_every_misconception_fails_and_is_told_its_own_sentence(verdict, trusted):
    for exercise, variants in trusted.graders.misconceptions.items():
        for variant in variants:
            failed = verdict(exercise, **{exercise.partition(".")[2]: variant.function})
            assert failed is not None
            assert failed.message.cause == variant.sentence
            assert failed.status == ("error" if variant.name == "image_instead_of_channel" else "failed")


def test_another_wrong_answer_is_not_told_a_misconception(verdict):
    failed = verdict("99.channel", channel=lambda layer, channel: lambda a: 3 * right_channel(layer, channel)(a))
    assert failed is not None
    assert failed.misconceptions == ()
    assert failed.message.cause == "Every value is 3 times the expected one: is a mean a sum, or a scale missing?"


def shifted(by):
    return lambda layer, channel: lambda activations: right_channel(layer, channel)(activations) + by


def test_a_misconception_that_this_check_accepts_is_never_the_cause(judge_of, trusted, monkeypatch):
    accepted = Variant("99.channel", shifted(0.4), "never to be read")
    monkeypatch.setattr(trusted.graders, "misconceptions", {"99.channel": [accepted]})
    monkeypatch.setattr(trusted, "_answers", {})
    scenario = trusted.graders.scenarios["channel_of_random_activations"]
    with pytest.raises(Failed) as caught:
        judge_of("99.channel", channel=shifted(0.8))(scenario).close(atol=0.5)
    assert caught.value.misconceptions == ()
    assert caught.value.message.cause != accepted.sentence


def test_a_misconception_that_has_the_property_is_never_the_cause(judge_of, trusted, monkeypatch):
    # A list and a tuple count as equal, so that the two differ in the property alone.
    as_list = Variant("99.channel", lambda layer, channel: lambda activations: [1.0], "never to be read")
    monkeypatch.setattr(trusted.graders, "misconceptions", {"99.channel": [as_list]})
    monkeypatch.setattr(trusted, "_answers", {})
    scenario = trusted.graders.scenarios["channel_of_random_activations"]
    outcome = judge_of("99.channel", channel=lambda layer, channel: lambda activations: (1.0,))(scenario)
    with pytest.raises(Failed) as caught:
        outcome.satisfies(lambda value: isinstance(value, list), expected="a list")
    assert caught.value.misconceptions == ()


def test_a_message_has_four_parts(verdict):
    failed = verdict("99.channel", channel=lambda layer, channel: lambda a: -right_channel(layer, channel)(a))
    assert failed is not None
    first = failed.message.got.partition("first at [0]: ")
    assert first[0].startswith("a float32 tensor of shape (2,), values from ")
    assert first[1]
    assert str(failed) == (
        "Expected: a tensor of shape (2,) with the right values, within 1e-06\n"
        f"Got: {failed.message.got}\n"
        "Likely cause: The sign is wrong: the negative of the result is right.\n"
        'Next step: Work out the first differing value by hand on a tiny input. Or ask hint("99.channel").'
    )


def test_an_error_names_the_students_line_only_and_a_cause_that_is_known(judge_of, trusted):
    source = "def channel(layer, channel):\n    return lambda activations: activations[layer][:, 77]\n"
    names: dict = {}
    exec(compile(source, "<cell 99.channel>", "exec"), names)
    check = trusted.graders.exercises["99.channel"][0]
    with pytest.raises(Failed) as caught:
        check.function(judge_of("99.channel", channel=names["channel"]))
    assert caught.value.status == "error"
    assert caught.value.message.got == (
        "IndexError: index 77 is out of bounds for dimension 1 with size 5, at line 2 of cell 99.channel"
    )
    assert caught.value.message.cause == "An index is larger than the axis it counts along: is it the right axis?"


@pytest.mark.parametrize(
    ("function", "status", "got"),
    [
        (None, "missing", "there is no channel in the notebook"),
        (lambda layer, channel: ..., "error", "TypeError: 'ellipsis' object is not callable"),
        (lambda layer, channel: lambda activations: ..., "not done yet", "the three dots are still there"),
        (
            objectives.channel,
            "forbidden",
            "innervision's own channel was called, which cannot answer exercise 99.channel",
        ),
        (lambda layer, channel: exit(0), "error", "SystemExit: the code asks Python to end"),
    ],
)
def test_no_answer_is_a_status_and_a_sentence(verdict, function, status, got):
    failed = verdict("99.channel", **({} if function is None else {"channel": function}))
    assert failed is not None
    assert (failed.status, failed.message.got) == (status, got)


def defined(cell: str, source: str) -> dict:
    """What a cell of a notebook defines."""
    names: dict = {}
    filename = f"<cell {cell}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), names)
    return names


STUB = 'def channel(layer, channel):\n    """Text."""\n    # YOUR CODE HERE\n    raise NotImplementedError()\n'


def test_an_untouched_stub_is_not_done_yet(verdict):
    failed = verdict("99.channel", channel=defined("99.channel", STUB)["channel"])
    assert failed is not None
    assert failed.status == "not done yet"
    assert str(failed) == (
        "Expected: your own channel\n"
        "Got: the placeholder is still there, line 4 of cell 99.channel\n"
        'Next step: Replace the placeholder in cell 99.channel. To begin, ask hint("99.channel").'
    )


def test_whose_placeholder_it_is_when_a_function_calls_another(verdict):
    unit = defined("99.unit", STUB.replace("channel(", "unit("))["unit"]
    failed = verdict("99.channel", channel=lambda layer, channel: unit(layer, channel))
    assert failed is not None
    assert failed.status == "not done yet"
    assert str(failed) == (
        "Expected: channel gives an answer\n"
        "Got: the placeholder is still there, line 4 of cell 99.unit\n"
        "Likely cause: channel calls unit, which is not written yet.\n"
        "Next step: Write unit first."
    )


def test_an_answer_that_builds_on_an_unsolved_exercise_is_judged_by_itself():
    """The stub of the other exercise gives way to the library's function, and is back afterwards."""
    cells = (
        STUB.replace("channel(layer, channel)", "every_sum(modulus)")
        + "\ndef channel(modulus):\n    return every_sum(modulus)[1] + 0.5\n"
    )
    namespace: dict[str, object] = {}
    exec(compile(cells, "<cell 99.channel>", "exec"), namespace)
    stub = namespace["every_sum"]
    functions = {
        "99.channel": "innervision.optvis.objectives.channel",
        "99.sums": "innervision.learning.modular_addition.every_sum",
    }

    def ask(exercise, scenario):
        return run_scenario(scenario, Request(exercise, "s", 0), namespace, functions)

    answer = ask("99.channel", lambda student, generator: student.channel(3))
    assert answer.value.tolist() == [0.5, 1.5, 2.5, 1.5, 2.5, 0.5, 2.5, 0.5, 1.5]
    assert namespace["every_sum"] is stub
    assert ask("99.sums", lambda student, generator: student.every_sum(3)).status == "not done yet"


class EqualsEverything:
    def __eq__(self, other):
        return True

    def __torch_function__(self, *args, **kwargs):
        return torch.tensor(True)

    def __array__(self, *args):
        return torch.zeros(2).numpy()

    __hash__ = None


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.tensor(True)


@pytest.mark.parametrize("answer", [EqualsEverything(), torch.zeros(2).as_subclass(LyingTensor)])
def test_objects_that_claim_to_be_equal_lose_their_points(verdict, answer):
    failed = verdict("99.channel", channel=lambda layer, channel: lambda activations: answer)
    assert failed is not None
    assert failed.status == "failed"


def test_a_property_is_judged_and_a_predicate_that_breaks_is_no_crash(verdict):
    failed = verdict("99.to_displayable", to_displayable=lambda image: image)
    assert failed is not None
    assert failed.message.expected == "every number in [0, 1]"
    failed = verdict("99.to_displayable", to_displayable=lambda image: "picture")
    assert failed is not None
    assert failed.message.got == (
        "a dict with the keys shown; it cannot be examined (TypeError: '>=' not supported between instances of "
        "'str' and 'int')"
    )


def test_a_property_can_see_the_reference_and_explain_itself(judge_of, trusted):
    outcome = judge_of("99.channel", channel=right_channel)(trusted.graders.scenarios["channel_of_random_activations"])
    outcome.satisfies(lambda value, reference: bool((value - reference).abs().max() < 1e-6), expected="the same")
    with pytest.raises(Failed) as caught:
        outcome.satisfies(lambda value: "its first number is not 7", expected="seven")
    assert caught.value.message.got == "its first number is not 7"


def test_an_expected_value_can_be_drawn_from_the_scenarios_generator(judge_of, trusted):
    outcome = judge_of("99.channel", channel=right_channel)(trusted.graders.scenarios["channel_of_random_activations"])
    outcome.expect(lambda g: torch.randn(2, 5, 7, 6, generator=g)[:, 3].mean((1, 2)), atol=1e-6)
    with pytest.raises(Failed):
        outcome.expect(lambda g: torch.randn(2, 5, 7, 6, generator=g)[:, 2].mean((1, 2)), atol=1e-6)
    outcome.equals()


@pytest.mark.parametrize(
    ("variable", "given", "cause"),
    [
        ("99.q_first", "a", None),
        ("99.q_first", " A ", None),
        ("99.q_first", "b", "mixed3b reads mixed3a, so it comes after it."),
        ("99.q_first", 1, ""),
        ("99.q_count", 6, None),
        ("99.q_count", torch.tensor(6.3), None),
        ("99.q_count", 7.2, "The logits are no layer."),
        ("99.q_count", math.nan, ""),
        ("99.q_count", "6", "Between quotes it is a text. A number is written without them."),
        ("99.q_count", "six", ""),
        ("99.q_first", "6", ""),
        ("99.q_count", None, "The function returns nothing: is the return statement missing?"),
    ],
)
def test_answers_to_questions(judge_of, trusted, variable, given, cause):
    asked = trusted.graders.questions[variable]
    judge = judge_of(variable, **{asked.variable: given})
    if cause is None:
        judge.question(asked)
        return
    with pytest.raises(Failed) as caught:
        judge.question(asked)
    assert caught.value.status == "failed"
    assert caught.value.message.cause == ("" if given is None else cause)


def test_a_message_describes_the_part_that_differs_and_names_its_case(judge_of, trusted):
    scenario = trusted.graders.scenarios["channel_of_random_activations"]
    outcome = judge_of("99.channel", channel=lambda *_: lambda activations: {"for 3 layers": (6, 2, 1)})(scenario)
    with pytest.raises(Failed) as caught:
        outcome.expect({"for 3 layers": (7, 2, 1)}, atol=0)
    message = caught.value.message
    assert (message.expected, message.got) == (
        "for 3 layers: (7, 2, 1)",
        "for 3 layers: (6, 2, 1) where (7, 2, 1) is expected",
    )


def test_a_wrong_answer_may_be_an_earlier_one(judge_of, trusted):
    asked = trusted.graders.questions["99.q_first"]
    with pytest.raises(Failed) as caught:
        judge_of("99.q_first", answer_99_q_first="b").question(asked)
    assert caught.value.message.next_step.endswith(
        "If this is not what you wrote, the cell with your answer stopped with an error."
    )


def test_an_unanswered_question_is_not_done_yet(judge_of):
    asked = Question("99.q_first", 1, "a")
    with pytest.raises(Failed) as caught:
        judge_of("99.q_first", answer_99_q_first=...).question(asked)
    assert caught.value.status == "not done yet"


def test_seeds_depend_on_names_and_not_on_order():
    seeds = {derive_seed(5, exercise, name) for exercise in "abc" for name in "def"}
    assert len(seeds) == 9
    assert derive_seed(5, "a", "d") == derive_seed(5, "a", "d")
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_another_seed_asks_something_else(judge_of, trusted):
    scenario = trusted.graders.scenarios["channel_of_random_activations"]
    first, again, other = (
        judge_of("99.channel", seed=seed, channel=right_channel)(scenario).value for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_library_is_as_before_after_judging(verdict):
    code = penalties.total_variation.__code__
    verdict("99.total_variation", total_variation=lambda images: penalties.total_variation(images))
    assert penalties.total_variation.__code__ is code


def test_functions_of_other_exercises_come_from_the_student_or_else_the_library(trusted):
    graders = trusted.graders
    scenario = graders.scenarios["restlessness_of_a_plain_image"]
    run = InProcess({"channel": right_channel}, graders.functions, graders.scenarios)
    value = Judge("99.channel", run, trusted, 1)(scenario).value
    assert float(value) == 0.0


def test_a_question_is_a_pytest_test_too(judge_of):
    from innervision.classroom.exercises import question

    test = question("99.q_first", points=1, answer="a")
    assert mark_of(test).id == "99.q_first"
    test(judge_of("99.q_first", answer_99_q_first="a"))
