"""Draw what excites a channel: start from grey noise and climb.

The image is maximised. There is no minus sign anywhere: ``ascend`` adds the gradient, and ``maximize`` tells
Adam to go uphill.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from innervision.optvis.parametrizations import PARAMETRIZATIONS, Parametrization, ParametrizationFactory
from innervision.optvis.rectifiers import redirect_rectifiers
from innervision.optvis.scoring import Asked, Scorer, as_objectives, frozen
from innervision.optvis.transforms import Images, Transform, compose, standard_transforms

Score = Callable[[Images], Float[Tensor, "batch"]]
"""``images -> one number per image``."""


@dataclass(frozen=True)
class Rendering:
    """What ``render`` returns.

    Attributes:
        images: The drawings in [0, 1], one per objective.
        history: Each step's objective on the transformed images, one column per image.
        scores: The objective on the finished images as they are, without transforms.
        names: What each image was optimised for.
        settings: Everything needed to make the same drawing again.
    """

    images: Float[Tensor, "batch 3 height width"]
    history: Float[Tensor, "steps batch"]
    scores: Float[Tensor, "batch"]
    names: list[str]
    settings: dict[str, Any] = field(default_factory=dict)

    def save(self, path: str | Path, columns: int | None = None, zoom: int = 1) -> None:
        """Write the images side by side as one picture file.

        Args:
            path: Where to; the ending says the format, for example ``.png``.
            columns: Images in a row; by default as many as make the picture about square.
            zoom: Pixels of the file per pixel of the image.
        """
        from PIL import Image

        count, _, height, width = self.images.shape
        columns = min(columns or math.ceil(math.sqrt(count)), count)
        rows = -(-count // columns)
        sheet = torch.ones(3, rows * (height + 2) - 2, columns * (width + 2) - 2)  # 2 white pixels in between
        for i, image in enumerate(self.images.cpu()):
            top, left = (i // columns) * (height + 2), (i % columns) * (width + 2)
            sheet[:, top : top + height, left : left + width] = image
        pixels = (sheet * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        picture = Image.fromarray(pixels)
        picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST).save(path)


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
    transforms: Transform | Sequence[Transform] | None = None,
    learning_rate: float = 0.05,
    seed: int = 0,
    generator: torch.Generator | None = None,
    redirect_steps: int = 16,
    progress: bool = False,
) -> Rendering:
    """Draw images that excite objectives, one image for each, all in one optimisation.

    The same arguments give the same pixels, bit for bit, on one machine with the same number of threads.
    Neither the model nor torch's global random state is changed.

    Args:
        model: A network in eval mode that takes images in [0, 1].
        objectives: One or several: strings such as ``"mixed3b:5"``, or objectives, or plain functions
            ``activations -> one number per image``.
        size: Height and width in pixels, or one number for both. By default twice the size of the images that
            the network was trained on (``model.architecture.image_size``), and 128 for a network that does not say.
        steps: Steps of the optimisation, ≥ 1.
        parametrization: ``"fourier"``, ``"pixel"``, or ``(batch, size, generator) -> Parametrization``.
        transforms: What the drawing must survive: one, or several to be applied in turn; ``[]`` for none.
            By default ``standard_transforms`` for this size.
        learning_rate: Adam's step size, > 0.
        seed: Seed of the first noise and of the transforms, unless ``generator`` is given.
        generator: A CPU generator to draw from in place of ``seed``; it moves on.
        redirect_steps: Number of first steps in which a fully blocked rectifier passes gradients, ≥ 0.
        progress: Show a progress bar (only on a terminal).

    Returns:
        A ``Rendering``.

    Raises:
        ValueError: An argument breaks a rule above; an unknown layer is answered with the closest names.

    Source:
        Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017; lucid, ``optvis/render.py``
        (Adam with step size 0.05, gradients redirected in 16 steps; 512 steps there, at half our contrast).
    """
    count = len(as_objectives(objectives))
    shape = _size(model, size)
    _check_numbers(steps=steps, learning_rate=learning_rate, redirect_steps=redirect_steps)
    settings: dict[str, Any] = {
        "size": list(shape),
        "steps": steps,
        "parametrization": parametrization if isinstance(parametrization, str) else _name(parametrization),
        "transforms": _describe_transforms(transforms, min(shape)),
        "learning_rate": learning_rate,
        "seed": seed if generator is None else f"generator with initial seed {generator.initial_seed()}",
        "redirect_steps": redirect_steps,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    generator = torch.Generator().manual_seed(seed) if generator is None else generator
    transform = _transform(transforms, min(shape))
    with frozen(model), torch.enable_grad():
        drawing = _parametrization(model, parametrization, count, shape, generator)
        probe = torch.Generator()
        probe.set_state(generator.get_state())  # so that looking does not use up randomness
        scorer = Scorer(model, objectives, _transformed(transform, drawing.image().detach(), probe))
        score = _Watched(scorer, redirect_steps, steps, progress)
        with score:
            history = maximize(
                drawing.parameters(),
                drawing.image,
                transform,
                score,
                steps=steps,
                learning_rate=learning_rate,
                generator=generator,
            )
        with torch.no_grad():
            images = drawing.image().detach()
            scores = scorer(images)
    names = [str(objective) for objective in scorer.objectives]
    return Rendering(images, history, scores, names, {"objectives": names, **settings})


class _Watched:
    """A scorer that redirects rectifiers in the first steps and moves a progress bar."""

    def __init__(self, scorer: Scorer, redirect_steps: int, steps: int, progress: bool):
        self.scorer, self.redirect_steps, self.step = scorer, redirect_steps, 0
        self.bar = self._bar(steps) if progress else nullcontext()

    @staticmethod
    def _bar(steps: int) -> Any:
        from rich.progress import Progress

        bar = Progress(transient=True)
        bar.disable = not bar.console.is_terminal
        bar.add_task("drawing", total=steps)
        return bar

    def __enter__(self) -> None:
        self.bar.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.bar.__exit__(*error)

    def __call__(self, images: Images) -> Float[Tensor, "batch"]:
        redirected = self.step < self.redirect_steps
        self.step += 1
        with redirect_rectifiers(self.scorer.model) if redirected else nullcontext():
            scores = self.scorer(images)
        if not isinstance(self.bar, nullcontext):
            self.bar.update(self.bar.task_ids[0], advance=1)
        return scores


def _size(model: nn.Module, size: int | tuple[int, int] | None) -> tuple[int, int]:
    if size is None:
        trained_on = getattr(getattr(model, "architecture", None), "image_size", None)
        size = 128 if trained_on is None else min(2 * trained_on, 128)
    height, width = (size, size) if isinstance(size, int) else size
    if not (isinstance(height, int) and isinstance(width, int) and height >= 1 and width >= 1):
        raise ValueError(f"size: {size} is no size; give whole numbers of pixels, at least 1")
    return height, width


def _check_numbers(*, steps: int, learning_rate: float, redirect_steps: int) -> None:
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps: {steps} is too few; give a whole number, at least 1")
    if not learning_rate > 0:
        raise ValueError(f"learning_rate: {learning_rate} does not climb; give a number above 0")
    if not isinstance(redirect_steps, int) or redirect_steps < 0:
        raise ValueError(f"redirect_steps: {redirect_steps} is no count; give a whole number, at least 0")


def _parametrization(
    model: nn.Module,
    parametrization: str | ParametrizationFactory,
    count: int,
    shape: tuple[int, int],
    generator: torch.Generator,
) -> Parametrization:
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    if isinstance(parametrization, str):
        if parametrization not in PARAMETRIZATIONS:
            known = " or ".join(f"'{name}'" for name in PARAMETRIZATIONS)
            raise ValueError(f"parametrization: '{parametrization}' is unknown; give {known}, or a function")
        return PARAMETRIZATIONS[parametrization](count, shape, generator, device=device)  # type: ignore[call-arg]
    drawing = parametrization(count, shape, generator)
    if len(drawing.image()) != count:
        raise ValueError(f"parametrization: makes {len(drawing.image())} images for {count} objectives; make one each")
    return drawing


def _transform(transforms: Transform | Sequence[Transform] | None, side: int) -> Transform:
    if transforms is None:
        return standard_transforms(side)
    return transforms if callable(transforms) else compose(list(transforms))


def _describe_transforms(transforms: Transform | Sequence[Transform] | None, side: int) -> str | list[str]:
    if transforms is None:
        return f"standard_transforms({side})"
    return _name(transforms) if callable(transforms) else [_name(transform) for transform in transforms]


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


def _transformed(transform: Transform, images: Images, generator: torch.Generator) -> Images:
    shown = transform(images, generator)
    if shown.ndim != 4 or shown.shape[:2] != images.shape[:2] or 0 in shown.shape:
        raise ValueError(
            f"transforms: turn images of shape {tuple(images.shape)} into {tuple(shown.shape)}; "
            "keep batch and colours, and at least one pixel"
        )
    return shown
