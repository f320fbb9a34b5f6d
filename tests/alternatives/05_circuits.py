"""Right answers to lesson 05 in another style, which every grader must accept."""

import itertools
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from math import comb, exp, lgamma

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum
from scipy.stats import hypergeom
from torch import nn
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import rotate

from innervision import edit, record
from innervision.circuits import (
    Connections,
    edges_of,
    effective_kernel,
    faithfulness,
    keep_only,
    rotate_family,
)
from innervision.circuits.composition import LinearMap, joined
from innervision.circuits.edges import read_and_gradient
from innervision.circuits.linear import linear_steps
from innervision.classroom.exercises import alternative

# ---------------------------------------------------------------- weights multiplied out


@alternative("05.effective_kernel")
def kernel_with_loops(first, second, stride=1):
    outputs, _, more_rows, more_columns = second.shape
    _, inputs, rows, columns = first.shape
    whole = torch.zeros(outputs, inputs, rows + stride * (more_rows - 1), columns + stride * (more_columns - 1))
    for row, column in itertools.product(range(more_rows), range(more_columns)):
        copies = torch.einsum("om,mirc->oirc", second[:, :, row, column], first)
        top, left = stride * row, stride * column
        whole[:, :, top : top + rows, left : left + columns] += copies
    return whole


@alternative("05.effective_kernel")
def kernel_by_flipping(first, second, stride=1):
    outputs, middle, more_rows, more_columns = second.shape
    spread = torch.zeros(outputs, middle, stride * (more_rows - 1) + 1, stride * (more_columns - 1) + 1)
    spread[:, :, ::stride, ::stride] = second
    padding = (first.shape[2] - 1, first.shape[3] - 1)
    return F.conv2d(spread.double(), first.flip(2, 3).transpose(0, 1).double(), padding=padding)


@alternative("05.effective_kernel")
def kernel_by_fourier_transform(first, second, stride=1):
    size = [first.shape[axis] + stride * (second.shape[axis] - 1) for axis in (2, 3)]
    spread = torch.zeros(*second.shape[:2], *size, dtype=torch.float64)
    rows, columns = (stride * torch.arange(count) for count in second.shape[2:])
    spread[:, :, rows[:, None], columns] = second.double()
    product = torch.einsum("omrc,mirc->oirc", torch.fft.fft2(spread), torch.fft.fft2(first.double(), s=size))
    return torch.fft.ifft2(product).real


@alternative("05.expanded_weights")
def weights_with_a_recursion(model, from_layer, to_layer, images=None):
    steps = linear_steps(model, from_layer, to_layer, images)

    def reached(number):
        if number == 0:
            channels = steps[0].channels[0]
            return LinearMap(torch.eye(channels)[:, :, None, None].to(torch.get_default_dtype()))
        step = steps[number - 1]
        if step.kernel is None:
            return joined([reached(source) for source in step.sources], step.channels)
        return reached(step.sources[0]).then(step)

    return reached(len(steps)).kernel


@alternative("05.expanded_weights")
def weights_with_effective_kernels(model, from_layer, to_layer, images=None):
    steps = linear_steps(model, from_layer, to_layer, images)
    maps = {0: LinearMap(torch.eye(steps[0].channels[0])[:, :, None, None])}
    for number, step in enumerate(steps, start=1):
        if step.kernel is None:
            maps[number] = joined([maps[source] for source in step.sources], step.channels)
            continue
        before, kernel = maps[step.sources[0]], step.kernel
        if kernel.shape[:2] == (1, 1) and step.channels[0] > 1:
            kernel = kernel * torch.eye(step.channels[0])[:, :, None, None]
        start = [begin - before.stride * padding for begin, padding in zip(before.start, step.padding, strict=True)]
        after = effective_kernel(before.kernel, kernel, before.stride)
        maps[number] = LinearMap(after, before.stride * step.stride, tuple(start))
    return maps[len(steps)].kernel


@alternative("05.top_connections")
def connections_with_python(weights, unit, count=5):
    def strongest(pick):
        found = []
        for channel, kernel in enumerate(weights[unit]):
            squares = sum(weight**2 for weight in kernel.flatten().tolist() if pick(weight))
            found.append((-(squares**0.5), channel))
        found = sorted(found)[:count]
        channels = torch.tensor([channel for _, channel in found])
        return Connections(channels, torch.tensor([-strength for strength, _ in found]), weights[unit][channels])

    return strongest(lambda weight: weight > 0), strongest(lambda weight: weight < 0)


@alternative("05.top_connections")
def connections_with_numpy(weights, unit, count=5):
    kernels = weights[unit].numpy().astype(np.float64)
    lists = []
    for part in (np.maximum(kernels, 0), np.minimum(kernels, 0)):
        strengths = np.linalg.norm(part, axis=(1, 2))
        order = np.argsort(strengths, kind="stable")[::-1][:count].copy()
        lists.append(Connections(torch.from_numpy(order), torch.from_numpy(strengths[order]), weights[unit, order]))
    return lists[0], lists[1]


# ---------------------------------------------------------------- families


@alternative("05.rotate_family")
def turned_by_torchvision(weights, angle, unit_shift=1, input_shift=1):
    turned = rotate(weights, angle, interpolation=InterpolationMode.BILINEAR)
    return turned.roll(unit_shift, 0).roll(input_shift, 1)


@alternative("05.rotate_family")
def turned_at_once(weights, angle, unit_shift=1, input_shift=1):
    radians = torch.deg2rad(torch.tensor(angle, dtype=torch.float64))
    cosine, sine = radians.cos(), radians.sin()
    nothing = torch.zeros((), dtype=torch.float64)
    turn = torch.stack([torch.stack([cosine, -sine, nothing]), torch.stack([sine, cosine, nothing])])
    grid = F.affine_grid(turn.expand(len(weights), 2, 3), list(weights.shape), align_corners=True)
    turned = F.grid_sample(weights.double(), grid, align_corners=True)
    units, inputs = weights.shape[:2]
    moved = torch.empty_like(turned)
    for unit, each in itertools.product(range(units), range(inputs)):
        moved[(unit + unit_shift) % units, (each + input_shift) % inputs] = turned[unit, each]
    return moved


@alternative("05.equivariance_score")
def score_with_numpy(weights, angle, unit_shift=1, input_shift=1):
    side = weights.shape[-1]
    rows, columns = np.indices((side, side)) - (side - 1) / 2
    inside = np.hypot(rows, columns) < side / 2
    one = weights.numpy()[..., inside].ravel()
    other = rotate_family(weights, angle, unit_shift, input_shift).numpy()[..., inside].ravel()
    return one @ other / np.sqrt((one @ one) * (other @ other))


@alternative("05.equivariance_score")
def score_of_unit_vectors(weights, angle, unit_shift=1, input_shift=1):
    side = weights.shape[-1]
    places = torch.linspace(1 - side, side - 1, side) / 2
    inside = torch.cdist(torch.cartesian_prod(places, places), torch.zeros(1, 2)).view(side, side) <= side / 2
    turned = rotate_family(weights, angle, unit_shift, input_shift)
    units = [F.normalize(kernels[:, :, inside].flatten().double(), dim=0) for kernels in (weights, turned)]
    return units[0] @ units[1]


# ---------------------------------------------------------------- changes


@alternative("05.ablate")
def ablation_with_where(channels, how="zero", *, data=None, generator=None):
    def changed(activation):
        chosen = torch.zeros(activation.shape[1], dtype=torch.bool)
        chosen[list(channels)] = True
        put_in = torch.zeros_like(activation)
        if how == "mean":
            put_in = torch.stack(list(data)).mean(0, keepdim=True)
        elif how == "resample":
            put_in = data[(torch.rand(len(activation), generator=generator) * len(data)).long()]
        return torch.where(chosen[:, None, None], put_in, activation)

    return changed


@alternative("05.ablate")
def ablation_image_by_image(channels, how="zero", *, data=None, generator=None):
    def put_in():
        if how == "zero":
            return None
        if how == "mean":
            return sum(one.double() for one in data) / len(data)
        return data[int(torch.randint(0, data.shape[0], (1,), generator=generator))]

    def changed(activation):
        images = []
        for one in activation:
            other, rows = put_in(), list(one)
            for channel in channels:
                rows[channel] = torch.zeros_like(one[channel]) if other is None else other[channel].to(one)
            images.append(torch.stack(rows))
        return torch.stack(images)

    return changed


@alternative("05.total_effect")
def total_effect_in_a_block(model, images, layer, change, of):
    usual = record(model, images, [of])[of].detach()
    with edit(model, {layer: change}), torch.inference_mode():
        changed = record(model, images, of)[of].clone()
    return changed.double() - usual.double()


@alternative("05.total_effect")
def total_effect_with_own_hooks(model, images, layer, change, of):
    seen = []
    modules = dict(model.named_modules())
    with ExitStack() as stack:
        stack.callback(modules[of].register_forward_hook(lambda *given: seen.append(given[2].detach())).remove)
        model(images)
        stack.callback(modules[layer].register_forward_hook(lambda *given: change(given[2])).remove)
        model(images)
    return seen[1] - seen[0]


@alternative("05.direct_effect")
def direct_effect_with_a_helper(model, images, layer, change, of, through):
    def hold(value):
        return lambda activation: value

    with torch.no_grad():
        usual = record(model, images, of)[of]
        edits = {layer: change}
        for name in through:
            edits[name] = hold(record(model, images, name)[name])
        with edit(model, edits):
            return record(model, images, of)[of] - usual


@alternative("05.direct_effect")
def direct_effect_with_own_hooks(model, images, layer, change, of, through):
    modules, kept = dict(model.named_modules()), defaultdict(list)

    def keep(name):
        return lambda module, given, output: kept[name].append(output.detach().clone())

    def put(function):
        return lambda module, given, output: function(output)

    with ExitStack() as stack:
        for name in (*through, of):
            stack.callback(modules[name].register_forward_hook(keep(name)).remove)
        model(images)
    with ExitStack() as stack:
        stack.callback(modules[layer].register_forward_hook(put(change)).remove)
        for name in through:
            stack.callback(modules[name].register_forward_hook(put(lambda _, name=name: kept[name][0])).remove)
        stack.callback(modules[of].register_forward_hook(keep(of)).remove)
        model(images)
    return kept[of][1] - kept[of][0]


@alternative("05.edge_attribution")
def edges_one_by_one(model, images, convolution, target, other=None):
    layer, read, gradient = read_and_gradient(model, images, convolution, target)
    if other is not None:
        read = read - read_and_gradient(model, other, convolution, target)[1]
    edges = torch.zeros(layer.out_channels, layer.in_channels)
    with torch.no_grad():
        for source in range(layer.in_channels):
            kernels = layer.weight[:, [source]]
            carried = F.conv2d(read[:, [source]], kernels, None, layer.stride, layer.padding)
            edges[:, source] = (carried * gradient).sum(dim=(0, 2, 3)) / len(images)
    return edges


@alternative("05.edge_attribution")
def edges_with_unfold(model, images, convolution, target, other=None):
    layer, read, gradient = read_and_gradient(model, images, convolution, target)
    if other is not None:
        read = read - read_and_gradient(model, other, convolution, target)[1]
    size = layer.weight.shape[2:]
    seen = F.unfold(read, size, padding=layer.padding, stride=layer.stride).unflatten(1, (read.shape[1], -1))
    weight = layer.weight.detach().flatten(2)
    slopes = gradient.flatten(2)
    return einsum(seen, slopes, weight, "b i k p, b o p, o i k -> o i").div(read.shape[0])


# ---------------------------------------------------------------- circuits


@alternative("05.keep_only")
@contextmanager
def keep_with_finally(model, circuit):
    for name, mask in circuit.items():
        layer = model.get_submodule(name)
        if mask.shape != layer.weight.shape[:2]:
            raise ValueError(f"circuit: the mask of '{name}' has another shape")
    old = {name: model.get_submodule(name).weight.detach().clone() for name in circuit}
    try:
        with torch.no_grad():
            for name, mask in circuit.items():
                model.get_submodule(name).weight[~mask] = 0
        yield model
    finally:
        with torch.no_grad():
            for name, weight in old.items():
                model.get_submodule(name).weight.copy_(weight)


@alternative("05.keep_only")
class KeepWithAClass:
    """A context manager by hand, which gives each convolution another parameter for a while."""

    def __init__(self, model, circuit):
        self.model, self.circuit, self.old = model, circuit, {}
        for name, mask in circuit.items():
            if tuple(mask.shape) != tuple(model.get_submodule(name).weight.shape[:2]):
                raise ValueError(f"circuit: the mask of '{name}' does not fit")

    def __enter__(self):
        for name, mask in self.circuit.items():
            layer = self.model.get_submodule(name)
            self.old[name] = layer.weight
            layer.weight = nn.Parameter(torch.where(mask[:, :, None, None], layer.weight.detach(), 0.0))
        return self.model

    def __exit__(self, *_):
        for name, weight in self.old.items():
            self.model.get_submodule(name).weight = weight


@alternative("05.faithfulness")
def faithfulness_step_by_step(model, circuit, behaviour):
    measured = []
    for masks in ({name: mask & ~mask for name, mask in circuit.items()}, circuit, {}):
        with keep_only(model, masks):
            measured.append(behaviour())
    nothing, alone, whole = measured
    return 1 - (whole - alone) / (whole - nothing)


@alternative("05.faithfulness")
def faithfulness_by_masks_of_one_value(model, circuit, behaviour):
    def does(masks):
        with keep_only(model, masks):
            return np.float64(behaviour())

    nothing, whole = (
        does({name: torch.full_like(mask, kept) for name, mask in circuit.items()}) for kept in (False, True)
    )
    return np.divide(does(circuit) - nothing, whole - nothing)


@alternative("05.completeness")
def completeness_step_by_step(model, circuit, behaviour):
    whole = behaviour()
    with keep_only(model, {name: mask.logical_not() for name, mask in circuit.items()}):
        others = behaviour()
    with keep_only(model, {name: torch.zeros_like(mask) for name, mask in circuit.items()}):
        nothing = behaviour()
    return (whole - others) / (whole - nothing)


@alternative("05.completeness")
def completeness_with_a_loop(model, circuit, behaviour):
    others = {}
    for name in circuit:
        others[name] = circuit[name] == 0
    return 1.0 - faithfulness(model, others, behaviour)


@alternative("05.minimal_circuit")
def minimal_with_faithfulness(model, scores, behaviour, share=0.95):
    circuit = {name: score == score for name, score in scores.items()}
    gone = True
    while gone:
        gone = False
        edges = [(abs(scores[name][row, column].item()), name, row, column) for name, row, column in edges_of(circuit)]
        for _, name, row, column in sorted(edges):
            tried = {key: mask.clone() for key, mask in circuit.items()}
            tried[name][row, column] = False
            if faithfulness(model, tried, behaviour) >= share:
                circuit, gone = tried, True
    return circuit


@alternative("05.minimal_circuit")
def minimal_from_the_weakest_again(model, scores, behaviour, share=0.95):
    """After each edge that goes, the weakest is tried again: other circuits may come out, with the same guarantee."""
    names = list(scores)
    flat = torch.cat([scores[name].abs().flatten() for name in names])
    stays = torch.ones(len(flat), dtype=torch.bool)

    def circuit():
        parts = stays.split([scores[name].numel() for name in names])
        return {name: part.view(scores[name].shape).clone() for name, part in zip(names, parts, strict=True)}

    place, order = 0, flat.argsort().tolist()
    while place < len(order):
        stays[order[place]] = False
        if faithfulness(model, circuit(), behaviour) >= share:
            order.pop(place)
            place = 0
        else:
            stays[order[place]] = True
            place += 1
    return circuit()


@alternative("05.branch_specialization")
def chance_by_scipy(family, in_branch, branch, layer):
    return float(hypergeom.sf(in_branch - 1, layer, branch, family))


@alternative("05.branch_specialization")
def chance_the_other_way_round(family, in_branch, branch, layer):
    """Dealing the branch to the family is the same as dealing the family to the branch."""
    total = Fraction(0)
    for number in range(in_branch, min(family, branch) + 1):
        total += Fraction(comb(family, number) * comb(layer - family, branch - number), comb(layer, branch))
    return float(total)


@alternative("05.branch_specialization")
def chance_with_logarithms(family, in_branch, branch, layer):
    def log_comb(n, k):
        return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)

    return sum(
        exp(log_comb(branch, k) + log_comb(layer - branch, family - k) - log_comb(layer, family))
        for k in range(in_branch, min(family, branch) + 1)
        if family - k <= layer - branch
    )
