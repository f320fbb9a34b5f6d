"""What one unit reads: its strongest weights, each between the pictures of the two units that it joins."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from innervision.circuits.composition import top_connections
from innervision.plots.kernels import kernel_sheet


def contextualized_weights(
    weights: Float[Tensor, "outputs inputs rows columns"],
    unit: int,
    draw: Callable[[list[str]], Float[Tensor, "units 3 height width"]],
    *,
    from_layer: str,
    to_layer: str,
    count: int = 4,
) -> Figure:
    """What excites a unit most and what inhibits it most: kernels, with pictures of the units at both ends.

    Args:
        weights: Expanded weights between two layers, or a convolution's own.
        unit: Number of the channel that reads.
        draw: Takes names such as ``"mixed3a:7"``, and returns a picture of each, for example
            ``lambda names: render(network, names, seed=0).images``. It is called once.
        from_layer: The layer that is read.
        to_layer: The layer of ``unit``.
        count: How many channels of each kind.

    Raises:
        ValueError: ``draw`` returns another number of pictures; or as ``top_connections`` and ``kernel_sheet``.

    Source:
        Voss et al., "Visualizing weights", Distill 2021 (contextualized weights).
    """
    excites, inhibits = top_connections(weights, unit, count)
    read = [[f"{from_layer}:{channel}" for channel in kind.channels.tolist()] for kind in (excites, inhibits)]
    reader = f"{to_layer}:{unit}"
    needed = list(dict.fromkeys([reader, *read[0], *read[1]]))
    drawn = draw(needed)
    if len(drawn) != len(needed):
        raise ValueError(f"draw: returned {len(drawn)} pictures for {len(needed)} units")
    pictures = dict(zip(needed, drawn, strict=True))
    return kernel_sheet(
        torch.stack([excites.kernels, inhibits.kernels]),
        rows=["excite", "inhibit"],
        names=read,
        inputs=torch.stack([torch.stack([pictures[name] for name in kind]) for kind in read]),
        outputs=torch.stack([pictures[reader]] * 2),
        title=f"what {reader} reads",
    )
