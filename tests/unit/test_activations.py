"""Recording and editing activations: right values, nothing run in vain, nothing left behind."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tests.unit.refusals import refuses
from torch import Tensor, nn

from innervision.activations import edit, layer_names, layer_runs, match_layers, record


class Tiny(nn.Module):
    """Doubles, adds one, then a block of two parts; counts its last layer's calls."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 1, bias=False)
        self.mixed = nn.Sequential()
        self.mixed.add_module("conv", nn.Conv2d(2, 2, 1))
        self.mixed.add_module("relu", nn.ReLU())
        self.last = nn.Conv2d(2, 4, 1)
        self.unused = nn.ReLU()
        self.calls = 0
        self.last.register_forward_pre_hook(self._count)

    def _count(self, module: nn.Module, inputs: object) -> None:
        self.calls += 1

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.mixed(self.first(images)))


@pytest.fixture
def model() -> Tiny:
    tiny = Tiny().eval()
    with torch.no_grad():
        for parameter in tiny.parameters():  # positive, so that the rectifier passes everything
            parameter.copy_(torch.rand(parameter.shape, generator=torch.Generator().manual_seed(0)) + 0.1)
    return tiny


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_layer_names_are_paths(model: Tiny) -> None:
    assert layer_names(model) == ["first", "mixed", "mixed.conv", "mixed.relu", "last", "unused"]


def test_records_what_the_layers_put_out_in_the_order_asked_for(model: Tiny, images: Tensor) -> None:
    seen = record(model, images, ["last", "first"])
    assert list(seen) == ["last", "first"]
    torch.testing.assert_close(seen["first"], model.first(images), rtol=0, atol=0)
    torch.testing.assert_close(seen["last"], model(images), rtol=0, atol=0)


def test_stops_after_the_last_layer_needed(model: Tiny, images: Tensor) -> None:
    record(model, images, "mixed.relu")
    assert model.calls == 0
    record(model, images, ["mixed.relu", "last"])
    assert model.calls == 1


def test_gradients_reach_the_images_and_shallower_layers(model: Tiny, images: Tensor) -> None:
    seen = record(model, images.requires_grad_(True), ["first", "last"])
    gradient, inner = torch.autograd.grad(seen["last"].sum(), [images, seen["first"]])
    assert gradient.abs().sum() > 0
    assert inner.abs().sum() > 0


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("mixed", ["mixed"]),
        ("mix*", ["mixed"]),
        ("mixed.*", ["mixed.conv", "mixed.relu"]),
        ("*", ["first", "mixed", "last", "unused"]),
        (["last", "l?st"], ["last"]),
    ],
)
def test_patterns_do_not_cross_dots(model: Tiny, pattern: str | list[str], expected: list[str]) -> None:
    assert match_layers(model, pattern) == expected


def test_unknown_layer_names_the_closest(model: Tiny, images: Tensor) -> None:
    with refuses("layers: no layer 'mixd' in this network; the closest are 'mixed', 'mixed.relu', 'mixed.conv'"):
        record(model, images, "mixd")
    with refuses("layers: no layer 'zzz*' in this network; layer_names(model) lists all"):
        record(model, images, ["first", "zzz*"])
    with refuses("layers: is empty; name at least one layer"):
        record(model, images, [])


def test_a_layer_that_is_not_run_is_an_error(model: Tiny, images: Tensor) -> None:
    with refuses("layers: 'unused' exists but is not run on these images"):
        record(model, images, ["first", "unused"])
    assert hooks(model) == 0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.rand(3, 4, 4), "images: shape (3, 4, 4) has no batch axis; add it with image[None]"),
        (
            torch.rand(1, 1, 4, 4),
            "images: shape (1, 1, 4, 4) does not fit this network; it takes (batch, 3, height, width)",
        ),
        (torch.rand(4, 4), "images: shape (4, 4) does not fit this network; it takes (batch, 3, height, width)"),
        (
            torch.zeros(1, 3, 4, 4, dtype=torch.uint8),
            "images: dtype torch.uint8 is not floating point; use images.float() / 255",
        ),
        ([1, 2], "images: is a list; give a torch tensor"),
    ],
)
def test_images_that_do_not_fit(model: Tiny, bad: Tensor, message: str) -> None:
    with refuses(message):
        record(model, bad, "first")


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_hooks_are_gone_after_an_error(model: Tiny, images: Tensor, failure: type[BaseException]) -> None:
    def fail(activation: Tensor) -> Tensor:
        raise failure

    with pytest.raises(failure):
        record(model, images, ["first", "last"], edits={"mixed": fail})
    assert hooks(model) == 0
    with pytest.raises(failure), edit(model, {"first": lambda activation: activation}):
        raise failure
    assert hooks(model) == 0


def test_edits_change_what_later_layers_see_and_what_is_recorded(model: Tiny, images: Tensor) -> None:
    seen = record(model, images, ["mixed", "last"], edits={"mixed": torch.zeros_like})
    assert seen["mixed"].abs().sum() == 0
    torch.testing.assert_close(seen["last"][0, :, 0, 0], model.last.bias, rtol=0, atol=1e-7)


def test_edit_acts_on_plain_calls_and_on_record_and_ends(model: Tiny, images: Tensor) -> None:
    before = model(images)
    with edit(model, {"mixed": torch.zeros_like}) as edited:
        inside = edited(images)
        torch.testing.assert_close(record(model, images, "last")["last"], inside, rtol=0, atol=0)
    assert not torch.equal(inside, before)
    torch.testing.assert_close(model(images), before, rtol=0, atol=0)


def test_record_inside_record_stops_only_the_inner_one(model: Tiny, images: Tensor) -> None:
    def look(activation: Tensor) -> Tensor:
        record(model.mixed, activation, "conv")
        return activation

    assert list(record(model, images, "last", edits={"first": look})) == ["last"]


def test_wrong_edits(model: Tiny, images: Tensor) -> None:
    with refuses("edits: the function for 'first' returned shape (1, 2, 4, 5); return shape (2, 2, 4, 5)"):
        record(model, images, "last", edits={"first": lambda activation: activation[:1]})
    with (
        refuses("edits: the function for 'first' returned NoneType; return shape (2, 2, 4, 5)"),
        edit(model, {"first": lambda activation: None}),
    ):
        model(images)
    with (
        refuses("edits: no layer 'frist' in this network; the closest are 'first', 'last'"),
        edit(model, {"frist": torch.zeros_like}),
    ):
        pass


class Overwriting(nn.Module):
    """A convolution, a normalisation whose output is written over, and another convolution."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.same = nn.Identity()
        self.relu = nn.ReLU(inplace=how == "module")
        self.last = nn.Conv2d(4, 2, 1)
        self.how = how
        self.calls = 0

    def forward(self, images: Tensor) -> Tensor:
        self.calls += 1
        hidden = self.same(self.norm(self.conv(images)))
        match self.how:
            case "function":
                hidden = F.relu(hidden, inplace=True)
            case "sum":
                hidden += 1
                hidden = self.relu(hidden)
            case _:
                hidden = self.relu(hidden)
        return self.last(hidden)


HOWS = ["module", "function", "sum", "nothing"]


@pytest.fixture(params=HOWS)
def overwriting(request: pytest.FixtureRequest) -> Overwriting:
    torch.manual_seed(0)
    return Overwriting(request.param).eval()


@pytest.mark.parametrize("mode", ["gradients", "no gradients", "inference"])
def test_what_is_written_over_later_is_recorded_as_it_was(overwriting: Overwriting, images: Tensor, mode: str) -> None:
    network = overwriting
    with torch.inference_mode(mode == "inference"), torch.set_grad_enabled(mode == "gradients"):
        hidden = network.norm(network.conv(images)).clone()
        before = network(images)
        seen = record(network, images, ["conv", "norm", "same", "last"])
        torch.testing.assert_close(seen["conv"], network.conv(images), rtol=0, atol=0)
        torch.testing.assert_close(seen["norm"], hidden, rtol=0, atol=0)
        torch.testing.assert_close(seen["same"], hidden, rtol=0, atol=0)
        torch.testing.assert_close(seen["last"], before, rtol=0, atol=0)
        torch.testing.assert_close(network(images), before, rtol=0, atol=0)


def test_gradients_pass_through_what_is_written_over(overwriting: Overwriting, images: Tensor) -> None:
    seen = record(overwriting, images.requires_grad_(True), ["norm", "last"])
    inner, outer = torch.autograd.grad(seen["last"].sum(), [seen["norm"], images])
    plain = Overwriting("sum" if overwriting.how == "sum" else "nothing").eval()
    plain.load_state_dict(overwriting.state_dict())
    expected = torch.autograd.grad(plain(images).sum(), images)[0]
    torch.testing.assert_close(outer, expected, rtol=1e-6, atol=1e-6)
    weight = overwriting.last.weight.sum(dim=0)
    open_gates = seen["norm"] + (1 if overwriting.how == "sum" else 0) > 0
    torch.testing.assert_close(inner, weight * open_gates, rtol=1e-6, atol=1e-6)


def test_only_where_something_was_written_over_unforeseen_the_network_runs_twice(images: Tensor) -> None:
    runs = {}
    for how in HOWS:
        network = Overwriting(how).eval()
        record(network, images, ["norm", "last"])
        runs[how] = network.calls
    assert runs == {"module": 1, "function": 2, "sum": 2, "nothing": 1}


class Reusing(nn.Module):
    """Uses one rectifier twice, and one convolution around its hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.relu = nn.ReLU()
        self.hidden = nn.Conv2d(3, 3, 1)
        self.last = nn.Conv2d(3, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.relu(self.hidden.forward(self.relu(self.conv(images)))))


def test_a_layer_that_runs_several_times_is_recorded_the_first_time_and_told(images: Tensor) -> None:
    network = Reusing().eval()
    with pytest.warns(UserWarning, match=r"^layers: 'relu' runs several times; recorded is the first output$"):
        seen = record(network, images, ["relu", "last"])
    torch.testing.assert_close(seen["relu"], network.conv(images).relu(), rtol=0, atol=0)
    assert hooks(network) == 0


def test_runs_are_counted(images: Tensor) -> None:
    network = Reusing().eval()
    assert layer_runs(network, images) == {"conv": 1, "relu": 2, "hidden": 0, "last": 1}
    assert hooks(network) == 0
    with refuses("layers: 'hidden' exists but is not run on these images"):
        record(network, images, "hidden")


def test_a_layer_that_puts_out_no_single_tensor() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.LSTM(4, 5))
    with refuses("layers: '1' puts out a tuple, not one tensor; name a layer inside it"):
        record(network, torch.rand(2, 3), ["0", "1"])
    with (
        refuses("edits: '1' puts out a tuple, not one tensor; name a layer inside it"),
        edit(network, {"1": lambda activation: activation}),
    ):
        network(torch.rand(2, 3))
    assert hooks(network) == 0


class Backwards(nn.Module):
    """Holds its parts in another order than it runs them."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Conv2d(4, 2, 1)
        self.first = nn.Conv2d(3, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.first(images))


def test_parts_may_be_held_in_another_order_than_they_run(images: Tensor) -> None:
    network = Backwards().eval()
    torch.testing.assert_close(record(network, images, "last")["last"], network(images), rtol=0, atol=0)
