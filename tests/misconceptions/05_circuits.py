"""Wrong answers to lesson 05 that students give, each with the sentence that helps."""

import copy
from contextlib import ExitStack, contextmanager
from math import comb

import torch
import torch.nn.functional as F
from scipy.stats import hypergeom
from torch.nn.grad import conv2d_weight

from innervision import edit, record
from innervision.circuits import Connections, edges_of, faithfulness, keep_only, rotate_family
from innervision.circuits.ablation import check_ablation
from innervision.circuits.composition import LinearMap, first_map, joined
from innervision.circuits.edges import padding_of, read_and_gradient
from innervision.circuits.families import inside_circle, turned_between
from innervision.circuits.linear import linear_steps
from innervision.circuits.subnetworks import nothing_and_whole
from innervision.classroom.exercises import misconception

# ---------------------------------------------------------------- effective_kernel


def _spread(second, stride):
    """The second kernel with its numbers ``stride`` places apart."""
    rows, columns = second.shape[2:]
    wide = second.new_zeros(*second.shape[:2], stride * (rows - 1) + 1, stride * (columns - 1) + 1)
    wide[:, :, ::stride, ::stride] = second
    return wide


SLID = (
    "One kernel was slid over the other as `F.conv2d` does it. Sliding compares; laying copies of the first kernel at "
    "the places of the second is what is asked. Flip the kernel that slides, or take `F.conv_transpose2d` without a "
    "flip."
)


@misconception("05.effective_kernel", SLID)
def slides_the_first_over_the_second(first, second, stride=1):
    padding = (first.shape[2] - 1, first.shape[3] - 1)
    return F.conv2d(_spread(second, stride), first.transpose(0, 1), padding=padding)


@misconception("05.effective_kernel", SLID)
def slides_the_second_over_the_first(first, second, stride=1):
    wide = _spread(second, stride)
    padding = (wide.shape[2] - 1, wide.shape[3] - 1)
    return F.conv2d(first.transpose(0, 1), wide, padding=padding).transpose(0, 1)


@misconception(
    "05.effective_kernel",
    "The result is upside down and mirrored. Each number of the second kernel lays a copy of the first at its own "
    "place, the way round as it is: `F.conv_transpose2d` needs no flip before or after it.",
)
def flips_the_result(first, second, stride=1):
    return F.conv_transpose2d(second, first, stride=stride).flip(2, 3)


@misconception(
    "05.effective_kernel",
    "Outputs and inputs are exchanged. Kernels are (outputs, inputs, rows, columns): the outputs are the second "
    "convolution's, the inputs the first's.",
)
def exchanges_outputs_and_inputs(first, second, stride=1):
    return F.conv_transpose2d(second, first, stride=stride).transpose(0, 1)


@misconception(
    "05.effective_kernel",
    "The two kernels changed places in `F.conv_transpose2d`. Its input is the second kernel, whose middle channels "
    "are read by the first: `F.conv_transpose2d(second, first, …)`.",
)
def exchanges_the_kernels(first, second, stride=1):
    return F.conv_transpose2d(first, second, stride=stride)


@misconception(
    "05.effective_kernel",
    "The stride of the first convolution was not used. Neighbours in the second kernel read places that lie `stride` "
    "apart in the image: hand `stride` on.",
)
def forgets_the_stride(first, second, stride=1):
    return F.conv_transpose2d(second, first)


@misconception(
    "05.effective_kernel",
    "The first kernel was spread by the stride. Its own numbers lie side by side in the image; it is the copies, one "
    "for each number of the second kernel, that lie `stride` apart.",
)
def spreads_the_first_kernel(first, second, stride=1):
    return F.conv_transpose2d(second, first, dilation=stride)


@misconception(
    "05.effective_kernel",
    "The border of the kernel is cut off. Two convolutions see further than either: rows + stride · (more_rows - 1). "
    "No padding takes anything away here.",
)
def cuts_the_border_off(first, second, stride=1):
    padding = (first.shape[2] // 2, first.shape[3] // 2)
    return F.conv_transpose2d(second, first, stride=stride, padding=padding)


@misconception(
    "05.effective_kernel",
    "The kernels were multiplied place by place. Every place of the second meets every place of the first; the copies "
    "overlap and add up.",
)
def multiplies_place_by_place(first, second, stride=1):
    return torch.einsum("omrc,mirc->oirc", second, first)


# ---------------------------------------------------------------- expanded_weights


def _walk(steps, *, then=None, join=joined, over=True):
    """Right, except for what is handed in."""
    then = then or (lambda before, step: before.then(step))
    maps = [first_map(steps)]
    for step in steps:
        before = [maps[number] for number in step.sources]
        maps.append(join(before, step.channels) if step.kernel is None else then(before[0], step))
    return maps[-1].over(steps[0].channels[0]).kernel if over else maps[-1].kernel


@misconception(
    "05.expanded_weights",
    "Each step was put behind the one before it. With branches that is another network: a step reads the activations "
    "in `step.sources`, which may lie further back.",
)
def follows_a_single_file(model, from_layer, to_layer, images=None):
    steps = linear_steps(model, from_layer, to_layer, images)
    maps = [first_map(steps)]
    for step in steps:
        before = [maps[number] for number in step.sources]
        maps.append(joined(before, step.channels) if step.kernel is None else maps[-1].then(step))
    return maps[-1].over(steps[0].channels[0]).kernel


@misconception(
    "05.expanded_weights",
    "The numbers in `step.sources` were taken as 1 too large. Activation 0 is the layer itself, the first of your "
    "maps: `maps[number]`, without a minus.",
)
def counts_activations_from_1(model, from_layer, to_layer, images=None):
    steps = linear_steps(model, from_layer, to_layer, images)
    maps = [first_map(steps)]
    for step in steps:
        joins = step.kernel is None
        before = [maps[number - joins] for number in step.sources]
        maps.append(joined(before, step.channels) if joins else before[0].then(step))
    return maps[-1].over(steps[0].channels[0]).kernel


@misconception(
    "05.expanded_weights",
    "Only the last convolution's own kernel came back. It reads the layer right before it; to reach `from_layer`, all "
    "steps between the two have to be multiplied out.",
)
def shows_the_last_kernel(model, from_layer, to_layer, images=None):
    steps = linear_steps(model, from_layer, to_layer, images)
    return [step.kernel for step in steps if step.kernel is not None][-1]


@misconception(
    "05.expanded_weights",
    "Poolings were left out. They are linear steps like the others here, with a kernel that averages: `then` puts them "
    "in.",
)
def leaves_poolings_out(model, from_layer, to_layer, images=None):
    def then(before, step):
        return before if step.kernel.shape[:2] == (1, 1) and step.kernel.numel() > 1 else before.then(step)

    return _walk(linear_steps(model, from_layer, to_layer, images), then=then)


@misconception(
    "05.expanded_weights",
    "Strides were not used: behind a stride of 2, neighbours read places that lie 2 apart in the earlier layer. "
    "`map.then(step)` keeps count of them.",
)
def forgets_strides(model, from_layer, to_layer, images=None):
    def then(before, step):
        after = before.then(step)
        return LinearMap(after.kernel, 1, after.start)

    return _walk(linear_steps(model, from_layer, to_layer, images), then=then)


@misconception(
    "05.expanded_weights",
    "The branches were put into the frame without their start, all at its corner. A 1 × 1 beside a 3 × 3 reads the "
    "middle of it: `joined` places each kernel by `start`, which `then` keeps.",
)
def forgets_where_kernels_start(model, from_layer, to_layer, images=None):
    def then(before, step):
        after = before.then(step)
        return LinearMap(after.kernel, after.stride)

    return _walk(linear_steps(model, from_layer, to_layer, images), then=then)


@misconception(
    "05.expanded_weights",
    "Behind poolings alone every channel reads only itself, and one small kernel stands for all of them. Asked is a "
    "kernel for each pair of channels: `.over(channels)`, with the channels of the first layer.",
)
def leaves_pairs_of_channels_out(model, from_layer, to_layer, images=None):
    return _walk(linear_steps(model, from_layer, to_layer, images), over=False)


@misconception(
    "05.expanded_weights",
    "`images` was not handed on to `linear_steps`, so a network without a convolution cannot be followed.",
)
def forgets_the_images(model, from_layer, to_layer, images=None):
    return _walk(linear_steps(model, from_layer, to_layer))


@misconception(
    "05.expanded_weights",
    "Sizes of weights were multiplied out. With the signs lost, nothing can inhibit any more, and what would cancel "
    "adds up. Leave `abs` out.",
)
def multiplies_sizes(model, from_layer, to_layer, images=None):
    steps = linear_steps(model, from_layer, to_layer, images)
    maps = [first_map(steps)]
    for step in steps:
        before = [maps[number] for number in step.sources]
        after = joined(before, step.channels) if step.kernel is None else before[0].then(step)
        maps.append(LinearMap(after.kernel.abs(), after.stride, after.start))
    return maps[-1].over(steps[0].channels[0]).kernel


@misconception(
    "05.expanded_weights",
    "Weights below 0 were cut off on the way, as a rectifier would cut off activations. Rectifiers are skipped: "
    "multiply the weights out as they are.",
)
def rectifies_the_weights(model, from_layer, to_layer, images=None):
    steps = linear_steps(model, from_layer, to_layer, images)
    maps = [first_map(steps)]
    for step in steps:
        before = [maps[number] for number in step.sources]
        after = joined(before, step.channels) if step.kernel is None else before[0].then(step)
        maps.append(LinearMap(after.kernel.relu(), after.stride, after.start))
    return maps[-1].over(steps[0].channels[0]).kernel


# ---------------------------------------------------------------- top_connections


def _connections(weights, unit, count, strength, *, kernel=lambda sign, kernels: kernels):
    """Both lists, by a measure of strength."""
    kernels, found = weights[unit], []
    for sign in (1, -1):
        strengths, channels = strength(sign, kernels).topk(count)
        found.append(Connections(channels, strengths, kernel(sign, kernels)[channels]))
    return found[0], found[1]


def _strength(sign, kernels):
    return (sign * kernels).clamp(min=0).flatten(1).norm(dim=1)


@misconception(
    "05.top_connections",
    "The whole kernel was measured, whatever the signs of its weights, so both lists are the same. Excitatory counts "
    "only the weights above 0, inhibitory only those below: clamp first.",
)
def ignores_the_signs(weights, unit, count=5):
    return _connections(weights, unit, count, lambda sign, kernels: kernels.flatten(1).norm(dim=1))


@misconception(
    "05.top_connections",
    "The weights of each kernel were added up with their signs, so a channel that excites in one place and inhibits in "
    "another cancels out. Count each sign by itself: clamp before you measure.",
)
def adds_both_signs_up(weights, unit, count=5):
    return _connections(weights, unit, count, lambda sign, kernels: (sign * kernels).flatten(1).sum(dim=1))


@misconception(
    "05.top_connections",
    "The weights were added up. A strength is the root of the sum of their squares, `.norm(dim=1)`: one strong place "
    "counts for more than many weak ones.",
)
def adds_weights_up(weights, unit, count=5):
    return _connections(weights, unit, count, lambda sign, kernels: (sign * kernels).clamp(min=0).flatten(1).sum(dim=1))


@misconception(
    "05.top_connections",
    "The squares were added up and the root was left out. A strength is as large as a weight: take the root.",
)
def leaves_the_root_out(weights, unit, count=5):
    return _connections(weights, unit, count, lambda sign, kernels: _strength(sign, kernels).square())


@misconception(
    "05.top_connections",
    "Only the largest weight of each kernel was looked at. The other places count, too: root of the sum of squares.",
)
def takes_the_largest_weight(weights, unit, count=5):
    return _connections(
        weights, unit, count, lambda sign, kernels: (sign * kernels).clamp(min=0).flatten(1).amax(dim=1)
    )


@misconception(
    "05.top_connections",
    "The kernels that came back lack the weights of the other sign. Clamp only to measure, and give back whole "
    "kernels: `kernels[channels]`.",
)
def gives_clamped_kernels_back(weights, unit, count=5):
    return _connections(
        weights, unit, count, _strength, kernel=lambda sign, kernels: sign * (sign * kernels).clamp(min=0)
    )


@misconception(
    "05.top_connections",
    "The kernels of the inhibitory list are turned round: their signs were changed. Change signs only to measure, and "
    "give back the kernels as they are.",
)
def turns_inhibitory_kernels_round(weights, unit, count=5):
    return _connections(weights, unit, count, _strength, kernel=lambda sign, kernels: sign * kernels)


@misconception(
    "05.top_connections",
    "`weights[:, unit]` are the kernels through which others read this channel. Asked is what the unit itself reads: "
    "outputs are axis 0, so `weights[unit]`.",
)
def looks_the_other_way(weights, unit, count=5):
    kernels, found = weights[:, unit], []
    for sign in (1, -1):
        strengths, channels = _strength(sign, kernels).topk(min(count, len(kernels)))
        found.append(Connections(channels, strengths, kernels[channels]))
    return found[0], found[1]


@misconception(
    "05.top_connections",
    "The two lists are exchanged: excitatory, by the weights above 0, comes first.",
)
def gives_inhibitory_first(weights, unit, count=5):
    excitatory, inhibitory = _connections(weights, unit, count, _strength)
    return inhibitory, excitatory


@misconception(
    "05.top_connections",
    "The weakest come first. Strongest first is asked: `topk`, or `argsort(descending=True)`.",
)
def sorts_upwards(weights, unit, count=5):
    kernels, found = weights[unit], []
    for sign in (1, -1):
        strengths = _strength(sign, kernels)
        channels = strengths.argsort()[:count]
        found.append(Connections(channels, strengths[channels], kernels[channels]))
    return found[0], found[1]


@misconception(
    "05.top_connections",
    "The right channels are there, but the weakest of them comes first: sort downwards.",
)
def turns_the_list_round(weights, unit, count=5):
    both = _connections(weights, unit, count, _strength)
    return tuple(Connections(one.channels.flip(0), one.strengths.flip(0), one.kernels.flip(0)) for one in both)


@misconception(
    "05.top_connections",
    "Strengths of the inhibitory list are below 0 here. A strength is a length, never below 0; that it inhibits is "
    "said by the list that it is in.",
)
def makes_inhibition_negative(weights, unit, count=5):
    excitatory, inhibitory = _connections(weights, unit, count, _strength)
    return excitatory, Connections(inhibitory.channels, -inhibitory.strengths, inhibitory.kernels)


# ---------------------------------------------------------------- rotate_family


def _turned(weights, angle, between=turned_between):
    quarters, rest = divmod(angle, 90)
    turned = torch.rot90(weights, int(quarters), dims=(2, 3))
    return between(turned, rest) if rest else turned


@misconception(
    "05.rotate_family",
    "The kernels were turned clockwise. Angles count anticlockwise, as on paper, and so does `torch.rot90` with "
    "dims=(2, 3).",
)
def turns_clockwise(weights, angle, unit_shift=1, input_shift=1):
    return _turned(weights, -angle).roll((unit_shift, input_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "The kernels were turned and nobody moved on. What a unit becomes when it is turned belongs to the next of its "
    "family: roll units and inputs, axes 0 and 1.",
)
def lets_nobody_move_on(weights, angle, unit_shift=1, input_shift=1):
    return _turned(weights, angle)


@misconception(
    "05.rotate_family",
    "The units moved on and the inputs did not. Turned, an input becomes the next of its own family: roll axis 1 by "
    "`input_shift`, too.",
)
def forgets_to_move_the_inputs(weights, angle, unit_shift=1, input_shift=1):
    return _turned(weights, angle).roll(unit_shift, dims=0)


@misconception(
    "05.rotate_family",
    "The inputs moved on and the units did not: roll axis 0 by `unit_shift`, too.",
)
def forgets_to_move_the_units(weights, angle, unit_shift=1, input_shift=1):
    return _turned(weights, angle).roll(input_shift, dims=1)


@misconception(
    "05.rotate_family",
    "Everybody moved back instead of on: `roll` by `unit_shift` and `input_shift` as they are, without a minus.",
)
def moves_everybody_back(weights, angle, unit_shift=1, input_shift=1):
    return _turned(weights, angle).roll((-unit_shift, -input_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "The shifts are exchanged: axis 0 holds the units and moves by `unit_shift`, axis 1 the inputs by `input_shift`.",
)
def exchanges_the_shifts(weights, angle, unit_shift=1, input_shift=1):
    return _turned(weights, angle).roll((input_shift, unit_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "Units and inputs both moved by `unit_shift`. The inputs are a family of their own, with a shift of their own: "
    "roll axis 1 by `input_shift`.",
)
def moves_the_inputs_like_the_units(weights, angle, unit_shift=1, input_shift=1):
    return _turned(weights, angle).roll((unit_shift, unit_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "Rows and columns of the kernels were rolled. Those who move on are the units and the inputs: axes 0 and 1.",
)
def rolls_rows_and_columns(weights, angle, unit_shift=1, input_shift=1):
    return _turned(weights, angle).roll((unit_shift, input_shift), dims=(2, 3))


@misconception(
    "05.rotate_family",
    "`torch.rot90` turns axes 0 and 1 unless told otherwise: those are units and inputs. Turn rows and columns, "
    "dims=(2, 3).",
)
def turns_units_and_inputs(weights, angle, unit_shift=1, input_shift=1):
    quarters, rest = divmod(angle, 90)
    turned = torch.rot90(weights, int(quarters))
    turned = turned_between(turned, rest) if rest else turned
    return turned.roll((unit_shift, input_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "Of an angle with a fraction, `divmod` gives the quarters as 1.0, and `torch.rot90` takes whole numbers only: "
    "`int(quarters)`.",
)
def hands_a_fraction_to_rot90(weights, angle, unit_shift=1, input_shift=1):
    quarters, rest = divmod(angle, 90)
    turned = torch.rot90(weights, quarters, dims=(2, 3))
    turned = turned_between(turned, rest) if rest else turned
    return turned.roll((unit_shift, input_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "Only whole quarters were turned, and the rest of the angle was dropped. `turned_between` turns by the rest.",
)
def drops_the_rest(weights, angle, unit_shift=1, input_shift=1):
    return torch.rot90(weights, int(angle // 90), dims=(2, 3)).roll((unit_shift, input_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "Only the rest of the angle was turned, and whole quarters were dropped: `torch.rot90` by the number of quarters, "
    "then `turned_between` by the rest.",
)
def drops_the_quarters(weights, angle, unit_shift=1, input_shift=1):
    rest = angle % 90
    turned = turned_between(weights, rest) if rest else weights
    return turned.roll((unit_shift, input_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "`turned_between` got the whole angle after the quarters had been turned already. It needs the rest only.",
)
def turns_quarters_twice(weights, angle, unit_shift=1, input_shift=1):
    turned = torch.rot90(weights, int(angle // 90), dims=(2, 3))
    turned = turned_between(turned, angle) if angle % 90 else turned
    return turned.roll((unit_shift, input_shift), dims=(0, 1))


@misconception(
    "05.rotate_family",
    "Each place took the value of its nearest neighbour. Between places values are to be interpolated, as "
    "`turned_between` does it.",
)
def takes_the_nearest_neighbour(weights, angle, unit_shift=1, input_shift=1):
    def between(kernels, rest):
        side = kernels.shape[-1]
        places = torch.cartesian_prod(torch.arange(side), torch.arange(side)) - (side - 1) / 2
        radians = torch.deg2rad(torch.tensor(float(rest)))
        cosine, sine = radians.cos(), radians.sin()
        back = torch.stack([torch.stack([cosine, sine]), torch.stack([-sine, cosine])])
        row, column = (places @ back.T + (side - 1) / 2).round().long().unbind(dim=1)
        inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
        taken = kernels[:, :, row.clamp(0, side - 1), column.clamp(0, side - 1)] * inside
        return taken.view_as(kernels)

    return _turned(weights, angle, between).roll((unit_shift, input_shift), dims=(0, 1))


# ---------------------------------------------------------------- equivariance_score


def _cosine(weights, turned, dim=0):
    return float(F.cosine_similarity(weights.flatten(), turned.flatten(), dim=dim))


@misconception(
    "05.equivariance_score",
    "Corners were counted. When a kernel is turned they leave it and zeros come in, so even perfect copies would not "
    "score 1: multiply both by `inside_circle(side)`.",
)
def counts_corners(weights, angle, unit_shift=1, input_shift=1):
    return _cosine(weights, rotate_family(weights, angle, unit_shift, input_shift))


@misconception(
    "05.equivariance_score",
    "The corners were taken out of one side only. The other side's corners still make it longer, so the cosine falls: "
    "multiply both by `inside`.",
)
def takes_corners_out_of_one(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    return _cosine(weights * inside, rotate_family(weights, angle, unit_shift, input_shift))


@misconception(
    "05.equivariance_score",
    "Corners were taken out before turning only. Where corners should not count, they must not count on either side: "
    "multiply the turned weights by `inside`, and not what you turn.",
)
def takes_corners_out_before_turning(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    return _cosine(weights, rotate_family(weights * inside, angle, unit_shift, input_shift))


@misconception(
    "05.equivariance_score",
    "A cosine was taken for each kernel, and these were averaged. Then a weak kernel counts as much as a strong one; "
    "asked is one cosine of all weights together.",
)
def averages_cosines_of_kernels(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    turned = rotate_family(weights, angle, unit_shift, input_shift) * inside
    return float(F.cosine_similarity((weights * inside).flatten(2), turned.flatten(2), dim=2).mean())


@misconception(
    "05.equivariance_score",
    "A cosine was taken for each unit, and these were averaged. Then a weak unit counts as much as a strong one; asked "
    "is one cosine of all weights together.",
)
def averages_cosines_of_units(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    turned = rotate_family(weights, angle, unit_shift, input_shift) * inside
    return float(F.cosine_similarity((weights * inside).flatten(1), turned.flatten(1), dim=1).mean())


@misconception(
    "05.equivariance_score",
    "The means were subtracted first: that is a correlation. The cosine takes the weights as they are.",
)
def subtracts_the_mean(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    turned = rotate_family(weights, angle, unit_shift, input_shift)
    one, other = weights[:, :, inside].flatten(), turned[:, :, inside].flatten()
    return _cosine(one - one.mean(), other - other.mean())


@misconception(
    "05.equivariance_score",
    "This is the dot product: it grows with the weights. Divide by both lengths, or take `F.cosine_similarity`.",
)
def forgets_the_lengths(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    return float((weights * rotate_family(weights, angle, unit_shift, input_shift) * inside).sum())


@misconception(
    "05.equivariance_score",
    "`unit_shift` and `input_shift` were not handed on to `rotate_family`, so everybody moves on by 1 whatever is "
    "asked.",
)
def forgets_the_shifts(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    return _cosine(weights * inside, rotate_family(weights, angle) * inside)


@misconception(
    "05.equivariance_score",
    "The family was turned the other way round (angle with a minus), but moved on as before. Hand the angle on as it "
    "is.",
)
def turns_the_other_way(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    return _cosine(weights * inside, rotate_family(weights, -angle, unit_shift, input_shift) * inside)


@misconception(
    "05.equivariance_score",
    "This is how far the two are from being alike: 1 minus the cosine. Asked is the cosine.",
)
def says_how_unlike(weights, angle, unit_shift=1, input_shift=1):
    inside = inside_circle(weights.shape[-1])
    return 1 - _cosine(weights * inside, rotate_family(weights, angle, unit_shift, input_shift) * inside)


# ---------------------------------------------------------------- ablate


def _ablated(value, channels, *, axis=1):
    """``value(activation)`` gives what is put in; it has the activation's shape."""

    def changed(activation):
        copied = activation.clone()
        where = (slice(None),) * axis + (list(channels),)
        copied[where] = value(activation)[where]
        return copied

    return changed


def _right_value(how, data, generator):
    def value(activation):
        if how == "zero" or data is None:
            return torch.zeros_like(activation)
        if how == "mean":
            return data.mean(dim=0).expand_as(activation)
        return data[torch.randint(len(data), (len(activation),), generator=generator)]

    return value


def _ablation(how, data, generator, **values):
    """Right values, except for those handed in."""
    check_ablation(how, data, generator)
    return values.get(how) or _right_value(how, data, generator)


@misconception(
    "05.ablate",
    "The activation that was handed in is changed itself. It may be somebody's record, and later steps may read it: "
    "`clone()` it, and change the copy.",
)
def changes_in_place(channels, how="zero", *, data=None, generator=None):
    value = _ablation(how, data, generator)

    def changed(activation):
        activation[:, list(channels)] = value(activation)[:, list(channels)]
        return activation

    return changed


@misconception(
    "05.ablate",
    "Images of the batch were taken out, not channels. Axis 0 is the batch; channels are axis 1.",
)
def takes_images_out(channels, how="zero", *, data=None, generator=None):
    return _ablated(_ablation(how, data, generator), channels, axis=0)


@misconception(
    "05.ablate",
    "Positions were taken out, not channels: axes 2 and 3 are rows and columns, channels are axis 1.",
)
def takes_positions_out(channels, how="zero", *, data=None, generator=None):
    value = _ablation(how, data, generator)

    def changed(activation):
        copied, put_in = activation.flatten(2).clone(), value(activation).flatten(2)
        copied[:, :, list(channels)] = put_in[:, :, list(channels)]
        return copied.view_as(activation)

    return changed


@misconception(
    "05.ablate",
    "All channels but the named ones were taken out. Ablation asks what happens without these: they go, the others "
    "stay.",
)
def keeps_only_the_named(channels, how="zero", *, data=None, generator=None):
    value = _ablation(how, data, generator)

    def changed(activation):
        others = [channel for channel in range(activation.shape[1]) if channel not in channels]
        return _ablated(value, others)(activation)

    return changed


@misconception(
    "05.ablate",
    "`how` is not looked at: channels fall silent where their mean, or another image's channels, are asked for.",
)
def always_silences(channels, how="zero", *, data=None, generator=None):
    return _ablated(torch.zeros_like, channels)


@misconception(
    "05.ablate",
    "The mean was taken over the positions, too, one number for each channel. Asked is what the channel does at each "
    "position on average: mean over axis 0 of the data only.",
)
def averages_over_positions(channels, how="zero", *, data=None, generator=None):
    means = {"mean": lambda activation: data.mean(dim=(0, 2, 3), keepdim=True).expand_as(activation)}
    return _ablated(_ablation(how, data, generator, **means), channels)


@misconception(
    "05.ablate",
    "The mean was taken over the positions of each image of the data, and the images are still there. Average over "
    "the images, axis 0, and keep the positions.",
)
def averages_over_axis_1(channels, how="zero", *, data=None, generator=None):
    means = {"mean": lambda activation: data.mean(dim=(0, 1)).expand_as(activation)}
    return _ablated(_ablation(how, data, generator, **means), channels)


@misconception(
    "05.ablate",
    "This is the mean over the very batch that is changed. `data` says what the channel does on other images: take "
    "the mean over `data`.",
)
def averages_the_batch_itself(channels, how="zero", *, data=None, generator=None):
    means = {"mean": lambda activation: activation.mean(dim=0).expand_as(activation)}
    return _ablated(_ablation(how, data, generator, **means), channels)


@misconception(
    "05.ablate",
    "All images of the batch got the channels of one and the same image of the data. Draw one for each: "
    "`torch.randint(len(data), (len(activation),), generator=generator)`.",
)
def draws_one_image_for_all(channels, how="zero", *, data=None, generator=None):
    def drawn(activation):
        return data[torch.randint(len(data), (1,), generator=generator)].expand_as(activation)

    return _ablated(_ablation(how, data, generator, resample=drawn), channels)


@misconception(
    "05.ablate",
    "Each channel was drawn by itself, from another image of the data. The channels of an image go together: draw one "
    "image for each image of the batch, and take all named channels from it.",
)
def draws_each_channel_by_itself(channels, how="zero", *, data=None, generator=None):
    def drawn(activation):
        images, count = activation.shape[:2]
        chosen = torch.randint(len(data), (images, count), generator=generator)
        return data[chosen, torch.arange(count)]

    return _ablated(_ablation(how, data, generator, resample=drawn), channels)


@misconception(
    "05.ablate",
    "The images of the batch exchanged their channels among each other. What is put in comes from `data`.",
)
def shuffles_the_batch(channels, how="zero", *, data=None, generator=None):
    def drawn(activation):
        return activation[torch.randint(len(activation), (len(activation),), generator=generator)]

    return _ablated(_ablation(how, data, generator, resample=drawn), channels)


@misconception(
    "05.ablate",
    "The images of the data were taken in their order, not drawn: image 0 always meets image 0. Draw them with "
    "`torch.randint` and the generator.",
)
def takes_the_data_in_order(channels, how="zero", *, data=None, generator=None):
    def drawn(activation):
        return data[torch.arange(len(activation)) % len(data)]

    return _ablated(_ablation(how, data, generator, resample=drawn), channels)


@misconception(
    "05.ablate",
    "The images were drawn without the generator, so nobody can repeat it: hand `generator=generator` to "
    "`torch.randint`.",
)
def draws_without_the_generator(channels, how="zero", *, data=None, generator=None):
    def drawn(activation):
        return data[torch.randint(len(data), (len(activation),))]

    return _ablated(_ablation(how, data, generator, resample=drawn), channels)


# ---------------------------------------------------------------- total_effect


def _later(model, images, of, edits=None):
    with torch.no_grad():
        return record(model, images, of, edits=edits)[of]


@misconception(
    "05.total_effect",
    "The sign is turned: this is the activation without the change minus the one with it. What falls when the layer "
    "is changed has an effect below 0.",
)
def turns_the_total_round(model, images, layer, change, of):
    return _later(model, images, of) - _later(model, images, of, {layer: change})


@misconception(
    "05.total_effect",
    "Two dictionaries were subtracted. `record` returns one, from a layer's name to its activation: take `[of]` of "
    "each first.",
)
def subtracts_dictionaries(model, images, layer, change, of):
    with torch.no_grad():
        return record(model, images, of, edits={layer: change}) - record(model, images, of)


@misconception(
    "05.total_effect",
    "This is the later activation with the change. How much it *changed* is that minus what it is without.",
)
def forgets_to_subtract(model, images, layer, change, of):
    return _later(model, images, of, {layer: change})


@misconception(
    "05.total_effect",
    "The change was made in the later layer itself, so nothing between the two was asked. It belongs to `layer`: "
    "`edits={layer: change}`.",
)
def changes_the_later_layer(model, images, layer, change, of):
    return _later(model, images, of, {of: change}) - _later(model, images, of)


@misconception(
    "05.total_effect",
    "The images were changed, not the layer: `change` takes the layer's activation. Hand it on as `edits={layer: "
    "change}`.",
)
def changes_the_images(model, images, layer, change, of):
    return _later(model, change(images), of) - _later(model, images, of)


@misconception(
    "05.total_effect",
    "Both runs were made with the change, so their difference is 0. The run to compare with goes without it.",
)
def changes_both_runs(model, images, layer, change, of):
    with edit(model, {layer: change}):
        return _later(model, images, of) - _later(model, images, of)


@misconception(
    "05.total_effect",
    "This is the effect as a share of the activation. Asked is the difference itself.",
)
def divides_by_the_activation(model, images, layer, change, of):
    usual = _later(model, images, of)
    return (_later(model, images, of, {layer: change}) - usual) / usual


@misconception(
    "05.total_effect",
    "The images were averaged. Each image has an effect of its own, and so has each position: keep all axes.",
)
def averages_the_effect(model, images, layer, change, of):
    return (_later(model, images, of, {layer: change}) - _later(model, images, of)).mean(dim=0)


@misconception(
    "05.total_effect",
    "The signs are lost: an effect can raise or lower. Leave `abs` out.",
)
def takes_the_size_of_the_effect(model, images, layer, change, of):
    return (_later(model, images, of, {layer: change}) - _later(model, images, of)).abs()


@misconception(
    "05.total_effect",
    "A hook stayed on the network: from now on every run is changed. Take it off again, or leave hooks to `record` "
    "and its `edits`.",
)
def leaves_a_hook_behind(model, images, layer, change, of):
    usual = _later(model, images, of)
    model.get_submodule(layer).register_forward_hook(lambda module, given, output: change(output))
    return _later(model, images, of) - usual


# ---------------------------------------------------------------- direct_effect


def _held(kept):
    return {name: lambda _, value=value: value for name, value in kept.items()}


NOT_HELD = (
    "This is the total effect: the layers in `through` were not held, or were held at what they are *with* the change. "
    "Record them in a run without the change, and hold them at that."
)


@misconception("05.direct_effect", NOT_HELD)
def holds_nothing(model, images, layer, change, of, through):
    return _later(model, images, of, {layer: change}) - _later(model, images, of)


@misconception(
    "05.direct_effect",
    "This is what goes through the held layers: they carry the change and `layer` does not. Turn it round: change "
    "`layer`, and hold the others at what they are without.",
)
def lets_only_the_held_carry_it(model, images, layer, change, of, through):
    with torch.no_grad():
        changed = record(model, images, list(through), edits={layer: change})
    return _later(model, images, of, _held(changed)) - _later(model, images, of)


@misconception(
    "05.direct_effect",
    "This is the total effect minus what comes past the held layers. Asked is what comes past them.",
)
def subtracts_the_direct_from_the_total(model, images, layer, change, of, through):
    with torch.no_grad():
        usual = record(model, images, list(through))
    total = _later(model, images, of, {layer: change})
    return total - _later(model, images, of, {layer: change, **_held(usual)})


@misconception(
    "05.direct_effect",
    "Total minus indirect is the direct effect only where everything adds up. In a network with bends it is not: hold "
    "the layers, and measure.",
)
def subtracts_the_indirect_from_the_total(model, images, layer, change, of, through):
    with torch.no_grad():
        changed = record(model, images, list(through), edits={layer: change})
    indirect = _later(model, images, of, _held(changed)) - _later(model, images, of)
    return _later(model, images, of, {layer: change}) - _later(model, images, of) - indirect


@misconception("05.direct_effect", NOT_HELD)
def holds_at_the_changed(model, images, layer, change, of, through):
    with torch.no_grad():
        changed = record(model, images, list(through), edits={layer: change})
    return _later(model, images, of, {layer: change, **_held(changed)}) - _later(model, images, of)


@misconception(
    "05.direct_effect",
    "The layers were silenced, not held. Silence is a change of its own; hold each at what it is without the change.",
)
def silences_what_should_be_held(model, images, layer, change, of, through):
    silent = dict.fromkeys(through, torch.zeros_like)
    return _later(model, images, of, {layer: change, **silent}) - _later(model, images, of)


@misconception(
    "05.direct_effect",
    "Every held layer got the activation of the last one: a `lambda` in a loop looks its variable up when it is "
    "called, and by then the loop is over. Write `lambda _, kept=before[name]: kept`.",
)
def looks_the_kept_up_too_late(model, images, layer, change, of, through):
    with torch.no_grad():
        before, held = record(model, images, [of, *through]), {}
        for name in through:
            kept = before[name]
            held[name] = lambda _: kept  # noqa: B023  (the mistake itself)
    return _later(model, images, of, {layer: change, **held}) - before[of]


@misconception(
    "05.direct_effect",
    "Only the first of the layers in `through` was held. Hold all of them.",
)
def holds_the_first_only(model, images, layer, change, of, through):
    with torch.no_grad():
        before = record(model, images, list(through[:1]))
    return _later(model, images, of, {layer: change, **_held(before)}) - _later(model, images, of)


@misconception(
    "05.direct_effect",
    "The sign is turned: with the change minus without it.",
)
def turns_the_direct_round(model, images, layer, change, of, through):
    with torch.no_grad():
        before = record(model, images, [of, *through])
    kept = {name: before[name] for name in through}
    return before[of] - _later(model, images, of, {layer: change, **_held(kept)})


@misconception(
    "05.direct_effect",
    "`layer` was held, too, so the change never happens and every effect is 0. Hold only what is in `through`.",
)
def holds_the_changed_layer(model, images, layer, change, of, through):
    with torch.no_grad():
        before = record(model, images, [layer, *through])
    return _later(model, images, of, {**{layer: change}, **_held(before)}) - _later(model, images, of)


# ---------------------------------------------------------------- edge_attribution


def _edges(model, images, convolution, target, other, *, signed=1, use_other=True, of_other=False):
    """Weight times slope for each place of each kernel, for the sum over images; right, except for what is said."""
    layer, read, gradient = read_and_gradient(model, images, convolution, target)
    if other is not None and use_other:
        _, elsewhere, there = read_and_gradient(model, other, convolution, target)
        read, gradient = signed * (read - elsewhere), there if of_other else gradient
    weight = layer.weight.detach()
    slopes = conv2d_weight(read, weight.shape, gradient, layer.stride, padding_of(layer))
    return slopes, weight


@misconception(
    "05.edge_attribution",
    "`read_and_gradient` returns three things: the convolution itself, what it reads, and the gradient of what it puts "
    "out. Take all three.",
)
def takes_two_of_three(model, images, convolution, target, other=None):
    read, gradient = read_and_gradient(model, images, convolution, target)
    layer = model.get_submodule(convolution)
    slopes = conv2d_weight(read, layer.weight.shape, gradient, layer.stride, padding_of(layer))
    return (slopes * layer.weight.detach()).sum(dim=(2, 3)) / len(images)


@misconception(
    "05.edge_attribution",
    "The images were added up. Asked is the mean: divide by their number, or the result grows with the batch.",
)
def adds_images_up(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other)
    return (slopes * weight).sum(dim=(2, 3))


@misconception(
    "05.edge_attribution",
    "The slopes were not multiplied by the weights: that says how much the output would change with a weight. What "
    "comes along the edge is slope times weight.",
)
def forgets_the_weights(model, images, convolution, target, other=None):
    slopes, _ = _edges(model, images, convolution, target, other)
    return slopes.sum(dim=(2, 3)) / len(images)


@misconception(
    "05.edge_attribution",
    "The sums over a kernel's places were taken before slopes and weights were multiplied. Each weight has its own "
    "slope: multiply first.",
)
def sums_before_it_multiplies(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other)
    return slopes.sum(dim=(2, 3)) * weight.sum(dim=(2, 3)) / len(images)


@misconception(
    "05.edge_attribution",
    "The mean over a kernel's places was taken. What comes along an edge is the sum of what comes from each of them.",
)
def averages_the_places(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other)
    return (slopes * weight).mean(dim=(2, 3)) / len(images)


@misconception(
    "05.edge_attribution",
    "Rows and columns are exchanged: row, the channel that an edge leads to; column, where it comes from. That is the "
    "order of the weights themselves.",
)
def exchanges_ends_of_edges(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other)
    return (slopes * weight).sum(dim=(2, 3)).T / len(images)


@misconception(
    "05.edge_attribution",
    "`other` was not looked at: this compares with silence. What counts is what the convolution reads here minus what "
    "it reads there.",
)
def compares_with_silence(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other, use_other=False)
    return (slopes * weight).sum(dim=(2, 3)) / len(images)


@misconception(
    "05.edge_attribution",
    "The difference is turned round: what it reads on `images` minus what it reads on `other`.",
)
def turns_the_difference_round(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other, signed=-1)
    return (slopes * weight).sum(dim=(2, 3)) / len(images)


@misconception(
    "05.edge_attribution",
    "The gradient is that of the other images. The straight line starts at `images`: take their gradient, and only "
    "what is read from the others.",
)
def takes_the_others_gradient(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other, of_other=True)
    return (slopes * weight).sum(dim=(2, 3)) / len(images)


@misconception(
    "05.edge_attribution",
    "Both attributions were computed and subtracted, each with its own gradient. Asked is one gradient, that of "
    "`images`, times the difference of what is read.",
)
def subtracts_two_attributions(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, None)
    if other is not None:
        slopes = slopes - _edges(model, other, convolution, target, None)[0]
    return (slopes * weight).sum(dim=(2, 3)) / len(images)


@misconception(
    "05.edge_attribution",
    "The signs are lost: an edge that holds the output back looks like one that drives it. Leave `abs` out.",
)
def takes_sizes_of_edges(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other)
    return (slopes * weight).sum(dim=(2, 3)).abs() / len(images)


@misconception(
    "05.edge_attribution",
    "The kernel's places are still there. An edge is one number: sum over axes 2 and 3.",
)
def keeps_the_places(model, images, convolution, target, other=None):
    slopes, weight = _edges(model, images, convolution, target, other)
    return slopes * weight / len(images)


# ---------------------------------------------------------------- keep_only


def _masked(model, circuit, mask=lambda weight, kept: weight * kept[:, :, None, None].to(weight)):
    """Puts masked weights into the network; gives back the old ones."""
    old = {}
    for name, kept in circuit.items():
        layer = model.get_submodule(name)
        masked = mask(layer.weight.data, kept)
        if masked.shape != layer.weight.shape:
            _put_back(model, old)
            raise ValueError(f"circuit: the mask of '{name}' has shape {tuple(kept.shape)}")
        old[name], layer.weight.data = layer.weight.data, masked
    return old


def _put_back(model, old):
    for name, weight in old.items():
        model.get_submodule(name).weight.data = weight


@misconception(
    "05.keep_only",
    "After an error in the block the weights stay cut: what stands behind `yield` is skipped then. Put them back in "
    "`finally`, or with an `ExitStack` around the `yield`.",
)
@contextmanager
def forgets_errors(model, circuit):
    old = _masked(model, circuit)
    yield model
    _put_back(model, old)


@misconception(
    "05.keep_only",
    "The network stays cut after the block. Either the old weights were never put back, or what was remembered is cut, "
    "too: `*=` and `mul_` change the very tensor that you remember. Put a new tensor in, and the old one back.",
)
@contextmanager
def never_puts_weights_back(model, circuit):
    _masked(model, circuit)
    yield model


@misconception(
    "05.keep_only",
    "An error can also come while the masks are put in, as with a mask of another shape. The convolutions before it "
    "then stay cut: begin `try` (or the `ExitStack`) before you change the first weight.",
)
@contextmanager
def tries_too_late(model, circuit):
    old = {}
    for name, kept in circuit.items():
        layer = model.get_submodule(name)
        old[name] = layer.weight.data
        layer.weight.data = layer.weight.data * kept[:, :, None, None]
    try:
        yield model
    finally:
        _put_back(model, old)


@misconception(
    "05.keep_only",
    "The weights are back before the block begins: `yield` stands behind the `with ExitStack()`, which has ended by "
    "then. Yield inside it.",
)
@contextmanager
def yields_too_late(model, circuit):
    with ExitStack() as stack:
        stack.callback(_put_back, model, _masked(model, circuit))
    yield model


@misconception(
    "05.keep_only",
    "The circuit was taken out and all other edges stayed. Where the mask is True the edge stays.",
)
@contextmanager
def takes_the_circuit_out(model, circuit):
    old = _masked(model, {name: ~kept for name, kept in circuit.items()})
    try:
        yield model
    finally:
        _put_back(model, old)


@misconception(
    "05.keep_only",
    "Convolutions that the circuit does not name were emptied, too. What is not named stays whole.",
)
@contextmanager
def empties_what_is_not_named(model, circuit):
    everything = {
        name: torch.zeros(layer.weight.shape[:2], dtype=torch.bool)
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Conv2d)
    }
    old = _masked(model, {**everything, **circuit})
    try:
        yield model
    finally:
        _put_back(model, old)


@misconception(
    "05.keep_only",
    "Whole channels were taken out: every output channel that has an edge in the circuit kept all its edges. A mask "
    "says it for each edge, (outputs, inputs).",
)
@contextmanager
def cuts_whole_channels(model, circuit):
    def mask(weight, kept):
        if kept.shape != weight.shape[:2]:
            return weight[:, :0]
        return weight * kept.any(dim=1)[:, None, None, None]

    old = _masked(model, circuit, mask)
    try:
        yield model
    finally:
        _put_back(model, old)


@misconception(
    "05.keep_only",
    "The biases were emptied, too. A bias comes along no edge: leave it as it is.",
)
@contextmanager
def empties_biases(model, circuit):
    old = _masked(model, circuit)
    biases = {name: model.get_submodule(name).bias.data for name in circuit}
    try:
        for name, bias in biases.items():
            model.get_submodule(name).bias.data = torch.zeros_like(bias)
        yield model
    finally:
        _put_back(model, old)
        for name, bias in biases.items():
            model.get_submodule(name).bias.data = bias


@misconception(
    "05.keep_only",
    "A copy of the network was cut, and the one that everybody holds runs as ever. Cut the model itself, and put its "
    "weights back.",
)
@contextmanager
def cuts_a_copy(model, circuit):
    cut = copy.deepcopy(model)
    _masked(cut, circuit)
    yield cut


@misconception(
    "05.keep_only",
    "`yield` gives nothing, so `as` gets None. Yield the model.",
)
@contextmanager
def yields_nothing(model, circuit):
    old = _masked(model, circuit)
    try:
        yield
    finally:
        _put_back(model, old)


@misconception(
    "05.keep_only",
    "The function returns the model, and then there is no block to come back from. `yield model` hands it to the "
    "block, and goes on behind it when the block is left.",
)
@contextmanager
def returns_the_model(model, circuit):
    _masked(model, circuit)
    return model


@misconception(
    "05.keep_only",
    "An error inside the block was swallowed. Whoever opened the block has to hear of it: `finally` puts the weights "
    "back and lets the error go on; `except` without `raise` stops it.",
)
@contextmanager
def swallows_errors(model, circuit):
    old = _masked(model, circuit)
    try:
        yield model
    except Exception:
        pass
    finally:
        _put_back(model, old)


# ---------------------------------------------------------------- faithfulness


def _alone(model, circuit, behaviour):
    with keep_only(model, circuit):
        return behaviour()


def _empty(circuit):
    return {name: torch.zeros_like(mask) for name, mask in circuit.items()}


def _others(circuit):
    return {name: ~mask for name, mask in circuit.items()}


@misconception(
    "05.faithfulness",
    "Nothing was subtracted: an output that biases alone bring about is credited to the circuit. Subtract what the "
    "network does without any edge, above and below.",
)
def divides_by_the_whole_only(model, circuit, behaviour):
    return _alone(model, circuit, behaviour) / behaviour()


@misconception(
    "05.faithfulness",
    "Nothing was subtracted below the line. The whole counts from the same start as the circuit: whole - nothing.",
)
def subtracts_nothing_above_only(model, circuit, behaviour):
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    return (_alone(model, circuit, behaviour) - nothing) / whole


@misconception(
    "05.faithfulness",
    "This is what the circuit does, not which share that is. Divide by what the whole does, whole - nothing.",
)
def does_not_divide(model, circuit, behaviour):
    nothing, _ = nothing_and_whole(model, circuit, behaviour)
    return _alone(model, circuit, behaviour) - nothing


@misconception(
    "05.faithfulness",
    "The fraction stands on its head: circuit above, whole below.",
)
def turns_the_fraction_round(model, circuit, behaviour):
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    alone = _alone(model, circuit, behaviour)
    return (whole - nothing) / (alone - nothing) if alone != nothing else float("inf")


MISSING = (
    "This is the share that is missing, 1 minus what is asked. Faithfulness counts from nothing upwards, and "
    "`nothing_and_whole` gives nothing first, then the whole."
)


@misconception("05.faithfulness", MISSING)
def says_what_is_missing(model, circuit, behaviour):
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    return (whole - _alone(model, circuit, behaviour)) / (whole - nothing)


@misconception(
    "05.faithfulness",
    "The behaviour was measured outside the block, where the network is whole. Call `behaviour()` inside `with "
    "keep_only(model, circuit):`.",
)
def measures_outside_the_block(model, circuit, behaviour):
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    with keep_only(model, circuit):
        pass
    return (behaviour() - nothing) / (whole - nothing)


@misconception(
    "05.faithfulness",
    "The circuit was taken out, and the others were measured. Faithfulness asks what the circuit does alone.",
)
def measures_the_others(model, circuit, behaviour):
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    return (_alone(model, _others(circuit), behaviour) - nothing) / (whole - nothing)


@misconception(
    "05.faithfulness",
    "The share was cut off at 0 and 1. Where edges hinder, a circuit does more than the whole, and such edges alone do "
    "less than nothing: keep these numbers.",
)
def cuts_the_share_off(model, circuit, behaviour):
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    return min(1.0, max(0.0, (_alone(model, circuit, behaviour) - nothing) / (whole - nothing)))


@misconception("05.faithfulness", MISSING)
def exchanges_nothing_and_whole(model, circuit, behaviour):
    whole, nothing = nothing_and_whole(model, circuit, behaviour)
    return (_alone(model, circuit, behaviour) - nothing) / (whole - nothing)


# ---------------------------------------------------------------- completeness


@misconception(
    "05.completeness",
    "This is the faithfulness of the circuit itself. Completeness takes the circuit out, and asks what the others "
    "still do.",
)
def measures_the_circuit_itself(model, circuit, behaviour):
    return faithfulness(model, circuit, behaviour)


@misconception(
    "05.completeness",
    "This is what the other edges still do. A complete circuit leaves nothing to them and scores 1: subtract it from "
    "1.",
)
def says_what_the_others_do(model, circuit, behaviour):
    return faithfulness(model, _others(circuit), behaviour)


@misconception(
    "05.completeness",
    "This is 1 minus the faithfulness of the circuit: what it lacks when it is alone. Take the circuit out instead: "
    "turn its masks around with `~`.",
)
def subtracts_the_circuits_own(model, circuit, behaviour):
    return 1 - faithfulness(model, circuit, behaviour)


@misconception(
    "05.completeness",
    "The others' faithfulness minus 1 has the sign turned: 1 minus it.",
)
def subtracts_1(model, circuit, behaviour):
    return faithfulness(model, _others(circuit), behaviour) - 1


@misconception(
    "05.completeness",
    "Nothing was subtracted: what biases alone bring about is credited to the other edges. Use `faithfulness`, which "
    "counts from the network without any edge.",
)
def compares_with_the_whole_only(model, circuit, behaviour):
    return 1 - _alone(model, _others(circuit), behaviour) / behaviour()


@misconception(
    "05.completeness",
    "This is how much the behaviour falls without the circuit, not which share of it that is. Divide by what the whole "
    "does beyond nothing, as `faithfulness` does.",
)
def says_how_much_is_lost(model, circuit, behaviour):
    return behaviour() - _alone(model, _others(circuit), behaviour)


@misconception(
    "05.completeness",
    "Only the first convolution's mask was turned around. All masks of the circuit have to be.",
)
def turns_one_mask_around(model, circuit, behaviour):
    first = next(iter(circuit))
    return 1 - faithfulness(model, {**circuit, first: ~circuit[first]}, behaviour)


# ---------------------------------------------------------------- minimal_circuit


def _minimal(
    model, scores, behaviour, share, *, key=None, rounds=100, measure=None, strongest=False, stops=False, undo=True
):
    """Right, except for what is handed in."""
    circuit = {name: torch.ones_like(score, dtype=torch.bool) for name, score in scores.items()}
    key = key or (lambda edge: float(scores[edge[0]][edge[1:]].abs()))
    order = sorted(edges_of(circuit), key=key, reverse=strongest)
    nothing, whole = nothing_and_whole(model, circuit, behaviour)
    measure = measure or (lambda value: (value - nothing) / (whole - nothing))
    before = []
    while order != before and rounds:
        before, rounds = order, rounds - 1
        for name, *edge in order:
            circuit[name][tuple(edge)] = False
            if measure(_alone(model, circuit, behaviour)) < share:
                if not undo:
                    return circuit
                circuit[name][tuple(edge)] = True
                if stops:
                    return circuit
        order = [edge for edge in order if circuit[edge[0]][edge[1:]]]
    return circuit


@misconception(
    "05.minimal_circuit",
    "The strongest edges were tried first, so what matters most went first and weak edges had to stay in its place. "
    "Sort upwards: weakest score first.",
)
def takes_the_strongest_first(model, scores, behaviour, share=0.95):
    return _minimal(model, scores, behaviour, share, strongest=True)


@misconception(
    "05.minimal_circuit",
    "There was one round only. An edge that had to stay may go once another has gone: do rounds until one takes "
    "nothing out.",
)
def does_one_round(model, scores, behaviour, share=0.95):
    return _minimal(model, scores, behaviour, share, rounds=1)


@misconception(
    "05.minimal_circuit",
    "It stops at the first edge that cannot go. A stronger edge behind it may be one that can: put this one back and "
    "go on.",
)
def stops_at_the_first(model, scores, behaviour, share=0.95):
    return _minimal(model, scores, behaviour, share, stops=True)


@misconception(
    "05.minimal_circuit",
    "The edge that broke the circuit was left out: the share is not kept any more. Put it back.",
)
def leaves_the_last_one_out(model, scores, behaviour, share=0.95):
    return _minimal(model, scores, behaviour, share, undo=False)


@misconception(
    "05.minimal_circuit",
    "Edges were sorted by their scores with sign, so those far below 0 went first as if they hardly mattered. The sign "
    "says which way an edge pulls; how much it matters is its size, `.abs()`.",
)
def sorts_with_the_sign(model, scores, behaviour, share=0.95):
    return _minimal(model, scores, behaviour, share, key=lambda edge: float(scores[edge[0]][edge[1:]]))


@misconception(
    "05.minimal_circuit",
    "Each convolution was sorted by itself, one after the other. The order is that of all edges together.",
)
def sorts_each_convolution(model, scores, behaviour, share=0.95):
    place = {name: number for number, name in enumerate(scores)}
    return _minimal(
        model,
        scores,
        behaviour,
        share,
        key=lambda edge: (place[edge[0]], float(scores[edge[0]][edge[1:]].abs())),
    )


@misconception(
    "05.minimal_circuit",
    "The scores were never looked at: edges were tried in the order of the masks. Sort them, weakest score first.",
)
def tries_in_any_order(model, scores, behaviour, share=0.95):
    return _minimal(model, scores, behaviour, share, key=lambda edge: 0)


@misconception(
    "05.minimal_circuit",
    "The behaviour was divided by the whole network's, and what the network does without any edge was never "
    "subtracted. The share is a faithfulness: (circuit - nothing) / (whole - nothing).",
)
def forgets_nothing(model, scores, behaviour, share=0.95):
    whole = behaviour()
    return _minimal(model, scores, behaviour, share, measure=lambda value: value / whole)


@misconception(
    "05.minimal_circuit",
    "Edges were kept until they held the share of all scores; the network was never asked. A score is a guess: take "
    "edges out and measure.",
)
def trusts_the_scores(model, scores, behaviour, share=0.95):
    circuit = {name: torch.ones_like(score, dtype=torch.bool) for name, score in scores.items()}
    total = left = sum(float(score.abs().sum()) for score in scores.values())
    for name, *edge in sorted(edges_of(circuit), key=lambda edge: float(scores[edge[0]][edge[1:]].abs())):
        weight = float(scores[name][tuple(edge)].abs())
        if (left - weight) / total >= share:
            circuit[name][tuple(edge)], left = False, left - weight
    return circuit


@misconception(
    "05.minimal_circuit",
    "Each edge was tried in the whole network, with all others back in place. Small losses add up: leave out what has "
    "gone while you try the next.",
)
def tries_each_edge_alone(model, scores, behaviour, share=0.95):
    whole = {name: torch.ones_like(score, dtype=torch.bool) for name, score in scores.items()}
    circuit = {name: mask.clone() for name, mask in whole.items()}
    nothing, everything = nothing_and_whole(model, whole, behaviour)
    for name, *edge in edges_of(whole):
        tried = {other: mask.clone() for other, mask in whole.items()}
        tried[name][tuple(edge)] = False
        does = (_alone(model, tried, behaviour) - nothing) / (everything - nothing)
        circuit[name][tuple(edge)] = does < share
    return circuit


@misconception(
    "05.minimal_circuit",
    "An edge was put back although exactly the share was left without it. The share is the least that has to be kept: "
    "put an edge back only below it.",
)
def wants_more_than_the_share(model, scores, behaviour, share=0.95):
    return _minimal(model, scores, behaviour, share + 1e-6)


@misconception(
    "05.minimal_circuit",
    "This is a list of edges. Asked are masks, convolution → which of its edges stay: return `circuit` itself.",
)
def returns_a_list(model, scores, behaviour, share=0.95):
    return edges_of(_minimal(model, scores, behaviour, share))


@misconception(
    "05.minimal_circuit",
    "`share` was not used: 0.95 was kept, whatever was asked.",
)
def keeps_95_percent(model, scores, behaviour, share=0.95):
    return _minimal(model, scores, behaviour, 0.95)


# ---------------------------------------------------------------- branch_specialization


def _ways(family, number, branch, layer):
    return comb(branch, number) * comb(layer - branch, family - number)


@misconception(
    "05.branch_specialization",
    "This is the chance of exactly that many. Even the likeliest number is rare when there are many; what counts is so "
    "many *or more*: add up.",
)
def takes_exactly_that_many(family, in_branch, branch, layer):
    return _ways(family, in_branch, branch, layer) / comb(layer, family)


@misconception(
    "05.branch_specialization",
    "This is the chance of more than that many. The number itself belongs to it: start at `in_branch`.",
)
def starts_one_too_late(family, in_branch, branch, layer):
    numbers = range(in_branch + 1, min(family, branch) + 1)
    return sum(_ways(family, number, branch, layer) for number in numbers) / comb(layer, family)


@misconception(
    "05.branch_specialization",
    "The largest number was left out: `range` ends before its second number. Add 1 to it.",
)
def ends_one_too_soon(family, in_branch, branch, layer):
    numbers = range(in_branch, min(family, branch))
    return sum(_ways(family, number, branch, layer) for number in numbers) / comb(layer, family)


@misconception(
    "05.branch_specialization",
    "This is the chance of that many or fewer. Asked is the other tail: that many or more.",
)
def takes_the_lower_tail(family, in_branch, branch, layer):
    numbers = range(max(0, family + branch - layer), in_branch + 1)
    return sum(_ways(family, number, branch, layer) for number in numbers) / comb(layer, family)


@misconception(
    "05.branch_specialization",
    "Every channel was dealt a place as if no other had taken one (a binomial chance). A channel lies in one place: "
    "each one that is dealt leaves fewer. Count with `comb(branch, k) * comb(layer - branch, family - k)`.",
)
def deals_with_replacement(family, in_branch, branch, layer):
    share = branch / layer
    return sum(
        comb(family, number) * share**number * (1 - share) ** (family - number)
        for number in range(in_branch, family + 1)
    )


@misconception(
    "05.branch_specialization",
    "The rest of the family was forgotten: whoever is not in the branch lies in the rest of the layer, in "
    "`comb(layer - branch, family - k)` ways.",
)
def forgets_the_rest(family, in_branch, branch, layer):
    return sum(comb(branch, number) for number in range(in_branch, min(family, branch) + 1)) / comb(layer, family)


@misconception(
    "05.branch_specialization",
    "The rest of the family was dealt out over the whole layer, the branch included: it lies in the `layer - branch` "
    "other places.",
)
def deals_the_rest_everywhere(family, in_branch, branch, layer):
    numbers = range(in_branch, min(family, branch) + 1)
    return sum(comb(branch, number) * comb(layer, family - number) for number in numbers) / comb(layer, family)


@misconception(
    "05.branch_specialization",
    "These are the ways, not the chance: divide by all ways to deal the family out, `comb(layer, family)`.",
)
def forgets_to_divide(family, in_branch, branch, layer):
    return sum(_ways(family, number, branch, layer) for number in range(in_branch, min(family, branch) + 1))


@misconception(
    "05.branch_specialization",
    "1 minus all smaller numbers' chances: where the answer is tiny, rounding eats it up. Add up the tail itself.",
)
def subtracts_from_1(family, in_branch, branch, layer):
    return float(1 - hypergeom.cdf(in_branch - 1, layer, branch, family))
