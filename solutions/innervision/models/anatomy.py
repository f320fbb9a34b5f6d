"""How layers make a network, in a few lines: a block of branches, what a unit can see, what a layer costs.

And ``capture``, the smallest way to look at an activation. (``innervision.record`` does more: several layers and
patterns of names, changes on the way, and it stops as soon as it has seen enough.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from innervision.models.architectures import Architecture, Convolution, Mixed, Pool
from innervision.models.inception import same_padding


def capture(model: nn.Module, images: Float[Tensor, "batch ..."], layer: str) -> Float[Tensor, "batch ..."]:
    """The activation of one layer while a network looks at some images.

    Afterwards the network is as it was before: the hook is taken off again, also when the network raises an error
    midway. The error goes on to the caller.

    Args:
        model: Any network.
        images: What the network takes.
        layer: A path of ``model.named_modules()``, for example ``"mixed3a"``.

    Returns:
        A copy of the layer's output, since some networks write over theirs. It still hangs on the gradient. If
        the layer runs several times, its first output.

    Example:
        >>> model = nn.Sequential(nn.ReLU(), nn.Flatten())
        >>> capture(model, torch.tensor([[-1.0, 2.0]]), "0")
        tensor([[0., 2.]])
    """
    seen: list[Tensor] = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(output.clone()))
    try:
        model(images)
    finally:
        hook.remove()
    return seen[0]


def receptive_field(layers: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    """What a unit can see of the image, along one axis.

    Args:
        layers: ``(kernel, stride, padding)`` of each layer from the image on, in pixels of that layer's input. The
            stride is the step from one position to the next; padding is counted at the beginning of the axis. A
            pooling counts as a layer.

    Returns:
        ``(size, jump, start)``, in pixels of the image: unit number i of the last layer sees the ``size`` pixels from
        ``start + i * jump`` on. Its start is negative where it looks into the padding. Without any layer a unit
        is a pixel: ``(1, 1, 0)``.

    Example:
        >>> receptive_field([(3, 1, 1), (2, 2, 0)])  # a convolution, then a pooling of pairs
        (4, 2, -1)

    Source:
        Araujo, Norris, Sim, "Computing receptive fields of convolutional neural networks", Distill 2019.
    """
    size, jump, start = 1, 1, 0
    for kernel, stride, padding in layers:
        size += (kernel - 1) * jump
        start -= padding * jump
        jump *= stride
    return size, jump, start


def inception_forward(
    hidden: Float[Tensor, "batch channel height width"],
    layers: Mapping[str, Callable[[Tensor], Tensor]],
) -> Float[Tensor, "batch all_channels height width"]:
    """One mixed layer of InceptionV1: four branches look at the same input, their channels are put in a row.

    Args:
        hidden: The activation of the layer before.
        layers: The seven parts by name, each a function from activation to activation: ``"1x1"``,
            ``"3x3_bottleneck"``, ``"3x3"``, ``"5x5_bottleneck"``, ``"5x5"``, ``"pool"``, ``"pool_reduce"``.

    Returns:
        The channels of 1x1, of 3x3 (after its bottleneck), of 5x5 (after its bottleneck) and of pool_reduce (after
        the pool), in this order.

    Example:
        >>> names = ["1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool", "pool_reduce"]
        >>> inception_forward(torch.zeros(1, 1, 1, 1), dict.fromkeys(names, lambda x: x + 1)).flatten()
        tensor([1., 2., 2., 2.])

    Source:
        Szegedy et al., "Going deeper with convolutions", 2014, section 4.
    """
    one = layers["1x1"](hidden)
    three = layers["3x3"](layers["3x3_bottleneck"](hidden))
    five = layers["5x5"](layers["5x5_bottleneck"](hidden))
    pool = layers["pool_reduce"](layers["pool"](hidden))
    return torch.cat([one, three, five, pool], dim=1)


def parameter_count(convolutions: Sequence[tuple[int, int, int]]) -> int:
    """How many numbers does training have to find? All weights and biases of some convolutions.

    Args:
        convolutions: ``(inputs, outputs, kernel)`` of each: channels in, channels out, and the side of its square
            kernel in pixels. A classifier that reads one number a channel counts as one with kernel 1.

    Returns:
        Weights and biases of all of them together.

    Example:
        >>> parameter_count([(3, 32, 5)])  # mini's first layer
        2432
    """
    return sum(outputs * (inputs * kernel**2 + 1) for inputs, outputs, kernel in convolutions)


def path_to(architecture: Architecture, layer: str) -> list[tuple[int, int, int]]:
    """The layers between an image and a layer, as ``receptive_field`` takes them.

    Args:
        architecture: ``MINI`` or ``FULL``, or your own.
        layer: A step's name, such as ``"mixed3a"``. Of the four branches of each mixed layer the widest is taken, 5×5.

    Returns:
        ``(kernel, stride, padding)`` of each, at the architecture's own image size.

    Raises:
        ValueError: The architecture has no such step.
    """
    path: list[tuple[int, int, int]] = []
    side = architecture.image_size
    for step in architecture.steps:
        match step:
            case Mixed():
                path += [(1, 1, 0), (5, 1, 2)]
            case Convolution() | Pool():
                kernel, stride = (3, 2) if isinstance(step, Pool) else (step.kernel, step.stride)
                path.append((kernel, stride, same_padding(side, kernel, stride)[0]))
                side = -(-side // stride)
        if step.name == layer:
            return path
    names = ", ".join(step.name for step in architecture.steps)
    raise ValueError(f"layer: no step '{layer}' in this architecture; it has {names}")


def convolutions_of(architecture: Architecture) -> dict[str, list[tuple[int, int, int]]]:
    """The convolutions of each step, as ``parameter_count`` takes them; the classifier comes last.

    Returns:
        Step name → ``(inputs, outputs, kernel)`` of its convolutions. Steps without parameters are left out.
    """
    found: dict[str, list[tuple[int, int, int]]] = {}
    width = 3
    for step in architecture.steps:
        match step:
            case Convolution():
                found[step.name] = [(width, step.width, step.kernel)]
                width = step.width
            case Mixed():
                found[step.name] = [
                    (width, step.one, 1),
                    (width, step.three_bottleneck, 1),
                    (step.three_bottleneck, step.three, 3),
                    (width, step.five_bottleneck, 1),
                    (step.five_bottleneck, step.five, 5),
                    (width, step.pool_reduce, 1),
                ]
                width = step.width
    found[architecture.classifier] = [(width, architecture.classes, 1)]
    return found
