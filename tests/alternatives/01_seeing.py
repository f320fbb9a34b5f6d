"""Right answers to lesson 01 in another style, which every grader must accept."""

import cmath
import math
from functools import reduce

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from innervision.classroom.exercises import alternative

# ---------------------------------------------------------------- convolution


@alternative("01.conv2d_by_hand")
def convolve_over_the_kernels_places(images, kernels, padding=0):
    images = F.pad(images, [padding] * 4)
    rows, columns = kernels.shape[-2:]
    height, width = images.shape[-2] - rows + 1, images.shape[-1] - columns + 1
    matches = 0
    for row in range(rows):
        for column in range(columns):
            seen = images[..., row : row + height, column : column + width]
            matches = matches + torch.einsum("bchw,oc->bohw", seen, kernels[:, :, row, column])
    return matches


@alternative("01.conv2d_by_hand")
def convolve_with_unfold_in_float64(images, kernels, padding=0):
    framed = torch.zeros(*images.shape[:2], *(side + 2 * padding for side in images.shape[2:]), dtype=torch.float64)
    framed[:, :, padding : padding + images.shape[2], padding : padding + images.shape[3]] = images
    patches = framed.unfold(2, kernels.shape[2], 1).unfold(3, kernels.shape[3], 1)
    return torch.einsum("bchwij,ocij->bohw", patches, kernels.double())


@alternative("01.conv2d_by_hand")
def convolve_as_one_matrix(images, kernels, padding=0):
    columns = F.unfold(images, kernels.shape[2:], padding=padding)  # (batch, numbers of a patch, places)
    matches = kernels.flatten(1) @ columns
    return matches.view(len(images), len(kernels), -1, images.shape[3] + 2 * padding - kernels.shape[3] + 1)


@alternative("01.conv2d_by_hand")
def convolve_with_four_loops(images, kernels, padding=0):
    images = F.pad(images, (padding,) * 4, value=0.0)
    height, width = (images.shape[axis] - kernels.shape[axis] + 1 for axis in (2, 3))
    matches = torch.empty(images.shape[0], kernels.shape[0], height, width)
    for image in range(images.shape[0]):
        for kernel in range(kernels.shape[0]):
            for row in range(height):
                for column in range(width):
                    bottom, right = row + kernels.shape[2], column + kernels.shape[3]
                    patch = images[image, :, row:bottom, column:right]
                    matches[image, kernel, row, column] = (patch * kernels[kernel]).sum()
    return matches


# ---------------------------------------------------------------- threshold


@alternative("01.relu_threshold")
def threshold_with_relu(matches, bias):
    return torch.relu(matches + bias[None, :, None, None])


@alternative("01.relu_threshold")
def threshold_with_where_in_float64(matches, bias):
    threshold = -bias.double().reshape(1, -1, 1, 1)
    return torch.where(matches > threshold, matches.double() - threshold, torch.zeros(()).double())


@alternative("01.relu_threshold")
def threshold_kernel_by_kernel(matches, bias):
    maps = [torch.maximum(matches[:, i] + one, torch.zeros_like(matches[:, i])) for i, one in enumerate(bias)]
    return torch.stack(maps, dim=1)


# ---------------------------------------------------------------- Gabor kernels


@alternative("01.gabor_kernel")
def gabor_with_a_grid(orientation, frequency, phase, size):
    rows, columns = torch.meshgrid(torch.arange(size).float(), torch.arange(size).float(), indexing="ij")
    x, y = columns - (size - 1) / 2, (size - 1) / 2 - rows
    theta, shift = torch.deg2rad(torch.tensor([orientation, phase], dtype=torch.float32))
    wave = torch.cos(2 * torch.pi * frequency * (x * torch.cos(theta) + y * torch.sin(theta)) + shift)
    kernel = torch.exp(-0.5 * (x**2 + y**2) / (size / 4) ** 2) * wave
    return F.normalize((kernel - kernel.mean()).flatten(), dim=0).view(size, size)


@alternative("01.gabor_kernel")
def gabor_with_loops_and_complex_numbers(orientation, frequency, phase, size):
    direction = cmath.exp(1j * math.radians(orientation))
    numbers = []
    for row in range(size):
        for column in range(size):
            place = complex(column - (size - 1) / 2, (size - 1) / 2 - row)
            along = (place * direction.conjugate()).real
            wave = cmath.exp(1j * (math.tau * frequency * along + math.radians(phase))).real
            numbers.append(wave * math.exp(-(abs(place) ** 2) / (2 * (size / 4) ** 2)))
    mean = sum(numbers) / len(numbers)
    length = math.sqrt(sum((number - mean) ** 2 for number in numbers))
    return torch.tensor([(number - mean) / length for number in numbers], dtype=torch.float64).reshape(size, size)


@alternative("01.gabor_kernel")
def gabor_with_linspace(orientation, frequency, phase, size):
    x = torch.linspace(-(size - 1) / 2, (size - 1) / 2, size)
    y = x.flip(0).unsqueeze(1)
    bell = torch.exp(-((x / (size / 4)) ** 2) / 2) * torch.exp(-((y / (size / 4)) ** 2) / 2)
    angle = orientation * math.pi / 180
    wave = torch.sin(math.tau * frequency * (math.cos(angle) * x + math.sin(angle) * y) + (phase + 90) * math.pi / 180)
    kernel = bell * wave
    kernel -= kernel.mean()
    return kernel / kernel.square().sum().sqrt()


# ---------------------------------------------------------------- a look inside


@alternative("01.capture")
def capture_with_a_block(model, images, layer):
    seen = {}

    def hook(module, given, output):
        if "output" not in seen:
            seen["output"] = output.clone()

    with dict(model.named_modules())[layer].register_forward_hook(hook):
        model(images)
    return seen["output"]


@alternative("01.capture")
def capture_through_forward_itself(model, images, layer):
    module, seen = model.get_submodule(layer), []
    forward = module.forward

    def watched(*inputs):
        output = forward(*inputs)
        seen.append(output + 0)
        return output

    module.forward = watched
    try:
        model(images)
    finally:
        del module.forward
    return seen[0]


@alternative("01.capture")
def capture_with_a_hook_on_all_modules(model, images, layer):
    wanted, seen = model.get_submodule(layer), []

    def hook(module, given, output):
        if module is wanted:
            seen.append(output.clone())

    handle = nn.modules.module.register_module_forward_hook(hook)
    try:
        model(images)
    finally:
        handle.remove()
    return seen[0]


# ---------------------------------------------------------------- receptive fields


@alternative("01.receptive_field")
def field_followed_backwards(layers):
    def seen_by(unit):
        first = last = unit
        for kernel, stride, padding in reversed(list(layers)):
            first = first * stride - padding
            last = last * stride - padding + kernel - 1
        return first, last

    (first, last), (second, _) = seen_by(0), seen_by(1)
    return last - first + 1, second - first, first


@alternative("01.receptive_field")
def field_from_products_of_strides(layers):
    kernels, strides, paddings = (np.array([layer[i] for layer in layers], dtype=int) for i in range(3))
    jumps = np.concatenate([[1], np.cumprod(strides)]).astype(int)
    return int(1 + ((kernels - 1) * jumps[:-1]).sum()), int(jumps[-1]), int(-(paddings * jumps[:-1]).sum())


@alternative("01.receptive_field")
def field_by_folding(layers):
    def behind(field, layer):
        size, jump, start = field
        kernel, stride, padding = layer
        return [size + (kernel - 1) * jump, jump * stride, start - padding * jump]

    return reduce(behind, layers, [1, 1, 0])


# ---------------------------------------------------------------- a block of branches


@alternative("01.inception_forward")
def block_from_a_table(hidden, layers):
    chains = [["1x1"], ["3x3_bottleneck", "3x3"], ["5x5_bottleneck", "5x5"], ["pool", "pool_reduce"]]
    return torch.cat([reduce(lambda x, name: layers[name](x), chain, hidden) for chain in chains], 1)


@alternative("01.inception_forward")
def block_written_into_one_tensor(hidden, layers):
    pooled = layers["pool_reduce"](layers["pool"](hidden)).double()
    five = layers["5x5"](layers["5x5_bottleneck"](hidden)).double()
    three = layers["3x3"](layers["3x3_bottleneck"](hidden)).double()
    branches = [layers["1x1"](hidden).double(), three, five, pooled]
    ends = np.cumsum([0, *(branch.shape[1] for branch in branches)])
    joined = torch.zeros(len(hidden), int(ends[-1]), *branches[0].shape[2:], dtype=torch.float64)
    for start, end, branch in zip(ends[:-1], ends[1:], branches, strict=True):
        joined[:, start:end] = branch
    return joined


# ---------------------------------------------------------------- what it costs


@alternative("01.parameter_count")
def count_in_a_loop(convolutions):
    total = 0
    for inputs, outputs, kernel in convolutions:
        weights = inputs * outputs * kernel * kernel
        biases = outputs
        total += weights + biases
    return total


@alternative("01.parameter_count")
def count_with_numpy(convolutions):
    inputs, outputs, kernels = np.array(convolutions, dtype=int).reshape(-1, 3).T
    return int((inputs * outputs * kernels**2).sum() + outputs.sum())
