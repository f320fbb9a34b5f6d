"""Wrong answers to lesson 00 that students give, each with the sentence that helps."""

import torch

from innervision.classroom.exercises import misconception


def _ends(image, dim=(-3, -2, -1)):
    return image.amin(dim=dim, keepdim=True), image.amax(dim=dim, keepdim=True)


def _stretched(image):
    low, high = _ends(image.detach())
    return torch.where(high > low, (image.detach() - low) / (high - low), 0.5)


@misconception(
    "00.to_displayable",
    "Cutting off (`clamp`) makes everything below 0 the same black; stretch the numbers so that none is lost.",
)
def clamps(image):
    return image.detach().clamp(0, 1).movedim(-3, -1)


@misconception(
    "00.to_displayable",
    "Dividing by the largest number leaves the negative ones negative; move the smallest number to 0 first.",
)
def divides_by_the_largest(image):
    return (image.detach() / _ends(image.detach())[1]).movedim(-3, -1)


@misconception(
    "00.to_displayable",
    "Once the smallest number is 0, the largest is no longer the old one: divide by largest − smallest.",
)
def divides_by_the_old_largest(image):
    low, high = _ends(image.detach())
    return ((image.detach() - low) / high).movedim(-3, -1)


@misconception(
    "00.to_displayable",
    "The whole batch got one smallest and one largest number, so a faint image beside a strong one stays grey; "
    "each image has its own.",
)
def stretches_the_batch_as_one(image):
    image = image.detach()
    span = image.max() - image.min()
    return (torch.full_like(image, 0.5) if span == 0 else (image - image.min()) / span).movedim(-3, -1)


@misconception(
    "00.to_displayable",
    "Red, green and blue were stretched one by one, and that changes the colours; "
    "the three share one smallest and one largest number.",
)
def stretches_each_colour(image):
    low, high = _ends(image.detach(), dim=(-2, -1))
    return torch.where(high > low, (image.detach() - low) / (high - low), 0.5).movedim(-3, -1)


@misconception(
    "00.to_displayable",
    "0 divided by 0 is NaN: when all numbers of an image are equal there is nothing to stretch, "
    "and the answer is 0.5 everywhere.",
)
def forgets_the_constant_image(image):
    low, high = _ends(image.detach())
    return ((image.detach() - low) / (high - low)).movedim(-3, -1)


@misconception(
    "00.to_displayable",
    "A sigmoid squeezes everything between 0 and 1 but does not use the whole range: "
    "a faint image stays grey, a strong one turns black and white.",
)
def squeezes_with_a_sigmoid(image):
    return torch.sigmoid(image.detach()).movedim(-3, -1)


@misconception(
    "00.to_displayable",
    "The colours are still on the first axis; matplotlib wants them last, and `movedim(-3, -1)` puts them there.",
)
def leaves_colours_first(image):
    return _stretched(image)


@misconception(
    "00.to_displayable",
    "Rows and columns were swapped too, so the picture lies on its side; only the colour axis moves.",
)
def swaps_rows_and_columns(image):
    return _stretched(image).transpose(-3, -1)


@misconception(
    "00.to_displayable",
    "`reshape` only cuts the same row of numbers differently and scrambles the picture; "
    "moving an axis is `movedim` or `permute`.",
)
def reshapes(image):
    *batch, colours, height, width = image.shape
    return _stretched(image).reshape(*batch, height, width, colours)


@misconception(
    "00.to_displayable",
    "The result still hangs on a gradient and matplotlib will refuse it; begin with `image.detach()`.",
)
def forgets_to_detach(image):
    low, high = _ends(image)
    return torch.where(high > low, (image - low) / (high - low), 0.5).movedim(-3, -1)


@misconception(
    "00.to_displayable",
    "The tensor that was handed in has been changed (`-=` and `/=` write into it); "
    "had it been a network's weights, the network would be broken now.",
)
def writes_into_its_input(image):
    image = image.detach()
    image -= image.amin(dim=(-3, -2, -1), keepdim=True)
    high = image.amax(dim=(-3, -2, -1), keepdim=True)
    image /= torch.where(high > 0, high, 1.0)
    image += torch.where(high > 0, 0.0, 0.5)
    return image.movedim(-3, -1)


@misconception(
    "00.top_predictions",
    "These are still logits; softmax turns the logits of an image into probabilities.",
)
def returns_logits(logits, names, count=3):
    values, places = logits.topk(count, dim=1)
    return _named(values, places, names)


@misconception(
    "00.top_predictions",
    "The softmax ran over the images (`dim=0`); the probabilities of ONE image over the classes must add up to 1.",
)
def softmax_over_the_batch(logits, names, count=3):
    values, places = logits.softmax(dim=0).topk(count, dim=1)
    return _named(values, places, names)


@misconception(
    "00.top_predictions",
    "The few largest were picked first and the softmax ran over them alone, "
    "so they add up to 1 and the other classes are forgotten.",
)
def softmax_over_the_few(logits, names, count=3):
    values, places = logits.topk(count, dim=1)
    return _named(values.softmax(dim=1), places, names)


@misconception(
    "00.top_predictions",
    "A sigmoid treats every class as a question of its own; here the ten compete, "
    "so their probabilities share one sum.",
)
def sigmoid_of_each(logits, names, count=3):
    values, places = torch.sigmoid(logits).topk(count, dim=1)
    return _named(values, places, names)


@misconception("00.top_predictions", "The order is reversed: the most likely class comes first.")
def least_likely_first(logits, names, count=3):
    return [guesses[::-1] for guesses in _right(logits, names, count)]


@misconception("00.top_predictions", "These are the least likely classes; take the largest probabilities.")
def the_least_likely(logits, names, count=3):
    values, places = logits.softmax(dim=1).topk(count, dim=1, largest=False)
    return _named(values, places, names)


@misconception("00.top_predictions", "These are per cent; a probability lies between 0 and 1.")
def in_percent(logits, names, count=3):
    return [[(name, 100 * value) for name, value in guesses] for guesses in _right(logits, names, count)]


@misconception("00.top_predictions", "The number of guesses is fixed at three; the caller decides it with `count`.")
def always_three(logits, names, count=3):
    return _right(logits, names, 3)


def _right(logits, names, count):
    values, places = logits.softmax(dim=1).topk(count, dim=1)
    return _named(values, places, names)


def _named(values, places, names):
    return [
        [(names[place], value) for value, place in zip(*pair, strict=True)]
        for pair in zip(values.tolist(), places.tolist(), strict=True)
    ]
