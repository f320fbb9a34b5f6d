"""Objectives that compare a drawing with a picture, by what a network makes of both.

``targets`` are the picture's activations: ``record(model, picture, ["mixed3a", "mixed4a"])``. They stay fixed, so a
drawing must be of the picture's size and be optimised without transforms (``transforms=[]``). To draw under
transforms, let the picture be transformed, too: ``against`` with ``parametrization=partial(Beside, …)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from innervision.optvis.directions import LEAST_COSINE
from innervision.optvis.joint import Joint
from innervision.optvis.objectives import Activations, Objective, ObjectiveFunction
from innervision.optvis.parametrizations import Fourier, ParametrizationFactory, device_option

Targets = Mapping[str, Float[Tensor, "images channel height width"]]
"""Layer name → activation to compare with: of one picture, or of one for each drawing."""


def inversion(targets: Targets) -> Objective:
    """An objective: how near are activations to those of a picture? What a layer still knows of it can be drawn.

    Args:
        targets: ``{layer: activation}`` of the picture.

    Returns:
        An objective: minus the squared distance divided by the squared length of the target, on average over layers.
        At most 0, which means equal.

    Raises:
        ValueError: No targets; on use, when a layer's activation has another shape than its target.

    Example:
        >>> target = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)  # one picture, two channels, one position
        >>> drawn = torch.tensor([[3.0, 4.0], [3.0, -1.0]]).view(2, 2, 1, 1)
        >>> inversion({"mixed3b": target})({"mixed3b": drawn})  # equal; and -(5²) / (3² + 4²)
        tensor([-0., -1.])

    Source:
        Mahendran, Vedaldi, "Understanding deep image representations by inverting them", 2015.
    """

    def nearness(drawn: Float[Tensor, "batch n"], target: Float[Tensor, "images n"]) -> Float[Tensor, "batch"]:
        return -(drawn - target).square().sum(dim=1) / squared_length(target)

    return Objective(mean_over_layers(targets, nearness), f"inversion({', '.join(targets)})")


def caricature(targets: Targets, cosine_power: float = 0) -> Objective:
    """An objective: as much as possible of what the network sees in a picture.

    A dot product has no end: what a layer notices is drawn stronger than it was, and what it does not notice is free.

    Args:
        targets: ``{layer: activation}`` of the picture.
        cosine_power: Exponent of the cosine between both, ≥ 0. The larger, the truer to the picture as a whole.

    Returns:
        An objective: (a · t) · max(0.1, cos(a, t)) ^ cosine_power / |t|², over all channels and positions, on average
        over layers. 1 for the picture itself.

    Raises:
        ValueError: As in ``inversion``.

    Example:
        >>> target = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
        >>> drawn = torch.tensor([[6.0, 8.0], [5.0, 0.0]]).view(2, 2, 1, 1)
        >>> caricature({"mixed3b": target})({"mixed3b": drawn})  # twice the picture; 5 · 3 / 25
        tensor([2.0000, 0.6000])
        >>> caricature({"mixed3b": target}, cosine_power=1)({"mixed3b": drawn})  # the second times 3/5
        tensor([2.0000, 0.3600])

    Source:
        lucid, ``recipes/caricature.py`` (``dot_compare``), with the cosine divided by both lengths (there only by the
        target's) and the dot product by |t|², so that layers count alike.
    """

    def likeness(drawn: Float[Tensor, "batch n"], target: Float[Tensor, "images n"]) -> Float[Tensor, "batch"]:
        dot = (drawn * target).sum(dim=1)
        cosines = F.cosine_similarity(drawn, target).clamp(min=LEAST_COSINE)
        return dot * cosines**cosine_power / squared_length(target)

    power = f", cosine ^ {cosine_power:g}" if cosine_power else ""
    return Objective(mean_over_layers(targets, likeness), f"caricature({', '.join(targets)}{power})")


def gram(activation: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel channel"]:
    """Which channels are active at the same places: the mean over positions of the product of each pair.

    It keeps textures and forgets where they were.

    Source:
        Gatys, Ecker, Bethge, "A neural algorithm of artistic style", 2015.
    """
    flat = activation.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def activation_difference(targets: Targets, transform: Callable[[Tensor], Tensor] | None = None) -> Objective:
    """A penalty: the mean absolute difference to a picture's activations, summed over layers. Subtract it.

    Args:
        targets: ``{layer: activation}`` of the picture.
        transform: Applied to both before comparing; ``gram`` compares style instead of content. Activations of
            other height and width than the target's may then be compared.

    Raises:
        ValueError: As in ``inversion``.

    Source:
        lucid, the notebook "Style transfer beyond VGG" (``activation_difference`` with ``mean_L1``).
    """
    prepare = transform or (lambda activation: activation)
    prepared = {layer: prepare(target) for layer, target in targets.items()}

    def difference(drawn: Float[Tensor, "batch n"], target: Float[Tensor, "images n"]) -> Float[Tensor, "batch"]:
        return (drawn - target).abs().mean(dim=1)

    mean = mean_over_layers(prepared, difference, prepare)
    return Objective(lambda activations: mean(activations) * len(prepared), f"difference({', '.join(targets)})")


def against(compare: Callable[..., Objective], layers: str | Sequence[str], **options: Any) -> Joint:
    """Compare a drawing with the picture beside it, both seen under the same transforms.

    Args:
        compare: ``inversion``, ``caricature`` or ``activation_difference``.
        layers: The layers to compare at.
        **options: Handed to ``compare``, for example ``cosine_power=4``.

    Returns:
        A joint objective for two images, the drawing and the picture. The picture's own score is 0.

    Example:
        >>> from functools import partial
        >>> wanted = against(caricature, ["mixed3a", "mixed4a"], cosine_power=4)
        >>> # render(model, wanted, parametrization=partial(Beside, pictures=picture[None])).images[0]

    Source:
        lucid, ``recipes/caricature.py``: the picture stands in the batch.
    """
    names = [layers] if isinstance(layers, str) else list(layers)

    def compared(activations: Activations) -> Float[Tensor, "2"]:
        targets = {name: activations[name][1:].detach() for name in names}
        score = compare(targets, **options)({name: activations[name][:1] for name in names})
        return torch.cat([score, torch.zeros_like(score)])

    called = str(compare({name: torch.zeros(1, 1, 1, 1) for name in names}, **options))
    return Joint(compared, called, images=2)


class Beside:
    """Drawings with a fixed picture beside each: drawing, picture, drawing, picture, …

    Args:
        batch: Number of images, twice the number of pictures.
        size: ``(height, width)`` of drawings and pictures in pixels; pictures are resized to it.
        generator: Draws the first images. A generator of the CPU.
        pictures: ``(pictures, 3, height, width)`` in [0, 1].
        parametrization: Makes the drawings.
        device: Where the pictures live.

    Raises:
        ValueError: Not two images for each picture.
    """

    def __init__(
        self,
        batch: int,
        size: tuple[int, int],
        generator: torch.Generator,
        *,
        pictures: Float[Tensor, "pictures 3 height width"],
        parametrization: ParametrizationFactory = Fourier,
        device: torch.device | str = "cpu",
    ):
        if batch != 2 * len(pictures):
            raise ValueError(
                f"pictures: {len(pictures)} for {batch} images; give one for each objective made by 'against'"
            )
        resized = F.interpolate(pictures.float(), size=size, mode="bilinear", antialias=True)
        self.pictures = resized.clamp(0, 1).to(device)
        self.drawings = parametrization(len(pictures), size, generator, **device_option(parametrization, device))

    def parameters(self) -> list[Tensor]:
        """The drawings' parameters."""
        return self.drawings.parameters()

    def image(self) -> Float[Tensor, "batch 3 height width"]:
        """Drawings and pictures by turns."""
        return torch.stack([self.drawings.image(), self.pictures], dim=1).flatten(0, 1)


def squared_length(vectors: Float[Tensor, "images n"]) -> Float[Tensor, "images"]:
    """The sum of the squares of each vector's numbers; never quite 0, so that one may divide by it."""
    return vectors.square().sum(dim=1).clamp(min=torch.finfo(vectors.dtype).tiny)


def mean_over_layers(
    targets: Targets,
    compare: Callable[[Tensor, Tensor], Float[Tensor, "batch"]],
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> ObjectiveFunction:
    """Compare what layers make of a drawing with what they made of a picture.

    Args:
        targets: ``{layer: activation}`` of the picture.
        compare: ``(drawn, target) -> one number per image``. Both are flattened, ``(batch, n)`` and ``(images, n)``;
            the target is of one picture, or of one for each drawing.
        prepare: Applied to the drawing's activations first; targets are prepared already.

    Returns:
        ``activations -> mean over the layers of compare(…)``.

    Raises:
        ValueError: No targets; on use, when a layer's activation has another shape than its target.
    """
    if not targets:
        raise ValueError("targets: is empty; give at least one {layer: activation}")

    def mean(activations: Activations) -> Float[Tensor, "batch"]:
        scores = []
        for layer, target in targets.items():
            drawn = activations[layer] if prepare is None else prepare(activations[layer])
            if drawn.shape[1:] != target.shape[1:] or len(target) not in (1, len(drawn)):
                raise ValueError(
                    f"targets: '{layer}' has shape {tuple(target.shape)} and the drawing's activation "
                    f"{tuple(drawn.shape)}; draw at the picture's size with transforms=[], or use 'against'"
                )
            scores.append(compare(drawn.flatten(1), target.detach().to(drawn).flatten(1)))
        return torch.stack(scores).mean(dim=0)

    return mean
