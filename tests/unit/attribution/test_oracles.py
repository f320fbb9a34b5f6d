"""Attribution against oracles that share no code with it: differences without autograd, and adaptive integration."""

from __future__ import annotations

import numpy as np
import torch
from scipy.integrate import quad_vec
from torch import Tensor, nn

from innervision import load
from innervision.attribution import channel_attribution, integrated_attribution, spatial_attribution
from innervision.data import load_sample

LAYER = "mixed4b"
STEP = 1e-6


def logits_from(model: nn.Module, images: Tensor, activation: Tensor) -> Tensor:
    """Logits, when the layer puts out this."""
    handle = model.get_submodule(LAYER).register_forward_hook(lambda module, given, output: activation)
    try:
        with torch.no_grad():
            return model(images)
    finally:
        handle.remove()


def test_activation_times_gradient_is_what_stretching_a_part_changes() -> None:
    """Stretch a channel, or a position, by a millionth: the logit changes by a millionth of its attribution."""
    mini, images = load("mini").double(), load_sample().images[:2].double() / 255
    kept: list[Tensor] = []
    handle = mini.get_submodule(LAYER).register_forward_hook(lambda module, given, output: kept.append(output.detach()))
    with torch.no_grad():
        mini(images)
    handle.remove()
    (activation,) = kept
    channels, positions = (
        attribute(mini, LAYER, images, 6) for attribute in (channel_attribution, spatial_attribution)
    )

    def slope(part: Tensor) -> Tensor:
        ends = [logits_from(mini, images, activation * (1 + way * STEP * part))[:, 6] for way in (1, -1)]
        return (ends[0] - ends[1]) / (2 * STEP)

    for channel in channels.abs().sum(dim=0).topk(3).indices:
        part = torch.zeros(activation.shape[1:], dtype=torch.float64)
        part[channel] = 1
        torch.testing.assert_close(slope(part), channels[:, channel], rtol=1e-5, atol=1e-7)
    for row, column in ((0, 0), (1, 2), (3, 3)):
        part = torch.zeros(activation.shape[1:], dtype=torch.float64)
        part[:, row, column] = 1
        torch.testing.assert_close(slope(part), positions[:, row, column], rtol=1e-5, atol=1e-7)


def test_along_a_path_agrees_with_adaptive_integration() -> None:
    """A network bent everywhere, so that gradients differ all along the way."""
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Identity(), nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(16, 2)).double().eval()
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    end, start = (torch.rand(3, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))

    def gradient(share: float) -> np.ndarray:
        point = (start + share * (end - start)).requires_grad_(True)
        return torch.autograd.grad(model(point[None])[0, 1], point)[0].numpy()

    mean, error = quad_vec(gradient, 0, 1)
    assert error < 1e-6
    found = integrated_attribution(model, "0", end[None], 1, baseline=start, steps=256)[0]
    torch.testing.assert_close(found, (end - start) * torch.from_numpy(mean), rtol=1e-3, atol=1e-4)
