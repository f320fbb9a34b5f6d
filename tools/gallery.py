"""The gallery page: every technique once, on mini and on EfficientNet-Lite0, with the call that drew it.

The calls are text; what is printed beneath a picture is what was run. Without the extra ``imagenet`` the page says what
is missing and shows mini alone.
"""

from __future__ import annotations

import html
import textwrap
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from innervision.optvis.rendering import Rendering
from tools.pictures import as_picture

LEAST_CONTRAST = 0.02
"""Standard deviation over the pixels of a picture, within each colour; below it a picture is grey."""

WIDTH = 640  # pixels of a row of pictures on the page


@dataclass(frozen=True)
class Stage:
    """A network with what the calls name."""

    name: str
    layer: str
    before: str
    first: int
    second: int
    third: int
    label: int
    size: int
    steps: int


STAGES = (
    Stage("mini", "mixed4a", "mixed4a_3x3.conv", 135, 7, 20, 5, 64, 96),
    Stage("efficientnet-lite0", "block6a", "block5c.expand.conv", 11, 40, 5, 207, 128, 96),
)

SHEET_OF, SHEET_LAYER, SHEET_CHANNELS, SHEET_STEPS = "efficientnet-lite0", "block6b.expand.conv", 1152, 128

TECHNIQUES = tuple(
    (entry["title"], entry["words"], entry["call"])
    for entry in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["technique"]
)


def gallery(folder: Path, *, draft: bool = False) -> str:
    """Draw everything into a folder; returns the page in Markdown.

    Args:
        draft: Eight steps for each picture, which may then be grey: to see that all works.

    Raises:
        ValueError: A picture is grey.
    """
    lines = [HEAD]
    for stage in STAGES:
        lines.append(f"## On {stage.name}\n")
        known: dict[str, Any] = {}
        try:
            exec(setting(stage, draft=draft), known)
        except ValueError as error:
            lines.append(f"Not drawn here: {error}\n")
            continue
        lines += [f"```python\n{setting(stage, draft=draft)}```\n", '<div class="grid cards" markdown>\n']
        lines += [*cards(folder, stage, known, grey=draft), "</div>\n"]
        if stage.name == SHEET_OF:
            lines.append(contact_sheet(folder, known["network"], steps=8 if draft else SHEET_STEPS))
    return "\n".join(lines)


def setting(stage: Stage, *, draft: bool) -> str:
    """What the names in the calls stand for; it is run as it is shown."""
    return textwrap.dedent(f"""\
        from functools import partial
        import torch.nn.functional as F
        from innervision import load, record, render
        from innervision.data import load_sample
        from innervision.optvis import *

        network = load("{stage.name}")
        LAYER, A, B, LABEL = "{stage.layer}", {stage.first}, {stage.second}, {stage.label}
        BEFORE, C = "{stage.before}", {stage.third}  # before its rectifier
        PHOTOGRAPHS = load_sample().images / 255
        TARGETS = record(network, F.interpolate(PHOTOGRAPHS[[13]], size={stage.size}, mode="bilinear"), [LAYER])
        middle = TARGETS[LAYER].shape[2] // 2
        VECTOR = TARGETS[LAYER][0, :, middle, middle]
        render = partial(render, size={stage.size}, steps={8 if draft else stage.steps})
        """)


def cards(folder: Path, stage: Stage, known: dict[str, Any], *, grey: bool) -> Iterator[str]:
    """A card for each technique; a picture may be grey or not."""
    for title, words, call in TECHNIQUES:
        start = time.monotonic()
        drawn: Rendering = eval(call, known)
        if not grey and float(drawn.images.std(dim=(2, 3)).mean()) < LEAST_CONTRAST:
            raise ValueError(f"gallery: '{title}' on {stage.name} is grey")
        file = f"{stage.name}-{title.lower().replace(' ', '-').replace(',', '')}.webp"
        save_row(drawn.images, folder / file)
        print(f"{stage.name}: {title}, {time.monotonic() - start:.0f} s", flush=True)
        alt = html.escape(f"{title}: {words} Drawn on {stage.name}.")
        yield f"-   **{title}.** {words}\n\n    ![{alt}](images/gallery/{file})\n\n    `{call}`\n"


def contact_sheet(folder: Path, network: Any, *, steps: int) -> str:
    """Late channels side by side, taken at equal distances and not picked."""
    from innervision.optvis.render import render

    channels = range(0, SHEET_CHANNELS, SHEET_CHANNELS // 24)
    images = render(network, [f"{SHEET_LAYER}:{channel}" for channel in channels], size=128, steps=steps).images
    rows = [torch.cat(list(images[first : first + 6]), dim=2) for first in range(0, len(images), 6)]
    file = f"{SHEET_OF}-sheet.webp"
    as_picture(torch.cat(rows, dim=1)).save(folder / file, "WEBP", quality=90)
    print(f"{SHEET_OF}: {len(images)} channels of {SHEET_LAYER}", flush=True)
    return (
        f"### Twenty-four channels of one late layer\n\nEvery {channels.step}th channel of `{SHEET_LAYER}`, before its "
        "rectifier; not picked. On some you will see animals, shells or wheels. On others there is nothing that has a "
        "name, and that is worth seeing, too.\n\n"
        f"![Twenty-four drawings in four rows](images/gallery/{file})\n\n"
        f'`render(network, [f"{SHEET_LAYER}:{{c}}" for c in range(0, {SHEET_CHANNELS}, {channels.step})], '
        f"size=128, steps={SHEET_STEPS})`\n"
    )


def save_row(images: Tensor, path: Path) -> None:
    """Images side by side, enlarged by whole pixels as far as the row has room."""
    row = torch.cat(list(images[:, :3]), dim=2)
    picture = as_picture(row)
    zoom = max(1, min(WIDTH // picture.width, 320 // picture.height))
    size = (picture.width * zoom, picture.height * zoom)
    picture.resize(size, Image.Resampling.NEAREST).save(path, "WEBP", quality=90)


HEAD = """\
# Gallery

Every technique once, on two networks: [mini](mini.md), which comes with the course, and EfficientNet-Lite0, which was
trained on a million photographs. Beneath each picture stands the call that drew it, on any laptop, without a graphics
card.

A picture shows *one* image that excites the objective. What it does not show is what
[lesson 02](lessons/02-feature-visualization.md) is about.
"""
