"""Record what happens inside a network, change it on the way, and stop as soon as enough was seen.

A layer is a path of ``named_modules()``; its activation is the output of that module. Hooks exist only
while a call runs: they are removed after an error too.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

Edit = Callable[[Tensor], Tensor]
"""Takes an activation, returns the one to use in its place."""


class _Stop(BaseException):
    """Ends a forward pass when every layer asked for was seen. Not an ``Exception``: networks may catch those."""

    def __init__(self, owner: object):
        self.owner = owner


def layer_names(model: nn.Module) -> list[str]:
    """Every name that ``record`` and ``edit`` know for this network, in the order of ``named_modules()``."""
    return [name for name, _ in model.named_modules() if name]


def record(
    model: nn.Module, images: Tensor, layers: str | Sequence[str], *, edits: Mapping[str, Edit] | None = None
) -> dict[str, Tensor]:
    """Activations of some layers on a batch; the rest of the network is never run.

    Gradients are left intact: what is returned hangs on the images, and a deeper layer on a shallower one.
    An activation is what its layer put out, also where a later step of the network writes over it (``inplace=True``).
    A layer that runs several times is recorded the first time; ``layer_runs`` counts. Functions such as ``F.relu`` are
    no layers: what they put out cannot be recorded by name.

    Args:
        model: Any network.
        images: What the network takes; for the networks of ``load``, ``(batch, 3, height, width)`` in [0, 1].
        layers: A name such as ``"mixed3a"``, a pattern such as ``"mixed3*"`` (``*`` and ``?`` do not cross a dot),
            or several of them.
        edits: ``{layer: function}``; each function changes an activation before later layers use it and
            before it is recorded. See ``edit``.

    Returns:
        ``{layer: activation}``, in the order asked for; a pattern's layers in the network's order.

    Raises:
        ValueError: A layer does not exist, was never run, or puts out something else than one tensor; the images do
            not fit the network's convolutions.

    Warns:
        UserWarning: A layer was seen to run a second time.
    """
    names = match_layers(model, layers)
    check_images(model, images)
    with edit(model, edits) if edits else nullcontext():
        modules = {name: module for name in names if (module := _find(model, name)) is not None}
        # Steps that write in place get a copy to write on. Where modules do, that is known beforehand; where functions
        # do (F.relu(…, inplace=True)), it shows afterwards, in the version that torch counts for every tensor. Nothing
        # comes after a single layer.
        copies = len(names) > 1 and (
            torch.is_inference_mode_enabled() or any(vars(module).get("inplace") for module in model.modules())
        )
        watch = _Watch(model, modules, copies=copies)
        watch.run(images)
        if watch.overwritten():
            watch = _Watch(model, watch.layers, copies=True)
            watch.run(images)
    if missing := [name for name in names if name not in watch.seen]:
        raise ValueError(f"layers: {_quoted(missing)} exists but is not run on these images")
    if watch.again:
        again = _quoted(sorted(watch.again))
        warnings.warn(f"layers: {again} runs several times; recorded is the first output", stacklevel=2)
    return {name: watch.seen[name] for name in names}


class _Watch:
    """One forward pass that keeps the outputs of some layers, and ends with the last of them.

    Attributes:
        seen: Layer name → what it put out first.
        again: Layers that ran once more.
    """

    def __init__(self, model: nn.Module, layers: Mapping[str, nn.Module], *, copies: bool):
        self.model, self.layers, self.copies = model, layers, copies
        self.seen: dict[str, Tensor] = {}
        self.again: set[str] = set()
        self._versions: dict[str, int] = {}

    def run(self, images: Tensor) -> None:
        """Run the network until every layer was seen; hooks are gone afterwards."""
        handles = [layer.register_forward_hook(self._keep(name)) for name, layer in self.layers.items()]
        try:
            self.model(images)
        except _Stop as stop:
            if stop.owner is not self:
                raise
        finally:
            for handle in handles:
                handle.remove()

    def overwritten(self) -> bool:
        """Whether anything wrote over a recorded activation."""
        return any(self.seen[name]._version != version for name, version in self._versions.items())

    def _keep(self, name: str) -> Callable[[nn.Module, Any, Any], Tensor | None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> Tensor | None:
            if name in self.seen:
                self.again.add(name)
                return None
            self.seen[name] = _one_tensor("layers", name, output)
            if len(self.seen) == len(self.layers):
                raise _Stop(self)
            if not self.copies:
                self._versions[name] = output._version
            return output.clone() if self.copies else None

        return hook


def _one_tensor(argument: str, name: str, output: Any) -> Tensor:
    if not isinstance(output, Tensor):
        kind = type(output).__name__
        raise ValueError(f"{argument}: '{name}' puts out a {kind}, not one tensor; name a layer inside it")
    return output


def layer_runs(model: nn.Module, images: Tensor) -> dict[str, int]:
    """How often each layer runs in one whole pass.

    A layer that runs several times (a rectifier that a block uses twice) has several activations under one name, of
    which ``record`` keeps the first. One that never runs is called around its hooks, or not at all.

    Args:
        model: Any network.
        images: What the network takes.

    Returns:
        ``{layer: runs}`` for every name of ``layer_names``.
    """
    runs = dict.fromkeys(layer_names(model), 0)

    def count(name: str) -> Callable[..., None]:
        return lambda *_: runs.update({name: runs[name] + 1})

    with ExitStack() as stack, torch.no_grad():
        for name, module in model.named_modules():
            if name:
                stack.callback(module.register_forward_hook(count(name)).remove)
        model(images)
    return runs


@contextmanager
def edit(model: nn.Module, edits: Mapping[str, Edit]) -> Iterator[nn.Module]:
    """Change activations while the block runs, in ``record`` and in plain calls of the model alike.

    Args:
        model: Any network.
        edits: ``{layer: function}``. The function gets the layer's activation and returns one of the same
            shape, for example ``lambda activation: activation * 0``. Names only, no patterns.

    Yields:
        The model.

    Raises:
        ValueError: A layer does not exist, or a function returns another shape.
    """
    modules = dict(model.named_modules())
    with ExitStack() as stack:
        for name, function in edits.items():
            if name not in modules or not name:
                raise ValueError(_unknown("edits", name, model))
            stack.callback(modules[name].register_forward_hook(_editing(name, function)).remove)
        yield model


def _editing(name: str, function: Edit) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    def hook(module: nn.Module, inputs: Any, output: Any) -> Tensor:
        edited = function(_one_tensor("edits", name, output))
        if not isinstance(edited, Tensor) or edited.shape != output.shape:
            got = f"shape {tuple(edited.shape)}" if isinstance(edited, Tensor) else type(edited).__name__
            raise ValueError(f"edits: the function for '{name}' returned {got}; return shape {tuple(output.shape)}")
        return edited

    return hook


def match_layers(model: nn.Module, layers: str | Sequence[str], argument: str = "layers") -> list[str]:
    """Full names of the layers asked for, each once.

    Args:
        model: Any network.
        layers: Names or patterns, as in ``record``.
        argument: Name of the caller's argument, for the error.

    Raises:
        ValueError: Nothing was asked for, or a name or pattern fits no layer; the closest names are given.
    """
    asked = [layers] if isinstance(layers, str) else list(layers)
    if not asked:
        raise ValueError(f"{argument}: is empty; name at least one layer")
    found: dict[str, None] = {}
    for pattern in asked:
        if _find(model, pattern) is not None:  # spares a small network the walk through all its names
            found[pattern] = None
            continue
        expression = re.escape(pattern).replace(r"\*", r"[^.]*").replace(r"\?", r"[^.]")
        matches = [name for name in layer_names(model) if re.fullmatch(expression, name)]
        if not matches:
            raise ValueError(_unknown(argument, pattern, model))
        found.update(dict.fromkeys(matches))
    return list(found)


def _find(model: nn.Module, name: str) -> nn.Module | None:
    """The layer of this name, in a fraction of the time that ``get_submodule`` takes."""
    found: nn.Module | None = model if name else None
    for part in name.split("."):
        found = found._modules.get(part) if found is not None else None
    return found


def _first_convolution(model: nn.Module) -> nn.Conv2d | None:
    """The first in the order of ``modules()``, which would take far longer to get going."""
    if isinstance(model, nn.Conv2d):
        return model
    for child in model._modules.values():
        if child is not None and (found := _first_convolution(child)) is not None:
            return found
    return None


def check_images(model: nn.Module, images: Tensor, argument: str = "images") -> None:
    """Refuse images that the network's convolutions cannot take; networks without any take what they like.

    The first convolution says how many channels there should be. A network may hold its parts in another order than it
    runs them, so images that fit another of its convolutions pass too.

    Raises:
        ValueError: Not a floating-point tensor, not four axes, or another number of channels.
    """
    convolution = _first_convolution(model)
    if convolution is None:
        return
    first = convolution.in_channels
    if not isinstance(images, Tensor):
        raise ValueError(f"{argument}: is a {type(images).__name__}; give a torch tensor")
    rule = f"(batch, {first}, height, width)"
    if images.ndim == 3 and images.shape[0] == first:
        raise ValueError(f"{argument}: shape {tuple(images.shape)} has no batch axis; add it with image[None]")
    if images.ndim != 4 or (images.shape[1] != first and not _some_convolution_takes(model, images.shape[1])):
        raise ValueError(f"{argument}: shape {tuple(images.shape)} does not fit this network; it takes {rule}")
    if not torch.is_floating_point(images):
        raise ValueError(f"{argument}: dtype {images.dtype} is not floating point; use images.float() / 255")


def _some_convolution_takes(model: nn.Module, channels: int) -> bool:
    return any(isinstance(module, nn.Conv2d) and module.in_channels == channels for module in model.modules())


def _unknown(argument: str, name: str, model: nn.Module) -> str:
    closest = difflib.get_close_matches(name, layer_names(model), n=3, cutoff=0.4)
    advice = f"the closest are {_quoted(closest)}" if closest else "layer_names(model) lists all"
    return f"{argument}: no layer '{name}' in this network; {advice}"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
