"""How the dictionaries of ``mixed4b`` were trained: TopK sparse autoencoders on mini's activations on photographs.

``innervision train dictionary`` runs this recipe; with ``--seed 1`` and so on it trains others. It looks at training
images of CIFAR-10 only, so the sample that ships, test images, is new to the dictionaries. About four minutes on one
core, half of them to record activations and to measure.

Source: Gao et al., "Scaling and evaluating sparse autoencoders", 2024 (TopK, the beginning, activations scaled; no
remedy against dead features was needed here).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from innervision.activations import edit, record
from innervision.data import cifar10, load_sample
from innervision.models import load
from innervision.recipes.exporting import accuracy, write_weights
from innervision.recipes.prepared import Prepared, Rows
from innervision.superposition.meanings import class_share
from innervision.superposition.shipped import LAYER, dictionary_name
from innervision.superposition.sparse_autoencoder import (
    SparseAutoencoder,
    dead_features,
    normalize_decoder,
    sae_decode,
    sae_encode,
    sae_loss,
    unexplained,
)
from innervision.superposition.steering import codes_of, in_words_of, vectors_of
from innervision.training import Batch, Task

FEATURES, ACTIVE = 512, 8
IMAGES, PLACES = 24000, 16
"""Training images, drawn by lot, and positions of each, drawn by lot out of 64."""
BATCH = 2048
EPOCHS = 8
LEARNING_RATE = 1e-3
SHRINKING_SHARE = 0.3
"""Over the last so much of training the steps shrink to 0."""
KEPT_BACK = 20
"""Batches at the end that are never trained on; evaluation uses them."""
PART = 250
"""Images that go through mini at once."""

Vectors = Float[Tensor, "vectors channels"]
Labelled = tuple[UInt8[Tensor, "images 3 32 32"], Int64[Tensor, " images"]]


def prepare(cache: str | Path | None, seed: int) -> Prepared:
    """Everything for a run.

    Raises:
        DataError: CIFAR-10 was not fetched yet, or is damaged.
    """
    images, _ = cifar10.load("train", cache)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(images), generator=generator)[:IMAGES]
    vectors = vectors_at_random(images[chosen], generator)
    prepared = task(vectors, seed=seed)
    about = {"data": "CIFAR-10, through mini", "data_sha256": cifar10.CONTENT_SHA256}
    test = cifar10.load("test", cache)
    scale = scale_of(vectors)
    return Prepared(prepared, about, lambda rows, into, record: export(prepared, scale, rows, test, into, record))


@torch.no_grad()
def vectors_at_random(images: UInt8[Tensor, "images 3 32 32"], generator: torch.Generator) -> Vectors:
    """Activations of ``LAYER`` at a few positions of each image, in half precision, image by image."""
    kept, network = [], load("mini")
    for part in images.split(PART):
        vectors = vectors_of(layer_maps(network, part)).flatten(1, 2)
        places = torch.rand(vectors.shape[:2], generator=generator).argsort(dim=1)[:, :PLACES, None]
        kept.append(vectors.gather(1, places.expand(-1, -1, vectors.shape[2])).flatten(0, 1).half())
    return torch.cat(kept)


def layer_maps(network: nn.Module, images: UInt8[Tensor, "images 3 32 32"]) -> Float[Tensor, "images channels 8 8"]:
    """Activations of ``LAYER`` on some images."""
    return record(network, images.float() / 255, LAYER)[LAYER]


def task(vectors: Vectors, *, seed: int = 0, batch: int = BATCH, epochs: int = EPOCHS) -> Task:
    """The training task: a fresh autoencoder, whose bias begins at the mean, and its activations.

    Activations are scaled so that a vector's length is the root of the number of channels on average;
    ``unscaled`` undoes that at the end.
    """
    channels, steps = vectors.shape[1], len(vectors) // batch - KEPT_BACK
    scale = scale_of(vectors)
    autoencoder = SparseAutoencoder(channels, FEATURES, ACTIVE, generator=torch.Generator().manual_seed(seed))
    autoencoder.decoder_bias.data[:] = scale * vectors.float().mean(dim=0)
    training, test = vectors[: steps * batch], vectors[steps * batch :]

    def batches(generator: torch.Generator) -> Iterator[Batch]:
        for chosen in torch.randperm(len(training), generator=generator).split(batch):
            yield (scale * training[chosen].float(),)

    def evaluate(model: nn.Module) -> dict[str, float]:
        with torch.no_grad():
            return {"unexplained": unexplained(scale * test.float(), model(scale * test.float()))}

    def shrinking(step: int) -> float:
        return min(1.0, (epochs * steps - step) / (SHRINKING_SHARE * epochs * steps))

    optimizer = torch.optim.Adam(autoencoder.parameters(), LEARNING_RATE)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, shrinking)
    settings = {
        "layer": LAYER,
        "features": FEATURES,
        "active": ACTIVE,
        "vectors": len(vectors),
        "batch": batch,
        "epochs": epochs,
        "learning_rate": LEARNING_RATE,
    }
    return Task(
        autoencoder,
        batches,
        reconstruction_loss,
        evaluate,
        optimizer,
        scheduler,
        settings,
        after_step=lambda: normalize_decoder(autoencoder),
    )


def reconstruction_loss(network: nn.Module, batch: Batch) -> Tensor:
    """Mean squared length of what the reconstruction misses. TopK keeps codes few, so they have no price."""
    autoencoder = cast(SparseAutoencoder, network)
    codes = sae_encode(batch[0], autoencoder)
    return sae_loss(batch[0], sae_decode(codes, autoencoder), codes)


def scale_of(vectors: Vectors) -> float:
    """What to multiply activations with, so that their length is the root of their number of channels on average."""
    return vectors.shape[1] ** 0.5 / float(vectors.float().norm(dim=1).mean())


def unscaled(state: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """The same autoencoder for activations as the network has them, in half precision; directions keep the length 1."""
    return {name: (value / scale if name.endswith("bias") else value).half() for name, value in state.items()}


def export(run: Task, scale: float, rows: Rows, test: Labelled, into: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Write the weights, and what was measured with them, as written, on test images."""
    state = unscaled(run.network.state_dict(), scale)
    channels, features = state["encoder"].shape
    written = SparseAutoencoder(channels, features, ACTIVE, generator=torch.Generator()).requires_grad_(False)
    written.load_state_dict(state)
    measured = {
        "layer": LAYER,
        "active": ACTIVE,
        "unexplained": rows[-1]["unexplained"],
        **measure(written, test),
    }
    parameters = sum(value.numel() for value in state.values())
    return write_weights(dictionary_name(record["seed"]), state, into, {"parameters": parameters, **record, **measured})


@torch.no_grad()
def measure(autoencoder: SparseAutoencoder, test: Labelled) -> dict[str, Any]:
    """What the dictionary costs on test images, and how selective it is on the sample, beside mini's own units."""
    network, sample = load("mini"), load_sample()
    with edit(network, {LAYER: in_words_of(autoencoder)}):
        spoken = accuracy(network, *test)
    maps = torch.cat([layer_maps(network, part) for part in sample.images.split(PART)])
    codes = codes_of(maps, autoencoder)
    named = {"class_share": codes, "class_share_units": maps}
    shares = {name: class_share(values.mean(dim=(2, 3)), sample.labels) for name, values in named.items()}
    return {
        "test_images": len(test[0]),
        "accuracy": spoken,
        "dead_features": int(dead_features(vectors_of(codes)).sum()),
        **{name: round(float(share[share > 0].mean()), 4) for name, share in shares.items()},
    }
