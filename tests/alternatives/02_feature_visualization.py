"""Right answers to lesson 02 in another style, which every grader must accept."""

import math

import torch
import torch.nn.functional as F
import torchvision.transforms.functional as vision
from einops import rearrange, reduce

from innervision.classroom.exercises import alternative


@alternative("02.channel")
def channel_with_einops(layer, channel):
    def objective(activations):
        return reduce(activations[layer], "batch channel height width -> batch channel", "mean")[:, channel]

    return objective


@alternative("02.channel")
def channel_with_a_loop(layer, channel):
    def objective(activations):
        means = []
        for activation in activations[layer].double():
            height, width = activation.shape[1:]
            means.append(activation[channel].sum() / (height * width))
        return torch.stack(means)

    return objective


@alternative("02.unit")
def unit_from_the_flat_activation(layer, channel, row=None, column=None):
    def objective(activations):
        _, _, height, width = activations[layer].shape
        place = (height // 2 if row is None else row) * width + (width // 2 if column is None else column)
        return activations[layer].flatten(2)[:, channel, place]

    return objective


@alternative("02.unit")
def unit_with_a_mask(layer, channel, row=None, column=None):
    def objective(activations):
        activation = activations[layer].double()
        mask = torch.zeros(activation.shape[1:], dtype=activation.dtype)
        mask[channel, mask.shape[1] // 2 if row is None else row, mask.shape[2] // 2 if column is None else column] = 1
        return torch.einsum("bchw,chw->b", activation, mask)

    return objective


@alternative("02.ascend")
def ascend_with_backward(images, score, step_size):
    images = images.clone().detach().requires_grad_()
    score(images).sum().backward()
    lengths = images.grad.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    step = torch.where(lengths > 0, images.grad / lengths, torch.zeros_like(images.grad))
    return images.detach() + step_size * step


@alternative("02.ascend")
def ascend_image_by_image_in_float64(images, score, step_size):
    variable = images.detach().double().requires_grad_()
    gradient = torch.autograd.grad(score(variable).sum(), variable)[0]
    moved = []
    for image, slope in zip(variable.detach(), gradient, strict=True):
        length = math.sqrt(float((slope**2).sum()))
        moved.append(image + step_size / length * slope if length > 0 else image)
    return torch.stack(moved)


@alternative("02.fourier_image")
def waves_with_hypot_and_a_backward_norm(coefficients, size):
    height, width = size
    frequency = torch.hypot(torch.fft.fftfreq(height).view(-1, 1), torch.fft.rfftfreq(width).view(1, -1))
    scaled = coefficients / torch.maximum(frequency, torch.tensor(1 / max(size)))
    return torch.fft.irfft2(scaled, s=(height, width)) * math.sqrt(height * width)


@alternative("02.fourier_image")
def waves_one_axis_after_the_other(coefficients, size):
    height, width = size
    rows = torch.tensor([row if row <= (height - 1) // 2 else row - height for row in range(height)]) / height
    columns = torch.arange(width // 2 + 1).double() / width
    frequency = (rows.double()[:, None] ** 2 + columns**2) ** 0.5
    frequency[0, 0] = 1 / max(height, width)
    columns_done = torch.fft.ifft(coefficients / frequency, dim=-2, norm="ortho")
    return torch.fft.irfft(columns_done, n=width, dim=-1, norm="ortho")


@alternative("02.color_correlation")
def root_by_cholesky(images):
    pixels = rearrange(images.double(), "batch color height width -> (batch height width) color")
    centred = pixels - pixels.mean(dim=0)
    return torch.linalg.cholesky(centred.T @ centred / len(centred))


@alternative("02.color_correlation")
def symmetric_root(images):
    values, vectors = torch.linalg.eigh(torch.cov(images.permute(1, 0, 2, 3).reshape(3, -1)))
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


@alternative("02.color_correlation")
def root_from_the_pixels_themselves(images):
    pixels = images.movedim(1, 0).flatten(1)
    centred = pixels - pixels.mean(dim=1, keepdim=True)
    directions, strengths, _ = torch.linalg.svd(centred, full_matrices=False)
    return directions @ torch.diag(strengths) / pixels.shape[1] ** 0.5


@alternative("02.jitter")
def jitter_column_first(pixels):
    def transform(images, generator):
        column = int(torch.randint(0, pixels + 1, (1,), generator=generator))
        row = int(torch.randint(0, pixels + 1, (1,), generator=generator))
        _, _, height, width = images.shape
        return images.narrow(2, row, height - pixels).narrow(3, column, width - pixels)

    return transform


@alternative("02.jitter")
def jitter_from_uniform_numbers(pixels):
    def transform(images, generator):
        top, left = (torch.rand(2, generator=generator) * (pixels + 1)).floor().long().clamp(max=pixels)
        bottom, right = images.shape[2] - pixels + top, images.shape[3] - pixels + left
        return images[..., top:bottom, left:right].clone()

    return transform


@alternative("02.random_scale")
def scale_by_a_permutation(factors):
    def transform(images, generator):
        factor = list(factors)[torch.randperm(len(factors), generator=generator)[0]]
        height, width = images.shape[-2:]
        return F.interpolate(images, (math.floor(height * factor), math.floor(width * factor)), mode="bilinear")

    return transform


@alternative("02.random_scale")
def scale_with_torchvision_in_float64(factors):
    def transform(images, generator):
        place = int(torch.rand((), generator=generator).item() * len(factors))
        size = [int(side * factors[place]) for side in images.shape[2:]]
        return vision.resize(images.double(), size, vision.InterpolationMode.BILINEAR, antialias=False)

    return transform


@alternative("02.random_rotate")
def rotate_with_torchvision(degrees):
    def transform(images, generator):
        angle = float(degrees[torch.randint(0, len(degrees), (1,), generator=generator).item()])
        return vision.rotate(images, angle, vision.InterpolationMode.BILINEAR, fill=[0.5, 0.5, 0.5])

    return transform


@alternative("02.random_rotate")
def rotate_pixel_coordinates(degrees):
    def transform(images, generator):
        place = int(torch.rand((), generator=generator) * len(degrees))
        angle = torch.deg2rad(torch.tensor(float(degrees[place]), dtype=torch.float64))
        height, width = images.shape[2:]
        rows = (torch.arange(height).double() + 0.5 - height / 2).view(-1, 1).expand(height, width)
        columns = (torch.arange(width).double() + 0.5 - width / 2).expand(height, width)
        from_columns = angle.cos() * columns - angle.sin() * rows
        from_rows = angle.sin() * columns + angle.cos() * rows
        grid = torch.stack([from_columns / (width / 2), from_rows / (height / 2)], dim=-1)
        grid = grid.expand(len(images), height, width, 2)
        return F.grid_sample(images.double() - 0.5, grid, align_corners=False) + 0.5

    return transform


@alternative("02.compose")
def compose_by_recursion(transforms):
    def transform(images, generator):
        if not transforms:
            return images
        first, *others = transforms
        return compose_by_recursion(others)(first(images, generator), generator)

    return transform


@alternative("02.compose")
def compose_with_reduce(transforms):
    from functools import reduce as fold

    return lambda images, generator: fold(lambda so_far, step: step(so_far, generator), transforms, images)


@alternative("02.redirected_relu")
def redirect_image_by_image(values, gradient):
    sent = []
    for value, slope in zip(values, gradient, strict=True):
        own = slope * (value > 0)
        sent.append(own if own.abs().sum() > 0 else slope.relu())
    return torch.stack(sent)


@alternative("02.redirected_relu")
def redirect_with_norms_as_lucid_does(values, gradient):
    own = torch.where(values < 0, torch.zeros_like(gradient), gradient)
    redirected = torch.where((values < 0) & (gradient < 0), torch.zeros_like(gradient), gradient)
    length = own.double().flatten(1).norm(dim=1).reshape(-1, *[1] * (values.dim() - 1))
    return torch.where(length > 0, own, redirected)


@alternative("02.total_variation")
def variation_with_diff(images):
    return images.diff(dim=2).abs().flatten(1).mean(1) + images.diff(dim=3).abs().flatten(1).mean(1)


@alternative("02.total_variation")
def variation_with_loops_in_float64(images):
    numbers = []
    for image in images.double():
        height, width = image.shape[1:]
        down = sum((image[:, row + 1] - image[:, row]).abs().sum() for row in range(height - 1))
        right = sum((image[:, :, column + 1] - image[:, :, column]).abs().sum() for column in range(width - 1))
        numbers.append(down / (3 * (height - 1) * width) + right / (3 * height * (width - 1)))
    return torch.stack(numbers)


@alternative("02.render")
def maximize_a_negative_loss(parameters, image, transform, score, *, steps, learning_rate, generator):
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    history = []
    for _ in range(steps):
        loss = -score(transform(image(), generator))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        history.append(-loss.detach())
    return torch.stack(history)


@alternative("02.render")
def maximize_with_adam_by_hand(parameters, image, transform, score, *, steps, learning_rate, generator):
    means = [torch.zeros_like(parameter) for parameter in parameters]
    squares = [torch.zeros_like(parameter) for parameter in parameters]
    history = []
    for step in range(1, steps + 1):
        scores = score(transform(image(), generator))
        history.append(scores.detach().double())
        gradients = torch.autograd.grad(scores.sum(), parameters)
        with torch.no_grad():
            for parameter, gradient, mean, square in zip(parameters, gradients, means, squares, strict=True):
                mean.mul_(0.9).add_(0.1 * gradient)
                square.mul_(0.999).add_(0.001 * gradient**2)
                parameter += learning_rate * (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
    return torch.stack(history)
