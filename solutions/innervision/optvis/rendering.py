"""What ``render`` returns, and how it becomes a picture file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from innervision.optvis.transforms import GREY


@dataclass(frozen=True)
class Rendering:
    """What ``render`` returns.

    Attributes:
        images: The drawings in [0, 1], one per objective, or as many as a joint objective wants.
        history: Each step's objective on the transformed images, one column per image.
        scores: The objective on the finished images as they are, without transforms.
        names: What each image was optimised for.
        settings: Everything needed to make the same drawing again.
        opacity: How much of each pixel is painted, in [0, 1], for drawings with transparency; ``images`` shows these
            on grey.
    """

    images: Float[Tensor, "batch 3 height width"]
    history: Float[Tensor, "steps batch"]
    scores: Float[Tensor, "batch"]
    names: list[str]
    settings: dict[str, Any] = field(default_factory=dict)
    opacity: Float[Tensor, "batch 1 height width"] | None = None

    def save(self, path: str | Path, columns: int | None = None, zoom: int = 1) -> None:
        """Write the images side by side as one picture file; a ``.png`` keeps their transparency.

        Args:
            path: Where to; the ending says the format, for example ``.png``.
            columns: Images in a row; by default as many as make the picture about square.
            zoom: Pixels of the file per pixel of the image.
        """
        from PIL import Image

        tiles = self._tiles(transparent=Path(path).suffix.lower() == ".png").cpu()
        count, colors, height, width = tiles.shape
        columns = min(columns or math.ceil(math.sqrt(count)), count)
        rows = -(-count // columns)
        sheet = torch.ones(colors, rows * (height + 2) - 2, columns * (width + 2) - 2)  # 2 white pixels in between
        for i, tile in enumerate(tiles):
            top, left = (i // columns) * (height + 2), (i % columns) * (width + 2)
            sheet[:, top : top + height, left : left + width] = tile
        pixels = (sheet * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        picture = Image.fromarray(pixels)
        picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST).save(path)

    def _tiles(self, *, transparent: bool) -> Float[Tensor, "batch colors height width"]:
        """The images, or what was painted before it was laid on grey, with its opacity."""
        if self.opacity is None or not transparent:
            return self.images
        opacity = self.opacity.clamp(min=1e-3)  # below, nobody can tell which colour was painted
        painted = (self.images - (1 - self.opacity) * GREY) / opacity
        return torch.cat([painted.clamp(0, 1), self.opacity], dim=1)
