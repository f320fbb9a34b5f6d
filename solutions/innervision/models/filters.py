"""What one layer does, in a few lines: a kernel is matched with every place, a bias is the threshold.

And Gabor kernels, the yardstick for what a first layer has learned.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def conv2d_by_hand(
    images: Float[Tensor, "batch channel height width"],
    kernels: Float[Tensor, "kernel channel rows columns"],
    padding: int = 0,
) -> Float[Tensor, "batch kernel new_height new_width"]:
    """How well does each kernel match each place of an image? Multiply, add up, move on by one pixel.

    Kernels are not turned over: the number at a kernel's left meets the pixel at the patch's left. Networks
    call this convolution; in signal processing it is called cross-correlation.

    Args:
        images: Pixels, or the activations of another layer; any range.
        kernels: As many channels as the images have; any height and width, also even ones.
        padding: Zeros put around the images, on each of the four sides.

    Returns:
        One map of matches for each kernel. The number at (row, column) is the sum, over all channels, of kernel
        times patch, where the patch has its upper left corner at (row, column) of the padded image. Patches
        stay inside, so ``new_height = height + 2 * padding - rows + 1``, and the width likewise.

    Example:
        >>> image = torch.tensor([0.0, 1.0, 3.0, 6.0]).view(1, 1, 1, 4)  # one image, one channel, one row
        >>> conv2d_by_hand(image, torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2))
        tensor([[[[1., 2., 3.]]]])

    Source:
        LeCun et al., "Backpropagation applied to handwritten zip code recognition", 1989 (one set of learned
        weights used at every place).
    """
    images = F.pad(images, (padding, padding, padding, padding))
    rows, columns = kernels.shape[2:]
    new_height, new_width = images.shape[2] - rows + 1, images.shape[3] - columns + 1
    matches = images.new_zeros(len(images), len(kernels), new_height, new_width)
    for row in range(new_height):
        for column in range(new_width):
            patches = images[:, None, :, row : row + rows, column : column + columns]
            matches[:, :, row, column] = (patches * kernels).sum(dim=(2, 3, 4))
    return matches


def relu_threshold(
    matches: Float[Tensor, "batch kernel height width"], bias: Float[Tensor, "kernel"]
) -> Float[Tensor, "batch kernel height width"]:
    """What a unit puts out: by how much its match exceeds a threshold, and 0 where it does not.

    The bias is the threshold with its sign turned: a bias of -2 lets a match of 5 out as 3, and a match of 1 as 0.

    Args:
        matches: Any range, one map for each kernel.
        bias: One number for each kernel, any range; positive ones let even a match of 0 pass.

    Returns:
        Activations ≥ 0, same shape as the matches.

    Example:
        >>> matches = torch.tensor([5.0, 1.0, -3.0]).view(1, 1, 1, 3)
        >>> relu_threshold(matches, bias=torch.tensor([-2.0]))
        tensor([[[[3., 0., 0.]]]])

    Source:
        Nair, Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.
    """
    return (matches + bias.view(-1, 1, 1)).clamp(min=0)


def gabor_kernel(orientation: float, frequency: float, phase: float, size: int) -> Float[Tensor, "size size"]:
    """A Gabor kernel: a wave that fades towards the edges, so a patch of stripes.

    At a pixel that lies ``right`` and ``up`` of the middle, the wave is
    ``cos(2π · frequency · (right · cos θ + up · sin θ) + phase)`` with θ = orientation. It is multiplied by
    ``exp(-(right² + up²) / (2 · σ²))`` with σ = size / 4. Then the kernel's mean is taken away, so that plain grey
    gives no match, and it is divided by its length (the root of the sum of squares), so that its own match with
    itself is 1.

    Args:
        orientation: Direction in which the wave runs, in degrees, against the clock: 0 is to the right (upright
            stripes), 90 is up (lying stripes).
        frequency: Waves per pixel, above 0 and below 0.5; 0.25 is a wave of four pixels.
        phase: Degrees. 0 puts a bright stripe into the middle, 180 a dark one, 90 and 270 an edge.
        size: Pixels along each side, at least 2. The middle of an even size lies between pixels.

    Returns:
        A kernel with mean 0 and length 1. Row 0 is the top.

    Example:
        >>> gabor_kernel(0, 0.25, 0, 3)  # a bright upright stripe between two dark ones
        tensor([[-0.2057,  0.2119, -0.2057],
                [-0.2057,  0.8102, -0.2057],
                [-0.2057,  0.2119, -0.2057]])

    Source:
        Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation …", 1985. The
        width σ is our choice; it leaves 28 % of the wave at the middle of each edge of a 5×5 kernel.
    """
    right = torch.arange(size) - (size - 1) / 2
    up = -right[:, None]  # rows are counted downwards
    angle = math.radians(orientation)
    along = right * math.cos(angle) + up * math.sin(angle)
    wave = torch.cos(2 * math.pi * frequency * along + math.radians(phase))
    kernel = wave * torch.exp(-(right**2 + up**2) / (2 * (size / 4) ** 2))
    kernel = kernel - kernel.mean()
    return kernel / kernel.norm()
