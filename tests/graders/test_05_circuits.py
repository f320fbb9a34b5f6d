"""Lesson 05: weights multiplied out, families, what changes without a part, what a part does alone."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import affine_transform
from scipy.stats import hypergeom
from torch import nn

from innervision.circuits import behaviour_of
from innervision.classroom.exercises import exercise, question, scenario


def drawn(model, generator):
    """The network, with random weights from the generator, and with statistics that batch normalisation could have."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        for name, buffer in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))
    return model.eval()


def hooks_of(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


# ---------------------------------------------------------------- two convolutions as one

PAIRS = (
    ((4, 3, 3, 3), (5, 4, 3, 3), 1),
    ((4, 2, 2, 5), (3, 4, 3, 1), 1),
    ((3, 3, 3, 3), (3, 3, 5, 5), 1),
)
STRIDDEN = (((4, 3, 3, 3), (5, 4, 3, 3), 2), ((3, 2, 1, 4), (2, 3, 2, 3), 3))


def named(first, second, stride):
    return f"first {first}, second {second}, stride {stride}"


def kernels_drawn(pairs, generator):
    """The case's name, both kernels and the stride, for each case."""
    for first, second, stride in pairs:
        kernels = torch.randn(first, generator=generator), torch.randn(second, generator=generator)
        yield named(first, second, stride), (*kernels, stride)


@scenario
def kernels_side_by_side(student, generator):
    return {case: student.effective_kernel(*given[:2]) for case, given in kernels_drawn(PAIRS, generator)}


@scenario
def kernels_with_a_stride(student, generator):
    return {case: student.effective_kernel(*given) for case, given in kernels_drawn(STRIDDEN, generator)}


def by_impulses(first, second, stride):
    """Both convolutions on pictures that are black but for one number: each tells one number of the kernel."""
    first, second = first.double(), second.double()
    inputs, (rows, columns) = first.shape[1], first.shape[2:]
    rows, columns = rows + stride * (second.shape[2] - 1), columns + stride * (second.shape[3] - 1)
    impulses = torch.eye(inputs * rows * columns, dtype=torch.float64).view(-1, inputs, rows, columns)
    seen = F.conv2d(F.conv2d(impulses, first, stride=stride), second)
    return seen[:, :, 0, 0].T.reshape(len(second), inputs, rows, columns)


@exercise("05.effective_kernel", points=1)
def test_one_kernel_does_what_two_do_one_after_the_other(judge):
    judge(kernels_side_by_side).expect(
        lambda generator: {case: by_impulses(*given) for case, given in kernels_drawn(PAIRS, generator)},
        atol=1e-4,  # sums of up to 36 products of size 1, in float32
    )


@exercise("05.effective_kernel", points=1)
def test_a_stride_of_the_first_spreads_the_second(judge):
    judge(kernels_with_a_stride).expect(
        lambda generator: {case: by_impulses(*given) for case, given in kernels_drawn(STRIDDEN, generator)}, atol=1e-4
    )


# ---------------------------------------------------------------- weights multiplied out


class Mixed(nn.Module):
    """Two branches, joined: 1 × 1, and 3 × 3 behind a bottleneck."""

    def __init__(self, linear):
        super().__init__()
        self.small, self.bottleneck, self.large = nn.Conv2d(4, 2, 1), nn.Conv2d(4, 3, 1), nn.Conv2d(3, 3, 3, padding=1)
        self.bend = nn.Identity() if linear else nn.ReLU()

    def forward(self, given):
        large = self.bend(self.large(self.bend(self.bottleneck(given))))
        return torch.cat([self.bend(self.small(given)), large], dim=1)


def bottleneck(linear):
    """3 × 3, then 1 × 1, then 2 × 3, with rectifiers between them."""
    bend = nn.Identity if linear else nn.ReLU
    parts = [nn.Conv2d(3, 4, 3), bend(), nn.Conv2d(4, 2, 1), bend(), nn.Conv2d(2, 5, (2, 3))]
    return nn.Sequential(nn.Identity(), *parts)


def pooled(linear):
    """A stride, a pooling, a normalisation."""
    bend, pool = (nn.Identity, nn.AvgPool2d) if linear else (nn.ReLU, nn.MaxPool2d)
    return nn.Sequential(nn.Conv2d(3, 4, 3), bend(), nn.Conv2d(4, 4, 2, stride=2), pool(2), nn.BatchNorm2d(4), bend())


def branched(linear):
    """A convolution, then two mixed layers, the second of which reads four channels of the first."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), Mixed(linear), nn.Conv2d(5, 4, 1), Mixed(linear))


def pools_only(linear):
    """No convolution, so nothing tells how large an image it takes: one must be given."""
    pool = nn.AvgPool2d if linear else nn.MaxPool2d
    return nn.Sequential(nn.Identity(), pool((2, 2)), nn.ReLU(), pool((3, 3), stride=1))


WAYS = {
    "3 × 3, rectifier, 1 × 1, rectifier, 2 × 3": (bottleneck, "0", "5", (4, 5)),
    "the last two of these": (bottleneck, "2", "5", (2, 3)),
}
POOLED = {
    "2 × 2 with stride 2, max pooling of 2 × 2, normalisation": (pooled, "0", "4", (4, 4)),
    "max pooling of 2 × 2, normalisation, rectifier": (pooled, "2", "5", (2, 2)),
}
JOINED = {
    "1 × 1 and 3 × 3 side by side": (branched, "0", "1", (3, 3)),
    "twice 1 × 1 and 3 × 3 side by side": (branched, "0", "3", (5, 5)),
}


def expanded_by(student, ways, generator):
    return {
        name: student.expanded_weights(drawn(made(False), generator), start, end)
        for name, (made, start, end, _) in ways.items()
    }


@scenario
def through_bottlenecks(student, generator):
    return expanded_by(student, WAYS, generator)


@scenario
def through_poolings(student, generator):
    return expanded_by(student, POOLED, generator)


@scenario
def through_branches(student, generator):
    return expanded_by(student, JOINED, generator)


@scenario
def through_poolings_alone(student, generator):
    model, images = pools_only(False).eval(), torch.rand(1, 3, 12, 12, generator=generator)
    return {
        "max pooling of 2 × 2": student.expanded_weights(model, "0", "1", images),
        "max pooling of 2 × 2, then of 3 × 3": student.expanded_weights(model, "0", "3", images),
    }


def read_by_the_linear_network(ways):
    """What one unit in the middle reads: the gradient of the network with rectifiers left out and poolings averaged.

    The window around that unit is known to be of the given size, and holds all that the unit reads.
    """

    def expected(generator):
        found = {}
        for name, (made, start, end, size) in ways.items():
            model = made(True)
            model.load_state_dict(drawn(made(False), generator).state_dict())
            found[name] = gradients_in_a_window(model.double().eval(), int(start), int(end), size)
        return found

    return expected


def gradients_in_a_window(model, start, end, size):
    hidden = model[: start + 1](torch.zeros(1, 3, 24, 24, dtype=torch.float64)).detach().requires_grad_(True)
    output = model[start + 1 : end + 1](hidden)
    place = output.shape[2] // 2
    rows = [torch.autograd.grad(unit, hidden, retain_graph=True)[0][0] for unit in output[0, :, place, place]]
    weights = torch.stack(rows)
    read = weights.abs().sum(dim=(0, 1)) > 0
    top, left = int(read.any(dim=1).int().argmax()), int(read.any(dim=0).int().argmax())
    return weights[:, :, top : top + size[0], left : left + size[1]]


@exercise("05.expanded_weights", points=2)
def test_rectifiers_are_skipped_and_convolutions_multiplied_out(judge):
    judge(through_bottlenecks).expect(
        read_by_the_linear_network(WAYS),
        atol=1e-4,  # products of three random numbers, summed up to 24 times, in float32
        rtol=1e-4,
    )


@exercise("05.expanded_weights", points=1)
def test_poolings_are_averaged(judge):
    judge(through_poolings).expect(read_by_the_linear_network(POOLED), atol=1e-4, rtol=1e-4)
    each_itself = torch.eye(3)[:, :, None, None]
    expected = {
        "max pooling of 2 × 2": each_itself / 4 * torch.ones(2, 2),
        "max pooling of 2 × 2, then of 3 × 3": each_itself / 36 * torch.ones(6, 6),  # side by side, at 3 × 3 places
    }
    judge(through_poolings_alone).expect(expected, atol=1e-6)


@exercise("05.expanded_weights", points=1)
def test_branches_are_joined_each_in_its_place(judge):
    judge(through_branches).expect(read_by_the_linear_network(JOINED), atol=1e-4, rtol=1e-4)


# ---------------------------------------------------------------- the strongest connections


def plain_connections(found):
    """Both lists as plain data."""
    both = zip(("excitatory", "inhibitory"), found, strict=True)
    return {kind: {name: getattr(one, name) for name in ("channels", "strengths", "kernels")} for kind, one in both}


CONNECTIONS = {
    "unit 2, the default count": ((4, 9, 3, 3), 2, {}),
    "unit 0, count 3": ((3, 7, 2, 4), 0, {"count": 3}),
}


def weights_for_connections(shape, generator):
    """Weights of both signs in nearly every kernel, and some channels that only do one of the two."""
    weights = torch.randn(shape, generator=generator)
    weights[:, 0] = 2 * weights[:, 0].abs()
    weights[:, 1] = -2 * weights[:, 1].abs()
    weights[:, 2] *= 3
    return weights


@scenario
def strongest_connections(student, generator):
    return {
        case: plain_connections(student.top_connections(weights_for_connections(shape, generator), unit, **count))
        for case, (shape, unit, count) in CONNECTIONS.items()
    }


@scenario
def connections_that_do_both(student, generator):
    """Many small weights against one large; a channel that excites and inhibits; one connection of each kind."""
    weights = 0.01 * torch.rand(2, 5, 3, 3, generator=generator)
    weights[1, 3] = 0.5
    weights[1, 1, 0, 2] = 2.0
    weights[1, 4, 1], weights[1, 4, 2] = 1.1, -1.0
    weights[1, 0, 1, 1] = -0.9
    order = torch.randperm(5, generator=generator)
    return plain_connections(student.top_connections(weights[:, order], 1, count=2))


def connections_by_numpy(weights, unit, count=5):
    kernels = weights.double().numpy()[unit]
    found = {}
    for kind, sign in (("excitatory", 1), ("inhibitory", -1)):
        strengths = np.sqrt((np.maximum(sign * kernels, 0) ** 2).sum(axis=(1, 2)))
        order = np.argsort(-strengths)[:count]
        found[kind] = {"channels": order.copy(), "strengths": strengths[order], "kernels": kernels[order]}
    return {kind: {name: torch.from_numpy(numbers) for name, numbers in one.items()} for kind, one in found.items()}


def strongest_by_numpy(generator):
    return {
        case: connections_by_numpy(weights_for_connections(shape, generator), unit, **count)
        for case, (shape, unit, count) in CONNECTIONS.items()
    }


def both_by_numpy(generator):
    weights = 0.01 * torch.rand(2, 5, 3, 3, generator=generator)
    weights[1, 3] = 0.5
    weights[1, 1, 0, 2] = 2.0
    weights[1, 4, 1], weights[1, 4, 2] = 1.1, -1.0
    weights[1, 0, 1, 1] = -0.9
    return connections_by_numpy(weights[:, torch.randperm(5, generator=generator)], 1, 2)


@exercise("05.top_connections", points=2)
def test_the_strongest_of_each_sign_with_their_whole_kernels(judge):
    judge(strongest_connections).expect(strongest_by_numpy, atol=1e-5)


@exercise("05.top_connections", points=1)
def test_a_channel_can_do_both(judge):
    judge(connections_that_do_both).expect(both_by_numpy, atol=1e-5)


# ---------------------------------------------------------------- families

QUARTERS = {
    "90 degrees, both move on by 1": (90, {}),
    "180 degrees, units by 2, inputs by 1": (180, {"unit_shift": 2, "input_shift": 1}),
    "-90 degrees, units by -1, inputs by 2": (-90, {"unit_shift": -1, "input_shift": 2}),
    "270 degrees, nobody moves on": (270, {"unit_shift": 0, "input_shift": 0}),
}
BETWEEN = {
    "45 degrees, both move on by 1": (45, {}),
    "30 degrees, units by 1, inputs by 2": (30, {"unit_shift": 1, "input_shift": 2}),
    "112.5 degrees, units by -2, inputs by 1": (112.5, {"unit_shift": -2, "input_shift": 1}),
    "-22.5 degrees, nobody moves on": (-22.5, {"unit_shift": 0, "input_shift": 0}),
}


def turned_by(student, cases, side, generator):
    weights = torch.randn(4, 5, side, side, generator=generator)
    return {case: student.rotate_family(weights, angle, **shifts) for case, (angle, shifts) in cases.items()}


@scenario
def quarter_turns(student, generator):
    return turned_by(student, QUARTERS, 4, generator)


@scenario
def turns_in_between(student, generator):
    return turned_by(student, BETWEEN, 5, generator)


def turned_by_scipy(weights, angle, unit_shift=1, input_shift=1):
    """Each kernel by itself: for each place, where it was before the turn; straight lines in between."""
    family, (units, inputs) = weights.double().numpy(), weights.shape[:2]
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    back = np.array([[cosine, sine], [-sine, cosine]])  # rows count downwards
    middle = np.full(2, (family.shape[-1] - 1) / 2)
    turned = np.empty_like(family)
    for unit, each in np.ndindex(units, inputs):
        kernel = family[unit, each]
        kernel = affine_transform(kernel, back, middle - back @ middle, order=1, mode="grid-constant")
        turned[(unit + unit_shift) % units, (each + input_shift) % inputs] = kernel
    return torch.from_numpy(turned)


def all_turned_by_scipy(cases, side):
    def expected(generator):
        weights = torch.randn(4, 5, side, side, generator=generator)
        return {case: turned_by_scipy(weights, angle, **shifts) for case, (angle, shifts) in cases.items()}

    return expected


@exercise("05.rotate_family", points=2)
def test_quarters_are_exact_and_everybody_moves_on(judge):
    judge(quarter_turns).expect(
        all_turned_by_scipy(QUARTERS, 4),
        atol=1e-5,  # room for whoever interpolates quarters, too
    )


@exercise("05.rotate_family", points=1)
def test_between_positions_values_are_interpolated(judge):
    judge(turns_in_between).expect(all_turned_by_scipy(BETWEEN, 5), atol=1e-5)


def turned_copies(generator):
    """Four units and four inputs: each kernel is another one, turned by a quarter, both one further on."""
    first = torch.randn(4, 5, 5, generator=generator)
    family = torch.empty(4, 4, 5, 5)
    for turns in range(4):
        for each in range(4):
            family[turns, (each + turns) % 4] = torch.rot90(first[each], turns)
    return family


SCORES = {
    "random weights, 45 degrees": (45, {}),
    "random weights, 30 degrees, units by 2, inputs by -1": (30, {"unit_shift": 2, "input_shift": -1}),
    "random weights, 90 degrees, nobody moves on": (90, {"unit_shift": 0, "input_shift": 0}),
}


def weights_to_score(generator):
    """Kernels whose corners are strong, all a little above 0 on average."""
    weights = 0.3 + torch.randn(4, 5, 6, 6, generator=generator)
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        weights[:, :, row, column] *= 3
    return weights


@scenario
def scores_of_families(student, generator):
    copies, weights = turned_copies(generator), weights_to_score(generator)
    scores = {"copies turned by 90 degrees": student.equivariance_score(copies, 90)}
    for case, (angle, shifts) in SCORES.items():
        scores[case] = student.equivariance_score(weights, angle, **shifts)
    return scores


@scenario
def scores_of_turned_and_mirrored_copies(student, generator):
    copies = turned_copies(generator)
    return {
        "copies turned by 90 degrees, asked about 180": student.equivariance_score(copies, 180, 2, 2),
        "the same, ten times as strong": student.equivariance_score(10 * copies, 180, 2, 2),
        "the same with opposite signs in every second unit": student.equivariance_score(
            copies * torch.tensor([1.0, -1.0, 1.0, -1.0]).view(4, 1, 1, 1), 90
        ),
    }


def cosine_by_numpy(weights, angle, **shifts):
    side = weights.shape[-1]
    middle = (side - 1) / 2
    inside = np.array([[math.hypot(row - middle, column - middle) for column in range(side)] for row in range(side)])
    inside = inside <= side / 2
    family = weights.double().numpy()[:, :, inside].ravel()
    turned = turned_by_scipy(weights, angle, **shifts).numpy()[:, :, inside].ravel()
    return float(family @ turned / np.linalg.norm(family) / np.linalg.norm(turned))


def scores_by_numpy(generator):
    turned_copies(generator)
    weights = weights_to_score(generator)
    scores = {case: cosine_by_numpy(weights, angle, **shifts) for case, (angle, shifts) in SCORES.items()}
    return {"copies turned by 90 degrees": 1.0, **scores}


@exercise("05.equivariance_score", points=1)
def test_one_cosine_of_all_weights_without_corners(judge):
    judge(scores_of_families).expect(scores_by_numpy, atol=1e-4)


@exercise("05.equivariance_score", points=1)
def test_copies_score_1_at_any_strength_and_opposites_minus_1(judge):
    expected = dict.fromkeys(("copies turned by 90 degrees, asked about 180", "the same, ten times as strong"), 1.0)
    expected["the same with opposite signs in every second unit"] = -1.0
    judge(scores_of_turned_and_mirrored_copies).expect(expected, atol=1e-4)


# ---------------------------------------------------------------- taken out


def activation_and_data(generator, images=6):
    """No two numbers alike, and nothing is 0."""
    activation = 1 + torch.rand(images, 5, 2, 3, generator=generator)
    data = 10 + torch.randn(7, 5, 2, 3, generator=generator)
    return activation, data


@scenario
def silenced(student, generator):
    activation, data = activation_and_data(generator)
    before = activation.clone()
    found = {
        "channel 3 to zero": student.ablate([3])(activation),
        "channels 0 and 4 to zero, with data that is not needed": student.ablate([0, 4], "zero", data=data)(activation),
        "no channel at all": student.ablate([])(activation),
    }
    return {**found, "the activation that was given, afterwards": activation, "before": before}


@scenario
def set_to_the_mean(student, generator):
    activation, data = activation_and_data(generator)
    by_mean = student.ablate([1, 2], "mean", data=data)
    return {
        "channels 1 and 2 to their means": by_mean(activation),
        "the same function on the first two images": by_mean(activation[:2]),
        "channel 4 to its mean": student.ablate((4,), "mean", data=data)(activation),
    }


@scenario
def resampled(student, generator):
    activation, data = activation_and_data(generator, images=16)
    seed = int(torch.randint(1000, (), generator=generator))

    def drawn_with(seed):
        return student.ablate([0, 2], "resample", data=data, generator=torch.Generator().manual_seed(seed))

    one = drawn_with(seed)
    found = {"first": one(activation), "again with that seed": drawn_with(seed)(activation), "second": one(activation)}
    return {**found, "activation": activation, "data": data}


def silenced_by_numpy(generator):
    activation, _ = activation_and_data(generator)
    found = {"channel 3 to zero": [3], "channels 0 and 4 to zero, with data that is not needed": [0, 4]}
    changed = {}
    for case, channels in {**found, "no channel at all": []}.items():
        numbers = activation.numpy().copy()
        numbers[:, channels] = 0
        changed[case] = torch.from_numpy(numbers)
    return {**changed, "the activation that was given, afterwards": activation, "before": activation}


def means_by_numpy(generator):
    activation, data = activation_and_data(generator)
    means = data.double().numpy().mean(axis=0)

    def changed(numbers, channels):
        numbers = numbers.double().numpy().copy()
        for channel in channels:
            numbers[:, channel] = means[channel]
        return torch.from_numpy(numbers)

    return {
        "channels 1 and 2 to their means": changed(activation, [1, 2]),
        "the same function on the first two images": changed(activation[:2], [1, 2]),
        "channel 4 to its mean": changed(activation, [4]),
    }


def comes_from_images_drawn_at_random(outcome, reference):
    data, activation = reference["data"], reference["activation"]
    for case in ("first", "second"):
        changed = outcome[case]
        if tuple(changed.shape) != tuple(activation.shape):
            return f"shape {tuple(changed.shape)} in place of {tuple(activation.shape)}"
        if not torch.equal(changed[:, [1, 3, 4]], activation[:, [1, 3, 4]]):
            return "channels that were not named are changed, too"
        alike = [[bool(torch.equal(one[[0, 2]], other[[0, 2]])) for other in data] for one in changed.float()]
        if not all(map(any, alike)):
            return (
                f"image {[any(row) for row in alike].index(False)} has channels 0 and 2 of no single image of the data"
            )
        if len({row.index(True) for row in alike}) < 3:
            return "16 images got the channels of fewer than 3 of the 7 images of the data"
    if not torch.equal(outcome["first"], outcome["again with that seed"]):
        return "the same seed of the generator drew other images"
    return True if not torch.equal(outcome["first"], outcome["second"]) else "a second call drew the very same images"


@exercise("05.ablate", points=1)
def test_channels_fall_silent_and_what_was_given_stays(judge):
    judge(silenced).expect(silenced_by_numpy, atol=0)


@exercise("05.ablate", points=1)
def test_each_position_gets_its_own_mean_over_the_data(judge):
    judge(set_to_the_mean).expect(means_by_numpy, atol=1e-5)


@exercise("05.ablate", points=1)
def test_resampled_channels_go_together_and_are_drawn_for_each_image(judge):
    expected = "for each image channels 0 and 2 of one of the data, drawn with the generator, all others as they were"
    judge(resampled).satisfies(comes_from_images_drawn_at_random, expected=expected)


# ---------------------------------------------------------------- effects


class Ways(nn.Module):
    """From ``first`` to ``last`` there are three ways: by ``left``, by ``right``, and past both."""

    def __init__(self):
        super().__init__()
        self.first, self.left, self.right = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.last = nn.Identity()

    def forward(self, images):
        first = self.first(images).tanh()
        return self.last(met(first, self.left(first), self.right(first)))


def met(first, left, right):
    """No way adds up with the others, so no effect is the difference of two others."""
    return left.tanh() * (1 + right.square()) + first**3


def without_0_and_2(activation):
    return activation * torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)


def shifted(activation):
    return activation + 0.7


CHANGES = {"channels 0 and 2 silent": without_0_and_2, "0.7 more everywhere": shifted}
HELD = {
    "right held": ("first", ["right"]),
    "left held": ("first", ["left"]),
    "left and right held": ("first", ["left", "right"]),
    "left changed, right held": ("left", ["right"]),
}


def ways(generator):
    model = drawn(Ways(), generator)
    return model, torch.rand(3, 3, 2, 4, generator=generator)


def by_way_of(model, images, layer="", change=None, held=()):
    """``last`` of ``Ways``, step by step, without hooks; the layers in ``held`` do not hear of the change."""
    with torch.no_grad():
        put_out = {"first": model.first(images)}
        changed = {"first": change(put_out["first"]) if layer == "first" else put_out["first"]}
        for name in ("left", "right"):
            part = getattr(model, name)
            put_out[name] = part(put_out["first"].tanh())
            changed[name] = put_out[name] if name in held else part(changed["first"].tanh())
            if layer == name:
                changed[name] = change(changed[name])
        return met(changed["first"].tanh(), changed["left"], changed["right"])


@scenario
def total_effects(student, generator):
    model, images = ways(generator)
    found = {
        f"{name}, in {layer}": student.total_effect(model, images, layer, change, of="last")
        for layer in ("first", "right")
        for name, change in CHANGES.items()
    }
    return {**found, "hooks left behind": hooks_of(model)}


@scenario
def total_effects_on_a_layer_between(student, generator):
    model, images = ways(generator)
    found = {
        "0.7 more in first, seen in right": student.total_effect(model, images, "first", shifted, of="right"),
        "0.7 more in left, seen in last": student.total_effect(model, images, "left", shifted, of="last"),
    }
    return {**found, "hooks left behind": hooks_of(model)}


def total_effects_by_hand(generator):
    model, images = ways(generator)
    usual = by_way_of(model, images)
    found = {
        f"{name}, in {layer}": by_way_of(model, images, layer, change) - usual
        for layer in ("first", "right")
        for name, change in CHANGES.items()
    }
    return {**found, "hooks left behind": 0}


def effects_between_by_hand(generator):
    model, images = ways(generator)
    with torch.no_grad():
        first = model.first(images)
        right = model.right(shifted(first).tanh()) - model.right(first.tanh())
    last = by_way_of(model, images, "left", shifted) - by_way_of(model, images)
    return {"0.7 more in first, seen in right": right, "0.7 more in left, seen in last": last, "hooks left behind": 0}


@exercise("05.total_effect", points=1)
def test_with_the_change_minus_without(judge):
    judge(total_effects).expect(total_effects_by_hand, atol=1e-5, rtol=1e-5)


@exercise("05.total_effect", points=1)
def test_the_layer_that_is_asked_for(judge):
    judge(total_effects_on_a_layer_between).expect(effects_between_by_hand, atol=1e-5, rtol=1e-5)


@scenario
def direct_effects(student, generator):
    model, images = ways(generator)
    found = {
        f"{name} in {HELD[held][0]}, {held}": student.direct_effect(
            model, images, HELD[held][0], change, of="last", through=HELD[held][1]
        )
        for name, change in CHANGES.items()
        for held in ("right held", "left changed, right held")
    }
    return {**found, "hooks left behind": hooks_of(model)}


@scenario
def direct_effects_past_two_layers(student, generator):
    model, images = ways(generator)
    found = {
        f"{name}, {held}": student.direct_effect(model, images, "first", change, of="last", through=HELD[held][1])
        for name, change in CHANGES.items()
        for held in ("left and right held", "left held")
    }
    return {**found, "hooks left behind": hooks_of(model)}


def direct_by_hand(generator):
    model, images = ways(generator)
    usual = by_way_of(model, images)
    found = {
        f"{name} in {HELD[held][0]}, {held}": by_way_of(model, images, HELD[held][0], change, HELD[held][1]) - usual
        for name, change in CHANGES.items()
        for held in ("right held", "left changed, right held")
    }
    return {**found, "hooks left behind": 0}


def direct_past_two_by_hand(generator):
    model, images = ways(generator)
    usual = by_way_of(model, images)
    found = {
        f"{name}, {held}": by_way_of(model, images, "first", change, HELD[held][1]) - usual
        for name, change in CHANGES.items()
        for held in ("left and right held", "left held")
    }
    return {**found, "hooks left behind": 0}


@exercise("05.direct_effect", points=2)
def test_what_comes_past_a_layer_that_is_held(judge):
    judge(direct_effects).expect(direct_by_hand, atol=1e-5, rtol=1e-5)


@exercise("05.direct_effect", points=1)
def test_what_comes_past_two_layers_each_held_at_its_own(judge):
    judge(direct_effects_past_two_layers).expect(direct_past_two_by_hand, atol=1e-5, rtol=1e-5)


# ---------------------------------------------------------------- edges


class Chain(nn.Module):
    """Two convolutions with a rectifier between them and one behind; puts out weighted means over positions."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 4, 3, padding=1)
        self.two = nn.Conv2d(4, 2, (3, 2), stride=2, padding=(1, 0))
        self.read = nn.Linear(2, 3)

    def forward(self, images):
        hidden = self.two(self.one(images).relu())
        return self.read((hidden * hidden.sigmoid()).mean(dim=(2, 3)))


def chain(generator):
    model = drawn(Chain(), generator)
    return model, torch.rand(3, 3, 6, 6, generator=generator), torch.rand(3, 3, 6, 6, generator=generator)


EDGES = {
    "edges of 'one', target 2": ("one", 2, False),
    "edges of 'two', target 0": ("two", 0, False),
}
CHANGED_EDGES = {
    "edges of 'one', target 1, with other images": ("one", 1, True),
    "edges of 'two', target 2, with other images": ("two", 2, True),
}


def edges_by(student, cases, generator):
    model, images, others = chain(generator)
    found = {
        case: student.edge_attribution(model, images, name, target, **({"other": others} if other else {}))
        for case, (name, target, other) in cases.items()
    }
    return {**found, "hooks left behind": hooks_of(model)}


@scenario
def edges_against_silence(student, generator):
    return edges_by(student, EDGES, generator)


@scenario
def edges_against_other_images(student, generator):
    return edges_by(student, CHANGED_EDGES, generator)


def slope_of_a_valve(model, images, others, name, target):
    """Every edge gets a valve, open by a share of what the edge carries more than elsewhere: autograd turns them all.

    How fast the output grows with a valve is the gradient times what the edge carries, summed over all positions.
    """
    model, images = model.double(), images.double()
    layer = getattr(model, name)
    valves = torch.zeros(layer.out_channels, layer.in_channels, dtype=torch.float64, requires_grad=True)

    def put_out(carried, elsewhere):
        extra = F.conv2d(
            carried - elsewhere, valves[:, :, None, None] * layer.weight, None, layer.stride, layer.padding
        )
        return layer(carried).detach() + extra

    def before_two(given):
        return model.one(given).relu()

    with torch.no_grad():
        start = (lambda given: given) if name == "one" else before_two
        carried = start(images)
        elsewhere = torch.zeros_like(carried) if others is None else start(others.double())
    hidden = put_out(carried, elsewhere)
    hidden = model.two(hidden.relu()) if name == "one" else hidden
    score = model.read((hidden * hidden.sigmoid()).mean(dim=(2, 3)))[:, target].mean()
    return torch.autograd.grad(score, valves)[0]


def slopes_of_valves(cases):
    def expected(generator):
        model, images, others = chain(generator)
        found = {
            case: slope_of_a_valve(model, images, others if other else None, name, target)
            for case, (name, target, other) in cases.items()
        }
        return {**found, "hooks left behind": 0}

    return expected


@exercise("05.edge_attribution", points=2)
def test_what_comes_along_each_edge_times_the_slope(judge):
    judge(edges_against_silence).expect(slopes_of_valves(EDGES), atol=1e-4, rtol=1e-4)


@exercise("05.edge_attribution", points=1)
def test_with_other_images_what_changes_on_each_edge(judge):
    judge(edges_against_other_images).expect(slopes_of_valves(CHANGED_EDGES), atol=1e-4, rtol=1e-4)


# ---------------------------------------------------------------- a circuit alone


class Net(nn.Module):
    """Three convolutions; what a circuit does not name stays whole."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, 2), nn.Conv2d(3, 2, 1)

    def forward(self, images):
        return self.three(self.two(self.one(images).relu()).relu()).mean(dim=(2, 3))


def net(generator):
    """A network and two images. Weights lie around a little more than 0, so that rectifiers let most through."""
    model = drawn(Net(), generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.4)
    return model, torch.rand(2, 3, 4, 5, generator=generator)


def some_edges(shape, generator):
    """About half of the edges; never all, never none, and not the same when rows and columns are exchanged."""
    mask = torch.rand(shape, generator=generator) < 0.5
    mask.view(-1)[:2] = torch.tensor([True, False])
    return mask


def masks_of(generator):
    return {
        "edges of 'one'": {"one": some_edges((4, 3), generator)},
        "edges of 'one' and 'two'": {"one": some_edges((4, 3), generator), "two": some_edges((3, 4), generator)},
        "no edge of 'two'": {"two": torch.zeros(3, 4, dtype=torch.bool)},
        "all edges of 'three'": {"three": torch.ones(2, 3, dtype=torch.bool)},
    }


def run(model, images):
    with torch.no_grad():
        return model(images)


def weights_of(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


@scenario
def circuits_alone(student, generator):
    model, images = net(generator)
    found = {}
    for case, circuit in masks_of(generator).items():
        with student.keep_only(model, circuit) as entered:
            found[case] = {"output inside the block": run(model, images), "what `as` gives": entered is model}
    return found


@scenario
def after_the_block(student, generator):
    model, images = net(generator)
    circuit = masks_of(generator)["edges of 'one' and 'two'"]
    masks = {name: mask.clone() for name, mask in circuit.items()}
    usual = run(model, images)
    with student.keep_only(model, circuit):
        run(model, images)
    return {
        "output afterwards": run(model, images),
        "output before": usual,
        "weights afterwards": weights_of(model),
        "masks afterwards": {name: bool(torch.equal(mask, masks[name])) for name, mask in circuit.items()},
        "hooks left behind": hooks_of(model),
    }


class StoppedError(Exception):
    """Raised inside a block."""


@scenario
def after_an_error(student, generator):
    model, _ = net(generator)
    circuit = masks_of(generator)["edges of 'one' and 'two'"]
    came_out = False
    try:
        with student.keep_only(model, circuit):
            raise StoppedError
    except StoppedError:
        came_out = True
    after = {"the error comes out of the block": came_out, "weights after the error": weights_of(model)}
    refused = False
    try:
        with student.keep_only(model, {"one": circuit["one"], "two": circuit["two"].T}):
            pass
    except (ValueError, RuntimeError):
        refused = True
    return {**after, "a mask of another shape is refused": refused, "weights after the refusal": weights_of(model)}


def run_by_hand(model, images, circuit):
    """The network in its own words, each kernel multiplied by its mask."""
    weights = {name: getattr(model, name).weight.detach().double() for name in ("one", "two", "three")}
    for name, mask in circuit.items():
        weights[name] = weights[name] * mask.double()[:, :, None, None]
    hidden = images.double()
    for name in ("one", "two", "three"):
        layer = getattr(model, name)
        hidden = F.conv2d(hidden, weights[name], layer.bias.detach().double(), padding=layer.padding)
        hidden = hidden if name == "three" else hidden.relu()
    return hidden.mean(dim=(2, 3))


def circuits_by_hand(generator):
    model, images = net(generator)
    return {
        case: {"output inside the block": run_by_hand(model, images, circuit), "what `as` gives": True}
        for case, circuit in masks_of(generator).items()
    }


def as_it_was(generator):
    model, images = net(generator)
    usual = run_by_hand(model, images, {})
    return {
        "output afterwards": usual,
        "output before": usual,
        "weights afterwards": weights_of(model),
        "masks afterwards": {"one": True, "two": True},
        "hooks left behind": 0,
    }


def as_it_was_after_an_error(generator):
    model, _ = net(generator)
    return {
        "the error comes out of the block": True,
        "weights after the error": weights_of(model),
        "a mask of another shape is refused": True,
        "weights after the refusal": weights_of(model),
    }


@exercise("05.keep_only", points=2)
def test_only_the_edges_of_the_circuit_carry_anything(judge):
    judge(circuits_alone).expect(circuits_by_hand, atol=1e-4, rtol=1e-4)


@exercise("05.keep_only", points=1)
def test_afterwards_the_network_is_as_it_was(judge):
    judge(after_the_block).expect(as_it_was, atol=1e-4, rtol=1e-5)


@exercise("05.keep_only", points=1)
def test_also_after_an_error(judge):
    judge(after_an_error).expect(as_it_was_after_an_error, atol=0)


# ---------------------------------------------------------------- how much a circuit does


def measured_circuits(ask, generator):
    """What ``ask(model, circuit, behaviour)`` says of each circuit; the circuit alone, without it, and all of it."""
    model, images = net(generator)
    target = int(torch.randint(2, (), generator=generator))
    behaviour = behaviour_of(model, images, target)
    masks = masks_of(generator)
    whole = {"one": torch.ones(4, 3, dtype=torch.bool), "two": torch.ones(3, 4, dtype=torch.bool)}
    nothing = {name: ~mask for name, mask in whole.items()}
    names = ("edges of 'one'", "edges of 'one' and 'two'", "no edge of 'two'")
    cases = {**{name: masks[name] for name in names}, "all edges": whole, "none": nothing}
    return {case: ask(model, circuit, behaviour) for case, circuit in cases.items()}, model


def share_by_hand(generator):
    """(circuit - nothing) / (whole - nothing), for the circuits of ``measured_circuits``."""
    state = generator.get_state()
    model, images = net(generator)
    target = int(torch.randint(2, (), generator=generator))
    generator.set_state(state)

    def does(circuit):
        return float(run_by_hand(model, images, circuit)[:, target].mean())

    def share(_, circuit, __):
        nothing = does({name: torch.zeros_like(mask) for name, mask in circuit.items()})
        return (does(circuit) - nothing) / (does({}) - nothing)

    return share


@scenario
def shares_of_circuits(student, generator):
    shares, model = measured_circuits(student.faithfulness, generator)
    return {**shares, "weights afterwards": weights_of(model)}


@scenario
def shares_of_a_sum(student, generator):
    model, circuit, behaviour = a_sum(generator)
    found = {"the three that help most": student.faithfulness(model, circuit([0, 1, 2]), behaviour)}
    found["all that help, without the one that hinders"] = student.faithfulness(model, circuit([0, 1, 2, 3]), behaviour)
    found["only the one that hinders"] = student.faithfulness(model, circuit([4]), behaviour)
    return found


def a_sum(generator):
    """An output that adds up: 8 + 4 + 2 + 1 - 5 times one strength, and a bias on top."""
    conv = nn.Conv2d(5, 1, 1)
    strength = 0.5 + float(torch.rand((), generator=generator))
    with torch.no_grad():
        conv.weight.copy_(strength * torch.tensor([8.0, 4.0, 2.0, 1.0, -5.0]).view(1, 5, 1, 1))
        conv.bias.fill_(3.0)
    model = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()

    def circuit(channels):
        mask = torch.zeros(1, 5, dtype=torch.bool)
        mask[0, channels] = True
        return {"0": mask}

    return model, circuit, behaviour_of(model, torch.ones(2, 5, 2, 3), 0)


def shares_by_hand(generator):
    state = generator.get_state()
    share = share_by_hand(generator)
    generator.set_state(state)
    shares, model = measured_circuits(share, generator)
    return {**shares, "weights afterwards": weights_of(model)}


@exercise("05.faithfulness", points=1)
def test_the_share_between_nothing_and_the_whole(judge):
    judge(shares_of_circuits).expect(
        shares_by_hand,
        atol=1e-3,  # a difference of two float32 outputs, divided by another
        rtol=1e-3,
    )


@exercise("05.faithfulness", points=1)
def test_of_a_sum_it_is_the_share_of_its_parts(judge):
    expected = {
        "the three that help most": 1.4,
        "all that help, without the one that hinders": 1.5,
        "only the one that hinders": -0.5,
    }
    judge(shares_of_a_sum).expect(expected, atol=1e-4)


@scenario
def what_is_left_without_circuits(student, generator):
    left, model = measured_circuits(student.completeness, generator)
    return {**left, "weights afterwards": weights_of(model)}


class Capped(nn.Module):
    """An output that adds up what three edges carry, but never more than a cap; and a constant on top."""

    def __init__(self, weights, cap):
        super().__init__()
        self.conv, self.cap = nn.Conv2d(3, 1, 1, bias=False), cap
        with torch.no_grad():
            self.conv.weight.copy_(weights.view(1, 3, 1, 1))

    def forward(self, images):
        return self.conv(images).clamp(max=self.cap).mean(dim=(2, 3)) + 2


@scenario
def what_is_left_where_edges_stand_in_for_others(student, generator):
    """Carried is 75 %, 50 % and 25 % of the cap: without one edge the others do some of its work."""
    cap, order = 0.5 + float(torch.rand((), generator=generator)), torch.randperm(3, generator=generator)
    shares = torch.tensor([0.75, 0.5, 0.25])[order]
    model = Capped(cap * shares, cap).eval()
    behaviour = behaviour_of(model, torch.ones(2, 3, 2, 2), 0)
    taken = {"the edge of 75 %": [0.75], "the edge of 50 %": [0.5], "75 % and 25 %": [0.75, 0.25], "all": shares}
    return {
        f"edges carry 75 %, 50 % and 25 % of the cap; circuit: {case}": student.completeness(
            model, {"conv": torch.isin(shares, torch.as_tensor(some))[None]}, behaviour
        )
        for case, some in taken.items()
    }


def what_is_left_by_hand(generator):
    state = generator.get_state()
    share = share_by_hand(generator)
    generator.set_state(state)
    left, model = measured_circuits(
        lambda model, circuit, behaviour: 1 - share(model, {name: ~mask for name, mask in circuit.items()}, behaviour),
        generator,
    )
    return {**left, "weights afterwards": weights_of(model)}


@exercise("05.completeness", points=1)
def test_what_is_missing_when_the_circuit_is_taken_out(judge):
    judge(what_is_left_without_circuits).expect(what_is_left_by_hand, atol=1e-3, rtol=1e-3)


@exercise("05.completeness", points=1)
def test_others_may_stand_in_for_the_circuit(judge):
    shares = {"the edge of 75 %": 0.25, "the edge of 50 %": 0.0, "75 % and 25 %": 0.5, "all": 1.0}
    expected = {f"edges carry 75 %, 50 % and 25 % of the cap; circuit: {case}": share for case, share in shares.items()}
    judge(what_is_left_where_edges_stand_in_for_others).expect(expected, atol=1e-4)


# ---------------------------------------------------------------- minimal circuits


class Sum(nn.Module):
    """An output that adds up what two convolutions carry."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = nn.Conv2d(len(first), 1, 1), nn.Conv2d(len(second), 1, 1)
        with torch.no_grad():
            self.first.weight.copy_(first.view(1, -1, 1, 1))
            self.second.weight.copy_(second.view(1, -1, 1, 1))
            self.first.bias.fill_(8.0)
            self.second.bias.fill_(4.0)

    def forward(self, images):
        channels = self.first.in_channels
        return (self.first(images[:, :channels]) + self.second(images[:, channels:])).mean(dim=(2, 3))


def a_sum_of(parts, generator, split=4, shuffled=True):
    """A network that adds up these parts, in random order unless told otherwise, and its behaviour."""
    parts = parts[torch.randperm(len(parts), generator=generator)] if shuffled else parts
    model = Sum(parts[:split], parts[split:]).eval()
    return model, parts, behaviour_of(model, torch.ones(1, len(parts), 2, 2), 0)


def edge_scores(numbers, split=4):
    return {"first": numbers[None, :split], "second": numbers[None, split:]}


def kept(circuit):
    """Which edges stay, in a row."""
    return torch.cat([circuit["first"][0], circuit["second"][0]])


HELPFUL = torch.tensor([0.3, 0.5, 0.8, 1.1, 1.5, 2.0, 2.6, 3.3, 4.0])
TO_SHRINK = {
    "scores tell the truth, the default share": 0.95,
    "scores tell the truth, strongest edges in the first convolution, share 0.8": 0.8,
    "scores are random, share 0.7": 0.7,
    "the three strongest have scores below 0, share 0.8": 0.8,
}


def sums_to_shrink(generator):
    """For each case a network of its own, its parts, its behaviour, scores and a share."""
    for case, share in TO_SHRINK.items():
        parts = HELPFUL.flip(0) * (1 + 0.2 * torch.rand(9, generator=generator))  # falling for certain
        model, parts, behaviour = a_sum_of(parts, generator, shuffled="strongest edges" not in case)
        scores = parts
        if "random" in case:
            scores = torch.rand(9, generator=generator)
        elif "below 0" in case:
            scores = torch.where(parts >= parts.topk(3).values[-1], -parts, parts)
        yield case, model, parts, behaviour, scores, share


@scenario
def minimal_circuits_of_a_sum(student, generator):
    found = {}
    for case, model, _, behaviour, scores, share in sums_to_shrink(generator):
        asked = {} if "default" in case else {"share": share}
        circuit = student.minimal_circuit(model, edge_scores(scores), behaviour, **asked)
        found[case] = {
            "edges that stay": kept(circuit),
            "masks of True and False": all(mask.dtype == torch.bool for mask in circuit.values()),
            "weights afterwards": weights_of(model),
        }
    return found


@scenario
def a_share_that_is_just_kept(student, generator):
    model, parts, behaviour = a_sum_of(torch.tensor([8.0, 4.0, 2.0, 1.0, 1.0]), generator, split=2)
    scores = edge_scores(parts**2 + 0.01 * torch.arange(5), split=2)
    circuit = student.minimal_circuit(model, scores, behaviour, 0.75)
    return {"parts that stay": (parts * kept(circuit)).sort().values}


def smallest_by_hand(parts, scores, share):
    """What stays of parts that all help: weakest score first, each goes if the rest still keeps the share."""
    stays = torch.ones(len(parts), dtype=torch.bool)
    for edge in sorted(range(len(parts)), key=lambda edge: abs(float(scores[edge]))):
        stays[edge] = False
        if float((parts.double() * stays).sum() / parts.double().sum()) < share:
            stays[edge] = True
    return stays


def smallest_of_a_sum(generator):
    return {
        case: {
            "edges that stay": smallest_by_hand(parts, scores, share),
            "masks of True and False": True,
            "weights afterwards": weights_of(model),
        }
        for case, model, parts, _, scores, share in sums_to_shrink(generator)
    }


HINDERED = torch.tensor([6.0, 5.0, 4.0, 1.0, 0.7, 0.4, -3.0, -2.0])


@scenario
def minimal_circuits_with_edges_that_hinder(student, generator):
    """Small helpful edges can go only after strong ones that hinder have gone."""
    model, parts, behaviour = a_sum_of(HINDERED, generator)
    found = {"parts": parts}
    for share in (0.9, 1.0, 0.95):
        circuit = student.minimal_circuit(model, edge_scores(parts), behaviour, share)
        found[f"share {share}"] = kept(circuit)
    return found


def keep_their_share_and_can_lose_no_edge(outcome, reference):
    parts = reference["parts"].double()
    for share in (0.9, 1.0, 0.95):
        stays = outcome[f"share {share}"].bool()
        if tuple(stays.shape) != (8,):
            return f"share {share}: masks have shapes that do not fit the scores"
        shown = float(parts[stays].sum() / parts.sum())
        if shown < share - 1e-5:
            return f"share {share}: the circuit shows {shown:.3f} of the behaviour"
        for edge in stays.nonzero().flatten().tolist():
            rest = float((parts[stays].sum() - parts[edge]) / parts.sum())
            if rest > share + 1e-5:
                return f"share {share}: an edge is left that can go; without it the circuit shows {rest:.3f}"
    return True


@exercise("05.minimal_circuit", points=2)
def test_the_weakest_go_first_while_the_share_is_kept(judge):
    judge(minimal_circuits_of_a_sum).expect(smallest_of_a_sum, atol=0)
    judge(a_share_that_is_just_kept).expect({"parts that stay": torch.tensor([0.0, 0.0, 0.0, 4.0, 8.0])}, atol=0)


@exercise("05.minimal_circuit", points=2)
def test_in_the_end_no_edge_can_go(judge):
    expected = "circuits that keep their share of the behaviour, and lose it with any of their edges"
    judge(minimal_circuits_with_edges_that_hinder).satisfies(keep_their_share_and_can_lose_no_edge, expected=expected)


# ---------------------------------------------------------------- branches

PUBLISHED = {
    "30 of 30 in a branch of 96, in a layer of 480": (30, 30, 96, 480),
    "9 of 9 in a branch of 32, in a layer of 256": (9, 9, 32, 256),
}


def some_families(generator):
    """Families that lie partly, wholly or not at all in a branch; and one larger than its branch."""
    cases = []
    for _ in range(3):
        layer = int(torch.randint(30, 60, (), generator=generator))
        branch, family = (int(torch.randint(8, 15, (), generator=generator)) for _ in range(2))
        cases.append((family, int(torch.randint(1, min(family, branch), (), generator=generator)), branch, layer))
    family, _, branch, layer = cases[0]
    cases += [(family, 0, branch, layer), (branch + 5, branch, branch, layer), (5, 4, 20, 24)]
    return {
        f"{n} of {family} in a branch of {branch}, in a layer of {layer}": (family, n, branch, layer)
        for family, n, branch, layer in cases
    }


@scenario
def chances_of_random_families(student, generator):
    return {case: student.branch_specialization(*numbers) for case, numbers in some_families(generator).items()}


@scenario
def chances_of_published_families(student, generator):
    return {case: student.branch_specialization(*numbers) for case, numbers in PUBLISHED.items()}


def tail(family, in_branch, branch, layer):
    """By scipy, whose sf is the probability of more than its argument."""
    return float(hypergeom.sf(in_branch - 1, layer, branch, family))


@exercise("05.branch_specialization", points=1)
def test_so_many_or_more_by_chance(judge):
    judge(chances_of_random_families).expect(
        lambda generator: {case: tail(*numbers) for case, numbers in some_families(generator).items()},
        atol=0,
        rtol=1e-6,  # chances may be tiny, so only shares of them count
    )


@exercise("05.branch_specialization", points=1)
def test_the_published_families(judge):
    judge(chances_of_published_families).expect(
        {case: tail(*numbers) for case, numbers in PUBLISHED.items()}, atol=0, rtol=1e-6
    )


# ---------------------------------------------------------------- questions

test_q_both_signs = question(
    "05.q_both_signs",
    points=1,
    answer="b",
    wrong={
        "a": "A connection is a small kernel with a number for each place, and some of these numbers may be above 0 "
        "and others below. The list adds up each sign by itself, so one channel can be in both.",
        "c": "They would cancel if the line were at all places at once. It is at one place at a time, and there only "
        "the weight of that place counts.",
        "d": "The weights are added up before any rectifier. It cannot choose between them; it only cuts off the sum "
        "where it falls below 0.",
    },
)

test_q_effects = question(
    "05.q_effects",
    points=1,
    answer="a",
    wrong={
        "b": "The total effect is what really happens to C when A goes. Nothing about it is a by-product: it only "
        "comes by way of other layers.",
        "c": "Both can be right: they answer two questions. The total effect lets every way pass, the direct one only "
        "the ways that go past the held layers.",
        "d": "If the held layers made up for A, the effect with all ways open would be the smaller one. Here it is the "
        "larger.",
    },
)

test_q_backup = question(
    "05.q_backup",
    points=1,
    answer="b",
    wrong={
        "a": "Faithfulness asks only what the circuit can do alone. Take it out: most of the behaviour is still there, "
        "so it is not the whole mechanism.",
        "c": "They answer two questions: what the circuit does alone, and what is missing without it. Where there are "
        "two ways, the first is high and the second low.",
        "d": "A smaller circuit takes less out of the network, so ways round it stay open. To be more complete it "
        "would need the second way, too.",
    },
)
