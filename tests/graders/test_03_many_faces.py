"""Lesson 03: examples, the spectrum, several drawings, directions, what is kept of a picture, many neurons at once."""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.decomposition import NMF
from torch import nn

from innervision import edit, load
from innervision.classroom.exercises import exercise, question, scenario
from innervision.data.sample import load_sample
from innervision.examples import Places, survey
from innervision.optvis import together

# ---------------------------------------------------------------- examples


def some_places(generator, images=40):
    """Random places: no two values alike, and every place tells which image it belongs to."""
    values = torch.randn(images, generator=generator)
    rows = torch.randperm(images, generator=generator).short()
    columns = torch.randperm(images, generator=generator).short()
    return Places(values, rows, columns)


def places_with_ties(generator, images=300):
    """Values 0, 1 and 2 only, as often happens behind a rectifier; index and row are the same."""
    values = torch.randint(3, (images,), generator=generator).float()
    index = torch.arange(images).short()
    return Places(values, index, index + 1000)


def as_data(examples):
    """Examples as plain data, whatever whole-number types the indices have."""
    whole = {name: getattr(examples, name).long() for name in ("images", "rows", "columns")}
    return {"values": examples.values, **whole}


@scenario
def strongest_of_random_places(student, generator):
    return as_data(student.top_examples(some_places(generator), 7))


@scenario
def weakest_and_equal_ones(student, generator):
    places, few = places_with_ties(generator), some_places(generator, images=12)
    found = [student.top_examples(places, 150), student.top_examples(places, 150, lowest=True)]
    return [as_data(one) for one in [*found, student.top_examples(few, 5, lowest=True), student.top_examples(few)]]


def chosen_by_sorting(places, count, lowest=False):
    """Sorted by Python, whose sort keeps equal ones in order."""
    values = places.values.tolist()
    order = sorted(range(len(values)), key=lambda image: values[image] if lowest else -values[image])[:count]
    return {
        "values": [values[image] for image in order],
        "images": order,
        "rows": [int(places.rows[image]) for image in order],
        "columns": [int(places.columns[image]) for image in order],
    }


def as_tensors(chosen):
    return {name: torch.tensor(numbers) for name, numbers in chosen.items()}


def weakest_and_equal_ones_by_sorting(generator):
    places, few = places_with_ties(generator), some_places(generator, images=12)
    asked = [(places, 150, False), (places, 150, True), (few, 5, True), (few, 9, False)]
    return [as_tensors(chosen_by_sorting(*one)) for one in asked]


@exercise("03.top_examples", points=1)
def test_the_strongest_come_first(judge):
    judge(strongest_of_random_places).expect(
        lambda generator: as_tensors(chosen_by_sorting(some_places(generator), 7)),
        atol=0,  # the numbers are only moved about
    )


@exercise("03.top_examples", points=1)
def test_the_weakest_on_request_and_equal_ones_in_order(judge):
    judge(weakest_and_equal_ones).expect(weakest_and_equal_ones_by_sorting, atol=0)


@scenario
def spectrum_of_random_places(student, generator):
    kinds = [some_places(generator) for _ in range(3)]
    return as_data(student.activation_spectrum(kinds, slices=4, count=5))


@scenario
def spectrum_of_one_kind(student, generator):
    found = student.activation_spectrum([some_places(generator)])
    return {"values": found.values, "images": found.images.long()}


def places_on_a_ruler(generator):
    """Whole numbers from -8 to 8, so that many are equally close to a level; both ends are there."""
    values = torch.randint(-8, 9, (2, 60), generator=generator).float()
    values[0, 30], values[1, 31] = 8.0, -8.0
    index = torch.arange(60).short()
    return [Places(one, index, index) for one in values]


@scenario
def spectrum_of_equally_close_ones(student, generator):
    return as_data(student.activation_spectrum(places_on_a_ruler(generator), slices=5, count=20))


def spectrum_by_hand(kinds, slices, count):
    """One level after the other, one image after the other, one place after the other."""
    everything = [value for kind in kinds for value in kind.values.tolist()]
    low, high = min(everything), max(everything)
    table = []
    for step in range(slices):
        level = low + step * (high - low) / (slices - 1)
        closest = []
        for image in range(len(kinds[0])):
            far, which = min((abs(float(kind.values[image]) - level), i) for i, kind in enumerate(kinds))
            closest.append((far, image, which))
        table.append([(image, kinds[which]) for _, image, which in sorted(closest)[:count]])
    return {
        "values": torch.tensor([[float(kind.values[image]) for image, kind in row] for row in table]),
        "images": torch.tensor([[image for image, _ in row] for row in table]),
        "rows": torch.tensor([[int(kind.rows[image]) for image, kind in row] for row in table]),
        "columns": torch.tensor([[int(kind.columns[image]) for image, kind in row] for row in table]),
    }


@exercise("03.activation_spectrum", points=1)
def test_the_closest_to_each_level_with_their_places(judge):
    judge(spectrum_of_random_places).expect(
        lambda generator: spectrum_by_hand([some_places(generator) for _ in range(3)], 4, 5), atol=0
    )


@exercise("03.activation_spectrum", points=1)
def test_a_spectrum_of_one_kind_of_place_with_five_slices_of_six(judge):
    def expected(generator):
        found = spectrum_by_hand([some_places(generator)], 5, 6)
        return {"values": found["values"], "images": found["images"]}

    judge(spectrum_of_one_kind).expect(expected, atol=0)


@exercise("03.activation_spectrum", points=1)
def test_of_equally_close_ones_the_first_counts(judge):
    judge(spectrum_of_equally_close_ones).expect(
        lambda generator: spectrum_by_hand(places_on_a_ruler(generator), 5, 20), atol=0
    )


# ---------------------------------------------------------------- several drawings


def rectified(generator, *shape):
    return torch.randn(*shape, generator=generator).relu()


@scenario
def styles_of_random_activations(student, generator):
    other = torch.randn(2, 7, 5, 3, generator=generator)
    signed = torch.randn(3, 5, 2, 4, generator=generator)
    objective = student.diversity("mixed3b")
    return [
        objective({"mixed3b": rectified(generator, 4, 6, 3, 5), "mixed3a": other}),
        objective({"mixed3b": signed, "mixed3a": other}),
    ]


def unlikeness(activation):
    """By NumPy: minus the mean cosine between Gram matrices, without an image's own."""
    flat = activation.double().numpy().reshape(*activation.shape[:2], -1)
    grams = np.einsum("icp,idp->icd", flat, flat).reshape(len(flat), -1)
    units = grams / np.linalg.norm(grams, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, 0)
    return torch.from_numpy(-cosines.sum(axis=1) / len(flat))


def unlikeness_of_random_activations(generator):
    torch.randn(2, 7, 5, 3, generator=generator)
    signed = torch.randn(3, 5, 2, 4, generator=generator)
    return [unlikeness(rectified(generator, 4, 6, 3, 5)), unlikeness(signed)]


@scenario
def styles_known_beforehand(student, generator):
    """The same pattern elsewhere and stronger; two that share no channel; one that is silent."""
    pattern = rectified(generator, 1, 3, 4, 4) + 0.1
    moved = 7 * pattern.flatten(2)[:, :, torch.randperm(16, generator=generator)].view_as(pattern)
    silent = torch.zeros_like(pattern)
    apart = torch.cat([torch.cat([pattern, silent], dim=1), torch.cat([silent, pattern], dim=1)])
    objective = student.diversity("layer")
    return [
        objective({"layer": torch.cat([pattern, moved, pattern])}),
        objective({"layer": apart}),
        objective({"layer": torch.cat([pattern, silent])}),
    ]


@scenario
def gradient_of_diversity(student, generator):
    activation = (torch.rand(3, 4, 3, 2, generator=generator)).requires_grad_()
    score = student.diversity("layer")({"layer": activation}).sum()
    return torch.autograd.grad(score, activation)[0] if score.requires_grad else torch.zeros(3, 4, 3, 2)


@scenario
def diversity_with_a_weight(student, generator):
    """As the lesson uses it: several drawings of one objective, and a share of diversity."""
    several = together(strength_of_layer, 4) + 0.5 * student.diversity("layer")
    return several({"layer": rectified(generator, 4, 6, 3, 5)})


def strength_of_layer(activations):
    return activations["layer"].mean(dim=(1, 2, 3))


def strength_and_unlikeness(generator):
    activation = rectified(generator, 4, 6, 3, 5)
    return torch.from_numpy(activation.double().numpy().mean(axis=(1, 2, 3))) + 0.5 * unlikeness(activation)


@exercise("03.diversity", points=1)
def test_diversity_compares_gram_matrices(judge):
    judge(styles_of_random_activations).expect(unlikeness_of_random_activations, atol=1e-5)  # cosines in float32


@exercise("03.diversity", points=1)
def test_place_and_strength_do_not_count_and_silence_is_no_nan(judge):
    judge(styles_known_beforehand).expect(
        [torch.full((3,), -2 / 3), torch.zeros(2), torch.zeros(2)],
        atol=1e-5,
        equal_nan=True,  # so that a NaN of 0 / 0 is recognised
    )


@exercise("03.diversity", points=1)
def test_diversity_can_be_climbed_and_weighted(judge):
    judge(gradient_of_diversity).close(atol=1e-5)
    judge(diversity_with_a_weight).expect(strength_and_unlikeness, atol=1e-5)


# ---------------------------------------------------------------- directions


def activation_and_vector(generator):
    """Positions in all directions, so that about half of the cosines are negative; and a vector of length 3."""
    activation = 2 * torch.randn(3, 6, 4, 5, generator=generator)
    vector = torch.randn(6, generator=generator)
    return activation, 3 * vector / vector.norm()


def along_by_numpy(activation, vector, power):
    a, v = activation.double().numpy(), vector.double().numpy()
    dot = np.tensordot(np.moveaxis(a, 1, -1), v, axes=1)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(v)
    cosines = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)
    return torch.from_numpy(dot * np.maximum(0.1, cosines) ** power)


@scenario
def plain_dot_products(student, generator):
    activation, vector = activation_and_vector(generator)
    logits = torch.randn(4, 6, generator=generator)
    return [student.along(activation, vector), student.along(logits, vector)]


@scenario
def dot_products_with_cosines(student, generator):
    activation, vector = activation_and_vector(generator)
    return [student.along(activation, vector, power) for power in (1, 2, 3.5)]


@scenario
def along_where_it_is_hard(student, generator):
    """A silent position, one at a right angle, one turned away; and the gradient at the right angle."""
    vector = 2 * torch.eye(3)[int(torch.randint(3, (), generator=generator))]
    away = -5 * vector
    across = 4 * vector.roll(1)
    activation = torch.stack([torch.zeros(3), away, across], dim=1)[None, :, None].requires_grad_()
    found = student.along(activation, vector, 2)
    slope = torch.autograd.grad(found.sum(), activation)[0] if found.requires_grad else torch.zeros(1, 3, 1, 3)
    return {"values": found.detach(), "along the vector, slope": (slope * vector[:, None, None]).sum(dim=1)[..., 1:]}


@exercise("03.direction", points=1)
def test_power_0_is_the_dot_product(judge):
    def expected(generator):
        activation, vector = activation_and_vector(generator)
        logits = torch.randn(4, 6, generator=generator)
        return [along_by_numpy(activation, vector, 0), along_by_numpy(logits, vector, 0)]

    judge(plain_dot_products).expect(expected, atol=1e-4)  # sums of six products of size 6, in float32


@exercise("03.direction", points=1)
def test_the_cosine_counts_as_often_as_asked(judge):
    def expected(generator):
        activation, vector = activation_and_vector(generator)
        return [along_by_numpy(activation, vector, power) for power in (1, 2, 3.5)]

    judge(dot_products_with_cosines).expect(expected, atol=1e-4, rtol=1e-3)  # the library adds 1e-4 to lengths


@exercise("03.direction", points=1)
def test_a_right_angle_can_be_left_and_silence_is_no_nan(judge):
    # -5 v · v = -20 and 0.1² = 0.01; at the right angle and turned away the slope along v is 0.01 · v · v = 0.04.
    expected = {
        "values": torch.tensor([[[0.0, -0.2, 0.0]]]),
        "along the vector, slope": torch.tensor([[[0.04, 0.04]]]),
    }
    judge(along_where_it_is_hard).expect(expected, atol=1e-4, equal_nan=True)


@scenario
def a_path_between_two_channels(student, generator):
    activations = {"mixed3b": torch.randn(5, 4, 3, 2, generator=generator)}
    return student.interpolate("mixed3b:3", "mixed3b:1")(activations)


@scenario
def a_path_between_two_functions(student, generator):
    activations = {"a": torch.randn(3, 4, generator=generator), "b": torch.randn(3, 2, generator=generator)}
    found = []
    for images in (2, 3):
        path = student.interpolate(largest_of_a, squares_of_b, images=images)
        few = {name: values[:images] for name, values in activations.items()}
        found.append({"score of each image": path(few), "images it asks for": path.images})
    return found


def largest_of_a(activations):
    return activations["a"].amax(dim=1)


def squares_of_b(activations):
    return activations["b"].square().sum(dim=1)


@exercise("03.interpolate", points=1)
def test_five_images_in_four_equal_steps(judge):
    def expected(generator):
        means = torch.randn(5, 4, 3, 2, generator=generator).numpy().mean(axis=(2, 3))
        return torch.tensor([(1 - i / 4) * means[i, 3] + i / 4 * means[i, 1] for i in range(5)])

    judge(a_path_between_two_channels).expect(expected, atol=1e-5)


@exercise("03.interpolate", points=1)
def test_scores_are_mixed_and_the_number_of_images_is_told(judge):
    def expected(generator):
        a = torch.randn(3, 4, generator=generator).numpy()
        b = torch.randn(3, 2, generator=generator).numpy()
        start, end = a.max(axis=1), (b**2).sum(axis=1)
        rows = [[0.0, 1.0], [0.0, 0.5, 1.0]]
        return [
            {
                "score of each image": torch.tensor([(1 - s) * start[i] + s * end[i] for i, s in enumerate(shares)]),
                "images it asks for": len(shares),
            }
            for shares in rows
        ]

    judge(a_path_between_two_functions).expect(expected, atol=1e-5)


# ---------------------------------------------------------------- what is kept of a picture


def drawn_and_targets(generator):
    """Two layers of different size and strength; one picture for three drawings, then one for each."""
    shapes = {"mixed3a": (3, 4, 5, 6), "mixed4a": (3, 6, 2, 3)}
    strength = {"mixed3a": 10.0, "mixed4a": 0.1}
    drawn = {name: strength[name] * torch.randn(*shape, generator=generator) for name, shape in shapes.items()}
    each = {name: strength[name] * torch.randn(*shape, generator=generator) for name, shape in shapes.items()}
    return drawn, [{name: target[:1] for name, target in each.items()}, each, {"mixed4a": each["mixed4a"]}]


def over_layers(compare, drawn, targets):
    """The mean over layers of a comparison of two rows of numbers, image by image, by NumPy."""
    means = []
    for image in range(3):
        scores = []
        for name, target in targets.items():
            wanted = target[image if len(target) > 1 else 0].double().numpy().ravel()
            scores.append(compare(drawn[name][image].double().numpy().ravel(), wanted))
        means.append(np.mean(scores))
    return torch.tensor(means)


def likeness_by_numpy(drawn, wanted, power):
    cosine = drawn @ wanted / np.linalg.norm(drawn) / np.linalg.norm(wanted)
    return drawn @ wanted / (wanted @ wanted) * max(0.1, cosine) ** power


@scenario
def distances_to_random_pictures(student, generator):
    drawn, kinds = drawn_and_targets(generator)
    return [student.inversion(targets)(drawn) for targets in kinds]


@scenario
def near_and_far_from_a_picture(student, generator):
    target = torch.randn(1, 4, 3, 3, generator=generator)
    drawn = torch.cat([target, torch.zeros_like(target), 3 * target, -target])
    return [student.inversion({"layer": scale * target})({"layer": scale * drawn}) for scale in (1, 100)]


@exercise("03.inversion", points=1)
def test_inversion_is_the_relative_distance_averaged_over_layers(judge):
    def expected(generator):
        drawn, kinds = drawn_and_targets(generator)
        return [
            over_layers(lambda one, other: -((one - other) ** 2).sum() / (other**2).sum(), drawn, targets)
            for targets in kinds
        ]

    judge(distances_to_random_pictures).expect(expected, atol=1e-5, rtol=1e-4)


@exercise("03.inversion", points=1)
def test_equal_is_0_silent_is_minus_1_at_any_strength(judge):
    judge(near_and_far_from_a_picture).expect([torch.tensor([0.0, -1.0, -4.0, -4.0])] * 2, atol=1e-5)


@scenario
def likeness_to_random_pictures(student, generator):
    drawn, kinds = drawn_and_targets(generator)
    return [student.caricature(targets)(drawn) for targets in kinds]


@scenario
def likeness_with_cosines(student, generator):
    drawn, kinds = drawn_and_targets(generator)
    near = {name: 2 * kinds[1][name] + drawn[name] for name in drawn}  # cosines of about 0.9
    return [student.caricature(kinds[1], cosine_power=power)(one) for power in (1, 3) for one in (near, drawn)]


@exercise("03.caricature", points=1)
def test_caricature_is_the_dot_product_in_units_of_the_picture(judge):
    def expected(generator):
        drawn, kinds = drawn_and_targets(generator)
        return [over_layers(lambda one, other: likeness_by_numpy(one, other, 0), drawn, each) for each in kinds]

    judge(likeness_to_random_pictures).expect(expected, atol=1e-5, rtol=1e-4)


@exercise("03.caricature", points=1)
def test_caricature_keeps_to_the_picture_as_much_as_asked(judge):
    def expected(generator):
        drawn, kinds = drawn_and_targets(generator)
        near = {name: 2 * kinds[1][name] + drawn[name] for name in drawn}
        return [
            over_layers(lambda one, other, power=power: likeness_by_numpy(one, other, power), each, kinds[1])
            for power in (1, 3)
            for each in (near, drawn)
        ]

    judge(likeness_with_cosines).expect(expected, atol=1e-5, rtol=1e-4)


# ---------------------------------------------------------------- questions


def photographs_that_reach(share):
    """How many of the sample's photographs reach this share of channel 226's largest activation in mixed4c."""
    maps = survey(load("mini"), "mixed4c", load_sample().images, channels=[226]).highest.values
    return int((maps >= share * maps.max()).sum())


test_q_spectrum = question(
    "03.q_spectrum",
    points=1,
    answer=lambda: photographs_that_reach(0.5),
    wrong=[
        (lambda: photographs_that_reach(0.25), "That is the number for a quarter of the largest activation."),
        (500, "Half of the activation is not half of the photographs. The last lines above the question count them."),
        (50, "50 is how many photographs the table of classes looked at; the lines below it count something else."),
    ],
)

test_q_direction = question(
    "03.q_direction",
    points=1,
    answer="b",
    wrong={
        "a": "By the channel alone cats and cars can hardly be told apart: the first line of this part is not far from "
        "guessing, and mini is right far more often.",
        "c": "Places were never compared: all numbers were taken where the channel is strongest, and along `apart` "
        "they separated the two nevertheless.",
        "d": "A drawing of one channel shows what that channel likes. mini's answer rests on 256 of them, and the "
        "lower lines show how well the others separate cats from cars.",
    },
)

test_q_sanity = question(
    "03.q_sanity",
    points=1,
    answer="b",
    wrong={
        "a": "A network with its later weights shuffled only guesses. It may still have activations on the cat, but it "
        "does not know a cat.",
        "c": "The activation may well be strong there; in this part it was, in both networks. It is only no evidence "
        "for what the answer rests on.",
        "d": "Then the map could not tell a network that knows from one that guesses. What an answer rests on depends "
        "on the weights, so a map of it must change with them.",
    },
)


# ================ many neurons and what they do

# ---------------------------------------------------------------- activation grid


def six_colours(generator):
    """A picture of 2 × 3 pixels: red, green, blue and their mixtures in random order, each more or less pale."""
    corners = torch.tensor([corner for corner in itertools.product([0.0, 1.0], repeat=3) if 0 < sum(corner) < 3])
    corners = corners[torch.randperm(6, generator=generator)]
    strengths = 0.4 + 0.6 * torch.rand(6, 1, generator=generator)
    return (0.5 + strengths * (corners - 0.5)).T.reshape(3, 2, 3)


def sees_colours(generator):
    """Four channels that together tell how far, and which way, a pixel is from grey; no channel is a colour."""
    look = nn.Conv2d(3, 4, 1)
    weight = torch.linalg.qr(torch.randn(4, 3, generator=generator)).Q
    with torch.no_grad():
        look.weight.copy_(weight[:, :, None, None])
        look.bias.copy_(-weight.sum(dim=1) / 2)
    return nn.Sequential(look).eval()


@scenario
def a_grid_of_six_colours(student, generator):
    model, image = sees_colours(generator), six_colours(generator)
    grid = student.activation_grid(model, "0", image, size=8, steps=8, cosine_power=0.0)
    return {"image": image, "icons": grid.icons.detach(), "strengths": grid.strengths}


@scenario
def grids_with_other_settings(student, generator):
    model, image = sees_colours(generator), six_colours(generator)
    seed = int(torch.randint(1000, (), generator=generator))

    def icons(**settings):
        return student.activation_grid(model, "0", image, **{"size": 8, "steps": 2, "seed": seed, **settings}).icons

    changed = [icons(**one).detach() for one in ({"seed": seed + 1}, {"steps": 1}, {"cosine_power": 6.0})]
    return {"twice": [icons().detach(), icons().detach()], "changed": changed, "of 6 pixels": icons(size=6).detach()}


def leans_to_its_own_place(outcome, reference):
    """The pixel in the middle of each icon against the colours of all six places."""
    if tuple(outcome["icons"].shape) != (6, 3, 8, 8):
        return f"icons have shape {tuple(outcome['icons'].shape)}; 2 × 3 positions give (6, 3, 8, 8)"
    colours = reference["image"].flatten(1).T - 0.5
    middles = outcome["icons"][:, :, 4, 4].float() - 0.5
    nearest = F.cosine_similarity(middles[:, None], colours, dim=2).argmax(dim=1).tolist()
    if nearest == [0, 1, 2, 3, 4, 5]:
        return True
    return f"icons 0 to 5 lean towards the directions of the places {nearest}"


def lengths_from_grey(generator):
    sees_colours(generator)  # it draws first
    lengths = np.linalg.norm(six_colours(generator).double().numpy() - 0.5, axis=0)
    return {"strengths": torch.from_numpy(lengths), "hang on a gradient": False}


def heeds_its_settings(outcome):
    if tuple(outcome["of 6 pixels"].shape) != (6, 3, 6, 6):
        return f"with size=6, icons have shape {tuple(outcome['of 6 pixels'].shape)}"
    if not torch.equal(*outcome["twice"]):
        return "the same seed gave two different grids"
    for name, changed in zip(("seed", "steps", "cosine_power"), outcome["changed"], strict=True):
        if torch.equal(changed, outcome["twice"][0]):
            return f"another {name} gave the same icons to the last digit"
    return True


@exercise("03.activation_grid", points=1)
def test_each_icon_is_drawn_for_its_own_position(judge):
    expected = "icons of the size, steps, cosine power and seed asked for"
    judge(grids_with_other_settings).satisfies(heeds_its_settings, expected=expected)
    expected = "an icon for each position, row by row, that leans towards the direction found there"
    judge(a_grid_of_six_colours).satisfies(leans_to_its_own_place, expected=expected)


@scenario
def strengths_of_six_colours(student, generator):
    model, image = sees_colours(generator), six_colours(generator)
    strengths = student.activation_grid(model, "0", image, size=4, steps=1).strengths
    return {"strengths": strengths.detach(), "hang on a gradient": bool(strengths.requires_grad)}


@exercise("03.activation_grid", points=1)
def test_a_strength_is_the_length_of_the_activation(judge):
    judge(strengths_of_six_colours).expect(lengths_from_grey, atol=1e-5)


# ---------------------------------------------------------------- groups


def parts_of_three(generator, size):
    """What each of three groups is made of: five blocks of ``size`` numbers, in random order.

    The first two have a block of their own and share one, the third has two to itself. Every group is somewhere alone,
    so there is one right answer.
    """
    own, shared = 0.5 + torch.rand(4, size, generator=generator), 0.5 + torch.rand(size, generator=generator)
    blocks = torch.zeros(3, 5, size)
    blocks[0, 0], blocks[1, 1], blocks[2, 2], blocks[2, 3] = own
    blocks = F.normalize(blocks.flatten(1), dim=1).view_as(blocks)
    blocks[:2, 4] = F.normalize(shared, dim=0)
    return F.normalize(blocks[:, torch.randperm(5, generator=generator)].flatten(1), dim=1)


def planted_groups(generator):
    """Two images made of three groups. Two are much alike and often together: solvers find one of these first.

    The third is the strongest, by the length of its maps and by their sum.
    """
    channels = parts_of_three(generator, 3)
    maps = parts_of_three(generator, 10).view(3, 5, 2, 5).permute(2, 0, 1, 3)
    maps = 5 * maps * torch.tensor([3.0, 2.2, 3.6]).view(1, 3, 1, 1)
    order = [2, 0, 1]
    return torch.einsum("ngrc,gk->nkrc", maps, channels), channels[order], maps[:, order]


def plain_groups(groups):
    return {"channels": groups.channels, "maps": groups.maps, "unexplained": groups.unexplained}


@scenario
def groups_that_were_planted(student, generator):
    activations, channels, maps = planted_groups(generator)
    planted = {"channels": channels, "maps": maps, "activations": activations}
    return {**plain_groups(student.neuron_groups(activations, 3)), "planted": planted}


@scenario
def groups_of_what_has_none(student, generator):
    activations = torch.rand(3, 7, 2, 4, generator=generator)
    return {**plain_groups(student.neuron_groups(activations, 4)), "activations": activations}


@scenario
def groups_of_silence(student, generator):
    return plain_groups(student.neuron_groups(torch.zeros(2, 4, 3, 2), 2))


def misshapen(outcome, channels, maps):
    for name, shape in (("channels", channels), ("maps", maps)):
        if tuple(outcome[name].shape) != shape:
            return f"{name} have shape {tuple(outcome[name].shape)}; it should be {shape}"
        if float(outcome[name].min()) < 0:
            return f"{name} go down to {float(outcome[name].min()):.3g}; nothing is below 0"
    return ""


def are_the_planted_ones(outcome, reference):
    if fault := misshapen(outcome, (3, 15), (2, 3, 5, 5)):
        return fault
    planted = reference["planted"]
    alike = F.cosine_similarity(outcome["channels"].float(), planted["channels"], dim=1)
    if float(alike.min()) < 0.98:
        return f"the groups' cosines with the planted ones, strongest first, are {rounded(alike)}"
    maps, right = (each.float().transpose(0, 1).flatten(1) for each in (outcome["maps"], planted["maps"]))
    alike = F.cosine_similarity(maps, right, dim=1)
    return True if float(alike.min()) >= 0.98 else f"the maps' cosines with the planted ones are {rounded(alike)}"


def have_unit_length_and_explain(outcome, reference):
    if fault := misshapen(outcome, (3, 15), (2, 3, 5, 5)):
        return fault
    lengths = outcome["channels"].double().square().sum(dim=1).sqrt()
    if float((lengths - 1).abs().max()) > 1e-4:
        return f"the lengths of the groups' channels are {rounded(lengths)}"
    share = left_over(outcome, reference["planted"]["activations"])
    return True if share < 0.05 else f"maps times channels leave {share:.0%} of the activations over"


def left_over(outcome, activations):
    """Measured from the groups themselves."""
    made = torch.einsum("ngrc,gk->nkrc", outcome["maps"].double(), outcome["channels"].double())
    return float((activations.double() - made).norm() / activations.double().norm())


def tells_what_is_left(outcome, reference):
    """No factorisation is the one right one here; scikit-learn's own sets the standard, and a tenth more is fine."""
    if fault := misshapen(outcome, (4, 7), (3, 4, 2, 4)):
        return fault
    share = left_over(outcome, reference["activations"])
    if abs(float(outcome["unexplained"]) - share) > 1e-4:
        return f"unexplained is {float(outcome['unexplained']):.4f}; maps and channels leave {share:.4f} of the length"
    matrix = reference["activations"].double().movedim(1, -1).reshape(-1, 7).numpy()
    solver = NMF(4, init="nndsvda", max_iter=500, tol=1e-3).fit(matrix)
    best = solver.reconstruction_err_ / np.linalg.norm(matrix)
    return True if share <= 1.1 * best else f"{share:.3f} is left over where {best:.3f} can be reached"


def is_silent(outcome):
    if fault := misshapen(outcome, (2, 4), (2, 2, 3, 2)):
        return fault
    nothing = not bool(outcome["maps"].any()) and bool(outcome["channels"].isfinite().all())
    if not nothing:
        return "the maps of a silent layer are not 0, or the channels are NaN"
    return True if float(outcome["unexplained"]) == 0 else f"unexplained is {outcome['unexplained']}, of nothing at all"


def rounded(numbers):
    return [round(number, 3) for number in numbers.tolist()]


@exercise("03.neuron_groups", points=1)
def test_planted_groups_come_back_strongest_first(judge):
    expected = "the three groups that were planted, with their maps, strongest first"
    judge(groups_that_were_planted).satisfies(are_the_planted_ones, expected=expected)


@exercise("03.neuron_groups", points=1)
def test_directions_of_length_one_that_make_the_activations_and_silence_is_no_nan(judge):
    expected = "channels of length 1, and maps that make the activations together with them"
    judge(groups_that_were_planted).satisfies(have_unit_length_and_explain, expected=expected)
    judge(groups_of_silence).satisfies(is_silent, expected="maps of 0 and nothing unexplained where nothing is active")


@exercise("03.neuron_groups", points=1)
def test_what_the_groups_leave_over(judge):
    expected = "the length of what is left over, divided by the length of the activations, and little of it"
    judge(groups_of_what_has_none).satisfies(tells_what_is_left, expected=expected)


# ---------------------------------------------------------------- atlas


def a_map_of_points(generator):
    """40 points; half of them lie in one corner, so that squares hold very different numbers of points."""
    vectors = torch.randn(40, 3, generator=generator)
    coordinates = torch.rand(40, 2, generator=generator)
    coordinates[:20] = coordinates[:20] * torch.tensor([0.3, 0.55])
    return vectors, coordinates


def plain_cells(cells):
    return {name: getattr(cells, name) for name in ("vectors", "rows", "columns", "counts", "side")}


def averaged_square_by_square(vectors, coordinates, side, least=1):
    """The same with a loop over the squares and conditions on both coordinates."""
    found = {"vectors": [], "rows": [], "columns": [], "counts": []}
    points = coordinates.double().numpy()
    for row, column in itertools.product(range(side), repeat=2):
        low, high = np.array([row, column]) / side, np.array([row + 1, column + 1]) / side
        inside = ((points >= low) & ((points < high) | ((points == 1) & (high == 1)))).all(axis=1)
        if inside.sum() >= least:
            for name, value in zip(found, (vectors.double().numpy()[inside].mean(axis=0), row, column), strict=False):
                found[name].append(value)
            found["counts"].append(int(inside.sum()))
    return {**{name: torch.from_numpy(np.array(values)) for name, values in found.items()}, "side": side}


def edges_of_a_map(generator):
    """Points exactly on the lines between squares, and on the map's own border."""
    vectors = torch.randn(25, 2, generator=generator)
    lines = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])
    return vectors, torch.cartesian_prod(lines, lines)


@scenario
def averages_of_squares(student, generator):
    return plain_cells(student.grid_averages(*a_map_of_points(generator), 4))


@scenario
def only_fuller_squares(student, generator):
    vectors, coordinates = a_map_of_points(generator)
    return [plain_cells(student.grid_averages(vectors, coordinates, 3, least=least)) for least in (2, 4)]


@scenario
def points_on_the_lines(student, generator):
    return plain_cells(student.grid_averages(*edges_of_a_map(generator), 4))


@exercise("03.activation_atlas", points=1)
def test_the_mean_of_each_square_row_by_row(judge):
    judge(averages_of_squares).expect(
        lambda generator: averaged_square_by_square(*a_map_of_points(generator), 4),
        atol=1e-5,  # means of at most 20 numbers of size 1
    )


@exercise("03.activation_atlas", points=1)
def test_squares_with_too_few_points_are_left_out(judge):
    judge(only_fuller_squares).expect(
        lambda generator: [
            averaged_square_by_square(vectors, coordinates, 3, least)
            for vectors, coordinates in [a_map_of_points(generator)]
            for least in (2, 4)
        ],
        atol=1e-5,
    )


@exercise("03.activation_atlas", points=1)
def test_lines_belong_to_the_next_square_and_the_border_to_the_last(judge):
    judge(points_on_the_lines).expect(
        lambda generator: averaged_square_by_square(*edges_of_a_map(generator), 4), atol=1e-5
    )


# ---------------------------------------------------------------- attribution


def drawn(model, generator):
    """The network, with random weights from the generator."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model.eval()


def straight(generator):
    """A network whose output is linear in layer 0, and three images: every number there is worth its weight."""
    model = drawn(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4 * 2 * 5, 6)), generator)
    return model, torch.rand(3, 3, 2, 5, generator=generator)


def bent(generator):
    """A network with rectifiers, a pooling, and more channels in layer 4 than logits at the end; two images."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(4, 5, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(5 * 2 * 3, 2),
    )
    return drawn(model, generator), torch.randn(2, 3, 4, 6, generator=generator)


def first_minus_fourth(output):
    return output[:, 0] - output[:, 3]


def last_of_two(output):
    return output[:, 1] * output[:, 1].abs()


TARGETS = (2, torch.tensor([5, 0, 3]), first_minus_fourth)


def hooks_of(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def worth_of_a_straight_line(generator, baseline=None):
    """Weight × activation (or × its distance from a baseline), for each of the three targets."""
    model, images = straight(generator)
    look, read = (model[index].weight.detach().double().numpy() for index in (0, 2))
    activation = np.einsum("kc,bchw->bkhw", look[:, :, 0, 0], images.double().numpy())
    activation = activation + model[0].bias.detach().double().numpy()[:, None, None]
    weights = read.reshape(6, 4, 2, 5)
    worth = [weights[[2, 2, 2]], weights[[5, 0, 3]], (weights[0] - weights[3])[None]]
    distance = activation if baseline is None else activation - baseline.double().numpy()
    return [torch.from_numpy(one * distance) for one in worth]


def by_hand(model, images, layer, score, *, last=None, relaxed=False, point=None):
    """Activation and gradient of a layer of ``bent``, step by step, without hooks.

    Args:
        score: ``output of layer last (of all by default) -> one number per image``.
        relaxed: Poolings keep their values and get the gradient of mean(x²) / (mean(|x|) + 0.01).
        point: Numbers in the place of the activation.
    """
    hidden = images
    for step in model[: layer + 1]:
        hidden = step(hidden).detach()
    start = (hidden if point is None else point).clone().requires_grad_(True)
    hidden = start
    for step in model[layer + 1 : None if last is None else last + 1]:
        before, hidden = hidden, step(hidden)
        if relaxed and isinstance(step, nn.MaxPool2d):
            soft = F.avg_pool2d(before**2, 2) / (F.avg_pool2d(before.abs(), 2) + 0.01)
            hidden = hidden.detach() + soft - soft.detach()
    return start.detach(), torch.autograd.grad(score(hidden).sum(), start)[0]


BENT = (
    ({"layer": "0", "target": last_of_two}, {"layer": 0, "score": last_of_two}),
    ({"layer": "1", "target": 4, "of": "4"}, {"layer": 1, "score": lambda out: out[:, 4].mean(dim=(1, 2)), "last": 4}),
    ({"layer": "1", "target": 1, "relaxed": True}, {"layer": 1, "score": lambda out: out[:, 1], "relaxed": True}),
)


def products_by_hand(generator):
    """Gradient × activation for the three cases of ``BENT``."""
    model, images = bent(generator)
    return [torch.mul(*by_hand(model, images, **case)) for _, case in BENT]


def asked_of_bent(attribute, generator):
    model, images = bent(generator)
    answers = [attribute(model, case["layer"], images, **without_layer(case)) for case, _ in BENT]
    return {"attributions": answers, "hooks left": hooks_of(model)}


def without_layer(case):
    return {name: value for name, value in case.items() if name != "layer"}


@scenario
def positions_where_the_rest_is_linear(student, generator):
    model, images = straight(generator)
    return [student.spatial_attribution(model, "0", images, target) for target in TARGETS]


@scenario
def positions_where_the_rest_is_bent(student, generator):
    return asked_of_bent(student.spatial_attribution, generator)


@exercise("03.spatial_attribution", points=1)
def test_positions_are_worth_weight_times_activation(judge):
    judge(positions_where_the_rest_is_linear).expect(
        lambda generator: [worth.sum(dim=1) for worth in worth_of_a_straight_line(generator)],
        atol=1e-4,  # sums of 4 products of size 1
    )


@exercise("03.spatial_attribution", points=1)
def test_positions_through_rectifiers_to_a_later_layer_and_relaxed(judge):
    judge(positions_where_the_rest_is_bent).expect(
        lambda generator: {
            "attributions": [products.sum(dim=1) for products in products_by_hand(generator)],
            "hooks left": 0,
        },
        atol=1e-3,  # a difference of two numbers near 100 may be 1e-5 off, and is multiplied by as much again
        rtol=1e-4,
    )


@scenario
def channels_where_the_rest_is_linear(student, generator):
    model, images = straight(generator)
    return [student.channel_attribution(model, "0", images, target) for target in TARGETS]


@scenario
def channels_where_the_rest_is_bent(student, generator):
    return asked_of_bent(student.channel_attribution, generator)


@scenario
def channels_of_a_layer_without_positions(student, generator):
    model = drawn(nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3)), generator)
    return student.channel_attribution(model, "0", torch.randn(2, 6, generator=generator), 1)


def numpy_of_a_layer_without_positions(generator):
    shapes = [(4, 6), (4,), (3, 4), (3,), (2, 6)]
    first, bias, second, _, images = (torch.randn(*shape, generator=generator).double().numpy() for shape in shapes)
    return torch.from_numpy((images @ first.T + bias) * second[1])


@exercise("03.channel_attribution", points=1)
def test_channels_are_worth_weight_times_activation(judge):
    judge(channels_where_the_rest_is_linear).expect(
        lambda generator: [worth.sum(dim=(2, 3)) for worth in worth_of_a_straight_line(generator)],
        atol=1e-4,  # sums of 10 products of size 1
    )
    judge(channels_of_a_layer_without_positions).expect(numpy_of_a_layer_without_positions, atol=1e-4)


@exercise("03.channel_attribution", points=1)
def test_channels_through_rectifiers_to_a_later_layer_and_relaxed(judge):
    judge(channels_where_the_rest_is_bent).expect(
        lambda generator: {
            "attributions": [products.sum(dim=(2, 3)) for products in products_by_hand(generator)],
            "hooks left": 0,
        },
        atol=1e-3,
        rtol=1e-4,
    )


# ---------------------------------------------------------------- along a path


def baselines(generator):
    """One for all three images, and one for each."""
    return torch.randn(4, 2, 5, generator=generator), torch.randn(3, 4, 2, 5, generator=generator)


@scenario
def paths_where_the_rest_is_linear(student, generator):
    model, images = straight(generator)
    one, each = baselines(generator)
    starts = ({"steps": 1}, {"baseline": one, "steps": 3}, {"baseline": each, "steps": 2})
    pairs = zip(TARGETS, starts, strict=True)
    return [student.integrated_attribution(model, "0", images, target, **start) for target, start in pairs]


def ways_where_the_rest_is_linear(generator):
    state = generator.get_state()
    straight(generator)  # it draws first
    starts = (torch.zeros(()), *baselines(generator))
    found = []
    for index, start in enumerate(starts):
        found.append(worth_of_a_straight_line(generator.set_state(state), start)[index])
    return found


def cubes(output):
    """How much a number counts grows with it, so that every step of the path has a gradient of its own."""
    return (output**3).flatten(1).sum(dim=1)


@scenario
def a_path_up_a_cube(student, generator):
    model = nn.Sequential(nn.Identity(), nn.Flatten()).eval()
    images, baseline = torch.randn(2, 3, 2, 2, generator=generator), torch.randn(3, 2, 2, generator=generator)
    return [student.integrated_attribution(model, "0", images, cubes, baseline=baseline, steps=n) for n in (1, 2, 5)]


def middles_of_a_cube(generator):
    """3x² in the middle of each piece, on average, times the way."""
    images, baseline = torch.randn(2, 3, 2, 2, generator=generator), torch.randn(3, 2, 2, generator=generator)
    way = (images - baseline).double()
    found = []
    for pieces in (1, 2, 5):
        middles = [baseline + way * (2 * piece + 1) / (2 * pieces) for piece in range(pieces)]
        found.append(way * torch.stack([3 * middle**2 for middle in middles]).mean(dim=0))
    return found


@scenario
def paths_where_the_rest_is_bent(student, generator):
    model, images = bent(generator)
    answers = [
        student.integrated_attribution(model, case["layer"], images, steps=3, **without_layer(case)) for case, _ in BENT
    ]
    return {"attributions": answers, "hooks left": hooks_of(model)}


def paths_by_hand(generator):
    model, images = bent(generator)
    found = []
    for _, case in BENT:
        end, _ = by_hand(model, images, **case)
        slopes = [by_hand(model, images, point=end * share, **case)[1] for share in (1 / 6, 3 / 6, 5 / 6)]
        found.append(end * sum(slopes) / 3)
    return {"attributions": found, "hooks left": 0}


@scenario
def a_path_through_mini(student, generator):
    model, images = load("mini"), torch.rand(1, 3, 16, 16, generator=generator)
    label = int(torch.randint(10, (), generator=generator))
    found = student.integrated_attribution(model, "mixed4b", images, label, steps=12)
    with torch.no_grad():
        full = model(images)[0, label]
        with edit(model, {"mixed4b": torch.zeros_like}):
            silent = model(images)[0, label]
    return {"attribution": found, "difference": full - silent}


@exercise("03.integrated_attribution", points=1)
def test_on_a_straight_line_it_is_weight_times_the_way(judge):
    judge(paths_where_the_rest_is_linear).expect(ways_where_the_rest_is_linear, atol=1e-4)


@exercise("03.integrated_attribution", points=1)
def test_the_gradient_is_taken_in_the_middle_of_each_piece(judge):
    judge(a_path_up_a_cube).expect(middles_of_a_cube, atol=1e-3, rtol=1e-4)
    judge(paths_where_the_rest_is_bent).expect(paths_by_hand, atol=1e-3, rtol=1e-4)


def adds_up(outcome, reference):
    """12 pieces are not infinitely many: a tenth of the difference may be missing, and a fifth of a logit."""
    if outcome["attribution"].shape != reference["attribution"].shape:
        return f"shape {tuple(outcome['attribution'].shape)} in place of {tuple(reference['attribution'].shape)}"
    total, difference = float(outcome["attribution"].sum()), float(reference["difference"])
    near = abs(total - difference) <= 0.2 + 0.1 * abs(difference)
    return True if near else f"the attributions add up to {total:.3f}; the logit changes by {difference:.3f}"


@exercise("03.integrated_attribution", points=1)
def test_on_mini_it_adds_up_to_what_the_layer_changes(judge):
    expected = "attributions that add up to the logit minus the logit with mixed4b silent"
    judge(a_path_through_mini).satisfies(adds_up, expected=expected)


# ---------------------------------------------------------------- deep dream


def two_layers(generator):
    return {
        "mixed3a": torch.randn(3, 4, 2, 5, generator=generator),
        "mixed3b": torch.randn(3, 2, 6, 3, generator=generator) * torch.tensor([0.1, 1.0, 9.0]).view(3, 1, 1, 1),
    }


@scenario
def squares_of_random_activations(student, generator):
    activations = two_layers(generator)
    return [student.layer(name)(activations) for name in ("mixed3b", "mixed3a")]


@scenario
def what_the_dream_pulls_at(student, generator):
    activation = torch.randn(2, 3, 4, 2, generator=generator, requires_grad=True)
    score = student.layer("layer")({"layer": activation}).sum()
    return torch.autograd.grad(score, activation)[0] if score.requires_grad else torch.zeros_like(activation.detach())


@exercise("03.layer", points=1)
def test_the_mean_of_squares_of_each_image(judge):
    judge(squares_of_random_activations).expect(
        lambda generator: [
            torch.from_numpy(np.mean(np.square(activations[name].double().numpy()), axis=(1, 2, 3)))
            for activations in [two_layers(generator)]
            for name in ("mixed3b", "mixed3a")
        ],
        atol=1e-5,
        rtol=1e-5,  # numbers up to 9² · 3² = 700
    )


@exercise("03.layer", points=1)
def test_the_strong_are_pulled_most(judge):
    judge(what_the_dream_pulls_at).expect(
        lambda generator: 2 * torch.randn(2, 3, 4, 2, generator=generator) / 24, atol=1e-6
    )
