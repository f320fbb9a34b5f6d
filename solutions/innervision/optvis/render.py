"""Draw what excites a channel: start from grey noise and climb.

The image is maximised. There is no minus sign anywhere: ``ascend`` adds the gradient, and ``maximize`` tells
Adam to go uphill.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from innervision.optvis.arguments import (
    ChosenTransforms,
    check_numbers,
    chosen_parametrization,
    chosen_precision,
    chosen_size,
    chosen_transform,
    describe,
    onto_backgrounds,
    transformed,
)
from innervision.optvis.joint import images_wanted
from innervision.optvis.objectives import Asked
from innervision.optvis.parametrizations import Parametrization, ParametrizationFactory
from innervision.optvis.rendering import Rendering as Rendering
from innervision.optvis.scoring import Scorer, as_objectives, frozen
from innervision.optvis.transforms import Images, Transform
from innervision.optvis.transparency import is_transparent, lay_on
from innervision.optvis.watched import Watched

Score = Callable[[Images], Float[Tensor, "batch"]]
"""``images -> one number per image``."""


def ascend(
    images: Float[Tensor, "batch 3 height width"], score: Score, step_size: float
) -> Float[Tensor, "batch 3 height width"]:
    """One step of gradient ascent: move each image in the direction in which its score grows fastest.

    Args:
        images: Where to start; left as they are.
        score: ``images -> one number per image``, differentiable. Each number depends on its own image only.
        step_size: How far to move, ≥ 0: the Euclidean length of the step, taken over all numbers of an image.

    Returns:
        New images, detached: each one plus ``step_size`` times its own gradient divided by that gradient's
        length. An image whose gradient is 0 stays where it is.

    Example:
        >>> images = torch.zeros(1, 3, 1, 1)
        >>> def score(images):
        ...     return 3 * images[:, 0, 0, 0] + 4 * images[:, 1, 0, 0]  # grows by 3 with red, by 4 with green
        >>> ascend(images, score, 0.5).flatten()
        tensor([0.3000, 0.4000, 0.0000])

    Source:
        Erhan, Bengio, Courville, Vincent, "Visualizing higher-layer features of a deep network", 2009.
    """
    images = images.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(score(images).sum(), images)
    direction = F.normalize(gradient.flatten(1), dim=1).view_as(images)
    return (images + step_size * direction).detach()


def maximize(
    parameters: list[Tensor],
    image: Callable[[], Images],
    transform: Transform,
    score: Score,
    *,
    steps: int,
    learning_rate: float,
    generator: torch.Generator,
) -> Float[Tensor, "steps batch"]:
    """Climb: change parameters so that the images they stand for score higher, also when transformed.

    Each step makes the images, transforms them, scores them, and lets the optimiser ``torch.optim.Adam``
    (its argument ``maximize=True`` makes it climb) change the parameters along the gradient of the scores' sum.

    Args:
        parameters: Leaf tensors with ``requires_grad``; they are changed in place.
        image: ``() -> images`` that the parameters stand for now; call it anew in every step.
        transform: ``(images, generator) -> images``; draws anew in every step.
        score: ``images -> one number per image``.
        steps: Number of steps, ≥ 1.
        learning_rate: Adam's step size, > 0.
        generator: Given to the transform.

    Returns:
        The scores of every step, detached, before that step's change: ``(steps, batch)``.

    Example:
        >>> x = torch.zeros(1, 3, 1, 1, requires_grad=True)
        >>> history = maximize([x], lambda: x, lambda images, generator: images, lambda images: -((images - 1) ** 2)
        ...     .sum(dim=(1, 2, 3)), steps=100, learning_rate=0.1, generator=torch.Generator())
        >>> history.shape, x.flatten().round(decimals=1)
        (torch.Size([100, 1]), tensor([1., 1., 1.], grad_fn=<RoundBackward1>))

    Source:
        Olah et al., "Feature Visualization", Distill 2017; Kingma, Ba, "Adam", 2014.
    """
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, maximize=True)
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        scores = score(transform(image(), generator))
        scores.sum().backward()
        optimizer.step()
        history.append(scores.detach())
    return torch.stack(history)


def render(
    model: nn.Module,
    objectives: Asked | Sequence[Asked],
    *,
    size: int | tuple[int, int] | None = None,
    steps: int = 128,
    parametrization: str | ParametrizationFactory = "fourier",
    transforms: ChosenTransforms = None,
    learning_rate: float = 0.05,
    seed: int = 0,
    generator: torch.Generator | None = None,
    redirect_steps: int = 16,
    precision: str = "float32",
    progress: bool = False,
) -> Rendering:
    """Draw images that excite objectives, one image for each, all in one optimisation.

    The same arguments give the same pixels, bit for bit, on one machine with the same number of threads.
    Neither the model nor torch's global random state is changed.

    Args:
        model: A network in eval mode that takes images in [0, 1].
        objectives: One or several: strings such as ``"mixed3b:5"``, or objectives, or plain functions
            ``activations -> one number per image``. A joint objective (``diverse``, ``interpolate``) gets as many
            images as it wants.
        size: Height and width in pixels, or one number for both. By default twice the size of the images that
            the network was trained on (``model.architecture.image_size``), and 128 for a network that does not say.
        steps: Steps of the optimisation, ≥ 1.
        parametrization: ``"fourier"``, ``"pixel"``, ``"low-resolution"``, ``"laplacian"``, ``"shared"``, ``"cppn"``,
            ``"phase"``, ``"transparent"``, or ``(batch, size, generator) -> Parametrization``, such as one of these
            classes with options: ``partial(Fourier, correlation=color_correlation(photographs))``.
        transforms: What the drawing must survive: one, or several to be applied in turn; ``[]`` for none. Or a name:
            ``"standard"`` (the default: ``standard_transforms`` for this size), ``"lucid"``, ``"article"``,
            ``"caricature"``, ``"none"``.
        learning_rate: Adam's step size, > 0.
        seed: Seed of the first noise and of the transforms, unless ``generator`` is given.
        generator: A CPU generator to draw from in place of ``seed``; it moves on.
        redirect_steps: Number of first steps in which a fully blocked rectifier passes gradients, ≥ 0.
        precision: Numbers that the network's convolutions compute with during the optimisation: ``"float32"``, or
            ``"bfloat16"`` with 8 bits in place of 24. On processors that have it, the latter may take half the time
            or, on networks with depthwise convolutions, more; measure it. The picture is another one, as good.
        progress: Show a progress bar (only on a terminal).

    Returns:
        A ``Rendering``.

    Raises:
        ValueError: An argument breaks a rule above; an unknown layer is answered with the closest names.

    Source:
        Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017; lucid, ``optvis/render.py``
        (Adam with step size 0.05, gradients redirected in 16 steps; 512 steps there, at half our contrast).
    """
    wanted = [images_wanted(objective) for objective in as_objectives(objectives)]
    shape = chosen_size(model, size)
    check_numbers(steps=steps, learning_rate=learning_rate, redirect_steps=redirect_steps)
    settings = describe(
        size=shape,
        steps=steps,
        parametrization=parametrization,
        transforms=transforms,
        learning_rate=learning_rate,
        seed=seed,
        generator=generator,
        redirect_steps=redirect_steps,
        precision=precision,
    )
    kind = chosen_precision(precision)
    generator = torch.Generator().manual_seed(seed) if generator is None else generator
    transform = chosen_transform(transforms, min(shape))
    with frozen(model), torch.enable_grad():
        drawing = chosen_parametrization(model, parametrization, sum(wanted), shape, generator)
        transform = onto_backgrounds(transform, drawing)
        scorer = _scorer(model, objectives, drawing, transform, generator)
        watched = Watched(
            scorer, transform, redirect_steps=redirect_steps, precision=kind, steps=steps, progress=progress
        )
        with watched:
            history = maximize(
                drawing.parameters(),
                drawing.image,
                watched.transformed,
                watched,
                steps=steps,
                learning_rate=learning_rate,
                generator=generator,
            )
        with torch.no_grad():
            drawn = drawing.image().detach()
            images, opacity = (lay_on(drawn), drawn[:, 3:]) if is_transparent(drawing) else (drawn, None)
            scores = scorer(images, drawn)
    asked = [str(objective) for objective in scorer.objectives]
    names = [name for name, count in zip(asked, wanted, strict=True) for _ in range(count)]
    return Rendering(images, history, scores, names, {"objectives": asked, **settings}, opacity)


def _scorer(
    model: nn.Module,
    objectives: Asked | Sequence[Asked],
    drawing: Parametrization,
    transform: Transform,
    generator: torch.Generator,
) -> Scorer:
    """A scorer that has seen what the network will be shown; looking uses up no randomness."""
    images = drawing.image().detach()
    probe = torch.Generator()
    probe.set_state(generator.get_state())
    channels = 3 if is_transparent(drawing) else images.shape[1]
    return Scorer(model, objectives, transformed(transform, images, probe, channels), images)
