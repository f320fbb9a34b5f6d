"""What ``record`` costs beyond the network itself: by turns it, and the bare pass to the same depth, written out.

Batches as ``render`` shows them, no gradients. The median of the differences between neighbours counts, and is told as
a share of the bare pass.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from benchmarks.subjects import SUBJECTS, Subject
from torch import Tensor, nn

from innervision.activations import record
from innervision.models import Inception
from innervision.models.architectures import Mixed
from innervision.models.efficientnet import EfficientNetLite
from innervision.optvis.portions import PORTION


def bare(network: nn.Module, layer: str) -> Callable[[Tensor], Tensor]:
    """The network's own steps up to a layer, called one by one."""
    if isinstance(network, EfficientNetLite):
        names = [name for name, _, _ in network.architecture.blocks()]
        blocks = [network.stem, *(network.get_submodule(name) for name in names[: names.index(layer) + 1])]
        return lambda images: nn.Sequential(*blocks)((images - network.mean) * network.scale)
    assert isinstance(network, Inception)

    def run(images: Tensor) -> Tensor:
        hidden = (images - network.mean) * network.scale
        for step in network.architecture.steps:
            hidden = (
                network._mixed(step, hidden) if isinstance(step, Mixed) else network.get_submodule(step.name)(hidden)
            )
            if step.name == layer:
                break
        return hidden

    return run


def clock(run: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start)


@torch.no_grad()
def overhead(subject: Subject, images: int, repeats: int) -> dict[str, float]:
    """Milliseconds of both, and what ``record`` adds, printed."""
    network = subject.network()
    batch = torch.rand(images, 3, subject.size, subject.size).contiguous(memory_format=torch.channels_last)
    plain = bare(network, subject.layer)
    if not torch.equal(plain(batch), record(network, batch, subject.layer)[subject.layer]):
        raise SystemExit(f"{subject.name}: the bare pass is another one")
    times = []
    for repeat in range(repeats):
        pair = [lambda: plain(batch), lambda: record(network, batch, subject.layer)]
        first = clock(pair[repeat % 2])  # who is second finds the processor's memory warm, so they take turns
        second = clock(pair[1 - repeat % 2])
        times.append((second, first) if repeat % 2 else (first, second))
    without = median(one for one, _ in times)
    added = median(other - one for one, other in times)
    print(
        f"{subject.name}, {images} images of {subject.size} pixels to {subject.layer}: bare {without:.2f} ms, "
        f"record adds {added:.3f} ms, {100 * added / without:.2f} %"
    )
    return {"bare, ms": without, "added, ms": added, "added, share": added / without}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = {
        f"{subject.name}, {images} images": overhead(subject, images, arguments.repeats)
        for subject in SUBJECTS.values()
        for images in (1, PORTION)
    }
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
