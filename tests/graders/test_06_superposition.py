"""Lesson 06: toy models of superposition, units of several meanings, dictionaries."""

import itertools
import math
from collections import Counter

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.stats import kstest
from torch import nn

from innervision import edit
from innervision.classroom.exercises import exercise, question, scenario
from innervision.superposition import SparseAutoencoder


def row(numbers):
    """A few numbers, or rows of them, as they stand in the name of a case."""
    numbers = torch.as_tensor(numbers)
    parts = [row(one) if one.dim() else f"{float(one):.3g}" for one in numbers.detach()]
    return "[" + ", ".join(parts) + "]"


def tenths(shape, generator, low=-1.0, high=1.0):
    """Numbers with one digit behind the point, none of them 0: whoever works a case out by hand writes little."""
    steps = torch.randint(1, round(10 * (high - low)) + 1, shape, generator=generator)
    numbers = low + steps / 10
    return torch.where(numbers.abs() < 0.05, 0.5, numbers)


# ---------------------------------------------------------------- features

PRESENT = {"models": [1.0, 0.5, 0.1, 0.0], "examples": 3000, "features": 4}
FAR = 6.0  # standard deviations: chance brings none of the hundred shares and correlations below so far off


@scenario
def features_drawn(student, generator):
    """As many models as features: nobody is told by an error that two axes were exchanged."""
    return student.sample_features(torch.tensor(PRESENT["models"]), PRESENT["examples"], PRESENT["features"], generator)


@scenario
def features_drawn_again(student, generator):
    def draw():
        return student.sample_features(torch.tensor([0.5, 0.3]), 20, 3, generator)

    state = generator.get_state()
    first, second = draw(), draw()
    generator.set_state(state)
    again = draw()
    return {
        "shape for 2 models, 20 examples, 3 features": list(first.shape),
        "drawn again, the generator set back": "the same" if torch.equal(first, again) else "others",
        "drawn again, the generator left as it is": "the same" if torch.equal(first, second) else "others",
    }


def fault_of_shape(drawn):
    """What is wrong with the kind of the features, or nothing."""
    shape = (len(PRESENT["models"]), PRESENT["examples"], PRESENT["features"])
    if not isinstance(drawn, torch.Tensor) or tuple(drawn.shape) != shape:
        kind = f"shape {tuple(drawn.shape)}" if isinstance(drawn, torch.Tensor) else f"a {type(drawn).__name__}"
        return f"{kind} in place of (models, batch, features) = {shape}"
    if not (drawn.min() >= 0 and drawn.max() < 1):
        return f"values from {float(drawn.min()):.3g} to {float(drawn.max()):.3g}; a feature is in [0, 1)"
    return ""


def are_present_as_often_as_they_should(drawn):
    if fault := fault_of_shape(drawn):
        return fault
    drawn = drawn.double().numpy()
    for model, probability in enumerate(PRESENT["models"]):
        spread = math.sqrt(probability * (1 - probability) / PRESENT["examples"])
        for feature, share in enumerate((drawn[model] != 0).mean(axis=0)):
            if abs(share - probability) > FAR * spread + 1e-3:  # a present feature can be 0, once in millions
                who = f"model {model} (probability {probability}), feature {feature}"
                return f"{who}: present in {share:.1%} of {PRESENT['examples']} examples"
    for model, probability in enumerate(PRESENT["models"][:-1]):
        values = drawn[model][drawn[model] != 0]
        if kstest(values, "uniform").pvalue < 1e-8:
            quartiles = row(np.quantile(values, [0.25, 0.5, 0.75]))
            return f"model {model} (probability {probability}): the quartiles of present features are {quartiles}"
    return True


def do_not_hang_together(drawn):
    if fault := fault_of_shape(drawn):
        return fault
    often = drawn[:2].double().numpy()  # of rare features only their presence: a few strong examples tell too little
    rare = (drawn[:3] != 0).double().numpy()
    return hang_together("whether they are present", rare) or hang_together("their values", often) or True


def hang_together(what, numbers):
    """Which two features do, or which one does from example to example, in words; or nothing."""
    limit = FAR / math.sqrt(PRESENT["examples"])
    rows = {
        f"model {model}, feature {feature}": numbers[model, :, feature]
        for model, feature in np.ndindex(*numbers[:, 0].shape)
    }
    rows = {name: row_of_one for name, row_of_one in rows.items() if row_of_one.std() > 0}
    together = np.corrcoef(np.stack(list(rows.values())))
    for (i, first), (j, second) in itertools.combinations(enumerate(rows), 2):
        if abs(together[i, j]) > limit:
            return f"{first} and {second}: {what} goes together with a correlation of {together[i, j]:.2f}"
    for name, row_of_one in rows.items():
        along = np.corrcoef(row_of_one[1:], row_of_one[:-1])[0, 1]
        if abs(along) > limit:
            return f"{name}: {what} goes from example to example with a correlation of {along:.2f}"
    return ""


@exercise("06.sample_features", points=1)
def test_as_often_as_the_probability_says_and_anywhere_from_0_to_1(judge):
    expected = "features that are there as often as their model's probability says; then uniform in [0, 1), else 0"
    judge(features_drawn).satisfies(are_present_as_often_as_they_should, expected=expected)


@exercise("06.sample_features", points=1)
def test_each_feature_is_drawn_for_itself_from_the_generator(judge):
    expected = "features that do not hang together: not with others, not from example to example, not between models"
    judge(features_drawn).satisfies(do_not_hang_together, expected=expected)
    expected = {
        "shape for 2 models, 20 examples, 3 features": [2, 20, 3],
        "drawn again, the generator set back": "the same",
        "drawn again, the generator left as it is": "others",
    }
    judge(features_drawn_again).expect(expected, atol=0)


# ---------------------------------------------------------------- the toy model

LARGER = (
    ("3 models, 4 examples, 2 hidden numbers, 5 features", 3, 4, 2, 5),
    ("3 models, 3 examples, 3 hidden numbers, 3 features", 3, 3, 3, 3),
)


def small_toy_models(generator):
    """One model and one example each, all of which stands in the name of the case."""
    for hidden in (1, 2):
        inputs = tenths((1, 1, 2), generator, 0.0)
        weights, biases = tenths((1, hidden, 2), generator), tenths((1, 2), generator)
        yield f"W = {row(weights[0])}, b = {row(biases[0])}, x = {row(inputs[0, 0])}", (inputs, weights, biases)


def larger_toy_models(generator):
    for name, models, batch, hidden, features in LARGER:
        inputs = torch.rand(models, batch, features, generator=generator)
        weights = torch.randn(models, hidden, features, generator=generator)
        yield name, (inputs, weights, torch.randn(models, features, generator=generator))


@scenario
def outputs_of_small_toy_models(student, generator):
    return {name: student.toy_forward(*given) for name, given in small_toy_models(generator)}


@scenario
def outputs_of_larger_toy_models(student, generator):
    return {name: student.toy_forward(*given) for name, given in larger_toy_models(generator)}


def outputs_one_by_one(inputs, weights, biases):
    outputs = np.zeros(inputs.shape)
    for model, (matrix, bias) in enumerate(zip(weights.double().numpy(), biases.double().numpy(), strict=True)):
        for example, features in enumerate(inputs[model].double().numpy()):
            outputs[model, example] = np.maximum(matrix.T @ (matrix @ features) + bias, 0)
    return torch.from_numpy(outputs)


@exercise("06.toy_forward", points=1)
def test_small_models_worked_out_by_hand(judge):
    judge(outputs_of_small_toy_models).expect(
        lambda generator: {name: outputs_one_by_one(*given) for name, given in small_toy_models(generator)}, atol=1e-5
    )


@exercise("06.toy_forward", points=1)
def test_many_models_each_with_its_own_weights_and_biases(judge):
    judge(outputs_of_larger_toy_models).expect(
        lambda generator: {name: outputs_one_by_one(*given) for name, given in larger_toy_models(generator)},
        atol=1e-4,  # sums of about ten products of size 1, in float32
    )


def toy_errors(generator):
    """For each case: inputs, outputs, importance. In the last there are as many models and examples as features."""
    for models, batch, features in ((1, 1, 2), (2, 3, 4), (3, 3, 3)):
        inputs, outputs = (tenths((models, batch, features), generator, 0.0) for _ in range(2))
        outputs = torch.where(outputs == inputs, outputs + 0.3, outputs)
        importance = tenths((features,), generator, 0.0) * (1 - 0.5 * (torch.arange(features) > 0))
        name = f"{models} models, {batch} examples, {features} features"
        if models == 1:
            name = f"x = {row(inputs[0, 0])}, output {row(outputs[0, 0])}, importance {row(importance)}"
        yield name, (inputs, outputs, importance)


@scenario
def losses_of_toy_models(student, generator):
    return {name: student.toy_loss(*given) for name, given in toy_errors(generator)}


@scenario
def slopes_of_the_toy_loss(student, generator):
    inputs, outputs, importance = list(toy_errors(generator))[1][1]
    outputs = outputs.requires_grad_(True)
    student.toy_loss(inputs, outputs, importance)[1].backward()
    return {"how the second model's loss changes with the outputs": outputs.grad}


def loss_one_by_one(inputs, outputs, importance):
    squares = (inputs.double().numpy() - outputs.double().numpy()) ** 2
    return torch.from_numpy((squares @ importance.double().numpy()).mean(axis=1))


@exercise("06.toy_loss", points=1)
def test_a_number_for_each_model(judge):
    judge(losses_of_toy_models).expect(
        lambda generator: {name: loss_one_by_one(*given) for name, given in toy_errors(generator)}, atol=1e-5
    )


@exercise("06.toy_loss", points=1)
def test_its_gradient_reaches_that_models_outputs_only(judge):
    def expected(generator):
        inputs, outputs, importance = list(toy_errors(generator))[1][1]
        slopes = 2 * importance * (outputs - inputs) / inputs.shape[1]
        slopes[0] = 0
        return {"how the second model's loss changes with the outputs": slopes}

    judge(slopes_of_the_toy_loss).expect(expected, atol=1e-5)


# ---------------------------------------------------------------- dimensionality


def arrows(degrees, lengths):
    """Columns that point in these directions."""
    radians = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float64))
    return (torch.stack([radians.cos(), radians.sin()]) * torch.as_tensor(lengths)).float()


def regular(name, generator):
    """Arrows of a well-known shape, turned at random and all of one random length; and the share of each."""
    shapes = {
        "orthogonal, in 3 dimensions": (torch.eye(3), 1.0),
        "a pair of opposites, in 1 dimension": (torch.tensor([[1.0, -1.0]]), 1 / 2),
        "a triangle, in 2 dimensions": (arrows([0, 120, 240], 1.0), 2 / 3),
        "a pentagon, in 2 dimensions": (arrows([0, 72, 144, 216, 288], 1.0), 2 / 5),
        "a tetrahedron, in 3 dimensions": (
            torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / math.sqrt(3),
            3 / 4,
        ),
    }
    weights, share = shapes[name]
    turn = torch.linalg.qr(torch.randn(len(weights), len(weights), generator=generator))[0]
    length = 0.4 + torch.rand((), generator=generator)
    return length * turn @ weights, torch.full((weights.shape[1],), share)


REGULAR = (
    "orthogonal, in 3 dimensions",
    "a pair of opposites, in 1 dimension",
    "a triangle, in 2 dimensions",
    "a pentagon, in 2 dimensions",
    "a tetrahedron, in 3 dimensions",
)


@scenario
def shares_of_regular_shapes(student, generator):
    return {name: student.feature_dimensionality(regular(name, generator)[0]) for name in REGULAR}


UNEVEN = {"2 hidden numbers, 5 features": (2, 5), "3 hidden numbers, 3 features": (3, 3)}
ONE_BY_ONE = {"2 hidden numbers, 4 features": (2, 4), "2 models, 2 hidden numbers, 4 features": (2, 2, 4)}
ONE_BY_ONE |= {"2 × 2 models, 3 hidden numbers, 2 features": (2, 2, 3, 2)}


def uneven_weights(shapes, generator):
    """Columns between which there is every angle, and of lengths from a third to three."""
    for name, shape in shapes.items():
        stretch = 3.0 ** (2 * torch.rand(shape[-1], generator=generator) - 1)
        yield name, torch.randn(shape, generator=generator) * stretch


def pair_of_opposites(generator):
    """One hidden number and two features: small enough to work out by hand."""
    first, second = tenths((2,), generator, 0.0)
    return f"W = [[{first:.1f}, -{second:.1f}]]", torch.stack([first, -second])[None]


@scenario
def shares_of_uneven_features(student, generator):
    name, opposites = pair_of_opposites(generator)
    opposites = {name: student.feature_dimensionality(opposites)}
    return opposites | {
        name: student.feature_dimensionality(weights) for name, weights in uneven_weights(UNEVEN, generator)
    }


@scenario
def shares_with_unlearned_features(student, generator):
    found = {}
    for name, weights in uneven_weights(ONE_BY_ONE, generator):
        weights[..., 1] = 0
        found[f"{name}, the second is 0"] = student.feature_dimensionality(weights)
    return {**found, "nothing learned": student.feature_dimensionality(torch.zeros(2, 3))}


def share_one_by_one(weights):
    """From the definition, one feature at a time."""
    if weights.dim() > 2:
        return torch.stack([share_one_by_one(one) for one in weights])
    columns, shares = weights.double().numpy().T, []
    for column in columns:
        length = math.hypot(*column)
        along = [float(column @ other) / length for other in columns] if length else []
        shares.append(length**2 / sum(each**2 for each in along) if length else 0.0)
    return torch.tensor(shares, dtype=torch.float64)


@exercise("06.feature_dimensionality", points=1)
def test_regular_shapes_share_their_dimensions_evenly(judge):
    judge(shares_of_regular_shapes).expect(
        lambda generator: {name: regular(name, generator)[1] for name in REGULAR}, atol=1e-5
    )


@exercise("06.feature_dimensionality", points=1)
def test_who_is_longer_has_the_larger_share(judge):
    def expected(generator):
        name, opposites = pair_of_opposites(generator)
        found = {name: share_one_by_one(opposites)}
        return found | {name: share_one_by_one(weights) for name, weights in uneven_weights(UNEVEN, generator)}

    judge(shares_of_uneven_features).expect(expected, atol=1e-5)


@exercise("06.feature_dimensionality", points=1)
def test_a_feature_that_is_not_learned_has_no_share(judge):
    def expected(generator):
        found = {}
        for name, weights in uneven_weights(ONE_BY_ONE, generator):
            weights[..., 1] = 0
            found[f"{name}, the second is 0"] = share_one_by_one(weights)
        return {**found, "nothing learned": torch.zeros(3)}

    judge(shares_with_unlearned_features).expect(expected, atol=1e-5)


# ---------------------------------------------------------------- units of several meanings

CLASSES = 5
STRONGEST = "three units, whose strongest four images are of the classes A A A A, A A B B and A B B C"


def a_few_images(generator):
    """Five images of three classes, as plain text and as tensors: one unit that speaks, and one that says nothing."""
    labels = torch.randperm(9, generator=generator)[:3][torch.tensor([0, 1, 0, 2, 1])]
    values = torch.stack([tenths((5,), generator, 0.0), torch.zeros(5)], dim=1)
    values[3, 0] = 0.1  # so that the strongest image is not all that its class has
    name = f"one unit has the values {row(values[:, 0])}, the other says nothing; classes {labels.tolist()}"
    return name, values, labels


def speaking_units(generator):
    """Forty images of classes of very unequal sizes, and six units: silent on most images, on all, on none."""
    labels = (9 * torch.rand(40, generator=generator) ** 2).long()
    values = torch.randn(40, 6, generator=generator).relu()
    values[:, 0] *= labels == labels[7]
    values[7, 0] = 1.0
    values[:, 1] = 0
    values[:, 2] += 1
    values[11, 3] += 30  # one picture outweighs all others
    values[:, 4] *= 0.001
    return values, labels


@scenario
def shares_of_a_few_images(student, generator):
    name, values, labels = a_few_images(generator)
    return {name: student.class_share(values, labels)}


@scenario
def shares_of_speaking_units(student, generator):
    return {"40 images, 6 units": student.class_share(*speaking_units(generator))}


def share_by_adding(values, labels):
    shares = []
    for unit in values.double().T.tolist():
        said = Counter()
        for value, label in zip(unit, labels.tolist(), strict=True):
            said[label] += value
        shares.append(max(said.values()) / said.total() if said.total() else 0.0)
    return torch.tensor(shares)


@exercise("06.class_share", points=1)
def test_a_few_images_added_up_by_hand(judge):
    def expected(generator):
        name, values, labels = a_few_images(generator)
        return {name: share_by_adding(values, labels)}

    judge(shares_of_a_few_images).expect(expected, atol=1e-5)


@exercise("06.class_share", points=1)
def test_the_largest_share_of_all_that_a_unit_says(judge):
    judge(shares_of_speaking_units).expect(
        lambda generator: {"40 images, 6 units": share_by_adding(*speaking_units(generator))}, atol=1e-5
    )


def small_units(generator):
    """Eight images and three units: the strongest four of each are a clear case, the others do not count."""
    classes = torch.randperm(3, generator=generator)
    labels = classes[torch.tensor([0, 0, 0, 0, 1, 1, 1, 2])]
    values = torch.rand(8, 3, generator=generator)
    values[:4, 0] += 2  # one class only
    values[[0, 1, 4, 5], 1] += 2  # two of one, two of another
    values[[0, 4, 5, 7], 2] += 2  # one, two, one
    order = torch.randperm(8, generator=generator)
    return values[order], labels[order], classes


def many_units(generator):
    """Thirty images of five classes, and seven units: two that like large labels or are below 0, five at random."""
    labels = torch.arange(30)[torch.randperm(30, generator=generator)] % CLASSES
    values = torch.randn(30, 7, generator=generator)
    values[:, 0] += labels
    values[:, 1] -= 5  # strongest where it is least below 0
    return values, labels


def counted(values, labels, count):
    """For each unit, how often each class is among its strongest images."""
    labels = labels.tolist()
    strongest = [sorted(range(len(values)), key=lambda image: -unit[image])[:count] for unit in values.T.tolist()]
    return [Counter(labels[image] for image in images) for images in strongest]


def no_relatives(classes):
    """Two classes are unrelated if they are not the same."""
    return ~torch.eye(classes, dtype=torch.bool)


def some_relations(values, labels, generator):
    """Classes of two kinds, in random order; but one class is related to all, and one unit likes that one best."""
    kinds = torch.tensor([True, True, True, False, False])[torch.randperm(CLASSES, generator=generator)]
    unrelated, everywhere = kinds[:, None] ^ kinds[None, :], int(labels.bincount().argmax())
    unrelated[everywhere], unrelated[:, everywhere] = False, False
    values[:, 5] += 4 * (labels == everywhere)
    return values, labels, unrelated


@scenario
def meanings_of_small_units(student, generator):
    values, labels, classes = small_units(generator)
    relatives = no_relatives(3)
    relatives[classes[0], classes[1]] = relatives[classes[1], classes[0]] = False
    return {
        f"{STRONGEST}; all unrelated": student.polysemanticity(values, labels, no_relatives(3), 4),
        f"{STRONGEST}; A and B related": student.polysemanticity(values, labels, relatives, 4),
    }


@scenario
def meanings_of_many_units(student, generator):
    values, labels, unrelated = some_relations(*many_units(generator), generator)
    return {
        "30 images, the default count": student.polysemanticity(values, labels, unrelated),
        "30 images, count=9": student.polysemanticity(values, labels, unrelated, count=9),
        "30 images, nothing is unrelated": student.polysemanticity(values, labels, torch.zeros_like(unrelated)),
    }


def meanings_by_counting(values, labels, unrelated, count):
    pairs = [tuple(pair) for pair in unrelated.nonzero().tolist()]
    return torch.tensor(
        [
            max((min(classes[first], classes[second]) for first, second in pairs), default=0)
            for classes in counted(values, labels, count)
        ]
    )


@exercise("06.polysemanticity", points=1)
def test_two_unrelated_classes_both_often(judge):
    expected = {
        f"{STRONGEST}; all unrelated": torch.tensor([0, 2, 1]),
        f"{STRONGEST}; A and B related": torch.tensor([0, 0, 1]),
    }
    judge(meanings_of_small_units).expect(expected, atol=0)


@exercise("06.polysemanticity", points=2)
def test_the_best_of_all_unrelated_pairs(judge):
    def expected(generator):
        values, labels, unrelated = some_relations(*many_units(generator), generator)
        return {
            "30 images, the default count": meanings_by_counting(values, labels, unrelated, 20),
            "30 images, count=9": meanings_by_counting(values, labels, unrelated, 9),
            "30 images, nothing is unrelated": torch.zeros(7),
        }

    judge(meanings_of_many_units).expect(expected, atol=0)


# ---------------------------------------------------------------- sparse autoencoders


def autoencoder_drawn(channels, features, active, generator):
    """An autoencoder all of whose numbers, the biases too, come from the generator."""
    autoencoder = SparseAutoencoder(channels, features, active, generator=generator)
    with torch.no_grad():
        for name in ("encoder", "decoder", "encoder_bias", "decoder_bias"):
            parameter = getattr(autoencoder, name)
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return autoencoder


def parts(autoencoder):
    """Its numbers, for NumPy."""
    names = ("encoder", "decoder", "encoder_bias", "decoder_bias")
    return tuple(getattr(autoencoder, name).detach().double().numpy() for name in names)


def by_hand(generator):
    """One that can be worked out by hand, an activation, and both in words."""
    autoencoder, activation = autoencoder_drawn(2, 3, None, generator), tenths((2,), generator, 0.0)
    with torch.no_grad():
        for name in ("encoder", "decoder", "encoder_bias", "decoder_bias"):
            parameter = getattr(autoencoder, name)
            parameter.copy_(tenths(parameter.shape, generator))
    return autoencoder, activation


def in_words(autoencoder, activation, *names):
    numbers = [f"{name} {row(getattr(autoencoder, name))}" for name in names]
    return f"activation {row(activation)}, {', '.join(numbers)}"


WHOLE = {"5 rows": (5, 4), "a single row": (4,), "2 × 3 rows": (2, 3, 4)}
SPARSE = {"5 rows, 2 active": ((5, 4), 2), "2 × 3 rows, 3 active": ((2, 3, 4), 3), "a single row, 1 active": ((4,), 1)}


def dense_cases(generator):
    """Activations of both signs: as many channels as features at last, and as many rows as features."""
    for name, shape in WHOLE.items():
        autoencoder = autoencoder_drawn(4, 5, None, generator)
        yield name, torch.randn(shape, generator=generator), autoencoder
    yield "4 rows, 4 features", torch.randn(4, 4, generator=generator), autoencoder_drawn(4, 4, None, generator)


def sparse_cases(generator):
    """Rows with many features above 0, and rows with fewer than may stay."""
    for name, (shape, active) in SPARSE.items():
        autoencoder = autoencoder_drawn(4, 7, active, generator)
        yield name, torch.randn(shape, generator=generator), autoencoder
    autoencoder = autoencoder_drawn(4, 7, 3, generator)
    with torch.no_grad():
        autoencoder.encoder_bias -= 4
    yield "6 rows, 3 active, hardly any feature above 0", torch.randn(6, 4, generator=generator), autoencoder
    autoencoder = autoencoder_drawn(4, 7, 7, generator)
    yield "6 rows, as many active as there are features", torch.randn(6, 4, generator=generator), autoencoder


@scenario
def codes_of_a_dense_autoencoder(student, generator):
    autoencoder, activation = by_hand(generator)
    name = in_words(autoencoder, activation, "encoder", "encoder_bias", "decoder_bias")
    found = {name: student.sae_encode(activation, autoencoder).detach()}
    cases = dense_cases(generator)
    return found | {name: student.sae_encode(given, autoencoder).detach() for name, given, autoencoder in cases}


@scenario
def codes_of_a_sparse_autoencoder(student, generator):
    cases = sparse_cases(generator)
    return {name: student.sae_encode(given, autoencoder).detach() for name, given, autoencoder in cases}


@scenario
def slopes_of_codes(student, generator):
    """Two features are active: the encoder learns through these, and only these."""
    autoencoder, activation = autoencoder_drawn(3, 6, 2, generator), torch.randn(3, generator=generator)
    with torch.no_grad():
        autoencoder.encoder_bias += 3
    student.sae_encode(activation, autoencoder).sum().backward()
    return {"how the sum of the codes changes with encoder_bias": autoencoder.encoder_bias.grad}


def codes_by_sorting(activations, autoencoder):
    """One row at a time, feature after feature, the strongest first."""
    encoder, _, encoder_bias, decoder_bias = parts(autoencoder)
    rows = []
    for activation in activations.reshape(-1, activations.shape[-1]).double().numpy():
        strength = (activation - decoder_bias) @ encoder + encoder_bias
        stays = np.argsort(-strength)[: autoencoder.active]
        code = np.zeros(len(strength))
        code[stays] = np.maximum(strength[stays], 0)
        rows.append(code)
    return torch.from_numpy(np.stack(rows)).reshape(*activations.shape[:-1], -1)


@exercise("06.sae_encode", points=1)
def test_what_the_encoder_reads_rectified(judge):
    def expected(generator):
        autoencoder, activation = by_hand(generator)
        name = in_words(autoencoder, activation, "encoder", "encoder_bias", "decoder_bias")
        found = {name: codes_by_sorting(activation, autoencoder)}
        return found | {name: codes_by_sorting(*given) for name, *given in dense_cases(generator)}

    judge(codes_of_a_dense_autoencoder).expect(expected, atol=1e-4)  # sums of a few products of size 1, in float32


@exercise("06.sae_encode", points=2)
def test_only_the_strongest_of_each_row_stay(judge):
    judge(codes_of_a_sparse_autoencoder).expect(
        lambda generator: {name: codes_by_sorting(*given) for name, *given in sparse_cases(generator)}, atol=1e-4
    )

    def active(generator):
        autoencoder, activation = autoencoder_drawn(3, 6, 2, generator), torch.randn(3, generator=generator)
        with torch.no_grad():
            autoencoder.encoder_bias += 3
        return {"how the sum of the codes changes with encoder_bias": codes_by_sorting(activation, autoencoder) > 0}

    judge(slopes_of_codes).expect(active, atol=1e-6)


def codes_drawn(generator):
    """Codes, none below 0, many 0: as many rows as channels, and then as many features."""
    for name, shape, channels in (("4 rows", (4, 6), 4), ("2 × 3 rows", (2, 3, 5), 4), ("5 rows", (5, 5), 5)):
        codes = torch.randn(shape, generator=generator).relu()
        yield (
            f"{name}, {shape[-1]} features, {channels} channels",
            codes,
            autoencoder_drawn(channels, shape[-1], 2, generator),
        )


@scenario
def activations_made_of_codes(student, generator):
    cases = codes_drawn(generator)
    return {name: student.sae_decode(codes, autoencoder).detach() for name, codes, autoencoder in cases}


@scenario
def what_a_single_feature_writes(student, generator):
    autoencoder, _ = by_hand(generator)
    name = in_words(autoencoder, [0, 2, 0], "decoder", "decoder_bias").replace("activation", "codes")
    return {name: student.sae_decode(torch.tensor([0.0, 2.0, 0.0]), autoencoder).detach()}


def decoded_row_by_row(codes, autoencoder):
    _, decoder, _, decoder_bias = parts(autoencoder)
    made = [
        decoder_bias + sum(code * direction for code, direction in zip(row_of_codes, decoder, strict=True))
        for row_of_codes in codes.reshape(-1, codes.shape[-1]).double().numpy()
    ]
    return torch.from_numpy(np.stack(made)).reshape(*codes.shape[:-1], -1)


@exercise("06.sae_decode", points=1)
def test_each_feature_adds_its_direction(judge):
    def expected(generator):
        autoencoder, _ = by_hand(generator)
        name = in_words(autoencoder, [0, 2, 0], "decoder", "decoder_bias").replace("activation", "codes")
        return {name: (2 * autoencoder.decoder[1] + autoencoder.decoder_bias).detach()}

    judge(what_a_single_feature_writes).expect(expected, atol=1e-5)
    judge(activations_made_of_codes).expect(
        lambda generator: {name: decoded_row_by_row(*given) for name, *given in codes_drawn(generator)}, atol=1e-4
    )


PENALTIES = {"the default penalty": {}, "penalty 0.5": {"penalty": 0.5}, "penalty 3": {"penalty": 3.0}}


def errors_of_an_autoencoder(generator):
    """Activations, what came back, and codes: of one row, which stands in the name, and of as many rows as channels."""
    for rows, channels, features in ((1, 2, 3), (4, 4, 6), (5, 3, 2)):
        activations, back = (tenths((rows, channels), generator) for _ in range(2))
        back = torch.where(back == activations, back + 0.4, back)
        codes = tenths((rows, features), generator, 0.0) * (torch.arange(features) != rows % features)
        name = f"{rows} rows of {channels} channels and {features} features"
        if rows == 1:
            name = f"activations {row(activations[0])}, back came {row(back[0])}, codes {row(codes[0])}"
        for asked, penalty in PENALTIES.items():
            yield f"{name}, {asked}", (activations, back, codes), penalty


@scenario
def losses_of_autoencoders(student, generator):
    cases = errors_of_an_autoencoder(generator)
    return {name: student.sae_loss(*given, **penalty) for name, given, penalty in cases}


@scenario
def slopes_of_the_loss(student, generator):
    _, (activations, back, codes), _ = list(errors_of_an_autoencoder(generator))[-1]
    back, codes = back.requires_grad_(True), (codes + 0.1).requires_grad_(True)
    student.sae_loss(activations, back, codes, 3.0).backward()
    return {"with what came back": back.grad, "with the codes": codes.grad}


def loss_row_by_row(activations, back, codes, penalty=0.0):
    rows = zip(activations.tolist(), back.tolist(), codes.tolist(), strict=True)
    losses = [math.dist(was, came) ** 2 + penalty * math.fsum(code) for was, came, code in rows]
    return math.fsum(losses) / len(losses)


@exercise("06.sae_loss", points=1)
def test_squared_length_of_the_error_and_sum_of_the_codes(judge):
    def expected(generator):
        cases = errors_of_an_autoencoder(generator)
        return {name: loss_row_by_row(*given, **penalty) for name, given, penalty in cases}

    judge(losses_of_autoencoders).expect(expected, atol=1e-4)  # numbers up to 20, in float32


@exercise("06.sae_loss", points=1)
def test_both_halves_can_be_learned_from(judge):
    def expected(generator):
        _, (activations, back, codes), _ = list(errors_of_an_autoencoder(generator))[-1]
        rows = len(activations)
        return {
            "with what came back": 2 * (back - activations) / rows,
            "with the codes": torch.full_like(codes, 3 / rows),
        }

    judge(slopes_of_the_loss).expect(expected, atol=1e-5)


# ---------------------------------------------------------------- directions of length 1

LENGTHS = torch.tensor([0.2, 1.0, 3.0, 0.5])


def autoencoder_with_lengths(active, generator, lengths=LENGTHS):
    """As many channels as features, so that nobody is told by an error that rows and columns were exchanged."""
    autoencoder = autoencoder_drawn(4, 4, active, generator)
    with torch.no_grad():
        directions = autoencoder.decoder / autoencoder.decoder.norm(dim=1, keepdim=True)
        autoencoder.decoder.copy_(lengths[torch.randperm(4, generator=generator), None] * directions)
    return autoencoder


@scenario
def normalized_decoders(student, generator):
    found = {}
    for name, active in (("all features may be active", None), ("2 may be active", 2)):
        autoencoder = autoencoder_with_lengths(active, generator)
        before = [id(parameter) for parameter in autoencoder.parameters()]
        student.normalize_decoder(autoencoder)
        found[f"{name}: the decoder"] = autoencoder.decoder.detach()
        found[f"{name}: the lengths of its rows"] = autoencoder.decoder.detach().norm(dim=1)
        after = [id(parameter) for parameter in autoencoder.parameters()]
        learnable = all(parameter.requires_grad and parameter.is_leaf for parameter in autoencoder.parameters())
        found[f"{name}: the parameters are the same objects, and can learn"] = before == after and learnable
    return found


@scenario
def autoencoders_that_do_the_same(student, generator):
    autoencoder = autoencoder_with_lengths(None, generator)
    activations = torch.randn(6, 4, generator=generator)
    student.normalize_decoder(autoencoder)
    return {
        "what comes back, afterwards": answered_by(autoencoder, activations),
        "the encoder, afterwards": autoencoder.encoder.detach(),
        "encoder_bias, afterwards": autoencoder.encoder_bias.detach(),
        "decoder_bias, afterwards": autoencoder.decoder_bias.detach(),
    }


@scenario
def decoders_with_a_row_of_zeros(student, generator):
    autoencoder = autoencoder_with_lengths(None, generator, torch.tensor([0.0, 0.4, 2.0, 1.0]))
    activations = torch.randn(6, 4, generator=generator)
    student.normalize_decoder(autoencoder)
    return {
        "the lengths of the rows, sorted": autoencoder.decoder.detach().norm(dim=1).sort().values,
        "what comes back, afterwards": answered_by(autoencoder, activations),
    }


def answered_by(autoencoder, activations):
    """What comes back of activations, without the student's or the library's functions."""
    encoder, decoder, encoder_bias, decoder_bias = parts(autoencoder)
    codes = np.maximum((activations.double().numpy() - decoder_bias) @ encoder + encoder_bias, 0)
    return torch.from_numpy(codes @ decoder + decoder_bias)


@exercise("06.normalize_decoder", points=1)
def test_each_direction_has_length_1_in_the_same_parameters(judge):
    def expected(generator):
        found = {}
        for name, active in (("all features may be active", None), ("2 may be active", 2)):
            decoder = parts(autoencoder_with_lengths(active, generator))[1]
            found[f"{name}: the decoder"] = torch.from_numpy(decoder / np.linalg.norm(decoder, axis=1, keepdims=True))
            found[f"{name}: the lengths of its rows"] = torch.ones(4)
            found[f"{name}: the parameters are the same objects, and can learn"] = True
        return found

    judge(normalized_decoders).expect(expected, atol=1e-5)


@exercise("06.normalize_decoder", points=1)
def test_the_encoder_makes_up_for_it(judge):
    def same(generator):
        autoencoder = autoencoder_with_lengths(None, generator)
        activations = torch.randn(6, 4, generator=generator)
        encoder, decoder, encoder_bias, decoder_bias = parts(autoencoder)
        lengths = np.linalg.norm(decoder, axis=1)
        return {
            "what comes back, afterwards": answered_by(autoencoder, activations),
            "the encoder, afterwards": torch.from_numpy(encoder * lengths),
            "encoder_bias, afterwards": torch.from_numpy(encoder_bias * lengths),
            "decoder_bias, afterwards": torch.from_numpy(decoder_bias),
        }

    judge(autoencoders_that_do_the_same).expect(same, atol=1e-4)

    def same_without(generator):
        autoencoder = autoencoder_with_lengths(None, generator, torch.tensor([0.0, 0.4, 2.0, 1.0]))
        activations = torch.randn(6, 4, generator=generator)
        return {
            "the lengths of the rows, sorted": torch.tensor([0.0, 1.0, 1.0, 1.0]),
            "what comes back, afterwards": answered_by(autoencoder, activations),
        }

    judge(decoders_with_a_row_of_zeros).expect(same_without, atol=1e-4)


# ---------------------------------------------------------------- dead features


def codes_with_dead_features(generator):
    """Some features never fire; one fires in a single row; one fires weakly."""
    codes = 0.5 + torch.rand(6, 4, generator=generator)
    codes[:, 1] = 0
    codes[:, 2] *= torch.arange(6) == 4
    codes[:, 3] *= 1e-6
    yield "6 rows; the second feature is always 0, the third is above 0 once, the last hardly ever by much", codes
    codes = torch.rand(3, 5, 5, 4, generator=generator).relu() * (torch.rand(3, 5, 5, 4, generator=generator) < 0.1)
    codes[..., 0] = 0
    codes[1, 2, 3, 1:] = 1.0
    yield "3 × 5 × 5 rows; the first feature is always 0", codes
    yield "a single row: 0, 0.7, 0", torch.tensor([[0.0, 0.7, 0.0]])


@scenario
def features_that_never_fire(student, generator):
    return {name: student.dead_features(codes) for name, codes in codes_with_dead_features(generator)}


@exercise("06.dead_features", points=1)
def test_never_above_0(judge):
    def expected(generator):
        dead = ([False, True, False, False], [True, False, False, False], [True, False, True])
        names = [name for name, _ in codes_with_dead_features(generator)]
        return {name: torch.tensor(each) for name, each in zip(names, dead, strict=True)}

    judge(features_that_never_fire).expect(expected, atol=0)


# ---------------------------------------------------------------- found, or not


def directions_with_known_answers(generator):
    """Features, what was found, and the answer that follows without any arithmetic."""
    features = torch.linalg.qr(torch.randn(4, 4, generator=generator))[0]
    lengths = 0.3 + 2 * torch.rand(4, 1, generator=generator)
    found = (lengths * features)[torch.randperm(4, generator=generator)]
    yield "the features themselves, in another order and of other lengths", found, features, 1.0
    yield "half of four orthogonal features, each twice", (lengths * features)[[0, 0, 1, 1]], features, 0.5
    yield (
        "the features and ten random directions",
        torch.cat([found, torch.randn(10, 4, generator=generator)]),
        features,
        1.0,
    )
    yield "one direction, opposite to the only feature", -2 * features[:1], features[:1], -1.0
    yield "the opposites of four orthogonal features", -found, features, 0.0


@scenario
def known_directions(student, generator):
    cases = directions_with_known_answers(generator)
    return {name: student.mean_max_cosine(found, features) for name, found, features, _ in cases}


def directions_drawn(generator):
    for count in (3, 4, 9):
        found, features = (torch.randn(size, 3, generator=generator) for size in (count, 4))
        features *= 0.3 + 2 * torch.rand(4, 1, generator=generator)
        yield f"{count} random directions, 4 random features", found, features


@scenario
def random_directions(student, generator):
    return {name: student.mean_max_cosine(*given) for name, *given in directions_drawn(generator)}


def best_by_scipy(found, features):
    return float((1 - cdist(features.double().numpy(), found.double().numpy(), "cosine")).max(axis=1).mean())


@exercise("06.mean_max_cosine", points=1)
def test_known_answers(judge):
    judge(known_directions).expect(
        lambda generator: {name: answer for name, _, _, answer in directions_with_known_answers(generator)}, atol=1e-5
    )


@exercise("06.mean_max_cosine", points=1)
def test_the_best_for_each_feature(judge):
    judge(random_directions).expect(
        lambda generator: {name: best_by_scipy(*given) for name, *given in directions_drawn(generator)}, atol=1e-5
    )


# ---------------------------------------------------------------- turned up


def pushes(generator):
    """A direction, an amount and activations: as many rows and columns as channels, so that no axis goes unnoticed."""
    for name, shape, amount in (
        ("one place, by 2", (1, 2, 1, 1), 2.0),
        ("2 images, 4 channels, 4 × 4 places, by 3", (2, 4, 4, 4), 3.0),
        ("3 images, 3 channels, 3 × 3 places, by -1.5", (3, 3, 3, 3), -1.5),
        ("2 images, 4 channels, 2 × 3 places, by 0", (2, 4, 2, 3), 0.0),
    ):
        direction, activations = tenths((shape[1],), generator, -2.0, 2.0), torch.randn(shape, generator=generator)
        if shape[2] == 1:
            activations = tenths(shape, generator)
            name = f"activations {row(activations.flatten())}, direction {row(direction)}, amount {amount:g}"
        yield name, direction, amount, activations


@scenario
def activations_pushed(student, generator):
    found = {}
    for name, direction, amount, activations in pushes(generator):
        before = activations.clone()
        change = student.turn_up(direction, amount)
        found[name] = change(activations)
        found[f"{name}: the activations that were handed in stay as they were"] = torch.equal(activations, before)
    return found


@scenario
def pushed_in_a_network(student, generator):
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    direction, images = torch.randn(4, generator=generator), torch.rand(2, 3, 5, 5, generator=generator)
    with torch.no_grad(), edit(model, {"1": student.turn_up(direction, 2.5)}):
        return {"a layer of the network pushed by 2.5, its output": model(images)}


@exercise("06.turn_up", points=1)
def test_adds_so_much_of_the_direction_everywhere(judge):
    def expected(generator):
        found = {}
        for name, direction, amount, activations in pushes(generator):
            length = math.hypot(*direction.tolist())
            pushed = np.stack(
                [
                    plane + amount * float(part) / length
                    for plane, part in zip(activations.double().numpy().swapaxes(0, 1), direction, strict=True)
                ],
                axis=1,
            )
            found[name] = torch.from_numpy(pushed)
            found[f"{name}: the activations that were handed in stay as they were"] = True
        return found

    judge(activations_pushed).expect(expected, atol=1e-5)


@exercise("06.turn_up", points=1)
def test_it_is_an_edit_of_a_network(judge):
    judge(pushed_in_a_network).close(atol=1e-4)  # sums of 36 products of size 1


# ---------------------------------------------------------------- questions

test_q_together = question(
    "06.q_together",
    points=1,
    answer="b",
    wrong={
        "a": "That trick lives on meetings being rare. Now whenever one is present the other is, too, and in opposite "
        "directions they cancel: 0.6 and 0.5 leave 0.1 for both.",
        "c": "They come together, but each with a strength of its own. One number can say that they are there, and "
        "about how strongly; it cannot say both strengths.",
        "d": "What is rare adds little to the loss, but nothing else is to be learned, so even that little is made "
        "smaller. The networks above learned features that are just as rare.",
    },
)

test_q_share = question(
    "06.q_share",
    points=1,
    answer="c",
    wrong={
        "a": "Both can be right: one looks at the strongest twenty of a thousand photographs, the other at all. A unit "
        "can shout at ships and murmur at everything.",
        "b": "With two meanings, all that it says would go to a few classes, each with a large share. If the best of "
        "ten gets 0.14, the others get nearly as much.",
        "d": "If it were silent but for its strongest twenty, all that it says would go to ships, and the share would "
        "be 1. A small share needs many photographs at which it says something.",
    },
)

test_q_many = question(
    "06.q_many",
    points=1,
    answer="b",
    wrong={
        "a": "How good 0.99 is depends on what chance reaches. With 10,000 tries in three dimensions, random "
        "directions reach that, too.",
        "c": "A large dictionary may have dead entries or not; this number does not look at codes at all. Ask what as "
        "many random directions would reach.",
        "d": "The number says how near each feature some direction lies, not how features lie to one another. Three "
        "features in three channels may have any angles.",
    },
)

test_q_largest = question(
    "06.q_largest",
    points=1,
    answer="b",
    wrong={
        "a": "Class share also rises when something keeps only its largest numbers, whatever its directions are: units "
        "did that in the table. And a dictionary is for writing activations, too; how well, was not asked.",
        "c": "It may be enough for what mini needs, or not. That is a number: put its reconstruction into the place of "
        "the layer, and count.",
        "d": "They can be compared, if each is held against units and random directions that keep as few as it does.",
    },
)
