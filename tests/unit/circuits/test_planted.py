"""Planted networks: they do what was written, the key says where, and the same seed gives the same network."""

from __future__ import annotations

import pytest
import torch
from tests.unit.refusals import refuses

from innervision.activations import record
from innervision.circuits import written
from innervision.circuits.drawings import draw, line_kernel
from innervision.circuits.planted import plant


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("circuit", [written.circle(10.0), written.car(30.0), written.head(), written.polysemantic()])
def test_every_unit_answers_to_what_it_is_meant_for(circuit: list[written.Unit]) -> None:
    network, answer = plant(circuit, generator(), noise=0)
    for unit in (unit for unit in circuit if unit.layer > 1):
        layer, channel = answer.channels[unit.name]
        pictures = torch.stack([draw(circuit, name) for name in unit.means or (unit.name,)])
        with torch.no_grad():
            strongest = record(network, pictures, layer)[layer][:, channel].amax(dim=(1, 2))
            blank = record(network, torch.full((1, 3, 48, 48), 0.5), layer)[layer][:, channel]
        # Compiled one layer after another, in single precision.
        assert float(strongest.min()) == pytest.approx(1, abs=1e-4)
        assert float(blank.max()) == 0


def test_parts_alone_or_other_things_do_not_excite() -> None:
    circuit = written.car()
    network, answer = plant(circuit, generator(), noise=0)
    channel = answer.channels["car"][1]
    with torch.no_grad():
        parts = network(torch.stack([draw(circuit, name) for name in ("window", "wheel")]))[:, channel]
    assert float(parts.max()) < 0.1


def test_the_polysemantic_unit_has_two_meanings_and_the_other_one_has_one() -> None:
    circuit = written.polysemantic()
    network, answer = plant(circuit, generator(), noise=0)
    with torch.no_grad():
        responses = network(torch.stack([draw(circuit, name) for name in ("car", "left_head", "right_head")]))
    both, car = responses[:, answer.channels["car_or_head"][1]], responses[:, answer.channels["car"][1]]
    assert float(both[:2].min()) > 0.9
    assert float(both[2]) < 0.1
    assert float(car[1:].max()) < 0.1


def test_a_curve_prefers_its_own_angle() -> None:
    circuit = written.circle(7.0)
    network, answer = plant(circuit, generator(), noise=0)
    pictures = torch.stack([draw(circuit, f"curve{index}") for index in range(written.CURVES)])
    with torch.no_grad():
        strongest = record(network, pictures, "layer2")["layer2"].amax(dim=(2, 3))
    channels = [answer.channels[f"curve{index}"][1] for index in range(written.CURVES)]
    assert strongest[:, channels].argmax(dim=1).tolist() == list(range(written.CURVES))
    assert answer.angles["curve1"] == pytest.approx(52)
    assert answer.angles["line0"] == pytest.approx(7)


def test_the_key_holds_every_edge_and_only_those() -> None:
    network, answer = plant(written.car(), generator(), noise=0, decoys=3)
    for name, edges in answer.edges.items():
        units = [channel for layer, channel in answer.channels.values() if f"{layer}.conv" == name]
        weight = network.get_submodule(name).weight.detach()
        assert torch.equal(weight[units].flatten(2).norm(dim=2) > 0, edges[units])
        assert edges.sum(dim=1).count_nonzero() == len(units)
    circuit = answer.circuit_of("car")
    assert int(circuit["layer3.conv"].sum()) == 2
    assert int(circuit["layer2.conv"].sum()) == 4  # opposite sides are the same line, read at two places
    assert int(plant(written.circle(), generator())[1].circuit_of("circle")["layer2.conv"].sum()) == 24


def test_same_seed_same_network_another_seed_another_order() -> None:
    (first, key), (again, same), (other, different) = (plant(written.head(), generator(seed)) for seed in (0, 0, 1))
    for name, value in first.state_dict().items():
        torch.testing.assert_close(value, again.state_dict()[name], rtol=0, atol=0)
    assert key.channels == same.channels
    assert key.channels != different.channels
    assert not torch.equal(first.layer2.conv.weight, other.layer2.conv.weight)


def test_noise_is_the_stated_share() -> None:
    clean, noisy = (plant(written.head(), generator(), noise=noise)[0].state_dict() for noise in (0.0, 0.2))
    for number in (1, 2, 3):
        before, after = (state[f"layer{number}.conv.weight"].flatten(1) for state in (clean, noisy))
        torch.testing.assert_close((after - before).norm(dim=1), 0.2 * before.norm(dim=1))


def test_nothing_touches_the_global_generator() -> None:
    before = torch.random.get_rng_state()
    plant(written.head(), generator())
    assert torch.equal(before, torch.random.get_rng_state())


def test_drawings_and_lines() -> None:
    image = draw(written.car(), "line0", row=5, column=-3)[0]  # line0 lies along the columns
    assert float(image.min()) >= 0.5
    assert float(image.max()) <= 1
    row = int(image.sum(dim=1).argmax())
    assert row in (28, 29)  # the middle of 48 pixels is 23.5
    assert float(line_kernel(33.0, 9).mean()) == pytest.approx(0, abs=1e-7)


def test_refusals() -> None:
    with refuses("noise: 1.5 is not between 0 and 1, a share of the weights' length"):
        plant(written.head(), generator(), noise=1.5)
    with refuses("decoys: -1 is below 0; give a number of channels"):
        plant(written.head(), generator(), decoys=-1)
    _, answer = plant([*written.line_family(), *written.head()[8:]], generator())
    with refuses(f"name: no unit 'tail' in this circuit; it has {', '.join(answer.channels)}"):
        answer.circuit_of("tail")
    with refuses(f"name: no unit 'tail' in this circuit; it has {', '.join(answer.channels)}"):
        draw(written.head(), "tail")
