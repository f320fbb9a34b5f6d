"""Wrong answers to lesson 06 that students give, each with the sentence that helps."""

import torch
import torch.nn.functional as F

from innervision.classroom.exercises import misconception

# ---------------------------------------------------------------- sample_features


def shape_of(probabilities, batch, features):
    return len(probabilities), batch, features


@misconception(
    "06.sample_features",
    "One random number decided whether a feature is present and how strong it is, so a rare feature is always weak. "
    "Draw two: one for its presence, one for its strength.",
)
def uses_one_number_twice(probabilities, batch, features, generator):
    drawn = torch.rand(shape_of(probabilities, batch, features), generator=generator)
    return torch.where(drawn < probabilities[:, None, None], drawn, 0)


@misconception(
    "06.sample_features",
    "One draw decided for all features of an example together. Each feature is there or not by itself: draw numbers of "
    "shape (models, batch, features).",
)
def lets_all_features_come_together(probabilities, batch, features, generator):
    shape = shape_of(probabilities, batch, features)
    present = torch.rand(*shape[:2], 1, generator=generator) < probabilities[:, None, None]
    return torch.where(present, torch.rand(shape, generator=generator), 0)


@misconception(
    "06.sample_features",
    "One draw decided for all examples of a model together. A feature comes and goes from example to example: draw "
    "numbers of shape (models, batch, features).",
)
def lets_all_examples_agree(probabilities, batch, features, generator):
    shape = shape_of(probabilities, batch, features)
    present = torch.rand(shape[0], 1, features, generator=generator) < probabilities[:, None, None]
    return torch.where(present, torch.rand(shape, generator=generator), 0)


@misconception(
    "06.sample_features",
    "The probability was taken as that of being absent. A feature is present where a uniform number is *below* its "
    "probability.",
)
def takes_it_as_the_chance_to_be_absent(probabilities, batch, features, generator):
    shape = shape_of(probabilities, batch, features)
    present = torch.rand(shape, generator=generator) >= probabilities[:, None, None]
    return torch.where(present, torch.rand(shape, generator=generator), 0)


@misconception(
    "06.sample_features",
    "Present features are all 1. How strong a present feature is, is a second draw, uniform in [0, 1).",
)
def makes_present_features_1(probabilities, batch, features, generator):
    shape = shape_of(probabilities, batch, features)
    present = torch.rand(shape, generator=generator) < probabilities[:, None, None]
    return 0.999999 * present.float()


@misconception(
    "06.sample_features",
    "Features were made weaker where they should be rarer. Sparse means that most are exactly 0; those that are "
    "present are as strong as ever.",
)
def makes_features_weaker(probabilities, batch, features, generator):
    drawn = torch.rand(shape_of(probabilities, batch, features), generator=generator)
    return drawn * probabilities[:, None, None]


@misconception(
    "06.sample_features",
    "The strengths come from a normal distribution. They are uniform in [0, 1): `torch.rand`, without an n.",
)
def draws_normal_strengths(probabilities, batch, features, generator):
    shape = shape_of(probabilities, batch, features)
    present = torch.rand(shape, generator=generator) < probabilities[:, None, None]
    return torch.where(present, torch.randn(shape, generator=generator), 0)


@misconception(
    "06.sample_features",
    "The normal distribution decided who is present. `torch.rand` is uniform: only its numbers are below p with "
    "probability p.",
)
def decides_with_normal_numbers(probabilities, batch, features, generator):
    shape = shape_of(probabilities, batch, features)
    present = torch.randn(shape, generator=generator) < probabilities[:, None, None]
    return torch.where(present, torch.rand(shape, generator=generator), 0)


@misconception(
    "06.sample_features",
    "The probabilities were laid along the features: torch lines axes up from the right. They belong to the models, "
    "the first axis: `probabilities[:, None, None]`.",
)
def lays_probabilities_along_the_features(probabilities, batch, features, generator):
    shape = shape_of(probabilities, batch, features)
    present = torch.rand(shape, generator=generator) < probabilities
    return torch.where(present, torch.rand(shape, generator=generator), 0)


@misconception(
    "06.sample_features",
    "All models got the same features. Each model has draws of its own: numbers of shape (models, batch, features).",
)
def gives_all_models_the_same(probabilities, batch, features, generator):
    uniform = torch.rand(batch, features, generator=generator)
    present = uniform < probabilities[:, None, None]
    return torch.where(present, torch.rand(batch, features, generator=generator), 0)


@misconception(
    "06.sample_features",
    "The generator was not used, so nobody can repeat the draw. Hand it on: `torch.rand(…, generator=generator)`.",
)
def leaves_the_generator_out(probabilities, batch, features, generator):
    shape = shape_of(probabilities, batch, features)
    present = torch.rand(shape) < probabilities[:, None, None]
    return torch.where(present, torch.rand(shape), 0)


# ---------------------------------------------------------------- toy_forward


def there_and_back(features, weights):
    """W^T W x."""
    return features @ weights.transpose(1, 2) @ weights


@misconception("06.toy_forward", "The rectifier was left out: what is below 0 in the end becomes 0.")
def forgets_the_rectifier(features, weights, biases):
    return there_and_back(features, weights) + biases[:, None]


@misconception("06.toy_forward", "The biases were left out. They are added at the end, right before the rectifier.")
def forgets_the_biases(features, weights, biases):
    return there_and_back(features, weights).relu()


@misconception(
    "06.toy_forward",
    "The biases were added behind the rectifier. They come before it: a bias below 0 can then silence what interferes.",
)
def adds_biases_behind_the_rectifier(features, weights, biases):
    return there_and_back(features, weights).relu() + biases[:, None]


@misconception("06.toy_forward", "The biases were subtracted. They are added.")
def subtracts_the_biases(features, weights, biases):
    return (there_and_back(features, weights) - biases[:, None]).relu()


@misconception(
    "06.toy_forward",
    "The hidden numbers were rectified, too. They are W x and may have both signs; the only rectifier is at the end.",
)
def rectifies_the_hidden_numbers(features, weights, biases):
    hidden = (features @ weights.transpose(1, 2)).relu()
    return (hidden @ weights + biases[:, None]).relu()


@misconception(
    "06.toy_forward",
    "The hidden numbers came back. They still have to go back through the same weights: W^T W x.",
)
def stops_half_way(features, weights, biases):
    return (features @ weights.transpose(1, 2)).relu()


@misconception(
    "06.toy_forward",
    "The weights were used the wrong way round: W W^T x in place of W^T W x. Hidden numbers are a sum over *features*, "
    "outputs a sum over *hidden* numbers.",
)
def uses_the_weights_the_wrong_way_round(features, weights, biases):
    hidden = torch.einsum("mfh,mbf->mbh", weights, features)
    return (torch.einsum("mfh,mbh->mbf", weights, hidden) + biases[:, None]).relu()


@misconception(
    "06.toy_forward",
    "The weights were used twice in the same direction: W W x. The way back goes through the transpose: W^T W x.",
)
def goes_the_same_way_twice(features, weights, biases):
    return (features @ weights.transpose(1, 2) @ weights.transpose(1, 2) + biases[:, None]).relu()


@misconception(
    "06.toy_forward",
    "The biases were laid along the examples: torch lines axes up from the right, and the examples stand between "
    "models and features. `biases[:, None]` puts an axis in.",
)
def lays_biases_along_the_examples(features, weights, biases):
    return (there_and_back(features, weights) + biases).relu()


@misconception(
    "06.toy_forward",
    "All models got the weights of the first. Each has its own: give the axis of the models a letter in `einsum`, or "
    "multiply in batches with `@`.",
)
def uses_the_first_models_weights(features, weights, biases):
    return (there_and_back(features, weights[:1]) + biases[:, None]).relu()


@misconception(
    "06.toy_forward",
    "The weights of all models were added up: in `einsum` the axis of the models needs the same letter in both inputs "
    "and in the output.",
)
def adds_the_models_up(features, weights, biases):
    hidden = torch.einsum("khf,mbf->mbh", weights, features)
    return (torch.einsum("khf,mbh->mbf", weights, hidden) + biases[:, None]).relu()


# ---------------------------------------------------------------- toy_loss


@misconception(
    "06.toy_loss",
    "The features were averaged. They are added up, each with its importance; only examples are averaged.",
)
def averages_features(features, outputs, importance):
    return (importance * (features - outputs).square()).mean(dim=(1, 2))


@misconception(
    "06.toy_loss",
    "The examples were added up. They are averaged, so that the loss does not grow with the batch.",
)
def adds_examples_up(features, outputs, importance):
    return (importance * (features - outputs).square()).sum(dim=(1, 2))


@misconception(
    "06.toy_loss",
    "The importance was squared along with the error. Square the error first, then multiply.",
)
def squares_the_importance(features, outputs, importance):
    return (importance * (features - outputs)).square().sum(dim=2).mean(dim=1)


@misconception("06.toy_loss", "The importance was not used: multiply each feature's squared error by it.")
def ignores_the_importance(features, outputs, importance):
    return (features - outputs).square().sum(dim=2).mean(dim=1)


@misconception(
    "06.toy_loss",
    "The sum was divided by the sum of the importance. It is a plain sum over the features, not a weighted mean.",
)
def divides_by_the_importance(features, outputs, importance):
    return (importance * (features - outputs).square()).sum(dim=2).mean(dim=1) / importance.sum()


@misconception(
    "06.toy_loss",
    "The size of the error was taken. Square it: a large error counts for more than several small ones.",
)
def takes_the_size_of_the_error(features, outputs, importance):
    return (importance * (features - outputs).abs()).sum(dim=2).mean(dim=1)


@misconception("06.toy_loss", "A root was taken at the end. The loss is the squared error itself.")
def takes_the_root(features, outputs, importance):
    return (importance * (features - outputs).square()).sum(dim=2).mean(dim=1).sqrt()


@misconception(
    "06.toy_loss",
    "One number came back for all models. Each model learns for itself and needs its own: average over the examples "
    "(axis 1) and leave the models (axis 0).",
)
def averages_the_models(features, outputs, importance):
    return (importance * (features - outputs).square()).sum(dim=2).mean()


@misconception(
    "06.toy_loss",
    "One number came back for all models, the sum of theirs. Each model needs its own: leave axis 0.",
)
def adds_the_losses_up(features, outputs, importance):
    return (importance * (features - outputs).square()).sum(dim=2).mean(dim=1).sum()


@misconception("06.toy_loss", "Each example has a number of its own; the mean over the examples (axis 1) is missing.")
def leaves_the_examples(features, outputs, importance):
    return (importance * (features - outputs).square()).sum(dim=2)


@misconception(
    "06.toy_loss",
    "The loss does not know any more what it was computed from, so nothing can be learned from it: leave `.item()`, "
    "`.detach()` and `no_grad` out.",
)
def cuts_the_gradient_off(features, outputs, importance):
    return (importance * (features - outputs).square()).sum(dim=2).mean(dim=1).detach()


# ---------------------------------------------------------------- feature_dimensionality


def dimensionality(weights, own, along):
    """The quotient, with 0 where it is not defined; right if both halves are."""
    return torch.where(along > 0, own / along.clamp(min=1e-30), 0)


@misconception(
    "06.feature_dimensionality",
    "W_i was not brought to length 1 in the denominator. There it is only a direction: `F.normalize(weights, dim=-2)`.",
)
def keeps_its_length_below(weights):
    along = (weights.transpose(-1, -2) @ weights).square().sum(dim=-1)
    return dimensionality(weights, weights.square().sum(dim=-2), along)


@misconception(
    "06.feature_dimensionality",
    "Both vectors in the denominator were brought to length 1. Only W_i is a direction there; the others keep their "
    "length, for a long neighbour takes more room.",
)
def normalizes_the_neighbours_too(weights):
    directions = F.normalize(weights, dim=-2)
    along = (directions.transpose(-1, -2) @ directions).square().sum(dim=-1)
    return dimensionality(weights, weights.square().sum(dim=-2), along)


@misconception(
    "06.feature_dimensionality",
    "The lengths of the neighbours do not matter in this result: all were brought to length 1, or the wrong one of the "
    "two, or the sum runs over i. Only W_i is a direction; the W_j keep their length, and the sum runs over j.",
)
def normalizes_everything(weights):
    directions = F.normalize(weights, dim=-2)
    along = (directions.transpose(-1, -2) @ directions).square().sum(dim=-1)
    return dimensionality(weights, directions.square().sum(dim=-2), along)


@misconception("06.feature_dimensionality", "The length above was not squared: it is |W_i| · |W_i|.")
def takes_the_plain_length_above(weights):
    along = (F.normalize(weights, dim=-2).transpose(-1, -2) @ weights).square().sum(dim=-1)
    return dimensionality(weights, weights.norm(dim=-2), along)


@misconception(
    "06.feature_dimensionality",
    "The feature itself was left out of the sum. It belongs there: alone it then gets 1, a whole dimension.",
)
def leaves_itself_out(weights):
    overlaps = (F.normalize(weights, dim=-2).transpose(-1, -2) @ weights).square()
    own = torch.diagonal(overlaps, dim1=-2, dim2=-1)
    return dimensionality(weights, weights.square().sum(dim=-2), overlaps.sum(dim=-1) - own)


@misconception(
    "06.feature_dimensionality",
    "The overlaps were added up without squares, so an opposite neighbour cancels the feature itself. Square each, "
    "then add.",
)
def adds_overlaps_without_squares(weights):
    along = (F.normalize(weights, dim=-2).transpose(-1, -2) @ weights).sum(dim=-1)
    own = weights.square().sum(dim=-2)
    return torch.where(along.abs() > 1e-6, own / along, 0)


@misconception(
    "06.feature_dimensionality",
    "The sizes of the overlaps were added up. Square each, then add: small overlaps hardly take room.",
)
def adds_sizes_of_overlaps(weights):
    along = (F.normalize(weights, dim=-2).transpose(-1, -2) @ weights).abs().sum(dim=-1)
    return dimensionality(weights, weights.square().sum(dim=-2), along)


@misconception(
    "06.feature_dimensionality",
    "The rows were compared, but a feature is a column: weights are (hidden, features).",
)
def compares_rows(weights):
    turned = weights.transpose(-1, -2)
    along = (F.normalize(turned, dim=-2).transpose(-1, -2) @ turned).square().sum(dim=-1)
    return dimensionality(turned, turned.square().sum(dim=-2), along)


@misconception(
    "06.feature_dimensionality",
    "A feature that is not learned gives 0 divided by 0, which is NaN. It has no share: give 0.",
)
def divides_zero_by_zero(weights):
    along = (F.normalize(weights, dim=-2).transpose(-1, -2) @ weights).square().sum(dim=-1)
    return weights.square().sum(dim=-2) / along


@misconception(
    "06.feature_dimensionality",
    "A feature that is not learned got a share of 1. It has none: where its column is 0, give 0.",
)
def gives_unlearned_features_a_share(weights):
    along = (F.normalize(weights, dim=-2).transpose(-1, -2) @ weights).square().sum(dim=-1)
    return torch.where(along > 0, weights.square().sum(dim=-2) / along.clamp(min=1e-30), 1)


@misconception(
    "06.feature_dimensionality",
    "The squared length alone came back. It says how well a feature is learned; divided by the sum of the squared "
    "overlaps it says how much of a dimension the feature has.",
)
def gives_the_squared_length(weights):
    return weights.square().sum(dim=-2)


# ---------------------------------------------------------------- class_share


def said_of(values, labels):
    """How much each unit says of each class: (classes, units)."""
    return F.one_hot(labels).to(values).T @ values


def quotient(above, below):
    return torch.where(below > 0, above / below.clamp(min=1e-30), 0)


@misconception(
    "06.class_share",
    "Each class was averaged over its images. Asked is of all that a unit says, how much goes to one class: add up.",
)
def averages_each_class(values, labels):
    size = F.one_hot(labels).sum(dim=0).clamp(min=1)
    said = said_of(values, labels) / size[:, None]
    return quotient(said.amax(dim=0), said.sum(dim=0))


@misconception(
    "06.class_share",
    "Images were counted, those at which the unit says something. Add up how *much* it says: its values.",
)
def counts_images(values, labels):
    said = said_of((values > 0).float(), labels)
    return quotient(said.amax(dim=0), said.sum(dim=0))


@misconception("06.class_share", "The number of the class came back. Asked is its share: `amax`, not `argmax`.")
def gives_the_class(values, labels):
    return said_of(values, labels).argmax(dim=0)


@misconception(
    "06.class_share",
    "A unit that says nothing gives 0 divided by 0, which is NaN. Its share is 0.",
)
def divides_nothing_by_nothing(values, labels):
    said = said_of(values, labels)
    return said.amax(dim=0) / said.sum(dim=0)


@misconception(
    "06.class_share",
    "The sum of the best class came back. Divide it by the sum over all images.",
)
def leaves_the_division_out(values, labels):
    return said_of(values, labels).amax(dim=0)


@misconception(
    "06.class_share",
    "The sum of the best class was divided by the number of images. Divide it by all that the unit says.",
)
def divides_by_the_images(values, labels):
    return said_of(values, labels).amax(dim=0) / len(values)


@misconception(
    "06.class_share",
    "All units were added up for the total. Each unit has its own: sum over the images only.",
)
def divides_by_all_units(values, labels):
    return said_of(values, labels).amax(dim=0) / values.sum()


@misconception(
    "06.class_share",
    "The share is that of the strongest image. Add up all images of a class first, then look for the largest class.",
)
def takes_the_strongest_image(values, labels):
    return quotient(values.amax(dim=0), values.sum(dim=0))


@misconception(
    "06.class_share",
    "The share is that of the class of the strongest image. Another class may get more of all that the unit says: "
    "take the largest sum.",
)
def takes_the_class_of_the_strongest_image(values, labels):
    best = labels[values.argmax(dim=0)]
    return quotient(said_of(values, labels).gather(0, best[None])[0], values.sum(dim=0))


@misconception(
    "06.class_share",
    "The share is that of the most frequent class. Which class gets most differs from unit to unit: take the largest "
    "sum of each unit.",
)
def takes_the_most_frequent_class(values, labels):
    return quotient(said_of(values, labels)[labels.bincount().argmax()], values.sum(dim=0))


@misconception(
    "06.class_share",
    "The largest sum was taken along the units. Each unit needs a number of its own: the largest over the classes.",
)
def takes_the_best_unit(values, labels):
    said = said_of(values, labels)
    return quotient(said.amax(dim=1), said.sum(dim=1))


# ---------------------------------------------------------------- polysemanticity


def counts_of(values, labels, classes, count, *, largest=True):
    """How often each class is among the strongest images: (units, classes)."""
    strongest = values.topk(count, dim=0, largest=largest).indices
    return F.one_hot(labels[strongest], classes).sum(dim=0)


def best_pair(counts, unrelated, both=torch.minimum):
    pairs = both(counts[:, :, None], counts[:, None])
    return torch.where(unrelated, pairs, 0).amax(dim=(1, 2))


@misconception(
    "06.polysemanticity",
    "Any two classes were allowed. A unit for cats and dogs has one meaning, fur: only pairs where `unrelated` is True "
    "count.",
)
def allows_related_classes(values, labels, unrelated, count=20):
    return counts_of(values, labels, len(unrelated), count).topk(2, dim=1).values[:, 1]


@misconception(
    "06.polysemanticity",
    "Only the two most frequent classes were looked at. If these are related, another pair may still be unrelated: "
    "try all pairs.",
)
def looks_at_the_two_most_frequent(values, labels, unrelated, count=20):
    counts = counts_of(values, labels, len(unrelated), count)
    numbers, classes = counts.topk(2, dim=1)
    return torch.where(unrelated[classes[:, 0], classes[:, 1]], numbers[:, 1], 0)


@misconception(
    "06.polysemanticity",
    "The most frequent class was compared only with those unrelated to it. The best pair may do without it: try all "
    "pairs.",
)
def starts_from_the_most_frequent(values, labels, unrelated, count=20):
    counts = counts_of(values, labels, len(unrelated), count)
    first = counts.argmax(dim=1)
    others = torch.where(unrelated[first], counts, 0).amax(dim=1)
    return torch.minimum(counts.amax(dim=1), others)


@misconception(
    "06.polysemanticity",
    "The counts of the two classes were added up. A unit has two meanings only if *both* are frequent: take the "
    "smaller count of the two.",
)
def adds_both_counts(values, labels, unrelated, count=20):
    return best_pair(counts_of(values, labels, len(unrelated), count), unrelated, torch.add)


@misconception(
    "06.polysemanticity",
    "The count of the more frequent class came back, or a class was paired with itself. A unit has two meanings only "
    "if *both* classes are frequent: take the smaller count, and only pairs where `unrelated` is True.",
)
def takes_the_larger_count(values, labels, unrelated, count=20):
    return best_pair(counts_of(values, labels, len(unrelated), count), unrelated, torch.maximum)


@misconception(
    "06.polysemanticity",
    "Pairs of *related* classes were counted: True in `unrelated` means that the two have nothing to do with each "
    "other.",
)
def counts_related_pairs(values, labels, unrelated, count=20):
    return best_pair(counts_of(values, labels, len(unrelated), count), ~unrelated)


@misconception("06.polysemanticity", "Shares came back. Asked is how many images: do not divide by `count`.")
def gives_shares(values, labels, unrelated, count=20):
    return best_pair(counts_of(values, labels, len(unrelated), count), unrelated) / count


@misconception(
    "06.polysemanticity",
    "The images with the *smallest* values were looked at. Take the largest.",
)
def looks_at_the_weakest(values, labels, unrelated, count=20):
    return best_pair(counts_of(values, labels, len(unrelated), count, largest=False), unrelated)


@misconception(
    "06.polysemanticity",
    "`count` was not used: it is always the 20 strongest images. Hand it on to `topk`.",
)
def always_takes_twenty(values, labels, unrelated, count=20):
    return best_pair(counts_of(values, labels, len(unrelated), min(20, len(values))), unrelated)


@misconception(
    "06.polysemanticity",
    "All images were counted, so every unit gets the same number. Only the `count` strongest of each unit tell what it "
    "stands for.",
)
def counts_all_images(values, labels, unrelated, count=20):
    return best_pair(counts_of(values, labels, len(unrelated), len(values)), unrelated)


@misconception(
    "06.polysemanticity",
    "Classes were counted: how many there are among the strongest images. One image of a class may be chance. Asked is "
    "how often the rarer one of two unrelated classes is there.",
)
def counts_classes(values, labels, unrelated, count=20):
    return (counts_of(values, labels, len(unrelated), count) > 0).sum(dim=1)


@misconception(
    "06.polysemanticity",
    "The counts of all unrelated pairs were added up. Asked is one pair, the best: the largest over the pairs.",
)
def adds_the_pairs_up(values, labels, unrelated, count=20):
    counts = counts_of(values, labels, len(unrelated), count)
    return torch.where(unrelated, torch.minimum(counts[:, :, None], counts[:, None]), 0).sum(dim=(1, 2)) // 2


# ---------------------------------------------------------------- sae_encode


def strengths(activations, autoencoder):
    """What the encoder reads, before anything is cut off."""
    return (activations - autoencoder.decoder_bias) @ autoencoder.encoder + autoencoder.encoder_bias


def strongest(codes, count, by=None):
    """The codes, with 0 for all but the ``count`` largest of each row."""
    if count is None:
        return codes
    stays = (codes if by is None else by).topk(count, dim=-1).indices
    return torch.zeros_like(codes).scatter(-1, stays, codes.gather(-1, stays))


@misconception(
    "06.sae_encode",
    "`decoder_bias` was not subtracted. It is what every activation has anyway; features tell what is left: "
    "`activations - autoencoder.decoder_bias` first.",
)
def keeps_the_decoder_bias_in(activations, autoencoder):
    codes = (activations @ autoencoder.encoder + autoencoder.encoder_bias).relu()
    return strongest(codes, autoencoder.active)


@misconception(
    "06.sae_encode",
    "`decoder_bias` was added to the activations. The decoder adds it in the end, so the encoder begins by taking it "
    "away.",
)
def adds_the_decoder_bias(activations, autoencoder):
    read = (activations + autoencoder.decoder_bias) @ autoencoder.encoder
    return strongest((read + autoencoder.encoder_bias).relu(), autoencoder.active)


@misconception("06.sae_encode", "`encoder_bias` was left out. It is added before the rectifier.")
def forgets_the_encoder_bias(activations, autoencoder):
    codes = ((activations - autoencoder.decoder_bias) @ autoencoder.encoder).relu()
    return strongest(codes, autoencoder.active)


@misconception(
    "06.sae_encode",
    "`encoder_bias` was added behind the rectifier. It comes before: it is the threshold above which a feature fires.",
)
def adds_the_bias_behind_the_rectifier(activations, autoencoder):
    read = ((activations - autoencoder.decoder_bias) @ autoencoder.encoder).relu()
    return strongest(read + autoencoder.encoder_bias, autoencoder.active)


@misconception("06.sae_encode", "The rectifier was left out. A feature is there or not; no code is below 0.")
def leaves_the_rectifier_out(activations, autoencoder):
    return strongest(strengths(activations, autoencoder), autoencoder.active)


@misconception(
    "06.sae_encode",
    "`autoencoder.active` was not used. Where it is a number k, only the k largest of each row stay.",
)
def ignores_active(activations, autoencoder):
    return strengths(activations, autoencoder).relu()


@misconception(
    "06.sae_encode",
    "The strongest were chosen by size, signs left aside. A feature far below 0 is absent: choose the largest, or "
    "rectify before you choose.",
)
def chooses_by_size(activations, autoencoder):
    read = strengths(activations, autoencoder)
    return strongest(read.relu(), autoencoder.active, read.abs())


@misconception(
    "06.sae_encode",
    "The strongest were chosen by size and kept with their signs. A feature far below 0 is absent: rectify before you "
    "choose.",
)
def chooses_by_size_and_keeps_signs(activations, autoencoder):
    read = strengths(activations, autoencoder)
    return read.relu() if autoencoder.active is None else strongest(read, autoencoder.active, read.abs())


@misconception(
    "06.sae_encode",
    "The strongest of the whole batch were kept, so a loud row silences a quiet one. Each row keeps its own k: "
    "`topk(k, dim=-1)`.",
)
def chooses_from_the_whole_batch(activations, autoencoder):
    codes = strengths(activations, autoencoder).relu()
    if autoencoder.active is None:
        return codes
    rows = codes[..., 0].numel()
    return strongest(codes.flatten(), rows * autoencoder.active).view_as(codes)


@misconception(
    "06.sae_encode",
    "The strongest *rows* of each feature were kept. The strongest features of each row are asked: `topk(k, dim=-1)`.",
)
def chooses_rows(activations, autoencoder):
    codes = strengths(activations, autoencoder).relu()
    if autoencoder.active is None or codes.dim() < 2:
        return strongest(codes, autoencoder.active)
    flat = codes.flatten(0, -2).T
    return strongest(flat, min(autoencoder.active, flat.shape[1])).T.view_as(codes)


@misconception(
    "06.sae_encode",
    "Only the k values came back, and nobody knows whose they are. The codes keep a place for every feature, with 0 "
    "where it is not active: `torch.zeros_like(codes).scatter(-1, indices, values)`.",
)
def gives_the_values_alone(activations, autoencoder):
    codes = strengths(activations, autoencoder).relu()
    return codes if autoencoder.active is None else codes.topk(autoencoder.active, dim=-1).values


@misconception(
    "06.sae_encode",
    "The features that stay were set to 1. A code also says how strongly its feature is there: keep the value.",
)
def gives_ones(activations, autoencoder):
    codes = strengths(activations, autoencoder).relu()
    return codes if autoencoder.active is None else (strongest(codes, autoencoder.active) > 0).float()


@misconception(
    "06.sae_encode",
    "The strongest were chosen before `encoder_bias` was added. The bias is part of how strong a feature is: add it, "
    "then choose.",
)
def chooses_before_the_bias(activations, autoencoder):
    read = (activations - autoencoder.decoder_bias) @ autoencoder.encoder
    return strongest((read + autoencoder.encoder_bias).relu(), autoencoder.active, read)


@misconception(
    "06.sae_encode",
    "The k *smallest* were set to 0. Asked is that only the k largest stay.",
)
def drops_the_smallest(activations, autoencoder):
    codes = strengths(activations, autoencoder).relu()
    if autoencoder.active is None:
        return codes
    return codes.scatter(-1, codes.topk(autoencoder.active, dim=-1, largest=False).indices, 0)


@misconception(
    "06.sae_encode",
    "The decoder's weights were used for reading. The encoder has its own, `autoencoder.encoder`.",
)
def reads_with_the_decoder(activations, autoencoder):
    read = (activations - autoencoder.decoder_bias) @ autoencoder.decoder.T + autoencoder.encoder_bias
    return strongest(read.relu(), autoencoder.active)


# ---------------------------------------------------------------- sae_decode


@misconception("06.sae_decode", "`decoder_bias` was left out: it is added to what the features write.")
def forgets_the_decoder_bias(codes, autoencoder):
    return codes @ autoencoder.decoder


@misconception("06.sae_decode", "`decoder_bias` was subtracted. The encoder takes it away; the decoder adds it again.")
def subtracts_the_decoder_bias(codes, autoencoder):
    return codes @ autoencoder.decoder - autoencoder.decoder_bias


@misconception(
    "06.sae_decode",
    "The encoder's weights were used for writing. The decoder has its own, `autoencoder.decoder`.",
)
def writes_with_the_encoder(codes, autoencoder):
    return codes @ autoencoder.encoder.T + autoencoder.decoder_bias


@misconception(
    "06.sae_decode",
    "What came back was rectified. The decoder is a plain sum of directions; nothing is cut off.",
)
def rectifies_what_comes_back(codes, autoencoder):
    return (codes @ autoencoder.decoder + autoencoder.decoder_bias).relu()


@misconception(
    "06.sae_decode",
    "The directions were brought to length 1 first. Take the decoder as it is; another function takes care of lengths.",
)
def writes_with_directions_of_length_1(codes, autoencoder):
    return codes @ F.normalize(autoencoder.decoder, dim=1) + autoencoder.decoder_bias


@misconception(
    "06.sae_decode",
    "Only the largest code wrote its direction. Every feature adds its own, as strongly as its code says.",
)
def writes_the_strongest_only(codes, autoencoder):
    return strongest(codes, 1) @ autoencoder.decoder + autoencoder.decoder_bias


# ---------------------------------------------------------------- sae_loss


def loss_of(errors, codes, penalty):
    return (errors + penalty * codes).mean()


@misconception(
    "06.sae_loss",
    "The error was averaged over the channels. It is the squared *length*: the sum over the channels.",
)
def averages_channels(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).square().mean(dim=1), codes.abs().sum(dim=1), penalty)


@misconception(
    "06.sae_loss",
    "The codes were averaged over the features. They are added up: each feature that fires costs.",
)
def averages_codes(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).square().sum(dim=1), codes.abs().mean(dim=1), penalty)


@misconception(
    "06.sae_loss",
    "Everything was averaged, channels and features, too. Add these up and average over the batch only.",
)
def averages_everything(activations, reconstructed, codes, penalty=0.0):
    return (activations - reconstructed).square().mean() + penalty * codes.abs().mean()


@misconception("06.sae_loss", "The rows of the batch were added up. Average over them.")
def adds_the_batch_up(activations, reconstructed, codes, penalty=0.0):
    return (activations - reconstructed).square().sum() + penalty * codes.abs().sum()


@misconception(
    "06.sae_loss",
    "The codes were squared. Squares hardly punish small codes, so nothing ends at exactly 0: take their sizes.",
)
def squares_the_codes(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).square().sum(dim=1), codes.square().sum(dim=1), penalty)


@misconception(
    "06.sae_loss",
    "The length of the codes was taken, a root of squares. Asked is the sum of their sizes.",
)
def takes_the_length_of_the_codes(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).square().sum(dim=1), codes.norm(dim=1), penalty)


@misconception(
    "06.sae_loss",
    "Active features were counted. A count does not change with small steps, so nothing can be learned from it: add "
    "the codes up.",
)
def counts_active_features(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).square().sum(dim=1), (codes > 0).sum(dim=1), penalty)


@misconception(
    "06.sae_loss",
    "The length of the error was taken, with a root. Leave the root out: the squared length is the sum of squares.",
)
def takes_the_length_of_the_error(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).norm(dim=1), codes.abs().sum(dim=1), penalty)


@misconception(
    "06.sae_loss",
    "The sizes of the errors were added up. Square them: the loss takes squares for the error and sizes for the codes.",
)
def adds_sizes_of_errors(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).abs().sum(dim=1), codes.abs().sum(dim=1), penalty)


@misconception("06.sae_loss", "`penalty` was not used: multiply the sum of the codes by it.")
def forgets_the_penalty(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).square().sum(dim=1), codes.abs().sum(dim=1), 1.0)


@misconception("06.sae_loss", "The codes were left out of the loss: add `penalty` times their sum.")
def forgets_the_codes(activations, reconstructed, codes, penalty=0.0):
    return (activations - reconstructed).square().sum(dim=1).mean()


@misconception(
    "06.sae_loss",
    "The sum of the codes was subtracted. It is a price: the more the features say, the larger the loss.",
)
def rewards_the_codes(activations, reconstructed, codes, penalty=0.0):
    return loss_of((activations - reconstructed).square().sum(dim=1), codes.abs().sum(dim=1), -penalty)


# ---------------------------------------------------------------- normalize_decoder


def scaled(autoencoder, lengths, *, encoder=None, bias=None):
    """Divides the decoder's rows, and multiplies what is handed in, all in place."""
    with torch.no_grad():
        autoencoder.decoder.div_(lengths)
        if encoder is not None:
            autoencoder.encoder.mul_(encoder)
        if bias is not None:
            autoencoder.encoder_bias.mul_(bias)


def lengths_of(autoencoder):
    lengths = autoencoder.decoder.detach().norm(dim=1)
    return torch.where(lengths > 0, lengths, 1)


@misconception(
    "06.normalize_decoder",
    "The columns got length 1. A feature's direction is a *row* of the decoder, which is (features, channels): "
    "`norm(dim=1)`.",
)
def normalizes_columns(autoencoder):
    lengths = autoencoder.decoder.detach().norm(dim=0)
    scaled(autoencoder, lengths, encoder=lengths, bias=lengths)


@misconception(
    "06.normalize_decoder",
    "The encoder stayed as it was (if it was multiplied: by lengths measured when they were 1 already). Codes must "
    "grow by what the directions lose: measure first, then multiply columns and bias by the old lengths.",
)
def forgets_the_encoder(autoencoder):
    scaled(autoencoder, lengths_of(autoencoder)[:, None])


@misconception(
    "06.normalize_decoder",
    "`encoder_bias` stayed as it was. Weights and bias together make the code, so both are multiplied.",
)
def forgets_the_bias(autoencoder):
    lengths = lengths_of(autoencoder)
    scaled(autoencoder, lengths[:, None], encoder=lengths)


@misconception(
    "06.normalize_decoder",
    "Only `encoder_bias` was multiplied. Weights and bias together make the code, so both are.",
)
def multiplies_the_bias_only(autoencoder):
    lengths = lengths_of(autoencoder)
    scaled(autoencoder, lengths[:, None], bias=lengths)


@misconception(
    "06.normalize_decoder",
    "The encoder was divided by the lengths, too. What the decoder loses the code must make up for: multiply.",
)
def divides_the_encoder(autoencoder):
    lengths = lengths_of(autoencoder)
    scaled(autoencoder, lengths[:, None], encoder=1 / lengths, bias=1 / lengths)


@misconception(
    "06.normalize_decoder",
    "The rows of the encoder were multiplied. A feature is a *column* of the encoder, which is (channels, features): "
    "`lengths`, without a further axis.",
)
def multiplies_rows_of_the_encoder(autoencoder):
    lengths = lengths_of(autoencoder)
    scaled(autoencoder, lengths[:, None], encoder=lengths[:, None], bias=lengths)


@misconception(
    "06.normalize_decoder",
    "The whole decoder was divided by one number. Each row has a length of its own: `norm(dim=1, keepdim=True)`.",
)
def divides_by_one_length(autoencoder):
    length = autoencoder.decoder.detach().norm()
    scaled(autoencoder, length, encoder=length, bias=length)


@misconception(
    "06.normalize_decoder",
    "The rows were divided by their squared lengths. A length has a root: `norm(dim=1)`.",
)
def divides_by_squares(autoencoder):
    lengths = lengths_of(autoencoder).square()
    scaled(autoencoder, lengths[:, None], encoder=lengths, bias=lengths)


@misconception(
    "06.normalize_decoder",
    "The rows were divided by the sum of their numbers' sizes. Length 1 means that the *squares* add up to 1.",
)
def divides_by_sums(autoencoder):
    lengths = autoencoder.decoder.detach().abs().sum(dim=1)
    lengths = torch.where(lengths > 0, lengths, 1)
    scaled(autoencoder, lengths[:, None], encoder=lengths, bias=lengths)


@misconception(
    "06.normalize_decoder",
    "Short rows stayed short. Every direction gets length 1, also those that were shorter.",
)
def shortens_only(autoencoder):
    lengths = lengths_of(autoencoder).clamp(min=1)
    scaled(autoencoder, lengths[:, None], encoder=lengths, bias=lengths)


@misconception(
    "06.normalize_decoder",
    "A row of zeros was divided by its length, 0, which gives NaN. Leave it as it is: divide it by 1.",
)
def divides_zeros_by_zero(autoencoder):
    lengths = autoencoder.decoder.detach().norm(dim=1)
    scaled(autoencoder, lengths[:, None], encoder=lengths, bias=lengths)


@misconception(
    "06.normalize_decoder",
    "Parameters were changed while torch watches them for gradients. Put the three changes under "
    "`with torch.no_grad():`.",
)
def forgets_no_grad(autoencoder):
    lengths = lengths_of(autoencoder)
    autoencoder.decoder /= lengths[:, None]
    autoencoder.encoder *= lengths
    autoencoder.encoder_bias *= lengths


@misconception(
    "06.normalize_decoder",
    "The autoencoder got new parameters. Whoever trains it still holds the old ones and would improve these: change "
    "the numbers in place, with `/=` and `*=` inside `torch.no_grad()`.",
)
def makes_new_parameters(autoencoder):
    lengths = lengths_of(autoencoder)
    autoencoder.decoder = torch.nn.Parameter(autoencoder.decoder.detach() / lengths[:, None])
    autoencoder.encoder = torch.nn.Parameter(autoencoder.encoder.detach() * lengths)
    autoencoder.encoder_bias = torch.nn.Parameter(autoencoder.encoder_bias.detach() * lengths)


@misconception(
    "06.normalize_decoder",
    "Nothing has changed: a new tensor was made and the autoencoder kept its own. Change the numbers in place, with "
    "`/=` and `*=` inside `torch.no_grad()`.",
)
def changes_a_copy(autoencoder):
    return F.normalize(autoencoder.decoder, dim=1)


# ---------------------------------------------------------------- dead_features


def rows_of(codes):
    return codes.reshape(-1, codes.shape[-1])


@misconception("06.dead_features", "The living were marked: True means that a feature *never* fires: `~`.")
def marks_the_living(codes):
    return (rows_of(codes) > 0).any(dim=0)


@misconception(
    "06.dead_features",
    "A feature counts as dead as soon as it is silent once. Nearly all are silent mostly; dead is who is *always* "
    "silent.",
)
def calls_the_silent_dead(codes):
    return (rows_of(codes) == 0).any(dim=0)


@misconception(
    "06.dead_features",
    "Rows were marked in which nothing fires. Asked is for each feature: look along all axes but the last.",
)
def marks_rows(codes):
    return ~(codes > 0).any(dim=-1)


@misconception(
    "06.dead_features",
    "Only the first axis was looked along. Codes may have more, such as images, rows and columns: `flatten(0, -2)`.",
)
def looks_along_the_first_axis(codes):
    return ~(codes > 0).any(dim=0)


@misconception(
    "06.dead_features",
    "Weak features were counted as dead. Dead is who is never above 0, however little.",
)
def calls_the_weak_dead(codes):
    return rows_of(codes).amax(dim=0) < 1e-3


@misconception("06.dead_features", "One number came back. Asked is True or False for each feature.")
def counts_the_dead(codes):
    return (rows_of(codes) == 0).all(dim=0).sum()


@misconception("06.dead_features", "A list of numbers came back. Asked is True or False for each feature.")
def lists_the_dead(codes):
    return (rows_of(codes) == 0).all(dim=0).nonzero().flatten()


# ---------------------------------------------------------------- mean_max_cosine


def cosines_of(found, features):
    """(directions, features)."""
    return F.normalize(found, dim=1) @ F.normalize(features, dim=1).T


@misconception(
    "06.mean_max_cosine",
    "The best feature was sought for each direction. Then one feature, found a hundred times, gives a perfect score, "
    "and those that were missed do not count. Seek the best direction for each *feature*.",
)
def seeks_for_each_direction(found, features):
    return cosines_of(found, features).amax(dim=1).mean()


@misconception(
    "06.mean_max_cosine",
    "Signs were left aside. A direction that points the opposite way is not the feature: codes are never below 0, so "
    "it could not say it. Leave `abs` out.",
)
def leaves_signs_aside(found, features):
    return cosines_of(found, features).abs().amax(dim=0).mean()


@misconception(
    "06.mean_max_cosine",
    "Products of vectors were compared as they are, so long vectors win. A cosine is that of directions: bring both to "
    "length 1.",
)
def compares_products(found, features):
    return (found @ features.T).amax(dim=0).mean()


@misconception(
    "06.mean_max_cosine",
    "Only the true features were brought to length 1. The found directions need it, too.",
)
def normalizes_the_features_only(found, features):
    return (found @ F.normalize(features, dim=1).T).amax(dim=0).mean()


@misconception(
    "06.mean_max_cosine",
    "Only the found directions were brought to length 1. The true features need it, too.",
)
def normalizes_the_directions_only(found, features):
    return (F.normalize(found, dim=1) @ features.T).amax(dim=0).mean()


@misconception(
    "06.mean_max_cosine",
    "The columns were brought to length 1. Each *row* is a vector: `dim=1`.",
)
def normalizes_columns_of_both(found, features):
    return (F.normalize(found, dim=0) @ F.normalize(features, dim=0).T).amax(dim=0).mean()


@misconception(
    "06.mean_max_cosine",
    "The largest cosine of all came back. One feature that was found says nothing of the others: the largest for each "
    "feature, then the mean.",
)
def takes_the_best_of_all(found, features):
    return cosines_of(found, features).amax()


@misconception(
    "06.mean_max_cosine",
    "All cosines were averaged. For each feature only the best direction counts: first the largest, then the mean.",
)
def averages_all_pairs(found, features):
    return cosines_of(found, features).mean()


@misconception(
    "06.mean_max_cosine",
    "The features' values were added up. Average them, so that 1 means that all were found.",
)
def adds_the_features_up(found, features):
    return cosines_of(found, features).amax(dim=0).sum()


@misconception(
    "06.mean_max_cosine",
    "Each feature has a number of its own. The mean over the features is missing.",
)
def leaves_the_mean_out(found, features):
    return cosines_of(found, features).amax(dim=0)


@misconception(
    "06.mean_max_cosine",
    "The mean was taken before the maximum: of each direction's cosines with all features. Seek the best direction for "
    "each feature, then average over the features.",
)
def takes_the_mean_first(found, features):
    return cosines_of(found, features).mean(dim=1).amax()


# ---------------------------------------------------------------- turn_up


def column(direction):
    """To be added at every position."""
    return direction[:, None, None]


@misconception(
    "06.turn_up",
    "The direction was added with its own length. Bring it to length 1, so that `amount` alone says how far: divide by "
    "`direction.norm()`.",
)
def keeps_its_own_length(direction, amount):
    return lambda activation: activation + amount * column(direction)


@misconception("06.turn_up", "The direction was divided by its squared length. Divide it by its length.")
def divides_by_the_squared_length(direction, amount):
    return lambda activation: activation + amount * column(direction) / direction.square().sum()


@misconception(
    "06.turn_up",
    "`amount` was not used: the direction of length 1 is added `amount` times.",
)
def forgets_the_amount(direction, amount):
    return lambda activation: activation + column(F.normalize(direction, dim=0))


@misconception(
    "06.turn_up",
    "The direction was laid along the columns of the image: torch lines axes up from the right. It belongs to the "
    "channels: `direction[:, None, None]`.",
)
def lays_it_along_the_columns(direction, amount):
    return lambda activation: activation + amount * F.normalize(direction, dim=0)


@misconception(
    "06.turn_up",
    "The activations were multiplied. The direction is *added*, also where nothing was before.",
)
def multiplies_the_activations(direction, amount):
    return lambda activation: activation * (1 + amount * column(F.normalize(direction, dim=0)))


@misconception(
    "06.turn_up",
    "Only the position in the middle was changed. Add the direction at every position.",
)
def pushes_the_middle_only(direction, amount):
    def change(activation):
        changed = activation.clone()
        row, place = activation.shape[2] // 2, activation.shape[3] // 2
        changed[:, :, row, place] += amount * F.normalize(direction, dim=0)
        return changed

    return change


@misconception(
    "06.turn_up",
    "What lies along the direction was replaced. It stays, and `amount` times the direction comes on top.",
)
def sets_it_to_the_amount(direction, amount):
    unit = column(F.normalize(direction, dim=0))
    return lambda activation: activation + (amount - (activation * unit).sum(dim=1, keepdim=True)) * unit


@misconception(
    "06.turn_up",
    "The activations were replaced by the direction. Add it to them.",
)
def replaces_the_activations(direction, amount):
    return lambda activation: (amount * column(F.normalize(direction, dim=0))).expand_as(activation)


@misconception("06.turn_up", "What came out below 0 was cut off. The direction is added and nothing else is done.")
def rectifies_the_result(direction, amount):
    return lambda activation: (activation + amount * column(F.normalize(direction, dim=0))).relu()


@misconception(
    "06.turn_up",
    "The activations that were handed in were changed. Others may still need them: add with `+`, not with `+=`.",
)
def changes_them_in_place(direction, amount):
    return lambda activation: activation.add_(amount * column(F.normalize(direction, dim=0)))


@misconception(
    "06.turn_up",
    "A tensor came back. An edit is a *function*: it gets the activations later, and gives them back changed.",
)
def gives_a_tensor(direction, amount):
    return amount * column(F.normalize(direction, dim=0))
