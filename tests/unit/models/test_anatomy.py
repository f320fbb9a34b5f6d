"""How layers make a network: against torch's own modules, and fields measured by gradients."""

import doctest

import pytest
import torch
from tests.unit.refusals import refuses
from torch import nn

from innervision.models import anatomy, load
from innervision.models.architectures import FULL, MINI, Architecture, Convolution
from innervision.models.inception import Inception


class Breaks(nn.Module):
    def forward(self, x):
        raise RuntimeError("broken on purpose")


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_capture_returns_what_the_layer_put_out():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    images = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(anatomy.capture(model, images, "1"), model[1](model[0](images)), rtol=0, atol=0)
    assert hooks(model) == 0


def test_capture_takes_its_hook_away_after_an_error():
    model = nn.Sequential(nn.Identity(), Breaks())
    with pytest.raises(RuntimeError, match="broken on purpose"):
        anatomy.capture(model, torch.zeros(1, 2), "0")
    assert hooks(model) == 0


def test_capture_copies_what_the_next_layer_overwrites_and_keeps_the_gradient():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(inplace=True))
    images = torch.tensor([[1.0, -1.0]], requires_grad=True)
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(2))
    seen = anatomy.capture(model, images, "0")
    assert seen.tolist() == [[1, -1]]
    assert torch.autograd.grad(seen[0, 1], images)[0].tolist() == [[0, 1]]


def test_capture_keeps_the_first_of_several_runs():
    again = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        again.weight.fill_(3)
    assert anatomy.capture(nn.Sequential(again, again), torch.ones(1, 1), "0").item() == 3


def measured_field(layers, unit=12):
    """Size, jump and start of the field, from which pixels change which units (in float64, kernels of ones)."""
    images = torch.ones(1, 1, 400, dtype=torch.float64, requires_grad=True)
    hidden = images
    for kernel, stride, padding in layers:
        ones = torch.ones(1, 1, kernel, dtype=torch.float64)
        hidden = nn.functional.conv1d(nn.functional.pad(hidden, (padding, padding)), ones, stride=stride)
    ends = []
    for index in (unit, unit + 1):
        (gradient,) = torch.autograd.grad(hidden[0, 0, index], images, retain_graph=True)
        seen = gradient[0, 0].nonzero().flatten()
        ends.append((int(seen[0]), int(seen[-1])))
    jump = ends[1][0] - ends[0][0]
    return ends[0][1] - ends[0][0] + 1, jump, ends[0][0] - unit * jump


@pytest.mark.parametrize(
    "layers",
    [[], [(5, 1, 2)], [(3, 2, 0), (3, 1, 1)], [(7, 2, 2), (3, 2, 0), (1, 1, 0), (3, 1, 1)], [(2, 2, 0), (5, 2, 1)]],
)
def test_a_receptive_field_is_what_gradients_see(layers):
    assert anatomy.receptive_field(layers) == measured_field(layers)


def test_the_fields_of_mini_grow_and_are_what_gradients_see():
    fields = {step.name: anatomy.receptive_field(anatomy.path_to(MINI, step.name)) for step in MINI.steps}
    assert fields["conv2d0"] == (5, 1, -2)
    assert list(fields.values()) == sorted(fields.values())
    network = load("mini")
    for layer in ("conv2d2", "mixed3a", "mixed3b"):
        generator = torch.Generator().manual_seed(0)
        images = torch.rand(40, 3, 32, 32, generator=generator, requires_grad=True)
        seen = anatomy.capture(network, images, layer)
        (gradient,) = torch.autograd.grad(seen[:, :, 8, 8].sum(), images)
        columns = gradient.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
        size, jump, start = fields[layer]
        assert (int(columns[0]), int(columns[-1])) == (start + 8 * jump, start + 8 * jump + size - 1)


def test_a_path_follows_strides_paddings_and_the_widest_branch():
    assert anatomy.path_to(FULL, "localresponsenorm0") == [(7, 2, 2), (3, 2, 0)]
    assert anatomy.path_to(MINI, "mixed3a") == [(5, 1, 2), (1, 1, 0), (3, 2, 0), (3, 1, 1), (1, 1, 0), (5, 1, 2)]


def test_a_path_to_nowhere_is_refused():
    small = Architecture((Convolution("a", 2, 3),), 2, (0.0,) * 3, (1.0,) * 3, "logits", 8)
    with refuses("layer: no step 'b' in this architecture; it has a"):
        anatomy.path_to(small, "b")


def test_a_mixed_layer_is_the_networks_own():
    network = load("mini")
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, 96, 8, 6, generator=generator)
    names = ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool", "pool_reduce")
    layers = {name: network.get_submodule(f"mixed3a_{name}") for name in names}
    (step,) = (step for step in MINI.steps if step.name == "mixed3a")
    with torch.no_grad():
        whole = network._mixed(step, hidden)
        torch.testing.assert_close(anatomy.inception_forward(hidden, layers), whole, rtol=0, atol=0)


@pytest.mark.parametrize("architecture", [MINI, FULL], ids=["mini", "full"])
def test_parameters_are_those_of_the_network(architecture):
    convolutions = anatomy.convolutions_of(architecture)
    with torch.device("meta"):
        network = Inception(architecture)
    assert anatomy.parameter_count([one for group in convolutions.values() for one in group]) == sum(
        parameter.numel() for parameter in network.parameters()
    )
    for name, group in convolutions.items():
        parts = [p.numel() for key, p in network.named_parameters() if key.startswith((f"{name}.", f"{name}_"))]
        assert anatomy.parameter_count(group) == sum(parts)


def test_the_examples_say_what_happens():
    assert doctest.testmod(anatomy) == (0, 6)
