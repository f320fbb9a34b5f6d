"""What changes without it? Units taken out, or set to what they are on another image, and what follows.

Correlation shows in any picture. That one thing causes another shows only where one is changed and the other watched.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from innervision.activations import Edit, record


def ablate(
    channels: Sequence[int],
    how: str = "zero",
    *,
    data: Float[Tensor, "samples channel height width"] | None = None,
    generator: torch.Generator | None = None,
) -> Edit:
    """A function for ``edit`` that takes some channels out of an activation.

    Args:
        channels: Their numbers.
        how: ``"zero"``: silence. ``"mean"``: at each position, what the channel does there on average on the data.
            ``"resample"``: for each image the channels of one of the data, drawn at random; so they go together as they
            do on real images, and have nothing to do with this one.
        data: The layer's activation on other images; needed for mean and resample.
        generator: Where resample draws from.

    Raises:
        ValueError: ``how`` is none of the three, or what it needs is missing.

    Example:
        >>> ablate([1])(torch.ones(1, 3, 1, 1)).flatten()
        tensor([1., 0., 1.])

    Source:
        Wang et al., "Interpretability in the wild", 2022, section 2 (mean in place of zero, since zero may be
        unlike anything that the network knows); Chan et al., "Causal scrubbing", 2022 (resampling).
    """
    check_ablation(how, data, generator)

    def ablated(activation: Tensor) -> Tensor:
        changed, chosen = activation.clone(), list(channels)
        if how == "zero" or data is None:
            changed[:, chosen] = 0
        elif how == "mean":
            changed[:, chosen] = data.mean(dim=0)[chosen]
        else:
            changed[:, chosen] = data[torch.randint(len(data), (len(activation),), generator=generator)][:, chosen]
        return changed

    return ablated


def check_ablation(how: str, data: Tensor | None, generator: torch.Generator | None) -> None:
    """Refuse an ablation that is none, or that lacks what it needs."""
    if how not in ("zero", "mean", "resample"):
        raise ValueError(f"how: '{how}' is none of 'zero', 'mean', 'resample'")
    if how != "zero" and data is None:
        raise ValueError(f"data: is needed for '{how}'; give the layer's activation on other images")
    if how == "resample" and generator is None:
        raise ValueError("generator: is needed for 'resample'; give a torch.Generator")


def total_effect(
    model: nn.Module, images: Float[Tensor, "batch 3 height width"], layer: str, change: Edit, of: str
) -> Float[Tensor, "batch ..."]:
    """How much does a later activation change when an earlier one is changed, by whatever way?

    Args:
        model: A network in eval mode.
        images: In [0, 1].
        layer: The layer that is changed.
        change: How, for example ``ablate([3])``.
        of: The later layer.

    Returns:
        Activation with the change minus activation without it.

    Example:
        >>> model = nn.Sequential(nn.Identity(), nn.ReLU()).eval()
        >>> total_effect(model, torch.ones(1, 3, 1, 1), "0", ablate([1]), of="1").flatten()
        tensor([ 0., -1.,  0.])

    Source:
        Pearl, "Direct and indirect effects", 2001; Vig et al., "Causal mediation analysis", 2020.
    """
    with torch.no_grad():
        return record(model, images, of, edits={layer: change})[of] - record(model, images, of)[of]


def direct_effect(
    model: nn.Module,
    images: Float[Tensor, "batch 3 height width"],
    layer: str,
    change: Edit,
    of: str,
    through: Sequence[str],
) -> Float[Tensor, "batch ..."]:
    """How much of the effect does not go through some other layers?

    Those layers are held at what they are without the change, so what still arrives has come past them.

    Args:
        model: A network in eval mode.
        images: In [0, 1].
        layer: The layer that is changed.
        change: How, for example ``ablate([3])``.
        of: The later layer.
        through: The layers that are held, after ``layer`` and before ``of``.

    Returns:
        Activation with the change minus activation without it.

    Source:
        Pearl, "Direct and indirect effects", 2001.
    """
    with torch.no_grad():
        before = record(model, images, [of, *through])
        held: dict[str, Edit] = {name: lambda _, kept=before[name]: kept for name in through}  # type: ignore[misc]
        return record(model, images, of, edits={layer: change, **held})[of] - before[of]
