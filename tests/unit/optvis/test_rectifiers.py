"""Redirected rectifiers: lucid's table, per image, only inside the block."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from innervision.optvis.rectifiers import redirect_rectifiers, redirected_relu, redirected_relu6


def lucid_rule(values: Tensor, gradient: Tensor) -> Tensor:
    """lucid's redirected_relu_grad written out for gradients of what is minimised, image by image."""
    result = []
    for x, g in zip(values, gradient, strict=True):
        relu = torch.where(x < 0, torch.zeros_like(g), g)
        redirected = torch.where((x < 0) & (g > 0), torch.zeros_like(g), g)
        result.append(relu if relu.norm() > 0 else redirected)
    return torch.stack(result)


def test_agrees_with_lucids_rule_with_the_sign_turned() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(6, 4, 3, 3, generator=generator)
    values[::2] = -values[::2].abs()  # every second image is blocked everywhere
    gradient = torch.randn(6, 4, 3, 3, generator=generator)
    expected = -lucid_rule(values, -gradient)
    assert torch.equal(redirected_relu(values, gradient), expected)


def test_an_image_whose_active_places_have_no_gradient_is_blocked() -> None:
    values, gradient = torch.tensor([[5.0, -1.0, -1.0]]), torch.tensor([[0.0, 2.0, -2.0]])
    assert torch.equal(redirected_relu(values, gradient), torch.tensor([[0.0, 2.0, 0.0]]))


@pytest.mark.parametrize("inplace", [False, True])
def test_block_redirects_and_leaves_nothing_behind(inplace: bool) -> None:
    model = nn.Sequential(nn.Identity(), nn.ReLU(inplace=inplace))

    def gradient_of(x: Tensor) -> Tensor:
        x = x.clone().requires_grad_(True)
        return torch.autograd.grad(model(x * 1).sum(), x)[0]

    x = torch.tensor([[-1.0, -2.0], [-1.0, 2.0]])
    plain = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    with redirect_rectifiers(model):
        assert torch.equal(gradient_of(x), torch.tensor([[1.0, 1.0], [0.0, 1.0]]))
        assert torch.equal(model(x.clone()), x.clamp(min=0))
    assert torch.equal(gradient_of(x), plain)
    with pytest.raises(KeyboardInterrupt), redirect_rectifiers(model):
        raise KeyboardInterrupt
    assert torch.equal(gradient_of(x), plain)
    assert model[1].inplace is inplace
    assert not model[1]._forward_hooks


def lucid_rule_for_relu6(values: Tensor, gradient: Tensor) -> Tensor:
    """lucid's redirected_relu6_grad written out for gradients of what is minimised, image by image."""
    result = []
    for x, g in zip(values, gradient, strict=True):
        relu = torch.where((x < 0) | (x > 6), torch.zeros_like(g), g)
        redirected = torch.where(((x < 0) & (g > 0)) | ((x > 6) & (g < 0)), torch.zeros_like(g), g)
        result.append(relu if relu.norm() > 0 else redirected)
    return torch.stack(result)


def test_relu6_agrees_with_lucids_rule_with_the_sign_turned() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(9, 4, 3, 3, generator=generator) * 5
    values[::3] = -values[::3].abs()  # blocked below everywhere
    values[1::3] = torch.where(values[1::3] > 0, values[1::3] + 6, values[1::3])  # blocked on both sides
    gradient = torch.randn(9, 4, 3, 3, generator=generator)
    expected = -lucid_rule_for_relu6(values, -gradient)
    assert torch.equal(redirected_relu6(values, gradient), expected)
    assert (redirected_relu6(values, gradient)[:2] != 0).any()


@pytest.mark.parametrize("inplace", [False, True])
def test_block_redirects_relu6_and_leaves_nothing_behind(inplace: bool) -> None:
    model = nn.Sequential(nn.Identity(), nn.ReLU6(inplace=inplace))
    weights = torch.tensor([1.0, -1.0])

    def gradient_of(x: Tensor) -> Tensor:
        x = x.clone().requires_grad_(True)
        return torch.autograd.grad((model(x * 1) * weights).sum(), x)[0]

    x = torch.tensor([[-1.0, 7.0], [7.0, -1.0], [3.0, 7.0]])  # both would return; neither would; one passes
    plain = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    with redirect_rectifiers(model):
        assert torch.equal(gradient_of(x), torch.tensor([[1.0, -1.0], [0.0, 0.0], [1.0, 0.0]]))
        assert torch.equal(model(x.clone()), x.clamp(0, 6))
    assert torch.equal(gradient_of(x), plain)
    assert model[1].inplace is inplace
    assert not model[1]._forward_hooks


@pytest.mark.parametrize(("module", "rule"), [(nn.ReLU, lucid_rule), (nn.ReLU6, lucid_rule_for_relu6)])
@pytest.mark.parametrize("blocked", [0, 1, 3])
def test_modules_follow_the_rule_however_many_images_are_blocked(module, rule, blocked: int) -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(3, 4, 5, 5, generator=generator)
    values[:blocked] = -values[:blocked].abs()
    values = values.contiguous(memory_format=torch.channels_last).requires_grad_(True)
    gradient = torch.randn(values.shape, generator=generator)
    model = module()
    with redirect_rectifiers(model):
        (found,) = torch.autograd.grad(model(values), values, gradient)
    torch.testing.assert_close(found, -rule(values.detach(), -gradient), rtol=0, atol=0)
