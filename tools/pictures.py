"""Pictures of mini's neurons for the website and the README.

``python -m tools.pictures`` draws the README's picture again, ``site/images/neurons.png``.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from innervision.activations import record
from innervision.data.cifar10 import CLASSES
from innervision.data.sample import load_sample
from innervision.models import load
from innervision.models.architectures import Convolution, Mixed
from innervision.optvis.render import render

ROOT = Path(__file__).resolve().parents[1]
README_PICTURE = ROOT / "site" / "images" / "neurons.png"
LAST_LAYER = "mixed4c"
STEPS = 128
ROW = 8  # channels that are shown of each layer


def favourites() -> list[int]:
    """For each class, the channel of mini's last layer that can push the class's logit highest.

    The largest product of the logit's weight and the channel's strongest answer to any photograph of the sample.
    """
    network, images = load("mini"), load_sample().images
    with torch.no_grad():
        answers = [record(network, part / 255, LAST_LAYER)[LAST_LAYER].mean(dim=(2, 3)) for part in images.split(250)]
    strongest = torch.cat(answers).amax(dim=0)
    return (network.logits.weight * strongest).argmax(dim=1).tolist()


def draw(units: Sequence[str], size: int) -> list[Image.Image]:
    """Draw units ("mixed4c:5") of mini, all in one optimisation."""
    images = render(load("mini"), list(units), size=size, steps=STEPS, seed=0).images
    return [as_picture(image) for image in images]


def as_picture(image: Tensor) -> Image.Image:
    """A picture of an image in [0, 1]."""
    return Image.fromarray((image * 255).round().byte().permute(1, 2, 0).contiguous().numpy())


def home_gallery(folder: Path) -> str:
    """Draw the channel that pushes each class most; write the pictures and return the HTML of the gallery."""
    channels = favourites()
    figures = []
    for name, channel, picture in zip(CLASSES, channels, draw(_units(channels), 64), strict=True):
        file = f"{LAST_LAYER}-{channel}.webp"
        save(picture, folder / file, 320)
        text = f"Channel {channel} of {LAST_LAYER}, drawn: the one that can push the class “{name}” most."
        figures.append(_figure(f"images/neurons/{file}", text, f"{name}<br><code>{LAST_LAYER}:{channel}</code>"))
    return '<div class="neurons">\n' + "\n".join(figures) + "\n</div>\n"


def layer_rows(folder: Path) -> str:
    """Draw the first channels of every layer of mini; write the pictures and return the HTML of the rows."""
    steps = [step for step in load("mini").architecture.steps if isinstance(step, Convolution | Mixed)]
    rows = []
    for step in steps:
        figures = []
        for channel, picture in enumerate(draw([f"{step.name}:{channel}" for channel in range(ROW)], 48)):
            file = f"{step.name}-{channel}.webp"
            save(picture, folder / file, 144)
            text = f"Channel {channel} of {step.name}, drawn."
            figures.append(_figure(f"images/neurons/{file}", text, f"<code>{step.name}:{channel}</code>"))
        rows.append(f'<div class="neurons row">\n{chr(10).join(figures)}\n</div>\n')
    return "\n".join(rows)


def save(picture: Image.Image, path: Path, side: int) -> None:
    """Write a picture, enlarged smoothly to ``side`` pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.resize((side, side), Image.Resampling.BICUBIC).save(path, quality=82, method=6)


def readme_picture(path: Path = README_PICTURE) -> None:
    """Write the gallery as one picture of at most 300 KB: five columns, two rows."""
    side, gap, columns = 128, 6, 5
    pictures = draw(_units(favourites()), 64)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (side + gap) - gap, rows * (side + gap) - gap), "white")
    for index, picture in enumerate(pictures):
        large = picture.resize((side, side), Image.Resampling.BICUBIC)
        sheet.paste(large, (index % columns * (side + gap), index // columns * (side + gap)))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(192, dither=Image.Dither.NONE).save(path, optimize=True)


def _units(channels: Sequence[int]) -> list[str]:
    return [f"{LAST_LAYER}:{channel}" for channel in channels]


def _figure(source: str, text: str, caption: str) -> str:
    alt = html.escape(text, quote=True)
    return f'<figure><img src="{source}" alt="{alt}" title="{alt}"><figcaption>{caption}</figcaption></figure>'


if __name__ == "__main__":
    readme_picture()
    print(f"{README_PICTURE.relative_to(ROOT)}: {README_PICTURE.stat().st_size / 1000:.0f} kB")
