"""Channels drawn together by ``innervision.render``, and one by one by torch-lucent, on the same networks.

Same image size, threads, learning rate and objectives, in one run, by turns. torch-lucent does as it always does: its
own transforms, the whole network, gradients for the weights too. The second figure is for weights that were frozen for
it. It draws a sample of the channels: its cost does not depend on the channel.

Equal steps: wall seconds a channel, everything included, after a first drawing that does not count.
Equal activation: the finished images' mean channel activation without transforms is compared with what torch-lucent
reaches in 512 steps. Whole drawings are timed, with as many steps as are enough on that network. Beside it: the share
of fine grain, the total variation, and the activation in poses that neither was drawn in. The pictures lie side by
side in ``build/bench``. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import mean, median

import torch
from benchmarks.subjects import SUBJECTS, Subject, draw_with_lucent
from torch import Tensor, nn

from innervision.optvis.arguments import PRECISIONS
from innervision.optvis.measures import high_frequency_share, robust_activation
from innervision.optvis.penalties import total_variation
from innervision.optvis.portions import PORTION
from innervision.optvis.render import render
from innervision.optvis.rendering import Rendering
from innervision.optvis.scoring import Scorer
from innervision.optvis.transforms import unseen_transforms

LUCENT_STEPS = 512
"""torch-lucent's default."""

Figures = dict[str, float]


def timed(
    network: nn.Module, names: list[str], size: int, steps: int, precision: str = "float32"
) -> tuple[Rendering, float]:
    """A drawing and its wall seconds."""
    start = time.perf_counter()
    drawn = render(network, names, size=size, steps=steps, precision=precision)
    return drawn, time.perf_counter() - start


def warm_up(subject: Subject, network: nn.Module, names: list[str], channel: int) -> None:
    """Both meet the sizes of images that they will be shown: libraries prepare for each size once."""
    for precision in PRECISIONS:
        timed(network, names[:PORTION], subject.size, subject.steps, precision)
    draw_with_lucent(network, subject.layer, channel, subject.size, 2)


def at_equal_steps(
    subject: Subject, network: nn.Module, channels: list[int], sampled: int, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds for one step of one channel, each time that it was measured."""
    names = [f"{subject.layer}:{channel}" for channel in channels]
    found: dict[str, list[float]] = {"innervision, float32": [], "innervision, bfloat16": []}
    found |= {"torch-lucent": [], "torch-lucent, frozen": []}
    sample = channels[:: len(channels) // sampled][:sampled]
    for repeat in range(repeats):  # by turns, so that a busy moment of the machine hits both
        for precision in PRECISIONS:
            _, seconds = timed(network, names, subject.size, subject.steps, precision)
            found[f"innervision, {precision}"].append(1e3 * seconds / subject.steps / len(channels))
        for channel in sample[repeat::repeats]:
            for name, wanted in (("torch-lucent", True), ("torch-lucent, frozen", False)):
                network.requires_grad_(wanted)
                _, seconds = draw_with_lucent(network, subject.layer, channel, subject.size, subject.steps)
                found[name].append(1e3 * seconds / subject.steps)
            network.requires_grad_(True)
    return found


def looks(subject: Subject, network: nn.Module, names: list[str], images: Tensor) -> Figures:
    """What pictures reach, in their own pose and in others, and how clean they are; means over channels."""
    poses, generator = unseen_transforms(subject.size), torch.Generator().manual_seed(0)
    with torch.no_grad():
        reached = Scorer(network, names, images)(images)
    return {
        "activation": float(reached.mean()),
        "activation in unseen poses": float(robust_activation(network, names, images, poses, 16, generator).mean()),
        "share of fine grain": float(high_frequency_share(images).mean()),
        "total variation": float(total_variation(images).mean()),
    }


def at_equal_activation(
    subject: Subject, network: nn.Module, channels: list[int], sampled: int, folder: Path
) -> tuple[Figures, dict[str, Figures]]:
    """Times until torch-lucent's activation, and the looks of both."""
    sample = channels[:: len(channels) // sampled][:sampled]
    drawn = [draw_with_lucent(network, subject.layer, channel, subject.size, LUCENT_STEPS) for channel in sample]
    theirs, their_seconds = torch.cat([image for image, _ in drawn]), [seconds for _, seconds in drawn]
    names = [f"{subject.layer}:{channel}" for channel in channels]
    ours, seconds = timed(network, names, subject.size, subject.enough)
    kept = [channels.index(channel) for channel in sample]
    sampled_names = [names[i] for i in kept]
    reached = Scorer(network, sampled_names, theirs)(theirs).detach()
    times = {
        "seconds a channel, torch-lucent": mean(their_seconds),
        "seconds a channel, innervision": seconds / len(channels),
        "times faster": mean(their_seconds) / (seconds / len(channels)),
        "channels that reach torch-lucent's activation, share": float((ours.scores[kept] >= reached).float().mean()),
    }
    both = torch.cat([theirs, ours.images[kept]])
    folder.mkdir(parents=True, exist_ok=True)
    sheet = Rendering(both, torch.zeros(1, len(both)), torch.zeros(len(both)), sampled_names * 2)
    sheet.save(folder / f"beside-lucent-{subject.name}.png", columns=len(sample), zoom=192 // subject.size or 1)
    return times, {
        "torch-lucent": looks(subject, network, sampled_names, theirs),
        "innervision": looks(subject, network, sampled_names, ours.images[kept]),
    }


def compare(subject: Subject, arguments: argparse.Namespace) -> dict[str, object]:
    """Everything about one network, printed and returned."""
    network = subject.network()
    channels = subject.channels(network, arguments.channels)
    names = [f"{subject.layer}:{channel}" for channel in channels]
    print(
        f"\n{subject.name}, {len(channels)} channels of {subject.layer}, {subject.size} × {subject.size} pixels, "
        f"{subject.steps} steps; torch-lucent draws {arguments.sample} of them"
    )
    warm_up(subject, network, names, channels[0])
    equal = at_equal_steps(subject, network, channels, arguments.sample, arguments.repeats)
    for name, values in equal.items():
        runs = ", ".join(f"{value:.2f}" for value in values)
        factor = median(values) / median(equal["innervision, float32"])
        print(f"  {name:<24}{median(values):8.2f} ms a step of one channel, × {factor:5.2f}   (all: {runs})")
    fewer = median(equal["innervision, bfloat16"])
    both = (median(equal["torch-lucent"]) / fewer, median(equal["torch-lucent, frozen"]) / fewer)
    print("  torch-lucent beside bfloat16: × {:.2f}, frozen × {:.2f}".format(*both))
    if not subject.enough:
        return {"equal steps": equal}
    times, looked = at_equal_activation(subject, network, channels, arguments.sample, arguments.pictures)
    print(f"  until torch-lucent's activation after {LUCENT_STEPS} steps: {subject.enough} steps")
    for name, value in times.items():
        print(f"    {name:<56}{value:8.3f}")
    for measure in looked["innervision"]:
        pair = ", ".join(f"{who} {figures[measure]:.4f}" for who, figures in looked.items())
        print(f"    {measure:<30}{pair}")
    return {"equal steps": equal, "equal activation": times, "looks": looked}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--sample", type=int, default=4, help="channels that torch-lucent draws")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=Path, default=Path("build/bench"), metavar="FOLDER")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {arguments.threads} threads")
    found = {name: compare(SUBJECTS[name], arguments) for name in arguments.networks}
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
