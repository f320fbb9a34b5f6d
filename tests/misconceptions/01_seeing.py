"""Wrong answers to lesson 01 that students give, each with the sentence that helps."""

import contextlib
import math

import torch
import torch.nn.functional as F

from innervision import record
from innervision.classroom.exercises import misconception

# ---------------------------------------------------------------- convolution


@misconception(
    "01.conv2d_by_hand",
    "The kernels were turned over (`flip`), as books on signals do. In a network the number at the left of the kernel "
    "meets the pixel at the left of the patch.",
)
def turns_the_kernel_over(images, kernels, padding=0):
    return F.conv2d(images, kernels.flip(2, 3), padding=padding)


@misconception(
    "01.conv2d_by_hand",
    "This is the mean of the products, not their sum. A match grows with every pixel that fits, so add up.",
)
def averages_the_products(images, kernels, padding=0):
    return F.conv2d(images, kernels, padding=padding) / kernels[0].numel()


@misconception(
    "01.conv2d_by_hand",
    "One step is missing at the far edge: a kernel of 3 fits into 6 pixels at 6 - 3 + 1 = 4 places.",
)
def forgets_the_last_place(images, kernels, padding=0):
    return F.conv2d(images, kernels, padding=padding)[:, :, :-1, :-1]


@misconception(
    "01.conv2d_by_hand",
    "The padding is never used, so the map is smaller than was asked for. Put zeros around the images first (`F.pad`).",
)
def forgets_the_padding(images, kernels, padding=0):
    return F.conv2d(images, kernels)


@misconception(
    "01.conv2d_by_hand",
    "Only two sides were padded. `F.pad` takes left, right, top, bottom: four numbers.",
)
def pads_two_sides_only(images, kernels, padding=0):
    return F.conv2d(F.pad(images, (padding, padding)), kernels)


@misconception(
    "01.conv2d_by_hand",
    "The border repeats the pixels at the edge. Padding here means zeros.",
)
def repeats_the_edge(images, kernels, padding=0):
    return F.conv2d(F.pad(images, [padding] * 4, mode="replicate"), kernels)


@misconception(
    "01.conv2d_by_hand",
    "The colours (or channels) were left apart, or only the first was used. One match is the sum over ALL channels.",
)
def looks_at_one_channel(images, kernels, padding=0):
    return F.conv2d(images[:, :1], kernels[:, :1], padding=padding)


@misconception(
    "01.conv2d_by_hand",
    "Rows and columns were exchanged: images and kernels have the row on axis 2 and the column on axis 3.",
)
def exchanges_rows_and_columns(images, kernels, padding=0):
    return F.conv2d(images, kernels, padding=padding).transpose(2, 3)


@misconception(
    "01.conv2d_by_hand",
    "All kernels were added into one map. Each kernel has a map of its own: axis 1 of the result counts kernels.",
)
def adds_up_the_kernels(images, kernels, padding=0):
    return F.conv2d(images, kernels, padding=padding).sum(dim=1, keepdim=True)


@misconception(
    "01.conv2d_by_hand",
    "Only the last channel is left: each channel's products replace those of the channel before. Add them up (`+=`).",
)
def keeps_the_last_channel(images, kernels, padding=0):
    return F.conv2d(images[:, -1:], kernels[:, -1:], padding=padding)


# ---------------------------------------------------------------- threshold


@misconception(
    "01.relu_threshold",
    "The sign of the bias is turned. It is ADDED: a bias of -2 is a threshold of 2.",
)
def subtracts_the_bias(matches, bias):
    return (matches - bias.view(-1, 1, 1)).clamp(min=0)


@misconception(
    "01.relu_threshold",
    "First cut, then add: that lets negative biases out as negative numbers. Add the bias first, cut at 0 afterwards.",
)
def cuts_before_it_adds(matches, bias):
    return matches.clamp(min=0) + bias.view(-1, 1, 1)


@misconception(
    "01.relu_threshold",
    "Nothing is cut: numbers below 0 come out as they are. What lies below the threshold gives 0.",
)
def never_cuts(matches, bias):
    return matches + bias.view(-1, 1, 1)


@misconception(
    "01.relu_threshold",
    "A match above the threshold came out whole. Only the excess passes: the match plus the bias.",
)
def lets_the_whole_match_pass(matches, bias):
    return torch.where(matches + bias.view(-1, 1, 1) > 0, matches, 0)


@misconception(
    "01.relu_threshold",
    "The result is 0 or 1: it says only THAT the threshold was passed. A rectifier says by how much.",
)
def says_yes_or_no(matches, bias):
    return (matches + bias.view(-1, 1, 1) > 0).to(matches.dtype)


@misconception(
    "01.relu_threshold",
    "The bias was added along the columns: torch lines axes up from the right. `bias.view(-1, 1, 1)` puts it on the "
    "axis of the kernels.",
)
def adds_it_along_the_columns(matches, bias):
    return (matches + bias).clamp(min=0)


@misconception(
    "01.relu_threshold",
    "Negative sums came out as positive ones (`abs`). A bad match is no match: it gives 0.",
)
def turns_bad_matches_into_good_ones(matches, bias):
    return (matches + bias.view(-1, 1, 1)).abs()


@misconception(
    "01.relu_threshold",
    "The matches that were handed in have been changed (`+=`, `clamp_`). Whoever called still needs them.",
)
def writes_into_the_matches(matches, bias):
    matches += bias.view(-1, 1, 1)
    return matches.clamp_(min=0)


# ---------------------------------------------------------------- Gabor kernels


def _gabor(
    orientation,
    frequency,
    phase,
    size,
    *,
    unit=math.radians,
    up=-1,
    turn=2 * math.pi,
    width=0.25,
    wave=torch.cos,
    middle=None,
    mean=True,
    length=True,
    phase_unit=None,
):
    places = torch.arange(size) - ((size - 1) / 2 if middle is None else middle)
    right, up = places, up * places[:, None]
    angle = unit(orientation)
    along = right * math.cos(angle) + up * math.sin(angle)
    kernel = wave(turn * frequency * along + (phase_unit or unit)(phase)) * torch.exp(
        -(right**2 + up**2) / (2 * (width * size) ** 2)
    )
    kernel = kernel - kernel.mean() if mean else kernel
    return kernel / kernel.norm() if length else kernel


@misconception(
    "01.gabor_kernel",
    "Degrees went into `cos` and `sin`. They want radians: `math.radians(orientation)`, and the same for the phase.",
)
def takes_degrees_for_radians(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, unit=float)


@misconception(
    "01.gabor_kernel",
    "The phase went in as degrees. It stands beside radians, so it must be in radians, too: `math.radians(phase)`.",
)
def leaves_the_phase_in_degrees(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, phase_unit=float)


@misconception(
    "01.gabor_kernel",
    "`right` and `up` are exchanged: `right` changes along a row, from column to column, and `up` along a column.",
)
def takes_right_for_up(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size).T


@misconception(
    "01.gabor_kernel",
    "`right` and `up` have one axis each, so they met number by number and gave a row, not a table. Make `up` a "
    "column: `-right[:, None]`.",
)
def forgets_to_make_a_table(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size).diagonal()


@misconception(
    "01.gabor_kernel",
    "The bell is too wide: 2 · σ² means that σ is squared and then doubled, `2 * (size / 4) ** 2`.",
)
def squares_the_two(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, width=0.25 * math.sqrt(2))


@misconception(
    "01.gabor_kernel",
    "`/ 2 * σ**2` divides by 2 and then MULTIPLIES by σ². Put what stands below the line in parentheses: "
    "`/ (2 * σ**2)`.",
)
def multiplies_by_the_width(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, width=1 / (size / 4) / size)


@misconception(
    "01.gabor_kernel",
    "It was divided by `std()`, in which there is a mean. The length is the root of the SUM of squares: "
    "`kernel.norm()`.",
)
def divides_by_the_spread(orientation, frequency, phase, size):
    kernel = _gabor(orientation, frequency, phase, size)
    return kernel / kernel.std()


@misconception(
    "01.gabor_kernel",
    "It was divided by the sum of squares. The length is the ROOT of that sum: `kernel.norm()`.",
)
def forgets_the_root(orientation, frequency, phase, size):
    kernel = _gabor(orientation, frequency, phase, size, length=False)
    return kernel / kernel.square().sum()


@misconception(
    "01.gabor_kernel",
    "Up and down are exchanged: rows are counted downwards, so `up` is minus the row.",
)
def takes_down_for_up(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, up=1)


@misconception(
    "01.gabor_kernel",
    "The frequency counts whole waves per pixel, and a whole wave is 2π. That factor is missing.",
)
def forgets_the_whole_turn(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, turn=1.0)


@misconception(
    "01.gabor_kernel",
    "The orientation is that of the stripes here, a quarter turn away. 0 degrees means that the wave RUNS to the "
    "right, across upright stripes.",
)
def takes_along_for_across(orientation, frequency, phase, size):
    return _gabor(orientation + 90, frequency, phase, size)


@misconception(
    "01.gabor_kernel",
    "The wave is a sine. With phase 0 the bright stripe belongs into the middle: take the cosine.",
)
def takes_the_sine(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, wave=torch.sin)


@misconception(
    "01.gabor_kernel",
    "The phase is missing: without it there are stripes but no edges.",
)
def forgets_the_phase(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, 0, size)


@misconception(
    "01.gabor_kernel",
    "The wave does not fade: multiply it by the bell, exp(-(right² + up²) / (2 · σ²)).",
)
def forgets_the_bell(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, width=1e6)


@misconception(
    "01.gabor_kernel",
    "The bell is too wide or too narrow: σ is size / 4, and it stands as 2 · σ² below the line.",
)
def takes_another_width(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, width=0.25 / math.sqrt(2))


@misconception(
    "01.gabor_kernel",
    "The middle is at (size - 1) / 2, not at size // 2: that is half a pixel off for even sizes.",
)
def is_half_a_pixel_off(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, middle=size // 2)


@misconception(
    "01.gabor_kernel",
    "Its mean was not taken away, so plain grey gives a match although there are no stripes in it.",
)
def answers_to_plain_grey(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, mean=False)


@misconception(
    "01.gabor_kernel",
    "It was not divided by its length, so a match depends on how large the kernel happens to be.",
)
def keeps_its_length(orientation, frequency, phase, size):
    return _gabor(orientation, frequency, phase, size, length=False)


@misconception(
    "01.gabor_kernel",
    "It was divided by its length first, and its mean was taken away after that: then its length is no longer 1.",
)
def takes_the_mean_away_last(orientation, frequency, phase, size):
    kernel = _gabor(orientation, frequency, phase, size, mean=False)
    return kernel - kernel.mean()


# ---------------------------------------------------------------- a look inside


@misconception(
    "01.capture",
    "When the network raises an error, the line that removes the hook is never reached. Put it into `finally:`.",
)
def leaves_the_hook_after_an_error(model, images, layer):
    seen = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(output.clone()))
    model(images)
    hook.remove()
    return seen[0]


@misconception(
    "01.capture",
    "The layer runs twice here, and this is its last output. Keep the first.",
)
def keeps_the_last_run(model, images, layer):
    seen = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(output.clone()))
    try:
        model(images)
    finally:
        hook.remove()
    return seen[-1]


@misconception(
    "01.capture",
    "The hook is still there afterwards. It would copy on every later run, and memory fills up: `hook.remove()`.",
)
def leaves_the_hook(model, images, layer):
    seen = []
    model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(output.clone()))
    model(images)
    return seen[0]


@misconception(
    "01.capture",
    "The network's error was swallowed. Who called needs to hear of it: `finally` lets it pass, `except` stops it.",
)
def swallows_the_error(model, images, layer):
    seen = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(output.clone()))
    with contextlib.suppress(Exception):
        model(images)
    hook.remove()
    return seen[0]


@misconception(
    "01.capture",
    "This is what went INTO the layer. A forward hook gets the module, its inputs, and its output: keep the third.",
)
def keeps_the_input(model, images, layer):
    seen = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(given[0].clone()))
    try:
        model(images)
    finally:
        hook.remove()
    return seen[0]


@misconception(
    "01.capture",
    "This is the network's last output, whatever layer was asked for. The hook's `output` is the layer's own.",
)
def returns_the_last_output(model, images, layer):
    model.get_submodule(layer)
    return model(images)


@misconception(
    "01.capture",
    "The output itself was kept, and the next layer wrote over it. Keep a copy: `output.clone()`.",
)
def keeps_what_is_written_over(model, images, layer):
    seen = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(output))
    try:
        model(images)
    finally:
        hook.remove()
    return seen[0]


@misconception(
    "01.capture",
    "The activation was cut off from the gradient (`detach`, or `torch.no_grad()`). Later parts ask how it depends on "
    "the image.",
)
def cuts_the_gradient_off(model, images, layer):
    seen = []
    hook = model.get_submodule(layer).register_forward_hook(
        lambda module, given, output: seen.append(output.detach().clone())
    )
    try:
        model(images)
    finally:
        hook.remove()
    return seen[0]


@misconception(
    "01.capture",
    "The hook returned something, and torch uses what a hook returns in place of the output: the later layers were fed "
    "with it. Let the hook return nothing.",
)
def changes_what_comes_later(model, images, layer):
    seen = []

    def hook(module, given, output):
        seen.append(output.clone())
        return output.clamp(min=0)

    handle = model.get_submodule(layer).register_forward_hook(hook)
    try:
        model(images)
    finally:
        handle.remove()
    return seen[0]


@misconception(
    "01.capture",
    "A hook gets the layer's inputs as a tuple, and before the output. Let it take three: module, inputs, output.",
)
def copies_the_tuple_of_inputs(model, images, layer):
    seen = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(given.clone()))
    try:
        model(images)
    finally:
        hook.remove()
    return seen[0]


@misconception(
    "01.capture",
    "The list came back, not what is in it: return its first entry.",
)
def returns_the_list(model, images, layer):
    seen = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(output.clone()))
    try:
        model(images)
    finally:
        hook.remove()
    return seen


@misconception(
    "01.capture",
    "`getattr` finds a network's outermost parts only. For a path with a dot, such as `mixed3a_3x3.conv`, take "
    "`model.get_submodule(layer)`.",
)
def finds_outer_layers_only(model, images, layer):
    seen = []
    hook = getattr(model, layer).register_forward_hook(lambda module, given, output: seen.append(output.clone()))
    try:
        model(images)
    finally:
        hook.remove()
    return seen[0]


@misconception(
    "01.capture",
    "The layer was given the images. It works on what the layers before it make of them: put a hook on the layer, and "
    "run the whole network.",
)
def shows_the_layer_the_images(model, images, layer):
    return model.get_submodule(layer)(images)


@misconception(
    "01.capture",
    "The network was stopped before its end, as the library's `record` does: an error that comes later is not heard. "
    "Write it with a hook of your own, and run all of `model(images)`.",
)
def stops_the_network_early(model, images, layer):
    return record(model, images, layer)[layer].clone()


@misconception(
    "01.capture",
    "The layers were called one by one. Not every network is a chain. Run the network itself, `model(images)`, and let "
    "a hook listen.",
)
def walks_through_the_children(model, images, layer):
    for name, module in model.named_children():
        images = module(images)
        if name == layer:
            break
    return images.clone()


# ---------------------------------------------------------------- receptive fields


def _field(layers, grow=lambda kernel, jump: (kernel - 1) * jump, back=lambda padding, jump: padding * jump):
    size, jump, start = 1, 1, 0
    for kernel, stride, padding in layers:
        size += grow(kernel, jump)
        start -= back(padding, jump)
        jump *= stride
    return size, jump, start


@misconception(
    "01.receptive_field",
    "A kernel of 3 adds 2 steps, not 3: one of its pixels is the one that was seen already.",
)
def adds_the_whole_kernel(layers):
    return _field(layers, grow=lambda kernel, jump: kernel * jump)


@misconception(
    "01.receptive_field",
    "The kernel's pixels were counted as pixels of the image. Behind a stride its neighbours lie `jump` pixels apart.",
)
def forgets_the_jump(layers):
    return _field(layers, grow=lambda kernel, jump: kernel - 1)


@misconception(
    "01.receptive_field",
    "The padding was counted in pixels of the image. Behind a stride each padded place is `jump` pixels wide.",
)
def pads_in_pixels_of_the_image(layers):
    return _field(layers, back=lambda padding, jump: padding)


@misconception(
    "01.receptive_field",
    "The jump was enlarged before it was used. A layer's own stride counts for the layers AFTER it.",
)
def strides_too_early(layers):
    size, jump, start = 1, 1, 0
    for kernel, stride, padding in layers:
        jump *= stride
        size += (kernel - 1) * jump
        start -= padding * jump
    return size, jump, start


@misconception(
    "01.receptive_field",
    "Strides multiply: two steps of 2, one after the other, are a step of 4, not of 3.",
)
def adds_strides(layers):
    size, jump, start = 1, 1, 0
    for kernel, stride, padding in layers:
        size += (kernel - 1) * jump
        start -= padding * jump
        jump += stride - 1
    return size, jump, start


@misconception(
    "01.receptive_field",
    "The sign of the start is turned: padding lets the first unit look out BEFORE the image, at negative pixels.",
)
def starts_inside(layers):
    return _field(layers, back=lambda padding, jump: -padding * jump)


@misconception(
    "01.receptive_field",
    "The layers were gone through from the last to the first. Begin at the image, where the jump is 1.",
)
def begins_at_the_end(layers):
    return _field(list(layers)[::-1])


@misconception(
    "01.receptive_field",
    "The field begins with size 0, but a unit without any layer is a pixel and sees itself: begin with 1.",
)
def begins_with_nothing(layers):
    size, jump, start = _field(layers)
    return size - 1, jump, start


@misconception(
    "01.receptive_field",
    "The size was multiplied by the stride. Strides make the JUMP larger; the size grows by (kernel - 1) jumps.",
)
def multiplies_the_size(layers):
    size, jump, start = 1, 1, 0
    for kernel, stride, padding in layers:
        size = size * stride + kernel - 1
        start -= padding * jump
        jump *= stride
    return size, jump, start


@misconception(
    "01.receptive_field",
    "`2 * (kernel // 2)` loses a pixel when the kernel is even. A kernel of 2 reaches 1 farther: kernel - 1.",
)
def grows_by_two_halves(layers):
    return _field(layers, grow=lambda kernel, jump: 2 * (kernel // 2) * jump)


@misconception(
    "01.receptive_field",
    "The start was made from half the size. It comes from the padding alone: each layer begins `padding` of its own "
    "input's places earlier.",
)
def starts_half_a_field_earlier(layers):
    size, jump, _ = _field(layers)
    return size, jump, -(size // 2)


@misconception(
    "01.receptive_field",
    "Only one number came back. Return all three, in this order: `size, jump, start`.",
)
def returns_the_size_only(layers):
    return _field(layers)[0]


# ---------------------------------------------------------------- a block of branches


def _branches(hidden, layers):
    return {
        "1x1": layers["1x1"](hidden),
        "3x3": layers["3x3"](layers["3x3_bottleneck"](hidden)),
        "5x5": layers["5x5"](layers["5x5_bottleneck"](hidden)),
        "pool": layers["pool_reduce"](layers["pool"](hidden)),
    }


@misconception(
    "01.inception_forward",
    "The order of the branches is another one. It is 1x1, 3x3, 5x5, pool; the next layer's weights count on it.",
)
def puts_the_pool_first(hidden, layers):
    out = _branches(hidden, layers)
    return torch.cat([out["pool"], out["1x1"], out["3x3"], out["5x5"]], dim=1)


@misconception(
    "01.inception_forward",
    "The branches were put in a row along the batch (`dim=0`, the default of `torch.cat`). Channels are on axis 1.",
)
def concatenates_the_batch(hidden, layers):
    return torch.cat(list(_branches(hidden, layers).values()))


@misconception(
    "01.inception_forward",
    "The branches were added up. They are kept apart, one after the other along the axis of the channels: `torch.cat`.",
)
def adds_the_branches_up(hidden, layers):
    out = _branches(hidden, layers)
    return out["1x1"] + out["3x3"] + out["5x5"] + out["pool"]


@misconception(
    "01.inception_forward",
    "The branches follow one another here. They stand side by side: each begins with the block's input.",
)
def goes_through_the_branches_in_turn(hidden, layers):
    one = layers["1x1"](hidden)
    three = layers["3x3"](layers["3x3_bottleneck"](one))
    five = layers["5x5"](layers["5x5_bottleneck"](three))
    pool = layers["pool_reduce"](layers["pool"](five))
    return torch.cat([one, three, five, pool], dim=1)


@misconception(
    "01.inception_forward",
    "In the fourth branch the pool comes first and pool_reduce after it. Here it is the other way round.",
)
def reduces_before_it_pools(hidden, layers):
    out = _branches(hidden, layers) | {"pool": layers["pool"](layers["pool_reduce"](hidden))}
    return torch.cat(list(out.values()), dim=1)


@misconception(
    "01.inception_forward",
    "The bottlenecks stand behind their convolutions here. They come first: they make few channels of many, so that "
    "the 3x3 and the 5x5 cost less.",
)
def narrows_too_late(hidden, layers):
    three = layers["3x3_bottleneck"](layers["3x3"](hidden))
    five = layers["5x5_bottleneck"](layers["5x5"](hidden))
    return torch.cat([layers["1x1"](hidden), three, five, layers["pool_reduce"](layers["pool"](hidden))], dim=1)


@misconception(
    "01.inception_forward",
    "The bottlenecks are left out: the 3x3 and the 5x5 got the block's input itself.",
)
def leaves_the_bottlenecks_out(hidden, layers):
    three, five = layers["3x3"](hidden), layers["5x5"](hidden)
    return torch.cat([layers["1x1"](hidden), three, five, layers["pool_reduce"](layers["pool"](hidden))], dim=1)


@misconception(
    "01.inception_forward",
    "The bottlenecks' outputs were concatenated too. They only feed the 3x3 and the 5x5; four branches leave.",
)
def lets_the_bottlenecks_out(hidden, layers):
    three, five = layers["3x3_bottleneck"](hidden), layers["5x5_bottleneck"](hidden)
    pool = layers["pool_reduce"](layers["pool"](hidden))
    return torch.cat([layers["1x1"](hidden), three, layers["3x3"](three), five, layers["5x5"](five), pool], dim=1)


@misconception(
    "01.inception_forward",
    "The fourth branch is missing: the pool, then pool_reduce.",
)
def forgets_the_pool(hidden, layers):
    out = _branches(hidden, layers)
    return torch.cat([out["1x1"], out["3x3"], out["5x5"]], dim=1)


@misconception(
    "01.inception_forward",
    "The pool itself is left out: pool_reduce got the block's input as it was.",
)
def reduces_without_a_pool(hidden, layers):
    out = _branches(hidden, layers) | {"pool": layers["pool_reduce"](hidden)}
    return torch.cat(list(out.values()), dim=1)


# ---------------------------------------------------------------- what it costs


@misconception(
    "01.parameter_count",
    "The biases are missing: each output channel has one number more, its threshold.",
)
def forgets_the_biases(convolutions):
    return sum(outputs * inputs * kernel**2 for inputs, outputs, kernel in convolutions)


@misconception(
    "01.parameter_count",
    "A kernel of side 3 has 3 · 3 = 9 weights for each input channel, not 3.",
)
def takes_the_side_for_the_area(convolutions):
    return sum(outputs * (inputs * kernel + 1) for inputs, outputs, kernel in convolutions)


@misconception(
    "01.parameter_count",
    "Each kernel reaches through ALL input channels: multiply by `inputs` too.",
)
def forgets_the_inputs(convolutions):
    return sum(outputs * (kernel**2 + 1) for inputs, outputs, kernel in convolutions)


@misconception(
    "01.parameter_count",
    "There is a bias for each output channel, not for each input channel.",
)
def gives_inputs_the_biases(convolutions):
    return sum(inputs * outputs * kernel**2 + inputs for inputs, outputs, kernel in convolutions)


@misconception(
    "01.parameter_count",
    "This is one bias for each layer. Each of its output channels has a bias of its own.",
)
def one_bias_for_each_layer(convolutions):
    return sum(inputs * outputs * kernel**2 + 1 for inputs, outputs, kernel in convolutions)


@misconception(
    "01.parameter_count",
    "Only the first of the convolutions was counted: add all of them up.",
)
def counts_the_first_only(convolutions):
    return next((outputs * (inputs * kernel**2 + 1) for inputs, outputs, kernel in convolutions), 0)


@misconception(
    "01.parameter_count",
    "A bias for every weight is too many: one for each output channel.",
)
def a_bias_for_every_weight(convolutions):
    return sum(2 * inputs * outputs * kernel**2 for inputs, outputs, kernel in convolutions)


@misconception(
    "01.parameter_count",
    "This is a bias for each pair of an input and an output channel. An output channel adds up all its inputs and has "
    "one bias.",
)
def a_bias_for_every_pair(convolutions):
    return sum(inputs * outputs * (kernel**2 + 1) for inputs, outputs, kernel in convolutions)
