"""A lesson run once more on photographs that it does not use: do its numbers hold?

The solved lesson from top to bottom, with test photographs of CIFAR-10 that are not in the package's sample in place of
those that are. It prints what the lesson prints; its pictures are not shown. Needs ``innervision data cifar10``.

    python -m benchmarks.other_photographs 04-curve-detectors --photographs 3000
"""

from __future__ import annotations

import argparse
from unittest.mock import patch

import matplotlib.pyplot
import torch

from innervision.classroom.build import build_lesson
from innervision.classroom.paths import find_course
from innervision.data import cifar10
from innervision.data.sample import Sample, load_sample

NOT_RUN = {"check", "question"}


def others(count: int) -> Sample:
    """The first test photographs that are not in the sample.

    Raises:
        ValueError: There are not as many.
    """
    images, labels = cifar10.load("test")
    left = torch.ones(len(images), dtype=torch.bool)
    left[load_sample().indices] = False
    indices = left.nonzero()[:, 0]
    if not 1 <= count <= len(indices):
        raise ValueError(f"photographs: {count} is not from 1 to {len(indices)}")
    return Sample(images[indices[:count]], labels[indices[:count]], indices[:count])


def run(slug: str, sample: Sample) -> None:
    """Execute the lesson's code on other photographs; what is checked and asked is left out."""
    namespace: dict[str, object] = {}
    with patch("innervision.data.sample.load_sample", lambda: sample):
        for cell in build_lesson(slug).solved.cells:
            if cell.cell_type == "code" and cell.metadata["innervision"]["role"] not in NOT_RUN:
                exec(compile(cell.source, f"<{slug}, cell {cell.id}>", "exec"), namespace)
                matplotlib.pyplot.close("all")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lesson", choices=find_course().slugs())
    parser.add_argument("--photographs", type=int, default=3000)
    arguments = parser.parse_args()
    matplotlib.use("Agg")
    run(arguments.lesson, others(arguments.photographs))


if __name__ == "__main__":
    main()
