"""How much images excite objectives: one truncated forward pass for a whole batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from innervision.activations import check_images, record
from innervision.optvis.joint import images_wanted
from innervision.optvis.objectives import DRAWING, IMAGE, Asked, Objective, as_objective
from innervision.optvis.selected import channels_read, selected_channels


class Scorer:
    """Scores images on objectives: image i on objective i, or every image on a single objective.

    A joint objective takes as many images as it wants, in order.

    The layers that the objectives read are found out once, on example images; after that each call runs the
    network once, up to the deepest of them. Where each objective says that it reads one channel of this layer, and the
    network says where its channels come from, only these channels are computed (``selected_channels``).

    Args:
        model: A network in eval mode.
        objectives: One objective, or one for each image.
        examples: Images to find the layers with, ``(batch, 3, height, width)`` in [0, 1].
        drawing: The same images before any transform, for objectives that look at these; by default the examples.

    Attributes:
        layers: The layers that the objectives read.
        separate: Whether each image has an objective of its own.

    Raises:
        ValueError: The model is in training mode; the images do not fit; an objective reads a layer or a channel
            that does not exist, returns another shape than one number per image, or does not depend on the image.
    """

    def __init__(
        self,
        model: nn.Module,
        objectives: Asked | Sequence[Asked],
        examples: Float[Tensor, "batch 3 height width"],
        drawing: Float[Tensor, "batch channel height width"] | None = None,
    ):
        if model.training:
            raise ValueError("model: is in training mode; call model.eval() first")
        self.model = model
        self.shared = isinstance(objectives, str) or callable(objectives)
        self.objectives = as_objectives(objectives)
        self.wanted = [images_wanted(objective) for objective in self.objectives]
        check_images(model, examples)
        self._check_count(len(examples))
        drawing = examples if drawing is None else drawing
        self._known: dict[int, dict[str, Tensor]] = {}
        with torch.enable_grad(), frozen(model):
            read = [self._layers_read(i, examples.detach(), drawing.detach()) for i in range(len(self.objectives))]
        self._known.clear()
        self.reads_drawing = any(DRAWING in names for names in read)
        self.layers = sorted(set().union(*read) - {IMAGE, DRAWING})
        self.separate = not self.shared and all(wanted == 1 for wanted in self.wanted)
        self._channels = channels_read(self.objectives, self.layers)

    def __call__(
        self,
        images: Float[Tensor, "batch 3 height width"],
        drawing: Float[Tensor, "batch channel height width"] | None = None,
        first: int = 0,
        *,
        precision: torch.dtype = torch.float32,
    ) -> Float[Tensor, "batch"]:
        """One number per image, with gradients back to the images.

        Args:
            images: What the network is shown. If each has an objective of its own (``separate``), these may be some of
                the images in a row.
            drawing: The same before any transform; by default the images.
            first: Index of the first image among all.
            precision: What the network computes with, where torch holds it to be enough (``torch.autocast``);
                objectives get float32.
        """
        chosen = slice(first, first + len(images)) if self.separate else slice(None)
        wanted = [len(images)] if self.shared else self.wanted[chosen]
        # Colours on the innermost axis in memory: convolutions and above all poolings are faster so on a CPU.
        laid_out = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, precision, enabled=precision != torch.float32):
            parts = self._activations(laid_out, wanted, chosen)
        parts[IMAGE] = images.split(wanted)
        if self.reads_drawing:
            parts[DRAWING] = (images if drawing is None else drawing).split(wanted)
        scores = [
            objective({name: pieces[i] for name, pieces in parts.items()})
            for i, objective in enumerate(self.objectives[chosen])
        ]
        return torch.cat(scores)

    def _activations(self, images: Tensor, wanted: list[int], chosen: slice) -> dict[str, Sequence[Tensor]]:
        """What each objective finds in each layer."""
        if self._channels is not None:
            channels = [
                channel for channel, count in zip(self._channels[chosen], wanted, strict=True) for _ in range(count)
            ]
            if selected := selected_channels(self.model, images, self.layers[0], channels):
                found, width = selected
                # A view in which every channel is the one that is read: nothing is copied.
                return {
                    self.layers[0]: [piece.expand(-1, width, -1, -1) for piece in found.to(images.dtype).split(wanted)]
                }
        activations = record(self.model, images, self.layers) if self.layers else {}
        # One split per layer and not one slice per image: its gradient is a single concatenation.
        return {name: activation.to(images.dtype).split(wanted) for name, activation in activations.items()}

    def _check_count(self, images: int) -> None:
        if self.shared and self.wanted[0] not in (1, images):
            raise ValueError(f"images: {images} for '{self.objectives[0]}', which wants {self.wanted[0]} together")
        if self.shared or sum(self.wanted) == images:
            return
        if sum(self.wanted) == len(self.wanted):
            raise ValueError(f"images: {images} for {len(self.wanted)} objectives; give one image for each objective")
        raise ValueError(f"images: {images} for objectives that want {', '.join(map(str, self.wanted))} together")

    def _layers_read(self, index: int, examples: Tensor, drawing: Tensor) -> set[str]:
        """Run one objective on the example images, note what it reads and check what it returns."""
        objective = self.objectives[index]
        label = "objectives" if self.shared else f"objectives[{index}]"
        # Any images will do to see what an objective reads. The first ones serve all, so each layer is run but once.
        count = len(examples) if self.shared else self.wanted[index]
        if count not in self._known:
            shown, drawn = (values[:count].clone().requires_grad_(True) for values in (examples, drawing))
            self._known[count] = {IMAGE: shown, DRAWING: drawn}
        activations = NotingActivations(self.model, self._known[count])
        try:
            scores = objective(activations)
        except IndexError as error:
            raise ValueError(
                f"{label}: '{objective}' asks for an index that does not exist; {activations.sizes()}"
            ) from error
        expected = (count,)
        if not isinstance(scores, Tensor) or scores.shape != expected:
            got = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
            raise ValueError(f"{label}: '{objective}' returned {got}; return one number per image, shape {expected}")
        if not scores.requires_grad:
            raise ValueError(f"{label}: '{objective}' does not depend on the image, so there is nothing to climb")
        return set(activations.seen)


class NotingActivations(Mapping[str, Tensor]):
    """Activations that are computed when they are asked for; it remembers which were.

    Args:
        model: A network in eval mode.
        known: Image, drawing, and what was computed before; what is computed joins it.
    """

    def __init__(self, model: nn.Module, known: dict[str, Tensor]):
        self.model, self.known = model, known
        self.seen: dict[str, Tensor] = {}

    def __getitem__(self, layer: str) -> Tensor:
        if layer not in self.known:
            self.known.update(record(self.model, self.known[IMAGE], [layer]))
        self.seen[layer] = self.known[layer]
        return self.seen[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self.seen)

    def __len__(self) -> int:
        return len(self.seen)

    def sizes(self) -> str:
        """The sizes of the layers that were read, in words."""
        sizes = {name: value.shape for name, value in self.seen.items() if name not in (IMAGE, DRAWING)}
        return ", ".join(
            f"{name} has {size[1]} channels (0 to {size[1] - 1}){_of(size[2:])}" for name, size in sizes.items()
        )


def _of(size: Sequence[int]) -> str:
    return f" of {' × '.join(map(str, size))}" if size else ""


def as_objectives(objectives: Asked | Sequence[Asked]) -> list[Objective]:
    """The objectives asked for as a list of ``Objective``.

    Raises:
        ValueError: None was asked for, or one is neither a function nor a string such as ``"mixed3b:5"``.
    """
    asked = [objectives] if isinstance(objectives, str) or callable(objectives) else list(objectives)
    if not asked:
        raise ValueError("objectives: is empty; give at least one, for example 'mixed3b:5'")
    found = []
    for index, item in enumerate(asked):
        if not (isinstance(item, str) or callable(item)):
            raise ValueError(f"objectives[{index}]: is a {type(item).__name__}; give a function or 'LAYER:CHANNEL'")
        found.append(as_objective(item))
    return found


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """No gradients for the weights inside this block; every ``requires_grad`` is as before afterwards."""
    wanted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in wanted:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)
