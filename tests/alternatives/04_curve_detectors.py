"""Right answers to lesson 04 in another style."""

import cmath
import math
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum, rearrange

from innervision import edit, record
from innervision.circuits.tuning import tuning_curve
from innervision.classroom.exercises import alternative
from innervision.data.stimuli.canvas import as_batch, band, edge, paint, plane

# ---------------------------------------------------------------- draw_curve


@alternative("04.draw_curve")
def curve_with_complex_numbers(
    orientation, radius, width=2.0, length=16.0, *, row=0.0, column=0.0, contrast=1.0, size=33
):
    orientation, radius, width, length, row, column, contrast = as_batch(
        orientation=orientation, radius=radius, width=width, length=length, row=row, column=column, contrast=contrast
    )
    right, up = plane(size, row, column)
    arrow = torch.polar(torch.ones_like(orientation), torch.deg2rad(orientation))
    turned = torch.complex(right.expand(-1, up.shape[1], -1), up.expand(-1, -1, right.shape[2])) / arrow + radius
    return paint(
        band(turned.abs() - radius, width) * band(radius * turned.angle(), length, 2 * math.pi * radius), contrast
    )


@alternative("04.draw_curve")
def curve_with_sharp_edges_in_fine_pieces(
    orientation, radius, width=2.0, length=16.0, *, row=0.0, column=0.0, contrast=1.0, size=33
):
    """Every pixel is cut into 8 × 8 pieces, each of which is on the stroke or not."""
    orientation, radius, width, length, row, column, contrast = as_batch(
        orientation=orientation, radius=radius, width=width, length=length, row=row, column=column, contrast=contrast
    )
    rows, columns = (size, size) if isinstance(size, int) else size
    y = row + rows / 2 - ((torch.arange(8 * rows) + 0.5) / 8)[:, None]
    x = (torch.arange(8 * columns) + 0.5) / 8 - columns / 2 - column
    towards = torch.deg2rad(orientation)
    x, y = x + radius * towards.cos(), y + radius * towards.sin()
    ahead, aside = x * towards.cos() + y * towards.sin(), y * towards.cos() - x * towards.sin()
    inside = ((torch.hypot(x, y) - radius).abs() <= width / 2) & (
        radius * torch.atan2(aside, ahead).abs() <= length / 2
    )
    return paint(F.avg_pool2d(inside.double()[:, None], 8)[:, 0], contrast)


@alternative("04.draw_curve")
def curve_image_by_image(orientation, radius, width=2.0, length=16.0, *, row=0.0, column=0.0, contrast=1.0, size=33):
    """Its ends are where two straight lines through the centre cut it; a closed circle has none."""
    given = (orientation, radius, width, length, row, column, contrast)
    names = ("orientation", "radius", "width", "length", "row", "column", "contrast")
    images = []
    for values in zip(*(each.flatten() for each in as_batch(**dict(zip(names, given, strict=True)))), strict=True):
        angle, r, w, long, below, beside, strength = values
        right, up = plane(size, below.view(1, 1, 1), beside.view(1, 1, 1))
        x, y = right + r * math.cos(math.radians(angle)), up + r * math.sin(math.radians(angle))
        ring = edge(w / 2 - torch.hypot(x, y) + r) - edge(-w / 2 - torch.hypot(x, y) + r)
        away = (torch.rad2deg(torch.atan2(y, x)) - angle + 180) % 360 - 180
        half = long / 2 - away.abs() * torch.pi / 180 * r
        stroke = ring if long >= 2 * torch.pi * r else ring * edge(half)
        images.append(0.5 + 0.5 * strength * stroke.expand(3, -1, -1))
    return torch.stack(images)


# ---------------------------------------------------------------- tuning_curve


@alternative("04.tuning_curve")
def tuning_image_by_image(model, layer, stimuli, *, at="centre", batch_size=64):
    columns = []
    for image in stimuli:
        activation = record(model, image[None], layer)[layer].detach()[0].double()
        if at == "centre":
            columns.append(activation[:, activation.shape[1] // 2, activation.shape[2] // 2])
        else:
            columns.append(activation.flatten(1).max(dim=1).values)
    return torch.stack(columns, dim=1)


@alternative("04.tuning_curve")
def tuning_with_a_hook(model, layer, stimuli, *, at="centre", batch_size=64):
    seen = []

    def look(module, given, output):
        rows, columns = output.shape[-2:]
        spots = output[..., rows // 2, columns // 2] if at == "centre" else F.adaptive_max_pool2d(output, 1)[..., 0, 0]
        seen.append(spots)

    hook = model.get_submodule(layer).register_forward_hook(look)
    try:
        with torch.inference_mode():
            for start in range(0, len(stimuli), batch_size):
                model(stimuli[start : start + batch_size])
    finally:
        hook.remove()
    return rearrange(torch.cat(seen).clone(), "stimuli channel -> channel stimuli")


# ---------------------------------------------------------------- circles


@alternative("04.preferred_orientation")
def preferred_with_complex_numbers(responses, angles):
    arrows = torch.polar(torch.ones(len(angles), dtype=torch.float64), torch.deg2rad(angles.double()))
    total = (responses.double() * arrows).sum(dim=-1)
    direction = torch.rad2deg(total.angle())
    direction = torch.where(direction < 0, direction + 360, direction)
    return torch.where(total.abs() <= 1e-6 * responses.sum(dim=-1), torch.nan, direction)


@alternative("04.preferred_orientation")
def preferred_with_a_loop(responses, angles):
    found = []
    for curve in responses.reshape(-1, len(angles)).tolist():
        total = sum(
            response * cmath.rect(1, math.radians(angle)) for response, angle in zip(curve, angles, strict=True)
        )
        known = abs(total) > 1e-5 * sum(curve)
        found.append(math.degrees(cmath.phase(total)) % 360 if known else math.nan)
    return torch.tensor(found).view(responses.shape[:-1])


@alternative("04.preferred_orientation")
def preferred_with_einsum(responses, angles):
    radians = angles * torch.pi / 180
    arrows = torch.stack([radians.cos(), radians.sin()])
    right, up = einsum(responses, arrows, "... stimuli, side stimuli -> side ...")
    direction = (torch.atan2(up, right) * 180 / torch.pi + 360) % 360
    weak = (right**2 + up**2).sqrt() <= 1e-6 * responses.sum(dim=-1)
    return direction.where(~weak, torch.tensor(torch.nan))


@alternative("04.orientation_selectivity")
def selectivity_with_complex_numbers(responses, angles):
    arrows = torch.exp(1j * torch.deg2rad(angles.double()))
    return (responses * arrows).sum(dim=-1).abs() / responses.sum(dim=-1).clamp(min=1e-30)


@alternative("04.orientation_selectivity")
def selectivity_of_shares(responses, angles):
    """Each response as a share of all, so that nothing need be divided afterwards."""
    shares = F.normalize(responses.double(), p=1, dim=-1)
    radians = angles.double() * math.pi / 180
    arrows = torch.stack([torch.sin(radians), torch.cos(radians)], dim=-1)
    return (shares @ arrows).norm(dim=-1).float()


@alternative("04.orientation_selectivity")
def selectivity_with_numpy(responses, angles):
    curves = responses.double().numpy()
    total = np.abs(curves @ np.exp(1j * np.deg2rad(angles.double().numpy())))
    loud = curves.sum(axis=-1)
    return torch.from_numpy(np.asarray(np.divide(total, loud, out=np.zeros_like(total), where=loud > 0)))


# ---------------------------------------------------------------- tuning_width


@alternative("04.tuning_width")
def width_walked_by_hand(responses, angles):
    """From stimulus to stimulus, round the circle, until the curve is at half."""
    order = angles.argsort()
    places = angles[order].tolist()
    widths = []
    for curve in responses.reshape(-1, len(angles))[:, order].tolist():
        # Of equal peaks the first in the order given, not the first round the circle.
        start = order.tolist().index(min((o for o, v in zip(order.tolist(), curve, strict=True) if v == max(curve))))
        widths.append(_walk(curve, places, start, 1) + _walk(curve, places, start, -1))
        if max(curve) == 0:
            widths[-1] = math.nan
        elif min(curve) > max(curve) / 2:
            widths[-1] = 360.0
    return torch.tensor(widths).view(responses.shape[:-1])


def _walk(curve, places, start, step):
    count, half, gone, here = len(curve), curve[start] / 2, 0.0, start
    for _ in range(count):
        there = (here + step) % count
        gap = step * (places[there] - places[here]) % 360
        if curve[there] <= half:
            return gone + gap * (curve[here] - half) / max(curve[here] - curve[there], 1e-30)
        gone, here = gone + gap, there
    return gone


@alternative("04.tuning_width")
def width_with_numpy_on_three_turns(responses, angles):
    """The circle rolled out three times, and the crossings nearest to the peak on either side of it."""
    at, order = np.sort(angles.double().numpy()), np.argsort(angles.numpy())
    rolled = np.concatenate([at - 360, at, at + 360])
    found = []
    for given in responses.reshape(-1, len(angles)).double().numpy():
        peak, half = float(angles[given.argmax()]), given.max() / 2
        curve = np.tile(given[order], 3)
        if half == 0 or curve.min() > half:
            found.append(np.nan if half == 0 else 360.0)
            continue
        right = next(i for i in range(len(rolled)) if rolled[i] > peak + 1e-9 and curve[i] <= half)
        left = next(i for i in reversed(range(len(rolled))) if rolled[i] < peak - 1e-9 and curve[i] <= half)
        ends = [
            np.interp(half, [curve[low], curve[high]], [rolled[low], rolled[high]])
            for low, high in ((right, right - 1), (left, left + 1))
        ]
        found.append(ends[0] - ends[1])
    return torch.tensor(found).view(responses.shape[:-1])


# ---------------------------------------------------------------- echo_ratio


@alternative("04.echo_ratio")
def echo_with_a_loop(responses, angles, reach=20.0):
    found = []
    for curve in responses.reshape(-1, len(angles)).tolist():
        top = max(curve)
        opposite = float(angles[curve.index(top)]) + 180
        near = [
            value
            for value, angle in zip(curve, angles.tolist(), strict=True)
            if min((angle - opposite) % 360, (opposite - angle) % 360) <= reach
        ]
        found.append(max(near) / top if top > 0 else math.nan)
    return torch.tensor(found).view(responses.shape[:-1])


@alternative("04.echo_ratio")
def echo_with_infinities(responses, angles, reach=20.0):
    top, where = responses.double().max(dim=-1, keepdim=True)
    away = (angles.double() - angles.double()[where]).remainder(360)
    far = (away < 180 - reach) | (away > 180 + reach)
    return (torch.where(far, -torch.inf, responses.double()) / top).amax(dim=-1).float()


# ---------------------------------------------------------------- joint_tuning


@alternative("04.joint_tuning")
def joint_in_place(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    responses = None
    for index in range(len(first)):
        images = make_stimuli(first[index].repeat(len(second)), second)
        if images.shape[0] != second.shape[0]:
            raise ValueError("make_stimuli: another number of images than of pairs")
        curve = tuning_curve(model, layer, images, at=at, batch_size=batch_size)
        if responses is None:
            responses = torch.zeros(len(curve), len(first), len(second))
        responses[:, index] = curve
    return responses


@alternative("04.joint_tuning")
def joint_without_tuning_curve(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    rows = []
    for value in first.tolist():
        stimuli, found = make_stimuli(torch.full_like(second, value), second), []
        if len(stimuli) != len(second):
            raise ValueError(f"{len(stimuli)} images for {len(second)} pairs")
        for batch in stimuli.split(batch_size):
            activation = record(model, batch, layer)[layer].detach()
            middle = activation[:, :, activation.shape[2] // 2, activation.shape[3] // 2]
            found.append(middle if at == "centre" else activation.amax(dim=(2, 3)))
        rows.append(torch.cat(found))
    return rearrange(rows, "first second channel -> channel first second")


# ---------------------------------------------------------------- hand_built_curve_detector


@alternative("04.hand_built_curve_detector")
def detector_place_by_place(line_orientations, orientation, radius, size, width=1.0):
    kernel, middle = torch.zeros(len(line_orientations), size, size, dtype=torch.float64), size // 2
    direction = math.radians(orientation)
    for row in range(size):
        for column in range(size):
            seen = complex(column - middle, middle - row) + cmath.rect(radius, direction)
            around = cmath.phase(seen)
            weight = math.exp(-((abs(seen) - radius) ** 2) / 2 / width**2) * max(0.0, math.cos(around - direction))
            for index, line in enumerate(line_orientations.tolist()):
                kernel[index, row, column] = weight * math.cos(2 * (math.radians(line) - around))
    return kernel


@alternative("04.hand_built_curve_detector")
def detector_with_arrows(line_orientations, orientation, radius, size, width=1.0):
    """Products of arrows in place of differences of angles; a doubled angle is a squared arrow."""
    steps = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    bulge = torch.polar(torch.tensor(1.0, dtype=torch.float64), torch.tensor(orientation).double().deg2rad())
    seen = torch.complex(*torch.meshgrid(steps, -steps, indexing="xy")) + radius * bulge
    arrow = seen / seen.abs()
    near = torch.exp(-0.5 * ((seen.abs() - radius) / width) ** 2)
    lines = torch.exp(2j * torch.deg2rad(line_orientations.double()))
    return near * (arrow / bulge).real.clamp(min=0) * (lines[:, None, None] / arrow**2).real


# ---------------------------------------------------------------- splice


@alternative("04.splice")
@contextmanager
def splice_with_hooks(model, layer, channels, source, kernels, biases=None):
    read = {}

    def keep(module, given, output):
        read["now"] = output

    def replace(module, given, output):
        side = kernels.shape[2]
        made = F.conv2d(read.pop("now"), kernels, biases, padding=(side - 1) // 2).clamp(min=0)
        parts = list(output.unbind(1))
        for channel, one in zip(channels, made.unbind(1), strict=True):
            parts[channel] = one
        return torch.stack(parts, dim=1)

    hooks = [
        model.get_submodule(source).register_forward_hook(keep),
        model.get_submodule(layer).register_forward_hook(replace),
    ]
    try:
        yield model
    finally:
        for hook in hooks:
            hook.remove()


@alternative("04.splice")
@contextmanager
def splice_with_a_mask(model, layer, channels, source, kernels, biases=None):
    """Kernels for all channels of the layer, most of them empty, and a mask that chooses."""
    seen = []

    def remember(activation):
        seen.append(activation)
        return activation

    def replace(activation):
        count = activation.shape[1]
        every, offsets = torch.zeros(count, *kernels.shape[1:]), torch.zeros(count)
        mine = torch.zeros(count, dtype=torch.bool)
        for unit, channel in enumerate(channels):
            every[channel], mine[channel] = kernels[unit], True
            offsets[channel] = 0.0 if biases is None else biases[unit]
        made = torch.relu(F.conv2d(seen[-1], every, offsets, padding="same"))
        return torch.where(mine[:, None, None], made, activation)

    with edit(model, {source: remember}), edit(model, {layer: replace}):
        yield model


class Spliced:
    """A context manager written as a class."""

    def __init__(self, *splice):
        self.splice, self.hooks = splice, []

    def __enter__(self):
        model, layer, channels, source, kernels, biases = self.splice
        read = []

        def replace(module, given, output):
            made = F.conv2d(read.pop(), kernels, biases, padding=kernels.shape[-1] // 2).relu()
            return output.index_copy(1, torch.tensor(list(channels)), made)

        self.hooks.append(model.get_submodule(source).register_forward_hook(lambda *seen: read.append(seen[2])))
        self.hooks.append(model.get_submodule(layer).register_forward_hook(replace))
        return model

    def __exit__(self, *error):
        for hook in self.hooks:
            hook.remove()


@alternative("04.splice")
def splice_as_a_class(model, layer, channels, source, kernels, biases=None):
    return Spliced(model, layer, channels, source, kernels, biases)
