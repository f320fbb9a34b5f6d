"""Six answers to lesson 02 as a student might write them: two right, two mistaken, one crashes, one never ends.

``demo.py`` puts the text of each function into the exercise's cell of the student notebook.
"""

import torch
import torch.nn.functional as F


def channel(layer, channel):
    return lambda activations: activations[layer][:, channel].mean(dim=(1, 2))


def total_variation(images):
    down = torch.diff(images, dim=2).abs().mean(dim=(1, 2, 3))
    right = torch.diff(images, dim=3).abs().mean(dim=(1, 2, 3))
    return down + right


def ascend(images, score, step_size):
    # A mistake: this goes downhill, as training does.
    images = images.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(score(images).sum(), images)
    length = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)
    return (images - step_size * gradient / length[:, None, None, None]).detach()


def jitter(pixels):
    # A mistake: the gap is filled with black.
    def jittered(images, generator):
        row, column = torch.randint(pixels + 1, (2,), generator=generator).tolist()
        shifted = torch.zeros_like(images)
        height, width = images.shape[2:]
        shifted[:, :, : height - row, : width - column] = images[:, :, row:, column:]
        return shifted

    return jittered


def random_scale(factors):
    # A crash: a size is a whole number.
    def scaled(images, generator):
        factor = factors[int(torch.randint(len(factors), (), generator=generator))]
        size = (images.shape[2] * factor, images.shape[3] * factor)
        return F.interpolate(images, size=size, mode="bilinear")

    return scaled


def maximize(parameters, image, transform, score, *, steps, learning_rate, generator):
    # An infinite loop: nobody counts the steps.
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, maximize=True)
    history, step = [], 0
    while step < steps:
        optimizer.zero_grad()
        scores = score(transform(image(), generator))
        scores.sum().backward()
        optimizer.step()
        history = [scores.detach()]
    return torch.stack(history)
