"""Right answers to lesson 00, written in another style."""

import math

import torch
from einops import rearrange, reduce

from innervision.classroom.exercises import alternative


@alternative("00.to_displayable")
def one_image_at_a_time(image):
    shown = []
    for single in image.detach().reshape(-1, *image.shape[-3:]):
        low, high = float(single.min()), float(single.max())
        picture = torch.full_like(single, 0.5) if low == high else (single - low) / (high - low)
        shown.append(picture.permute(1, 2, 0))
    return torch.stack(shown).reshape(*image.shape[:-3], *shown[0].shape)


@alternative("00.to_displayable")
def in_double_precision(image):
    flat = image.detach().double().flatten(start_dim=-3)
    low, high = torch.aminmax(flat, dim=-1, keepdim=True)
    stretched = (flat - low) / (high - low).clamp_min(torch.finfo(torch.float64).tiny)
    return torch.where(high == low, 0.5, stretched).reshape(image.shape).movedim(-3, -1)


@alternative("00.to_displayable")
def with_einops(image):
    image = rearrange(image.detach(), "... colour row column -> ... row column colour")
    low = reduce(image, "... row column colour -> ... 1 1 1", "min")
    high = reduce(image, "... row column colour -> ... 1 1 1", "max")
    return ((image - low) / (high - low)).nan_to_num(nan=0.5)


@alternative("00.to_displayable")
def as_a_line_through_two_points(image):
    with torch.no_grad():
        flat = image.flatten(start_dim=-3)
        low, high = flat.min(-1).values, flat.max(-1).values
        equal = low == high
        slope = torch.where(equal, 0.0, 1 / (high - low))
        offset = torch.where(equal, 0.5, -low * slope)
        return (image * slope[..., None, None, None] + offset[..., None, None, None]).movedim(-3, -1)


@alternative("00.top_predictions")
def in_plain_python(logits, names, count=3):
    answers = []
    for row in logits.tolist():
        weights = [math.exp(value - max(row)) for value in row]
        pairs = [(name, weight / sum(weights)) for name, weight in zip(names, weights, strict=True)]
        answers.append(sorted(pairs, key=lambda pair: -pair[1])[:count])
    return answers


@alternative("00.top_predictions")
def sorts_everything(logits, names, count=3):
    probabilities = logits.double().log_softmax(dim=-1).exp()
    order = probabilities.argsort(dim=-1, descending=True)[:, :count]
    return [
        [(names[int(place)], probabilities[image, place].item()) for place in places]
        for image, places in enumerate(order)
    ]


@alternative("00.top_predictions")
def divides_by_hand(logits, names, count=3):
    powers = torch.exp(logits)
    probabilities = powers / powers.sum(dim=1, keepdim=True)
    values, places = torch.topk(probabilities, count)
    return [
        [(names[places[image, rank]], float(values[image, rank])) for rank in range(count)]
        for image in range(len(logits))
    ]
