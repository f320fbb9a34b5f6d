"""Lesson 04: drawn curves, tuning curves, where they point and how sharply, and a detector written by hand."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.signal import correlate2d
from scipy.stats import circmean, circvar
from torch import nn

from innervision import record
from innervision.circuits.published_curves import CURVES_MIXED3B
from innervision.classroom.exercises import exercise, question, scenario

# ---------------------------------------------------------------- drawn curves

FAR = 1.5  # pixels; seen through such a blur it hardly matters how the edges of a stroke were smoothed
SMOOTH = 0.5  # pixels; edges smoothed by anything from a third of a pixel to two thirds will do


def several_curves(generator):
    """Six curves all over the circle, two of them some turns on, each with values of its own; 27 rows, 34 columns."""
    spread = {"radius": (4, 12), "width": (2, 4), "length": (14, 20), "row": (-4, 4), "column": (-6, 6)}

    def sixths(low, high):
        """A value in each sixth of the range, in random order."""
        steps = torch.randperm(6, generator=generator) + torch.rand(6, generator=generator)
        return low + (high - low) * steps / 6

    orientation, values = sixths(0, 360), {name: sixths(*ends) for name, ends in spread.items()}
    orientation = orientation + 360 * torch.tensor([0, 0, 0, 0, 2, -2])[torch.randperm(6, generator=generator)]
    contrast = torch.tensor([1.0, -1.0, 0.6, -0.6, 0.8, -0.8])[torch.randperm(6, generator=generator)]
    return {"orientation": orientation, **values, "contrast": contrast, "size": (27, 34)}


def single_curves(generator):
    """White curves in the middle, from plain numbers: one of the usual width and length, and a short one."""
    orientation, radius = torch.rand(2, generator=generator).tolist()
    return {"orientation": 360 * orientation, "radius": 5 + 10 * radius}, {
        "orientation": 50.0,
        "radius": 6,
        "length": 5,
    }


@scenario
def curves_all_over(student, generator):
    several, (usual, short) = several_curves(generator), single_curves(generator)
    return {
        "six curves, a value for each": student.draw_curve(**several),
        "one curve, from plain numbers": student.draw_curve(usual["orientation"], usual["radius"]),
        "a short curve": student.draw_curve(**short),
        "asked for": {
            "six curves, a value for each": several,
            "one curve, from plain numbers": usual,
            "a short curve": short,
        },
    }


def covered(curve, grain=4):
    """How much of each pixel a curve with sharp edges covers: pixels are cut into ``grain`` × ``grain`` pieces."""
    height, width = curve["size"]
    rows, columns = ((np.arange(side * grain) + 0.5) / grain - side / 2 for side in (height, width))
    x, y = columns - curve["column"], curve["row"] - rows[:, None]  # to the right of the curve's middle, and above it
    towards = np.deg2rad(curve["orientation"])
    x, y = x + curve["radius"] * np.cos(towards), y + curve["radius"] * np.sin(towards)
    ahead, aside = x * np.cos(towards) + y * np.sin(towards), y * np.cos(towards) - x * np.sin(towards)
    on_stroke = np.abs(np.hypot(x, y) - curve["radius"]) <= curve["width"] / 2
    inside = on_stroke & (np.abs(np.arctan2(aside, ahead)) <= curve["length"] / 2 / curve["radius"])
    return inside.reshape(height, grain, width, grain).mean(axis=(1, 3))


def pattern_of(images, contrast):
    """What is drawn, from grey images: 0 on the grey, 1 on the stroke."""
    return (images.double().numpy()[:, 0] - 0.5) / (0.5 * np.asarray(contrast, dtype=float).reshape(-1, 1, 1))


def one_by_one(asked):
    """Parameters of a batch as those of each image, with the usual values where none were given."""
    usual = {
        "orientation": 0.0,
        "radius": 0.0,
        "width": 2.0,
        "length": 16.0,
        "row": 0.0,
        "column": 0.0,
        "contrast": 1.0,
        "size": (33, 33),
    }
    count = max(value.numel() for value in asked.values() if isinstance(value, torch.Tensor)) if "size" in asked else 1
    full = {**usual, **asked}
    return [
        {name: float(value[i]) if isinstance(value, torch.Tensor) else value for name, value in full.items()}
        for i in range(count)
    ]


def are_grey_images(images, count, size):
    """What is wrong with them as images, or nothing."""
    if not isinstance(images, torch.Tensor) or tuple(images.shape) != (count, 3, *size):
        return f"{kind(images)} in place of (batch, 3, height, width) = {(count, 3, *size)}"
    if not (images[:, :1] - images).abs().max() <= 1e-5:
        return "the three colours differ, or there are NaNs"
    if float(images.min()) < -1e-5 or float(images.max()) > 1 + 1e-5:
        return f"values from {float(images.min()):.3g} to {float(images.max()):.3g}; images are in [0, 1]"
    return ""


def kind(value):
    return f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else f"a {type(value).__name__}"


def lie_where_they_should(outcome, reference):
    """Compared from afar, with curves cut out sharply and in fine pieces."""
    for name, asked in reference["asked for"].items():
        curves = one_by_one(asked)
        if fault := are_grey_images(outcome[name], len(curves), curves[0]["size"]):
            return f"{name}: {fault}"
        patterns = pattern_of(outcome[name], [curve["contrast"] for curve in curves])
        for curve, pattern in zip(curves, patterns, strict=True):
            mine, right = gaussian_filter(pattern, FAR), gaussian_filter(covered(curve), math.hypot(FAR, SMOOTH))
            row, column = np.unravel_index(np.abs(mine - right).argmax(), mine.shape)
            if abs(mine[row, column] - right[row, column]) > 0.08:  # the library's edges: 0.05
                return (
                    f"{name}: {in_words(curve)}: blurred by {FAR} pixels, your stroke is {mine[row, column]:.2f} "
                    f"strong at row {row}, column {column}, where it should be {right[row, column]:.2f}"
                )
    return True


def in_words(curve):
    return ", ".join(f"{name} {value:.4g}" for name, value in curve.items() if name != "size")


@exercise("04.draw_curve", points=1)
def test_each_curve_lies_and_bulges_where_it_should(judge):
    expected = "grey images (batch, 3, height, width), each with its curve where the docstring puts it"
    judge(curves_all_over).satisfies(lie_where_they_should, expected=expected)


def nudged(generator):
    """One thin curve, drawn at eight places that differ by parts of a pixel."""
    orientation, radius = torch.rand(2, generator=generator).tolist()
    shift = torch.rand(2, 8, generator=generator) - 0.5
    curve = {"orientation": 30 + 70 * orientation, "radius": 4 + 2 * radius, "width": 1.2, "length": 13.0}
    return {**curve, "row": shift[0], "column": shift[1], "size": 33}


@scenario
def curves_nudged(student, generator):
    asked = nudged(generator)
    return {"images": student.draw_curve(**asked), "asked for": asked}


def keep_their_area_and_move_by_parts_of_a_pixel(outcome, reference):
    asked = reference["asked for"]
    if fault := are_grey_images(outcome["images"], 8, (33, 33)):
        return fault
    patterns = pattern_of(outcome["images"], 1.0)
    areas, wanted = patterns.sum(axis=(1, 2)), asked["width"] * asked["length"]
    if np.abs(areas - wanted).max() > 0.06 * wanted:  # hard edges lose or win a tenth at least
        return f"areas from {areas.min():.2f} to {areas.max():.2f} pixels for a stroke of 13 × 1.2 = {wanted:.2f}"
    places = np.arange(33.0)
    rows, columns = (patterns.sum(axis=axis) @ places / areas for axis in (2, 1))
    moved = np.stack([rows - rows[0], columns - columns[0]])
    right = np.stack([(asked[name] - asked[name][0]).double().numpy() for name in ("row", "column")])
    far = float(np.abs(moved - right).max())
    return True if far <= 0.25 else f"the middle of one of the strokes is {far:.2f} pixels from where it was moved to"


@exercise("04.draw_curve", points=1)
def test_parts_of_a_pixel_count(judge):
    expected = "a stroke that keeps its area, and moves with its middle, when it is moved by parts of a pixel"
    judge(curves_nudged).satisfies(keep_their_area_and_move_by_parts_of_a_pixel, expected=expected)


def whole_circles(generator):
    """Strokes a little longer than their circle, three times as long, four pixels short of it, and far shorter."""
    orientation, radius = torch.rand(2, generator=generator).tolist()
    round_it = 2 * math.pi * (4 + 2 * radius)
    lengths = {"just longer than the circle": round_it + 0.1, "three times as long": 3 * round_it}
    lengths |= {"4 pixels short": round_it - 4, "5 pixels long": 5.0}
    orientation = 30 + 70 * orientation
    right, up = math.cos(math.radians(orientation)), math.sin(math.radians(orientation))
    middle = {
        "row": (4 + 2 * radius) * -up,
        "column": (4 + 2 * radius) * right,
    }  # so that the circle lies in the middle
    return {"orientation": orientation, "radius": 4 + 2 * radius, "width": 3.0, **middle}, lengths


@scenario
def curves_that_close(student, generator):
    curve, lengths = whole_circles(generator)
    found = {name: student.draw_curve(**curve, length=length) for name, length in lengths.items()}
    return {**found, "asked for": curve}


def have_no_seam(outcome, reference):
    """How strong the stroke is at its weakest, along the whole circle."""
    curve = reference["asked for"]
    angles = np.deg2rad(np.arange(360))
    around = 16 - curve["radius"] * np.sin(angles), 16 + curve["radius"] * np.cos(angles)
    for name, closed in {
        "just longer than the circle": True,
        "three times as long": True,
        "4 pixels short": False,
        "5 pixels long": False,
    }.items():
        if fault := are_grey_images(outcome[name], 1, (33, 33)):
            return f"{name}: {fault}"
        strength = map_coordinates(pattern_of(outcome[name], 1.0)[0], around, order=1)
        weakest = int(strength.argmin())
        where = f"{name}: at {weakest}° of the circle the stroke is {strength[weakest]:.2f} strong"
        if closed and strength[weakest] < 0.75:
            return f"{where}, where it should be closed"
        if not closed and strength[weakest] > 0.25:
            return f"{where}, where it should be open"
    return True


@exercise("04.draw_curve", points=1)
def test_a_curve_as_long_as_its_circle_is_closed(judge):
    expected = "a closed circle from the length of the circle on, and a gap below"
    judge(curves_that_close).satisfies(have_no_seam, expected=expected)


# ---------------------------------------------------------------- tuning curves


class Crowd(nn.Module):
    """Passes images on, and remembers how many came at a time."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def forward(self, images):
        self.sizes.append(len(images))
        return images


def mixes_colours(generator):
    """Four channels, each another mixture of the three colours, behind a rectifier; it counts what it is given."""
    model = nn.Sequential(Crowd(), nn.Conv2d(3, 4, 1), nn.ReLU())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model.eval()


def hooks_of(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def mixtures(model, images):
    """What ``mixes_colours`` puts out before the rectifier, by NumPy."""
    weight, bias = (parameter.detach().double().numpy() for parameter in model.parameters())
    mixed = np.einsum("kc,bchw->bkhw", weight[:, :, 0, 0], images.double().numpy())
    return mixed + bias[:, None, None]


def hangs(value):
    """Whether a result still hangs on what it was computed from."""
    return isinstance(value, torch.Tensor) and value.requires_grad


def at_most(limit, sizes):
    """In words, so that a message says how many came at a time."""
    return f"at most {limit}" if max(sizes) <= limit else f"{max(sizes)}"


def odd_and_even(generator):
    """Seven images of 5 × 8 pixels, and two of 6 × 9."""
    return {
        "7 images of 5 × 8": torch.rand(7, 3, 5, 8, generator=generator),
        "2 images of 6 × 9": torch.rand(2, 3, 6, 9, generator=generator),
    }


@scenario
def units_in_the_middle(student, generator):
    model = mixes_colours(generator)
    found = {name: student.tuning_curve(model, "2", images) for name, images in odd_and_even(generator).items()}
    return {**found, "hangs on a gradient": any(map(hangs, found.values()))}


@scenario
def strongest_units_in_batches(student, generator):
    model, images = mixes_colours(generator), odd_and_even(generator)["7 images of 5 × 8"]
    asked = {"at the strongest place": {"at": "strongest"}, "in the middle": {"at": "centre"}}  # before the rectifier
    found = {}
    for name, where in asked.items():
        for batch_size in (7, 3):
            responses = student.tuning_curve(model, "1", images, batch_size=batch_size, **where)
            found[f"{name}, batch_size={batch_size}"] = responses
    model[0].sizes.clear()
    student.tuning_curve(model, "1", images, batch_size=3)
    return {**found, "images at a time, batch_size=3": at_most(3, model[0].sizes), "hooks left": hooks_of(model)}


@exercise("04.tuning_curve", points=1)
def test_a_row_for_each_channel_of_the_unit_in_the_middle(judge):
    def expected(generator):
        model = mixes_colours(generator)
        five, six = (np.maximum(mixtures(model, images), 0) for images in odd_and_even(generator).values())
        return {
            "7 images of 5 × 8": torch.from_numpy(five[:, :, 2, 4].T.copy()),
            "2 images of 6 × 9": torch.from_numpy(six[:, :, 3, 4].T.copy()),
            "hangs on a gradient": False,
        }

    judge(units_in_the_middle).expect(expected, atol=1e-5)  # sums of four numbers of size 1


@exercise("04.tuning_curve", points=1)
def test_the_strongest_place_and_batches_that_leave_nothing_out_or_behind(judge):
    def expected(generator):
        model = mixes_colours(generator)
        activation = mixtures(model, odd_and_even(generator)["7 images of 5 × 8"])
        strongest, middle = (
            torch.from_numpy(one.T.copy()) for one in (activation.max(axis=(2, 3)), activation[:, :, 2, 4])
        )
        return {
            "at the strongest place, batch_size=7": strongest,
            "at the strongest place, batch_size=3": strongest,
            "in the middle, batch_size=7": middle,
            "in the middle, batch_size=3": middle,
            "images at a time, batch_size=3": "at most 3",
            "hooks left": 0,
        }

    judge(strongest_units_in_batches).expect(expected, atol=1e-5)


# ---------------------------------------------------------------- where a curve points


def around(generator, count=24):
    """Angles over the full turn, from anywhere, in random order."""
    angles = (360 * torch.rand((), generator=generator) + torch.arange(count) * 360 / count) % 360
    return angles[torch.randperm(count, generator=generator)]


def whole_numbers(generator, *shape):
    """Responses that scipy can be given as so many repeated angles."""
    return torch.randint(0, 20, shape, generator=generator).float()


def in_rows(curves):
    return torch.stack(list(curves.values()))


def by_name(curves, found):
    """What was found for each curve; all of it, where it is not one number for each."""
    fits = isinstance(found, torch.Tensor) and tuple(found.shape) == (len(curves),)
    return dict(zip(curves, found, strict=True)) if fits else dict.fromkeys(curves, found)


def or_its_error(function, *given):
    """What a function returns, or in words the error that it raises, so that a message can say for which input."""
    try:
        return function(*given)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def random_curves(generator):
    return around(generator), whole_numbers(generator, 6, 24)


def other_shapes(responses):
    count = responses.shape[1]
    return {
        f"a single curve, shape ({count},)": responses[0],
        f"2 × {len(responses) // 2} channels, shape (2, {len(responses) // 2}, {count})": responses.unflatten(
            0, (2, -1)
        ),
    }


def of_other_shapes(describe, angles, responses):
    return {name: or_its_error(describe, curves, angles) for name, curves in other_shapes(responses).items()}


def by_scipy(describe, responses, angles):
    """A circular statistic of each curve, of angles repeated as often as the unit responds."""
    radians = np.deg2rad(angles.double().numpy())
    curves = responses.reshape(-1, len(angles)).int().numpy()
    values = [describe(np.repeat(radians, curve)) for curve in curves]
    return torch.tensor(values).reshape(responses.shape[:-1])


def two_at_a_time(generator):
    """Two responses on a circle of 1° steps, and nothing else. Some pairs lie on both sides of 0°."""
    start, below, above = torch.randint(8, 40, (3,), generator=generator).tolist()
    above += above == below  # a mean of exactly 0° might also be called 359.99999°
    pairs = {
        f"equal responses at {start}° and {start + 30}°": (start, start + 30, 1.0),
        f"equal responses at {360 - below}° and {above}°": (-below, above, 1.0),
        "equal responses at 359° and 0°": (-1, 0, 1.0),
        f"a response at {180 + start}°, twice as much at {270 + start}°": (180 + start, 270 + start, 2.0),
    }
    responses, middles = {name: torch.zeros(360) for name in pairs}, {}
    for name, (one, other, more) in pairs.items():
        responses[name][[one, other]] = torch.tensor([1.0, more]) * (1 + torch.rand((), generator=generator))
        # Equal pulls meet halfway; at a right angle, the slope is how much more the second is.
        middles[name] = ((one + other) / 2 if more == 1 else one + math.degrees(math.atan(more))) % 360
    return torch.arange(0.0, 360), responses, middles


def waves(generator):
    """Five curves ``level + height · cos(angle - peak)``, and an echo ``cos(2 · angle - …)``, which pulls nowhere.

    The sum of all pulls is ``count · height / 2`` long and points to ``peak``.
    """
    angles = around(generator)
    peak = 5 + 350 * torch.rand(5, 1, generator=generator)
    height, echo = 0.2 + torch.rand(2, 5, 1, generator=generator)
    level = height + echo + torch.rand(5, 1, generator=generator)
    echoes = echo * torch.deg2rad(2 * angles - 360 * torch.rand(5, 1, generator=generator)).cos()
    responses = level + height * torch.deg2rad(angles - peak).cos() + echoes
    return angles, responses, peak[:, 0], (height / (2 * level))[:, 0]


@scenario
def directions_halfway(student, generator):
    angles, curves, _ = two_at_a_time(generator)
    return by_name(curves, student.preferred_orientation(in_rows(curves), angles))


@scenario
def directions_of_waves(student, generator):
    angles, responses, _, _ = waves(generator)
    return {"5 waves around the circle": student.preferred_orientation(responses, angles)}


@scenario
def directions_of_any_curves(student, generator):
    angles, responses = random_curves(generator)
    return {"6 random curves": student.preferred_orientation(responses, angles)}


def mean_directions(responses, angles):
    return by_scipy(lambda repeated: np.rad2deg(circmean(repeated)), responses, angles)


@exercise("04.preferred_orientation", points=1)
def test_where_a_curve_points_also_across_0(judge):
    def expected(generator):
        angles, responses = random_curves(generator)
        return {"6 random curves": mean_directions(responses, angles)}

    judge(directions_halfway).expect(lambda generator: two_at_a_time(generator)[2], atol=0.01)
    judge(directions_of_waves).expect(
        lambda generator: {"5 waves around the circle": waves(generator)[2]},
        atol=0.01,  # degrees, single precision
    )
    judge(directions_of_any_curves).expect(expected, atol=0.02)  # some of these pulls nearly cancel


def undecided(generator):
    """Units that prefer nothing, and some that do, if only a little: first those of which no sum needs rounding."""
    angles, preferred = torch.arange(0.0, 360, 10).roll(1), int(torch.randint(1, 36, (), generator=generator))
    strength, favourite = 1 + torch.rand((), generator=generator), torch.zeros(36)
    favourite[angles == 10 * preferred] = strength
    alike, opposite = strength * torch.ones(36), favourite + favourite.roll(18)
    exactly = {
        "never responds": torch.zeros(36),
        "at one angle only": favourite,
        "at one angle only, and weakly": 1e-7 * favourite,
    }
    nearly = {
        "alike at all angles": alike,
        "alike at all angles, and strongly": 1e5 * alike,
        "alike at opposite angles": opposite,
        "a hundredth more at one angle": alike + 0.01 * favourite,
    }
    known = [
        {name: 10.0 * preferred if " one " in name else torch.nan for name in curves} for curves in (exactly, nearly)
    ]
    return angles, (exactly, nearly), known


@scenario
def directions_of_the_silent(student, generator):
    angles, (curves, _), _ = undecided(generator)
    return by_name(curves, student.preferred_orientation(in_rows(curves), angles))


@scenario
def directions_of_the_undecided(student, generator):
    angles, (_, curves), _ = undecided(generator)
    return by_name(curves, student.preferred_orientation(in_rows(curves), angles))


@scenario
def directions_in_other_shapes(student, generator):
    angles, responses = random_curves(generator)
    return of_other_shapes(student.preferred_orientation, angles, responses)


@exercise("04.preferred_orientation", points=1)
def test_no_direction_where_nothing_is_preferred_and_any_number_of_channels(judge):
    def expected(generator):
        angles, responses = random_curves(generator)
        return {name: mean_directions(curves, angles) for name, curves in other_shapes(responses).items()}

    judge(directions_of_the_silent).expect(lambda generator: undecided(generator)[2][0], atol=0.01, equal_nan=True)
    # What 36 sums lose in single precision may turn a hundredth of one response by some tenths of a degree.
    judge(directions_of_the_undecided).expect(lambda generator: undecided(generator)[2][1], atol=1, equal_nan=True)
    judge(directions_in_other_shapes).expect(expected, atol=0.02)


# ---------------------------------------------------------------- how sharply it points


def known_selectivities(generator):
    """Curves whose selectivity is known beforehand, in random order."""
    angles, count = around(generator, 36), 36
    turn = angles.argsort().roll(int(torch.randint(count, (), generator=generator)))  # from somewhere, round the circle
    strength = 1 + 9 * torch.rand((), generator=generator)
    one, pair, half = torch.zeros(3, count)
    one[turn[0]], pair[turn[[0, 18]]], half[turn[:18]] = strength, strength, strength
    uneven = torch.where(one > 0, 3 * pair, pair)
    curves = {
        "at one angle only": one,
        "at one angle only, and weakly": 1e-4 * one,
        "alike at opposite angles": pair,
        "three times as much as at the opposite": uneven,
        "alike at all angles": strength * torch.ones(count),
        "alike at half of the circle": half,
        "never": torch.zeros(count),
    }
    # Pulls that go half round form the diameter of a regular polygon with sides of 1: 1 / sin(π / count) long.
    known = (1.0, 1.0, 0.0, 0.5, 0.0, 1 / np.sin(np.pi / count) / (count / 2), 0.0)
    return angles, curves, dict(zip(curves, known, strict=True))


@scenario
def selectivities_known_beforehand(student, generator):
    angles, curves, _ = known_selectivities(generator)
    return by_name(curves, student.orientation_selectivity(in_rows(curves), angles))


@scenario
def selectivities_of_waves(student, generator):
    angles, responses, _, _ = waves(generator)
    return {"5 waves around the circle": student.orientation_selectivity(responses, angles)}


@scenario
def selectivities_of_any_curves(student, generator):
    angles, responses = random_curves(generator)
    six = {"6 random curves": student.orientation_selectivity(responses, angles)}
    return {**six, **of_other_shapes(student.orientation_selectivity, angles, responses)}


@exercise("04.orientation_selectivity", points=1)
def test_selectivity_from_none_to_all(judge):
    judge(selectivities_known_beforehand).expect(lambda generator: known_selectivities(generator)[2], atol=1e-4)


@exercise("04.orientation_selectivity", points=1)
def test_the_share_of_all_pulls_that_agree(judge):
    def expected(generator):
        angles, responses = random_curves(generator)
        cases = {"6 random curves": responses, **other_shapes(responses)}
        return {
            name: by_scipy(lambda repeated: 1 - circvar(repeated), curves, angles) for name, curves in cases.items()
        }

    judge(selectivities_of_waves).expect(
        lambda generator: {"5 waves around the circle": waves(generator)[3]}, atol=1e-4
    )
    judge(selectivities_of_any_curves).expect(expected, atol=1e-4)


# ---------------------------------------------------------------- how wide it is

STEP = 8.0  # degrees between stimuli


def tents(generator):
    """Curves that fall in straight lines from the peak, to half of it within a known distance on either side.

    One stands on a floor. All are sampled every 8 degrees, with a stimulus at each peak, finely
    enough that straight lines between them are the tents themselves.
    """
    angles, order = torch.arange(0.0, 360, STEP), torch.randperm(45, generator=generator)
    peaks = {"a tent": 20, "a tent across 0°": 44, "a lopsided tent": 12, "a tent on a floor": 30}
    curves, widths = {}, {}
    for name, peak in peaks.items():
        sides = 24 + 48 * torch.rand(2, generator=generator)  # to half of the peak, against the clock and with it
        if name != "a lopsided tent":
            sides[1] = sides[0]
        away = (angles - angles[peak] + 180) % 360 - 180
        away = torch.where(away > 0, away / sides[0], -away / sides[1])
        height = 1 + 9 * torch.rand((), generator=generator)
        floor = 0.3 if "floor" in name else 0.0
        curves[name] = height * (1 - away / 2).clamp(min=floor)
        widths[name] = float(sides.sum())
    return angles, curves, widths, order


@scenario
def widths_of_tents(student, generator):
    angles, curves, _, _ = tents(generator)
    return by_name(curves, student.tuning_width(in_rows(curves), angles))


@scenario
def widths_in_any_order(student, generator):
    angles, curves, _, order = tents(generator)
    responses = in_rows(curves)
    found = {
        "4 channels, angles from high to low": student.tuning_width(responses.flip(1), angles.flip(0)),
        "4 channels, angles in random order": student.tuning_width(responses[:, order], angles[order]),
    }
    return {**found, **of_other_shapes(student.tuning_width, angles, responses)}


@exercise("04.tuning_width", points=2)
def test_the_width_at_half_of_the_peak(judge):
    judge(widths_of_tents).expect(lambda generator: tents(generator)[2], atol=0.01)  # degrees, single precision


@exercise("04.tuning_width", points=1)
def test_any_order_of_angles_and_any_number_of_channels(judge):
    def expected(generator):
        widths = torch.tensor(list(tents(generator)[2].values()))
        return {
            "4 channels, angles from high to low": widths,
            "4 channels, angles in random order": widths,
            "a single curve, shape (45,)": widths[0],
            "2 × 2 channels, shape (2, 2, 45)": widths.view(2, 2),
        }

    judge(widths_in_any_order).expect(expected, atol=0.01)


def special_widths(generator):
    """Six stimuli 60 degrees apart; whole numbers, so that a half is exactly a half."""
    scale = float(torch.randint(1, 9, (), generator=generator))
    cases = {
        "a second bump": ([0, 6, 0, 0, 4, 0], 30 + 30),
        "a second bump that is as high": ([0, 8, 2, 0, 8, 4], 40 + 30),
        "at half, it stays there for a while": ([8, 4, 4, 0, 4, 4], 60 + 60),
        "half of the peak just once": ([8, 6, 6, 4, 6, 6], 180 + 180),
        "never down to half": ([5, 3, 4, 3, 5, 4], 360),
        "alike at all angles": ([1, 1, 1, 1, 1, 1], 360),
        "never responds": ([0, 0, 0, 0, 0, 0], torch.nan),
    }
    curves = {name: scale * torch.tensor(curve, dtype=torch.float32) for name, (curve, _) in cases.items()}
    return torch.arange(0.0, 360, 60), curves, {name: float(width) for name, (_, width) in cases.items()}


@scenario
def widths_that_are_special(student, generator):
    angles, curves, _ = special_widths(generator)
    return by_name(curves, student.tuning_width(in_rows(curves), angles))


@exercise("04.tuning_width", points=1)
def test_only_the_bump_of_the_peak_and_curves_that_never_fall_or_never_rise(judge):
    judge(widths_that_are_special).expect(lambda generator: special_widths(generator)[2], atol=0.01, equal_nan=True)


# ---------------------------------------------------------------- echoes


def bumps(generator):
    """Curves on a circle of 8° steps, in random order: a peak with a long flank on one side, and an echo or none.

    The echo lies at most 16 degrees beside the opposite of the peak. From 28 degrees beside it on there is more, which
    is none: the farther, the larger, so that whoever looks elsewhere finds something else.
    """
    angles, order = torch.arange(0.0, 360, 8), torch.randperm(45, generator=generator)
    no_echo = {
        11: 0.85,
        34: 0.82,
        17: 0.78,
        18: 0.74,
        19: 0.7,
        26: 0.72,
        27: 0.76,
        28: 0.8,
    }  # steps from the peak → share of it
    responses, ratios = torch.zeros(6, 45), torch.zeros(6)
    for channel in range(6):
        peak = 7 * channel + int(torch.randint(7, (), generator=generator))
        height = 5 + 5 * torch.rand((), generator=generator)
        ratios[channel] = 0.1 + 0.5 * torch.rand((), generator=generator) if channel else 0.0
        beside = int(torch.randint(21, 25, (), generator=generator))  # 168 to 192 degrees from the peak
        flank = {0: 1.0, -1: 0.95, **dict.fromkeys(range(1, 8), 0.9)}
        for steps, share in {**flank, **no_echo, beside: float(ratios[channel])}.items():
            responses[channel, (peak + steps) % 45] = height * share
    return angles[order], responses[:, order], ratios


@scenario
def echoes_of_bumps(student, generator):
    angles, responses, _ = bumps(generator)
    return {"6 channels": student.echo_ratio(responses, angles)}


@scenario
def echoes_in_other_shapes(student, generator):
    angles, responses, _ = bumps(generator)
    return of_other_shapes(student.echo_ratio, angles, responses)


def reaches(generator):
    """A curve on a circle of 10° steps: opposite the peak it rises to either side, and at a right angle it is high."""
    angles, height = torch.arange(0.0, 360, 10), 2 + torch.rand((), generator=generator)
    peak = 10.0 * torch.randint(36, (), generator=generator)
    around = (angles - peak) % 360
    beside = (around - 180).abs()
    curve = height * torch.where(beside < 60, 0.1 + beside / 400, 0.0)
    curve = torch.where((around - 90).abs() < 30, height * (0.9 - (around - 90).abs() / 200), curve)
    curve[around == 0], curve[around == 350] = height, 0.97 * height
    return angles, curve, {f"reach={reach}": 0.1 + reach / 400 for reach in (0, 10, 20, 50)}


@scenario
def echoes_within_reach(student, generator):
    angles, curve, wanted = reaches(generator)
    found = {}
    for name in wanted:
        found |= by_name([name], student.echo_ratio(curve[None], angles, float(name.partition("=")[2])))
    for name, other in {"never responds": torch.zeros(36), "alike at all angles": torch.ones(36)}.items():
        found |= by_name([name], student.echo_ratio(other[None], angles))
    return found


@exercise("04.echo_ratio", points=1)
def test_the_largest_response_opposite_the_peak(judge):
    judge(echoes_of_bumps).expect(lambda generator: {"6 channels": bumps(generator)[2]}, atol=1e-5)


@exercise("04.echo_ratio", points=1)
def test_as_far_as_the_reach_silence_and_any_number_of_channels(judge):
    def shaped(generator):
        _, responses, ratios = bumps(generator)
        return dict(zip(other_shapes(responses), (ratios[0], ratios.view(2, 3)), strict=True))

    def expected(generator):
        return {**reaches(generator)[2], "never responds": torch.nan, "alike at all angles": 1.0}

    judge(echoes_within_reach).expect(expected, atol=1e-5, equal_nan=True)
    judge(echoes_in_other_shapes).expect(shaped, atol=1e-5)


# ---------------------------------------------------------------- two things at a time


class Painter:
    """Images of two values each: one is the brightness of the middle, the other of the pixel above it.

    It takes equally many of both, as ``joint_tuning`` promises, and remembers how many.
    """

    def __init__(self):
        self.asked = []

    def __call__(self, first, second):
        first, second = torch.stack([first, second])
        self.asked.append(len(first))
        images = torch.zeros(len(first), 3, 3, 3)
        images[:, 0, 1, 1], images[:, 1, 1, 1] = first, second
        images[:, 2, 0, 1] = 2 * first - second
        return images


def two_parameters(generator):
    return torch.randn(4, generator=generator), torch.randn(3, generator=generator)


@scenario
def two_things_at_a_time(student, generator):
    model, paint = mixes_colours(generator), Painter()
    found = student.joint_tuning(model, "2", paint, *two_parameters(generator))
    return {
        "responses": found,
        "hangs on a gradient": hangs(found),
        "stimuli at a time, of 3 values of second": at_most(3, paint.asked),
    }


@scenario
def two_things_with_settings(student, generator):
    model, paint = mixes_colours(generator), Painter()
    found = student.joint_tuning(model, "2", paint, *two_parameters(generator), at="strongest", batch_size=2)
    return {"at the strongest place": found, "images at a time, batch_size=2": at_most(2, model[0].sizes)}


@scenario
def one_image_for_all(student, generator):
    model, paint = mixes_colours(generator), Painter()
    try:
        found = student.joint_tuning(
            model, "2", lambda first, second: paint(first, second)[:1], *two_parameters(generator)
        )
    except ValueError:
        return "a ValueError"
    return f"responses of shape {tuple(found.shape)}"


def pair_by_pair(generator, look):
    """Every pair of values by itself, by NumPy."""
    model = mixes_colours(generator)
    first, second = two_parameters(generator)
    rows = [
        [look(np.maximum(mixtures(model, Painter()(one.view(1), other.view(1)))[0], 0)) for other in second]
        for one in first
    ]
    return torch.from_numpy(np.moveaxis(np.array(rows), -1, 0).copy())


@exercise("04.joint_tuning", points=1)
def test_every_pair_in_its_row_and_column(judge):
    judge(two_things_at_a_time).expect(
        lambda generator: {
            "responses": pair_by_pair(generator, lambda activation: activation[:, 1, 1]),
            "hangs on a gradient": False,
            "stimuli at a time, of 3 values of second": "at most 3",
        },
        atol=1e-5,
    )


@exercise("04.joint_tuning", points=1)
def test_the_place_and_the_batches_are_handed_on_and_images_counted(judge):
    judge(two_things_with_settings).expect(
        lambda generator: {
            "at the strongest place": pair_by_pair(generator, lambda activation: activation.max(axis=(1, 2))),
            "images at a time, batch_size=2": "at most 2",
        },
        atol=1e-5,
    )
    expected = "a ValueError where make_stimuli returns one image for three pairs of values"
    judge(one_image_for_all).satisfies(lambda outcome: outcome == "a ValueError" or outcome, expected=expected)


# ---------------------------------------------------------------- a curve detector by hand


def an_arc(generator, size):
    """Random lines, an arc, and how wide its stroke is."""
    orientation, radius, width = torch.rand(3, generator=generator).tolist()
    lines = 180 * torch.rand(5, generator=generator)
    return lines, 360 * orientation, 2.5 + 4 * radius, size, 0.6 + 1.5 * width


def place_by_place(lines, orientation, radius, size, width):
    """The same with arrows and their products in place of angles."""
    kernel = np.zeros((len(lines), size, size))
    bulge = np.array([np.cos(np.deg2rad(orientation)), np.sin(np.deg2rad(orientation))])
    for row, column in itertools.product(range(size), repeat=2):
        arrow = np.array([column - size // 2, size // 2 - row]) + radius * bulge  # from the centre of the circle
        distance = np.linalg.norm(arrow)
        near = np.exp(-0.5 * ((distance - radius) / width) ** 2)
        for index, line in enumerate(np.deg2rad(lines.double().numpy())):
            fits = 2 * (np.array([np.cos(line), np.sin(line)]) @ arrow / distance) ** 2 - 1
            kernel[index, row, column] = near * max(0.0, arrow @ bulge / distance) * fits
    return torch.from_numpy(kernel)


@scenario
def detectors_in_the_middle(student, generator):
    """At the middle of the kernel the arc is in its own middle: how well each line fits is all that counts."""
    found = {}
    for size in (3, 5, 9):
        lines, *arc = an_arc(generator, size)
        found[f"size {size}"] = student.hand_built_curve_detector(lines, *arc)[:, size // 2, size // 2]
    return found


def fits_in_the_middle(generator):
    found = {}
    for size in (3, 5, 9):
        lines, orientation, *_ = an_arc(generator, size)
        found[f"size {size}"] = torch.from_numpy(np.cos(2 * np.deg2rad(lines.double().numpy() - orientation)))
    return found


@scenario
def whole_detectors(student, generator):
    return {f"size {size}": student.hand_built_curve_detector(*an_arc(generator, size)) for size in (3, 7)}


@scenario
def detectors_of_small_circles(student, generator):
    """Bulging up, right, down and left, so small that half of the circle lies in the kernel."""
    lines, *_ = an_arc(generator, 7)
    return {
        f"bulges {where}": student.hand_built_curve_detector(lines, orientation, 1.5, 7)
        for where, orientation in {"up": 90.0, "to the right": 0.0, "down": 270.0, "to the left": 180.0}.items()
    }


def small_circles(generator):
    lines, *_ = an_arc(generator, 7)
    return {
        f"bulges {where}": place_by_place(lines, orientation, 1.5, 7, 1.0)
        for where, orientation in {"up": 90.0, "to the right": 0.0, "down": 270.0, "to the left": 180.0}.items()
    }


@exercise("04.hand_built_curve_detector", points=1)
def test_in_the_middle_lines_along_the_arc_excite_and_lines_across_inhibit(judge):
    judge(detectors_in_the_middle).expect(fits_in_the_middle, atol=1e-4)  # single precision of angles in degrees


@exercise("04.hand_built_curve_detector", points=1)
def test_every_place_of_the_kernel(judge):
    judge(whole_detectors).expect(
        lambda generator: {f"size {size}": place_by_place(*an_arc(generator, size)) for size in (3, 7)}, atol=1e-4
    )


@exercise("04.hand_built_curve_detector", points=1)
def test_beyond_a_quarter_of_the_circle_nothing_is_read(judge):
    judge(detectors_of_small_circles).expect(small_circles, atol=1e-4)


# ---------------------------------------------------------------- spliced in


def four_steps(generator):
    """Colours → 4 channels → signed → 5 channels → 2 channels."""
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Tanh(), nn.Conv2d(4, 5, 1), nn.Conv2d(5, 2, 1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model.eval()


def spliced_in(generator):
    """Two batches of images and, for channels 3 and 1, kernels of 3 × 3 with biases, then one of 5 × 5 without."""
    batches = torch.randn(2, 2, 3, 6, 7, generator=generator)
    kernels, biases = torch.randn(2, 4, 3, 3, generator=generator), torch.randn(2, generator=generator)
    return batches, kernels, biases, torch.randn(1, 4, 5, 5, generator=generator)


@scenario
def channels_in_place_of_others(student, generator):
    model, (batches, kernels, biases, single) = four_steps(generator), spliced_in(generator)
    with torch.no_grad():
        with student.splice(model, "2", [3, 1], "1", kernels, biases):
            layer = record(model, batches[0], "2")["2"]
            after = [model(batch) for batch in batches]
        with student.splice(model, "2", [0], "1", single):
            without = record(model, batches[0], "2")["2"]
    return {
        "the spliced channels 3 and 1": layer[:, [3, 1]],
        "the channels beside them": layer[:, [0, 2, 4]],
        "what follows, of two batches": torch.stack(after),
        "a channel without bias, size 5": without[:, 0],
    }


def rectified_by_scipy(read, kernels, biases):
    """Images are read by 4 kernels each, with zeros beyond the border."""
    units = [
        [
            sum(correlate2d(one, kernel, mode="same") for one, kernel in zip(image, unit, strict=True))
            for unit in kernels
        ]
        for image in read
    ]
    return np.maximum(np.array(units) + np.reshape(biases, (-1, 1, 1)), 0)


def spliced_by_hand(generator):
    model, (batches, kernels, biases, single) = four_steps(generator), spliced_in(generator)
    weights = [parameter.detach().double().numpy() for parameter in model.parameters()]

    def mix(values, step):
        return np.einsum("kc,bchw->bkhw", weights[step][:, :, 0, 0], values) + weights[step + 1][:, None, None]

    read = [np.tanh(mix(batch, 0)) for batch in batches.double().numpy()]
    layers = [mix(one, 2) for one in read]
    for one, layer in zip(read, layers, strict=True):
        layer[:, [3, 1]] = rectified_by_scipy(one, kernels.double().numpy(), biases.double().numpy())
    found = {
        "the spliced channels 3 and 1": layers[0][:, [3, 1]],
        "the channels beside them": layers[0][:, [0, 2, 4]],
        "what follows, of two batches": np.stack([mix(layer, 4) for layer in layers]),
        "a channel without bias, size 5": rectified_by_scipy(read[0], single.double().numpy(), [0.0])[:, 0],
    }
    return {name: torch.from_numpy(values.copy()) for name, values in found.items()}


@exercise("04.splice", points=1)
def test_spliced_channels_are_computed_by_the_kernels_and_others_stay(judge):
    judge(channels_in_place_of_others).expect(spliced_by_hand, atol=1e-3, rtol=1e-4)  # sums of 100 numbers, size 10


@scenario
def the_network_afterwards(student, generator):
    model, (batches, kernels, biases, _) = four_steps(generator), spliced_in(generator)
    splice, error = (model, "2", [3, 1], "1", kernels, biases), "the error inside the block was lost"
    with torch.no_grad():
        before = model(batches[0])
        with student.splice(*splice):
            model(batches[1])
        after = model(batches[0])
        found = {"changed after the block": not torch.equal(before, after), "hooks left": hooks_of(model)}
        try:
            with student.splice(*splice):
                model(batches[1])
                raise LookupError("something else went wrong in the block")
        except LookupError as caught:
            error = str(caught)
        changed = not torch.equal(before, model(batches[0]))
    found["changed after an error in the block"] = changed
    return {**found, "hooks left after an error": hooks_of(model), "the error": error}


@exercise("04.splice", points=1)
def test_afterwards_the_network_is_as_it_was_also_after_an_error(judge):
    expected = {
        "changed after the block": False,
        "hooks left": 0,
        "changed after an error in the block": False,
        "hooks left after an error": 0,
        "the error": "something else went wrong in the block",
    }
    judge(the_network_afterwards).expect(expected, atol=0)


@scenario
def gradients_through_a_splice(student, generator):
    """The layer is a rectifier, which needs what it has put out to find its gradient."""
    model, (batches, kernels, biases, _) = four_steps(generator), spliced_in(generator)
    model[2] = nn.ReLU()
    model[3] = nn.Flatten()
    images = batches[0].clone().requires_grad_(True)
    with student.splice(model, "2", [3, 1], "1", kernels, biases):
        score = model(images).square().sum()
    return torch.autograd.grad(score, images)[0]


def gradients_without_hooks(generator):
    model, (batches, kernels, biases, _) = four_steps(generator), spliced_in(generator)
    images = batches[0].clone().requires_grad_(True)
    read = model[1](model[0](images))
    spliced = F.conv2d(read, kernels, biases, padding=1).relu()
    return torch.autograd.grad(spliced.square().sum() + read.relu()[:, [0, 2]].square().sum(), images)[0]


@exercise("04.splice", points=1)
def test_gradients_go_through_a_splice(judge):
    judge(gradients_through_a_splice).expect(gradients_without_hooks, atol=1e-3, rtol=1e-4)


# ---------------------------------------------------------------- questions

test_q_lines = question(
    "04.q_lines",
    points=1,
    answer="c",
    wrong={
        "a": "They do what they were written for: two opposite arrows of one length add up to nothing. It is the "
        "question that does not fit a line, which looks the same after half a turn.",
        "b": "It answers at 30° and 210°, which is one and the same line, and at no other: it prefers that one. What "
        "it cannot have is one of two opposite directions.",
        "d": "At 120° it does not respond at all. A summary should not lie where the unit is silent.",
    },
)


def published_gaps():
    """Degrees from each published orientation to the next, once around, in order of size."""
    around = sorted(CURVES_MIXED3B.values())
    return sorted((after - before) % 360 for before, after in itertools.pairwise([*around, around[0]]))


def uncovered(reach):
    """Degrees of the circle that lie farther than that from all ten directions."""
    return sum(max(0.0, gap - 2 * reach) for gap in published_gaps())


test_q_gap = question(
    "04.q_gap",
    points=1,
    answer=lambda: uncovered(25),
    atol=1.01,  # whoever takes the published width, 49.5°, is right, too
    wrong=[
        (lambda: published_gaps()[-1] - 50, "That is left of the largest gap. One more gap is wider than 50°."),
        (lambda: published_gaps()[-2] - 50, "That is left of the second largest gap. The largest one leaves more."),
        (
            lambda: published_gaps()[-1],
            "That is the largest gap, from one direction to the next. The units at both its ends reach 25° into it.",
        ),
        (
            lambda: sum(published_gaps()[-2:]),
            "Those are the two gaps that are not covered, but whole. From both ends 25° of each are covered.",
        ),
        (
            lambda: uncovered(12.5),
            "Here each unit reached 12.5° into a gap. Its width is 50°, so it reaches 25° to either side: that takes "
            "50° from each gap.",
        ),
        (
            lambda: uncovered(50),
            "Here each unit reached 50° into a gap. That is its whole width: to either side it reaches 25°.",
        ),
    ],
)

test_q_joint = question(
    "04.q_joint",
    points=1,
    answer="b",
    wrong={
        "a": "No unit is: an arc of radius 10,000 is a line, which bulges to neither side. And selectivity at a radius "
        "that a unit does not care for says little about the unit.",
        "c": "A line detector answers alike to opposite arcs once they are nearly straight, so its selectivity *falls* "
        "as the radius grows. Look at the map of channel 46: for lines it has two bright places, half a turn apart.",
        "d": "The floor of 0.6 was set for arcs of one radius. A mean over radii hides just what the two numbers show: "
        "that the radius matters to this unit.",
    },
)

test_q_ablation = question(
    "04.q_ablation",
    points=1,
    answer="c",
    wrong={
        "a": "It shows that the hole makes the ten fall. Whether that is because of curves, or because of the size of "
        "the hole, only another hole of that size can tell.",
        "b": "Accuracy would tell whether the network needs the family. The claim is about what the ten channels read.",
        "d": "The interval in brackets says how much 250 photographs leave open. More of them make it narrower; they "
        "cannot tell curves from any other hole.",
    },
)

test_q_splice = question(
    "04.q_splice",
    points=1,
    answer="b",
    wrong={
        "a": "Nothing here rules that out: the part of the loss that did not come back may be just that.",
        "c": "What mini does without the family is in the line 'without the family', before any kernel was put in.",
        "d": "Both kinds of kernels were fitted in the same way. Against a fit that is too good stands something else: "
        "all was measured on the half of the photographs that the fit had not seen.",
    },
)
