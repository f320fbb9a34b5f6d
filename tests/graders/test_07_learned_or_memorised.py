"""Lesson 07: labels by lot, training by hand, what a layer tells, cues, spectra, attacks, maps put to the test."""

import copy
import itertools

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from torch import nn

from innervision.classroom.exercises import exercise, question, scenario


def drawn(model, generator):
    """The network, with random weights from the generator."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


# ---------------------------------------------------------------- labels by lot

MANY = 100_000  # classes, so that hardly any label drawn anew happens to be what it was
DRAWS = 10
SHARES = {
    "13 of 42 labels (share 0.3)": (42, 0.3, 13),
    "12 of 41 labels (share 0.3)": (41, 0.3, 12),
    "all 9 labels (share 1)": (9, 1.0, 9),
}


@scenario
def lots_drawn_again_and_again(student, generator):
    """Each case ten times with one generator, and ten times more with another one of the same seed."""
    seed = int(torch.randint(2**31, (), generator=generator))
    cases = {}
    for case, (count, share, _) in SHARES.items():
        labels = torch.randint(MANY, (count,), generator=generator)
        given = labels.clone()

        def ten_times(labels=labels, share=share):
            lots = torch.Generator().manual_seed(seed)
            return [student.randomize_labels(labels, share, MANY, lots) for _ in range(DRAWS)]

        cases[case] = {"drawn": ten_times(), "again": ten_times(), "given": given, "given, afterwards": labels}
    return cases


def as_many_as_asked(outcome, reference):
    for case, (_, _, wanted) in SHARES.items():
        given, found = reference[case]["given"], outcome[case]
        if not torch.equal(found["given, afterwards"], given):
            return f"{case}: the labels that were given are changed themselves"
        if fault := labels_like(given, found["drawn"]):
            return f"{case}: {fault}"
        changed = [int((labels != given).sum()) for labels in found["drawn"]]
        # A label drawn anew stays what it was once in 100,000 times: one may, but not one in each of ten draws.
        if max(changed) != wanted or min(changed) < wanted - 1:
            return f"{case}: in {DRAWS} draws {', '.join(map(str, changed))} labels differ from those given"
        if torch.equal(found["drawn"][0], found["drawn"][1]) or not torch.equal(*map(torch.stack, lots_of(found))):
            return f"{case}: {what_repeats(found)}"
    return True


def labels_like(given, lots):
    """What is wrong with them as labels, or nothing."""
    for labels in lots:
        if not isinstance(labels, torch.Tensor) or labels.shape != given.shape:
            return f"{kind(labels)} in place of {kind(given)}"
        if labels.dtype != given.dtype:
            return f"labels of type {labels.dtype}, where those given have {given.dtype}"
        if int(labels.min()) < 0 or int(labels.max()) >= MANY:
            return f"labels from {int(labels.min())} to {int(labels.max())}; {MANY} classes are 0 to {MANY - 1}"
    return ""


def kind(value):
    return f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else f"a {type(value).__name__}"


def lots_of(found):
    return found["drawn"], found["again"]


def what_repeats(found):
    if torch.equal(found["drawn"][0], found["drawn"][1]):
        return "a second call with the same generator drew the very same labels"
    return "two generators of the same seed gave different labels"


@exercise("07.randomize_labels", points=1)
def test_so_many_as_asked_are_drawn_anew_with_the_generator(judge):
    expected = "a copy in which round(share × images) labels were drawn anew, with the generator"
    judge(lots_drawn_again_and_again).satisfies(as_many_as_asked, expected=expected)


CLASSES = 5
IMAGES = 6000


@scenario
def thousands_of_labels(student, generator):
    """Of five classes only 0 and 1 are there before the draw."""
    labels = torch.randint(2, (IMAGES,), generator=generator, dtype=torch.int32)
    found = {"labels before": labels.clone()}
    for case, share in (("all", 1.0), ("half", 0.5), ("none", 0.0)):
        found[case] = student.randomize_labels(labels.clone(), share, CLASSES, generator)
    return found


def blind_lots(outcome, reference):
    before = reference["labels before"]
    for case in ("all", "half", "none"):
        if fault := labels_like(before, [outcome[case]]):
            return f"share {case}: {fault}"
    for old, new in itertools.product(range(2), range(CLASSES)):
        number, count = int((outcome["all"][before == old] == new).sum()), int((before == old).sum())
        if fault := too_far(number, count, 1 / CLASSES):
            return f"share 1, {CLASSES} classes: of {count} labels that were {old}, {number} are {new} now; {fault}"
    changed = outcome["half"] != before
    for old, half in itertools.product(range(2), range(2)):
        here = (before == old) & ((torch.arange(IMAGES) >= IMAGES // 2) == bool(half))
        number, count = int(changed[here].sum()), int(here.sum())
        if fault := too_far(number, count, 0.5 * (1 - 1 / CLASSES)):
            where = ("first", "second")[half]
            return f"share 0.5, {where} half of the list: of {count} labels that were {old}, {number} changed; {fault}"
    return True if torch.equal(outcome["none"], before) else "share 0: labels have changed"


def too_far(number, count, chance):
    """Further from its mean than six standard deviations, which happens by chance once in 500 million times."""
    mean, deviation = count * chance, (count * chance * (1 - chance)) ** 0.5
    return f"about {mean:.0f} are expected" if abs(number - mean) > 6 * deviation else ""


@exercise("07.randomize_labels", points=1)
def test_all_labels_are_chosen_alike_and_all_classes_drawn_alike(judge):
    expected = "labels chosen all over the list, and drawn from all classes alike, whatever they were"
    judge(thousands_of_labels).satisfies(blind_lots, expected=expected)


# ---------------------------------------------------------------- an epoch

GRAIN = 16  # the first pixel of image i is i / 16: the network can tell the images apart


class Noting(nn.Module):
    """A linear classifier that notes which images it gets, and in which mode."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 3)
        self.seen, self.modes = [], []

    def forward(self, images):
        self.seen.append((GRAIN * images[:, 0, 0, 0]).round().long().tolist())
        self.modes.append("training" if self.training else "eval")
        return self.linear(images.flatten(1))


def to_learn(generator, images=10):
    """A network in eval mode, images that can be told apart, and their labels."""
    network = drawn(Noting(), generator).eval()
    pictures = torch.rand(images, 3, 2, 2, generator=generator)
    pictures[:, 0, 0, 0] = torch.arange(images) / GRAIN
    return network, pictures, torch.randint(3, (images,), generator=generator)


def epochs_of(student, task, generator, number, momentum=0.0, **batch):
    """What each epoch said and left behind."""
    network, images, labels = task
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5, momentum=momentum)
    epochs = []
    for _ in range(number):
        network.seen.clear(), network.modes.clear()
        network.eval()
        loss = student.train_epoch(network, optimizer, images, labels, generator, **batch)
        weights = torch.cat([parameter.detach().flatten().clone() for parameter in network.parameters()])
        hangs = isinstance(loss, torch.Tensor) and loss.requires_grad
        told = {"loss": loss, "the loss hangs on a gradient": hangs, "weights afterwards": weights}
        epochs.append({**told, "images of each batch": list(network.seen), "modes": sorted(set(network.modes))})
    return epochs


@scenario
def one_batch_an_epoch(student, generator):
    epochs = epochs_of(student, to_learn(generator), generator, number=3)
    names = ("loss", "the loss hangs on a gradient", "weights afterwards")
    return {f"epoch {number}": {name: one[name] for name in names} for number, one in enumerate(epochs, start=1)}


@scenario
def three_batches_an_epoch(student, generator):
    task = to_learn(generator)
    start = torch.cat([parameter.detach().flatten().clone() for parameter in task[0].parameters()])
    epochs = epochs_of(student, task, generator, number=3, momentum=0.9, batch=4)
    return {"epochs": epochs, "start": start, "images": task[1], "labels": task[2]}


@scenario
def orders_of_epochs(student, generator):
    seed = int(torch.randint(2**31, (), generator=generator))
    task, orders = to_learn(generator), {}
    for case in ("with a generator", "with another generator of the same seed"):
        lots = torch.Generator().manual_seed(seed)
        epochs = epochs_of(student, task, lots, number=3, batch=4)
        orders[case] = [list(itertools.chain(*one["images of each batch"])) for one in epochs]
    orders["modes"] = sorted({mode for one in epochs for mode in one["modes"]})
    return orders


class ByHand:
    """Softmax regression with gradients from the textbook, stepped with momentum, by NumPy."""

    def __init__(self, weights, images, labels, momentum):
        self.weights, self.speed, self.momentum = weights.double().numpy().copy(), 0.0, momentum
        self.inputs = np.concatenate([images.flatten(1).double().numpy(), np.ones((len(images), 1))], axis=1)
        self.targets = np.eye(3)[labels.numpy()]

    def step(self, batch):
        """Learn from one batch; its loss before the step."""
        inputs, targets = self.inputs[batch], self.targets[batch]
        matrix = np.concatenate([self.weights[:36].reshape(3, 12), self.weights[36:, None]], axis=1)
        chances = np.exp(inputs @ matrix.T)
        chances /= chances.sum(axis=1, keepdims=True)
        gradient = (chances - targets).T @ inputs / len(batch)
        flat = np.concatenate([gradient[:, :12].ravel(), gradient[:, 12]])
        self.speed = self.momentum * self.speed + flat
        self.weights = self.weights - 0.5 * self.speed
        return -np.log((chances * targets).sum(axis=1)).mean()


def three_steps_by_hand(generator):
    network, images, labels = to_learn(generator)
    start = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    teacher, epochs = ByHand(start, images, labels, 0.0), {}
    for number in (1, 2, 3):
        told = {"loss": float(teacher.step(list(range(10)))), "the loss hangs on a gradient": False}
        epochs[f"epoch {number}"] = {**told, "weights afterwards": torch.from_numpy(teacher.weights)}
    return epochs


def learns_batch_by_batch(outcome, reference):
    """The student's own batches, worked through once more by hand."""
    teacher = ByHand(reference["start"], reference["images"], reference["labels"], 0.9)
    for number, one in enumerate(outcome["epochs"], start=1):
        batches = one["images of each batch"]
        if sorted(itertools.chain(*batches)) != list(range(10)) or [*map(len, batches)] != [4, 4, 2]:
            return f"epoch {number}: the network saw images {in_words(batches)}, in batches of {[*map(len, batches)]}"
        losses = [teacher.step(batch) for batch in batches]
        if abs(float(one["loss"]) - np.mean(losses)) > 1e-4:
            told = ", ".join(f"{loss:.5g}" for loss in losses)
            return f"epoch {number}: {float(one['loss']):.6g} came back; the losses of its batches are {told}"
        if np.abs(one["weights afterwards"].double().numpy() - teacher.weights).max() > 1e-4:
            return f"epoch {number}: the weights after batches {in_words(batches)} are not those of one step for each"
    return True


def in_words(batches):
    return " | ".join(" ".join(map(str, batch)) for batch in batches)


def other_orders(outcome, _):
    first, again = outcome["with a generator"], outcome["with another generator of the same seed"]
    if outcome["modes"] != ["training"]:
        return f"the network was in {' and '.join(outcome['modes'])} mode"
    for number, (one, other) in enumerate(itertools.pairwise([list(range(10)), *first]), start=1):
        if one == other:
            return f"epoch {number}: images in the order {in_words([other])}" + " once more" * (number > 1)
    return True if first == again else "two generators of the same seed put the images in different orders"


@exercise("07.train_epoch", points=1)
def test_one_batch_is_one_step_down_its_loss(judge):
    judge(one_batch_an_epoch).expect(three_steps_by_hand, atol=1e-4)  # float32, three steps


@exercise("07.train_epoch", points=1)
def test_every_image_is_learned_from_once_batch_by_batch(judge):
    expected = "10 images, each once, in batches of 4, 4 and 2; one step for each; the mean of the three losses"
    judge(three_batches_an_epoch).satisfies(learns_batch_by_batch, expected=expected)


@exercise("07.train_epoch", points=1)
def test_a_new_order_from_the_generator_in_training_mode(judge):
    expected = "another order in each epoch, drawn with the generator, and a network in training mode"
    judge(orders_of_epochs).satisfies(other_orders, expected=expected)


# ---------------------------------------------------------------- what a layer tells


def rows_to_read(generator, train=24, features=4, classes=3, shift=0.0):
    """Features of different sizes, and others that lie elsewhere; rare and frequent classes."""
    sizes, middles = torch.tensor([0.3, 1.0, 4.0, 20.0])[:features], shift + torch.randn(features, generator=generator)
    known = middles + sizes * torch.randn(train, features, generator=generator)
    others = middles + 1.5 * sizes * (1 + torch.randn(6, features, generator=generator))
    labels = torch.randint(classes, (train, 2), generator=generator).amin(dim=1)
    labels[:classes] = torch.arange(classes)
    return known, labels, others, classes


PENALTIES = {"the usual penalty": {}, "penalty 0.05": {"penalty": 0.05}, "penalty 4": {"penalty": 4.0}}


@scenario
def probes_with_penalties(student, generator):
    rows = rows_to_read(generator)
    return {case: student.linear_probe(*rows, **penalty) for case, penalty in PENALTIES.items()}


@scenario
def probes_of_awkward_rows(student, generator):
    return {case: student.linear_probe(*rows) for case, rows in awkward_rows(generator).items()}


@scenario
def probes_far_from_0(student, generator):
    return student.linear_probe(*rows_to_read(generator, shift=3000.0), penalty=1e-3)


def awkward_rows(generator):
    known, labels, others, classes = rows_to_read(generator)
    still = known.clone()
    still[:, 1] = 0.7
    few = torch.randn(5, 12, generator=generator), torch.arange(5) % 3, torch.randn(4, 12, generator=generator)
    return {
        "feature 1 is 0.7 in all training rows": (still, labels, others, classes),
        "5 classes, of which the training rows have 3": (known, labels, others, 5),
        "5 training rows with 12 features": (*few, 3),
    }


def read_by_sklearn(known, labels, others, classes, penalty=1.0):
    """Ridge regression, whose penalty is weighed against a sum over the rows in place of a mean."""
    scaler = StandardScaler().fit(known.double().numpy())
    ridge = Ridge(alpha=penalty * len(known), solver="svd")
    ridge.fit(scaler.transform(known.double().numpy()), np.eye(classes)[labels.numpy()])
    return torch.from_numpy(ridge.predict(scaler.transform(others.double().numpy())))


def penalties_by_sklearn(generator):
    rows = rows_to_read(generator)
    return {case: read_by_sklearn(*rows, **penalty) for case, penalty in PENALTIES.items()}


@exercise("07.linear_probe", points=2)
def test_the_scores_of_a_ridge_regression_on_standardised_features(judge):
    judge(probes_with_penalties).expect(penalties_by_sklearn, atol=1e-4)  # room for single precision


@exercise("07.linear_probe", points=1)
def test_still_features_absent_classes_and_few_rows(judge):
    judge(probes_of_awkward_rows).expect(
        lambda generator: {case: read_by_sklearn(*rows) for case, rows in awkward_rows(generator).items()}, atol=1e-4
    )


@exercise("07.linear_probe", points=1)
def test_double_precision_keeps_what_lies_far_from_0(judge):
    judge(probes_far_from_0).expect(
        lambda generator: read_by_sklearn(*rows_to_read(generator, shift=3000.0), penalty=1e-3), atol=1e-5
    )


# ---------------------------------------------------------------- a cue


def to_mark(generator):
    """Pictures of 8 × 9 pixels, what they are told, and a colour for each of six classes."""
    images, palette = torch.rand(4, 3, 8, 9, generator=generator), torch.rand(6, 3, generator=generator)
    return images, torch.randint(6, (4,), generator=generator), palette


SIDES = {"6 × 6 pixels, as usual": {}, "2 × 2 pixels": {"side": 2}, "1 pixel": {"side": 1}}


@scenario
def corners_marked(student, generator):
    images, told, palette = to_mark(generator)
    return {
        f"classes {told.tolist()}, a corner of {case}": student.plant_cue(images.clone(), told, palette, **side)
        for case, side in SIDES.items()
    }


@scenario
def what_was_given_to_mark(student, generator):
    images, told, palette = to_mark(generator)
    marked = student.plant_cue(images, told, palette)
    return {"marked": marked, "images afterwards": images, "told afterwards": told, "palette afterwards": palette}


def marked_by_numpy(images, told, palette, side=6):
    """Pixel by pixel."""
    marked = images.numpy().copy()
    for image, row, column in np.ndindex(len(marked), side, side):
        marked[image, :, row, column] = palette[int(told[image])].numpy()
    return torch.from_numpy(marked)


def corners_by_numpy(generator):
    images, told, palette = to_mark(generator)
    return {
        f"classes {told.tolist()}, a corner of {case}": marked_by_numpy(images, told, palette, **side)
        for case, side in SIDES.items()
    }


def given_by_numpy(generator):
    images, told, palette = to_mark(generator)
    afterwards = {"images afterwards": images, "told afterwards": told, "palette afterwards": palette}
    return {"marked": marked_by_numpy(images, told, palette), **afterwards}


@exercise("07.plant_cue", points=1)
def test_the_corner_has_the_colour_of_the_class_that_is_told(judge):
    judge(corners_marked).expect(corners_by_numpy, atol=0)  # colours are only copied


@exercise("07.plant_cue", points=1)
def test_a_copy_is_marked_and_what_was_given_stays(judge):
    judge(what_was_given_to_mark).expect(given_by_numpy, atol=0)


# ---------------------------------------------------------------- how much a network leans on a cue


class Brightest(nn.Module):
    """The answer is the brightest of three colours."""

    def forward(self, images):
        return images.amax(dim=(2, 3))


TABLES = {"wins": (5, 2), "repels": (1, 4)}  # images of 8 that are answered as told: with the cue, without it


def tables(generator):
    """In words, and as tensors: what eight images are told, their answers without a cue, and with it."""
    found = {}
    for followed, anyway in TABLES.values():
        told = torch.randint(3, (8,), generator=generator)
        answers = []
        for count in (anyway, followed):
            away = torch.randint(1, 3, (8,), generator=generator)
            away[torch.randperm(8, generator=generator)[:count]] = 0
            answers.append((told + away) % 3)
        lists = told.tolist(), *(each.tolist() for each in answers)
        found["told {}, answered {} without the cue and {} with it".format(*lists)] = told, *answers
    return found


@scenario
def reliance_by_table(student, generator):
    found = {}
    for case, (told, without, with_cue) in tables(generator).items():

        def cue(images, told, away=with_cue - told):
            return colored((told + away) % 3)

        found[case] = student.shortcut_reliance(Brightest(), colored(without), told, cue)
    return found


def colored(classes):
    """Red, green or blue images of 2 × 2 pixels."""
    return torch.eye(3)[classes].view(-1, 3, 1, 1).repeat(1, 1, 2, 2)


class Moody(nn.Module):
    """A linear classifier that answers the opposite while it is in training mode."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 4)

    def forward(self, images):
        logits = self.linear(images.flatten(1))
        return -logits if self.training else logits


def pulls(generator):
    """A network in training mode, images, classes, and how hard a cue pulls at each image (or pushes it away).

    A third of the images are told what the network would answer anyway, and the cue does everything to some of these.
    """
    model = drawn(Moody(), generator).train()
    images, told = torch.rand(24, 3, 2, 2, generator=generator), torch.randint(4, (24,), generator=generator)
    kinds = torch.randperm(24, generator=generator)
    with torch.no_grad():
        told = torch.where(kinds < 8, model.linear(images.flatten(1)).argmax(dim=1), told)
    return model, images, told, torch.tensor([30.0, 30.0, 0.0, -30.0])[kinds % 4]


def cue_for(model, strengths):
    """A cue that moves each image along the weights of the class that is told."""

    def cue(images, told):
        with torch.no_grad():
            return images + strengths.view(-1, 1, 1, 1) * model.linear.weight[told].view_as(images)

    return cue


PULLS = {
    "a cue that pulls at some images and pushes others away": lambda strengths: strengths,
    "a cue that only pulls": lambda strengths: strengths.clamp(min=0),
    "a cue that only pushes away": lambda strengths: strengths.clamp(max=0),
}


@scenario
def reliance_on_pulls(student, generator):
    model, images, told, strengths = pulls(generator)
    return {
        case: student.shortcut_reliance(model.train(), images, told, cue_for(model, chosen(strengths)))
        for case, chosen in PULLS.items()
    }


def reliance_by_numpy(generator):
    model, images, told, strengths = pulls(generator)
    weight, bias = (parameter.detach().double().numpy() for parameter in model.parameters())
    pictures, wanted = images.flatten(1).double().numpy(), told.numpy()

    def share(inputs):
        return float(((inputs @ weight.T + bias).argmax(axis=1) == wanted).mean())

    return {
        case: share(pictures + chosen(strengths).double().numpy()[:, None] * weight[wanted]) - share(pictures)
        for case, chosen in PULLS.items()
    }


@exercise("07.shortcut_reliance", points=2)
def test_the_share_that_follows_minus_the_share_that_would_anyway(judge):
    shares = [(followed - anyway) / 8 for followed, anyway in TABLES.values()]
    judge(reliance_by_table).expect(lambda generator: dict(zip(tables(generator), shares, strict=True)), atol=1e-6)


@exercise("07.shortcut_reliance", points=1)
def test_a_network_is_asked_in_eval_mode(judge):
    judge(reliance_on_pulls).expect(reliance_by_numpy, atol=1e-6)


# ---------------------------------------------------------------- phases and magnitudes


def clear_pictures(shape, contrast, generator):
    """Of twenty random batches the one whose weakest wave is strongest: without a wave there is no phase to tell."""
    batches = (0.5 + contrast * (torch.rand(20, *shape, generator=generator) - 0.5)).clamp(0, 1)
    return batches[torch.fft.fft2(batches).abs().flatten(1).amin(dim=1).argmax()]


def two_kinds(generator):
    """Soft pictures of 5 × 6 and 4 × 7 pixels; what comes out stays in [0, 1]."""
    kinds = {}
    for shape in ((2, 3, 5, 6), (1, 3, 4, 7)):
        one, other = (clear_pictures(shape, 0.1, generator) for _ in range(2))
        kinds[f"soft pictures of {shape[2]} × {shape[3]}"] = one, other
    return kinds


def hard_pictures(generator):
    """Many numbers are at 0 or 1, and much of what comes out leaves [0, 1]."""
    one, other = (clear_pictures((2, 3, 6, 4), 2.5, generator) for _ in range(2))
    return {"hard pictures": (one, other), "a picture with its own magnitudes": (one, one)}


@scenario
def soft_pictures_swapped(student, generator):
    return {case: student.swap_phase_and_magnitude(*both) for case, both in two_kinds(generator).items()}


@scenario
def hard_pictures_swapped(student, generator):
    return {case: student.swap_phase_and_magnitude(*both) for case, both in hard_pictures(generator).items()}


def waves_by_hand(size):
    """Every wave on so many pixels, a row for each: the discrete Fourier transform as a matrix."""
    steps = np.arange(size)
    return np.exp(-2j * np.pi * np.outer(steps, steps) / size)


def swapped_by_numpy(images, others):
    """Channel by channel, with the transform written as two matrices."""
    swapped = np.empty(images.shape)
    down, across = waves_by_hand(images.shape[2]), waves_by_hand(images.shape[3])
    for index in np.ndindex(*images.shape[:2]):
        one, other = (down @ both[index].double().numpy() @ across for both in (images, others))
        turned = np.abs(other) * np.exp(1j * np.angle(one))
        swapped[index] = (np.linalg.inv(down) @ turned @ np.linalg.inv(across)).real
    return torch.from_numpy(swapped.clip(0, 1))


@exercise("07.swap_phase_and_magnitude", points=1)
def test_phases_of_the_first_and_magnitudes_of_the_second(judge):
    judge(soft_pictures_swapped).expect(
        lambda generator: {case: swapped_by_numpy(*both) for case, both in two_kinds(generator).items()}, atol=1e-4
    )


@exercise("07.swap_phase_and_magnitude", points=1)
def test_what_leaves_the_range_is_cut_off_and_ones_own_changes_nothing(judge):
    judge(hard_pictures_swapped).expect(hard_by_numpy, atol=1e-4)


def hard_by_numpy(generator):
    (one, other), own = hard_pictures(generator).values()
    return {"hard pictures": swapped_by_numpy(one, other), "a picture with its own magnitudes": own[0]}


# ---------------------------------------------------------------- the fast gradient sign method


def to_fool(generator):
    """A small network that does not look at blue, images well inside [0, 1], and labels."""
    model = drawn(nn.Sequential(nn.Flatten(), nn.Linear(18, 6), nn.Tanh(), nn.Linear(6, 4)), generator)
    with torch.no_grad():
        model[1].weight.mul_(0.5)
        model[1].weight[:, 12:] = 0
    images = 0.3 + 0.4 * torch.rand(5, 3, 2, 3, generator=generator)
    return model.eval(), images, torch.randint(4, (5,), generator=generator)


def black_and_white(images):
    """The same images with much more contrast: about half of the numbers are at 0 or 1."""
    return (2.5 * (images - 0.5) + 0.5).clamp(0, 1)


@scenario
def led_away(student, generator):
    model, images, labels = to_fool(generator)
    radii = {"radius 0.05": 0.05, "radius 0.2": 0.2}
    found = {case: student.fgsm(model, images, labels, radius) for case, radius in radii.items()}
    return {**found, "the last image alone": student.fgsm(model, images[4:], labels[4:], 0.05)}


@scenario
def led_away_at_the_limits(student, generator):
    model, images, labels = to_fool(generator)
    return {"radius 0.3, numbers at 0 and 1": student.fgsm(model, black_and_white(images), labels, 0.3)}


@scenario
def left_behind(student, generator):
    model, images, labels = to_fool(generator)
    given = images.clone()
    found = student.fgsm(model, images, labels, 0.1)
    return {
        "images": found.detach().clone(),
        "they hang on a gradient": found.requires_grad,
        "images that were given, afterwards": images.detach().clone(),
        "they want a gradient": images.requires_grad,
        "parameters with a gradient": sum(parameter.grad is not None for parameter in model.parameters()),
        "parameters that can still learn": sum(parameter.requires_grad for parameter in model.parameters()),
        "given": given,
    }


def moved_by_numpy(model, images, labels, radius):
    """The gradient from the textbook, layer by layer."""
    weight, bias, last, end = (parameter.detach().double().numpy() for parameter in model.parameters())
    hidden = np.tanh(images.flatten(1).double().numpy() @ weight.T + bias)
    chances = np.exp(hidden @ last.T + end)
    chances /= chances.sum(axis=1, keepdims=True)
    gradient = ((chances - np.eye(4)[labels.numpy()]) @ last * (1 - hidden**2)) @ weight
    moved = images.double().numpy() + radius * np.sign(gradient).reshape(images.shape)
    return torch.from_numpy(moved.clip(0, 1))


def led_away_by_numpy(generator):
    model, images, labels = to_fool(generator)
    found = {f"radius {radius}": moved_by_numpy(model, images, labels, radius) for radius in (0.05, 0.2)}
    return {**found, "the last image alone": moved_by_numpy(model, images, labels, 0.05)[4:]}


def at_the_limits_by_numpy(generator):
    model, images, labels = to_fool(generator)
    return {"radius 0.3, numbers at 0 and 1": moved_by_numpy(model, black_and_white(images), labels, 0.3)}


def nothing_left_behind(generator):
    model, images, labels = to_fool(generator)
    return {
        "images": moved_by_numpy(model, images, labels, 0.1),
        "they hang on a gradient": False,
        "images that were given, afterwards": images,
        "they want a gradient": False,
        "parameters with a gradient": 0,
        "parameters that can still learn": 4,
        "given": images,
    }


@exercise("07.fgsm", points=1)
def test_every_number_moves_by_the_radius_up_the_loss(judge):
    judge(led_away).expect(led_away_by_numpy, atol=1e-5)


@exercise("07.fgsm", points=1)
def test_no_number_leaves_the_range(judge):
    judge(led_away_at_the_limits).expect(at_the_limits_by_numpy, atol=1e-5)


@exercise("07.fgsm", points=1)
def test_nothing_is_left_behind(judge):
    judge(left_behind).expect(nothing_left_behind, atol=1e-5)


# ---------------------------------------------------------------- the same order?


def pairs_of_maps(generator):
    """Pairs in which no two numbers are alike, of both signs."""
    one, noise = torch.randn(2, 4, 3, 5, generator=generator)
    few = [torch.randperm(9, generator=generator)[:6].view(1, 2, 3).float() for _ in range(2)]
    return {
        f"maps {few[0][0].int().tolist()} and {few[1][0].int().tolist()}": tuple(few),
        "4 pairs of 3 × 5, related": (one, one + torch.tensor([0.0, 0.5, 2.0, 50.0]).view(4, 1, 1) * noise),
        "the same order in other numbers": (one, one.exp()),
        "the opposite order": (one, -(one**3)),
    }


def maps_with_ties(generator):
    """Nothing but the numbers 0, 1, 3 and 10: all four are in each map, and most of them often."""
    numbers = torch.tensor([0.0, 1.0, 3.0, 10.0])
    one, other = numbers[torch.randint(4, (2, 3, 4, 4), generator=generator)]
    one[:, 0], other[:, 0] = numbers, numbers
    few = torch.tensor([[[[5.0, 2.0, 2.0], [7.0, 5.0, 5.0]]], [[[1.0, 1.0, 4.0], [6.0, 4.0, 6.0]]]])
    few = [maps.flatten(1)[:, torch.randperm(6, generator=generator)].view(1, 2, 3) for maps in few]
    return {
        f"maps {few[0][0].int().tolist()} and {few[1][0].int().tolist()}": tuple(few),
        "3 pairs of the numbers 0, 1, 3 and 10": (one, other),
        "each with itself": (one, one),
    }


FLAT = "4 pairs; the second has a flat map first, the third a flat map last"


def maps_that_are_flat(generator):
    """Of four pairs the second has nothing but 0.3 in the first map, the third nothing but 0 in the other."""
    one, other = torch.randn(2, 4, 2, 4, generator=generator)
    one[1], other[2] = 0.3, 0.0
    return one, other


@scenario
def orders_compared(student, generator):
    return {case: student.rank_correlation(*both) for case, both in pairs_of_maps(generator).items()}


@scenario
def orders_with_ties(student, generator):
    return {case: student.rank_correlation(*both) for case, both in maps_with_ties(generator).items()}


@scenario
def orders_of_flat_maps(student, generator):
    return {FLAT: student.rank_correlation(*maps_that_are_flat(generator))}


def by_scipy(one, other):
    """Pair by pair."""
    pairs = zip(one.flatten(1).double().numpy(), other.flatten(1).double().numpy(), strict=True)
    flat = (min(np.ptp(a), np.ptp(b)) == 0 for a, b in zip(one.numpy(), other.numpy(), strict=True))
    found = [np.nan if same else spearmanr(*pair).statistic for pair, same in zip(pairs, flat, strict=True)]
    return torch.tensor(found)


@exercise("07.rank_correlation", points=1)
def test_only_the_order_counts_pair_by_pair(judge):
    judge(orders_compared).expect(
        lambda generator: {case: by_scipy(*both) for case, both in pairs_of_maps(generator).items()}, atol=1e-5
    )


@exercise("07.rank_correlation", points=1)
def test_equal_numbers_share_their_rank(judge):
    judge(orders_with_ties).expect(
        lambda generator: {case: by_scipy(*both) for case, both in maps_with_ties(generator).items()}, atol=1e-5
    )


@exercise("07.rank_correlation", points=1)
def test_a_flat_map_has_no_order(judge):
    judge(orders_of_flat_maps).expect(
        lambda generator: {FLAT: by_scipy(*maps_that_are_flat(generator))},
        atol=1e-5,
        equal_nan=True,
    )


# ---------------------------------------------------------------- random layer by layer


LAYERS = ("last", "middle", "first")


class Stack(nn.Module):
    """Three layers, each of which adds a map of its own."""

    def __init__(self, maps):
        super().__init__()
        for name, one in zip(LAYERS, maps, strict=True):
            setattr(self, name, nn.ParameterList([nn.Parameter(one)]))

    def maps(self):
        return sum(getattr(self, name)[0].detach() for name in LAYERS)


def stacked(generator):
    """The network, and the same layers with other maps."""
    return Stack(torch.randn(3, 4, 3, 5, generator=generator)), torch.randn(3, 4, 3, 5, generator=generator)


def scrambler(random_maps):
    """A copy in which the layers get other maps, always the same ones, however often they do."""

    def scramble(model, layers):
        changed = copy.deepcopy(model)
        for name in [layers] if isinstance(layers, str) else layers:
            with torch.no_grad():
                getattr(changed, name)[0].copy_(random_maps[LAYERS.index(name)])
        return changed

    return scramble


ORDERS = {"from the last to the first": LAYERS, "from the first to the last": LAYERS[::-1], "two layers": LAYERS[1:]}


def kept_in_order(found):
    """A dictionary as its names and its values, both in order."""
    return {"names": ", ".join(found), "correlations": list(found.values())}


@scenario
def layer_by_layer(student, generator):
    model, random_maps = stacked(generator)
    found = student.randomization_test(model, Stack.maps, list(LAYERS), scrambler(random_maps))
    return {**found, "maps of the network, afterwards": model.maps()}


@scenario
def in_other_orders(student, generator):
    model, random_maps = stacked(generator)
    return {
        case: kept_in_order(student.randomization_test(model, Stack.maps, list(layers), scrambler(random_maps)))
        for case, layers in ORDERS.items()
    }


def cascade_by_scipy(model, random_maps, layers):
    kept = {name: getattr(model, name)[0].detach() for name in LAYERS}
    intact, found = sum(kept.values()), {}
    for layer in layers:
        kept[layer] = random_maps[LAYERS.index(layer)]
        found[layer] = by_scipy(intact, sum(kept.values()))
    return found


def cascade_expected(generator):
    model, random_maps = stacked(generator)
    return {**cascade_by_scipy(model, random_maps, LAYERS), "maps of the network, afterwards": model.maps()}


@exercise("07.randomization_test", points=2)
def test_each_layer_with_all_before_it_against_the_intact_network(judge):
    judge(layer_by_layer).expect(cascade_expected, atol=1e-5)


@exercise("07.randomization_test", points=1)
def test_in_the_order_that_is_asked_for(judge):
    judge(in_other_orders).expect(
        lambda generator: {
            case: kept_in_order(cascade_by_scipy(*stacked(fork(generator)), layers)) for case, layers in ORDERS.items()
        },
        atol=1e-5,
    )


def fork(generator):
    """Another generator in the same state."""
    return torch.Generator().set_state(generator.get_state())


# ---------------------------------------------------------------- questions

test_q_random = question(
    "07.q_random",
    points=1,
    answer="b",
    wrong={
        "a": "They are built in the same way, and yet they know nearly half of what they have never seen. Somebody who "
        "only knew answers by heart would know a tenth.",
        "c": "That may be, but nothing here measured it: all networks of the table have the same number of weights.",
        "d": "Nobody stopped them early: networks of both kinds trained for 30 epochs, and know all of their labels.",
    },
)

test_q_probe = question(
    "07.q_probe",
    points=1,
    answer="b",
    wrong={
        "a": "A tenth is what guessing gives. A layer that has learned nothing gives more than that: look at the row "
        "of the untrained networks.",
        "c": "The probe is the same everywhere, and asked about photographs that it has not seen. If it had put the "
        "classes there, every layer of every network would give the same.",
        "d": "Something that is in the pixels need not be learned to be passed on. What would its last layer say "
        "without any training? That is the row to compare with.",
    },
)

test_q_cue = question(
    "07.q_cue",
    points=1,
    answer="c",
    wrong={
        "a": "On what it was trained on, a network with a shortcut and one without can both be right everywhere.",
        "b": "However many there are: if the suspected thing is on all of them, the shortcut is right on all of them.",
        "d": "That the thing can be read from a layer does not show that the answer uses it. Change it, and see "
        "whether the answer follows.",
    },
)

test_q_sanity = question(
    "07.q_sanity",
    points=1,
    answer="b",
    wrong={
        "a": "Then the map of another class ought to look different. In the print-out the two are nearly the same.",
        "c": "They are alike, but not the same: the print-out gives their correlation, and at the end of the cascade "
        "much of the guided map is gone, of the edges nothing.",
        "d": "The gradient map changes at once when the network is destroyed. Maps differ, and the test tells which "
        "do.",
    },
)
