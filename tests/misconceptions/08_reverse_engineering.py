"""Wrong answers to lesson 08 that students give, each with the sentence that helps."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange

from innervision.classroom.exercises import misconception
from innervision.learning import every_sum, fourier_basis, frequency_norms, sum_waves
from innervision.learning.compiled import empty_network, turned_neurons, waves_of_numbers

# ---------------------------------------------------------------- fourier_basis


def _waves(modulus, frequencies=None, *, circle=2 * math.pi, waves=(torch.cos, torch.sin), constant=True, divisor=None):
    """The basis, not normalised, except for what is handed in."""
    numbers = torch.arange(modulus, dtype=torch.float64)
    rows = [torch.ones(modulus, dtype=torch.float64)] if constant else []
    for frequency in range(1, modulus // 2 + 1) if frequencies is None else frequencies:
        rows += [wave(circle * frequency * numbers / (divisor or modulus)) for wave in waves]
    return torch.stack(rows)


@misconception(
    "08.fourier_basis",
    "The rows have different lengths: a constant of ones is √p long, a cosine √(p/2). Divide each row by its own "
    "length, `F.normalize(rows, dim=1)`.",
)
def leaves_lengths_as_they_are(modulus):
    return _waves(modulus)


@misconception(
    "08.fourier_basis",
    "All rows were divided by √p. That is the length of the constant only; a cosine or sine is √(p/2) long. Divide "
    "each row by its own length, `F.normalize(rows, dim=1)`.",
)
def divides_by_the_root_of_p(modulus):
    return _waves(modulus) / modulus**0.5


@misconception(
    "08.fourier_basis",
    "All rows were multiplied by √(2/p). That fits cosines and sines; the constant comes out √2 long. Divide each row "
    "by its own length, `F.normalize(rows, dim=1)`.",
)
def forgets_that_the_constant_is_longer(modulus):
    return _waves(modulus) * (2 / modulus) ** 0.5


@misconception(
    "08.fourier_basis",
    "Columns were normalised instead of rows. A wave is a row here, over all numbers: `F.normalize(rows, dim=1)`.",
)
def normalises_columns(modulus):
    return F.normalize(_waves(modulus), dim=0)


@misconception(
    "08.fourier_basis",
    "Waves stand in columns and numbers in rows. It is the other way round: stack whole waves with `torch.stack`, one "
    "a row.",
)
def exchanges_rows_and_columns(modulus):
    return F.normalize(_waves(modulus), dim=1).T


@misconception(
    "08.fourier_basis",
    "All cosines come first, then all sines. Here each sine follows the cosine of its own frequency: rows 2k - 1 and "
    "2k.",
)
def puts_all_cosines_first(modulus):
    rows = F.normalize(_waves(modulus), dim=1)
    return torch.cat([rows[:1], rows[1::2], rows[2::2]])


@misconception(
    "08.fourier_basis",
    "The sine stands before the cosine. Row 2k - 1 is the cosine of frequency k, row 2k its sine.",
)
def puts_sines_before_cosines(modulus):
    return F.normalize(_waves(modulus, waves=(torch.sin, torch.cos)), dim=1)


@misconception(
    "08.fourier_basis",
    "Frequencies were counted from 0. Frequency 0 is the constant, which is there already, and its sine is 0 "
    "everywhere; the last frequency is missing instead. Count from 1 to (p - 1) / 2.",
)
def counts_frequencies_from_0(modulus):
    return F.normalize(_waves(modulus, range(modulus // 2)), dim=1)


@misconception(
    "08.fourier_basis",
    "The last frequency is missing: `range` stops before its end, so it must be `range(1, modulus // 2 + 1)`.",
)
def leaves_the_last_frequency_out(modulus):
    return F.normalize(_waves(modulus, range(1, modulus // 2)), dim=1)


@misconception(
    "08.fourier_basis",
    "There are waves of more frequencies than (p - 1) / 2. Seen at whole numbers only, frequency p - k is the same "
    "wave as frequency k. Stop in the middle.",
)
def goes_on_to_p(modulus):
    return F.normalize(_waves(modulus, range(1, modulus)), dim=1)


@misconception(
    "08.fourier_basis",
    "The constant is missing. Without it the waves cannot make vectors whose mean is not 0: put a row of ones first.",
)
def leaves_the_constant_out(modulus):
    return F.normalize(_waves(modulus, constant=False), dim=1)


@misconception(
    "08.fourier_basis",
    "The angle was k·n/p, without 2π. A whole turn is 2π, and frequency k makes k whole turns while n goes from 0 to "
    "p.",
)
def forgets_two_pi(modulus):
    return F.normalize(_waves(modulus, circle=1), dim=1)


@misconception(
    "08.fourier_basis",
    "A turn was taken as π, so every wave goes only half of its way. A whole turn is 2π.",
)
def takes_half_a_turn(modulus):
    return F.normalize(_waves(modulus, circle=math.pi), dim=1)


@misconception(
    "08.fourier_basis",
    "Angles were given in degrees. `cos` and `sin` take radians: a whole turn is 2π, not 360.",
)
def takes_degrees(modulus):
    return F.normalize(_waves(modulus, circle=360), dim=1)


@misconception(
    "08.fourier_basis",
    "The angles were divided by p - 1, as if number p - 1 closed the circle. The next number after p - 1 is 0 again, "
    "one step further on: divide by p.",
)
def closes_the_circle_too_early(modulus):
    return F.normalize(_waves(modulus, divisor=modulus - 1), dim=1)


# ---------------------------------------------------------------- frequency_norms


def _coefficients(vectors):
    """Of each frequency's cosine and sine."""
    waves = fourier_basis(len(vectors)).to(vectors) @ vectors
    return rearrange(waves[1:], "(frequency wave) width -> frequency wave width", wave=2)


@misconception(
    "08.frequency_norms",
    "Only cosines were counted. A wave may begin anywhere, and then part of it, or all, is in the sine: count both.",
)
def counts_cosines_only(vectors):
    return _coefficients(vectors)[:, 0].norm(dim=1)


@misconception(
    "08.frequency_norms",
    "Only sines were counted. A wave may begin anywhere, and then part of it, or all, is in the cosine: count both.",
)
def counts_sines_only(vectors):
    return _coefficients(vectors)[:, 1].norm(dim=1)


@misconception(
    "08.frequency_norms",
    "These are sums of squares; the root is left out. `.norm()` takes it.",
)
def leaves_the_root_out(vectors):
    return _coefficients(vectors).square().sum(dim=(1, 2))


@misconception(
    "08.frequency_norms",
    "Sizes of coefficients were added up. Add their squares and take the root: only that stays the same when a wave "
    "begins elsewhere.",
)
def adds_sizes_up(vectors):
    return _coefficients(vectors).abs().sum(dim=(1, 2))


@misconception(
    "08.frequency_norms",
    "The norm of the cosine and that of the sine were added. They stand at right angles: add their squares, then take "
    "the root.",
)
def adds_two_norms(vectors):
    return _coefficients(vectors).norm(dim=2).sum(dim=1)


@misconception(
    "08.frequency_norms",
    "The squares were averaged. Asked is the root of their *sum*: vectors of twice the width may hold twice as much.",
)
def averages_squares(vectors):
    return _coefficients(vectors).square().mean(dim=(1, 2)).sqrt()


@misconception(
    "08.frequency_norms",
    "The coefficients were added up with their signs before they were measured, so they cancel. Square each first.",
)
def adds_before_squaring(vectors):
    return _coefficients(vectors).sum(dim=2).norm(dim=1)


@misconception(
    "08.frequency_norms",
    "There is a norm for each row of the basis. A frequency has two rows, its cosine and its sine: bring them together "
    "into one norm.",
)
def gives_a_norm_for_each_wave(vectors):
    return _coefficients(vectors).norm(dim=2).flatten()


@misconception(
    "08.frequency_norms",
    "The constant was counted as frequency 0. It says where the vectors lie, not how they go up and down: leave row 0 "
    "out.",
)
def counts_the_constant(vectors):
    constant = (fourier_basis(len(vectors)).to(vectors)[:1] @ vectors).norm(dim=1)
    return torch.cat([constant, frequency_norms_of(vectors)])


def frequency_norms_of(vectors):
    """The right ones."""
    return _coefficients(vectors).square().sum(dim=(1, 2)).sqrt()


@misconception(
    "08.frequency_norms",
    "Rows were paired from row 0 on: the constant with the first cosine, a sine with the next cosine. Leave row 0 out "
    "first; then each cosine meets its own sine.",
)
def pairs_rows_from_the_constant_on(vectors):
    waves = fourier_basis(len(vectors)).to(vectors) @ vectors
    return waves[:-1].view(-1, 2, vectors.shape[1]).square().sum(dim=(1, 2)).sqrt()


@misconception(
    "08.frequency_norms",
    "Wave k of the first half was paired with wave k of the second half. Cosine and sine of a frequency are "
    "neighbours: rows 2k - 1 and 2k.",
)
def pairs_the_halves(vectors):
    waves = (fourier_basis(len(vectors)).to(vectors) @ vectors)[1:]
    return waves.view(2, -1, vectors.shape[1]).square().sum(dim=(0, 2)).sqrt()


@misconception(
    "08.frequency_norms",
    "The basis met the width of the vectors instead of the numbers. Its columns are the numbers, and so are the rows "
    "of the vectors: `basis @ vectors`, with nothing transposed.",
)
def runs_along_the_width(vectors):
    waves = fourier_basis(len(vectors)).to(vectors) @ vectors.T
    return waves[1:].view(-1, 2, vectors.shape[0]).square().sum(dim=(1, 2)).sqrt()


@misconception(
    "08.frequency_norms",
    "The waves are not of length 1 here, so the norms are √(p/2) times too large. Take `fourier_basis`.",
)
def uses_waves_of_any_length(vectors):
    return frequency_norms_of(vectors) * (len(vectors) / 2) ** 0.5


# ---------------------------------------------------------------- key_frequencies


def _needed(sizes, share):
    """The fewest frequencies, strongest first, whose sizes add up to a share of all."""
    sizes, order = sizes.sort(descending=True)
    return (order[: int((sizes.cumsum(dim=0) < share * sizes.sum()).sum()) + 1] + 1).tolist()


@misconception(
    "08.key_frequencies",
    "Indices came back instead of frequencies. The norms begin with frequency 1, so frequency k stands at index k - 1: "
    "add 1.",
)
def gives_indices(vectors, share=0.9):
    return sorted(frequency - 1 for frequency in _needed(frequency_norms(vectors).square(), share))


@misconception(
    "08.key_frequencies",
    "The norms were added up. What frequencies hold together is the sum of their *squares*: square first.",
)
def adds_norms_up(vectors, share=0.9):
    return sorted(_needed(frequency_norms(vectors), share))


@misconception(
    "08.key_frequencies",
    "The frequencies come in order of strength. Rising is asked: sort them at the end.",
)
def keeps_the_order_of_strength(vectors, share=0.9):
    return _needed(frequency_norms(vectors).square(), share)


@misconception(
    "08.key_frequencies",
    "Only the strongest frequency came back. Add the next ones until together they hold the share.",
)
def takes_the_strongest_only(vectors, share=0.9):
    return [int(frequency_norms(vectors).argmax()) + 1]


@misconception(
    "08.key_frequencies",
    "The frequency that reaches the share is missing: those before it hold less. Count how many running sums are below "
    "the share, and take one more.",
)
def stops_one_too_early(vectors, share=0.9):
    squares, order = frequency_norms(vectors).square().sort(descending=True)
    needed = int((squares.cumsum(dim=0) < share * squares.sum()).sum())
    return sorted((order[:needed] + 1).tolist())


@misconception(
    "08.key_frequencies",
    "There is one more than needed: the share is reached before the last one. The fewest are asked.",
)
def takes_one_too_many(vectors, share=0.9):
    squares, order = frequency_norms(vectors).square().sort(descending=True)
    needed = int((squares.cumsum(dim=0) < share * squares.sum()).sum()) + 2
    return sorted((order[:needed] + 1).tolist())


@misconception(
    "08.key_frequencies",
    "Each frequency was compared with the strongest one. The share is of the sum of squares of *all* frequencies, and "
    "the key frequencies reach it together.",
)
def compares_with_the_strongest(vectors, share=0.9):
    norms = frequency_norms(vectors)
    return ((norms > (1 - share) * norms.max()).nonzero().flatten() + 1).tolist()


@misconception(
    "08.key_frequencies",
    "Frequencies were added up from frequency 1 on. The fewest are found from the strongest on: sort first.",
)
def does_not_sort(vectors, share=0.9):
    held = frequency_norms(vectors).square().cumsum(dim=0)
    return list(range(1, int((held < share * held[-1]).sum()) + 2))


@misconception(
    "08.key_frequencies",
    "Frequencies were added up from the weakest on, which takes the most of them. Sort downwards, `descending=True`.",
)
def begins_with_the_weakest(vectors, share=0.9):
    squares, order = frequency_norms(vectors).square().sort()
    needed = int((squares.cumsum(dim=0) < share * squares.sum()).sum()) + 1
    return sorted((order[:needed] + 1).tolist())


@misconception(
    "08.key_frequencies",
    "That is the share of the *number* of frequencies. The share is of their sum of squares, which a few may hold.",
)
def takes_a_share_of_the_number(vectors, share=0.9):
    norms = frequency_norms(vectors)
    return sorted((norms.argsort(descending=True)[: math.ceil(share * len(norms))] + 1).tolist())


@misconception(
    "08.key_frequencies",
    "`share` was not used; the function takes 0.9 whatever is asked for.",
)
def ignores_the_share(vectors, share=0.9):
    return sorted(_needed(frequency_norms(vectors).square(), 0.9))


@misconception(
    "08.key_frequencies",
    "The constant was counted into the sum of squares of which the share is taken. It goes neither up nor down: divide "
    "by the squares of the frequencies alone.",
)
def counts_the_constant_in_the_total(vectors, share=0.9):
    squares, order = frequency_norms(vectors).square().sort(descending=True)
    needed = int((squares.cumsum(dim=0) < share * vectors.square().sum()).sum()) + 1
    return sorted((order[:needed] + 1).tolist())


@misconception(
    "08.key_frequencies",
    "The list holds tensors of one number each. Plain numbers are asked, so that they can name things: `.tolist()`.",
)
def lists_tensors(vectors, share=0.9):
    return [torch.tensor(frequency) for frequency in sorted(_needed(frequency_norms(vectors).square(), share))]


# ---------------------------------------------------------------- sum_waves


def _rows(modulus, frequencies, waves=(-1, 0)):
    return fourier_basis(modulus)[[2 * frequency + wave for frequency in frequencies for wave in waves]]


@misconception(
    "08.sum_waves",
    "The waves came back over the p numbers. A question is a pair of numbers, so each wave needs p² values: look its "
    "value up at every answer, `rows[:, answers]`.",
)
def gives_waves_over_numbers(modulus, frequencies):
    return _rows(modulus, frequencies)


@misconception(
    "08.sum_waves",
    "The waves are p numbers' length too long: each value of a wave over the numbers now stands there p times. Divide "
    "by the new length, `F.normalize(…, dim=1)`.",
)
def does_not_normalise_again(modulus, frequencies):
    return _rows(modulus, frequencies)[:, every_sum(modulus)[1]]


@misconception(
    "08.sum_waves",
    "These are waves of a alone. The answer to question `a b =` is a + b: look waves up at the *answers* of "
    "`every_sum`.",
)
def takes_waves_of_a(modulus, frequencies):
    return F.normalize(_rows(modulus, frequencies)[:, every_sum(modulus)[0][:, 0]], dim=1)


@misconception(
    "08.sum_waves",
    "These are waves of a - b. The waves of the sum turn by a + b: look them up at the answers of `every_sum`.",
)
def takes_waves_of_the_difference(modulus, frequencies):
    questions, _ = every_sum(modulus)
    return F.normalize(_rows(modulus, frequencies)[:, (questions[:, 0] - questions[:, 1]) % modulus], dim=1)


@misconception(
    "08.sum_waves",
    "Waves of a and of b were multiplied, cosine by cosine and sine by sine. That mixes a + b with a - b. Look the "
    "waves up at the answers of `every_sum`.",
)
def multiplies_waves_of_a_and_b(modulus, frequencies):
    questions, rows = every_sum(modulus)[0], _rows(modulus, frequencies)
    return F.normalize(rows[:, questions[:, 0]] * rows[:, questions[:, 1]], dim=1)


@misconception(
    "08.sum_waves",
    "Waves of a and of b were added. A sum of waves is no wave of the sum: look the waves up at the answers of "
    "`every_sum`.",
)
def adds_waves_of_a_and_b(modulus, frequencies):
    questions, rows = every_sum(modulus)[0], _rows(modulus, frequencies)
    return F.normalize(rows[:, questions[:, 0]] + rows[:, questions[:, 1]], dim=1)


@misconception(
    "08.sum_waves",
    "Rows k and k + 1 of the basis were taken for frequency k. Its cosine is row 2k - 1, its sine row 2k.",
)
def takes_rows_k_and_k_plus_1(modulus, frequencies):
    rows = fourier_basis(modulus)[[row for frequency in frequencies for row in (frequency, frequency + 1)]]
    return F.normalize(rows[:, every_sum(modulus)[1]], dim=1)


@misconception(
    "08.sum_waves",
    "Rows 2k and 2k + 1 of the basis were taken for frequency k: its sine and the next one's cosine. Row 0 is the "
    "constant, so the cosine of frequency k is row 2k - 1, its sine row 2k.",
)
def takes_rows_one_too_late(modulus, frequencies):
    basis = fourier_basis(modulus)
    rows = basis[[row % modulus for frequency in frequencies for row in (2 * frequency, 2 * frequency + 1)]]
    return F.normalize(rows[:, every_sum(modulus)[1]], dim=1)


@misconception(
    "08.sum_waves",
    "Cosines only: each frequency has a sine as well, row 2k of the basis.",
)
def takes_cosines_only(modulus, frequencies):
    return F.normalize(_rows(modulus, frequencies, (-1,))[:, every_sum(modulus)[1]], dim=1)


@misconception(
    "08.sum_waves",
    "All cosines come first, then all sines. Here each sine follows the cosine of its own frequency.",
)
def puts_cosines_of_the_sum_first(modulus, frequencies):
    waves = F.normalize(_rows(modulus, frequencies)[:, every_sum(modulus)[1]], dim=1)
    return torch.cat([waves[::2], waves[1::2]])


@misconception(
    "08.sum_waves",
    "The frequencies were sorted. Rows come in the order in which frequencies are named.",
)
def sorts_the_frequencies(modulus, frequencies):
    return F.normalize(_rows(modulus, sorted(frequencies))[:, every_sum(modulus)[1]], dim=1)


# ---------------------------------------------------------------- explained_by_frequencies


def _share(values, waves, *, varying=None):
    varying = values - values.mean(dim=0) if varying is None else varying
    return (waves.to(varying) @ varying).square().sum() / varying.square().sum()


@misconception(
    "08.explained_by_frequencies",
    "Means were left in. A column that is 5 for every question has nothing to explain, yet its squares were counted: "
    "subtract each column's mean first.",
)
def leaves_means_in(values, modulus, frequencies):
    return _share(values, sum_waves(modulus, frequencies), varying=values)


@misconception(
    "08.explained_by_frequencies",
    "One mean of everything was subtracted. Each column has a mean of its own: `values.mean(dim=0)`.",
)
def subtracts_the_mean_of_everything(values, modulus, frequencies):
    return _share(values, sum_waves(modulus, frequencies), varying=values - values.mean())


@misconception(
    "08.explained_by_frequencies",
    "The mean of each row was subtracted. What a column gives to every question is its own mean, over the rows: "
    "`values.mean(dim=0)`.",
)
def subtracts_means_of_rows(values, modulus, frequencies):
    return _share(values, sum_waves(modulus, frequencies), varying=values - values.mean(dim=1, keepdim=True))


@misconception(
    "08.explained_by_frequencies",
    "Lengths were divided, not squares. Lengths of parts do not add up to the whole; squares do: 3 and 4 at right "
    "angles make 5, and 9 of 25 is explained.",
)
def divides_lengths(values, modulus, frequencies):
    return _share(values, sum_waves(modulus, frequencies)).sqrt()


@misconception(
    "08.explained_by_frequencies",
    "Waves of a alone were used. The question is how much goes with a + b: project on `sum_waves`.",
)
def projects_on_waves_of_a(values, modulus, frequencies):
    return _share(values, takes_waves_of_a(modulus, frequencies))


@misconception(
    "08.explained_by_frequencies",
    "Waves of a - b were used. The question is how much goes with a + b: project on `sum_waves`.",
)
def projects_on_waves_of_the_difference(values, modulus, frequencies):
    return _share(values, takes_waves_of_the_difference(modulus, frequencies))


@misconception(
    "08.explained_by_frequencies",
    "Only the cosines of the sum were used. Part of a wave is in the sine: use all rows of `sum_waves`.",
)
def projects_on_cosines(values, modulus, frequencies):
    return _share(values, sum_waves(modulus, frequencies)[::2])


@misconception(
    "08.explained_by_frequencies",
    "That is what is left over. Asked is the share that the waves hold.",
)
def gives_what_is_left(values, modulus, frequencies):
    return 1 - _share(values, sum_waves(modulus, frequencies))


@misconception(
    "08.explained_by_frequencies",
    "The share of each column was taken, then their mean. One share of all is asked: sum squares over everything, then "
    "divide.",
)
def averages_shares_of_columns(values, modulus, frequencies):
    varying = values - values.mean(dim=0)
    held = (sum_waves(modulus, frequencies).to(values) @ varying).square().sum(dim=0)
    return (held / varying.square().sum(dim=0)).mean()


@misconception(
    "08.explained_by_frequencies",
    "The waves were not of length 1, so the share is far too large. Take `sum_waves`: only along a wave of length 1 is "
    "a product the length of the part.",
)
def uses_waves_that_are_too_long(values, modulus, frequencies):
    return _share(values, _rows(modulus, frequencies)[:, every_sum(modulus)[1]])


# ---------------------------------------------------------------- restricted_loss


def _loss(logits, modulus):
    return F.cross_entropy(logits, every_sum(modulus)[1])


def _part(logits, modulus, frequencies):
    waves = sum_waves(modulus, frequencies).to(logits)
    return waves.T @ (waves @ logits)


def _restricted(logits, modulus, frequencies):
    return logits.mean(dim=0) + _part(logits, modulus, frequencies)


def _excluded(logits, modulus, frequencies):
    return logits - _part(logits, modulus, frequencies)


@misconception(
    "08.restricted_loss",
    "The mean of each answer's logits is missing. It does not depend on the question, so no wave holds it; the network "
    "would still have it. Add `logits.mean(dim=0)`.",
)
def leaves_the_mean_out(logits, modulus, frequencies):
    return _loss(_part(logits, modulus, frequencies), modulus)


@misconception(
    "08.restricted_loss",
    "That is the loss without these waves. Restricted means: with nothing but them, and the mean.",
)
def excludes(logits, modulus, frequencies):
    return _loss(_excluded(logits, modulus, frequencies), modulus)


@misconception(
    "08.restricted_loss",
    "The loss of all logits came back. Keep only their part along the waves of the sum, and the mean, first.",
)
def restricts_nothing(logits, modulus, frequencies):
    return _loss(logits, modulus)


@misconception(
    "08.restricted_loss",
    "The losses of all questions were added up. Asked is their mean, which `F.cross_entropy` gives by itself.",
)
def adds_losses_up(logits, modulus, frequencies):
    return F.cross_entropy(_restricted(logits, modulus, frequencies), every_sum(modulus)[1], reduction="sum")


@misconception(
    "08.restricted_loss",
    "The right answer was taken to be a. It is (a + b) mod p, the second thing that `every_sum` returns.",
)
def takes_a_for_the_answer(logits, modulus, frequencies):
    return F.cross_entropy(_restricted(logits, modulus, frequencies), every_sum(modulus)[0][:, 0])


@misconception(
    "08.restricted_loss",
    "Probabilities were given to `F.cross_entropy`, which takes logits: it does the softmax itself.",
)
def takes_the_softmax_twice(logits, modulus, frequencies):
    return _loss(_restricted(logits, modulus, frequencies).softmax(dim=1), modulus)


@misconception(
    "08.restricted_loss",
    "The part was kept along waves of a alone. What counts here goes with a + b: `sum_waves`.",
)
def keeps_waves_of_a(logits, modulus, frequencies):
    waves = takes_waves_of_a(modulus, frequencies).to(logits)
    return _loss(logits.mean(dim=0) + waves.T @ (waves @ logits), modulus)


@misconception(
    "08.restricted_loss",
    "Only the cosines of the sum were kept. Without the sines half of each wave is gone: keep all rows of `sum_waves`.",
)
def keeps_cosines_only(logits, modulus, frequencies):
    waves = sum_waves(modulus, frequencies)[::2].to(logits)
    return _loss(logits.mean(dim=0) + waves.T @ (waves @ logits), modulus)


# ---------------------------------------------------------------- excluded_loss


def _among(logits, modulus, among):
    answers = every_sum(modulus)[1]
    return F.cross_entropy(logits, answers) if among is None else F.cross_entropy(logits[among], answers[among])


@misconception(
    "08.excluded_loss",
    "The mean of each answer's logits went, too. It is no wave of the sum: subtract the part along the waves, and "
    "nothing else.",
)
def takes_the_mean_away(logits, modulus, frequencies, among=None):
    return _among(logits - _restricted(logits, modulus, frequencies), modulus, among)


@misconception(
    "08.excluded_loss",
    "That is the loss with these waves only. Excluded means: without them, with all the rest.",
)
def restricts(logits, modulus, frequencies, among=None):
    return _among(_restricted(logits, modulus, frequencies), modulus, among)


@misconception(
    "08.excluded_loss",
    "The loss of all logits came back. Take their part along the waves of the sum away first.",
)
def excludes_nothing(logits, modulus, frequencies, among=None):
    return _among(logits, modulus, among)


@misconception(
    "08.excluded_loss",
    "`among` was not used: these are the losses of all questions. Pick its rows of logits and of answers before the "
    "loss.",
)
def ignores_among(logits, modulus, frequencies, among=None):
    return _among(_excluded(logits, modulus, frequencies), modulus, None)


@misconception(
    "08.excluded_loss",
    "Logits were picked with `among`, answers were not: each question is compared with the answer to another. Pick "
    "both.",
)
def picks_logits_only(logits, modulus, frequencies, among=None):
    left, answers = _excluded(logits, modulus, frequencies), every_sum(modulus)[1]
    return _among(left, modulus, None) if among is None else F.cross_entropy(left[among], answers[: len(among)])


@misconception(
    "08.excluded_loss",
    "Questions were picked before the waves were taken out. Waves of the sum are of length 1 and at right angles over "
    "*all* questions only: take them out first, then pick.",
)
def picks_before_it_excludes(logits, modulus, frequencies, among=None):
    if among is None:
        return _among(_excluded(logits, modulus, frequencies), modulus, None)
    waves = sum_waves(modulus, frequencies)[:, among]
    left = logits[among] - waves.T @ (waves @ logits[among])
    return F.cross_entropy(left, every_sum(modulus)[1][among])


@misconception(
    "08.excluded_loss",
    "The losses were added up. Asked is their mean, which `F.cross_entropy` gives by itself.",
)
def adds_losses_of_the_rest_up(logits, modulus, frequencies, among=None):
    count = modulus**2 if among is None else len(among)
    return count * _among(_excluded(logits, modulus, frequencies), modulus, among)


@misconception(
    "08.excluded_loss",
    "The part along waves of a alone was taken away. What should go goes with a + b: `sum_waves`.",
)
def takes_waves_of_a_away(logits, modulus, frequencies, among=None):
    waves = takes_waves_of_a(modulus, frequencies).to(logits)
    return _among(logits - waves.T @ (waves @ logits), modulus, among)


@misconception(
    "08.excluded_loss",
    "Only the cosines of the sum were taken away; their sines are still there. Take all rows of `sum_waves`.",
)
def takes_cosines_away(logits, modulus, frequencies, among=None):
    waves = sum_waves(modulus, frequencies)[::2].to(logits)
    return _among(logits - waves.T @ (waves @ logits), modulus, among)


# ---------------------------------------------------------------- without_frequencies


def _without(vectors, rows):
    waves = fourier_basis(len(vectors)).to(vectors)[rows]
    return vectors - waves.T @ (waves @ vectors)


@misconception(
    "08.without_frequencies",
    "Only the part along the cosines went. A wave may begin anywhere, so part of it is in the sine: take rows 2k - 1 "
    "and 2k.",
)
def takes_out_cosines_only(vectors, frequencies):
    return _without(vectors, [2 * frequency - 1 for frequency in frequencies])


@misconception(
    "08.without_frequencies",
    "Only the part along the sines went. A wave may begin anywhere, so part of it is in the cosine: take rows 2k - 1 "
    "and 2k.",
)
def takes_out_sines_only(vectors, frequencies):
    return _without(vectors, [2 * frequency for frequency in frequencies])


@misconception(
    "08.without_frequencies",
    "Row k of the basis was taken for frequency k. Row 0 is the constant, then each frequency has two rows: 2k - 1 and "
    "2k.",
)
def takes_out_row_k(vectors, frequencies):
    return _without(vectors, list(frequencies))


@misconception(
    "08.without_frequencies",
    "Rows 2k and 2k + 1 went: the sine of frequency k and the cosine of the next. Row 0 is the constant, so frequency "
    "k has rows 2k - 1 and 2k.",
)
def takes_out_rows_one_too_late(vectors, frequencies):
    rows = [row for frequency in frequencies for row in (2 * frequency, 2 * frequency + 1)]
    return _without(vectors, [row for row in rows if row < len(vectors)])


@misconception(
    "08.without_frequencies",
    "The mean went, too. Row 0 of the basis says where the vectors lie; only the waves of the named frequencies go.",
)
def takes_the_mean_out(vectors, frequencies):
    return _without(vectors, [0, *(row for frequency in frequencies for row in (2 * frequency - 1, 2 * frequency))])


@misconception(
    "08.without_frequencies",
    "What came back is the part along these waves. Asked is what is left without it: subtract it from the vectors.",
)
def gives_the_part_back(vectors, frequencies):
    return vectors - _without(vectors, [row for each in frequencies for row in (2 * each - 1, 2 * each)])


@misconception(
    "08.without_frequencies",
    "The part was added where it should be subtracted.",
)
def adds_the_part(vectors, frequencies):
    return 2 * vectors - _without(vectors, [row for each in frequencies for row in (2 * each - 1, 2 * each)])


@misconception(
    "08.without_frequencies",
    "The vectors of some numbers were set to 0. A frequency is not a number: its wave runs through the vectors of all "
    "numbers. Subtract the part along its cosine and sine.",
)
def sets_numbers_to_0(vectors, frequencies):
    left = vectors.clone()
    left[list(frequencies)] = 0
    return left


@misconception(
    "08.without_frequencies",
    "These are the coefficients of the waves with some set to 0. Go back from waves to numbers: `basis.T @ "
    "coefficients`.",
)
def stays_among_the_waves(vectors, frequencies):
    waves = fourier_basis(len(vectors)).to(vectors) @ vectors
    for frequency in frequencies:
        waves[2 * frequency - 1 : 2 * frequency + 1] = 0
    return waves


@misconception(
    "08.without_frequencies",
    "The vectors that were given have changed: `-=` and assignments to rows write into the caller's tensor. Compute "
    "new ones.",
)
def changes_what_was_given(vectors, frequencies):
    vectors -= vectors - _without(vectors, [row for each in frequencies for row in (2 * each - 1, 2 * each)])
    return vectors


@misconception(
    "08.without_frequencies",
    "Only the first of the frequencies was taken out. All that are named go.",
)
def takes_out_the_first_only(vectors, frequencies):
    return _without(vectors, [2 * frequencies[0] - 1, 2 * frequencies[0]])


# ---------------------------------------------------------------- interference


def _cosines(modulus, strengths, *, circle=2 * math.pi, wave=torch.cos, divisor=None):
    offsets = torch.arange(modulus, dtype=torch.float64)
    waves = [strength * wave(circle * k * offsets / (divisor or modulus)) for k, strength in strengths.items()]
    return torch.stack([torch.zeros(modulus, dtype=torch.float64), *waves]).sum(dim=0).float()


@misconception(
    "08.interference",
    "The strengths were not used: every wave counts 1. Multiply each cosine by the strength of its frequency.",
)
def ignores_strengths(modulus, strengths):
    return _cosines(modulus, dict.fromkeys(strengths, 1.0))


@misconception(
    "08.interference",
    "Frequencies were counted 1, 2, 3 in the order of the mapping. Its keys are the frequencies: `for frequency, "
    "strength in strengths.items()`.",
)
def counts_frequencies_on(modulus, strengths):
    return _cosines(modulus, dict(enumerate(strengths.values(), start=1 if list(strengths)[:1] != [1] else 2)))


@misconception(
    "08.interference",
    "The angle was k·e/p, without 2π. A whole turn is 2π.",
)
def interferes_without_two_pi(modulus, strengths):
    return _cosines(modulus, strengths, circle=1)


@misconception(
    "08.interference",
    "A turn was taken as π. A whole turn is 2π.",
)
def interferes_with_half_turns(modulus, strengths):
    return _cosines(modulus, strengths, circle=math.pi)


@misconception(
    "08.interference",
    "Angles were given in degrees. `cos` takes radians: a whole turn is 2π, not 360.",
)
def interferes_in_degrees(modulus, strengths):
    return _cosines(modulus, strengths, circle=360)


@misconception(
    "08.interference",
    "Sines were added. At the right answer, offset 0, all waves must be at their top: cosines.",
)
def adds_sines(modulus, strengths):
    return _cosines(modulus, strengths, wave=torch.sin)


@misconception(
    "08.interference",
    "The sum was divided by the sum of strengths. Asked is the sum itself: stronger waves keep answers farther apart.",
)
def weighs_the_mean(modulus, strengths):
    total = sum(strengths.values())
    return _cosines(modulus, strengths) / total if total else _cosines(modulus, strengths)


@misconception(
    "08.interference",
    "The mean over frequencies was taken. Asked is their sum: each more keeps answers farther apart.",
)
def averages_waves(modulus, strengths):
    return _cosines(modulus, strengths) / max(len(strengths), 1)


@misconception(
    "08.interference",
    "Offsets were counted from 1. Entry 0 is the right answer, where nothing is off and every cosine is 1.",
)
def counts_offsets_from_1(modulus, strengths):
    return _cosines(modulus, strengths).roll(-1)


@misconception(
    "08.interference",
    "The angles were divided by p - 1. After offset p - 1 comes 0 again, one step further on: divide by p.",
)
def closes_the_circle_of_offsets_too_early(modulus, strengths):
    return _cosines(modulus, strengths, divisor=modulus - 1)


@misconception(
    "08.interference",
    "Only the strongest frequency was used. All waves add up, each with its strength.",
)
def takes_one_wave(modulus, strengths):
    return _cosines(modulus, {k: s for k, s in strengths.items() if s == max(strengths.values())})


# ---------------------------------------------------------------- turned_neurons


def _neurons(angles, *, circle=2 * math.pi, divisor=None, once=1, twice=2, scale=9 * math.pi / 2, each=True):
    turn = circle * torch.arange(angles, dtype=torch.float64) / (divisor or angles)
    into = torch.stack([(once * turn).cos(), (once * turn).sin()])
    back = torch.stack([(twice * turn).cos(), (twice * turn).sin()], dim=1) * scale
    return into.float(), (back / angles if each else back).float()


@misconception(
    "08.turned_neurons",
    "Neurons write at the angle at which they read. A rectified cosine holds a wave of *twice* its frequency, and it "
    "is this wave that should be left: cos 2φ and sin 2φ.",
)
def writes_at_the_same_angle(angles):
    return _neurons(angles, twice=1)


@misconception(
    "08.turned_neurons",
    "Neurons write at half the angle at which they read. Reading halves nothing: in at φ, out at 2φ.",
)
def writes_at_half_the_angle(angles):
    return _neurons(angles, twice=0.5)


@misconception(
    "08.turned_neurons",
    "The angles are exchanged: neurons read at φ and write at 2φ.",
)
def reads_at_twice_the_angle(angles):
    return _neurons(angles, once=2, twice=1)


@misconception(
    "08.turned_neurons",
    "The angles go round twice as far in both directions: φ is 2πj/angles, and only the way out doubles it.",
)
def doubles_both_angles(angles):
    return _neurons(angles, once=2, twice=4)


@misconception(
    "08.turned_neurons",
    "The angles fill half of the circle only. A cosine is rectified away on one half, so neurons must look all round: "
    "φ = 2πj/angles.",
)
def fills_half_the_circle(angles):
    return _neurons(angles, circle=math.pi)


@misconception(
    "08.turned_neurons",
    "The last angle is a whole turn, the same as the first, so one neuron counts twice. Divide by `angles`, not by "
    "`angles - 1`.",
)
def ends_where_it_began(angles):
    return _neurons(angles, divisor=angles - 1)


@misconception(
    "08.turned_neurons",
    "Angles were given in degrees. `cos` and `sin` take radians: a whole turn is 2π, not 360.",
)
def turns_by_degrees(angles):
    return _neurons(angles, circle=360)


@misconception(
    "08.turned_neurons",
    "The weights back are not scaled. What comes out would depend on how many neurons there are: multiply by "
    "9π / (2 · angles).",
)
def leaves_the_scale_out(angles):
    return _neurons(angles, scale=1, each=False)


@misconception(
    "08.turned_neurons",
    "The scale was not divided by the number of angles. All neurons add up, so each may give only its part: "
    "9π / (2 · angles).",
)
def does_not_share_the_scale(angles):
    return _neurons(angles, each=False)


@misconception(
    "08.turned_neurons",
    "The scale lacks the factor 3 / 2: attention leaves a third of the sum of two waves, and that sum is twice a "
    "product. 3/2 · 3π/2 · 2/angles is asked.",
)
def forgets_what_attention_leaves(angles):
    return _neurons(angles, scale=3 * math.pi)


@misconception(
    "08.turned_neurons",
    "The scale lacks the factor 3π / 2: a rectified cosine holds only 2 / (3π) of the wave of twice its frequency. "
    "3/2 · 3π/2 · 2/angles is asked.",
)
def forgets_what_rectifiers_leave(angles):
    return _neurons(angles, scale=3)


@misconception(
    "08.turned_neurons",
    "Cosine and sine are exchanged: row 0 of the weights in, and column 0 of those back, is the cosine.",
)
def puts_sines_first(angles):
    into, back = _neurons(angles)
    return into.flip(0), back.flip(1)


@misconception(
    "08.turned_neurons",
    "A minus stands before the sines. Turning by φ takes cos x and sin x to cos(x - φ) = cos φ cos x + sin φ sin x: no "
    "minus.",
)
def turns_with_a_minus(angles):
    into, back = _neurons(angles)
    return into * torch.tensor([[1.0], [-1.0]]), back


@misconception(
    "08.turned_neurons",
    "Rows and columns are exchanged. Weights in are (2, angles), from two waves to the neurons; weights back are "
    "(angles, 2).",
)
def lays_weights_across(angles):
    into, back = _neurons(angles)
    return into.T, back.T


# ---------------------------------------------------------------- compile_modular_addition


def _compiled(
    modulus,
    frequencies,
    angles,
    *,
    equals=False,
    attends="both",
    writes="second",
    reads="second",
    neurons=turned_neurons,
    diagonal=True,
    waves=None,
    stray=False,
):
    """Right, except for what is handed in."""
    half, network = 2 * len(frequencies), empty_network(modulus, frequencies, angles)
    waves = waves_of_numbers(modulus, frequencies) if waves is None else waves
    into, back = neurons(angles)
    parts = {"first": slice(None, half), "second": slice(half, None)}
    count = len(frequencies)
    with torch.no_grad():
        block = network.block(0)
        network.token_vectors[:modulus, :half] = waves
        if equals:
            network.token_vectors[modulus, :half] = waves[0]
        if attends != "nothing":
            block.value[0, :half, :half] = torch.eye(half)
            block.out[0, :half, parts["second" if attends == "second" else "first"]] = torch.eye(half)
        block.into[:half] = torch.block_diag(*[into] * count) if diagonal else into.repeat(count, count)
        back = torch.block_diag(*[back] * count) if diagonal else back.repeat(count, count)
        block.back[:, parts[writes]] = back
        network.unembed[parts[reads]] = waves.T
        if stray:
            network.unembed[:half] = waves.T
    return network.requires_grad_(False).eval()


NOTHING_ARRIVES = (
    "All logits are 0: somewhere on the way a part reads where nothing was written. Attention copies the first half "
    "of the stream into the first half (`value` and `out`), neurons read the first half (`into`) and write to the "
    "second (`back`), answers are read off the second (`unembed`)."
)

WAVES_ADDED = (
    "Answers are read where the waves of a and b stand, too, added up, and these point to other answers. Keep the two "
    "apart: neurons write to the second half of the stream, `back[:, half:]`, and answers are read there and nowhere "
    "else, `unembed[half:]`."
)


@misconception("08.compile_modular_addition", NOTHING_ARRIVES)
def forgets_attention(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, attends="nothing")


@misconception("08.compile_modular_addition", NOTHING_ARRIVES)
def attends_into_the_second_half_only(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, attends="second", reads="first")


@misconception("08.compile_modular_addition", NOTHING_ARRIVES)
def writes_to_the_first_half(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, writes="first")


@misconception(
    "08.compile_modular_addition",
    "Answers are read off the first half of the stream. There stand the waves of a and b, added; those of the sum "
    "stand in the second half: `unembed[half:]`.",
)
def reads_answers_off_the_first_half(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, reads="first")


@misconception("08.compile_modular_addition", WAVES_ADDED)
def reads_answers_off_both_halves(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, stray=True)


@misconception("08.compile_modular_addition", WAVES_ADDED)
def keeps_all_in_the_first_half(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, writes="first", reads="first")


@misconception(
    "08.compile_modular_addition",
    "Neurons of one frequency read the waves of the others, too. Each frequency has neurons of its own: "
    "`torch.block_diag` puts the weights along the diagonal, with zeros beside them.",
)
def mixes_frequencies(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, diagonal=False)


@misconception(
    "08.compile_modular_addition",
    "The sign `=` was given the waves of number 0. It stands at the last place and would be added like a number: leave "
    "its token vector 0, and fill `token_vectors[:modulus]` only.",
)
def gives_the_sign_a_number(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, equals=True)


@misconception(
    "08.compile_modular_addition",
    "The waves are those of frequencies 1, 2, 3, … whatever was asked for. It adds all the same; but build it with "
    "`waves_of_numbers(modulus, frequencies)`.",
)
def takes_the_first_frequencies(modulus, frequencies, angles=15):
    first = range(1, len(frequencies) + 1)
    first = first if set(first) != set(frequencies) else range(2, len(frequencies) + 2)
    return _compiled(modulus, frequencies, angles, waves=waves_of_numbers(modulus, list(first)))


@misconception(
    "08.compile_modular_addition",
    "Cosines are there, sines are not. With cosines alone nobody can tell n from p - n: use all columns of "
    "`waves_of_numbers`.",
)
def compiles_cosines_only(modulus, frequencies, angles=15):
    waves = waves_of_numbers(modulus, frequencies).clone()
    waves[:, 1::2] = 0
    return _compiled(modulus, frequencies, angles, waves=waves)


@misconception(
    "08.compile_modular_addition",
    "`angles` was not handed on to `turned_neurons`, so the weights do not fit the network.",
)
def hands_no_angles_on(modulus, frequencies, angles=15):
    return _compiled(modulus, frequencies, angles, neurons=lambda _: turned_neurons(15))


# ---------------------------------------------------------------- strength_by_difference


def _strengths(logits, modulus, frequency, *, circle=2 * math.pi, wave=torch.cos, by=None, apart=None):
    """What each question's logits hold of the wave, averaged over questions that are alike."""
    a, b = torch.arange(modulus**2) // modulus, torch.arange(modulus**2) % modulus
    apart = (a + b)[:, None] - torch.arange(modulus) if apart is None else apart
    held = (logits * wave(circle * frequency * apart / modulus)).sum(dim=1) * 2 / modulus
    groups = (a - b) % modulus if by is None else by(a, b) % modulus
    return torch.zeros(modulus).index_add(0, groups, held) / modulus


@misconception(
    "08.strength_by_difference",
    "Questions were grouped by their sum a + b. Asked is a strength for each *difference* (a - b) mod p.",
)
def groups_by_the_sum(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency, by=lambda a, b: a + b)


@misconception(
    "08.strength_by_difference",
    "The difference was taken as b - a. Entry d is for the questions with (a - b) mod p = d.",
)
def takes_b_minus_a(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency, by=lambda a, b: b - a)


@misconception(
    "08.strength_by_difference",
    "Questions were grouped by the size of a - b. On a circle the differences 1 and p - 1 are not the same: take a - b "
    "mod p.",
)
def takes_the_size_of_the_difference(logits, modulus, frequency):
    a, b = torch.arange(modulus**2) // modulus, torch.arange(modulus**2) % modulus
    groups = (a - b).abs()
    apart = (a + b)[:, None] - torch.arange(modulus)
    held = (logits * (2 * math.pi * frequency * apart / modulus).cos()).sum(dim=1) * 2 / modulus
    return torch.zeros(modulus).index_add(0, groups, held) / groups.bincount()


@misconception(
    "08.strength_by_difference",
    "Questions were grouped by a. Asked is a strength for each difference (a - b) mod p.",
)
def groups_by_a(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency, by=lambda a, b: a)


@misconception(
    "08.strength_by_difference",
    "The questions of each difference were added up. There are p of them; asked is their mean.",
)
def adds_questions_up(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency) * modulus


@misconception(
    "08.strength_by_difference",
    "The factor 2/p is missing. A cosine times itself, added up over the p answers, is p/2; multiply by 2/p, and a "
    "wave of strength 1 gives 1.",
)
def forgets_two_over_p(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency) * modulus / 2


@misconception(
    "08.strength_by_difference",
    "The mean over answers was taken, which divides by p. A cosine's mean square is a half: multiply by 2/p, not by "
    "1/p.",
)
def takes_the_mean_over_answers(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency) / 2


@misconception(
    "08.strength_by_difference",
    "The wave was laid over the answers c themselves. Its top must be at the right answer of each question: "
    "cos(2πk(a + b - c)/p).",
)
def does_not_follow_the_right_answer(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency, apart=-torch.arange(modulus).expand(modulus**2, modulus))


@misconception(
    "08.strength_by_difference",
    "Sines were used. The wave is at its top at the right answer, where a + b - c is 0: a cosine.",
)
def measures_sines(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency, wave=torch.sin)


@misconception(
    "08.strength_by_difference",
    "The angle lacks 2π. A whole turn is 2π.",
)
def measures_without_two_pi(logits, modulus, frequency):
    return _strengths(logits, modulus, frequency, circle=1)


@misconception(
    "08.strength_by_difference",
    "Sizes were averaged. The products have signs, and what does not follow the wave cancels only if they keep them: "
    "no `abs` before the mean.",
)
def averages_sizes(logits, modulus, frequency):
    a, b = torch.arange(modulus**2) // modulus, torch.arange(modulus**2) % modulus
    wave = (2 * math.pi * frequency * ((a + b)[:, None] - torch.arange(modulus)) / modulus).cos()
    held = (logits * wave).sum(dim=1).abs() * 2 / modulus
    return torch.zeros(modulus).index_add(0, (a - b) % modulus, held) / modulus


@misconception(
    "08.strength_by_difference",
    "Only the logit of the right answer was read. A wave shows in the logits of all answers: multiply each by "
    "cos(2πk(a + b - c)/p) and add them up.",
)
def reads_the_right_answer_only(logits, modulus, frequency):
    questions, answers = every_sum(modulus)
    right = logits[torch.arange(modulus**2), answers]
    return torch.zeros(modulus).index_add(0, (questions[:, 0] - questions[:, 1]) % modulus, right) / modulus
