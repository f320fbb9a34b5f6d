"""A scorer during an optimisation: it redirects rectifiers at first, remembers the drawing, moves a progress bar."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from innervision.optvis.portions import in_portions
from innervision.optvis.rectifiers import redirect_rectifiers
from innervision.optvis.scoring import Scorer
from innervision.optvis.transforms import Images, Transform


class Watched:
    """What ``maximize`` is given by ``render``: a transform, and a score of what the transform returned last.

    Args:
        scorer: Scores images.
        transform: What the drawing must survive.
        redirect_steps: Number of first steps in which a fully blocked rectifier passes gradients.
        precision: What the network computes with, as for ``Scorer``.
        steps: Number of steps, for the progress bar.
        progress: Show a progress bar (only on a terminal).
    """

    def __init__(
        self,
        scorer: Scorer,
        transform: Transform,
        *,
        redirect_steps: int,
        precision: torch.dtype,
        steps: int,
        progress: bool,
    ):
        self.scorer, self.transform, self.redirect_steps, self.step = scorer, transform, redirect_steps, 0
        self.score = partial(scorer, precision=precision)
        self.drawing: Images | None = None
        self.bar = self._bar(steps) if progress else nullcontext()

    @staticmethod
    def _bar(steps: int) -> Any:
        from rich.progress import Progress

        bar = Progress(transient=True)
        bar.disable = not bar.console.is_terminal
        bar.add_task("drawing", total=steps)
        return bar

    def __enter__(self) -> None:
        self.bar.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.bar.__exit__(*error)

    def transformed(self, images: Images, generator: torch.Generator) -> Images:
        """Images under the transform; penalties may want to see them as they were."""
        self.drawing = images
        return self.transform(images, generator)

    def __call__(self, images: Images) -> Float[Tensor, "batch"]:
        """One number per image, and the step is done."""
        redirected = self.step < self.redirect_steps
        self.step += 1
        with redirect_rectifiers(self.scorer.model) if redirected else nullcontext():
            scores = self._scored(images, images if self.drawing is None else self.drawing)
        if not isinstance(self.bar, nullcontext):
            self.bar.update(self.bar.task_ids[0], advance=1)
        return scores

    def _scored(self, images: Images, drawing: Images) -> Float[Tensor, "batch"]:
        if self.scorer.separate and images.device.type == "cpu":
            return in_portions(self.score, images, drawing)
        return self.score(images, drawing)
