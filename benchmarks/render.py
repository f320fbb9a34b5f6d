"""Sixteen channels drawn together by ``innervision.render``, and one by one by torch-lucent, on the same network.

Same image size, steps, learning rate and threads, in one run, by turns. Reported: wall seconds for each channel, and
the activation reached: each finished image's mean channel activation, as it is, without transforms.

torch-lucent enlarges small images to 224 pixels unless ``fixed_image_size`` is set; it is set to the image size.
Its transforms are its own standard ones, made for large images (a border of 12 pixels); with ``--same-transforms``
they shrink with the image, as ours do. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from statistics import median
from typing import Any

import torch
from torch import Tensor

from innervision.activations import record
from innervision.models import load
from innervision.optvis.render import render

LAYER = "mixed3b"
LEARNING_RATE = 0.05  # torch-lucent's default, and ours


def lucent_transforms(size: int) -> list[Any]:
    """torch-lucent's standard transforms with border and shifts in proportion to 128 pixels."""
    from lucent.optvis import transform

    border, first, second = (max(1, round(pixels * size / 128)) for pixels in (12, 8, 4))
    return [
        transform.pad(border, mode="constant", constant_value=0.5),
        transform.jitter(max(first, 2)),  # torch-lucent refuses 1
        transform.random_scale([1 + (i - 5) / 50 for i in range(11)]),
        transform.random_rotate([*range(-10, 11), 0, 0, 0, 0, 0]),
        transform.jitter(max(second, 2)),
    ]


def draw_with_lucent(network: torch.nn.Module, channel: int, size: int, steps: int, *, same: bool) -> Tensor:
    """One channel by torch-lucent, ``(1, 3, size, size)``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lucent.optvis import param
        from lucent.optvis.render import render_vis

        (image,) = render_vis(
            network,
            f"{LAYER}:{channel}",
            lambda: param.image(size),
            transforms=lucent_transforms(size) if same else None,
            thresholds=(steps,),
            progress=False,
            show_image=False,
            preprocess=False,  # our networks normalise inside
            fixed_image_size=size,
        )
    for module in network.modules():  # torch-lucent leaves its hooks behind: each drawing would be slower than the last
        module._forward_hooks.clear()
    return torch.from_numpy(image).permute(0, 3, 1, 2)


def reached(network: torch.nn.Module, images: Tensor, channels: list[int]) -> list[float]:
    """Mean activation of each image's own channel."""
    with torch.no_grad():
        activation = record(network, images, LAYER)[LAYER]
    return [float(activation[i, channel].mean()) for i, channel in enumerate(channels)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="of our batch; the median counts")
    parser.add_argument("--same-transforms", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)  # torch-lucent draws from the global generators
    network = load("mini")
    width = network.get_submodule(f"{LAYER}_1x1").conv.out_channels * 4
    channels = [int(channel) for channel in torch.linspace(0, width - 1, options.channels)]
    names = [f"{LAYER}:{channel}" for channel in channels]
    settings = {"size": options.size, "learning_rate": LEARNING_RATE}
    render(network, names, steps=2, **settings)  # both warm up once
    draw_with_lucent(network, channels[0], options.size, 2, same=options.same_transforms)

    ours, theirs, drawn = [], [], []
    per_repeat = -(-len(channels) // options.repeats)
    for repeat in range(options.repeats):  # by turns, so that a busy moment of the machine hits both
        start = time.perf_counter()
        images = render(network, names, steps=options.steps, **settings).images
        ours.append((time.perf_counter() - start) / len(channels))
        for channel in channels[repeat * per_repeat : (repeat + 1) * per_repeat]:
            start = time.perf_counter()
            drawn.append(draw_with_lucent(network, channel, options.size, options.steps, same=options.same_transforms))
            theirs.append(time.perf_counter() - start)

    mean = lambda values: sum(values) / len(values)  # noqa: E731
    results = {
        "seconds a channel, together (innervision)": median(ours),
        "seconds a channel, one by one (torch-lucent)": mean(theirs),
        "times faster": mean(theirs) / median(ours),
        "activation reached (innervision)": mean(reached(network, images, channels)),
        "activation reached (torch-lucent)": mean(reached(network, torch.cat(drawn), channels)),
    }
    print(
        f"{len(channels)} channels of mini's {LAYER}, {options.size} × {options.size} pixels, {options.steps} steps, "
        f"{options.threads} threads, torch {torch.__version__}"
    )
    for name, value in results.items():
        print(f"{name:<48}{value:8.3f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"options": vars(options), **results}, file, indent=1)


if __name__ == "__main__":
    main()
