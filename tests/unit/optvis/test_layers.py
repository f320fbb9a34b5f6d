"""Objectives for a layer, a class and an opposite: values by hand, gradients, errors."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses
from torch import Tensor

from innervision.optvis.layers import class_logit, layer, negative, of_layer
from innervision.optvis.objectives import Objective, channel
from innervision.optvis.penalties import l1


@pytest.fixture
def activations() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "a": torch.randn(2, 3, 4, 5, generator=generator, requires_grad=True),
        "logits": torch.randn(2, 4, generator=generator, requires_grad=True),
    }


def test_layer_is_the_mean_of_squares(activations: dict[str, Tensor]) -> None:
    expected = [sum(value**2 for value in image.flatten().tolist()) / 60 for image in activations["a"]]
    torch.testing.assert_close(layer("a")(activations), torch.tensor(expected), rtol=0, atol=1e-6)
    (gradient,) = torch.autograd.grad(layer("a")(activations).sum(), activations["a"])
    torch.testing.assert_close(gradient, 2 * activations["a"].detach() / 60)
    assert str(layer("a")) == "a (all)"


def test_class_logit_by_index_and_by_name(activations: dict[str, Tensor]) -> None:
    logits = activations["logits"]
    names = ["cat", "dog", "ship", "frog"]
    assert torch.equal(class_logit("logits", 2)(activations), logits[:, 2])
    assert torch.equal(class_logit("logits", "ship", names)(activations), logits[:, 2])
    assert str(class_logit("logits", "ship", names)) == "logits:ship"
    spread = {"logits": logits[:, :, None, None].expand(2, 4, 2, 3)}
    torch.testing.assert_close(class_logit("logits", -1)(spread), logits[:, 3])


@pytest.mark.parametrize(("labels", "count"), [(None, 0), (["cat"], 0), (["dog", "dog"], 2)])
def test_class_logit_refuses_a_name_that_says_no_class(labels: list[str] | None, count: int) -> None:
    with refuses(f"label: 'dog' is {count} times in labels; give an index, or labels that hold it once"):
        class_logit("logits", "dog", labels)


def test_negative_is_minus(activations: dict[str, Tensor]) -> None:
    assert torch.equal(negative("a:1")(activations), -channel("a", 1)(activations))
    assert torch.equal(negative(layer("a"))(activations), (-layer("a"))(activations))
    assert str(negative("a:1")) == "-a:1"
    assert isinstance(negative(lambda activations: activations["a"][:, 0, 0, 0]), Objective)


def test_of_layer_measures_a_layer(activations: dict[str, Tensor]) -> None:
    torch.testing.assert_close(of_layer("a", l1)(activations), activations["a"].abs().mean(dim=(1, 2, 3)))
    assert str(of_layer("a", l1)) == "l1(a)"
    assert str(of_layer("a", l1, "sparsity")) == "sparsity"
