"""What one step of ``innervision.render`` consists of, how its cost grows with the batch, and what memory it takes.

Breakdown: one step of ``maximize`` on 32 channels, with a stopwatch around each of its parts, medians over steps.
Beside it the bare pass: forward and backward pass of the network up to the layer, as ``record`` runs it, on the very
images that the step shows it, once a portion at a time (as ``render`` does it) and once all together. A step may take
less: of the last layer ``render`` computes only the channels that it draws. How much less it multiplies is counted.

Memory: what a process holds at its peak beyond what it held before the drawing, a channel; ``render`` draws 32,
torch-lucent one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from benchmarks.products import products
from benchmarks.subjects import SUBJECTS, Subject, draw_with_lucent
from torch import Tensor, nn

from innervision.activations import record
from innervision.optvis.parametrizations import Fourier
from innervision.optvis.portions import PORTION, in_portions
from innervision.optvis.render import render
from innervision.optvis.scoring import Scorer, frozen
from innervision.optvis.transforms import one_pose, standard_transforms

MIB = 2**20
Times = dict[str, list[float]]


@contextmanager
def stopwatch(times: Times, part: str) -> Iterator[None]:
    """Note the milliseconds that the block takes."""
    start = time.perf_counter()
    yield
    times[part].append(1e3 * (time.perf_counter() - start))


def bare(network: nn.Module, layer: str, images: Tensor, portion: int) -> None:
    """Forward and backward pass up to the layer and nothing else, a portion of the images at a time."""
    for part in images.split(portion):
        shown = part.contiguous(memory_format=torch.channels_last).requires_grad_(True)
        activation = record(network, shown, [layer])[layer]
        activation.backward(torch.ones_like(activation))


def steps_apart(subject: Subject, network: nn.Module, channels: list[int], steps: int) -> Times:
    """Milliseconds of each part of each step, after as many steps that do not count."""
    generator, times = torch.Generator().manual_seed(0), defaultdict(list)
    drawing = Fourier(len(channels), (subject.size, subject.size), generator)
    transform, (parameter,) = standard_transforms(subject.size), drawing.parameters()
    scorer = Scorer(network, [f"{subject.layer}:{channel}" for channel in channels], drawing.image().detach())
    optimizer = torch.optim.Adam([parameter], lr=0.05, maximize=True)
    for step in range(2 * steps):
        times = times if step != steps else defaultdict(list)
        with stopwatch(times, "all of it"):
            shown = _one_step(times, drawing, transform, scorer, optimizer, generator)
        for name, portion in (("bare pass, in portions", PORTION), ("bare pass, all together", len(shown))):
            with stopwatch(times, name):
                bare(network, subject.layer, shown, portion)
    return times


def _one_step(
    times: Times,
    drawing: Fourier,
    transform: Callable[..., Tensor],
    scorer: Scorer,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> Tensor:
    """One step of ``maximize``, cut between its parts: each is handed the next one's gradient. What was shown."""
    optimizer.zero_grad()
    with stopwatch(times, "parametrization"):
        images = drawing.image()
    leaf = images.detach().requires_grad_(True)
    with stopwatch(times, "transforms"):
        shown = transform(leaf, generator)
    seen = shown.detach().requires_grad_(True)
    forward: Times = defaultdict(list)

    def scored(images: Tensor, drawn: Tensor, first: int) -> Tensor:
        with stopwatch(forward, "forward"):
            return scorer(images, drawn, first)

    with stopwatch(times, "network"):
        in_portions(scored, seen, leaf.detach()).sum().backward()
    times["forward"].append(sum(forward["forward"]))
    with stopwatch(times, "transforms, backward"):
        shown.backward(seen.grad)
    with stopwatch(times, "parametrization, backward"):
        images.backward(leaf.grad)
    with stopwatch(times, "optimiser"):
        optimizer.step()
    return shown.detach()


def work(subject: Subject, network: nn.Module, channels: list[int]) -> dict[str, float]:
    """Multiplications in the convolutions of a forward pass, for each image: of the bare pass, and of a scorer's."""
    images = torch.rand(len(channels), 3, subject.size, subject.size, generator=torch.Generator().manual_seed(0))
    scorer = Scorer(network, [f"{subject.layer}:{channel}" for channel in channels], images)
    with torch.no_grad():
        bare_pass = products(lambda: record(network, images, [subject.layer]))
        scored = products(lambda: [scorer(part, first=i * PORTION) for i, part in enumerate(images.split(PORTION))])
    return {"products, bare": bare_pass / len(channels), "products, innervision": scored / len(channels)}


def whole_steps(subject: Subject, network: nn.Module, channels: list[int], steps: int) -> float:
    """Milliseconds a step of ``render``, median; all images are shown in one size, and no rectifier is redirected."""
    moments: list[float] = []
    pose = one_pose(4, 4, [1.0], [-5, 5], 2)

    def noted(images: Tensor, generator: torch.Generator) -> Tensor:
        moments.append(1e3 * time.perf_counter())
        return pose(images, generator)

    names = [f"{subject.layer}:{channel}" for channel in channels]
    render(network, names, size=subject.size, steps=steps + 2, redirect_steps=0, transforms=noted)
    return median(after - before for before, after in pairwise(moments[2:]))  # the first looks and the first prepares


def breakdown(subject: Subject, network: nn.Module, steps: int) -> dict[str, float]:
    """Medians of all parts, in milliseconds, printed."""
    channels = subject.channels(network, 32)
    times = {name: median(values) for name, values in steps_apart(subject, network, channels, steps).items()}
    parts = {
        "parametrization": times["parametrization"] + times["parametrization, backward"],
        "transforms": times["transforms"] + times["transforms, backward"],
        "forward": times["forward"],
        "backward": times["network"] - times["forward"],
        "optimiser": times["optimiser"],
        "rest": times["all of it"],
    }
    parts["rest"] -= sum(parts.values()) - parts["rest"]
    total = sum(parts.values())
    bares = {name: value for name, value in times.items() if name.startswith("bare")}
    print(f"\n{subject.name}, 32 channels of {subject.layer}, {subject.size} pixels: one step {total:.0f} ms")
    for name, value in parts.items():
        print(f"  {name:<26}{value:8.1f} ms  {100 * value / total:5.1f} %")
    for name, value in bares.items():
        print(f"  {name:<26}{value:8.1f} ms; a step is × {total / value:.2f}")
    counted = work(subject, network, channels)
    less = 100 * (1 - counted["products, innervision"] / counted["products, bare"])
    print(f"  the bare pass computes the whole layer, a step {less:.0f} % less: only the channels that are drawn")
    return parts | bares | counted | {"a step": total}


def growth(subject: Subject, network: nn.Module, counts: list[int], steps: int) -> dict[str, float]:
    """Milliseconds of one step a channel for each size of the batch, printed."""
    found = {
        str(count): whole_steps(subject, network, subject.channels(network, count), steps) / count for count in counts
    }
    print("  channels drawn together: ms a step of one channel: ", end="")
    print(", ".join(f"{count}: {value:.1f}" for count, value in found.items()))
    return found


def resident(kind: str) -> int:
    """Bytes of memory: ``VmRSS`` now, or ``VmHWM`` at the peak. Linux only."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(kind):
            return 1024 * int(line.split()[1])
    raise SystemExit(f"this system does not tell {kind}")


def peak_memory(subject: Subject, who: str, count: int) -> None:
    """Print the bytes a channel that this process takes to draw. To be run in a process of its own."""
    torch.set_num_threads(2)
    network = subject.network()
    channels = subject.channels(network, count)

    def draw(steps: int, size: int) -> None:
        if who == "innervision":
            render(network, [f"{subject.layer}:{channel}" for channel in channels], size=size, steps=steps)
        else:
            draw_with_lucent(network, subject.layer, channels[0], size, steps)

    draw(1, 16)  # everything is imported and prepared
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    draw(6, subject.size)
    print((resident("VmHWM") - before) / count)


def memories(subject: Subject) -> dict[str, float]:
    """MiB a channel of both, each measured in a fresh process, printed."""
    found = {}
    for who, count in (("innervision", 32), ("torch-lucent", 1)):
        command = [sys.executable, "-m", "benchmarks.step", "--peak", who, str(count), "--networks", subject.name]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found[who] = float(output.splitlines()[-1]) / MIB
    print("  memory a channel: " + ", ".join(f"{who} {value:.1f} MiB" for who, value in found.items()))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--steps", type=int, default=8, help="steps that are measured")
    parser.add_argument("--counts", nargs="+", type=int, default=[1, 8, 32, 64], help="sizes of the batch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--peak", nargs=2, metavar=("WHO", "CHANNELS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        who, count = arguments.peak
        return peak_memory(SUBJECTS[arguments.networks[0]], who, int(count))
    torch.set_num_threads(arguments.threads)
    found: dict[str, Any] = {}
    for name in arguments.networks:
        subject = SUBJECTS[name]
        network = subject.network()
        with frozen(network):
            found[name] = {"breakdown": breakdown(subject, network, arguments.steps)}
            found[name]["growth"] = growth(subject, network, arguments.counts, 5)
        found[name]["memory"] = memories(subject)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1), encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
