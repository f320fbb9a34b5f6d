"""Circuits alone, the rest as on other images: closed forms, plain convolutions, and the network as it was."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision.circuits import keep_only, plant, replace_others, replaced_faithfulness, written
from innervision.circuits.drawings import draw
from innervision.circuits.subnetworks import Circuit, behaviour_of, faithfulness


class Chain(nn.Module):
    """Two convolutions with a rectifier between them; puts out means over positions."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 3, stride=2, padding=1)
        generator = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)

    def forward(self, images: Tensor) -> Tensor:
        return self.two(self.one(images).relu()).mean(dim=(2, 3))


def drawn(count: int, seed: int) -> Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def circuit() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {"one": torch.rand(4, 3, generator=generator) > 0.5, "two": torch.rand(2, 4, generator=generator) > 0.5}


@torch.no_grad()
def by_hand(model: Chain, circuit: Circuit, images: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Edges of the circuit read the images; all others read what is given for each of the two convolutions."""
    hidden = images
    for name, elsewhere in (("one", first), ("two", second)):
        layer, mask = model.get_submodule(name), circuit[name][:, :, None, None]
        kept = F.conv2d(hidden, layer.weight * mask, layer.bias, layer.stride, layer.padding)
        hidden = kept + F.conv2d(elsewhere, layer.weight * ~mask, None, layer.stride, layer.padding)
        hidden = hidden.relu() if name == "one" else hidden
    return hidden.mean(dim=(2, 3))


def test_means_are_what_edges_carry_on_average(circuit: Circuit) -> None:
    model, images, others = Chain().eval(), drawn(2, 1), drawn(5, 2)
    with torch.no_grad():
        between = model.one(others).relu()
        with replace_others(model, circuit, others):
            found = model(images)
    expected = by_hand(model, circuit, images, others.mean(dim=0, keepdim=True), between.mean(dim=0, keepdim=True))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_each_image_meets_one_other_and_the_seed_says_which(circuit: Circuit) -> None:
    model, images, others = Chain().eval(), drawn(6, 1), drawn(3, 2)
    with torch.no_grad():
        between = model.one(others).relu()
        with replace_others(model, circuit, others, "resample", generator=torch.Generator().manual_seed(0)):
            found = model(images)
        with replace_others(model, circuit, others, "resample", generator=torch.Generator().manual_seed(0)):
            again = model(images)
    torch.testing.assert_close(again, found, rtol=0, atol=0)
    pairs = [(first, second) for first in range(3) for second in range(3)]
    possible = torch.stack([by_hand(model, circuit, images, others[[i]], between[[j]]) for i, j in pairs])
    nearest = (possible - found).abs().amax(dim=2).min(dim=0)
    assert float(nearest.values.max()) < 1e-4
    assert len(set(nearest.indices.tolist())) > 1


def test_the_same_image_in_their_place_changes_nothing(circuit: Circuit) -> None:
    model, image = Chain().eval(), drawn(1, 1)
    with torch.no_grad():
        whole = model(image)
        with replace_others(model, circuit, image):
            torch.testing.assert_close(model(image), whole, rtol=1e-4, atol=1e-5)


def test_black_images_without_biases_are_silence(circuit: Circuit) -> None:
    model, images = Chain().eval(), drawn(2, 1)
    model.one.bias.data.zero_()
    with torch.no_grad():
        with keep_only(model, circuit):
            silent = model(images)
        with replace_others(model, circuit, torch.zeros(1, 3, 8, 8)):
            torch.testing.assert_close(model(images), silent)
    behaviour = behaviour_of(model, images, 0)
    expected = faithfulness(model, circuit, behaviour)
    assert replaced_faithfulness(model, circuit, behaviour, torch.zeros(1, 3, 8, 8)) == pytest.approx(expected)


def test_nothing_stays_behind_after_an_error(circuit: Circuit) -> None:
    model = Chain().eval()
    before = model.one.weight.clone()

    def stop() -> None:
        with replace_others(model, circuit, drawn(2, 2)):
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        stop()
    torch.testing.assert_close(model.one.weight, before, rtol=0, atol=0)
    assert sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.modules()) == 0


MAKERS = [written.circle, written.car, written.head, written.polysemantic]


@pytest.mark.parametrize("seed", range(8))
def test_planted_circuits_are_faithful_while_the_rest_sees_lines(seed: int) -> None:
    """Beside: random circuits of equal size."""
    circuit, generator = MAKERS[seed % 4](), torch.Generator().manual_seed(seed)
    network, answer = plant(circuit, generator, noise=0.2)
    name = circuit[-1].name
    pictures = torch.stack([draw(circuit, unit, 26) for unit in circuit[-1].means or (name,)])
    others = torch.stack([draw(circuit, unit.name, 26) for unit in circuit if unit.layer == 1])
    behaviour = behaviour_of(network, pictures, answer.channels[name][1])
    truth = answer.circuit_of(name)
    random = {
        key: mask.flatten()[torch.randperm(mask.numel(), generator=generator)].view_as(mask)
        for key, mask in truth.items()
    }
    for how, least in (("mean", 0.95), ("resample", 0.9)):  # measured: 0.96 to 1.04, 0.94 to 1.04
        among = [behaviour, others, how]
        assert replaced_faithfulness(network, truth, *among, generator=generator) >= least
        assert abs(replaced_faithfulness(network, random, *among, generator=generator)) <= 0.05


def test_refusals(circuit: Circuit) -> None:
    model, images = Chain().eval(), drawn(1, 1)
    with refuses("how: 'zero' is none of 'mean', 'resample'"), replace_others(model, circuit, images, "zero"):
        pass
    with (
        refuses("generator: is needed for 'resample'; give a torch.Generator"),
        replace_others(model, circuit, images, "resample"),
    ):
        pass
    turned = {"two": circuit["two"].T}
    with refuses("circuit: the mask of 'two' has shape (4, 2); give (2, 4)"), replace_others(model, turned, images):
        pass
    with refuses("behaviour: is the same with all edges replaced; measure what depends on these convolutions"):
        replaced_faithfulness(model, circuit, lambda: 1.0, images)
