"""Right answers to lesson 03 in another style, which every grader must accept."""

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum, reduce
from sklearn.decomposition import NMF

from innervision import edit, record, render
from innervision.atlas import Cells, Grid, Groups, draw_icons, factorize
from innervision.attribution import activation_and_gradient, relaxed_max_pooling
from innervision.attribution.gradients import target_scores
from innervision.classroom.exercises import alternative
from innervision.examples import Examples
from innervision.optvis import Joint, Objective, direction_unit
from innervision.optvis.matching import mean_over_layers
from innervision.optvis.objectives import as_objective


@alternative("03.top_examples")
def top_examples_with_python(places, count=9, *, lowest=False):
    values = places.values.tolist()
    order = sorted(range(len(values)), key=lambda image: values[image], reverse=not lowest)[:count]
    return Examples(
        torch.tensor(order),
        torch.tensor([values[image] for image in order]),
        torch.tensor([int(places.rows[image]) for image in order]),
        torch.tensor([int(places.columns[image]) for image in order]),
    )


@alternative("03.top_examples")
def top_examples_one_after_the_other(places, count=9, *, lowest=False):
    left = (-places.values if lowest else places.values).double().clone()
    order = []
    for _ in range(count):
        order.append(int(left.argmax()))
        left[order[-1]] = -torch.inf
    found = places[order]
    return Examples(torch.tensor(order), found.values, found.rows, found.columns)


@alternative("03.top_examples")
def top_examples_with_numpy(places, count=9, *, lowest=False):
    values = places.values.numpy()
    order = torch.from_numpy(np.argsort(values if lowest else -values, kind="stable")[:count].copy())
    return Examples(order, places.values[order], places.rows[order], places.columns[order])


@alternative("03.activation_spectrum")
def spectrum_with_loops(places, slices=5, count=6):
    low = min(float(kind.values.min()) for kind in places)
    high = max(float(kind.values.max()) for kind in places)
    table = []
    for step in range(slices):
        level = low + (high - low) * step / (slices - 1)
        candidates = []
        for image in range(len(places[0])):
            far = [abs(float(kind.values[image]) - level) for kind in places]
            candidates.append((min(far), image, far.index(min(far))))
        table.append([(image, places[which]) for _, image, which in sorted(candidates)[:count]])
    return Examples(
        torch.tensor([[image for image, _ in row] for row in table]),
        torch.tensor([[float(kind.values[image]) for image, kind in row] for row in table]),
        torch.tensor([[int(kind.rows[image]) for image, kind in row] for row in table]),
        torch.tensor([[int(kind.columns[image]) for image, kind in row] for row in table]),
    )


@alternative("03.activation_spectrum")
def spectrum_slice_by_slice(places, slices=5, count=6):
    values, rows, columns = (
        torch.stack([getattr(kind, name) for kind in places], dim=1) for name in ("values", "rows", "columns")
    )
    parts = []
    for level in np.linspace(float(values.min()), float(values.max()), slices):
        distance, which = (values.double() - level).abs().min(dim=1)
        images = distance.argsort(stable=True)[:count]
        parts.append([images, *(table[images, which[images]] for table in (values, rows, columns))])
    return Examples(*(torch.stack(part) for part in zip(*parts, strict=True)))


@alternative("03.diversity")
def diversity_with_loops(layer):
    def objective(activations):
        flat = activations[layer].flatten(2)
        grams = [one @ one.T for one in flat]
        scores = []
        for i, gram in enumerate(grams):
            others = [F.cosine_similarity(gram.flatten(), other.flatten(), dim=0) for other in grams]
            scores.append(-(sum(others) - others[i]) / len(grams))
        return torch.stack(scores)

    return Objective(objective, "diversity")


@alternative("03.diversity")
def diversity_with_einsum(layer):
    def objective(activations):
        features = activations[layer].double()
        grams = torch.einsum("nihw,njhw->nij", features, features)
        units = grams / torch.linalg.norm(grams, dim=(1, 2), keepdim=True).clamp(min=1e-12)
        likeness = torch.einsum("nij,mij->nm", units, units)
        return -likeness.fill_diagonal_(0).sum(dim=1) / len(likeness)

    return Objective(objective, "diversity")


@alternative("03.direction")
def along_with_cosine_similarity(activation, vector, cosine_power=0):
    spread = vector.view(1, -1, *[1] * (activation.ndim - 2))
    cosines = F.cosine_similarity(activation, spread.expand_as(activation), dim=1)
    return (activation * spread).sum(dim=1) * cosines.clamp(min=0.1).pow(cosine_power)


@alternative("03.direction")
def along_with_channels_last(activation, vector, cosine_power=0):
    last = activation.double().movedim(1, -1)
    products = last @ vector.double()
    lengths = last.square().sum(dim=-1).add(1e-12).sqrt() * vector.double().norm()
    return products * torch.maximum(products / lengths, torch.tensor(0.1)) ** cosine_power


@alternative("03.interpolate")
def interpolate_with_a_loop(first, second, images=5):
    start, end = as_objective(first), as_objective(second)

    def mixture(activations):
        one, other = start(activations), end(activations)
        return torch.stack([one[i] + i / (images - 1) * (other[i] - one[i]) for i in range(images)])

    return Joint(mixture, f"from {start} to {end}", images)


@alternative("03.interpolate")
def interpolate_with_lerp(first, second, images=5):
    start, end = as_objective(first), as_objective(second)

    def mixture(activations):
        share = torch.arange(images, dtype=torch.float32) / (images - 1)
        return torch.lerp(start(activations), end(activations), share)

    return Joint(mixture, images=images)


@alternative("03.inversion")
def inversion_with_a_loop(targets):
    def objective(activations):
        total = 0.0
        for name, target in targets.items():
            drawn = activations[name].double()
            far = torch.stack([(one - target[min(i, len(target) - 1)]).norm() ** 2 for i, one in enumerate(drawn)])
            total = total - far / target.double().square().sum(dim=(1, 2, 3))
        return total / len(targets)

    return objective


@alternative("03.inversion")
def inversion_multiplied_out(targets):
    def nearness(drawn, target):
        length = target.square().sum(dim=1)
        return (2 * (drawn * target).sum(dim=1) - drawn.square().sum(dim=1)) / length - 1

    return Objective(mean_over_layers(targets, nearness), "inversion")


@alternative("03.caricature")
def caricature_with_a_loop(targets, cosine_power=0):
    def objective(activations):
        scores = []
        for name, target in targets.items():
            drawn = activations[name].double()
            wanted = target.double().expand_as(drawn)
            dot = torch.einsum("nchw,nchw->n", drawn, wanted)
            cosines = dot / drawn.flatten(1).norm(dim=1) / wanted.flatten(1).norm(dim=1)
            scores.append(dot * cosines.clamp(min=0.1) ** cosine_power / wanted.flatten(1).norm(dim=1) ** 2)
        return sum(scores) / len(scores)

    return objective


@alternative("03.caricature")
def caricature_of_unit_targets(targets, cosine_power=0):
    def likeness(drawn, target):
        unit = F.normalize(target, dim=1)
        reach = (drawn * unit).sum(dim=1)
        cosines = (reach / drawn.norm(dim=1).clamp(min=1e-12)).clamp(min=0.1)
        return reach / target.norm(dim=1) * cosines**cosine_power

    return Objective(mean_over_layers(targets, likeness))


# ================ many neurons and what they do


@alternative("03.activation_grid")
def grid_icon_by_icon(model, layer, image, *, size=None, steps=128, cosine_power=2.0, seed=0):
    activation = record(model, image.unsqueeze(0), layer)[layer].detach().squeeze(0)
    _, rows, columns = activation.shape
    icons, strengths = [], torch.zeros(rows, columns, dtype=torch.float64)
    for row in range(rows):
        for column in range(columns):
            vector = activation[:, row, column]
            drawn = draw_icons(model, layer, vector[None], size=size, steps=steps, cosine_power=cosine_power, seed=seed)
            icons.append(drawn[0])
            strengths[row, column] = (vector.double() ** 2).sum().sqrt()
    return Grid(torch.stack(icons), strengths)


@alternative("03.activation_grid")
def grid_with_render_itself(model, layer, image, *, size=None, steps=128, cosine_power=2.0, seed=0):
    with torch.no_grad():
        activation = record(model, image[None], layer)[layer]
    vectors = F.normalize(activation, dim=1).permute(0, 2, 3, 1).flatten(0, 2)
    objectives = [direction_unit(layer, vector, cosine_power=cosine_power) for vector in vectors]
    icons = render(model, objectives, size=size or 32, steps=steps, seed=seed).images
    return Grid(icons, activation.square().sum(dim=1).sqrt()[0])


@alternative("03.neuron_groups")
def groups_with_scikit_learn_itself(activations, groups, *, seed=0):
    images, channel, rows, columns = activations.shape
    matrix = activations.detach().permute(0, 2, 3, 1).reshape(-1, channel).double().numpy()
    solver = NMF(groups, init="nndsvda", random_state=seed, max_iter=2000)
    places, channels = solver.fit_transform(matrix), solver.components_
    lengths = np.maximum(np.linalg.norm(channels, axis=1), 1e-12)
    order = np.argsort(-np.linalg.norm(places, axis=0) * lengths)
    places, channels = (places * lengths)[:, order], (channels / lengths[:, None])[order]
    left = np.linalg.norm(matrix - places @ channels) / max(np.linalg.norm(matrix), 1e-12)
    maps = places.reshape(images, rows, columns, groups).transpose(0, 3, 1, 2)
    return Groups(torch.from_numpy(channels), torch.from_numpy(maps.copy()), left)


@alternative("03.neuron_groups")
def groups_by_lee_and_seungs_own_rule(activations, groups, *, seed=0):
    """Multiplicative updates in double precision, from positions that are far apart."""
    matrix = activations.detach().double().movedim(1, -1).flatten(0, 2)
    channels, tiny = _far_apart(matrix, groups) + 1e-3, 1e-12
    places = matrix @ channels.T + 1e-3
    for _ in range(600):
        places = places * (matrix @ channels.T) / (places @ (channels @ channels.T) + tiny)
        channels = channels * (places.T @ matrix) / (places.T @ places @ channels + tiny)
    lengths = (channels**2).sum(dim=1).sqrt().clamp(min=tiny)
    places, channels = places * lengths, channels / lengths[:, None]
    order = sorted(range(groups), key=lambda group: -float((places[:, group] ** 2).sum()))
    left = (matrix - places @ channels).norm() / max(float(matrix.norm()), tiny)
    shape = (len(activations), *activations.shape[2:], groups)
    return Groups(channels[order], places[:, order].view(shape).movedim(-1, 1), float(left))


def _far_apart(matrix, count):
    """Rows of the matrix, each as far as possible from the span of those before."""
    rest, chosen = matrix.clone(), []
    for _ in range(count):
        farthest = (rest**2).sum(dim=1).argmax()
        axis = F.normalize(rest[farthest], dim=0)
        chosen.append(matrix[farthest])
        rest = rest - torch.outer(rest @ axis, axis)
    return torch.stack(chosen)


@alternative("03.neuron_groups")
def groups_sorted_by_the_sum_of_their_maps(activations, groups, *, seed=0):
    matrix = activations.movedim(1, 3).flatten(0, 2)
    places, channels = factorize(matrix, groups, seed=seed)
    found = []
    for place, channel in zip(places.T, channels, strict=True):
        length = float(channel.norm()) or 1.0
        found.append((float(place.sum()) * length, place * length, channel / length))
    found.sort(key=lambda group: group[0], reverse=True)
    channels = torch.stack([channel for _, _, channel in found])
    maps = torch.stack([place.view(activations[:, 0].shape) for _, place, _ in found], dim=1)
    left = activations - einsum(maps, channels, "image group row column, group channel -> image channel row column")
    length = float(activations.square().sum()) ** 0.5
    return Groups(channels, maps, float(left.square().sum()) ** 0.5 / length if length else 0.0)


@alternative("03.activation_atlas")
def averages_with_a_dictionary(vectors, coordinates, side, *, least=1):
    squares = {}
    for vector, (row, column) in zip(vectors, coordinates.tolist(), strict=True):
        place = min(int(row * side), side - 1), min(int(column * side), side - 1)
        squares.setdefault(place, []).append(vector.double())
    kept = [(place, squares[place]) for place in sorted(squares) if len(squares[place]) >= least]
    means = torch.stack([torch.stack(members).mean(dim=0) for _, members in kept])
    rows, columns = torch.tensor([place for place, _ in kept]).T
    return Cells(means, rows, columns, torch.tensor([len(members) for _, members in kept]), side)


@alternative("03.activation_atlas")
def averages_with_one_hot_squares(vectors, coordinates, side, *, least=1):
    place = torch.floor(coordinates * side).clamp(0, side - 1).long()
    belongs = F.one_hot(place[:, 0] * side + place[:, 1], side**2).to(vectors)
    counts = belongs.sum(dim=0)
    means = belongs.T @ vectors / counts[:, None]
    kept = counts >= least
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return Cells(means[kept], rows.flatten()[kept], columns.flatten()[kept], counts[kept].int(), side)


@alternative("03.activation_atlas")
def averages_with_unique(vectors, coordinates, side, *, least=1):
    place = torch.minimum((coordinates * side).int(), torch.tensor(side - 1))
    squares, where, counts = torch.unique(place, dim=0, return_inverse=True, return_counts=True)
    means = torch.zeros(len(squares), vectors.shape[1])
    means.scatter_reduce_(0, where[:, None].expand_as(vectors), vectors, "mean", include_self=False)
    kept = counts >= least
    return Cells(means[kept], squares[kept, 0], squares[kept, 1], counts[kept], side)


def _own_hooks(model, layer, images, target, of, relaxed):
    """Activation and gradient with hooks that come off again."""
    seen = {}

    def keep(module, given, output):
        seen["activation"] = output
        output.retain_grad() if output.requires_grad else output.requires_grad_()

    def note(module, given, output):
        seen["output"] = output

    modules = dict(model.named_modules())
    handles = [modules[layer].register_forward_hook(keep)]
    if of is not None:
        handles.append(modules[of].register_forward_hook(note))
    try:
        if relaxed:
            with relaxed_max_pooling():
                logits = model(images)
        else:
            logits = model(images)
    finally:
        for handle in handles:
            handle.remove()
    scores = target_scores(seen.get("output", logits), target)
    gradient = torch.autograd.grad(scores.sum(), seen["activation"])[0]
    return seen["activation"].detach(), gradient


@alternative("03.spatial_attribution")
def positions_with_own_hooks(model, layer, images, target, *, of=None, relaxed=False):
    activation, gradient = _own_hooks(model, layer, images, target, of, relaxed)
    return einsum(activation.double(), gradient.double(), "batch k row column, batch k row column -> batch row column")


@alternative("03.spatial_attribution")
def positions_one_by_one(model, layer, images, target, *, of=None, relaxed=False):
    activation, gradient = activation_and_gradient(model, layer, images, target, of=of, relaxed=relaxed)
    shares = torch.zeros(len(images), *activation.shape[2:])
    for row in range(shares.shape[1]):
        for column in range(shares.shape[2]):
            pairs = zip(activation[:, :, row, column], gradient[:, :, row, column], strict=True)
            shares[:, row, column] = torch.stack([torch.dot(vector, slope) for vector, slope in pairs])
    return shares


@alternative("03.channel_attribution")
def channels_with_own_hooks(model, layer, images, target, *, of=None, relaxed=False):
    activation, gradient = _own_hooks(model, layer, images, target, of, relaxed)
    return torch.stack(
        [(a * g).double().reshape(len(a), -1).sum(dim=1) for a, g in zip(activation, gradient, strict=True)]
    )


@alternative("03.channel_attribution")
def channels_as_the_slope_of_a_volume_knob(model, layer, images, target, *, of=None, relaxed=False):
    """Turn each channel's volume, 1 as it is: the slope of the output is the channel's attribution."""
    activation, _ = activation_and_gradient(model, layer, images, target, of=of)
    volume = torch.ones(activation.shape[:2], requires_grad=True)
    knob = volume.view(*volume.shape, *[1] * (activation.ndim - 2))
    with edit(model, {layer: lambda output: activation * knob}):
        if relaxed:
            with relaxed_max_pooling():
                output = model(images) if of is None else record(model, images, of)[of]
        else:
            output = model(images) if of is None else record(model, images, of)[of]
    target_scores(output, target).sum().backward()
    return volume.grad


@alternative("03.channel_attribution")
def channels_with_einops(model, layer, images, target, *, of=None, relaxed=False):
    products = torch.mul(*activation_and_gradient(model, layer, images, target, of=of, relaxed=relaxed))
    return products if products.ndim == 2 else reduce(products, "batch channel row column -> batch channel", "sum")


@alternative("03.integrated_attribution")
def all_steps_in_one_batch(model, layer, images, target, *, baseline=None, steps=64, of=None, relaxed=False):
    end, _ = activation_and_gradient(model, layer, images, target, of=of)
    start = torch.zeros_like(end) if baseline is None else baseline.expand_as(end)
    shares = (torch.arange(steps) + 0.5) / steps
    points = torch.cat([torch.lerp(start, end, share) for share in shares.tolist()])
    again = target.repeat(steps) if isinstance(target, torch.Tensor) and target.ndim else target
    many = images.repeat(steps, *[1] * (images.ndim - 1))
    _, gradient = activation_and_gradient(model, layer, many, again, of=of, activation=points, relaxed=relaxed)
    return (end - start) * gradient.unflatten(0, (steps, len(images))).mean(dim=0)


@alternative("03.integrated_attribution")
def piece_by_piece_in_float64(model, layer, images, target, *, baseline=None, steps=64, of=None, relaxed=False):
    end = activation_and_gradient(model, layer, images, target, of=of)[0]
    start = 0 * end if baseline is None else 0 * end + baseline
    piece = (end - start) / steps
    point, total = start + piece / 2, torch.zeros_like(end).double()
    for _ in range(steps):
        slope = activation_and_gradient(model, layer, images, target, of=of, activation=point, relaxed=relaxed)[1]
        total += piece.double() * slope.double()
        point = point + piece
    return total


@alternative("03.layer")
def layer_image_by_image(name):
    def how_much(activations):
        return torch.stack([(image.double() ** 2).sum() / image.numel() for image in activations[name]])

    return how_much


@alternative("03.layer")
def layer_as_a_dot_product(name):
    def how_much(activations):
        flat = activations[name].reshape(len(activations[name]), -1)
        return torch.einsum("bi,bi->b", flat, flat) / flat.shape[1]

    return how_much


@alternative("03.layer")
def layer_channel_by_channel(name):
    return lambda activations: reduce(
        activations[name].pow(2), "batch channel row column -> batch channel", "mean"
    ).mean(1)
