"""A sparse autoencoder: activations written as sums of a few directions out of a large dictionary, which it learns.

The codes say how strongly each dictionary feature is present; the decoder's rows are the directions. Codes are kept few
in one of two ways: by a price on their sum (L1), or by keeping only the k largest (TopK).

Source: Bricken et al., "Towards monosemanticity", 2023 (L1, decoder of length 1); Gao et al., "Scaling and evaluating
sparse autoencoders", 2024 (TopK, features that died).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn


class SparseAutoencoder(nn.Module):
    """The parameters of a sparse autoencoder.

    Args:
        channels: Numbers of an activation.
        features: Entries of the dictionary.
        active: How many codes of an activation may differ from 0; None leaves that to the price on codes.
        generator: Draws the first directions. The encoder begins as the decoder's transpose, as published.

    Attributes:
        encoder: (channels, features).
        decoder: (features, channels); row i is the direction of dictionary feature i.
        encoder_bias: One number for each feature.
        decoder_bias: An activation: what is there when all codes are 0.

    Raises:
        ValueError: ``active`` is not from 1 to ``features``.

    Source:
        Gao et al., "Scaling and evaluating sparse autoencoders", 2024, appendix A.1 (the beginning).
    """

    def __init__(self, channels: int, features: int, active: int | None = None, *, generator: torch.Generator):
        super().__init__()
        if active is not None and not 1 <= active <= features:
            raise ValueError(f"active: {active} is not from 1 to {features}, the number of features")
        self.active = active
        directions = F.normalize(torch.randn(features, channels, generator=generator), dim=1)
        self.decoder = nn.Parameter(directions)
        self.encoder = nn.Parameter(directions.T.clone())
        self.encoder_bias = nn.Parameter(torch.zeros(features))
        self.decoder_bias = nn.Parameter(torch.zeros(channels))

    def forward(self, activations: Float[Tensor, "*batch channels"]) -> Float[Tensor, "*batch channels"]:
        """The activations as the dictionary writes them."""
        return sae_decode(sae_encode(activations, self), self)


def sae_encode(
    activations: Float[Tensor, "*batch channels"], autoencoder: SparseAutoencoder
) -> Float[Tensor, "*batch features"]:
    """How strongly each dictionary feature is present: the codes.

    The decoder's bias is taken away, the encoder applied, its bias added, all below 0 set to 0. If the autoencoder
    keeps only ``active`` codes, the largest of each activation stay as they are and all others become 0.

    Args:
        activations: Channels on the last axis.
        autoencoder: Its parameters, and ``active``: a number, or None for all.

    Example:
        >>> autoencoder = SparseAutoencoder(2, 3, active=1, generator=torch.Generator())
        >>> _ = autoencoder.requires_grad_(False)
        >>> autoencoder.encoder[:] = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
        >>> sae_encode(torch.tensor([[1.0, 2.0], [3.0, -1.0]]), autoencoder)
        tensor([[0., 0., 3.],
                [3., 0., 0.]])

    Source:
        Gao et al., "Scaling and evaluating sparse autoencoders", 2024, section 2.3.
    """
    codes = ((activations - autoencoder.decoder_bias) @ autoencoder.encoder + autoencoder.encoder_bias).relu()
    if autoencoder.active is None:
        return codes
    values, places = codes.topk(autoencoder.active, dim=-1)
    return torch.zeros_like(codes).scatter(-1, places, values)


def sae_decode(
    codes: Float[Tensor, "*batch features"], autoencoder: SparseAutoencoder
) -> Float[Tensor, "*batch channels"]:
    """The activations that codes stand for: each feature's direction as often as its code says, and the bias.

    Args:
        codes: As ``sae_encode`` gives them.
        autoencoder: Its decoder has a row for each code.

    Example:
        >>> autoencoder = SparseAutoencoder(2, 3, generator=torch.Generator()).requires_grad_(False)
        >>> autoencoder.decoder[:] = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
        >>> sae_decode(torch.tensor([[2.0, 0.0, 10.0]]), autoencoder)
        tensor([[8., 8.]])
    """
    return codes @ autoencoder.decoder + autoencoder.decoder_bias


def sae_loss(
    activations: Float[Tensor, "batch channels"],
    reconstructed: Float[Tensor, "batch channels"],
    codes: Float[Tensor, "batch features"],
    penalty: float = 0.0,
) -> Float[Tensor, ""]:
    """What an autoencoder is to make small: squared length of the error, and a price on codes; mean over the batch.

    Args:
        activations: What went in.
        reconstructed: What came out.
        codes: What was in between.
        penalty: Price of a code of size 1, 0 or more. TopK needs none.

    Example:
        >>> there, back = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [2.0, 0.0]])
        >>> sae_loss(there, back, torch.tensor([[1.0, 3.0, 0.0], [0.0, 0.0, 2.0]]), penalty=0.5)
        tensor(5.5000)

    Source:
        Bricken et al., "Towards monosemanticity", 2023, "Sparse autoencoder training".
    """
    errors = (activations - reconstructed).square().sum(dim=1)
    return (errors + penalty * codes.abs().sum(dim=1)).mean()


def normalize_decoder(autoencoder: SparseAutoencoder) -> None:
    """Give each dictionary feature the length 1, in place; codes take over what the lengths were.

    So the codes grow by the old lengths, and without TopK the reconstruction stays what it was. Otherwise an
    autoencoder could escape the price on codes: codes half as large, directions twice as long.

    Args:
        autoencoder: Its decoder, encoder and encoder's bias are changed. A direction of length 0 stays as it is.

    Example:
        >>> autoencoder = SparseAutoencoder(2, 1, generator=torch.Generator()).requires_grad_(False)
        >>> autoencoder.decoder[:], autoencoder.encoder[:] = torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0], [1.0]])
        >>> normalize_decoder(autoencoder)
        >>> autoencoder.decoder.data, autoencoder.encoder.data
        (tensor([[0.6000, 0.8000]]), tensor([[5.],
                [5.]]))

    Source:
        Bricken et al., "Towards monosemanticity", 2023, "Sparse autoencoder training" (directions of length 1).
    """
    with torch.no_grad():
        lengths = autoencoder.decoder.norm(dim=1)
        lengths[lengths == 0] = 1
        autoencoder.decoder.div_(lengths[:, None])
        autoencoder.encoder.mul_(lengths)
        autoencoder.encoder_bias.mul_(lengths)


def dead_features(codes: Float[Tensor, "*batch features"]) -> Bool[Tensor, " features"]:
    """Which dictionary features are never present, in any of the activations.

    Args:
        codes: Of many activations; features on the last axis, any number of axes before it.

    Example:
        >>> dead_features(torch.tensor([[[0.0, 0.5, 0.0]], [[0.0, 0.0, 0.1]]]))
        tensor([ True, False, False])
    """
    return (codes <= 0).flatten(0, -2).all(dim=0)


def unexplained(activations: Float[Tensor, "batch channels"], reconstructed: Float[Tensor, "batch channels"]) -> float:
    """Squares of what a reconstruction misses, divided by squares of what differs from the mean activation.

    Returns:
        0 for a perfect reconstruction, 1 for one that always says the mean.
    """
    missed, varying = activations - reconstructed, activations - activations.mean(dim=0)
    return float(missed.square().sum() / varying.square().sum())
