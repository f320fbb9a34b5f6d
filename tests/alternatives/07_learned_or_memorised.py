"""Right answers to lesson 07 in another style, which every grader must accept."""

import math
import random

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from innervision.classroom.exercises import alternative
from innervision.learning import rank_correlation
from innervision.learning.memorization import answers

# ---------------------------------------------------------------- labels by lot


@alternative("07.randomize_labels")
def labels_one_by_one(labels, share, classes, generator):
    changed = labels.clone()
    for position in torch.randperm(len(labels), generator=generator).tolist()[: round(share * len(labels))]:
        changed[position] = int(torch.randint(classes, (), generator=generator))
    return changed


@alternative("07.randomize_labels")
def labels_with_a_mask(labels, share, classes, generator):
    """Drawn for all, used for those with the smallest lots."""
    lots = torch.rand(len(labels), generator=generator).argsort().argsort()
    drawn = (torch.rand(len(labels), generator=generator) * classes).floor().to(labels.dtype)
    return torch.where(lots < round(share * len(labels)), drawn, labels)


@alternative("07.randomize_labels")
def labels_moved_on(labels, share, classes, generator):
    """Moving on by a random number of classes, 0 among them, leads to every class alike."""
    steps = torch.randint(classes, labels.shape, generator=generator)
    steps[torch.randperm(len(labels), generator=generator)[round(share * len(labels)) :]] = 0
    return ((labels + steps) % classes).type_as(labels)


@alternative("07.randomize_labels")
def labels_with_python(labels, share, classes, generator):
    lots = random.Random(int(torch.randint(2**62, (), generator=generator)))
    changed = labels.tolist()
    for position in lots.sample(range(len(changed)), round(share * len(changed))):
        changed[position] = lots.randrange(classes)
    return torch.tensor(changed, dtype=labels.dtype)


# ---------------------------------------------------------------- an epoch


@alternative("07.train_epoch")
def epoch_with_a_loader(network, optimizer, images, labels, generator, batch=100):
    total, count = 0.0, 0
    for pictures, given in DataLoader(TensorDataset(images, labels), batch, shuffle=True, generator=generator):
        network.train(True)
        optimizer.zero_grad(set_to_none=False)
        loss = nn.CrossEntropyLoss()(network(pictures), given.long())
        loss.backward()
        optimizer.step()
        total, count = total + loss.item(), count + 1
    return total / count


@alternative("07.train_epoch")
def epoch_with_slices(network, optimizer, images, labels, generator, batch=100):
    """Everything in a new order first; gradients are set to zero after the step."""
    network.train()
    order = torch.rand(len(images), generator=generator).argsort()
    shuffled, answers_to_them, losses = images[order], labels[order], []
    for start in range(0, len(images), batch):
        logits = network(shuffled[start : start + batch]).log_softmax(dim=1)
        loss = F.nll_loss(logits, answers_to_them[start : start + batch])
        loss.backward()
        optimizer.step()
        network.zero_grad()
        losses.append(loss.detach())
    return torch.stack(losses).double().mean()


# ---------------------------------------------------------------- what a layer tells


@alternative("07.linear_probe")
def probe_by_sklearn(features, labels, others, classes, penalty=1.0):
    model = make_pipeline(StandardScaler(), Ridge(alpha=penalty * len(features)))
    model.fit(features.double().numpy(), np.eye(classes)[labels.numpy()])
    return torch.from_numpy(model.predict(others.double().numpy())).float()


@alternative("07.linear_probe")
def probe_with_more_rows(features, labels, others, classes, penalty=1.0):
    """The penalty as rows of its own: least squares with sqrt(rows · penalty) for each weight."""
    known = features.double()
    mean, spread = known.mean(dim=0), known.var(dim=0, unbiased=False).sqrt()
    spread[spread == 0] = 1
    known, asked = (known - mean) / spread, (others.double() - mean) / spread
    targets = torch.eye(classes, dtype=torch.float64)[labels]
    middle, count = targets.mean(dim=0), known.shape[1]
    rows = torch.cat([known, math.sqrt(len(known) * penalty) * torch.eye(count, dtype=torch.float64)])
    wanted = torch.cat([targets - middle, torch.zeros(count, classes, dtype=torch.float64)])
    return asked @ (torch.linalg.pinv(rows) @ wanted) + middle


@alternative("07.linear_probe")
def probe_by_kernel(features, labels, others, classes, penalty=1.0):
    """The same weights from the rows' inner products, as many equations as rows."""
    known = features.double().numpy()
    mean, spread = known.mean(0), known.std(0)
    spread = np.where(spread > 0, spread, 1)
    known, asked = (known - mean) / spread, (others.double().numpy() - mean) / spread
    targets = (labels.numpy()[:, None] == np.arange(classes)).astype(float)
    gram = known @ known.T + penalty * len(known) * np.eye(len(known))
    duals = np.linalg.lstsq(gram, targets - targets.mean(0), rcond=1e-12)[0]
    return torch.from_numpy(asked @ known.T @ duals + targets.mean(0))


# ---------------------------------------------------------------- cues


@alternative("07.plant_cue")
def cue_image_by_image(images, told, palette, side=6):
    marked = []
    for image, number in zip(images, told.tolist(), strict=True):
        copied = image.clone()
        for row in range(side):
            for column in range(side):
                copied[:, row, column] = palette[number]
        marked.append(copied)
    return torch.stack(marked)


@alternative("07.plant_cue")
def cue_with_a_mask(images, told, palette, side=6):
    rows, columns = torch.arange(images.shape[2]) < side, torch.arange(images.shape[3]) < side
    corner = rows[:, None] & columns
    colours = rearrange(palette.index_select(0, told), "batch colour -> batch colour 1 1")
    return torch.where(corner, colours, images)


@alternative("07.shortcut_reliance")
def reliance_image_by_image(model, images, told, cue):
    model.eval()
    marked, won = cue(images.clone(), told), 0
    for image, copied, wanted in zip(images, marked, told.tolist(), strict=True):
        with torch.inference_mode():
            without, with_cue = (int(model(one[None]).argmax()) for one in (image, copied))
        won += (with_cue == wanted) - (without == wanted)
    return won / len(images)


@alternative("07.shortcut_reliance")
def reliance_of_shares(model, images, told, cue):
    shares = [(answers(model, shown) == told).float().mean() for shown in (images, cue(images, told))]
    return shares[1] - shares[0]


# ---------------------------------------------------------------- spectra


@alternative("07.swap_phase_and_magnitude")
def swapped_with_unit_arrows(images, others):
    """Each wave at the length of another, in double precision."""
    one, other = (torch.fft.fftn(both.double(), dim=(-2, -1)) for both in (images, others))
    return torch.fft.ifftn(one * other.abs() / one.abs().clamp(min=1e-30), dim=(-2, -1)).real.clip(0, 1)


@alternative("07.swap_phase_and_magnitude")
def swapped_by_half_spectra(images, others):
    phase, magnitude = torch.fft.rfft2(images).angle(), torch.fft.rfft2(others).abs()
    mixed = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
    return torch.fft.irfft2(mixed, s=images.shape[-2:]).clamp(min=0, max=1)


@alternative("07.swap_phase_and_magnitude")
def swapped_by_numpy(images, others):
    one, other = np.fft.fft2(images.numpy()), np.fft.fft2(others.numpy())
    mixed = np.fft.ifft2(np.abs(other) * np.exp(1j * np.angle(one)))
    return torch.from_numpy(np.clip(mixed.real, 0, 1)).float()


# ---------------------------------------------------------------- attacks


@alternative("07.fgsm")
def fgsm_image_by_image(model, images, labels, radius):
    moved = []
    for image, label in zip(images, labels, strict=True):
        leaf = image.detach()[None].clone().requires_grad_(True)
        loss = -model(leaf).log_softmax(dim=1)[0, label]
        moved.append(image + radius * torch.autograd.grad(loss, leaf)[0][0].sign())
    return torch.stack(moved).clamp(0, 1)


@alternative("07.fgsm")
def fgsm_that_tidies_up(model, images, labels, radius):
    """With ``backward``, and the parameters held still meanwhile."""
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    leaf = images.detach().clone()
    leaf.requires_grad = True
    model.requires_grad_(False)
    nn.functional.cross_entropy(model(leaf), labels).backward()
    for parameter, before in zip(model.parameters(), wanted, strict=True):
        parameter.requires_grad_(before)
    up = leaf.grad > 0
    down = leaf.grad < 0
    return torch.clip(images + radius * (up.float() - down.float()), min=0, max=1)


@alternative("07.fgsm")
def fgsm_by_functions(model, images, labels, radius):
    def loss(shown):
        return nn.CrossEntropyLoss()(model(shown), labels)

    return (images + radius * torch.func.grad(loss)(images).sgn()).detach().clamp(0.0, 1.0)


# ---------------------------------------------------------------- maps put to the test


@alternative("07.rank_correlation")
def ranks_by_counting(one, other):
    """A rank is how many are smaller, and half of those that are equal."""

    def ranks(maps):
        flat = maps.detach().double().flatten(1)
        below = (flat[:, None, :] < flat[:, :, None]).double().sum(dim=2)
        return below + 0.5 * (flat[:, None, :] == flat[:, :, None]).double().sum(dim=2)

    return torch.stack([torch.corrcoef(torch.stack(both))[0, 1] for both in zip(ranks(one), ranks(other), strict=True)])


@alternative("07.rank_correlation")
def ranks_by_scipy(one, other):
    found = []
    for first, second in zip(one.detach().flatten(1).numpy(), other.detach().flatten(1).numpy(), strict=True):
        flat = first.min() == first.max() or second.min() == second.max()
        found.append(float("nan") if flat else float(spearmanr(first, second)[0]))
    return torch.tensor(found)


@alternative("07.randomization_test")
def cascade_with_a_chain(model, saliency, layers, scramble):
    """Each step makes one more layer of the last copy random."""
    intact, correlations, changed = saliency(model), {}, model
    for layer in layers:
        changed = scramble(changed, [layer])
        correlations[layer] = rank_correlation(saliency(changed), intact)
    return correlations


@alternative("07.randomization_test")
def cascade_with_a_list(model, saliency, layers, scramble):
    random, found = [], []
    for layer in layers:
        random.append(layer)
        found.append(rank_correlation(saliency(model), saliency(scramble(model, list(random)))))
    return dict(zip(layers, found, strict=True))
