"""Lesson 01: match, threshold, Gabor kernels, a look inside, fields, blocks, and what they cost."""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from innervision.classroom.exercises import exercise, question, scenario

# ---------------------------------------------------------------- convolution


def images_and_kernels(generator):
    """Pairs that are not square: one kernel among several channels, several, a single weight, an even size."""
    shapes = [((2, 3, 6, 7), (1, 3, 3, 3)), ((1, 2, 5, 8), (4, 2, 2, 3)), ((3, 2, 4, 3), (5, 2, 1, 1))]
    return [
        (torch.randn(*image, generator=generator), torch.randn(*kernel, generator=generator))
        for image, kernel in shapes
    ]


def sizes_of(images, kernels, padding):
    """The name of a case: what a student needs to try it."""
    border = f", padding {padding}" if padding else ""
    return f"images of shape {tuple(images.shape)}, kernels of shape {tuple(kernels.shape)}{border}"


@scenario
def matches_inside_the_image(student, generator):
    return {
        sizes_of(images, kernels, 0): student.conv2d_by_hand(images, kernels)
        for images, kernels in images_and_kernels(generator)
    }


@scenario
def matches_with_a_border(student, generator):
    return {
        sizes_of(images, kernels, padding): student.conv2d_by_hand(images, kernels, padding)
        for (images, kernels), padding in zip(images_and_kernels(generator), (1, 2, 1), strict=True)
    }


@scenario
def a_single_bright_pixel(student, generator):
    kernels = torch.randn(2, 1, 3, 3, generator=generator)
    images = torch.zeros(1, 1, 7, 7)
    images[0, 0, 3, 2] = 1.0
    return student.conv2d_by_hand(images, kernels)


def kernel_turned_over(generator):
    """Every number of the kernel meets the bright pixel once, the last one first."""
    kernels = torch.randn(2, 1, 3, 3, generator=generator)
    matches = torch.zeros(1, 2, 5, 5)
    matches[0, :, 1:4, 0:3] = kernels[:, 0].flip(1, 2)
    return matches


def torch_convolutions(generator, paddings=(0, 0, 0)):
    pairs = images_and_kernels(generator)
    return {
        sizes_of(images, kernels, padding): F.conv2d(images, kernels, padding=padding)
        for (images, kernels), padding in zip(pairs, paddings, strict=True)
    }


@exercise("01.conv2d_by_hand", points=1)
def test_each_number_is_a_patch_times_the_kernel(judge):
    judge(matches_inside_the_image).expect(torch_convolutions, atol=1e-4)  # sums of up to 27 products of size 1


@exercise("01.conv2d_by_hand", points=1)
def test_padding_puts_zeros_around(judge):
    judge(matches_with_a_border).expect(lambda generator: torch_convolutions(generator, (1, 2, 1)), atol=1e-4)


@exercise("01.conv2d_by_hand", points=1)
def test_a_kernel_is_not_turned_over(judge):
    judge(a_single_bright_pixel).expect(kernel_turned_over, atol=1e-6)


# ---------------------------------------------------------------- threshold


def matches_and_bias(generator):
    return torch.randn(2, 4, 3, 4, generator=generator), torch.randn(4, generator=generator)


@scenario
def random_matches(student, generator):
    matches, bias = matches_and_bias(generator)
    given = matches.clone()
    return {"activation": student.relu_threshold(given, bias), "matches, afterwards": given}


@scenario
def matches_around_a_threshold(student, generator):
    threshold = 1 + torch.rand(3, generator=generator)
    excess = torch.tensor([-0.5, -0.01, 0.0, 0.01, 0.5])
    return student.relu_threshold(threshold.view(1, 3, 1, 1) + excess, -threshold)


def numpy_rectified(generator):
    matches, bias = matches_and_bias(generator)
    shifted = matches.numpy() + bias.numpy()[None, :, None, None]
    return {"activation": torch.from_numpy(np.where(shifted > 0, shifted, 0)), "matches, afterwards": matches}


@exercise("01.relu_threshold", points=1)
def test_each_kernel_has_its_own_threshold(judge):
    judge(random_matches).expect(numpy_rectified, atol=1e-6)


@exercise("01.relu_threshold", points=1)
def test_only_the_excess_passes(judge):
    excess = torch.tensor([0.0, 0.0, 0.0, 0.01, 0.5])
    judge(matches_around_a_threshold).expect(excess.expand(1, 3, 1, 5).contiguous(), atol=1e-6)


# ---------------------------------------------------------------- Gabor kernels


def some_gabors(generator):
    """Orientation and phase in degrees, frequency from 0.1 to 0.4, odd and even sizes."""
    draws = torch.rand(4, 3, generator=generator).tolist()
    sizes = (5, 8, 3, 11)
    return [
        (round(360 * a, 1), round(0.1 + 0.3 * b, 3), round(360 * c, 1), size)
        for (a, b, c), size in zip(draws, sizes, strict=True)
    ]


def call_of(one):
    """The name of a case: the call itself."""
    return f"gabor_kernel{one}"


@scenario
def random_gabors(student, generator):
    return {call_of(one): student.gabor_kernel(*one) for one in some_gabors(generator)}


def edges_and_a_stripe(generator):
    frequency = round(0.15 + 0.1 * float(torch.rand((), generator=generator)), 3)
    return [(0, frequency, 90, 7), (90, frequency, 90, 7), (0, frequency, 0, 7)]


@scenario
def edges_and_stripes(student, generator):
    return {call_of(one): student.gabor_kernel(*one) for one in edges_and_a_stripe(generator)}


def numpy_gabor(orientation, frequency, phase, size):
    rows, columns = np.mgrid[:size, :size]
    z = (columns - (size - 1) / 2) + 1j * ((size - 1) / 2 - rows)  # right + i · up
    along = np.real(z * np.exp(-1j * np.deg2rad(orientation)))
    kernel = np.cos(2 * np.pi * frequency * along + np.deg2rad(phase)) * np.exp(-8 * np.abs(z) ** 2 / size**2)
    kernel = kernel - kernel.mean()
    return torch.from_numpy(kernel / np.sqrt((kernel**2).sum()))


def closed_forms(cases):
    return {call_of(one): numpy_gabor(*one) for one in cases}


@exercise("01.gabor_kernel", points=2)
def test_a_wave_under_a_bell(judge):
    judge(random_gabors).expect(lambda generator: closed_forms(some_gabors(generator)), atol=1e-4)


@exercise("01.gabor_kernel", points=1)
def test_upright_is_0_and_up_is_up(judge):
    judge(edges_and_stripes).expect(lambda generator: closed_forms(edges_and_a_stripe(generator)), atol=1e-4)


# ---------------------------------------------------------------- a look inside


def layered(generator, last=None):
    """A small network with random weights whose second layer writes over its input."""
    first, second = nn.Linear(5, 4), nn.Linear(4, 3)
    with torch.no_grad():
        for parameter in [*first.parameters(), *second.parameters()]:
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return nn.Sequential(first, nn.ReLU(inplace=True), second, last or nn.Tanh())


def hooks_of(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


class CannotGoOn(Exception):  # noqa: N818
    """An error of its own kind, so that no other is mistaken for it."""


class Breaks(nn.Module):
    """A layer that fails, as layers do when an image has the wrong size."""

    reached = False

    def forward(self, hidden):
        self.reached = True
        raise CannotGoOn("this layer cannot go on")


class Twice(nn.Module):
    """Runs one layer twice in a row."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, hidden):
        return self.layer(self.layer(hidden))


@scenario
def layers_of_a_small_network(student, generator):
    model, images = layered(generator), torch.randn(6, 5, generator=generator)
    return {f"layer {name}": student.capture(model, images, name).detach() for name in ("0", "1", "2")}


@scenario
def a_layer_inside_a_layer(student, generator):
    model, images = nn.Sequential(layered(generator)), torch.randn(6, 5, generator=generator)
    return {"layer 0.2": student.capture(model, images, "0.2").detach()}


@scenario
def a_network_after_it_was_looked_at(student, generator):
    model, images = layered(generator), torch.randn(6, 5, generator=generator)
    student.capture(model, images, "2")
    return {"hooks left": hooks_of(model), "output": model(images).detach()}


@scenario
def what_later_layers_get(student, generator):
    given = []
    model, images = layered(generator), torch.randn(6, 5, generator=generator)
    model[3].register_forward_pre_hook(lambda module, inputs: given.append(inputs[0].detach().clone()))
    student.capture(model, images, "2")
    return given


@scenario
def a_network_that_fails(student, generator):
    model, images = layered(generator, Breaks()), torch.randn(2, 5, generator=generator)
    error = ""
    try:
        student.capture(model, images, "1")
    except CannotGoOn as raised:
        error = str(raised)
    ran = model[3].reached
    return {"the network ran to its end": ran, "error that arrives": error, "hooks left": hooks_of(model)}


@scenario
def a_layer_that_runs_twice(student, generator):
    layer, images = nn.Linear(3, 3), torch.randn(4, 3, generator=generator)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return student.capture(Twice(layer), images, "layer").detach()


@scenario
def a_gradient_through_the_activation(student, generator):
    model, images = layered(generator), torch.randn(6, 5, generator=generator).requires_grad_()
    activation = student.capture(model, images, "2")
    return torch.autograd.grad(activation[:, 1].sum(), images)[0]


def numpy_layers(generator):
    w1, b1, w2, b2 = (torch.randn(*shape, generator=generator).numpy() for shape in [(4, 5), (4,), (3, 4), (3,)])
    images = torch.randn(6, 5, generator=generator).numpy()
    hidden = images @ w1.T + b1
    passed = np.maximum(hidden, 0)
    slope = (w2[1] * (hidden > 0)) @ w1
    return {"0": hidden, "1": passed, "2": passed @ w2.T + b2, "slope": slope}


def outputs(generator):
    layers = numpy_layers(generator)
    return {f"layer {name}": torch.from_numpy(layers[name]) for name in ("0", "1", "2")}


def numpy_twice(generator):
    images = torch.randn(4, 3, generator=generator).double()
    weight, bias = (torch.randn(*shape, generator=generator).double() for shape in [(3, 3), (3,)])
    return images @ weight.T + bias


@exercise("01.capture", points=1)
def test_it_is_the_output_of_that_layer(judge):
    judge(layers_of_a_small_network).expect(outputs, atol=1e-4)
    judge(a_layer_that_runs_twice).expect(numpy_twice, atol=1e-4)
    judge(a_layer_inside_a_layer).expect(
        lambda generator: {"layer 0.2": torch.from_numpy(numpy_layers(generator)["2"])}, atol=1e-4
    )


@exercise("01.capture", points=1)
def test_the_network_is_left_as_it_was(judge):
    judge(a_network_after_it_was_looked_at).expect(
        lambda generator: {"hooks left": 0, "output": torch.from_numpy(np.tanh(numpy_layers(generator)["2"]))},
        atol=1e-4,
    )
    judge(what_later_layers_get).expect(lambda generator: [torch.from_numpy(numpy_layers(generator)["2"])], atol=1e-4)


@exercise("01.capture", points=1)
def test_after_an_error_too(judge):
    judge(a_network_that_fails).expect(
        {"the network ran to its end": True, "error that arrives": "this layer cannot go on", "hooks left": 0}, atol=0
    )


@exercise("01.capture", points=1)
def test_gradients_find_the_way_back(judge):
    judge(a_gradient_through_the_activation).expect(
        lambda generator: torch.from_numpy(numpy_layers(generator)["slope"]), atol=1e-4
    )


# ---------------------------------------------------------------- receptive fields


NUMBERS = ("size", "jump", "start")


def some_stacks(generator):
    """Stacks of one to five layers; kernel at least stride, so that no pixel is skipped."""
    stacks = []
    for count in (1, 2, 3, 4, 5):
        kernels = torch.randint(1, 8, (count,), generator=generator).tolist()
        strides = torch.randint(1, 4, (count,), generator=generator).tolist()
        paddings = torch.randint(0, 4, (count,), generator=generator).tolist()
        stacks.append(
            [(max(kernel, stride), stride, pad) for kernel, stride, pad in zip(kernels, strides, paddings, strict=True)]
        )
    return stacks


def by_stack(generator, number, field):
    """One of the three numbers for each stack; the name of a case is its input."""
    return {f"layers = {stack}": {NUMBERS[number]: field(stack)[number]} for stack in some_stacks(generator)}


@scenario
def sizes_of_random_stacks(student, generator):
    return by_stack(generator, 0, student.receptive_field)


@scenario
def jumps_of_random_stacks(student, generator):
    return by_stack(generator, 1, student.receptive_field)


@scenario
def starts_of_random_stacks(student, generator):
    return by_stack(generator, 2, student.receptive_field)


@scenario
def field_of_a_pixel(student, generator):
    return {"layers = []": tuple(student.receptive_field([]))}


def traced(stack):
    """Which pixels units 0 and 1 look at, followed backwards from the unit to the image."""
    ends = []
    for unit in (0, 1):
        first = last = unit
        for kernel, stride, padding in reversed(stack):
            first, last = first * stride - padding, last * stride - padding + kernel - 1
        ends.append((first, last))
    (first, last), (second, _) = ends
    return last - first + 1, second - first, first


@exercise("01.receptive_field", points=2)
def test_size_jump_and_start(judge):
    scenarios = (sizes_of_random_stacks, jumps_of_random_stacks, starts_of_random_stacks)
    for number, one in enumerate(scenarios):  # one by one, so that a mistake in one is known whatever the others are
        judge(one).expect(partial(by_stack, number=number, field=traced), atol=0)


@exercise("01.receptive_field", points=1)
def test_without_layers_a_unit_is_a_pixel(judge):
    judge(field_of_a_pixel).expect({"layers = []": (1, 1, 0)}, atol=0)


# ---------------------------------------------------------------- a block of branches

WIDTHS = {
    "1x1": (5, 2),
    "3x3_bottleneck": (5, 4),
    "3x3": (4, 3),
    "5x5_bottleneck": (5, 3),
    "5x5": (3, 2),
    "pool_reduce": (5, 4),
}  # channels in, channels out
PARTS = ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool", "pool_reduce")


def mixing(generator):
    """A random matrix for each part: channels in, channels out."""
    return {name: torch.randn(*WIDTHS[name][::-1], generator=generator) for name in WIDTHS}


def block_input(generator):
    return torch.randn(2, 5, 3, 4, generator=generator)


@scenario
def a_block_of_random_parts(student, generator):
    matrices, hidden = mixing(generator), block_input(generator)
    layers = {
        name: lambda x, matrix=matrix: torch.tanh(torch.einsum("oc,bchw->bohw", matrix, x))
        for name, matrix in matrices.items()
    }
    layers["pool"] = lambda x: F.max_pool2d(x, 3, 1, padding=1)
    return student.inception_forward(hidden, layers)


@scenario
def which_part_gets_what(student, generator):
    seen = {}

    def part(name):
        def layer(x):
            seen[name] = x.clone()
            return numbers[name] * x

        return layer

    numbers = dict(zip(PARTS, (1 + torch.rand(len(PARTS), generator=generator)).tolist(), strict=True))
    out = student.inception_forward(torch.ones(1, 1, 1, 1), {name: part(name) for name in PARTS})
    return {"given to each part": [seen[name] for name in PARTS], "output": out}


def largest_around(hidden):
    """The largest of the 3×3 numbers around each position; axes are batch, row, column, channel."""
    height, width = hidden.shape[1:3]
    framed = np.pad(hidden, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    return np.max([framed[:, r : r + height, c : c + width] for r in range(3) for c in range(3)], axis=0)


def numpy_block(generator):
    matrices, hidden = mixing(generator), block_input(generator).numpy().transpose(0, 2, 3, 1)
    out = {name: (lambda x, matrix=matrix: np.tanh(x @ matrix.numpy().T)) for name, matrix in matrices.items()}
    branches = [
        out["1x1"](hidden),
        out["3x3"](out["3x3_bottleneck"](hidden)),
        out["5x5"](out["5x5_bottleneck"](hidden)),
        out["pool_reduce"](largest_around(hidden)),
    ]
    return torch.from_numpy(np.concatenate(branches, axis=3).transpose(0, 3, 1, 2))


def products(generator):
    numbers = dict(zip(PARTS, (1 + torch.rand(len(PARTS), generator=generator)).tolist(), strict=True))
    three, five, pool = numbers["3x3_bottleneck"], numbers["5x5_bottleneck"], numbers["pool"]
    given = [1.0, 1.0, three, 1.0, five, 1.0, pool]
    out = [numbers["1x1"], three * numbers["3x3"], five * numbers["5x5"], pool * numbers["pool_reduce"]]
    return {
        "given to each part": [torch.full((1, 1, 1, 1), one) for one in given],
        "output": torch.tensor(out).view(1, 4, 1, 1),
    }


@exercise("01.inception_forward", points=1)
def test_four_branches_one_after_the_other(judge):
    judge(a_block_of_random_parts).expect(numpy_block, atol=1e-4)


@exercise("01.inception_forward", points=1)
def test_each_part_gets_what_it_should(judge):
    judge(which_part_gets_what).expect(products, atol=1e-5)


# ---------------------------------------------------------------- what it costs


def some_convolutions(generator):
    drawn = torch.randint(1, 30, (4, 2), generator=generator).tolist()
    kernels = (2 + torch.randperm(7, generator=generator)).tolist()
    return [(inputs, outputs, kernel) for (inputs, outputs), kernel in zip(drawn, kernels, strict=False)]


def counts(count, groups):
    """The name of a case is its input."""
    return {f"convolutions = {group}": count(group) for group in groups}


@scenario
def random_convolutions(student, generator):
    convolutions = some_convolutions(generator)
    return counts(student.parameter_count, [convolutions])


@scenario
def single_convolutions(student, generator):
    return counts(student.parameter_count, [[one] for one in some_convolutions(generator)])


@scenario
def no_convolutions(student, generator):
    return counts(student.parameter_count, [[]])


def counted_by_torch(convolutions):
    """The sizes of real layers, on a device that stores nothing."""
    with torch.device("meta"):
        layers = [nn.Conv2d(inputs, outputs, kernel) for inputs, outputs, kernel in convolutions]
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


@exercise("01.parameter_count", points=1)
def test_one_layer_has_as_many_as_torch_has(judge):
    judge(single_convolutions).expect(
        lambda generator: counts(counted_by_torch, [[one] for one in some_convolutions(generator)]), atol=0
    )


@exercise("01.parameter_count", points=1)
def test_layers_add_up_and_none_cost_nothing(judge):
    judge(random_convolutions).expect(
        lambda generator: counts(counted_by_torch, [some_convolutions(generator)]), atol=0
    )
    judge(no_convolutions).expect({"convolutions = []": 0}, atol=0)


# ---------------------------------------------------------------- questions


test_q_threshold = question(
    "01.q_threshold",
    points=1,
    answer="c",
    wrong={
        "a": "All four hills stand at the same direction. What changed is how wide they are.",
        "b": "Scaled curves would all reach 0 at the same directions. These do not: the printed numbers of directions "
        "fall from line to line. Subtracting is not scaling.",
        "d": "It was taken from every direction alike, but only strong answers had that much to give. What is cut off "
        "at 0 makes the difference.",
    },
)

test_q_learned = question(
    "01.q_learned",
    points=1,
    answer="d",
    wrong={
        "a": "He would be right if shuffled patterns fitted as well, or random ones as smooth. They went through the "
        "same comparison, and they did not.",
        "b": "People see edges in noise, too, when they look for them. A number with a control can tell you that you "
        "are mistaken; a look cannot.",
        "c": "It can. Some part of every shuffled pattern is explained, too: a fifth on average, and now and then more "
        "than a third. Only what lies above that counts.",
    },
)

test_q_field = question(
    "01.q_field",
    points=1,
    answer="b",
    wrong={
        "a": "The untrained network has seen no photograph, and its maps look nearly the same. So it was not found in "
        "training.",
        "c": "The field of this unit lies inside the photograph (the squares in the picture), so no padding is in it.",
        "d": "The outer pixels do have an influence, only a small one: nine tenths are not all of it. The formula says "
        "from where anything at all can come.",
    },
)

test_q_all = question(
    "01.q_all",
    points=1,
    answer="c",
    wrong={
        "a": "You know how the number for that class comes about, sum by sum. But nobody asked yet which of those sums "
        "made the difference, or what they stand for.",
        "b": "The untrained network has the same functions in the same order, and it guesses. What it lacks is in the "
        "numbers.",
        "d": "Ten numbers came out the same to about five digits, with your functions alone. There is nothing else.",
    },
)
