"""Wrong answers to lesson 03 that students give, each with the sentence that helps."""

import torch
import torch.nn.functional as F
from einops import rearrange, reduce

from innervision import record
from innervision.atlas import Cells, Grid, Groups, draw_icons, factorize, filled_squares
from innervision.attribution import activation_and_gradient, path_start
from innervision.classroom.exercises import misconception
from innervision.examples import Examples
from innervision.optvis import Joint, Objective
from innervision.optvis.objectives import as_objective

# ---------------------------------------------------------------- top_examples


def chosen(places, order):
    return Examples(order, places.values[order], places.rows[order], places.columns[order])


@misconception(
    "03.top_examples",
    "This sorts upwards, so what comes first excites the channel least. The strongest are asked for, strongest first.",
)
def takes_the_weakest(places, count=9, *, lowest=False):
    return chosen(places, places.values.argsort(descending=lowest, stable=True)[:count])


@misconception(
    "03.top_examples",
    "The right images are chosen, but they come in the order of the data set. Whoever shows them wants the strongest "
    "first.",
)
def forgets_to_keep_them_sorted(places, count=9, *, lowest=False):
    return chosen(places, places.values.argsort(descending=not lowest, stable=True)[:count].sort().values)


@misconception(
    "03.top_examples",
    "The images were sorted and the places were not: rows and columns are those of the first images of the data set. "
    "Whatever is sorted must be looked up with the same indices.",
)
def leaves_the_places_behind(places, count=9, *, lowest=False):
    order = places.values.argsort(descending=not lowest, stable=True)[:count]
    return Examples(order, places.values[order], places.rows[:count], places.columns[:count])


@misconception(
    "03.top_examples",
    "`lowest` was not looked at: the strongest came back where the weakest were asked for.",
)
def ignores_lowest(places, count=9, *, lowest=False):
    return chosen(places, places.values.argsort(descending=True, stable=True)[:count])


@misconception(
    "03.top_examples",
    "This turns the upward order round, and with it the order of equal activations: behind a rectifier there are many. "
    "Ask the sort itself: `argsort(descending=True, stable=True)`.",
)
def turns_the_order_round(places, count=9, *, lowest=False):
    order = places.values.argsort(stable=True)
    return chosen(places, (order if lowest else order.flip(0))[:count])


@misconception(
    "03.top_examples",
    "This sorts by size without the sign, so a strong suppression counts as a strong excitement.",
)
def sorts_without_the_sign(places, count=9, *, lowest=False):
    return chosen(places, places.values.abs().argsort(descending=not lowest, stable=True)[:count])


@misconception(
    "03.top_examples",
    "`topk` promises nothing about the order of equal values, and behind a rectifier there are many. Of equal ones the "
    "image with the lower index comes first: `argsort(descending=…, stable=True)`.",
)
def takes_topk(places, count=9, *, lowest=False):
    return chosen(places, places.values.topk(count, largest=not lowest).indices)


@misconception(
    "03.top_examples",
    "`lowest` was not looked at, and `topk` promises nothing about the order of equal values. Sort with "
    "`argsort(descending=not lowest, stable=True)`: it heeds both.",
)
def takes_topk_and_ignores_lowest(places, count=9, *, lowest=False):
    return chosen(places, places.values.topk(count).indices)


@misconception(
    "03.top_examples",
    "A plain tuple has no names. Wrap the four tensors, so that the next cells can ask for `.images` and `.values`: "
    "`return Examples(images, values, rows, columns)`.",
)
def returns_a_plain_tuple(places, count=9, *, lowest=False):
    order = places.values.argsort(descending=not lowest, stable=True)[:count]
    return order, places.values[order], places.rows[order], places.columns[order]


# ---------------------------------------------------------------- activation_spectrum


def spectrum(places, levels, count):
    """Right, for levels that need not be."""
    values = torch.stack([kind.values for kind in places])
    distance, closest = (values - levels[:, None, None]).abs().min(dim=1)
    images = distance.argsort(dim=1, stable=True)[:, :count]
    return at(places, images, closest.gather(1, images))


def at(places, images, kinds):
    values, rows, columns = (
        torch.stack([getattr(kind, name) for kind in places]) for name in ("values", "rows", "columns")
    )
    return Examples(images, values[kinds, images], rows[kinds, images], columns[kinds, images])


def all_values(places):
    return torch.stack([kind.values for kind in places])


@misconception(
    "03.activation_spectrum",
    "These slices hold equally many photographs each (quantiles). Most photographs leave a channel nearly cold, so the "
    "strong end shrinks to almost nothing. Space the *activations* evenly, from the smallest to the largest.",
)
def takes_quantiles(places, slices=5, count=6):
    return spectrum(places, all_values(places).quantile(torch.linspace(0, 1, slices)), count)


@misconception(
    "03.activation_spectrum",
    "This spectrum begins at 0. What suppresses the channel lies below, and is half of the story: begin at the "
    "smallest activation.",
)
def begins_at_zero(places, slices=5, count=6):
    return spectrum(places, torch.linspace(0, float(all_values(places).max()), slices), count)


@misconception(
    "03.activation_spectrum",
    "This spectrum stops one step before the top: the last level must be the largest activation itself. "
    "`torch.linspace` includes both ends.",
)
def stops_before_the_top(places, slices=5, count=6):
    values = all_values(places)
    low, high = float(values.min()), float(values.max())
    return spectrum(places, low + (high - low) / slices * torch.arange(slices), count)


@misconception(
    "03.activation_spectrum",
    "The slices run from high to low. The bottom of the spectrum comes first.",
)
def runs_from_high_to_low(places, slices=5, count=6):
    values = all_values(places)
    return spectrum(places, torch.linspace(float(values.max()), float(values.min()), slices), count)


@misconception(
    "03.activation_spectrum",
    "Only the first of the places of each image was looked at. An image may excite the channel in one corner and "
    "suppress it in another; take of all its places the closest one.",
)
def looks_at_the_first_place_only(places, slices=5, count=6):
    values = all_values(places)
    levels = torch.linspace(float(values.min()), float(values.max()), slices)
    images = (values[0] - levels[:, None]).abs().argsort(dim=1, stable=True)[:, :count]
    return at(places, images, torch.zeros_like(images))


@misconception(
    "03.activation_spectrum",
    "An image is in a slice twice, with two of its places. One place an image: first find each image's closest place, "
    "then the closest images.",
)
def takes_an_image_twice(places, slices=5, count=6):
    values = all_values(places)
    levels = torch.linspace(float(values.min()), float(values.max()), slices)
    order = (values.flatten() - levels[:, None]).abs().argsort(dim=1, stable=True)[:, :count]
    return at(places, order % values.shape[1], order // values.shape[1])


@misconception(
    "03.activation_spectrum",
    "The differences to the level were sorted with their sign, so what lies farthest below comes first. Close means "
    "close on either side: take the size of the difference.",
)
def forgets_the_size(places, slices=5, count=6):
    values = all_values(places)
    levels = torch.linspace(float(values.min()), float(values.max()), slices)
    distance, closest = (values - levels[:, None, None]).min(dim=1)
    images = distance.argsort(dim=1, stable=True)[:, :count]
    return at(places, images, closest.gather(1, images))


@misconception(
    "03.activation_spectrum",
    "Only the first kind of place was used, for the levels and for the images. In the lesson that is each image's "
    "highest place, so the suppressing half is missing: stack the values of all of `places`.",
)
def uses_the_highest_places_only(places, slices=5, count=6):
    values = places[0].values
    return spectrum(places[:1], torch.linspace(float(values.min()), float(values.max()), slices), count)


@misconception(
    "03.activation_spectrum",
    "The levels are quantiles of the first kind of place alone. Take the smallest and the largest value of all "
    "`places`, and space the *activations* evenly between them.",
)
def takes_quantiles_of_the_highest(places, slices=5, count=6):
    return spectrum(places, places[0].values.quantile(torch.linspace(0, 1, slices)), count)


@misconception(
    "03.activation_spectrum",
    "All places were sorted and cut into parts of equally many. Most are nearly cold, so nearly all parts look alike. "
    "Space the *activations* evenly, and look for the images closest to each.",
)
def cuts_into_equal_parts(places, slices=5, count=6):
    values = all_values(places)
    order = torch.stack([part[:count] for part in values.flatten().argsort(stable=True).tensor_split(slices)])
    return at(places, order % values.shape[1], order // values.shape[1])


@misconception(
    "03.activation_spectrum",
    "All places were put in one long row, so `images` counts places, beyond the last image, and an image can be there "
    "twice. First find each image's closest place (`.min(dim=0)` over the kinds), then the closest images.",
)
def counts_places_for_images(places, slices=5, count=6):
    twice = takes_an_image_twice(places, slices, count)
    values = all_values(places)
    levels = torch.linspace(float(values.min()), float(values.max()), slices)
    order = (values.flatten() - levels[:, None]).abs().argsort(dim=1, stable=True)[:, :count]
    return Examples(order, twice.values, twice.rows, twice.columns)


@misconception(
    "03.activation_spectrum",
    "`topk` promises nothing about the order of equal distances. Of equally close images the one with the lower index "
    "comes first: `distance.argsort(dim=1, stable=True)[:, :count]`.",
)
def takes_the_closest_by_topk(places, slices=5, count=6):
    values = all_values(places)
    levels = torch.linspace(float(values.min()), float(values.max()), slices)
    distance, closest = (values - levels[:, None, None]).abs().min(dim=1)
    images = distance.topk(count, dim=1, largest=False).indices
    return at(places, images, closest.gather(1, images))


@misconception(
    "03.activation_spectrum",
    "All places were put in one long row, so an image can be in a slice twice, and `topk` promises nothing about the "
    "order of equal distances. First each image's closest place (`.min` over the kinds), then a stable `argsort`.",
)
def takes_an_image_twice_by_topk(places, slices=5, count=6):
    values = all_values(places)
    levels = torch.linspace(float(values.min()), float(values.max()), slices)
    order = (values.flatten() - levels[:, None]).abs().topk(count, dim=1, largest=False).indices
    return at(places, order % values.shape[1], order // values.shape[1])


@misconception(
    "03.activation_spectrum",
    "A plain tuple has no names. Wrap the four tensors: `return Examples(images, values, rows, columns)`.",
)
def returns_four_tensors(places, slices=5, count=6):
    values = all_values(places)
    found = spectrum(places, torch.linspace(float(values.min()), float(values.max()), slices), count)
    return found.images, found.values, found.rows, found.columns


# ---------------------------------------------------------------- diversity


def styles(activation):
    features = activation.flatten(2)
    return F.normalize((features @ features.transpose(1, 2)).flatten(1), dim=1)


@misconception(
    "03.diversity",
    "The sign is turned: this is largest when all images are alike. Objectives are maximised, so likeness must count "
    "against.",
)
def rewards_likeness(layer):
    def objective(activations):
        likeness = styles(activations[layer]) @ styles(activations[layer]).T
        return (likeness.sum(dim=1) - likeness.diagonal()) / len(likeness)

    return Objective(objective, "diversity")


@misconception(
    "03.diversity",
    "Each image is compared with itself, too. That cosine is always 1 and says nothing: leave the diagonal out.",
)
def compares_each_with_itself(layer):
    def objective(activations):
        likeness = styles(activations[layer]) @ styles(activations[layer]).T
        return -likeness.sum(dim=1) / len(likeness)

    return Objective(objective, "diversity")


@misconception(
    "03.diversity",
    "This compares the activations place by place. Then a picture that is only shifted counts as a new one. The Gram "
    "matrix forgets places: `features @ features.transpose(1, 2)`.",
)
def compares_place_by_place(layer):
    def objective(activations):
        flat = F.normalize(activations[layer].flatten(1), dim=1)
        likeness = flat @ flat.T
        return (likeness.diagonal() - likeness.sum(dim=1)) / len(likeness)

    return Objective(objective, "diversity")


@misconception(
    "03.diversity",
    "This Gram matrix compares places, not channels: (positions × positions). It must say which *channels* are active "
    "together, summed over places.",
)
def gram_of_places(layer):
    def objective(activations):
        features = activations[layer].flatten(2)
        gram = F.normalize((features.transpose(1, 2) @ features).flatten(1), dim=1)
        likeness = gram @ gram.T
        return (likeness.diagonal() - likeness.sum(dim=1)) / len(likeness)

    return Objective(objective, "diversity")


@misconception(
    "03.diversity",
    "The Gram matrices were not brought to length 1, so a strong image counts more than a weak one, and the number has "
    "no end. A cosine compares directions: `F.normalize` first.",
)
def forgets_the_lengths(layer):
    def objective(activations):
        features = activations[layer].flatten(2)
        grams = (features @ features.transpose(1, 2)).flatten(1)
        likeness = grams @ grams.T
        return (likeness.diagonal() - likeness.sum(dim=1)) / len(likeness)

    return Objective(objective, "diversity")


@misconception(
    "03.diversity",
    "This compares how active each channel is on average, one number a channel. Which channels are active *at the same "
    "place* is lost; the Gram matrix keeps it.",
)
def compares_channel_means(layer):
    def objective(activations):
        means = F.normalize(activations[layer].flatten(2).mean(dim=2), dim=1)
        likeness = means @ means.T
        return (likeness.diagonal() - likeness.sum(dim=1)) / len(likeness)

    return Objective(objective, "diversity")


@misconception(
    "03.diversity",
    "This is divided by the number of *other* images; the docstring says the number of images. With four images the "
    "weight of diversity would be a third larger than agreed.",
)
def divides_by_the_others(layer):
    def objective(activations):
        likeness = styles(activations[layer]) @ styles(activations[layer]).T
        return (likeness.diagonal() - likeness.sum(dim=1)) / (len(likeness) - 1)

    return Objective(objective, "diversity")


@misconception(
    "03.diversity",
    "This is a plain function. It can be called, but the next cell computes `1.0 * diversity(LAYER)`. An objective "
    'that is to be weighted or added must be wrapped: `Objective(difference, "a name")`.',
)
def returns_a_plain_function(layer):
    def objective(activations):
        likeness = styles(activations[layer]) @ styles(activations[layer]).T
        return (likeness.diagonal() - likeness.sum(dim=1)) / len(likeness)

    return objective


# ---------------------------------------------------------------- direction


def dot(activation, vector):
    return torch.einsum("bc...,c->b...", activation, vector)


def cosine(activation, vector):
    return dot(activation, vector) / (1e-4 + activation.norm(dim=1)) / (1e-4 + vector.norm())


@misconception(
    "03.direction",
    "This is the cosine instead of the dot product: how strong the activation is no longer counts, so a faint picture "
    "scores like a strong one. The cosine comes on top of the dot product.",
)
def takes_the_cosine_alone(activation, vector, cosine_power=0):
    return cosine(activation, vector).clamp(min=0.1) ** max(cosine_power, 1)


@misconception(
    "03.direction",
    "Without the lower bound of 0.1 a picture at a right angle to the direction never moves (its slope is 0), and an "
    "even power turns a negative cosine into praise.",
)
def forgets_the_least_cosine(activation, vector, cosine_power=0):
    return dot(activation, vector) * cosine(activation, vector) ** cosine_power


@misconception(
    "03.direction",
    "The dot product was cut off at 0 (or at 0.1), not the cosine. A position that points away must count against the "
    "picture.",
)
def cuts_off_the_dot_product(activation, vector, cosine_power=0):
    return dot(activation, vector).clamp(min=0.1) * cosine(activation, vector).clamp(min=0.1) ** cosine_power


@misconception(
    "03.direction",
    "The cosine was multiplied by the power, not raised to it.",
)
def multiplies_by_the_power(activation, vector, cosine_power=0):
    factor = cosine(activation, vector).clamp(min=0.1) * cosine_power if cosine_power else 1
    return dot(activation, vector) * factor


@misconception(
    "03.direction",
    "This is one number for the whole image. Each position has a vector of its own: sum over channels only, and keep "
    "the positions.",
)
def sums_over_positions(activation, vector, cosine_power=0):
    values = dot(activation, vector) * cosine(activation, vector).clamp(min=0.1) ** cosine_power
    return values.reshape(len(values), -1).mean(dim=1)


@misconception(
    "03.direction",
    "The cosine compares the whole image with the direction, one angle for all positions. Each position has its own "
    "angle.",
)
def one_angle_for_the_image(activation, vector, cosine_power=0):
    values = dot(activation, vector)
    flat = values.reshape(len(values), -1).sum(dim=1)
    angle = flat / (1e-4 + activation.flatten(1).norm(dim=1)) / (1e-4 + vector.norm())
    return values * angle.clamp(min=0.1).view(-1, *[1] * (values.ndim - 1)) ** cosine_power


@misconception(
    "03.direction",
    "The direction was not divided by its length in the cosine: for a vector of length 3 cosines come out three times "
    "too large.",
)
def forgets_the_length_of_the_direction(activation, vector, cosine_power=0):
    angle = dot(activation, vector) / (1e-4 + activation.norm(dim=1))
    return dot(activation, vector) * angle.clamp(min=0.1) ** cosine_power


@misconception(
    "03.direction",
    "A silent position gives 0 / 0, which is NaN, and one NaN spoils the whole picture. Add a tiny number (`EPSILON`) "
    "to the lengths before you divide.",
)
def divides_zero_by_zero(activation, vector, cosine_power=0):
    angle = dot(activation, vector) / activation.norm(dim=1) / vector.norm()
    return dot(activation, vector) * angle.clamp(min=0.1) ** cosine_power


FOUR_AXES = (
    "`view(1, -1, 1, 1)` supposes rows and columns. An activation can also be (batch, channel), as logits are: let "
    'whatever comes after the channels be `...`, as in `einsum("bc...,c->b...", …)`.'
)


@misconception("03.direction", FOUR_AXES)
def supposes_rows_and_columns(activation, vector, cosine_power=0):
    spread = vector.view(1, -1, 1, 1)
    angle = F.cosine_similarity(activation, spread, dim=1)
    return (activation * spread).sum(dim=1) * angle.clamp(min=0.1) ** cosine_power


@misconception("03.direction", FOUR_AXES)
def divides_by_lengths_of_rows_and_columns(activation, vector, cosine_power=0):
    values = (activation * vector.view(1, -1, 1, 1)).sum(dim=1)
    angle = values / (1e-4 + activation.norm(dim=1)) / (1e-4 + vector.norm())
    return values * angle.clamp(min=0.1) ** cosine_power


# ---------------------------------------------------------------- interpolate


def path(mixture, images):
    return Joint(mixture, "path", images)


@misconception(
    "03.interpolate",
    "The path runs backwards: the first image is drawn for the second objective.",
)
def runs_backwards(first, second, images=5):
    start, end = as_objective(first), as_objective(second)

    def mixture(activations):
        share = torch.linspace(0, 1, images)
        return share * start(activations) + (1 - share) * end(activations)

    return path(mixture, images)


@misconception(
    "03.interpolate",
    "The last image is not drawn for the second objective alone: steps of 1 / n never reach the end. Of n images there "
    "are n - 1 steps; `torch.linspace(0, 1, n)` knows it.",
)
def never_arrives(first, second, images=5):
    start, end = as_objective(first), as_objective(second)

    def mixture(activations):
        share = torch.arange(images) / images
        return (1 - share) * start(activations) + share * end(activations)

    return path(mixture, images)


@misconception(
    "03.interpolate",
    "Every image is drawn for the same half-and-half mixture. Image i of n gets the share i / (n - 1) of the second.",
)
def halves_everywhere(first, second, images=5):
    start, end = as_objective(first), as_objective(second)
    return path(lambda activations: (start(activations) + end(activations)) / 2, images)


@misconception(
    "03.interpolate",
    "All images get the first objective in full, and the second is added on top. A mixture gives to one what it takes "
    "from the other: (1 - share) · first + share · second.",
)
def adds_the_second_on_top(first, second, images=5):
    start, end = as_objective(first), as_objective(second)

    def mixture(activations):
        return start(activations) + torch.linspace(0, 1, images) * end(activations)

    return path(mixture, images)


@misconception(
    "03.interpolate",
    "`render` was not told how many images you want: give the number to `Joint` as its third argument.",
)
def forgets_the_number(first, second, images=5):
    start, end = as_objective(first), as_objective(second)

    def mixture(activations):
        share = torch.linspace(0, 1, len(start(activations)))
        return (1 - share) * start(activations) + share * end(activations)

    return path(mixture, 1)


@misconception(
    "03.interpolate",
    "This is one sum for the whole row. Each image needs a score of its own.",
)
def one_score_for_the_row(first, second, images=5):
    start, end = as_objective(first), as_objective(second)

    def mixture(activations):
        share = torch.linspace(0, 1, images)
        return ((1 - share) * start(activations) + share * end(activations)).sum()

    return path(mixture, images)


@misconception(
    "03.interpolate",
    'An objective may come as a string such as `"mixed3b:5"`, which cannot be called. Turn both into objectives first: '
    "`as_objective(first)`, `as_objective(second)`.",
)
def calls_a_string(first, second, images=5):
    def mixture(activations):
        share = torch.linspace(0, 1, images)
        return (1 - share) * first(activations) + share * second(activations)

    return path(mixture, images)


# ---------------------------------------------------------------- inversion


def over_layers(targets, compare):
    """``compare(drawn, target)`` of each image's numbers, averaged over layers."""

    def objective(activations):
        scores = [compare(activations[name].flatten(1), target.flatten(1)) for name, target in targets.items()]
        return torch.stack(scores).mean(dim=0)

    return objective


@misconception(
    "03.inversion",
    "The distance is positive, so climbing leads away from the picture. Near must be high: put a minus before it.",
)
def climbs_away(targets):
    return over_layers(targets, lambda a, t: (a - t).square().sum(dim=1) / t.square().sum(dim=1))


@misconception(
    "03.inversion",
    "The distance was not divided by the target's squared length. Layers differ a lot in strength, so one of them "
    "would decide alone.",
)
def forgets_to_divide(targets):
    return over_layers(targets, lambda a, t: -(a - t).square().sum(dim=1))


@misconception(
    "03.inversion",
    "This is the mean over all numbers of the layer, not the distance relative to the target: the length of the target "
    "is missing.",
)
def takes_the_mean_square(targets):
    return over_layers(targets, lambda a, t: -(a - t).square().mean(dim=1))


@misconception(
    "03.inversion",
    "Differences were added with their sign, so too much in one place makes up for too little in another. Square each "
    "before you add.",
)
def lets_differences_cancel(targets):
    return over_layers(targets, lambda a, t: -(a - t).sum(dim=1).square() / t.square().sum(dim=1))


@misconception(
    "03.inversion",
    "This is the distance, not its square: a root too many.",
)
def takes_the_root(targets):
    return over_layers(targets, lambda a, t: -(a - t).norm(dim=1) / t.norm(dim=1))


@misconception(
    "03.inversion",
    "This divides by the squared length of the drawing's activation. It can be made small by a loud drawing that is "
    "far from the picture; divide by the target's.",
)
def divides_by_the_drawing(targets):
    return over_layers(targets, lambda a, t: -(a - t).square().sum(dim=1) / a.square().sum(dim=1).clamp(min=1e-12))


@misconception(
    "03.inversion",
    "This adds the layers up; their mean is asked for, so that one layer and two are comparable.",
)
def adds_layers_up(targets):
    def objective(activations):
        return sum(
            -(activations[name] - target).flatten(1).square().sum(dim=1) / target.flatten(1).square().sum(dim=1)
            for name, target in targets.items()
        )

    return objective


# ---------------------------------------------------------------- caricature


def angle(drawn, target):
    return F.cosine_similarity(drawn, target).clamp(min=0.1)


@misconception(
    "03.caricature",
    "This is the cosine alone. It has an end at 1, and then nothing drives the drawing any further: a caricature "
    "exaggerates, so it needs the dot product.",
)
def cosine_instead_of_dot(targets, cosine_power=0):
    return over_layers(targets, lambda a, t: F.cosine_similarity(a, t) * angle(a, t) ** cosine_power)


@misconception(
    "03.caricature",
    "The dot product was divided by the target's length, not by its square: the picture itself must score 1.",
)
def divides_by_the_length(targets, cosine_power=0):
    return over_layers(targets, lambda a, t: (a * t).sum(dim=1) * angle(a, t) ** cosine_power / t.norm(dim=1))


@misconception(
    "03.caricature",
    "`cosine_power` was not used: the drawing may exaggerate one thing and leave out all others.",
)
def ignores_the_cosine(targets, cosine_power=0):
    return over_layers(targets, lambda a, t: (a * t).sum(dim=1) / t.square().sum(dim=1))


@misconception(
    "03.caricature",
    "The cosine has no lower bound here. A drawing that points away gets, with an even power, the same praise as one "
    "that points along: `.clamp(min=LEAST_COSINE)`.",
)
def cosine_without_a_bound(targets, cosine_power=0):
    def compare(a, t):
        return (a * t).sum(dim=1) * F.cosine_similarity(a, t) ** cosine_power / t.square().sum(dim=1)

    return over_layers(targets, compare)


@misconception(
    "03.caricature",
    "This is the distance of inversion. A caricature has no goal that it could overshoot; it asks for as much as "
    "possible of what the picture has.",
)
def inverts_instead(targets, cosine_power=0):
    return over_layers(targets, lambda a, t: -(a - t).square().sum(dim=1) / t.square().sum(dim=1))


@misconception(
    "03.caricature",
    "The cosine was taken between single numbers or positions, not between the whole layers: flatten everything after "
    "the batch axis first.",
)
def cosine_at_each_position(targets, cosine_power=0):
    def objective(activations):
        scores = []
        for name, target in targets.items():
            drawn = activations[name]
            here = F.cosine_similarity(drawn, target, dim=1).clamp(min=0.1) ** cosine_power
            products = (drawn * target).sum(dim=1) * here
            scores.append(products.flatten(1).sum(dim=1) / target.flatten(1).square().sum(dim=1))
        return torch.stack(scores).mean(dim=0)

    return objective


@misconception(
    "03.caricature",
    "The cosine was divided by the target's length only, as lucid does. It then grows with the drawing and is no "
    "cosine: divide by the drawing's length, too, or take `F.cosine_similarity`.",
)
def divides_the_cosine_by_the_target_only(targets, cosine_power=0):
    def compare(a, t):
        products = (a * t).sum(dim=1)
        return products / t.square().sum(dim=1) * (products / t.norm(dim=1)).clamp(min=0.1) ** cosine_power

    return over_layers(targets, compare)


@misconception(
    "03.caricature",
    "This is lucid's formula: the dot product is divided by nothing, its cosine by the target's length only. Here the "
    "picture itself scores 1: divide the dot product by the target's squared length, the cosine by both lengths.",
)
def follows_lucid(targets, cosine_power=0):
    def compare(a, t):
        products = (a * t).sum(dim=1)
        return products * (products / t.norm(dim=1)).clamp(min=0.1) ** cosine_power

    return over_layers(targets, compare)


# ================ many neurons and what they do

# ---------------------------------------------------------------- activation_grid


def _activation(model, layer, image):
    with torch.no_grad():
        return record(model, image[None], layer)[layer][0]


def _grid(model, layer, image, directions, strengths, **settings):
    return Grid(draw_icons(model, layer, directions, **settings), strengths)


@misconception(
    "03.activation_grid",
    "The positions were gone through column by column. Icons come row by row from the top left, as one reads: "
    "the column changes fastest.",
)
def goes_down_the_columns(model, layer, image, **settings):
    activation = _activation(model, layer, image)
    directions = rearrange(activation, "channel row column -> (column row) channel")
    return _grid(model, layer, image, directions, activation.norm(dim=0), **settings)


@misconception(
    "03.activation_grid",
    "`reshape` cut the numbers into rows without asking what they are: a row of the result mixes positions of one "
    "channel. Bring the channels to the end first (`rearrange`, `permute`).",
)
def reshapes_without_moving_the_channels(model, layer, image, **settings):
    activation = _activation(model, layer, image)
    directions = activation.reshape(-1, activation.shape[0])
    return _grid(model, layer, image, directions, activation.norm(dim=0), **settings)


@misconception(
    "03.activation_grid",
    "Each icon shows the strongest channel alone. What the layer found is the mixture of all channels; most places "
    "excite many of them at once.",
)
def draws_the_strongest_channel_alone(model, layer, image, **settings):
    activation = _activation(model, layer, image)
    strongest = activation.argmax(dim=0).flatten()
    directions = torch.eye(activation.shape[0])[strongest]
    return _grid(model, layer, image, directions, activation.norm(dim=0), **settings)


@misconception(
    "03.activation_grid",
    "All icons were drawn for the mean over the positions. Each position has a vector of its own, that is the whole "
    "point of a grid.",
)
def draws_the_mean_everywhere(model, layer, image, **settings):
    activation = _activation(model, layer, image)
    directions = activation.mean(dim=(1, 2)).expand(activation[0].numel(), -1)
    return _grid(model, layer, image, directions, activation.norm(dim=0), **settings)


@misconception(
    "03.activation_grid",
    "The strength is the sum of the channels here. The length of a vector is the root of the sum of squares; in a sum "
    "what is above and below 0 cancels.",
)
def adds_channels_up(model, layer, image, **settings):
    activation = _activation(model, layer, image)
    directions = rearrange(activation, "channel row column -> (row column) channel")
    return _grid(model, layer, image, directions, activation.sum(dim=0), **settings)


@misconception(
    "03.activation_grid",
    "The strength was measured after the vectors were given length 1, so it is 1 everywhere. Measure the activation "
    "as it is; `draw_icons` does not mind lengths.",
)
def measures_directions(model, layer, image, **settings):
    activation = F.normalize(_activation(model, layer, image), dim=0)
    directions = rearrange(activation, "channel row column -> (row column) channel")
    return _grid(model, layer, image, directions, activation.norm(dim=0), **settings)


@misconception(
    "03.activation_grid",
    "This is one strength for each channel, not for each position: the length is taken along the channels, axis 0 "
    "of one image's activation.",
)
def measures_channels(model, layer, image, **settings):
    activation = _activation(model, layer, image)
    directions = rearrange(activation, "channel row column -> (row column) channel")
    return _grid(model, layer, image, directions, activation.norm(dim=(1, 2)), **settings)


@misconception(
    "03.activation_grid",
    "The strengths still hang on the network's gradient: memory stays taken and no plot will take them. Record inside "
    "`torch.no_grad()`, or detach.",
)
def keeps_the_gradient(model, layer, image, **settings):
    activation = record(model, image[None], layer)[layer][0]
    directions = rearrange(activation.detach(), "channel row column -> (row column) channel")
    return _grid(model, layer, image, directions, activation.norm(dim=0), **settings)


@misconception(
    "03.activation_grid",
    "The settings were not handed on: `draw_icons` needs size, steps, cosine_power and seed, or it takes its own.",
)
def forgets_the_settings(model, layer, image, *, size=None, **settings):
    activation = _activation(model, layer, image)
    directions = rearrange(activation, "channel row column -> (row column) channel")
    return _grid(model, layer, image, directions, activation.norm(dim=0), size=size, steps=8, cosine_power=0.0)


def _icons_row_by_row(model, layer, image, **settings):
    activation = _activation(model, layer, image)
    directions = rearrange(activation, "channel row column -> (row column) channel")
    return _grid(model, layer, image, directions, activation.norm(dim=0), **settings)


@misconception(
    "03.activation_grid",
    "`seed` and `cosine_power` were not handed on, so `draw_icons` takes its own: hand on all four settings.",
)
def drops_seed_and_cosine_power(model, layer, image, *, size=None, steps=128, **settings):
    return _icons_row_by_row(model, layer, image, size=size, steps=steps)


@misconception(
    "03.activation_grid",
    "`seed` was not handed on to `draw_icons`: whatever seed is asked for, the icons are those of seed 0.",
)
def drops_the_seed(model, layer, image, *, seed=0, **settings):
    return _icons_row_by_row(model, layer, image, **settings)


@misconception(
    "03.activation_grid",
    "`cosine_power` was not handed on to `draw_icons`: whatever is asked for, the icons keep to their direction by its "
    "default.",
)
def drops_the_cosine_power(model, layer, image, *, cosine_power=2.0, **settings):
    return _icons_row_by_row(model, layer, image, **settings)


# ---------------------------------------------------------------- neuron_groups


def _groups(activations, count, *, matrix=None, factors=factorize, length=True, order=True, seed=0):
    """Right, except for what is handed in."""
    images, _, rows, _ = activations.shape
    right = rearrange(activations, "image channel row column -> (image row column) channel")
    matrix = right if matrix is None else matrix
    places, channels = factors(matrix, count, seed=seed)
    if length:
        lengths = channels.norm(dim=1)
        places, channels = places * lengths, F.normalize(channels, dim=1)
    if order:
        places, channels = _strongest_first(places, channels)
    maps = rearrange(places, "(image row column) group -> image group row column", image=images, row=rows)
    left = (matrix - places @ channels).norm() / matrix.norm().clamp(min=1e-30)
    return Groups(channels, maps, float(left))


def _strongest_first(places, channels):
    order = places.norm(dim=0).argsort(descending=True)
    return places[:, order], channels[order]


@misconception(
    "03.neuron_groups",
    "The activations were cut into rows of the channels' number without moving the channels to the end, so a row "
    "mixes positions of one channel. Rearrange to (image row column) × channel.",
)
def reshapes_before_it_factorises(activations, groups, *, seed=0):
    return _groups(activations, groups, matrix=activations.reshape(-1, activations.shape[1]), seed=seed)


@misconception(
    "03.neuron_groups",
    "The groups stand in the order in which the solver found them. Sort them by the length of their maps, the "
    "strongest first.",
)
def leaves_the_order_to_the_solver(activations, groups, *, seed=0):
    return _groups(activations, groups, order=False, seed=seed)


@misconception(
    "03.neuron_groups",
    "The weakest group comes first: `argsort` sorts upwards unless told `descending=True`.",
)
def sorts_upwards(activations, groups, *, seed=0):
    found = _groups(activations, groups, seed=seed)
    return Groups(found.channels.flip(0), found.maps.flip(1), found.unexplained)


@misconception(
    "03.neuron_groups",
    "The groups were sorted and the maps were not (or the other way round): each map now belongs to another group. "
    "Use the same order for both.",
)
def sorts_channels_only(activations, groups, *, seed=0):
    found = _groups(activations, groups, seed=seed)
    return Groups(found.channels, found.maps.roll(1, dims=1), found.unexplained)


@misconception(
    "03.neuron_groups",
    "The channels of a group have whatever length the solver left them. Divide each group by its length, and multiply "
    "its map by it.",
)
def leaves_the_lengths_to_the_solver(activations, groups, *, seed=0):
    found = _groups(activations, groups, length=False, order=False, seed=seed)
    order = (found.maps.square().sum(dim=(0, 2, 3)).sqrt() * found.channels.norm(dim=1)).argsort(descending=True)
    return Groups(found.channels[order], found.maps[:, order], found.unexplained)


@misconception(
    "03.neuron_groups",
    "The groups were sorted before their maps were made comparable: how strong a map looks depends on the length that "
    "the solver left in the channels. Lengths first, then the order.",
)
def sorts_before_it_measures(activations, groups, *, seed=0):
    found = _groups(activations, groups, length=False, seed=seed)
    lengths = found.channels.norm(dim=1)
    channels, maps = F.normalize(found.channels, dim=1), found.maps * lengths.view(1, -1, 1, 1)
    return Groups(channels, maps, found.unexplained)


@misconception(
    "03.neuron_groups",
    "The groups were given length 1 and the maps were left as they were, so their product is no longer the "
    "activation. What the one is divided by, the other is multiplied by.",
)
def forgets_the_maps_share(activations, groups, *, seed=0):
    found = leaves_the_lengths_to_the_solver(activations, groups, seed=seed)
    return Groups(F.normalize(found.channels, dim=1), found.maps, found.unexplained)


@misconception(
    "03.neuron_groups",
    "`unexplained` is squared here (a share of the variance). Asked is the length of what is left over, divided by the "
    "length of the activations.",
)
def squares_what_is_left(activations, groups, *, seed=0):
    found = _groups(activations, groups, seed=seed)
    return Groups(found.channels, found.maps, found.unexplained**2)


@misconception(
    "03.neuron_groups",
    "This is the share that the groups explain; asked is the share that they leave over.",
)
def says_what_is_explained(activations, groups, *, seed=0):
    found = _groups(activations, groups, seed=seed)
    return Groups(found.channels, found.maps, 1 - found.unexplained)


@misconception(
    "03.neuron_groups",
    "These are principal components with their signs taken off. Components may cancel each other, so without signs "
    "they no longer add up. Groups only ever add: factorise without negative numbers from the start.",
)
def takes_principal_components(activations, groups, *, seed=0):
    def components(matrix, groups, *, seed=0):
        u, s, v = torch.linalg.svd(matrix, full_matrices=False)
        return (u * s)[:, :groups].abs(), v[:groups].abs()

    return _groups(activations, groups, factors=components, seed=seed)


@misconception(
    "03.neuron_groups",
    "Each image was factorised for itself, so group 0 of one image has nothing to do with group 0 of the next. All "
    "positions of all images go into one matrix.",
)
def takes_one_image_at_a_time(activations, groups, *, seed=0):
    found = [_groups(one[None], groups, seed=seed) for one in activations]
    left = sum(one.unexplained for one in found) / len(found)
    return Groups(found[0].channels, torch.cat([one.maps for one in found]), left)


@misconception(
    "03.neuron_groups",
    "0 / 0: where the whole layer is silent the activations have no length to divide by. Keep the divisor above 0.",
)
def divides_silence_by_silence(activations, groups, *, seed=0):
    found = _groups(activations, groups, seed=seed)
    length = activations.norm()
    made = torch.einsum("ngrc,gk->nkrc", found.maps, found.channels)
    return Groups(found.channels, found.maps, float((activations - made).norm() / length))


@misconception(
    "03.neuron_groups",
    "The groups were never given length 1, so how strong one looks is left to the solver: divide each row of "
    "`channels` by its length and multiply its map by it, before you sort.",
)
def never_gives_length_one(activations, groups, *, seed=0):
    return _groups(activations, groups, length=False, seed=seed)


@misconception(
    "03.neuron_groups",
    "The maps were cut from (positions × groups) without moving the groups: a map mixes all groups. Unfold the "
    "positions to (image, row, column, group), then bring the group to axis 1 (`rearrange`, `movedim`).",
)
def reshapes_the_maps(activations, groups, *, seed=0):
    found = _groups(activations, groups, seed=seed)
    places = rearrange(found.maps, "image group row column -> image row column group")
    return Groups(found.channels, places.reshape(found.maps.shape), found.unexplained)


@misconception(
    "03.neuron_groups",
    "0 / 0: in a silent layer a group's channels have length 0, and dividing by it gives NaN. `F.normalize` keeps its "
    "divisor above 0; so must what you divide the remainder by.",
)
def divides_channels_by_no_length(activations, groups, *, seed=0):
    found = _groups(activations, groups, seed=seed)
    channels = found.channels / found.channels.norm(dim=1, keepdim=True)
    left = (activations - torch.einsum("ngrc,gk->nkrc", found.maps, channels)).norm() / activations.norm()
    return Groups(channels, found.maps, float(left))


@misconception(
    "03.neuron_groups",
    "A plain tuple has no names. Wrap what you found: `return Groups(channels, maps, unexplained)`.",
)
def returns_three_things(activations, groups, *, seed=0):
    found = _groups(activations, groups, seed=seed)
    return found.channels, found.maps, found.unexplained


# ---------------------------------------------------------------- grid_averages


def _cells(vectors, square, side, least, *, divide=True):
    counts = torch.bincount(square, minlength=side**2)
    sums = torch.zeros(len(counts), vectors.shape[1]).index_add_(0, square, vectors)
    kept = filled_squares(counts, least)
    means = sums[kept] / counts[kept, None] if divide else sums[kept]
    return Cells(means, kept // side, kept % side, counts[kept], side)


def _square(coordinates, side):
    row, column = (coordinates * side).long().clamp(max=side - 1).unbind(dim=1)
    return row * side + column


@misconception(
    "03.activation_atlas",
    "Rows and columns are swapped: coordinates are (row, column), and squares are counted row by row.",
)
def swaps_rows_and_columns(vectors, coordinates, side, *, least=1):
    return _cells(vectors, _square(coordinates.flip(1), side), side, least)


@misconception(
    "03.activation_atlas",
    "The vectors of each square were added up. Divide by their number, or full squares outshine the others.",
)
def adds_the_vectors_up(vectors, coordinates, side, *, least=1):
    return _cells(vectors, _square(coordinates, side), side, least, divide=False)


@misconception(
    "03.activation_atlas",
    "A point at exactly 1.0 fell off the map: 1.0 · side is the square behind the last. Clamp it to side - 1.",
)
def lets_the_border_fall_off(vectors, coordinates, side, *, least=1):
    inside = (coordinates < 1).all(dim=1)
    return _cells(vectors[inside], _square(coordinates[inside], side), side, least)


@misconception(
    "03.activation_atlas",
    "A row of 1.0 became a square in a row behind the last, or a column of 1.0 the first square of the next row: "
    "clamp both to side - 1.",
)
def runs_over_the_border(vectors, coordinates, side, *, least=1):
    row, column = (coordinates * side).long().unbind(dim=1)
    return _cells(vectors, row * side + column, side, least)


@misconception(
    "03.activation_atlas",
    "The coordinates were multiplied by side - 1, so the last row and column hold nearly nothing. There are `side` "
    "squares of equal size: multiply by side, then cut off the fraction.",
)
def makes_the_last_square_thin(vectors, coordinates, side, *, least=1):
    row, column = (coordinates * (side - 1)).long().unbind(dim=1)
    return _cells(vectors, row * side + column, side, least)


@misconception(
    "03.activation_atlas",
    "The place was rounded to the nearest number. Square 0 reaches from 0 to 1: cut off the fraction (`long`).",
)
def rounds_to_the_nearest_square(vectors, coordinates, side, *, least=1):
    row, column = (coordinates * side).round().long().clamp(max=side - 1).unbind(dim=1)
    return _cells(vectors, row * side + column, side, least)


@misconception(
    "03.activation_atlas",
    "Squares with few points are still there: keep those that hold at least `least`.",
)
def keeps_every_square(vectors, coordinates, side, *, least=1):
    return _cells(vectors, _square(coordinates, side), side, 1)


@misconception(
    "03.activation_atlas",
    "Squares with exactly `least` points were left out. At least means that many are enough.",
)
def asks_for_one_more(vectors, coordinates, side, *, least=1):
    return _cells(vectors, _square(coordinates, side), side, least + 1)


@misconception(
    "03.activation_atlas",
    "The vectors were given length 1 before the mean was taken. Strong activations count for more on purpose: average "
    "them as they are.",
)
def averages_directions(vectors, coordinates, side, *, least=1):
    return _cells(F.normalize(vectors, dim=1), _square(coordinates, side), side, least)


@misconception(
    "03.activation_atlas",
    "The coordinates were multiplied by side - 1 and rounded, so the squares at the border are half as wide as the "
    "others. Multiply by `side`, cut off the fraction (`long`), and clamp to side - 1.",
)
def rounds_to_side_minus_one(vectors, coordinates, side, *, least=1):
    row, column = (coordinates * (side - 1)).round().long().unbind(dim=1)
    return _cells(vectors, row * side + column, side, least)


@misconception(
    "03.activation_atlas",
    "The place was rounded to the nearest number, which can be `side`, behind the last square. Cut off the fraction "
    "(`long`) and clamp to side - 1.",
)
def rounds_beyond_the_border(vectors, coordinates, side, *, least=1):
    row, column = (coordinates * side).round().long().unbind(dim=1)
    return _cells(vectors, row * side + column, side, least)


# ---------------------------------------------------------------- spatial_attribution


def _ask(model, layer, images, target, **settings):
    return activation_and_gradient(model, layer, images, target, **settings)


@misconception(
    "03.spatial_attribution",
    "This is the gradient alone: how much a change would do. A silent position has done nothing yet, however steep "
    "the slope. Multiply by the activation.",
)
def shows_the_gradient_of_positions(model, layer, images, target, **settings):
    return _ask(model, layer, images, target, **settings)[1].sum(dim=1)


@misconception(
    "03.spatial_attribution",
    "The products were added up over the positions: that is one number for each channel. For each position, add up "
    "the channels, axis 1.",
)
def sums_the_positions_away(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return (activation * gradient).sum(dim=(2, 3))


@misconception(
    "03.spatial_attribution",
    "The signs are lost: a position that speaks against the class looks like one that speaks for it. Leave abs out.",
)
def takes_sizes_of_positions(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return (activation * gradient).sum(dim=1).abs()


@misconception(
    "03.spatial_attribution",
    "What speaks against the class was cut off at 0. Keep it: a negative number is an answer too.",
)
def keeps_what_speaks_for(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return (activation * gradient).sum(dim=1).clamp(min=0)


@misconception(
    "03.spatial_attribution",
    "This is the mean over the channels. A share is a sum, so that all shares together are the straight line's whole "
    "answer, however many channels there are.",
)
def averages_the_channels(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return (activation * gradient).mean(dim=1)


@misconception(
    "03.spatial_attribution",
    "The gradient was averaged over all positions first. That is Grad-CAM: it forgets that a channel can count for "
    "much in one place and for nothing in another.",
)
def is_grad_cam(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return (activation * gradient.mean(dim=(2, 3), keepdim=True)).sum(dim=1)


@misconception(
    "03.spatial_attribution",
    "Activations and gradients were added up separately and multiplied afterwards. A dot product multiplies channel by "
    "channel first, then adds.",
)
def multiplies_sums(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return activation.sum(dim=1) * gradient.sum(dim=1)


@misconception(
    "03.spatial_attribution",
    "`of` and `relaxed` were not handed on to activation_and_gradient, so it explains a logit, with plain poolings, "
    "whatever is asked.",
)
def explains_a_plain_logit(model, layer, images, target, *, of=None, relaxed=False):
    activation, gradient = _ask(model, layer, images, target)
    return (activation * gradient).sum(dim=1)


# ---------------------------------------------------------------- channel_attribution


def _places(activation):
    """(batch, channel, place): one place for a layer that has none, so that nothing here fails for want of an axis."""
    return activation.reshape(*activation.shape[:2], -1)


@misconception(
    "03.channel_attribution",
    "This is the gradient alone: how much a change would do. A silent channel has done nothing yet, however steep the "
    "slope. Multiply by the activation.",
)
def shows_the_gradient_of_channels(model, layer, images, target, **settings):
    return _places(_ask(model, layer, images, target, **settings)[1]).sum(dim=2)


@misconception(
    "03.channel_attribution",
    "The products were added up over the channels: that is one number for each position. For each channel, add up "
    "the positions, the axes behind axis 1.",
)
def sums_the_channels_away(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return (activation * gradient).sum(dim=1)


@misconception(
    "03.channel_attribution",
    "This is the mean over the positions. A share is a sum, so that all shares together are the straight line's whole "
    "answer, however large the layer is.",
)
def averages_the_positions(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return _places(activation * gradient).mean(dim=2)


@misconception(
    "03.channel_attribution",
    "The activation and the gradient were summed up over the positions before they were multiplied. A place where the "
    "channel is active counts with the gradient of that place: multiply first.",
)
def multiplies_before_it_sums_not(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return _places(activation).sum(dim=2) * _places(gradient).sum(dim=2)


@misconception(
    "03.channel_attribution",
    "The gradient was averaged over the positions first, as in Grad-CAM. It differs from place to place: multiply "
    "place by place, then add.",
)
def weighs_channels_like_grad_cam(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return _places(activation).sum(dim=2) * _places(gradient).mean(dim=2)


@misconception(
    "03.channel_attribution",
    "The signs are lost: a channel that speaks against the class looks like one that speaks for it. Leave abs out.",
)
def takes_sizes_of_channels(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return _places(activation * gradient).sum(dim=2).abs()


@misconception(
    "03.channel_attribution",
    "Only the strongest position of each channel was counted. A channel speaks at all of its positions: add them up.",
)
def takes_the_strongest_position(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return _places(activation * gradient).amax(dim=2)


@misconception(
    "03.channel_attribution",
    "`of` and `relaxed` were not handed on to activation_and_gradient, so it explains a logit, with plain poolings, "
    "whatever is asked.",
)
def explains_a_plain_logit_by_channels(model, layer, images, target, *, of=None, relaxed=False):
    activation, gradient = _ask(model, layer, images, target)
    return _places(activation * gradient).sum(dim=2)


NO_PLACES = (
    "This layer has no places: its activation is (batch, channel), without an axis 2. Sum over whatever comes after "
    'the channels, two axes or none: `reduce(…, "batch channel ... -> batch channel", "sum")`.'
)


@misconception("03.channel_attribution", NO_PLACES)
def sums_over_axes_2_and_3(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return (activation * gradient).sum(dim=(2, 3))


@misconception("03.channel_attribution", NO_PLACES)
def flattens_from_axis_2(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return (activation * gradient).flatten(2).sum(2)


@misconception("03.channel_attribution", NO_PLACES)
def names_rows_and_columns(model, layer, images, target, **settings):
    activation, gradient = _ask(model, layer, images, target, **settings)
    return reduce(activation * gradient, "batch channel row column -> batch channel", "sum")


# ---------------------------------------------------------------- integrated_attribution


def _integrated(
    model, layer, images, target, *, baseline=None, steps=64, of=None, relaxed=False, middle=0.5, way=None, total=1.0
):
    """Right, except for what is handed in."""
    end, _ = activation_and_gradient(model, layer, images, target, of=of)
    start = path_start(baseline, end, steps)
    points = [start + (step + middle) / steps * (end - start) for step in range(steps)]
    slopes = [
        activation_and_gradient(model, layer, images, target, of=of, activation=point, relaxed=relaxed)[1]
        for point in points
    ]
    return (end - start if way is None else way(end)) * sum(slopes) / steps * (steps if total is None else total)


@misconception(
    "03.integrated_attribution",
    "One gradient, at the end of the path, was taken for all. It tells what a small change does there; the way from "
    "the baseline may be steeper or flatter. Take the mean along the path.",
)
def takes_the_last_gradient_only(model, layer, images, target, *, baseline=None, steps=64, of=None, relaxed=False):
    end, gradient = activation_and_gradient(model, layer, images, target, of=of, relaxed=relaxed)
    return (end - path_start(baseline, end, steps)) * gradient


@misconception(
    "03.integrated_attribution",
    "The gradients were taken at the end of each piece. The middle stands for its piece much better: with the same "
    "number of steps the sum misses far less.",
)
def takes_the_end_of_each_piece(model, layer, images, target, **settings):
    return _integrated(model, layer, images, target, middle=1.0, **settings)


@misconception(
    "03.integrated_attribution",
    "The gradients were taken at the start of each piece. The middle stands for its piece much better: with the same "
    "number of steps the sum misses far less.",
)
def takes_the_start_of_each_piece(model, layer, images, target, **settings):
    return _integrated(model, layer, images, target, middle=0.0, **settings)


@misconception(
    "03.integrated_attribution",
    "The gradients were multiplied by the activation. What changed along the path is activation minus baseline; only "
    "from a baseline of 0 that is the same.",
)
def multiplies_by_the_activation(model, layer, images, target, **settings):
    return _integrated(model, layer, images, target, way=lambda end: end, **settings)


@misconception(
    "03.integrated_attribution",
    "The baseline that was given is never used: path and difference both start at 0 here.",
)
def always_starts_at_zero(model, layer, images, target, *, baseline=None, **settings):
    return _integrated(model, layer, images, target, **settings)


@misconception(
    "03.integrated_attribution",
    "The gradients were added up and never divided by the number of steps, so more steps give larger numbers. Take "
    "their mean.",
)
def adds_gradients_up(model, layer, images, target, **settings):
    return _integrated(model, layer, images, target, total=None, **settings)


@misconception(
    "03.integrated_attribution",
    "This is the mean gradient along the path. Multiply it by the way that the activation goes, or it says what a "
    "change would do, not what this one did.",
)
def forgets_the_way(model, layer, images, target, **settings):
    return _integrated(model, layer, images, target, way=torch.ones_like, **settings)


@misconception(
    "03.integrated_attribution",
    "The path was made of paler and paler images, not of the layer's activations: behind rectifiers and biases that is "
    "another path. Hand the points to activation_and_gradient as `activation`.",
)
def fades_the_image(model, layer, images, target, *, baseline=None, steps=64, of=None, relaxed=False):
    end, _ = activation_and_gradient(model, layer, images, target, of=of)
    start = path_start(baseline, end, steps)
    total = torch.zeros_like(end)
    for step in range(steps):
        faded = images * (step + 0.5) / steps
        total += activation_and_gradient(model, layer, faded, target, of=of, relaxed=relaxed)[1]
    return (end - start) * total / steps


@misconception(
    "03.integrated_attribution",
    "The channels were added up. Asked is a number for each number of the activation: who wants positions or channels "
    "can add them up later.",
)
def sums_channels_too(model, layer, images, target, **settings):
    return _integrated(model, layer, images, target, **settings).sum(dim=1)


@misconception(
    "03.integrated_attribution",
    "The gradients along the path are those of a plain logit: hand `of` and `relaxed` on to activation_and_gradient.",
)
def integrates_a_plain_logit(model, layer, images, target, *, of=None, relaxed=False, **settings):
    return _integrated(model, layer, images, target, **settings)


# ---------------------------------------------------------------- layer


@misconception(
    "03.layer",
    "This is the mean of the activations themselves. Squares make the difference: they pull most at what is already "
    "strong, so the picture grows into what it resembles.",
)
def forgets_the_squares(name):
    return lambda activations: activations[name].mean(dim=(1, 2, 3))


@misconception(
    "03.layer",
    "This adds the squares up. A sum grows with the image; the mean stays comparable between sizes, and transforms do "
    "change the size.",
)
def sums_the_squares(name):
    return lambda activations: activations[name].square().sum(dim=(1, 2, 3))


@misconception(
    "03.layer",
    "The mean was squared, not the numbers: what is above and below 0 cancels first. Square each number, then average.",
)
def squares_the_mean(name):
    return lambda activations: activations[name].mean(dim=(1, 2, 3)).square()


@misconception(
    "03.layer",
    "This is the root of the mean of squares. The root takes back part of the pull of strong numbers; leave it out.",
)
def takes_the_root_of_the_mean(name):
    return lambda activations: activations[name].square().mean(dim=(1, 2, 3)).sqrt()


@misconception(
    "03.layer",
    "Sizes pull at every number equally, whether weak or strong. Take squares in place of `abs`.",
)
def takes_sizes(name):
    return lambda activations: activations[name].abs().mean(dim=(1, 2, 3))


@misconception(
    "03.layer",
    "This is one mean over the whole batch. Each image needs a number of its own, since each is optimised for itself: "
    "keep axis 0.",
)
def averages_the_whole_batch(name):
    return lambda activations: activations[name].square().mean()


@misconception(
    "03.layer",
    "The sign is turned. Objectives are maximised in this course, so this draws what leaves the layer silent.",
)
def makes_a_loss_of_the_layer(name):
    return lambda activations: -activations[name].square().mean(dim=(1, 2, 3))
