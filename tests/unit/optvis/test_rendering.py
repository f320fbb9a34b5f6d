"""Pictures with transparency as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from innervision.optvis.rendering import Rendering
from innervision.optvis.transparency import lay_on


def test_a_png_keeps_what_was_painted_and_how_much(tmp_path: Path) -> None:
    painted = torch.rand(1, 4, 4, 5, generator=torch.Generator().manual_seed(0))
    painted[:, 3, 0] = 0
    drawn = Rendering(lay_on(painted), torch.zeros(1, 1), torch.zeros(1), ["a"], opacity=painted[:, 3:])
    drawn.save(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.mode == "RGBA"
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255
    seen = painted[:, 3:] * (pixels[:, :3] - painted[:, :3])  # colours count by how much is painted
    assert float(seen.abs().max()) < 1 / 255
    assert float((pixels[:, 3:] - painted[:, 3:]).abs().max()) < 1 / 255


def test_other_files_show_it_on_grey(tmp_path: Path) -> None:
    drawn = Rendering(
        torch.full((1, 3, 8, 8), 0.5), torch.zeros(1, 1), torch.zeros(1), ["a"], opacity=torch.zeros(1, 1, 8, 8)
    )
    drawn.save(tmp_path / "picture.jpg")
    with Image.open(tmp_path / "picture.jpg") as picture:
        assert picture.mode == "RGB"
        assert picture.getpixel((4, 4)) == (128, 128, 128)
