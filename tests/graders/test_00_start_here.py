"""Lesson 00: numbers into a picture, logits into names, and what a probability does not mean."""

import functools

import torch

from innervision.classroom.exercises import exercise, question, scenario
from innervision.data.sample import load_sample
from innervision.models import load

NAMES = ["ant", "bee", "cat", "dog", "eel", "fox"]


def ranks(generator):
    """An image in which each of the numbers 0 to 17 occurs once."""
    return torch.randperm(18, generator=generator).view(3, 2, 3).float()


@scenario
def one_image_with_known_range(student, generator):
    return student.to_displayable(ranks(generator) / 4 - 2)


@scenario
def images_of_different_ranges(student, generator):
    images = torch.randn(3, 3, 4, 5, generator=generator)
    images = images * torch.tensor([0.01, 1.0, 30.0]).view(3, 1, 1, 1) + torch.tensor([0.0, 7.0, -9.0]).view(3, 1, 1, 1)
    given = images.clone()
    return {"shown": student.to_displayable(given), "given, afterwards": given}


@scenario
def one_image_of_equal_numbers(student, generator):
    images = torch.randn(2, 3, 4, 4, generator=generator)
    images[1] = torch.randn((), generator=generator)
    return student.to_displayable(images)


@scenario
def an_image_that_is_being_optimised(student, generator):
    image = torch.randn(3, 4, 5, generator=generator).requires_grad_()
    shown = student.to_displayable(image)
    return {"shown": shown, "still hangs on a gradient": shown.requires_grad}


@exercise("00.to_displayable", points=1)
def test_smallest_becomes_0_and_largest_1(judge):
    judge(one_image_with_known_range).expect(lambda generator: ranks(generator).movedim(0, -1) / 17, atol=1e-6)


@exercise("00.to_displayable", points=1)
def test_each_image_is_stretched_by_itself(judge):
    # The third image is about 200 wide in float32: either order of arithmetic rounds by less than 1e-5 of that.
    judge(images_of_different_ranges).close(atol=1e-5)


@exercise("00.to_displayable", points=1)
def test_equal_numbers_become_middle_grey(judge):
    judge(one_image_of_equal_numbers).close(atol=1e-6)


@exercise("00.to_displayable", points=1)
def test_matplotlib_can_have_it(judge):
    judge(an_image_that_is_being_optimised).close(atol=1e-6)


SHARES = torch.tensor([[0.40, 0.20, 0.15, 0.12, 0.08, 0.05], [0.70, 0.16, 0.05, 0.04, 0.03, 0.02]])


def rankings(generator):
    """For two images: the classes from most to least likely."""
    return torch.stack([torch.randperm(6, generator=generator) for _ in SHARES])


@scenario
def probabilities_known_by_construction(student, generator):
    shares = torch.zeros(2, 6).scatter(1, rankings(generator), SHARES)
    # Adding a number to all logits of an image changes no probability.
    return student.top_predictions(shares.log() + torch.tensor([[3.0], [-2.0]]), NAMES)


@scenario
def random_logits(student, generator):
    return student.top_predictions(2 * torch.randn(4, 6, generator=generator), NAMES, 5)


@scenario
def one_image_one_answer(student, generator):
    return student.top_predictions(2 * torch.randn(1, 6, generator=generator), NAMES, 1)


@exercise("00.top_predictions", points=1)
def test_known_probabilities(judge):
    judge(probabilities_known_by_construction).expect(
        lambda generator: [
            [(NAMES[index], float(share)) for index, share in zip(order[:3], shares, strict=False)]
            for order, shares in zip(rankings(generator).tolist(), SHARES, strict=True)
        ],
        atol=1e-5,
    )


@exercise("00.top_predictions", points=1)
def test_as_many_as_asked_for_most_likely_first(judge):
    judge(random_logits).close(atol=1e-5)


@exercise("00.top_predictions", points=1)
def test_a_single_image_and_a_single_answer(judge):
    judge(one_image_one_answer).close(atol=1e-5)


@functools.cache  # four numbers below ask for it
def _confidence_and_rightness():
    sample, network = load_sample(), load("mini")
    # A hundred at a time, colours last: a third of the time, since pooling is slow where colours come first.
    images = (sample.images / 255).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        sure, answer = torch.cat([network(part) for part in images.split(100)]).softmax(dim=1).max(dim=1)
    return sure, answer == sample.labels


def most_confident_mistake():
    """The largest probability that mini gives to a wrong class on the sample."""
    sure, right = _confidence_and_rightness()
    return float(sure[~right].max())


def share_of_mistakes():
    return 1 - float(_confidence_and_rightness()[1].float().mean())


test_q_noise = question(
    "00.q_noise",
    points=1,
    answer="b",
    wrong={
        "a": "The number says nothing about places in the image. "
        "It is one of ten shares of one whole, and they always add up to 1.",
        "c": "You have just fed it noise, and none of it shows a frog. "
        "How often it is right when it says 0.60 must be counted on images; the formula does not promise it.",
        "d": "0.10 each would need ten equal logits. "
        "Training rewarded the right name on photographs; nothing ever asked for equal logits elsewhere.",
    },
)

test_q_most_confident_mistake = question(
    "00.q_most_confident_mistake",
    points=1,
    answer=most_confident_mistake,
    atol=0.006,  # two digits were asked for
    wrong=[
        (lambda: 100 * most_confident_mistake(), "That looks like per cent. A probability lies between 0 and 1."),
        (share_of_mistakes, "That is the share of photographs it got wrong. Asked was how sure it was of one of them."),
        (lambda: 1 - most_confident_mistake(), "That is what was left for the other nine classes together."),
    ],
)
