"""A way past a rectifier that blocks every gradient, for the first steps of an optimisation.

A rectifier passes no gradient where its input is negative. If a unit is negative everywhere on the first
image, the image never learns what the unit wants, and the drawing stays grey.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


def redirected_relu(
    values: Float[Tensor, "batch ..."], gradient: Float[Tensor, "batch ..."]
) -> Float[Tensor, "batch ..."]:
    """The gradient that a rectifier sends back to its input, redirected only where nothing would pass.

    The rectifier's own rule is: pass the gradient where the input is positive, send 0 elsewhere. For an image
    for which that leaves nothing at all (every number is 0), send back the gradient wherever it would *raise*
    the input, that is, wherever it is positive (we maximise), and 0 elsewhere. Images are treated one by one.

    Args:
        values: What went into the rectifier, ``(batch, …)``, any further axes.
        gradient: Gradient of the objective with respect to what came out, same shape.

    Returns:
        Gradient with respect to ``values``, same shape.

    Example:
        >>> values = torch.tensor([[-1.0, 2.0], [-1.0, -2.0]])  # the first image passes something, the second nothing
        >>> gradient = torch.tensor([[3.0, 4.0], [5.0, -6.0]])
        >>> redirected_relu(values, gradient)
        tensor([[0., 4.],
                [5., 0.]])

    Source:
        lucid, ``misc/redirected_relu_grad.py``, with the sign turned: lucid minimises the negative objective.
    """
    passed = torch.where(values > 0, gradient, 0)
    raising = gradient.clamp(min=0)
    one_per_image = (-1,) + (1,) * (values.ndim - 1)
    blocked = (passed.flatten(1) == 0).all(dim=1).view(one_per_image)
    return torch.where(blocked, raising, passed)


CEILING = 6.0
"""Above this a ReLU6 blocks, too."""


def redirected_relu6(
    values: Float[Tensor, "batch ..."], gradient: Float[Tensor, "batch ..."]
) -> Float[Tensor, "batch ..."]:
    """The gradient that a rectifier with a ceiling of 6 sends back, redirected only where nothing would pass.

    The rule of ``redirected_relu`` with a second blocked side. For an image for which nothing passes, the gradient
    goes back where it would bring the input nearer to what passes: where it raises an input at or below 0, and where
    it lowers an input at or above 6.

    Args:
        values: What went into the rectifier, ``(batch, …)``, any further axes.
        gradient: Gradient of the objective with respect to what came out, same shape.

    Returns:
        Gradient with respect to ``values``, same shape.

    Example:
        >>> values = torch.tensor([[-1.0, 7.0, 9.0], [-1.0, 7.0, 3.0]])
        >>> gradient = torch.tensor([[3.0, 4.0, -5.0], [3.0, 4.0, -5.0]])
        >>> redirected_relu6(values, gradient)
        tensor([[ 3.,  0., -5.],
                [ 0.,  0., -5.]])

    Source:
        lucid, ``misc/redirected_relu_grad.py`` (``redirected_relu6_grad``), with the sign turned.
    """
    passed = torch.where((values > 0) & (values < CEILING), gradient, 0)
    returning = torch.where(values >= CEILING, gradient.clamp(max=0), gradient.clamp(min=0))
    one_per_image = (-1,) + (1,) * (values.ndim - 1)
    blocked = (passed.flatten(1) == 0).all(dim=1).view(one_per_image)
    return torch.where(blocked, returning, passed)


class RedirectedReLU(torch.autograd.Function):
    """A rectifier whose backward pass is ``redirected_relu``."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        """The rectifier itself: ``max(values, 0)``."""
        context.save_for_backward(values)
        return values.clamp(min=0)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        """``redirected_relu`` of the saved values and the arriving gradient."""
        (values,) = context.saved_tensors
        passed = torch.where(values > 0, gradient, 0)
        return redirected_relu(values, gradient) if _any_blocked(passed) else passed


class RedirectedReLU6(torch.autograd.Function):
    """A rectifier with a ceiling whose backward pass is ``redirected_relu6``."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        """The rectifier itself: ``min(max(values, 0), 6)``."""
        context.save_for_backward(values)
        return values.clamp(0, CEILING)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        """``redirected_relu6`` of the saved values and the arriving gradient."""
        (values,) = context.saved_tensors
        passed = torch.where((values > 0) & (values < CEILING), gradient, 0)
        return redirected_relu6(values, gradient) if _any_blocked(passed) else passed


def _any_blocked(passed: Float[Tensor, "batch ..."]) -> bool:
    """Whether an image is left without gradient. Most steps need nothing but this look: a norm reads memory once."""
    largest = torch.linalg.vector_norm(passed, ord=torch.inf, dim=tuple(range(1, passed.ndim)))
    return bool((largest == 0).any())


@contextmanager
def redirect_rectifiers(model: nn.Module) -> Iterator[None]:
    """Redirect the gradients of every ``nn.ReLU`` and ``nn.ReLU6`` of a network that runs inside this block.

    The backward pass may come later: what counts is where the forward pass ran. Rectifiers that are not
    modules (``F.relu``) are out of reach. Everything is as before afterwards, also after an error.

    Args:
        model: A network whose rectifiers are modules, in-place ones included.
    """
    with ExitStack() as stack:
        for module in model.modules():
            if isinstance(module, nn.ReLU | nn.ReLU6):
                # An in-place rectifier would overwrite the input that the gradient rule needs.
                stack.callback(setattr, module, "inplace", module.inplace)
                module.inplace = False
                stack.callback(module.register_forward_hook(_redirect).remove)
        yield


def _redirect(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    redirected = RedirectedReLU6 if isinstance(module, nn.ReLU6) else RedirectedReLU
    return redirected.apply(inputs[0])


def is_redirected(module: nn.Module) -> bool:
    """Whether ``redirect_rectifiers`` holds a module just now, and nobody else has a forward hook on it."""
    hooks = module._forward_hooks.values()
    return bool(hooks) and all(hook is _redirect for hook in hooks)
