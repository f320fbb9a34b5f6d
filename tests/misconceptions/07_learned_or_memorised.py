"""Wrong answers to lesson 07 that students give, each with the sentence that helps."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import LogisticRegression

from innervision.classroom.exercises import misconception
from innervision.learning import rank_correlation
from innervision.learning.memorization import accuracy, answers

# ---------------------------------------------------------------- randomize_labels


def _lot(labels, share, generator, draw, *, positions=None):
    """Right, except for what is handed in: ``draw(count, old)`` gives the new labels."""
    count = round(share * len(labels))
    chosen = torch.randperm(len(labels), generator=generator)[:count] if positions is None else positions(count)
    changed = labels.clone()
    changed[chosen] = draw(len(chosen), labels[chosen]).to(labels.dtype)
    return changed


def _anew(classes, generator):
    return lambda count, old: torch.randint(classes, (count,), generator=generator)


@misconception(
    "07.randomize_labels",
    "The chosen labels changed places among each other. Then every class keeps its size, and a class that was not "
    "there never comes up. Draw each anew from all classes: `torch.randint(classes, (count,), generator=generator)`.",
)
def shuffles_the_labels(labels, share, classes, generator):
    return _lot(labels, share, generator, lambda count, old: old[torch.randperm(count, generator=generator)])


@misconception(
    "07.randomize_labels",
    "Every label that was drawn anew became another one. A lot does not look at the old label, so one in `classes` "
    "stays what it was by luck: draw from all classes.",
)
def draws_another_class(labels, share, classes, generator):
    def draw(count, old):
        return (old + torch.randint(1, classes, (count,), generator=generator)) % classes

    return _lot(labels, share, generator, draw)


@misconception(
    "07.randomize_labels",
    "The last class never comes up: the upper end of `torch.randint` is not drawn itself, so `classes - 1` is one too "
    "few.",
)
def never_draws_the_last_class(labels, share, classes, generator):
    return _lot(labels, share, generator, _anew(classes - 1, generator))


@misconception(
    "07.randomize_labels",
    "New labels were drawn only from classes that some label has already. Draw from all `classes`, 0 to classes - 1.",
)
def draws_from_the_classes_that_occur(labels, share, classes, generator):
    return _lot(labels, share, generator, _anew(int(labels.max()) + 1, generator))


@misconception(
    "07.randomize_labels",
    "One lot was drawn for all: every chosen label became the same class. Draw as many as there are chosen labels.",
)
def draws_one_class_for_all(labels, share, classes, generator):
    def draw(count, old):
        return torch.randint(classes, (1,), generator=generator).expand(count)

    return _lot(labels, share, generator, draw)


@misconception(
    "07.randomize_labels",
    "The first labels of the list were drawn anew. Which ones is for the lot to say: take the first of "
    "`torch.randperm(len(labels), generator=generator)` as positions.",
)
def takes_the_first(labels, share, classes, generator):
    return _lot(labels, share, generator, _anew(classes, generator), positions=torch.arange)


@misconception(
    "07.randomize_labels",
    "Positions were drawn with `torch.randint`, which gives some of them twice, so too few labels are drawn anew. The "
    "first of a `torch.randperm` are all different.",
)
def draws_positions_twice(labels, share, classes, generator):
    def positions(count):
        return torch.randint(len(labels), (count,), generator=generator)

    return _lot(labels, share, generator, _anew(classes, generator), positions=positions)


@misconception(
    "07.randomize_labels",
    "A coin was thrown for each label, so the number of those drawn anew is a matter of luck. Asked are exactly "
    "`round(share * len(labels))`: choose that many positions.",
)
def throws_a_coin_for_each(labels, share, classes, generator):
    def positions(_):
        return (torch.rand(len(labels), generator=generator) < share).nonzero()[:, 0]

    return _lot(labels, share, generator, _anew(classes, generator), positions=positions)


@misconception(
    "07.randomize_labels",
    "The share was cut down to a whole number with `int`; of 12.6 labels 12 are left. Round it: "
    "`round(share * len(labels))`.",
)
def cuts_the_share_off(labels, share, classes, generator):
    def positions(_):
        return torch.randperm(len(labels), generator=generator)[: int(share * len(labels))]

    return _lot(labels, share, generator, _anew(classes, generator), positions=positions)


@misconception(
    "07.randomize_labels",
    "That share of the labels was kept, and all others were drawn anew. `share` is how many are drawn anew.",
)
def keeps_the_share(labels, share, classes, generator):
    def positions(count):
        return torch.randperm(len(labels), generator=generator)[count:]

    return _lot(labels, share, generator, _anew(classes, generator), positions=positions)


@misconception(
    "07.randomize_labels",
    "The labels that were handed in are changed themselves, and the true ones are lost: change a `clone()`.",
)
def changes_the_labels_given(labels, share, classes, generator):
    labels.copy_(_lot(labels, share, generator, _anew(classes, generator)))
    return labels


@misconception(
    "07.randomize_labels",
    "The lot was drawn without the generator, so nobody can repeat it: hand `generator=generator` to every draw.",
)
def draws_labels_without_the_generator(labels, share, classes, generator):
    return _lot(labels, share, None, _anew(classes, None))


@misconception(
    "07.randomize_labels",
    "The generator was seeded anew inside the function, so every call draws the same. Use it as it comes.",
)
def seeds_the_generator(labels, share, classes, generator):
    generator = torch.Generator().manual_seed(0)
    return _lot(labels, share, generator, _anew(classes, generator))


# ---------------------------------------------------------------- train_epoch


def _epoch(network, optimizer, images, labels, batches, *, loss_of=F.cross_entropy, told=np.mean):
    """Right, except for what is handed in."""
    network.train()
    losses = []
    for chosen in batches:
        loss = loss_of(network(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(told(losses))


def _batches(images, generator, batch):
    return torch.randperm(len(images), generator=generator).split(batch)


@misconception(
    "07.train_epoch",
    "Gradients were not set to zero between the batches, so every step also follows the gradients of all before it. "
    "Call `optimizer.zero_grad()` before each `backward()`.",
)
def forgets_to_zero_gradients(network, optimizer, images, labels, generator, batch=100):
    network.train()
    losses = []
    for chosen in _batches(images, generator, batch):
        loss = F.cross_entropy(network(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@misconception(
    "07.train_epoch",
    "Gradients were set to zero after `backward()`, right before the step, so there was nothing to follow. The order "
    "is `zero_grad`, `backward`, `step`.",
)
def zeroes_gradients_before_the_step(network, optimizer, images, labels, generator, batch=100):
    network.train()
    losses = []
    for chosen in _batches(images, generator, batch):
        loss = F.cross_entropy(network(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@misconception(
    "07.train_epoch",
    "One step was made at the end, with the gradients of all batches. Step after each batch: the next one is then "
    "seen by a network that has already learned.",
)
def steps_once_at_the_end(network, optimizer, images, labels, generator, batch=100):
    network.train()
    losses = []
    optimizer.zero_grad()
    for chosen in _batches(images, generator, batch):
        loss = F.cross_entropy(network(images[chosen]), labels[chosen])
        loss.backward()
        losses.append(loss.item())
    optimizer.step()
    return sum(losses) / len(losses)


@misconception(
    "07.train_epoch",
    "The images came in the order in which they lie there. Put them in a new order for every epoch: "
    "`torch.randperm(len(images), generator=generator)`.",
)
def keeps_the_order(network, optimizer, images, labels, generator, batch=100):
    return _epoch(network, optimizer, images, labels, torch.arange(len(images)).split(batch))


@misconception(
    "07.train_epoch",
    "Each batch was drawn by itself, so some images came twice and others not at all. Draw one order for the epoch and "
    "cut it into batches: `.split(batch)`.",
)
def draws_each_batch_by_itself(network, optimizer, images, labels, generator, batch=100):
    sizes = [len(part) for part in torch.arange(len(images)).split(batch)]
    batches = [torch.randint(len(images), (size,), generator=generator) for size in sizes]
    return _epoch(network, optimizer, images, labels, batches)


@misconception(
    "07.train_epoch",
    "The order was drawn without the generator, so nobody can repeat it: "
    "`torch.randperm(len(images), generator=generator)`.",
)
def draws_the_order_without_the_generator(network, optimizer, images, labels, generator, batch=100):
    return _epoch(network, optimizer, images, labels, _batches(images, None, batch))


@misconception(
    "07.train_epoch",
    "The last batch was left out because it is smaller. Its images are to be learned from, too; `.split(batch)` keeps "
    "it.",
)
def drops_the_last_batch(network, optimizer, images, labels, generator, batch=100):
    size = min(batch, len(images))
    whole = [part for part in _batches(images, generator, size) if len(part) == size]
    return _epoch(network, optimizer, images, labels, whole)


@misconception(
    "07.train_epoch",
    "All images went into one batch. Take `batch` of them at a time, with a step after each: "
    "`for chosen in order.split(batch)`.",
)
def takes_all_at_once(network, optimizer, images, labels, generator, batch=100):
    return _epoch(network, optimizer, images, labels, _batches(images, generator, len(images)))


@misconception(
    "07.train_epoch",
    "Images and labels do not belong together any more: the images were put in a new order and the labels were not. "
    "Index both with the same positions, `images[chosen]` and `labels[chosen]`.",
)
def mixes_images_and_labels_up(network, optimizer, images, labels, generator, batch=100):
    moved = images[torch.randperm(len(images), generator=generator)]
    return _epoch(network, optimizer, moved, labels, torch.arange(len(images)).split(batch))


@misconception(
    "07.train_epoch",
    "The loss is a sum over the images of a batch, so the step is as many times too long. `F.cross_entropy` takes the "
    "mean unless told otherwise.",
)
def sums_over_the_batch(network, optimizer, images, labels, generator, batch=100):
    def loss_of(logits, given):
        return F.cross_entropy(logits, given, reduction="sum")

    return _epoch(network, optimizer, images, labels, _batches(images, generator, batch), loss_of=loss_of)


@misconception(
    "07.train_epoch",
    "A softmax was put before `F.cross_entropy`, which takes one itself. Hand the logits to it as they are.",
)
def takes_two_softmaxes(network, optimizer, images, labels, generator, batch=100):
    def loss_of(logits, given):
        return F.cross_entropy(logits.softmax(dim=1), given)

    return _epoch(network, optimizer, images, labels, _batches(images, generator, batch), loss_of=loss_of)


@misconception(
    "07.train_epoch",
    "This is the loss of the last batch only. Keep the loss of every batch, and return their mean.",
)
def tells_the_last_loss(network, optimizer, images, labels, generator, batch=100):
    batches = _batches(images, generator, batch)
    return _epoch(network, optimizer, images, labels, batches, told=lambda losses: losses[-1])


@misconception(
    "07.train_epoch",
    "The losses of the batches were added up. Divide by their number: asked is the mean.",
)
def tells_the_sum_of_losses(network, optimizer, images, labels, generator, batch=100):
    return _epoch(network, optimizer, images, labels, _batches(images, generator, batch), told=sum)


@misconception(
    "07.train_epoch",
    "The loss was measured once more after the step. Asked is what the batch cost before the network learned from it.",
)
def measures_after_the_step(network, optimizer, images, labels, generator, batch=100):
    network.train()
    losses = []
    for chosen in _batches(images, generator, batch):
        loss = F.cross_entropy(network(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            losses.append(F.cross_entropy(network.linear(images[chosen].flatten(1)), labels[chosen]).item())
    return sum(losses) / len(losses)


@misconception(
    "07.train_epoch",
    "The network was not put in training mode. Dropout and batch normalisation behave differently there: "
    "`network.train()` first.",
)
def forgets_training_mode(network, optimizer, images, labels, generator, batch=100):
    losses = []
    for chosen in _batches(images, generator, batch):
        loss = F.cross_entropy(network(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@misconception(
    "07.train_epoch",
    "The losses that were kept hang on their gradients, and with them everything that was computed on the way. "
    "`loss.item()` is the number alone.",
)
def keeps_the_graph(network, optimizer, images, labels, generator, batch=100):
    network.train()
    losses = []
    for chosen in _batches(images, generator, batch):
        loss = F.cross_entropy(network(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return sum(losses) / len(losses)


# ---------------------------------------------------------------- linear_probe


def _probe(
    features,
    labels,
    others,
    classes,
    penalty,
    *,
    standardise=None,
    targets=lambda labels, classes: F.one_hot(labels.long(), classes).double(),
    weigh=lambda penalty, rows: penalty,
    intercept=True,
):
    """Right, except for what is handed in."""
    train, test = (standardise or _standardise)(features.double(), others.double())
    wanted = targets(labels, classes)
    moments = train.T @ train / len(train) + weigh(penalty, len(train)) * torch.eye(train.shape[1], dtype=train.dtype)
    weights = torch.linalg.pinv(moments) @ (train.T @ wanted.to(train) / len(train))
    return (test @ weights + (wanted.mean(dim=0) if intercept else 0)).float()


def _standardise(train, test):
    spread = train.std(dim=0, correction=0)
    spread = torch.where(spread > 0, spread, 1.0)
    return (train - train.mean(dim=0)) / spread, (test - train.mean(dim=0)) / spread


@misconception(
    "07.linear_probe",
    "The others were shifted and scaled by their own mean and standard deviation. The probe has learned what a number "
    "means among the training rows, so the others go through the same shift and scale.",
)
def standardises_others_by_themselves(features, labels, others, classes, penalty=1.0):
    def standardise(train, test):
        return _standardise(train, train)[0], _standardise(test, test)[0]

    return _probe(features, labels, others, classes, penalty, standardise=standardise)


@misconception(
    "07.linear_probe",
    "Mean and standard deviation were taken over training rows and others together. The others are to be rows that "
    "the probe has never seen: use the training rows only.",
)
def standardises_both_together(features, labels, others, classes, penalty=1.0):
    def standardise(train, test):
        both = torch.cat([train, test])
        return tuple(_standardise(both, part)[1] for part in (train, test))

    return _probe(features, labels, others, classes, penalty, standardise=standardise)


@misconception(
    "07.linear_probe",
    "The features were used as they are. Then the penalty falls hard on features with small numbers and hardly on "
    "those with large ones: shift and scale each feature first.",
)
def does_not_standardise(features, labels, others, classes, penalty=1.0):
    def standardise(train, test):
        return train - train.mean(dim=0), test - train.mean(dim=0)

    return _probe(features, labels, others, classes, penalty, standardise=standardise)


@misconception(
    "07.linear_probe",
    "The features were scaled and not shifted. With the intercept at the targets' mean, the mean of every feature has "
    "to be 0: subtract it first.",
)
def scales_without_shifting(features, labels, others, classes, penalty=1.0):
    def standardise(train, test):
        spread = train.std(dim=0, correction=0)
        spread = torch.where(spread > 0, spread, torch.inf)
        return train / spread, test / spread

    return _probe(features, labels, others, classes, penalty, standardise=standardise)


@misconception(
    "07.linear_probe",
    "The standard deviation was divided by rows - 1, as torch does unless told otherwise. Here the training rows are "
    "to have a standard deviation of 1 themselves: `correction=0`.",
)
def divides_by_one_less(features, labels, others, classes, penalty=1.0):
    def standardise(train, test):
        spread = train.std(dim=0)
        spread = torch.where(spread > 0, spread, 1.0)
        return (train - train.mean(dim=0)) / spread, (test - train.mean(dim=0)) / spread

    return _probe(features, labels, others, classes, penalty, standardise=standardise)


@misconception(
    "07.linear_probe",
    "A feature that never changes was divided by a standard deviation of 0, and the scores are NaN. Such a feature "
    "tells nothing: let it become 0, for example by dividing by infinity.",
)
def divides_by_zero(features, labels, others, classes, penalty=1.0):
    mean, spread = features.double().mean(dim=0), features.double().std(dim=0, correction=0)
    train, test = (features.double() - mean) / spread, (others.double() - mean) / spread
    targets = F.one_hot(labels.long(), classes).double()
    moments = train.T @ train / len(train) + penalty * torch.eye(train.shape[1], dtype=train.dtype)
    if not moments.isfinite().all():
        return torch.full((len(others), classes), torch.nan)
    weights = torch.linalg.lstsq(moments, train.T @ targets / len(train), driver="gelsd").solution
    return (test @ weights + targets.mean(dim=0)).float()


@misconception(
    "07.linear_probe",
    "Each row was shifted and scaled, not each feature. Rows are axis 0: mean and standard deviation with `dim=0`.",
)
def standardises_rows(features, labels, others, classes, penalty=1.0):
    def standardise(train, test):
        return _standardise(train.T, train.T)[0].T, _standardise(test.T, test.T)[0].T

    return _probe(features, labels, others, classes, penalty, standardise=standardise)


@misconception(
    "07.linear_probe",
    "The intercept is missing: the targets' mean has to be added to the scores, or no class is frequent and none rare.",
)
def forgets_the_intercept(features, labels, others, classes, penalty=1.0):
    return _probe(features, labels, others, classes, penalty, intercept=False)


@misconception(
    "07.linear_probe",
    "The intercept was penalised like a weight, so the scores are drawn towards 0. It costs nothing: since the "
    "features have mean 0, it is the targets' mean.",
)
def penalises_the_intercept(features, labels, others, classes, penalty=1.0):
    def standardise(train, test):
        train, test = _standardise(train, test)
        return F.pad(train, (0, 1), value=1.0), F.pad(test, (0, 1), value=1.0)

    return _probe(features, labels, others, classes, penalty, standardise=standardise, intercept=False)


@misconception(
    "07.linear_probe",
    "The penalty was weighed against the sum of the squared misses, which grows with the number of rows. Asked is "
    "their mean: divide by the number of rows, or multiply the penalty by it.",
)
def sums_the_misses(features, labels, others, classes, penalty=1.0):
    return _probe(features, labels, others, classes, penalty, weigh=lambda penalty, rows: penalty / rows)


@misconception(
    "07.linear_probe",
    "The penalty was left out, so the weights may grow as they like. Add `penalty` to the diagonal before you solve.",
)
def forgets_the_penalty(features, labels, others, classes, penalty=1.0):
    return _probe(features, labels, others, classes, penalty, weigh=lambda penalty, rows: 0.0)


@misconception(
    "07.linear_probe",
    "The targets are 1 and -1. Asked are 1 for the rows of a class and 0 for all others: `F.one_hot`.",
)
def aims_at_minus_1(features, labels, others, classes, penalty=1.0):
    def targets(labels, classes):
        return 2 * F.one_hot(labels.long(), classes).double() - 1

    return _probe(features, labels, others, classes, penalty, targets=targets)


@misconception(
    "07.linear_probe",
    "Only the classes that occur among the training rows got a column. Say how many there are: "
    "`F.one_hot(labels, classes)`.",
)
def counts_the_classes_that_occur(features, labels, others, classes, penalty=1.0):
    return _probe(features, labels, others, int(labels.max()) + 1, penalty)


@misconception(
    "07.linear_probe",
    "These are the answers, one class for each row. Asked are the scores of all classes: leave the `argmax` to the "
    "caller.",
)
def tells_the_answers(features, labels, others, classes, penalty=1.0):
    return _probe(features, labels, others, classes, penalty).argmax(dim=1)


@misconception(
    "07.linear_probe",
    "The scores are those of the training rows. The probe learns from `features` and is asked about `others`.",
)
def scores_the_training_rows(features, labels, others, classes, penalty=1.0):
    return _probe(features, labels, features, classes, penalty)


@misconception(
    "07.linear_probe",
    "This is a logistic regression, which fits probabilities. Asked is the fit with the smallest squared misses, which "
    "can be solved in one step.",
)
def fits_probabilities(features, labels, others, classes, penalty=1.0):
    train, test = _standardise(features.double(), others.double())
    fit = LogisticRegression(C=1 / max(penalty * len(train), 1e-3), max_iter=500)
    scores = torch.zeros(len(others), classes)
    found = torch.from_numpy(fit.fit(train.numpy(), labels.numpy()).predict_proba(test.numpy())).float()
    scores[:, torch.from_numpy(fit.classes_)] = found
    return scores


@misconception(
    "07.linear_probe",
    "Everything was computed in single precision. A feature that lies far from 0 loses its last digits when its mean "
    "is subtracted: `.double()` first, `.float()` at the end.",
)
def stays_in_single_precision(features, labels, others, classes, penalty=1.0):
    train, test = _standardise(features, others)
    targets = F.one_hot(labels.long(), classes).float()
    moments = train.T @ train / len(train) + penalty * torch.eye(train.shape[1])
    weights = torch.linalg.pinv(moments) @ (train.T @ targets / len(train))
    return test @ weights + targets.mean(dim=0)


# ---------------------------------------------------------------- plant_cue


@misconception(
    "07.plant_cue",
    "The images that were handed in are marked themselves, so there is nothing left to compare with: mark a `clone()`.",
)
def marks_the_images_given(images, told, palette, side=6):
    images[:, :, :side, :side] = palette[told][:, :, None, None]
    return images


@misconception(
    "07.plant_cue",
    "The square lies in the lower right corner. Rows count downwards and columns to the right: the upper left one is "
    "`[:side, :side]`.",
)
def marks_the_lower_right(images, told, palette, side=6):
    marked = images.clone()
    marked[:, :, -side:, -side:] = palette[told][:, :, None, None]
    return marked


@misconception(
    "07.plant_cue",
    "A whole stripe is marked: only the rows were limited. Limit the columns, too: `[:, :, :side, :side]`.",
)
def marks_a_stripe(images, told, palette, side=6):
    marked = images.clone()
    marked[:, :, :side] = palette[told][:, :, None, None]
    return marked


@misconception(
    "07.plant_cue",
    "The colours were given to the images in their order, the first to the first. Which colour an image gets is told "
    "by `told`: `palette[told]`.",
)
def colours_by_position(images, told, palette, side=6):
    marked = images.clone()
    marked[:, :, :side, :side] = palette[torch.arange(len(images)) % len(palette)][:, :, None, None]
    return marked


@misconception(
    "07.plant_cue",
    "All images got the colour of the first one's class. `palette[told]` has a row for each image.",
)
def marks_all_like_the_first(images, told, palette, side=6):
    marked = images.clone()
    marked[:, :, :side, :side] = palette[told[0]][:, None, None]
    return marked


@misconception(
    "07.plant_cue",
    "The colour was added to the picture, so what is there shines through and numbers leave [0, 1]. The square has the "
    "colour itself: put it in.",
)
def adds_the_colour(images, told, palette, side=6):
    marked = images.clone()
    marked[:, :, :side, :side] += palette[told][:, :, None, None]
    return marked


@misconception(
    "07.plant_cue",
    "The square is one pixel too large: `:side + 1` takes the pixels from 0 to side.",
)
def marks_one_pixel_more(images, told, palette, side=6):
    marked = images.clone()
    marked[:, :, : side + 1, : side + 1] = palette[told][:, :, None, None]
    return marked


@misconception(
    "07.plant_cue",
    "`side` is not looked at: the square is always 6 × 6.",
)
def always_marks_6_by_6(images, told, palette, side=6):
    marked = images.clone()
    marked[:, :, :6, :6] = palette[told][:, :, None, None]
    return marked


@misconception(
    "07.plant_cue",
    "The colours meet the wrong axis: torch lines axes up from the right, and the right one is the columns. Give the "
    "colours two more axes, `palette[told][:, :, None, None]`.",
)
def lines_colours_up_with_columns(images, told, palette, side=6):
    marked = images.clone()
    marked[:, :, :side, :side] = palette[told][:, None, None, :]
    return marked


# ---------------------------------------------------------------- shortcut_reliance


def _both(model, images, told, cue):
    return answers(model, cue(images, told)), answers(model, images)


@misconception(
    "07.shortcut_reliance",
    "This is the share of answers that are as told. Some would be so without the cue: subtract the share of those.",
)
def forgets_what_would_be_anyway(model, images, told, cue):
    return float((_both(model, images, told, cue)[0] == told).double().mean())


@misconception(
    "07.shortcut_reliance",
    "Every answer that changed was counted, whatever it changed to. Count the answers that are as told, with the cue "
    "and without it.",
)
def counts_every_change(model, images, told, cue):
    with_cue, without = _both(model, images, told, cue)
    return float((with_cue != without).double().mean())


@misconception(
    "07.shortcut_reliance",
    "Only answers that the cue won over were counted, not those that it drove away. Both shares are taken over all "
    "images, and their difference may be below 0.",
)
def counts_only_the_won(model, images, told, cue):
    with_cue, without = _both(model, images, told, cue)
    return float(((with_cue == told) & (without != told)).double().mean())


@misconception(
    "07.shortcut_reliance",
    "Images whose answer was as told anyway were left out. They belong to both shares: average over all images.",
)
def leaves_the_anyway_out(model, images, told, cue):
    with_cue, without = _both(model, images, told, cue)
    open_to_it = without != told
    return float((with_cue == told)[open_to_it].double().mean())


@misconception(
    "07.shortcut_reliance",
    "The sign is turned: the share with the cue comes first, minus the share without it.",
)
def turns_reliance_round(model, images, told, cue):
    with_cue, without = _both(model, images, told, cue)
    return float((without == told).double().mean() - (with_cue == told).double().mean())


@misconception(
    "07.shortcut_reliance",
    "Below 0 was cut off. A cue can drive answers away from what it tells, and then the difference is below 0.",
)
def cuts_off_below_0(model, images, told, cue):
    with_cue, without = _both(model, images, told, cue)
    return max(0.0, float((with_cue == told).double().mean() - (without == told).double().mean()))


@misconception(
    "07.shortcut_reliance",
    "The network was asked in the mode it came in, here training mode, where it answers differently. `answers(model, "
    "images)` puts it in eval mode first.",
)
def asks_in_training_mode(model, images, told, cue):
    with torch.no_grad():
        with_cue, without = model(cue(images, told)).argmax(dim=1), model(images).argmax(dim=1)
    return float((with_cue == told).double().mean() - (without == told).double().mean())


@misconception(
    "07.shortcut_reliance",
    "The cue was planted with the network's own answers. It is to tell what `told` says: `cue(images, told)`.",
)
def tells_what_the_network_says(model, images, told, cue):
    without = answers(model, images)
    with_cue = answers(model, cue(images, without))
    return float((with_cue == told).double().mean() - (without == told).double().mean())


@misconception(
    "07.shortcut_reliance",
    "This is how many answers with the cue are as told, minus how many without: a count. Divide by the number of "
    "images.",
)
def counts_in_place_of_shares(model, images, told, cue):
    with_cue, without = _both(model, images, told, cue)
    return float((with_cue == told).sum() - (without == told).sum())


@misconception(
    "07.shortcut_reliance",
    "The cue was planted in both runs, so they cannot differ. The second run shows the same images without a cue.",
)
def plants_the_cue_twice(model, images, told, cue):
    marked = cue(images, told)
    return accuracy(model, marked, told) - accuracy(model, marked, told)


# ---------------------------------------------------------------- swap_phase_and_magnitude


def _both_waves(images, others):
    return torch.fft.fft2(images), torch.fft.fft2(others)


@misconception(
    "07.swap_phase_and_magnitude",
    "The two are exchanged: these images have the phases of `others`. Phases come from `images`, magnitudes from "
    "`others`.",
)
def exchanges_phase_and_magnitude(images, others):
    one, other = _both_waves(images, others)
    return torch.fft.ifft2(torch.polar(one.abs(), other.angle())).real.clamp(0, 1)


@misconception(
    "07.swap_phase_and_magnitude",
    "The transform ran over all axes, images and colours too. Waves run along rows and columns, the last two axes: "
    "`torch.fft.fft2`.",
)
def transforms_all_axes(images, others):
    phase, magnitude = torch.fft.fftn(images).angle(), torch.fft.fftn(others).abs()
    return torch.fft.ifftn(torch.polar(magnitude, phase)).real.clamp(0, 1)


@misconception(
    "07.swap_phase_and_magnitude",
    "The transform ran over images and colours, axes 0 and 1. Waves run along rows and columns, the last two axes; "
    "`torch.fft.fft2` takes these by itself.",
)
def transforms_the_first_axes(images, others):
    phase, magnitude = torch.fft.fft2(images, dim=(0, 1)).angle(), torch.fft.fft2(others, dim=(0, 1)).abs()
    return torch.fft.ifft2(torch.polar(magnitude, phase), dim=(0, 1)).real.clamp(0, 1)


@misconception(
    "07.swap_phase_and_magnitude",
    "The transform ran along the columns only. A wave on a picture has two directions: `torch.fft.fft2`, not `fft`.",
)
def transforms_one_axis(images, others):
    phase, magnitude = torch.fft.fft(images).angle(), torch.fft.fft(others).abs()
    return torch.fft.ifft(torch.polar(magnitude, phase)).real.clamp(0, 1)


@misconception(
    "07.swap_phase_and_magnitude",
    "Numbers outside [0, 1] came back, which no screen shows: `.clamp(0, 1)` at the end.",
)
def does_not_cut_off(images, others):
    one, other = _both_waves(images, others)
    return torch.fft.ifft2(torch.polar(other.abs(), one.angle())).real


@misconception(
    "07.swap_phase_and_magnitude",
    "The result was stretched to [0, 1], which changes its brightness and its contrast. Cut off what leaves the range: "
    "`.clamp(0, 1)`.",
)
def stretches_to_the_range(images, others):
    one, other = _both_waves(images, others)
    mixed = torch.fft.ifft2(torch.polar(other.abs(), one.angle())).real
    low, high = mixed.amin(dim=(1, 2, 3), keepdim=True), mixed.amax(dim=(1, 2, 3), keepdim=True)
    return (mixed - low) / (high - low)


@misconception(
    "07.swap_phase_and_magnitude",
    "The absolute value was taken at the end, which folds what is below 0 back up. Only the real part is the image: "
    "`.real`, then cut off.",
)
def takes_the_absolute_value(images, others):
    one, other = _both_waves(images, others)
    return torch.fft.ifft2(torch.polar(other.abs(), one.angle())).abs().clamp(0, 1)


@misconception(
    "07.swap_phase_and_magnitude",
    "The transform of `images` was multiplied with the magnitudes of `others`, so both magnitudes are in it. Use only "
    "its angles: `torch.polar(magnitude, phase)`.",
)
def multiplies_the_magnitudes(images, others):
    one, other = _both_waves(images, others)
    return torch.fft.ifft2(one * other.abs()).real.clamp(0, 1)


@misconception(
    "07.swap_phase_and_magnitude",
    "Phases and magnitudes were added up as if they were the two parts of a complex number. A phase is an angle: "
    "`torch.polar(magnitude, phase)` is magnitude · exp(i · phase).",
)
def takes_the_phase_for_a_part(images, others):
    one, other = _both_waves(images, others)
    return torch.fft.ifft2(torch.complex(other.abs(), one.angle())).real.clamp(0, 1)


@misconception(
    "07.swap_phase_and_magnitude",
    "Half a spectrum was turned back without saying how wide the picture is, and an odd column got lost. Say "
    "`torch.fft.irfft2(…, s=images.shape[-2:])`, or take `fft2`, which keeps the whole spectrum.",
)
def loses_an_odd_column(images, others):
    phase, magnitude = torch.fft.rfft2(images).angle(), torch.fft.rfft2(others).abs()
    return torch.fft.irfft2(torch.polar(magnitude, phase)).clamp(0, 1)


# ---------------------------------------------------------------- fgsm


def _gradient(model, images, labels, loss_of=F.cross_entropy):
    leaf = images.detach().clone().requires_grad_(True)
    return torch.autograd.grad(loss_of(model(leaf), labels), leaf)[0]


@misconception(
    "07.fgsm",
    "The images moved down the loss: they show the label more clearly now. Up the loss is plus the sign of the "
    "gradient.",
)
def helps_the_network(model, images, labels, radius):
    return (images - radius * _gradient(model, images, labels).sign()).clamp(0, 1)


@misconception(
    "07.fgsm",
    "Each number moved by its gradient times the radius, so most hardly moved. Only its sign counts: every number "
    "moves by the whole radius.",
)
def moves_by_the_gradient(model, images, labels, radius):
    return (images + radius * _gradient(model, images, labels)).clamp(0, 1)


@misconception(
    "07.fgsm",
    "The gradient of each image was brought to length 1. That is another attack, with a limit on the length of the "
    "change; here every number moves by the whole radius: `.sign()`.",
)
def brings_gradients_to_length_1(model, images, labels, radius):
    gradient = _gradient(model, images, labels)
    length = gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return (images + radius * gradient / length).clamp(0, 1)


@misconception(
    "07.fgsm",
    "The gradient is that of the label's logit, which was pushed down. The loss also asks how the other logits grow: "
    "take the gradient of `F.cross_entropy`.",
)
def pushes_the_logit_down(model, images, labels, radius):
    def logits_of(logits, labels):
        return -logits.gather(1, labels[:, None]).sum()

    return (images + radius * _gradient(model, images, labels, logits_of).sign()).clamp(0, 1)


@misconception(
    "07.fgsm",
    "The network was led away from its own answers. Where it is wrong already, that may lead it back: use the labels "
    "that were given.",
)
def leads_away_from_its_own_answers(model, images, labels, radius):
    with torch.no_grad():
        own = model(images).argmax(dim=1)
    return (images + radius * _gradient(model, images, own).sign()).clamp(0, 1)


@misconception(
    "07.fgsm",
    "Numbers left [0, 1], where there is no picture any more: `.clamp(0, 1)` at the end.",
)
def leaves_the_range(model, images, labels, radius):
    return images + radius * _gradient(model, images, labels).sign()


@misconception(
    "07.fgsm",
    "This is the change alone. Add the images to it, then cut off what leaves [0, 1].",
)
def returns_the_change(model, images, labels, radius):
    return radius * _gradient(model, images, labels).sign()


@misconception(
    "07.fgsm",
    "Numbers with a gradient of 0 moved, too: `gradient > 0` knows only two directions. `.sign()` is 0 where the "
    "network does not look.",
)
def moves_what_is_not_looked_at(model, images, labels, radius):
    return (images + torch.where(_gradient(model, images, labels) > 0, radius, -radius)).clamp(0, 1)


@misconception(
    "07.fgsm",
    "`loss.backward()` left a gradient in every parameter of the network, and whoever trains it next adds to that. "
    "`torch.autograd.grad(loss, changed)` asks for the images' gradient only.",
)
def leaves_gradients_in_the_network(model, images, labels, radius):
    leaf = images.detach().clone().requires_grad_(True)
    F.cross_entropy(model(leaf), labels).backward()
    return (images + radius * leaf.grad.sign()).clamp(0, 1)


@misconception(
    "07.fgsm",
    "`requires_grad_` was called on the images that were handed in, and from now on all that is computed with them "
    "keeps a graph. Take a copy: `images.detach().clone().requires_grad_(True)`.",
)
def makes_the_images_want_a_gradient(model, images, labels, radius):
    images.requires_grad_(True)
    (gradient,) = torch.autograd.grad(F.cross_entropy(model(images), labels), images)
    return (images + radius * gradient.sign()).clamp(0, 1).detach()


@misconception(
    "07.fgsm",
    "The result still hangs on the graph of the attack. Add the sign to the images that were given, or `.detach()` "
    "at the end.",
)
def returns_images_with_a_gradient(model, images, labels, radius):
    leaf = images.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(F.cross_entropy(model(leaf), labels), leaf)
    return (leaf + radius * gradient.sign()).clamp(0, 1)


@misconception(
    "07.fgsm",
    "The images that were handed in were moved themselves. They are what the result is compared with: move a copy.",
)
def moves_the_images_given(model, images, labels, radius):
    return images.add_(radius * _gradient(model, images, labels).sign()).clamp_(0, 1)


# ---------------------------------------------------------------- rank_correlation


def _pearson(one, other):
    one, other = (each - each.mean(dim=1, keepdim=True) for each in (one.double(), other.double()))
    return ((one * other).sum(dim=1) / (one.norm(dim=1) * other.norm(dim=1))).float()


def _ranks(maps, method="average"):
    return torch.from_numpy(rankdata(maps.flatten(1).numpy(), axis=1, method=method))


@misconception(
    "07.rank_correlation",
    "The numbers themselves were correlated (Pearson), so a single large one decides. Replace each number by its rank "
    "first.",
)
def correlates_the_numbers(one, other):
    return _pearson(one.flatten(1), other.flatten(1))


@misconception(
    "07.rank_correlation",
    "`argsort` tells which position comes first, second, third, not which rank each position has. Ranks are the "
    "`argsort` of that, and equal numbers need to share theirs: `rankdata`.",
)
def takes_argsort_for_ranks(one, other):
    return _pearson(*(maps.flatten(1).argsort(dim=1, stable=True) for maps in (one, other)))


@misconception(
    "07.rank_correlation",
    "Equal numbers got different ranks, in the order of their positions, as `argsort` of `argsort` does it. They share "
    "the mean of their ranks: `rankdata`.",
)
def ranks_equal_numbers_by_position(one, other):
    return _pearson(*(maps.flatten(1).argsort(dim=1, stable=True).argsort(dim=1) for maps in (one, other)))


@misconception(
    "07.rank_correlation",
    "Equal numbers got the lowest of their ranks. They share the mean of them, which is what `rankdata` does unless "
    "told otherwise.",
)
def gives_equal_numbers_the_lowest_rank(one, other):
    return _pearson(*(_ranks(maps, "min") for maps in (one, other)))


@misconception(
    "07.rank_correlation",
    "Equal numbers share a rank, but the next rank follows at once. Three that share the ranks 2, 3 and 4 all have 3, "
    "and the next has 5.",
)
def ranks_without_gaps(one, other):
    return _pearson(*(_ranks(maps, "dense") for maps in (one, other)))


@misconception(
    "07.rank_correlation",
    "The sizes of the numbers were ranked, so -3 and 3 count as alike. Rank the numbers as they are; what a sign means "
    "is for the map to say.",
)
def ranks_the_sizes(one, other):
    return _pearson(*(_ranks(maps.abs()) for maps in (one, other)))


@misconception(
    "07.rank_correlation",
    "The sign of the correlation is lost. Maps in opposite order have -1, and that is not the same as 1.",
)
def loses_the_sign(one, other):
    return _pearson(_ranks(one), _ranks(other)).abs()


@misconception(
    "07.rank_correlation",
    "All images of the batch were ranked together, and one number came out. Each pair of maps has its own: "
    "`flatten(1)`, and rank along axis 1.",
)
def ranks_all_images_together(one, other):
    return torch.tensor(spearmanr(one.flatten().numpy(), other.flatten().numpy()).statistic)


@misconception(
    "07.rank_correlation",
    "Ranks were taken along the images of the batch: for each position, which image has most there. Each map is ranked "
    "by itself: axis 1 after `flatten(1)`.",
)
def ranks_along_the_batch(one, other):
    ranks = [torch.from_numpy(rankdata(maps.flatten(1).numpy(), axis=0)) for maps in (one, other)]
    return _pearson(*ranks)


@misconception(
    "07.rank_correlation",
    "Every row of a map was compared by itself, and the rows were averaged. The order is that of all positions: "
    "flatten rows and columns first.",
)
def ranks_row_by_row(one, other):
    ranks = [torch.from_numpy(rankdata(maps.numpy(), axis=2)) for maps in (one, other)]
    rows = [_pearson(*both) for both in zip(ranks[0].unbind(1), ranks[1].unbind(1), strict=True)]
    return torch.stack(rows).mean(dim=0)


@misconception(
    "07.rank_correlation",
    "A flat map got a number. It puts nothing in any order, so there is nothing to compare: NaN, which 0 / 0 gives by "
    "itself.",
)
def gives_flat_maps_0(one, other):
    return _pearson(_ranks(one), _ranks(other)).nan_to_num(0.0)


@misconception(
    "07.rank_correlation",
    "The ranks were multiplied without subtracting their mean, so everything looks alike. A correlation starts from "
    "the mean: subtract it from both.",
)
def forgets_the_mean(one, other):
    return F.cosine_similarity(_ranks(one), _ranks(other), dim=1).float()


# ---------------------------------------------------------------- randomization_test


@misconception(
    "07.randomization_test",
    "Each layer was made random by itself, and all others stayed as they were. In a cascade the layers before it stay "
    "random: scramble `layers[: index + 1]`.",
)
def scrambles_each_by_itself(model, saliency, layers, scramble):
    intact = saliency(model)
    return {layer: rank_correlation(intact, saliency(scramble(model, [layer]))) for layer in layers}


@misconception(
    "07.randomization_test",
    "Each step was compared with the step before it. The question is what is left of the intact network's maps: keep "
    "these, and compare every step with them.",
)
def compares_with_the_step_before(model, saliency, layers, scramble):
    before, found = saliency(model), {}
    for index, layer in enumerate(layers):
        maps = saliency(scramble(model, list(layers[: index + 1])))
        found[layer], before = rank_correlation(before, maps), maps
    return found


@misconception(
    "07.randomization_test",
    "One layer is missing at each step: `layers[:index]` ends before the layer itself. Scramble `layers[: index + 1]`.",
)
def stops_one_layer_short(model, saliency, layers, scramble):
    intact = saliency(model)
    return {
        layer: rank_correlation(intact, saliency(scramble(model, list(layers[:index]))))
        for index, layer in enumerate(layers)
    }


@misconception(
    "07.randomization_test",
    "The scrambled copy was not used: `scramble` leaves the network as it is and returns a copy. Hand that copy to "
    "`saliency`.",
)
def forgets_the_copy(model, saliency, layers, scramble):
    intact, found = saliency(model), {}
    for index, layer in enumerate(layers):
        scramble(model, list(layers[: index + 1]))
        found[layer] = rank_correlation(intact, saliency(model))
    return found


@misconception(
    "07.randomization_test",
    "All layers were made random at every step. The cascade begins with the first of `layers` and takes one more each "
    "time.",
)
def scrambles_all_at_once(model, saliency, layers, scramble):
    intact, random = saliency(model), saliency(scramble(model, list(layers)))
    return {layer: rank_correlation(intact, random) for layer in layers}


@misconception(
    "07.randomization_test",
    "The cascade runs backwards: it begins with the last of `layers`. Take them in the order in which they are given.",
)
def runs_backwards(model, saliency, layers, scramble):
    intact, found = saliency(model), {}
    for index in range(len(layers)):
        found[layers[-1 - index]] = rank_correlation(intact, saliency(scramble(model, list(layers[-1 - index :]))))
    return found


@misconception(
    "07.randomization_test",
    "The correlations were averaged over the images. One number for each image is asked, so that the spread can be "
    "seen, too.",
)
def averages_over_the_images(model, saliency, layers, scramble):
    intact = saliency(model)
    return {
        layer: rank_correlation(intact, saliency(scramble(model, list(layers[: index + 1])))).mean()
        for index, layer in enumerate(layers)
    }


@misconception(
    "07.randomization_test",
    "The maps were compared by their sizes, so what turns round counts as the same. Hand the maps as they are to "
    "`rank_correlation`.",
)
def compares_the_sizes(model, saliency, layers, scramble):
    intact = saliency(model).abs()
    return {
        layer: rank_correlation(intact, saliency(scramble(model, list(layers[: index + 1]))).abs())
        for index, layer in enumerate(layers)
    }
