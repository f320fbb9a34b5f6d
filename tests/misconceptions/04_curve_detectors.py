"""Wrong answers to lesson 04 that students give, each with the sentence that helps."""

import math
from contextlib import contextmanager
from types import SimpleNamespace

import torch
import torch.nn.functional as F

from innervision import edit, record
from innervision.circuits.circular import UNDECIDED
from innervision.circuits.tuning import tuning_curve
from innervision.classroom.exercises import misconception
from innervision.data.stimuli.canvas import as_batch, band, paint, plane

# ---------------------------------------------------------------- draw_curve


def asked(orientation, radius, width=2.0, length=16.0, *, row=0.0, column=0.0, contrast=1.0, size=33):
    """The arguments of ``draw_curve``, made ready."""
    names = ("orientation", "radius", "width", "length", "row", "column", "contrast")
    given = (orientation, radius, width, length, row, column, contrast)
    ready = as_batch(**dict(zip(names, given, strict=True)))
    return SimpleNamespace(**dict(zip(names, ready, strict=True)), size=size, towards=torch.deg2rad(ready[0]))


def wrapped(angle):
    """From -π to π."""
    return torch.atan2(angle.sin(), angle.cos())


def bent(curve, right=None, up=None):
    """How far each pixel lies beside the stroke, and along it: right, for a curve and places that need not be."""
    if right is None:
        right, up = plane(curve.size, curve.row, curve.column)
    right, up = right + curve.radius * curve.towards.cos(), up + curve.radius * curve.towards.sin()
    along = curve.radius * wrapped(torch.atan2(up, right) - curve.towards)
    return torch.hypot(right, up) - curve.radius, along


def stroke(curve, across, along):
    round_it = 2 * math.pi * curve.radius
    return band(across, curve.width) * band(along, curve.length, period=round_it)


def drawn(curve):
    return paint(stroke(curve, *bent(curve)), curve.contrast)


@misconception(
    "04.draw_curve",
    "Degrees went into a sine and a cosine, which take radians: `torch.deg2rad(orientation)` first.",
)
def draws_with_degrees(*given, **named):
    curve = asked(*given, **named)
    curve.towards = curve.orientation
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "Up and down are exchanged. Orientations are counted against the clock, so 90 bulges up; rows are counted "
    "downwards, so up is *minus* the row, as `plane` gives it.",
)
def draws_upside_down(*given, **named):
    curve = asked(*given, **named)
    curve.towards = -curve.towards
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "The middle of the circle lies where the middle of the curve belongs, so the curve lies a radius too far out. Look "
    "from the circle's centre: add `radius` times the cosine and the sine of the orientation to right and up.",
)
def puts_the_centre_in_the_middle(*given, **named):
    curve = asked(*given, **named)
    right, up = plane(curve.size, curve.row, curve.column)
    across, along = torch.hypot(right, up) - curve.radius, wrapped(torch.atan2(up, right) - curve.towards)
    return paint(stroke(curve, across, curve.radius * along), curve.contrast)


@misconception(
    "04.draw_curve",
    "The centre of the circle lies on the side to which the curve should bulge, so the curve lies two radii too far "
    "out. The centre lies opposite: seen from there every pixel is *further* in that direction, so add and do not "
    "subtract.",
)
def puts_the_centre_on_the_other_side(*given, **named):
    curve = asked(*given, **named)
    right, up = plane(curve.size, curve.row, curve.column)
    right, up = right - 2 * curve.radius * curve.towards.cos(), up - 2 * curve.radius * curve.towards.sin()
    return paint(stroke(curve, *bent(curve, right, up)), curve.contrast)


@misconception(
    "04.draw_curve",
    "Each curve bulges the opposite way: the orientation is where the curve bulges to, not where it opens.",
)
def bulges_the_other_way(*given, **named):
    curve = asked(*given, **named)
    curve.towards = curve.towards + math.pi
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "The orientation was taken as the direction *along* the curve. It lies across: where the curve bulges to.",
)
def turns_by_a_quarter(*given, **named):
    curve = asked(*given, **named)
    curve.towards = curve.towards + math.pi / 2
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "The edges are hard: a pixel is on the stroke or it is not. Then a stroke that moves by part of a pixel changes "
    "its area, and jumps. Let `band` say how much of each pixel is covered.",
)
def draws_hard_edges(*given, **named):
    curve = asked(*given, **named)
    across, along = bent(curve)
    inside = (across.abs() <= curve.width / 2) & (along.abs() <= curve.length / 2)
    return paint(inside.double(), curve.contrast)


@misconception(
    "04.draw_curve",
    "The place was rounded to whole pixels. A curve that is moved by part of a pixel must move by just that: take "
    "`row` and `column` as they are.",
)
def rounds_the_place(*given, **named):
    curve = asked(*given, **named)
    curve.row, curve.column = curve.row.round(), curve.column.round()
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "The angle between pixel and orientation was not brought back to between -180 and 180 degrees, so some curves are "
    "cut off, or missing. `torch.atan2(turned.sin(), turned.cos())` brings it back.",
)
def forgets_to_wrap(*given, **named):
    curve = asked(*given, **named)
    right, up = plane(curve.size, curve.row, curve.column)
    right, up = right + curve.radius * curve.towards.cos(), up + curve.radius * curve.towards.sin()
    along = curve.radius * (torch.atan2(up, right) - curve.towards)
    return paint(band(torch.hypot(right, up) - curve.radius, curve.width) * band(along, curve.length), curve.contrast)


@misconception(
    "04.draw_curve",
    "The angle between pixel and orientation was not brought back to between -180 and 180 degrees. `band` with its "
    "period bears one turn too many, not several: `torch.atan2(turned.sin(), turned.cos())` brings it back.",
)
def forgets_to_wrap_beside_a_period(*given, **named):
    curve = asked(*given, **named)
    right, up = plane(curve.size, curve.row, curve.column)
    right, up = right + curve.radius * curve.towards.cos(), up + curve.radius * curve.towards.sin()
    along = curve.radius * (torch.atan2(up, right) - curve.towards)
    return paint(stroke(curve, torch.hypot(right, up) - curve.radius, along), curve.contrast)


@misconception(
    "04.draw_curve",
    "An angle in radians was compared with a length in pixels. Along an arc, a length is the radius times the angle.",
)
def takes_the_angle_for_a_length(*given, **named):
    curve = asked(*given, **named)
    across, along = bent(curve)
    return paint(stroke(curve, across, along / curve.radius), curve.contrast)


@misconception(
    "04.draw_curve",
    "A curve as long as its circle has a seam where its ends meet. Tell `band` after how many pixels the line is back "
    "where it began: `period=2 * math.pi * radius`.",
)
def leaves_a_seam(*given, **named):
    curve = asked(*given, **named)
    across, along = bent(curve)
    return paint(band(across, curve.width) * band(along, curve.length), curve.contrast)


@misconception(
    "04.draw_curve",
    "These are whole circles: `length` was not used. Multiply by a second band, along the stroke.",
)
def draws_whole_circles(*given, **named):
    curve = asked(*given, **named)
    return paint(band(bent(curve)[0], curve.width), curve.contrast)


@misconception(
    "04.draw_curve",
    "The strokes are twice as wide and twice as long as asked for. `width` and `length` are whole ones, half to either "
    "side; `band` halves them itself.",
)
def doubles_width_and_length(*given, **named):
    curve = asked(*given, **named)
    curve.width, curve.length = 2 * curve.width, 2 * curve.length
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "`row` and `column` were exchanged: row is how far below the middle, column how far to the right.",
)
def exchanges_row_and_column(*given, **named):
    curve = asked(*given, **named)
    curve.row, curve.column = curve.column, curve.row
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "All curves lie in the middle of the image: `row` and `column` were not used. `plane(size, row, column)` takes "
    "them.",
)
def stays_in_the_middle(*given, **named):
    curve = asked(*given, **named)
    curve.row, curve.column = 0 * curve.row, 0 * curve.column
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "The ground is black. It is mid-grey, 0.5, so that a stroke can be brighter or darker than it: `paint` sees to "
    "that.",
)
def draws_on_black(*given, **named):
    curve = asked(*given, **named)
    pattern = curve.contrast * stroke(curve, *bent(curve))
    return pattern.float()[:, None].repeat(1, 3, 1, 1)


@misconception(
    "04.draw_curve",
    "Every curve is white: `contrast` was not used. Hand it to `paint`.",
)
def draws_in_white(*given, **named):
    curve = asked(*given, **named)
    curve.contrast = torch.ones_like(curve.contrast)
    return drawn(curve)


@misconception(
    "04.draw_curve",
    "The images have no axis of colours. A network takes (batch, 3, height, width): the same grey three times.",
)
def leaves_the_colours_out(*given, **named):
    return drawn(asked(*given, **named))[:, 0]


@misconception(
    "04.draw_curve",
    "All images show the first curve's radius: every parameter may be a tensor with a value for each image. `as_batch` "
    "makes them ready.",
)
def takes_the_first_radius(*given, **named):
    curve = asked(*given, **named)
    curve.radius = curve.radius[:1].expand_as(curve.radius)
    return drawn(curve)


# ---------------------------------------------------------------- tuning_curve


@misconception(
    "04.tuning_curve",
    "The result has a row for each stimulus. A row for each channel is asked for: transpose it at the end, `.T`.",
)
def stimuli_first(model, layer, stimuli, *, at="centre", batch_size=64):
    return tuning_curve_of(model, layer, stimuli, at, batch_size).T


def tuning_curve_of(model, layer, stimuli, at, batch_size, middle=None):
    """Right, with another way to find the middle."""
    found = []
    with torch.no_grad():
        for start in range(0, len(stimuli), batch_size):
            activation = record(model, stimuli[start : start + batch_size], layer)[layer]
            row, column = (middle or halves)(*activation.shape[2:])
            found.append(activation[:, :, row, column] if at == "centre" else activation.amax(dim=(2, 3)))
    return torch.cat(found).T


def halves(rows, columns):
    return rows // 2, columns // 2


@misconception(
    "04.tuning_curve",
    "The last batch is missing: it has fewer images than the others, and they count too. `stimuli.split(batch_size)` "
    "gives all of them.",
)
def drops_the_last_batch(model, layer, stimuli, *, at="centre", batch_size=64):
    full = len(stimuli) // batch_size * batch_size or len(stimuli)
    return tuning_curve_of(model, layer, stimuli[:full], at, batch_size)


@misconception(
    "04.tuning_curve",
    "The gradient was left on: the responses hang on everything that was computed for them, and memory fills up. Run "
    "the network inside `with torch.no_grad():`.",
)
def leaves_the_gradient_on(model, layer, stimuli, *, at="centre", batch_size=64):
    found = []
    for batch in stimuli.split(batch_size):
        activation = record(model, batch, layer)[layer]
        row, column = halves(*activation.shape[2:])
        found.append(activation[:, :, row, column] if at == "centre" else activation.amax(dim=(2, 3)))
    return torch.cat(found).T


@misconception(
    "04.tuning_curve",
    "Of an even number of rows or columns this takes the one before the middle. The docstring says `rows // 2` and "
    "`columns // 2`.",
)
def takes_the_one_before(model, layer, stimuli, *, at="centre", batch_size=64):
    return tuning_curve_of(
        model, layer, stimuli, at, batch_size, lambda rows, columns: ((rows - 1) // 2, (columns - 1) // 2)
    )


@misconception(
    "04.tuning_curve",
    "This takes half of the rows for the column and half of the columns for the row. An activation is (image, channel, "
    "row, column): rows come first.",
)
def exchanges_the_halves(model, layer, stimuli, *, at="centre", batch_size=64):
    def other(rows, columns):
        return columns // 2, rows // 2

    return tuning_curve_of(model, layer, stimuli, at, batch_size, other)


@misconception(
    "04.tuning_curve",
    "This looks at the first position, the upper left corner. The stimulus lies in the middle of the image, and the "
    "unit that sees it in the middle of the layer.",
)
def looks_at_the_corner(model, layer, stimuli, *, at="centre", batch_size=64):
    return tuning_curve_of(model, layer, stimuli, at, batch_size, lambda rows, columns: (0, 0))


@misconception(
    "04.tuning_curve",
    "This averages over all positions. A tuning curve is of one unit: the one in the middle, or the strongest.",
)
def averages_over_positions(model, layer, stimuli, *, at="centre", batch_size=64):
    with torch.no_grad():
        return torch.cat([record(model, batch, layer)[layer].mean(dim=(2, 3)) for batch in stimuli.split(batch_size)]).T


@misconception(
    "04.tuning_curve",
    'Where `at="strongest"` was asked for, this averages over all positions. The largest counts: `amax(dim=(2, 3))`.',
)
def averages_where_the_strongest_counts(model, layer, stimuli, *, at="centre", batch_size=64):
    if at == "centre":
        return tuning_curve_of(model, layer, stimuli, at, batch_size)
    return averages_over_positions(model, layer, stimuli, batch_size=batch_size)


@misconception(
    "04.tuning_curve",
    'The unit in the middle was taken where `at="strongest"` was asked for: there the largest response over all '
    "positions counts.",
)
def ignores_at(model, layer, stimuli, *, at="centre", batch_size=64):
    return tuning_curve_of(model, layer, stimuli, "centre", batch_size)


@misconception(
    "04.tuning_curve",
    'The strongest place was taken where `at="centre"`, the default, was asked for: there only the unit in the middle '
    "counts.",
)
def always_takes_the_strongest(model, layer, stimuli, *, at="centre", batch_size=64):
    return tuning_curve_of(model, layer, stimuli, "strongest", batch_size)


@misconception(
    "04.tuning_curve",
    "The strongest response was taken without its sign, so strong suppression counts as excitement.",
)
def takes_the_strongest_without_its_sign(model, layer, stimuli, *, at="centre", batch_size=64):
    if at == "centre":
        return tuning_curve_of(model, layer, stimuli, at, batch_size)
    with torch.no_grad():
        batches = [record(model, batch, layer)[layer] for batch in stimuli.split(batch_size)]
    return torch.cat([activation.abs().amax(dim=(2, 3)) for activation in batches]).T


@misconception(
    "04.tuning_curve",
    "`batch_size` was not looked at: all images went through the network at once, which a larger layer or a finer "
    "circle has no memory for.",
)
def runs_all_at_once(model, layer, stimuli, *, at="centre", batch_size=64):
    return tuning_curve_of(model, layer, stimuli, at, len(stimuli))


@misconception(
    "04.tuning_curve",
    "Only the last batch came back: each one overwrote the one before. Collect them in a list, and `torch.cat` it.",
)
def keeps_the_last_batch(model, layer, stimuli, *, at="centre", batch_size=64):
    return tuning_curve_of(model, layer, stimuli.split(batch_size)[-1], at, batch_size)


@misconception(
    "04.tuning_curve",
    "A hook was left behind on the layer: it goes on running whenever the network does. Remove it, or let `record` "
    "take care of that.",
)
def leaves_a_hook_behind(model, layer, stimuli, *, at="centre", batch_size=64):
    seen = []
    model.get_submodule(layer).register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.no_grad():
        for batch in stimuli.split(batch_size):
            model(batch)
    found = torch.cat(seen)
    row, column = halves(*found.shape[2:])
    return (found[:, :, row, column] if at == "centre" else found.amax(dim=(2, 3))).T


# ---------------------------------------------------------------- preferred_orientation


def pulls(responses, angles):
    radians = torch.deg2rad(angles)
    return (responses * radians.cos()).sum(dim=-1), (responses * radians.sin()).sum(dim=-1)


def where_decided(direction, right, up, responses):
    return direction.masked_fill(torch.hypot(right, up) <= UNDECIDED * responses.sum(dim=-1), torch.nan)


@misconception(
    "04.preferred_orientation",
    "This is the mean of the angles as numbers on a line. On a circle 350° and 10° are neighbours, and their mean is "
    "0°, not 180°: add arrows, not angles.",
)
def averages_the_numbers(responses, angles):
    return (responses * angles).sum(dim=-1) / responses.sum(dim=-1)


@misconception(
    "04.preferred_orientation",
    "Degrees went into the sine and the cosine, which take radians: `torch.deg2rad(angles)` first.",
)
def pulls_in_degrees(responses, angles):
    right, up = (responses * angles.cos()).sum(dim=-1), (responses * angles.sin()).sum(dim=-1)
    return where_decided(torch.rad2deg(torch.atan2(up, right)) % 360, right, up, responses)


@misconception(
    "04.preferred_orientation",
    "This takes the angle of the largest response alone and throws all other measurements away. Two tall neighbours "
    "should land between them: add up all pulls.",
)
def takes_the_largest(responses, angles):
    return angles[responses.argmax(dim=-1)]


@misconception(
    "04.preferred_orientation",
    "The angles were doubled and the answer halved. That is right for lines, which look the same after half a turn; a "
    "curve turned by 180° is another curve.",
)
def doubles_the_angles(responses, angles):
    right, up = pulls(responses, 2 * angles)
    return where_decided(torch.rad2deg(torch.atan2(up, right)) / 2 % 180, right, up, responses)


@misconception(
    "04.preferred_orientation",
    "Angles above 180° were folded back, as for lines. A curve bulges to one side only: keep the whole circle, `% "
    "360`.",
)
def folds_the_circle(responses, angles):
    right, up = pulls(responses, angles)
    return where_decided(torch.rad2deg(torch.atan2(up, right)) % 180, right, up, responses)


@misconception(
    "04.preferred_orientation",
    "Sine and cosine were exchanged: `torch.atan2` takes the sine (up) first.",
)
def exchanges_sine_and_cosine(responses, angles):
    right, up = pulls(responses, angles)
    return where_decided(torch.rad2deg(torch.atan2(right, up)) % 360, right, up, responses)


@misconception(
    "04.preferred_orientation",
    "`atan` of the quotient cannot tell an arrow from the opposite one, since minus over minus is plus. `torch.atan2` "
    "takes the two numbers one by one.",
)
def divides_before_the_arctangent(responses, angles):
    right, up = pulls(responses, angles)
    return where_decided(torch.rad2deg(torch.atan(up / right)) % 360, right, up, responses)


@misconception(
    "04.preferred_orientation",
    "Directions in the lower half came out negative: `atan2` gives -180° to 180°. From 0 to 360 is asked for: `% 360`.",
)
def leaves_negative_angles(responses, angles):
    right, up = pulls(responses, angles)
    return where_decided(torch.rad2deg(torch.atan2(up, right)), right, up, responses)


@misconception(
    "04.preferred_orientation",
    "The answer is in radians: `torch.rad2deg` at the end.",
)
def answers_in_radians(responses, angles):
    right, up = pulls(responses, angles)
    return where_decided(torch.atan2(up, right) % (2 * math.pi), right, up, responses)


@misconception(
    "04.preferred_orientation",
    "The answer is in radians: `torch.rad2deg` of what `atan2` gives, and then `% 360`.",
)
def takes_radians_around_360(responses, angles):
    right, up = pulls(responses, angles)
    return where_decided(torch.atan2(up, right) % 360, right, up, responses)


@misconception(
    "04.preferred_orientation",
    "The answer is what `atan2` gives, in radians from -π to π: `torch.rad2deg` of it, and then `% 360`.",
)
def leaves_the_arctangent_as_it_is(responses, angles):
    right, up = pulls(responses, angles)
    return where_decided(torch.atan2(up, right), right, up, responses)


@misconception(
    "04.preferred_orientation",
    "Only units that never respond got NaN. Where a unit responds alike all around, the pulls cancel as well, but for "
    "rounding: compare the sum's length with `UNDECIDED` times all responses together.",
)
def only_silence_is_undecided(responses, angles):
    right, up = pulls(responses, angles)
    direction = torch.rad2deg(torch.atan2(up, right)) % 360
    return direction.masked_fill(responses.sum(dim=-1) == 0, torch.nan)


@misconception(
    "04.preferred_orientation",
    "Units that prefer nothing got a direction: where the pulls cancel, what is left is rounding, and it points "
    "anywhere. Where the sum is at most `UNDECIDED` of all responses together, the answer is NaN.",
)
def always_knows_a_direction(responses, angles):
    right, up = pulls(responses, angles)
    return torch.rad2deg(torch.atan2(up, right)) % 360


@misconception(
    "04.preferred_orientation",
    "Whether a unit has a direction depends on how loud it is here. Compare the length of the sum with a share of the "
    "unit's *own* responses together: `UNDECIDED * responses.sum(dim=-1)`.",
)
def decides_by_loudness(responses, angles):
    right, up = pulls(responses, angles)
    return (torch.rad2deg(torch.atan2(up, right)) % 360).masked_fill(torch.hypot(right, up) <= UNDECIDED, torch.nan)


@misconception(
    "04.preferred_orientation",
    "All channels were added up into one direction. Each has its own: sum over the last axis only, `dim=-1`.",
)
def adds_all_channels(responses, angles):
    return preferred_of_all(responses, angles)


def preferred_of_all(responses, angles):
    right, up = (pull.sum() for pull in pulls(responses, angles))
    return torch.rad2deg(torch.atan2(up, right)) % 360


@misconception(
    "04.preferred_orientation",
    "The pulls were added over the channels, the first axis. Each channel has a direction of its own: add over the "
    "stimuli, the last axis, `dim=-1`.",
)
def adds_over_the_channels(responses, angles):
    radians = torch.deg2rad(angles)
    right, up = (responses * radians.cos()).sum(dim=0), (responses * radians.sin()).sum(dim=0)
    return torch.rad2deg(torch.atan2(up, right)) % 360


# ---------------------------------------------------------------- orientation_selectivity


def resultant(responses, angles):
    return torch.hypot(*pulls(responses, angles))


def or_nothing(values):
    return torch.where(values.isfinite(), values, 0.0)


@misconception(
    "04.orientation_selectivity",
    "Degrees went into the sine and the cosine, which take radians: `torch.deg2rad(angles)` first.",
)
def selects_in_degrees(responses, angles):
    length = torch.hypot((responses * angles.cos()).sum(dim=-1), (responses * angles.sin()).sum(dim=-1))
    return or_nothing(length / responses.sum(dim=-1))


@misconception(
    "04.orientation_selectivity",
    "This compares the largest response with the opposite one, two measurements of all. Add up all pulls, and divide "
    "by all responses.",
)
def compares_peak_and_opposite(responses, angles):
    peak = responses.argmax(dim=-1, keepdim=True)
    far = ((angles - angles[peak]) % 360 - 180).abs().argmin(dim=-1, keepdim=True)
    high, low = responses.gather(-1, peak).squeeze(-1), responses.gather(-1, far).squeeze(-1)
    return or_nothing((high - low) / (high + low))


@misconception(
    "04.orientation_selectivity",
    "This compares the largest with the smallest response. A unit that responds alike at opposite angles would count "
    "as selective, but its pulls cancel: measure the length of their sum.",
)
def compares_largest_and_smallest(responses, angles):
    high, low = responses.amax(dim=-1), responses.amin(dim=-1)
    return or_nothing((high - low) / (high + low))


@misconception(
    "04.orientation_selectivity",
    "This is the circular variance: 1 where nothing is preferred. Selectivity is the other way round: 1 minus that.",
)
def takes_the_variance(responses, angles):
    return 1 - or_nothing(resultant(responses, angles) / responses.sum(dim=-1))


@misconception(
    "04.orientation_selectivity",
    "The length of the sum was divided by the number of stimuli, so a louder unit counts as more selective. Divide by "
    "the sum of the responses.",
)
def divides_by_the_number(responses, angles):
    return resultant(responses, angles) / len(angles)


@misconception(
    "04.orientation_selectivity",
    "The length of the sum was divided by the largest response. Then a broad curve gets more than 1: divide by the sum "
    "of the responses.",
)
def divides_by_the_largest(responses, angles):
    return or_nothing(resultant(responses, angles) / responses.amax(dim=-1))


@misconception(
    "04.orientation_selectivity",
    "The angles were doubled. That is right for lines, which look the same after half a turn; a curve turned by 180° "
    "is another curve.",
)
def doubles_them_too(responses, angles):
    return or_nothing(resultant(responses, 2 * angles) / responses.sum(dim=-1))


@misconception(
    "04.orientation_selectivity",
    "A unit that never responds got 0 / 0, which is NaN; it selects nothing, so 0 is asked for.",
)
def divides_nothing_by_nothing(responses, angles):
    return resultant(responses, angles) / responses.sum(dim=-1)


@misconception(
    "04.orientation_selectivity",
    "The square of the length was taken: the root of right² + up² is missing, as in `torch.hypot(right, up)`.",
)
def forgets_the_root(responses, angles):
    right, up = pulls(responses, angles)
    return or_nothing((right**2 + up**2) / responses.sum(dim=-1) ** 2)


@misconception(
    "04.orientation_selectivity",
    "Right and up were added as numbers. Two sides of a right angle make a way of `torch.hypot(right, up)`.",
)
def adds_right_and_up(responses, angles):
    right, up = pulls(responses, angles)
    return or_nothing((right.abs() + up.abs()) / responses.sum(dim=-1))


@misconception(
    "04.orientation_selectivity",
    "All channels were put together into one number. Each has a selectivity of its own: every sum goes over the last "
    "axis only, `dim=-1`.",
)
def selects_for_all_channels(responses, angles):
    right, up = (pull.sum() for pull in pulls(responses, angles))
    return torch.hypot(right, up) / responses.sum()


# ---------------------------------------------------------------- tuning_width


def each_curve(describe):
    """A description of one curve, made one of any number of channels."""

    def described(responses, angles):
        curves = responses.reshape(-1, len(angles))
        found = [float(describe(curve, angles)) if curve.max() > 0 else math.nan for curve in curves]
        return torch.tensor(found).reshape(responses.shape[:-1])

    return described


def reach(curve, angles, way, level=None, last=False):
    """How far from the peak a curve first is at or below a level: half of the peak, if none is given."""
    peak = int(curve.argmax())
    if last:
        peak = len(curve) - 1 - int(curve.flip(0).argmax())
    level = curve.max() / 2 if level is None else level
    distance, order = (way * (angles - angles[peak]) % 360).sort()
    near, high = 0.0, float(curve[peak])
    for far, low in zip(distance[1:].tolist(), curve[order][1:].tolist(), strict=True):
        if low <= level:
            return near + (far - near) * (high - float(level)) / (high - low)
        near, high = far, low
    return 180.0


@misconception(
    "04.tuning_width",
    "Half was taken between the lowest and the highest response. Half of the peak is asked for, counted from 0: a "
    "curve on a high floor may never fall so far.",
)
def measures_from_the_floor(responses, angles):
    def width(curve, angles):
        level = (curve.max() + curve.min()) / 2
        if curve.min() == curve.max():
            return 360.0
        return reach(curve, angles, 1, level) + reach(curve, angles, -1, level)

    return each_curve(width)(responses, angles)


@misconception(
    "04.tuning_width",
    "All stimuli at which the response is above half were counted, wherever they lie. Stay with the bump of the peak, "
    "and between stimuli follow the straight line down to half.",
)
def counts_stimuli(responses, angles):
    step = 360 / len(angles)
    return each_curve(lambda curve, angles: (curve > curve.max() / 2).sum() * step)(responses, angles)


@misconception(
    "04.tuning_width",
    "This is the width on one side of the peak only: it falls on both. Add the way against the clock and the way with "
    "it.",
)
def measures_one_side(responses, angles):
    return each_curve(lambda curve, angles: reach(curve, angles, 1))(responses, angles)


@misconception(
    "04.tuning_width",
    "One side of the peak was measured and doubled. A curve need not be the same on both sides: measure both.",
)
def doubles_one_side(responses, angles):
    return each_curve(lambda curve, angles: 2 * reach(curve, angles, 1))(responses, angles)


@misconception(
    "04.tuning_width",
    "This is half of the width: the mean of both sides. The full width is their sum.",
)
def takes_the_mean_of_both_sides(responses, angles):
    return each_curve(lambda curve, angles: (reach(curve, angles, 1) + reach(curve, angles, -1)) / 2)(responses, angles)


@misconception(
    "04.tuning_width",
    "The walk ends at the first and at the last stimulus. Angles wrap: behind 359° comes 0°, so `(angles - peak) % "
    "360` is how far each stimulus lies from the peak.",
)
def stops_at_the_end_of_the_list(responses, angles):
    def width(curve, angles):
        angles, order = angles.sort()
        curve, peak = curve[order], int(curve[order].argmax())
        total = 0.0
        for part, places in (
            (curve[peak:], angles[peak:] - angles[peak]),
            (curve[: peak + 1].flip(0), angles[peak] - angles[: peak + 1].flip(0)),
        ):
            fallen = (part <= curve.max() / 2).nonzero().flatten()
            if len(fallen) == 0:
                total += float(places[-1])
                continue
            end = int(fallen[0])
            share = (part[end - 1] - curve.max() / 2) / (part[end - 1] - part[end])
            total += float(places[end - 1] + share * (places[end] - places[end - 1]))
        return total

    return each_curve(width)(responses, angles)


@misconception(
    "04.tuning_width",
    "The width is counted in stimuli. Degrees are asked for: multiply with the step between stimuli, or walk along the "
    "angles themselves.",
)
def counts_in_stimuli(responses, angles):
    step = 360 / len(angles)
    return each_curve(lambda curve, angles: (reach(curve, angles, 1) + reach(curve, angles, -1)) / step)(
        responses, angles
    )


def without_lines(curve, angles, before):
    """To the stimulus after, or before, the curve has fallen to half, without looking between stimuli."""
    total = 0.0
    for way in (1, -1):
        distance, order = (way * (angles - angles[curve.argmax()]) % 360).sort()
        fallen = int((curve[order] <= curve.max() / 2).int().argmax())
        if fallen == 0:
            return 360.0
        total += float(distance[fallen - before])
    return total


@misconception(
    "04.tuning_width",
    "This ends at the first stimulus that is at or below half. The curve was at half somewhere before it: follow the "
    "straight line between the two stimuli.",
)
def ends_at_the_stimulus_after(responses, angles):
    return each_curve(lambda curve, angles: without_lines(curve, angles, 0))(responses, angles)


@misconception(
    "04.tuning_width",
    "This ends at the last stimulus that is above half. The curve falls to half somewhere behind it: follow the "
    "straight line between the two stimuli.",
)
def ends_at_the_stimulus_before(responses, angles):
    return each_curve(lambda curve, angles: without_lines(curve, angles, 1))(responses, angles)


@misconception(
    "04.tuning_width",
    "This takes the stimuli in the order in which they stand in the list. They may come in any order: sort them by how "
    "far they lie from the peak.",
)
def trusts_the_order(responses, angles):
    ordered = torch.arange(len(angles)) * 360 / len(angles)

    def width(curve, angles):
        if curve.min() > curve.max() / 2:
            return 360.0
        return reach(curve, ordered, 1) + reach(curve, ordered, -1)

    return each_curve(width)(responses, angles)


@misconception(
    "04.tuning_width",
    "This is the distance from the first to the last stimulus above half in the list. A bump across 0°, or a second "
    "bump, makes that far too much: walk away from the peak on both sides.",
)
def spans_the_list(responses, angles):
    def width(curve, angles):
        above = angles[curve >= curve.max() / 2]
        return above.max() - above.min()

    return each_curve(width)(responses, angles)


@misconception(
    "04.tuning_width",
    "The width was worked out from a standard deviation, as if the curve were a bell. Walk from the peak to where the "
    "curve itself has fallen to half.",
)
def takes_it_for_a_bell(responses, angles):
    def width(curve, angles):
        length = resultant(curve, angles) / curve.sum()
        return 2.355 * torch.rad2deg((-2 * length.log()).clamp(min=0).sqrt())

    return each_curve(width)(responses, angles)


def both_sides(curve, angles, **settings):
    return reach(curve, angles, 1, **settings) + reach(curve, angles, -1, **settings)


@misconception(
    "04.tuning_width",
    "Of two equal peaks the last was taken. The first counts, as with `argmax`.",
)
def takes_the_last_peak(responses, angles):
    return each_curve(lambda curve, angles: both_sides(curve, angles, last=True))(responses, angles)


@misconception(
    "04.tuning_width",
    "Where the curve touches half and stays there, this walks on until it falls below. The first place at half is the "
    "end: `<=`, not `<`.",
)
def walks_on_along_half(responses, angles):
    def width(curve, angles):
        return 360.0 if curve.min() >= curve.max() / 2 else both_sides(curve, angles, level=curve.max() / 2 - 1e-6)

    return each_curve(width)(responses, angles)


@misconception(
    "04.tuning_width",
    "A unit that never responds has no width: NaN is asked for, not 360. Half of 0 is 0, and nothing is above it.",
)
def silence_is_wide(responses, angles):
    found = each_curve(lambda curve, angles: both_sides(curve, angles))(responses, angles)
    return torch.where(found.isnan(), 360.0, found)


@misconception(
    "04.tuning_width",
    "A unit that never responds has no width: NaN is asked for, not 0, which a very sharp unit would be near to.",
)
def silence_is_sharp(responses, angles):
    return each_curve(lambda curve, angles: both_sides(curve, angles))(responses, angles).nan_to_num(0.0)


@misconception(
    "04.tuning_width",
    "A curve that never falls to half got NaN. It responds at least half as much as it can all around: 360 degrees.",
)
def never_fallen_is_nan(responses, angles):
    found = each_curve(lambda curve, angles: both_sides(curve, angles))(responses, angles)
    return found.masked_fill(responses.amin(dim=-1) > responses.amax(dim=-1) / 2, torch.nan)


# ---------------------------------------------------------------- echo_ratio


def peak_angle(responses, angles):
    return angles[responses.argmax(dim=-1, keepdim=True)]


def beside_opposite(responses, angles):
    """How far each stimulus lies from the opposite of the peak."""
    return ((angles - peak_angle(responses, angles)) % 360 - 180).abs()


def largest(responses, chosen):
    return responses.masked_fill(~chosen, 0).amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "Only the one stimulus nearest to the opposite was looked at. An echo may lie beside it: take the largest response "
    "within `reach`.",
)
def looks_at_the_exact_opposite(responses, angles, reach=20.0):
    nearest = beside_opposite(responses, angles).argmin(dim=-1, keepdim=True)
    return responses.gather(-1, nearest).squeeze(-1) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "This takes the response half of the list further on, which lies opposite only if the stimuli come in order. Look "
    "for the opposite by its angle.",
)
def looks_half_a_list_further(responses, angles, reach=20.0):
    count = len(angles)
    opposite = (responses.argmax(dim=-1, keepdim=True) + count // 2) % count
    return responses.gather(-1, opposite).squeeze(-1) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "This is the second largest response, which is usually the flank of the peak itself. An echo lies opposite to the "
    "peak: look within `reach` of its angle + 180.",
)
def takes_the_second_largest(responses, angles, reach=20.0):
    return responses.sort(dim=-1).values[..., -2] / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "Angles were compared as numbers on a line: the opposite of 200° is 380°, and no stimulus is near to that. Take "
    "differences `% 360`.",
)
def forgets_that_angles_wrap(responses, angles, reach=20.0):
    opposite = (angles - peak_angle(responses, angles) - 180).abs() <= reach
    return largest(responses, opposite) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "The peak itself is among what is looked at, so the answer is always 1. An echo lies opposite: within `reach` of "
    "the peak's angle + 180.",
)
def looks_around_the_peak(responses, angles, reach=20.0):
    near = ((angles - peak_angle(responses, angles) + 180) % 360 - 180).abs() <= reach
    return largest(responses, near) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "This looks a quarter turn from the peak, which is the opposite of a line's orientation. The opposite of a curve "
    "is half a turn away: + 180.",
)
def looks_a_quarter_further(responses, angles, reach=20.0):
    quarter = ((angles - peak_angle(responses, angles)) % 180 - 90).abs() <= reach
    return largest(responses, quarter) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "The responses opposite the peak were averaged. The largest of them is the echo.",
)
def averages_the_opposite(responses, angles, reach=20.0):
    opposite = beside_opposite(responses, angles) <= reach
    return (responses * opposite).sum(dim=-1) / opposite.sum(dim=-1) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "This is the echo itself, not yet a ratio: divide by the largest response of all.",
)
def forgets_the_ratio(responses, angles, reach=20.0):
    return largest(responses, beside_opposite(responses, angles) <= reach)


@misconception(
    "04.echo_ratio",
    "Everything farther than `reach` from the peak counts here. Only what lies within `reach` of the *opposite* is an "
    "echo.",
)
def takes_all_but_the_peak(responses, angles, reach=20.0):
    return largest(responses, beside_opposite(responses, angles) < 180 - reach) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "A stimulus exactly `reach` away was left out. It still counts as opposite: `<=`.",
)
def leaves_the_edge_out(responses, angles, reach=20.0):
    return largest(responses, beside_opposite(responses, angles) < reach) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "A stimulus exactly `reach` away was left out, and where nothing is left the number that fills the rest came back. "
    "It still counts as opposite: `<=`.",
)
def leaves_the_edge_out_and_fills_with_less(responses, angles, reach=20.0):
    inside = beside_opposite(responses, angles) < reach
    return responses.masked_fill(~inside, -1).amax(dim=-1) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "`reach` was not looked at: 20 is only its default.",
)
def always_reaches_twenty(responses, angles, reach=20.0):
    return largest(responses, beside_opposite(responses, angles) <= 20) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "`reach` was halved. It counts to either side, so what lies within is twice as wide.",
)
def halves_the_reach(responses, angles, reach=20.0):
    return largest(responses, beside_opposite(responses, angles) <= reach / 2) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "A unit that never responds got 0, which says: no echo. Of a unit that never responded nothing is known: NaN.",
)
def silence_has_no_echo(responses, angles, reach=20.0):
    return or_nothing(largest(responses, beside_opposite(responses, angles) <= reach) / responses.amax(dim=-1))


@misconception(
    "04.echo_ratio",
    "The opposite of the mean direction was looked at. It need not be that of the peak, which is what is asked for: "
    "the angle of the largest response.",
)
def goes_by_the_mean_direction(responses, angles, reach=20.0):
    right, up = pulls(responses, angles)
    mean = torch.rad2deg(torch.atan2(up, right))[..., None]
    return largest(responses, ((angles - mean) % 360 - 180).abs() <= reach) / responses.amax(dim=-1)


@misconception(
    "04.echo_ratio",
    "`argmax` without `dim` counts through all channels at once, so what it gives is no number of an angle. Each "
    "channel has a peak of its own: `responses.argmax(dim=-1, keepdim=True)`.",
)
def looks_for_one_peak(responses, angles, reach=20.0):
    opposite = ((angles - angles[responses.argmax()]) % 360 - 180).abs() <= reach
    return largest(responses, opposite.expand_as(responses)) / responses.amax(dim=-1)


# ---------------------------------------------------------------- joint_tuning


def rows_of(model, layer, make_stimuli, first, second, at, batch_size):
    return [
        tuning_curve(model, layer, make_stimuli(value.expand(len(second)), second), at=at, batch_size=batch_size)
        for value in first
    ]


@misconception(
    "04.joint_tuning",
    "`make_stimuli` gave one image for several pairs of values, and nobody noticed. Compare the number of images with "
    "`len(second)`, and raise a `ValueError` if they differ.",
)
def counts_no_images(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    return torch.stack(rows_of(model, layer, make_stimuli, first, second, at, batch_size), dim=1)


@misconception(
    "04.joint_tuning",
    "The last two axes are exchanged: (channel, first, second) is asked for, so stack along axis 1.",
)
def second_before_first(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    return torch.stack(rows_of(model, layer, make_stimuli, first, second, at, batch_size), dim=2)


@misconception(
    "04.joint_tuning",
    "The values of `first` come before the channels here. (channel, first, second) is asked for: stack along axis 1.",
)
def first_before_channels(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    return torch.stack(rows_of(model, layer, make_stimuli, first, second, at, batch_size))


@misconception(
    "04.joint_tuning",
    "`make_stimuli` got the second parameter in the place of the first.",
)
def exchanges_the_parameters(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    def exchanged(one, other):
        return make_stimuli(other, one)

    return torch.stack(rows_of(model, layer, exchanged, first, second, at, batch_size), dim=1)


@misconception(
    "04.joint_tuning",
    "`make_stimuli` got a single value of `first` for all values of `second`. It takes equally many of both: repeat "
    "the value, `value.expand(len(second))`.",
)
def gives_a_single_value(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    rows = [tuning_curve(model, layer, make_stimuli(value, second), at=at, batch_size=batch_size) for value in first]
    return torch.stack(rows, dim=1)


@misconception(
    "04.joint_tuning",
    "`make_stimuli` got a plain number for all values of `second`. It takes equally many of both, as tensors: repeat "
    "the value, `value.expand(len(second))`.",
)
def gives_a_plain_number(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    rows = [
        tuning_curve(model, layer, make_stimuli(value, second), at=at, batch_size=batch_size)
        for value in first.tolist()
    ]
    return torch.stack(rows, dim=1)


@misconception(
    "04.joint_tuning",
    "`make_stimuli` got all values of `first` and all values of `second` at once, which pairs the first with the "
    "first, the second with the second. Every value of `first` belongs with *each* of `second`.",
)
def pairs_them_once(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    return tuning_curve(model, layer, make_stimuli(first, second), at=at, batch_size=batch_size)


@misconception(
    "04.joint_tuning",
    "`at` was not handed on to `tuning_curve`, so all responses are those in the centre.",
)
def keeps_at_to_itself(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    return torch.stack(rows_of(model, layer, make_stimuli, first, second, "centre", batch_size), dim=1)


@misconception(
    "04.joint_tuning",
    "`batch_size` was not handed on to `tuning_curve`, so more images than that went through the network at a time.",
)
def keeps_the_batch_size_to_itself(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    return torch.stack(rows_of(model, layer, make_stimuli, first, second, at, 64), dim=1)


@misconception(
    "04.joint_tuning",
    "All stimuli of all pairs were made at once; of 180 orientations and 20 radii that is 3600 images. Make those of "
    "one value of `first` at a time.",
)
def makes_all_at_once(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    pairs = torch.cartesian_prod(first, second)
    stimuli = make_stimuli(pairs[:, 0], pairs[:, 1])
    responses = tuning_curve(model, layer, stimuli, at=at, batch_size=batch_size)
    return responses.view(-1, len(first), len(second))


@misconception(
    "04.joint_tuning",
    "All stimuli of all pairs were made at once, and in another order than they were put apart again: `second` came "
    "first. Make those of one value of `first` at a time, and stack the curves along axis 1.",
)
def makes_all_at_once_in_another_order(model, layer, make_stimuli, first, second, *, at="centre", batch_size=64):
    pairs = torch.cartesian_prod(second, first)
    responses = tuning_curve(model, layer, make_stimuli(pairs[:, 1], pairs[:, 0]), at=at, batch_size=batch_size)
    return responses.view(-1, len(first), len(second))


# ---------------------------------------------------------------- hand_built_curve_detector


def seen_from_the_centre(size, radius, direction):
    places = torch.arange(size) - size // 2
    return places + radius * math.cos(direction), radius * math.sin(direction) - places[:, None]


def detector(lines, direction, radius, size, width, right=None, up=None):
    """Right, for directions in radians, and for places that need not be."""
    if right is None:
        right, up = seen_from_the_centre(size, radius, direction)
    angle = torch.atan2(up, right)
    near = torch.exp(-((torch.hypot(right, up) - radius) ** 2) / (2 * width**2))
    return near * (angle - direction).cos().clamp(min=0) * (2 * (lines[:, None, None] - angle)).cos()


@misconception(
    "04.hand_built_curve_detector",
    "Degrees went into the sine and the cosine, which take radians: `math.radians` and `torch.deg2rad` first.",
)
def builds_in_degrees(line_orientations, orientation, radius, size, width=1.0):
    return detector(line_orientations, orientation, radius, size, width)


@misconception(
    "04.hand_built_curve_detector",
    "The kernel is upside down: rows are counted downwards, and up is minus the row.",
)
def builds_upside_down(line_orientations, orientation, radius, size, width=1.0):
    direction = math.radians(orientation)
    places = torch.arange(size) - size // 2
    right, up = places + radius * math.cos(direction), places[:, None] + radius * math.sin(direction)
    return detector(torch.deg2rad(line_orientations), direction, radius, size, width, right, up)


@misconception(
    "04.hand_built_curve_detector",
    "Rows and columns are exchanged: steps to the right run along the last axis.",
)
def builds_across(line_orientations, orientation, radius, size, width=1.0):
    return detector(torch.deg2rad(line_orientations), math.radians(orientation), radius, size, width).transpose(1, 2)


@misconception(
    "04.hand_built_curve_detector",
    "The centre of the circle lies in the middle of the kernel here. The *arc* passes through the middle: the centre "
    "lies `radius` away from it, opposite to the orientation.",
)
def builds_around_the_middle(line_orientations, orientation, radius, size, width=1.0):
    places = (torch.arange(size) - size // 2).double()
    right, up = places.expand(size, size), -places[:, None].expand(size, size)
    return detector(torch.deg2rad(line_orientations), math.radians(orientation), radius, size, width, right, up)


@misconception(
    "04.hand_built_curve_detector",
    "The angle between line and place was not doubled. A line turned by 180° is the same line, so the weight must be "
    "the same too: the cosine of *twice* the angle.",
)
def forgets_to_double(line_orientations, orientation, radius, size, width=1.0):
    lines, direction = torch.deg2rad(line_orientations), math.radians(orientation)
    right, up = seen_from_the_centre(size, radius, direction)
    angle = torch.atan2(up, right)
    near = torch.exp(-((torch.hypot(right, up) - radius) ** 2) / (2 * width**2))
    return near * (angle - direction).cos().clamp(min=0) * (lines[:, None, None] - angle).cos()


@misconception(
    "04.hand_built_curve_detector",
    "Lines along the arc inhibit here and lines across it excite. Either the sign is turned, or a line's orientation "
    "was taken as the direction along it; it is the direction across, as in `draw_line`.",
)
def takes_lines_the_other_way(line_orientations, orientation, radius, size, width=1.0):
    return detector(torch.deg2rad(line_orientations + 90), math.radians(orientation), radius, size, width)


@misconception(
    "04.hand_built_curve_detector",
    "At every place the lines were compared with the detector's own orientation. That reads a straight line; along an "
    "arc the lines turn with it: compare with the direction from the centre of the circle to the place.",
)
def builds_a_line_detector(line_orientations, orientation, radius, size, width=1.0):
    lines, direction = torch.deg2rad(line_orientations), math.radians(orientation)
    right, up = seen_from_the_centre(size, radius, direction)
    near = torch.exp(-((torch.hypot(right, up) - radius) ** 2) / (2 * width**2))
    part = (torch.atan2(up, right) - direction).cos().clamp(min=0)
    return near * part * (2 * (lines[:, None, None] - direction)).cos()


@misconception(
    "04.hand_built_curve_detector",
    "Weights below 0 were cut off. Lines that cross the arc must inhibit: without that the detector answers to much "
    "that is no curve.",
)
def only_excites(line_orientations, orientation, radius, size, width=1.0):
    return detector(torch.deg2rad(line_orientations), math.radians(orientation), radius, size, width).clamp(min=0)


@misconception(
    "04.hand_built_curve_detector",
    "Beyond a quarter of the circle the cosine is negative, and turns what fits into what does not. Nothing is read "
    "there: `.clamp(min=0)`.",
)
def reads_the_far_side(line_orientations, orientation, radius, size, width=1.0):
    lines, direction = torch.deg2rad(line_orientations), math.radians(orientation)
    right, up = seen_from_the_centre(size, radius, direction)
    angle = torch.atan2(up, right)
    near = torch.exp(-((torch.hypot(right, up) - radius) ** 2) / (2 * width**2))
    return near * (angle - direction).cos() * (2 * (lines[:, None, None] - angle)).cos()


@misconception(
    "04.hand_built_curve_detector",
    "The whole circle is read alike. Places count less the farther they are from the middle of the arc: times the "
    "cosine of the angle between the two, and not at all beyond a quarter of the circle.",
)
def reads_the_whole_circle(line_orientations, orientation, radius, size, width=1.0):
    lines, direction = torch.deg2rad(line_orientations), math.radians(orientation)
    right, up = seen_from_the_centre(size, radius, direction)
    near = torch.exp(-((torch.hypot(right, up) - radius) ** 2) / (2 * width**2))
    return near * (2 * (lines[:, None, None] - torch.atan2(up, right))).cos()


@misconception(
    "04.hand_built_curve_detector",
    "Places beside the arc count as much as those on it: the factor exp(-distance² / (2 · width²)) is missing.",
)
def reads_beside_the_arc(line_orientations, orientation, radius, size, width=1.0):
    return detector(torch.deg2rad(line_orientations), math.radians(orientation), radius, size, 1e6)


@misconception(
    "04.hand_built_curve_detector",
    "The 2 in exp(-distance² / (2 · width²)) is missing, so the stroke is narrower than asked for.",
)
def forgets_the_two(line_orientations, orientation, radius, size, width=1.0):
    return detector(torch.deg2rad(line_orientations), math.radians(orientation), radius, size, width / math.sqrt(2))


@misconception(
    "04.hand_built_curve_detector",
    "`width` was not looked at: 1 is only its default.",
)
def always_as_wide(line_orientations, orientation, radius, size, width=1.0):
    return detector(torch.deg2rad(line_orientations), math.radians(orientation), radius, size, 1.0)


@misconception(
    "04.hand_built_curve_detector",
    "The lines run along the columns of the kernel here. Every line has a kernel of its own: give the lines two axes "
    "of length 1 behind their own, `[:, None, None]`.",
)
def forgets_the_axes_of_the_lines(line_orientations, orientation, radius, size, width=1.0):
    direction = math.radians(orientation)
    right, up = seen_from_the_centre(size, radius, direction)
    angle = torch.atan2(up, right)
    near = torch.exp(-((torch.hypot(right, up) - radius) ** 2) / (2 * width**2))
    return near * (angle - direction).cos().clamp(min=0) * (2 * (torch.deg2rad(line_orientations) - angle)).cos()


# ---------------------------------------------------------------- splice


def spliced_with(change, *, remember=None):
    """A splice by two edits: how the layer's activation is changed may be wrong, and what is remembered too."""

    @contextmanager
    def splice(model, layer, channels, source, kernels, biases=None):
        read = []

        def keep(activation):
            if remember is None:
                read[:] = [activation]
            else:
                remember(read, activation)
            return activation

        def replace(activation):
            return change(activation, list(channels), read[0], kernels, biases)

        with edit(model, {source: keep, layer: replace}):
            yield model

    return splice


def computed(read, kernels, biases):
    return F.conv2d(read, kernels, biases, padding=kernels.shape[-1] // 2).relu()


def put(activation, channels, values):
    changed = activation.clone()
    changed[:, channels] = values
    return changed


@misconception(
    "04.splice",
    "The rectifier is missing: the new channels can be below 0, which those of a rectified layer never are.",
)
def splice_without_rectifier(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(activation, channels, F.conv2d(read, kernels, biases, padding=kernels.shape[-1] // 2))

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "`biases` were not used: they are added before the rectifier.",
)
def splice_without_biases(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(activation, channels, computed(read, kernels, None))

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The biases were added after the rectifier. A bias is a threshold, which works before it.",
)
def splice_with_late_biases(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        late = 0 if biases is None else biases[:, None, None]
        return put(activation, channels, computed(read, kernels, None) + late)

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The channels were sorted, and the kernels were not. The first kernel belongs to the first of `channels`, whatever "
    "its number.",
)
def splice_in_order(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(activation, sorted(channels), computed(read, kernels, biases))

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "All other channels were silenced. They stay as they are: change a clone of the activation, not a tensor of zeros.",
)
def splice_and_silence(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(torch.zeros_like(activation), channels, computed(read, kernels, biases))

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "What the kernels compute was added to what the channels did anyway. It takes their place.",
)
def splice_on_top(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(activation, channels, activation[:, channels] + computed(read, kernels, biases))

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The first batch is remembered for ever: later images get the channels of the first ones. Remember each time anew.",
)
def splice_the_first_batch(model, layer, channels, source, kernels, biases=None):
    def remember(read, activation):
        if not read:
            read.append(activation)

    def change(activation, channels, read, kernels, biases):
        return put(activation, channels, computed(read, kernels, biases))

    return spliced_with(change, remember=remember)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The function for the source remembers its activation and returns nothing. An edit puts in place what its function "
    "returns: `return activation`, unchanged.",
)
@contextmanager
def splice_and_lose_the_source(model, layer, channels, source, kernels, biases=None):
    read = []

    def replace(activation):
        return put(activation, list(channels), computed(read.pop(), kernels, biases))

    with edit(model, {source: read.append, layer: replace}):
        yield model


@misconception(
    "04.splice",
    "The border was filled by repeating its pixels. Beyond the border there are zeros, as for every convolution of the "
    "network: `padding=`.",
)
def splice_with_repeated_borders(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        wide = F.pad(read, [kernels.shape[-1] // 2] * 4, mode="replicate")
        return put(activation, channels, F.conv2d(wide, kernels, biases).relu())

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The convolution has no padding, so fewer positions come out than the layer has: `padding=kernels.shape[-1] // 2`.",
)
def splice_without_padding(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(activation, channels, F.conv2d(read, kernels, biases).relu())

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The padding is 1, which is right for kernels of 3 × 3 only. In general it is half of the side, rounded down: "
    "`padding=kernels.shape[-1] // 2`.",
)
def splice_padded_by_one(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(activation, channels, F.conv2d(read, kernels, biases, padding=1).relu())

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The kernels were turned by 180°, as mathematicians define a convolution. Networks do not turn them: `F.conv2d` as "
    "it is.",
)
def splice_turned_kernels(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(activation, channels, computed(read, kernels.flip(2, 3), biases))

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The new channels were written into the layer's own output, which the gradient still needs. Change a clone: "
    "`activation.clone()`.",
)
def splice_in_place(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        activation[:, channels] = computed(read, kernels, biases)
        return activation

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


@misconception(
    "04.splice",
    "The new channels are cut off from the images, by a `no_grad()` or a `detach()`: no gradient goes through them.",
)
def splice_without_gradient(model, layer, channels, source, kernels, biases=None):
    def change(activation, channels, read, kernels, biases):
        return put(activation, channels, computed(read.detach(), kernels, biases))

    return spliced_with(change)(model, layer, channels, source, kernels, biases)


def hooked(model, layer, channels, source, kernels, biases):
    """A splice by hooks of one's own; whoever puts them there takes them off."""
    read, modules = [], dict(model.named_modules())

    def keep(module, given, output):
        read[:] = [output]

    def replace(module, given, output):
        return put(output, list(channels), computed(read[0], kernels, biases))

    return [modules[source].register_forward_hook(keep), modules[layer].register_forward_hook(replace)]


@misconception(
    "04.splice",
    "The hooks stay on the network after the block. Remove them there, or let `with edit(…): yield model` take care of "
    "it.",
)
@contextmanager
def splice_for_ever(model, layer, channels, source, kernels, biases=None):
    hooked(model, layer, channels, source, kernels, biases)
    yield model


@misconception(
    "04.splice",
    "After an error inside the block the hooks stay on the network: what stands behind `yield` is not reached then. "
    "Put it in a `finally:`, or let `with edit(…): yield model` take care of it.",
)
@contextmanager
def splice_unless_something_fails(model, layer, channels, source, kernels, biases=None):
    hooks = hooked(model, layer, channels, source, kernels, biases)
    yield model
    for hook in hooks:
        hook.remove()


@misconception(
    "04.splice",
    "An error inside the block was swallowed. `try:` with `finally:` cleans up and lets it pass; `except:` keeps it.",
)
@contextmanager
def splice_and_swallow(model, layer, channels, source, kernels, biases=None):
    hooks = hooked(model, layer, channels, source, kernels, biases)
    try:
        yield model
    except Exception:
        pass
    finally:
        for hook in hooks:
            hook.remove()


@misconception(
    "04.splice",
    "`@contextmanager` is missing above the function: it makes something for `with` out of a function that yields.",
)
def splice_without_its_decorator(model, layer, channels, source, kernels, biases=None):
    hooks = hooked(model, layer, channels, source, kernels, biases)
    try:
        yield model
    finally:
        for hook in hooks:
            hook.remove()


@misconception(
    "04.splice",
    "The model is returned, and with it all is over before the block begins. A context manager *yields*: what stands "
    "before `yield` runs at the start of the block, what stands behind it at the end.",
)
def splice_returned(model, layer, channels, source, kernels, biases=None):
    return model
