"""Lesson 08: waves over the numbers, what a network holds of them, and the algorithm as weights."""

import math

import numpy as np
import torch
from scipy.special import logsumexp

from innervision.classroom.exercises import exercise, question, scenario
from innervision.learning import doubled_frequency, every_sum, interference


def chosen(values, count, generator):
    """Some of the values, in random order."""
    values = list(values)
    return [values[index] for index in torch.randperm(len(values), generator=generator)[:count]]


def frequencies_of(modulus, count, generator):
    """Some frequencies of a modulus, in random order."""
    return chosen(range(1, modulus // 2 + 1), count, generator)


# ---------------------------------------------------------------- waves over the numbers

SMALL, LARGE = (5, 7, 9, 11), range(61, 130, 2)


def moduli(generator):
    """The smallest, another small one, and one at which angles and products grow large."""
    return [3, *chosen(SMALL, 1, generator), *chosen(LARGE, 1, generator)]


@scenario
def bases(student, generator):
    return {f"modulus {modulus}": student.fourier_basis(modulus) for modulus in moduli(generator)}


@scenario
def products_of_rows(student, generator):
    found = {}
    for modulus in moduli(generator):
        rows = torch.as_tensor(student.fourier_basis(modulus)).double()
        found[f"modulus {modulus}: each row times each row"] = rows @ rows.T
    return found


def basis_by_fourier_transform(modulus):
    """The transform of a lone 1 at each number is a turning arrow: its sides are the waves."""
    arrows = np.fft.rfft(np.eye(modulus), axis=1).T
    rows = [np.ones(modulus)]
    for arrow in arrows[1:]:
        rows += [arrow.real, -arrow.imag]
    return torch.from_numpy(np.array([row / math.sqrt(row @ row) for row in rows]))


@exercise("08.fourier_basis", points=1)
def test_rows_have_length_1_and_stand_at_right_angles(judge):
    def expected(generator):
        sides = moduli(generator)
        return {f"modulus {side}: each row times each row": torch.eye(side, dtype=torch.float64) for side in sides}

    judge(products_of_rows).expect(expected, atol=1e-4)  # room for angles of some hundreds of turns in float32


@exercise("08.fourier_basis", points=2)
def test_each_wave_stands_in_its_row(judge):
    judge(bases).expect(
        lambda generator: {f"modulus {side}": basis_by_fourier_transform(side) for side in moduli(generator)},
        atol=1e-4,
    )


# ---------------------------------------------------------------- how strongly vectors go up and down


def vectors_to_measure(generator):
    """Vectors far from 0 on average; in one case as wide as they are many."""
    count, width = chosen(SMALL, 1, generator)[0], chosen(range(2, 5), 1, generator)[0]
    shapes = {"as wide as there are numbers": (count, count), "of another width": (31, width), "of width 1": (13, 1)}
    return {
        f"vectors {name}, {shape}": 3 * torch.randn(shape[1], generator=generator)
        + torch.randn(shape, generator=generator)
        for name, shape in shapes.items()
    }


@scenario
def norms_of_vectors(student, generator):
    return {name: student.frequency_norms(vectors) for name, vectors in vectors_to_measure(generator).items()}


def turned_wave(generator):
    """A modulus, a frequency, and at which angle its wave begins: neither a cosine nor a sine, in a circle."""
    modulus = chosen((7, 9, 11, 13), 1, generator)[0]
    return modulus, frequencies_of(modulus, 1, generator)[0], 0.3 + float(torch.rand((), generator=generator))


@scenario
def norms_of_one_wave(student, generator):
    modulus, frequency, start = turned_wave(generator)
    angles = 2 * math.pi * frequency * torch.arange(modulus) / modulus + start
    circle = torch.stack([3 * angles.cos(), 3 * angles.sin()], dim=1)
    name = f"numbers 0 to {modulus - 1} on a circle of radius 3, frequency {frequency}"
    return {
        name: student.frequency_norms(circle),
        f"the same around (10, 10): {name}": student.frequency_norms(circle + 10),
    }


def norms_by_fourier_transform(vectors):
    spectrum = np.fft.rfft(vectors.double().numpy(), axis=0, norm="ortho")[1:]
    return torch.from_numpy(np.sqrt(2 * (np.abs(spectrum) ** 2).sum(axis=1)))


def norms_of_a_circle(generator):
    """Each number adds its squared distance from the middle, 3² = 9."""
    modulus, frequency, _ = turned_wave(generator)
    norms = torch.zeros(modulus // 2)
    norms[frequency - 1] = math.sqrt(9 * modulus)
    name = f"numbers 0 to {modulus - 1} on a circle of radius 3, frequency {frequency}"
    return {name: norms, f"the same around (10, 10): {name}": norms}


@exercise("08.frequency_norms", points=1)
def test_a_circle_has_one_frequency_wherever_it_lies_and_begins(judge):
    judge(norms_of_one_wave).expect(norms_of_a_circle, atol=1e-3)


@exercise("08.frequency_norms", points=1)
def test_all_frequencies_of_random_vectors(judge):
    judge(norms_of_vectors).expect(
        lambda generator: {
            name: norms_by_fourier_transform(vectors) for name, vectors in vectors_to_measure(generator).items()
        },
        atol=1e-4,  # sums of some dozens of numbers up to 10, in float32
        rtol=1e-4,
    )


# ---------------------------------------------------------------- key frequencies

PARTS = (0.501, 0.25, 0.17, 0.03, 0.02, 0.015, 0.01, 0.004)
"""Of the sum of squares, what each frequency of 17 numbers holds. Three hold 0.9 of it; of the sum of norms, six."""

CONSTANT = 0.06
"""What the constant has beside that: 0.9 of all, the constant counted, takes five frequencies."""

SHARES = (0.4, 0.6, 0.8, 0.94, 0.96, 0.98, 0.99, 0.998)


def planted(generator):
    """Vectors of 17 numbers, in words what they hold, and their frequencies, the strongest first."""
    order = frequencies_of(17, len(PARTS), generator)
    directions = torch.linalg.qr(torch.randn(12, 12, generator=generator, dtype=torch.float64)).Q
    vectors = (CONSTANT / 2) ** 0.5 * directions[-1].repeat(17, 1)
    for frequency, part, direction in zip(order, PARTS, directions, strict=False):
        start = 6 * torch.rand((), generator=generator)
        angles = 2 * math.pi * frequency * torch.arange(17) / 17 + start
        vectors = vectors + part**0.5 * torch.outer(angles.cos(), direction)
    held = dict(sorted(zip(order, PARTS, strict=True)))
    return vectors.float(), f"vectors whose frequencies have these shares of the sum of squares: {held}", order


def several_planted(generator):
    """Three, since by chance the strongest may also come in rising order."""
    return [planted(generator) for _ in range(3)]


@scenario
def keys_at_the_usual_share(student, generator):
    found = {name: student.key_frequencies(vectors) for vectors, name, _ in several_planted(generator)}
    return {**found, "what the lists hold": sorted({type(one).__name__ for keys in found.values() for one in keys})}


@scenario
def keys_at_several_shares(student, generator):
    vectors, name, _ = planted(generator)
    return {f"share {share}, {name}": student.key_frequencies(vectors, share) for share in SHARES}


def strongest(order, share=0.9):
    """The first of the order that hold the share together, rising."""
    held = np.cumsum(PARTS)
    return sorted(order[: int(np.argmax(held >= share)) + 1])


@exercise("08.key_frequencies", points=1)
def test_the_fewest_that_hold_nine_tenths(judge):
    def expected(generator):
        found = {name: strongest(order) for _, name, order in several_planted(generator)}
        return {**found, "what the lists hold": ["int"]}

    judge(keys_at_the_usual_share).expect(expected, atol=0)


@exercise("08.key_frequencies", points=1)
def test_the_fewest_that_hold_another_share(judge):
    def expected(generator):
        _, name, order = planted(generator)
        return {f"share {share}, {name}": strongest(order, share) for share in SHARES}

    judge(keys_at_several_shares).expect(expected, atol=0)


# ---------------------------------------------------------------- waves of the sum


def one_asked(generator):
    modulus = chosen((5, 7, 9), 1, generator)[0]
    return modulus, frequencies_of(modulus, 1, generator)


def several_asked(generator):
    """Frequencies that fall: whoever sorts them is seen."""
    return 11, sorted(frequencies_of(11, 3, generator), reverse=True)


def named(modulus, frequencies):
    return f"modulus {modulus}, frequencies {frequencies}"


@scenario
def waves_of_one_frequency(student, generator):
    asked = one_asked(generator)
    return {named(*asked): student.sum_waves(*asked)}


@scenario
def waves_of_several_frequencies(student, generator):
    asked = several_asked(generator)
    return {named(*asked): student.sum_waves(*asked)}


def waves_by_hand(modulus, frequencies):
    rows = []
    for frequency in frequencies:
        for wave in (math.cos, math.sin):
            numbers = [
                wave(2 * math.pi * frequency * (a + b) / modulus) for a in range(modulus) for b in range(modulus)
            ]
            rows.append([number / math.sqrt(modulus**2 / 2) for number in numbers])
    return torch.tensor(rows, dtype=torch.float64)


@exercise("08.sum_waves", points=1)
def test_cosine_and_sine_of_a_plus_b_of_length_1(judge):
    def expected(generator):
        asked = one_asked(generator)
        return {named(*asked): waves_by_hand(*asked)}

    judge(waves_of_one_frequency).expect(expected, atol=1e-5)


@exercise("08.sum_waves", points=1)
def test_frequencies_one_after_the_other(judge):
    def expected(generator):
        asked = several_asked(generator)
        return {named(*asked): waves_by_hand(*asked)}

    judge(waves_of_several_frequencies).expect(expected, atol=1e-5)


# ---------------------------------------------------------------- how much of the values goes with the sum


def values_asked(generator, columns=None):
    """Values of all questions, some frequencies; each column has a mean of its own, and the sum matters."""
    cases = {}
    for modulus, count in ((7, 1), (11, 2)):
        frequencies = frequencies_of(modulus, count, generator)
        wide = columns or modulus
        values = torch.randn(modulus**2, wide, generator=generator) + 4 * torch.randn(wide, generator=generator)
        waves = waves_by_hand(modulus, frequencies).float()
        values = values + waves.T @ (modulus * torch.randn(2 * count, wide, generator=generator))
        cases[f"modulus {modulus}, frequencies {frequencies}"] = values, modulus, frequencies
    return cases


@scenario
def shares_of_random_values(student, generator):
    return {name: student.explained_by_frequencies(*asked) for name, asked in values_asked(generator, 4).items()}


def made_of_waves(generator):
    """Values in one column: a wave of the sum, one of a alone, one of a - b, one of another frequency, and 5."""
    modulus = chosen((7, 9, 11), 1, generator)[0]
    frequency, other = frequencies_of(modulus, 2, generator)
    a, b = (torch.arange(modulus**2) // modulus).double(), (torch.arange(modulus**2) % modulus).double()
    turn, start = 2 * math.pi / modulus, 6 * float(torch.rand((), generator=generator))
    waves = {
        "the sum": (turn * frequency * (a + b) + start).cos(),
        "the sum, another frequency": (turn * other * (a + b)).sin(),
        "a alone": (turn * frequency * a).cos(),
        "a - b": (turn * frequency * (a - b) + start).cos(),
    }
    return modulus, frequency, {name: wave.float() for name, wave in waves.items()}


MADE = {
    "3 of the sum's wave, 4 of a's": ({"the sum": 3, "a alone": 4}, 9 / 25),
    "1 of the sum's wave, 2 of a - b's": ({"the sum": 1, "a - b": 2}, 1 / 5),
    "3 of the sum's wave, 1 of the sum's at another frequency": (
        {"the sum": 3, "the sum, another frequency": 1},
        9 / 10,
    ),
}


@scenario
def shares_of_waves(student, generator):
    modulus, frequency, waves = made_of_waves(generator)
    found = {}
    for name, (strengths, _) in MADE.items():
        values = 5 + sum(strength * waves[wave] for wave, strength in strengths.items())
        found[f"modulus {modulus}, frequency {frequency}, {name}, and 5 everywhere"] = student.explained_by_frequencies(
            values[:, None], modulus, [frequency]
        )
    return found


def part_of_the_sum(values, modulus, frequencies):
    """By the Fourier transform over a and over b: what goes with a + b turns with both alike. Without the mean."""
    spectrum = np.fft.fft2(values.double().numpy().reshape(modulus, modulus, -1), axes=(0, 1))
    kept = np.zeros_like(spectrum)
    for frequency in frequencies:
        for turn in (frequency, -frequency):
            kept[turn, turn] = spectrum[turn, turn]
    return np.fft.ifft2(kept, axes=(0, 1)).real.reshape(modulus**2, -1)


def share_by_fourier_transform(values, modulus, frequencies):
    varying = values.double().numpy() - values.double().numpy().mean(axis=0)
    return float((part_of_the_sum(values, modulus, frequencies) ** 2).sum() / (varying**2).sum())


@exercise("08.explained_by_frequencies", points=1)
def test_the_share_in_values_made_of_known_waves(judge):
    def expected(generator):
        modulus, frequency, _ = made_of_waves(generator)
        return {
            f"modulus {modulus}, frequency {frequency}, {name}, and 5 everywhere": share
            for name, (_, share) in MADE.items()
        }

    judge(shares_of_waves).expect(expected, atol=1e-4)


@exercise("08.explained_by_frequencies", points=1)
def test_the_share_of_all_that_varies(judge):
    judge(shares_of_random_values).expect(
        lambda generator: {
            name: share_by_fourier_transform(*asked) for name, asked in values_asked(generator, 4).items()
        },
        atol=1e-4,
    )


# ---------------------------------------------------------------- with these waves only, and without them


def cross_entropy(logits, modulus, among=slice(None)):
    """Mean over questions, by SciPy."""
    answers = np.add.outer(np.arange(modulus), np.arange(modulus)).ravel() % modulus
    losses = logsumexp(logits, axis=1) - logits[np.arange(len(logits)), answers]
    return float(losses[among].mean())


@scenario
def losses_with_these_waves_only(student, generator):
    return {name: student.restricted_loss(*asked) for name, asked in values_asked(generator).items()}


def restricted_by_fourier_transform(logits, modulus, frequencies):
    part = part_of_the_sum(logits, modulus, frequencies) + logits.double().numpy().mean(axis=0)
    return cross_entropy(part, modulus)


def clock(modulus, frequency, height):
    """Logits of the algorithm: how far each answer is from a + b, as a cosine."""
    answers = every_sum(modulus)[1]
    return height * (2 * math.pi * frequency * (answers[:, None] - torch.arange(modulus)) / modulus).cos()


def clocks(generator):
    """Logits of the algorithm at two frequencies, and an opinion on each answer whatever the question."""
    modulus = chosen((7, 9, 11), 1, generator)[0]
    frequency, other = frequencies_of(modulus, 2, generator)
    logits = clock(modulus, frequency, 5.0) + clock(modulus, other, 3.0) + torch.randn(modulus, generator=generator)
    return modulus, frequency, other, logits


@scenario
def losses_of_clocks_restricted(student, generator):
    modulus, frequency, other, logits = clocks(generator)
    name = f"modulus {modulus}, logits of frequencies {frequency} and {other}"
    return {
        f"{name}, asked for both": student.restricted_loss(logits, modulus, [frequency, other]),
        f"{name}, asked for {other}": student.restricted_loss(logits, modulus, [other]),
    }


@exercise("08.restricted_loss", points=1)
def test_random_logits_with_these_waves_only(judge):
    judge(losses_with_these_waves_only).expect(
        lambda generator: {
            name: restricted_by_fourier_transform(*asked) for name, asked in values_asked(generator).items()
        },
        atol=1e-4,
        rtol=1e-4,
    )


@exercise("08.restricted_loss", points=1)
def test_the_algorithm_needs_nothing_else(judge):
    def expected(generator):
        modulus, frequency, other, logits = clocks(generator)
        name = f"modulus {modulus}, logits of frequencies {frequency} and {other}"
        left = (logits - clock(modulus, frequency, 5.0)).double().numpy()
        return {
            f"{name}, asked for both": cross_entropy(logits.double().numpy(), modulus),
            f"{name}, asked for {other}": cross_entropy(left, modulus),
        }

    judge(losses_of_clocks_restricted).expect(expected, atol=1e-4, rtol=1e-4)


def some_questions(modulus, generator):
    """Numbers of a third of the questions, in random order."""
    return torch.randperm(modulus**2, generator=generator)[: modulus**2 // 3]


@scenario
def losses_without_these_waves(student, generator):
    return {name: student.excluded_loss(*asked) for name, asked in values_asked(generator).items()}


@scenario
def losses_among_some_questions(student, generator):
    return {
        f"{name}, among {len(some)} questions": student.excluded_loss(*asked, among=some)
        for name, (asked, some) in asked_among(generator).items()
    }


def asked_among(generator):
    cases = values_asked(generator)
    return {name: (asked, some_questions(asked[1], generator)) for name, asked in cases.items()}


def excluded_by_fourier_transform(logits, modulus, frequencies, among=slice(None)):
    left = logits.double().numpy() - part_of_the_sum(logits, modulus, frequencies)
    return cross_entropy(left, modulus, among)


@exercise("08.excluded_loss", points=1)
def test_random_logits_without_these_waves(judge):
    judge(losses_without_these_waves).expect(
        lambda generator: {
            name: excluded_by_fourier_transform(*asked) for name, asked in values_asked(generator).items()
        },
        atol=1e-4,
        rtol=1e-4,
    )


@exercise("08.excluded_loss", points=1)
def test_only_the_questions_that_count(judge):
    judge(losses_among_some_questions).expect(
        lambda generator: {
            f"{name}, among {len(some)} questions": excluded_by_fourier_transform(*asked, some.numpy())
            for name, (asked, some) in asked_among(generator).items()
        },
        atol=1e-4,
        rtol=1e-4,
    )


def numbers_and_frequencies(generator):
    """Vectors, and which of their frequencies go."""
    cases = {}
    for modulus, count in ((7, 1), (11, 3), (13, 2)):
        frequencies = frequencies_of(modulus, count, generator)
        vectors = 4 + torch.randn(modulus, modulus if modulus == 11 else 3, generator=generator)
        cases[f"{modulus} vectors, without frequencies {frequencies}"] = vectors, frequencies
    return cases


@scenario
def vectors_without(student, generator):
    found = {}
    for name, (vectors, frequencies) in numbers_and_frequencies(generator).items():
        given = vectors.clone()
        found[name] = student.without_frequencies(given, frequencies)
        found[f"{name}: the vectors that were given, afterwards"] = given
    return found


def rest_by_fourier_transform(vectors, frequencies):
    spectrum = np.fft.fft(vectors.double().numpy(), axis=0)
    for frequency in frequencies:
        spectrum[[frequency, -frequency]] = 0
    return torch.from_numpy(np.fft.ifft(spectrum, axis=0).real.copy())


@scenario
def circles_without(student, generator):
    modulus, frequency, start = turned_wave(generator)
    angles = 2 * math.pi * frequency * torch.arange(modulus) / modulus + start
    circle = torch.stack([10 + 3 * angles.cos(), 10 + 3 * angles.sin()], dim=1)
    other = frequency % (modulus // 2) + 1
    name = f"numbers 0 to {modulus - 1} on a circle around (10, 10), frequency {frequency}"
    return {
        f"{name}, without frequency {frequency}": student.without_frequencies(circle, [frequency]),
        f"{name}, without frequency {other}": student.without_frequencies(circle, [other]),
    }


@exercise("08.without_frequencies", points=1)
def test_a_circle_shrinks_to_its_middle_or_stays(judge):
    def expected(generator):
        modulus, frequency, start = turned_wave(generator)
        angles = 2 * math.pi * frequency * torch.arange(modulus) / modulus + start
        circle = torch.stack([10 + 3 * angles.cos(), 10 + 3 * angles.sin()], dim=1)
        other = frequency % (modulus // 2) + 1
        name = f"numbers 0 to {modulus - 1} on a circle around (10, 10), frequency {frequency}"
        return {
            f"{name}, without frequency {frequency}": torch.full((modulus, 2), 10.0),
            f"{name}, without frequency {other}": circle,
        }

    judge(circles_without).expect(expected, atol=1e-4)


@exercise("08.without_frequencies", points=1)
def test_all_else_stays(judge):
    def expected(generator):
        found = {}
        for name, (vectors, frequencies) in numbers_and_frequencies(generator).items():
            found[name] = rest_by_fourier_transform(vectors, frequencies)
            found[f"{name}: the vectors that were given, afterwards"] = vectors
        return found

    judge(vectors_without).expect(expected, atol=1e-4)


# ---------------------------------------------------------------- which wrong answers come close


def strengths_asked(generator):
    """One frequency; then several, not in order, one of them upside down."""
    modulus = chosen((7, 9, 11), 1, generator)[0]
    one, *several = [round(strength, 2) for strength in (0.5 + torch.rand(4, generator=generator)).tolist()]
    several[-1] *= -1
    cases = [
        (modulus, {chosen(range(3, modulus // 2 + 1), 1, generator)[0]: one}),  # half of 2 would be a frequency, too
        (13, dict(zip(frequencies_of(13, 3, generator), several, strict=True))),
    ]
    return {f"modulus {modulus}, strengths {strengths}": (modulus, strengths) for modulus, strengths in cases}


@scenario
def interferences(student, generator):
    return {name: student.interference(*asked) for name, asked in strengths_asked(generator).items()}


@scenario
def interference_of_one(student, generator):
    asked = dict(list(strengths_asked(generator).items())[:1])
    return {name: student.interference(*one) for name, one in asked.items()}


def interference_by_hand(modulus, strengths):
    return torch.tensor(
        [
            math.fsum(strength * math.cos(2 * math.pi * k * offset / modulus) for k, strength in strengths.items())
            for offset in range(modulus)
        ]
    )


@exercise("08.interference", points=1)
def test_one_frequency_is_one_cosine(judge):
    judge(interference_of_one).expect(
        lambda generator: {
            name: interference_by_hand(*asked) for name, asked in list(strengths_asked(generator).items())[:1]
        },
        atol=1e-5,
    )


@exercise("08.interference", points=1)
def test_several_add_up(judge):
    judge(interferences).expect(
        lambda generator: {name: interference_by_hand(*asked) for name, asked in strengths_asked(generator).items()},
        atol=1e-5,
    )


# ---------------------------------------------------------------- the neurons of the algorithm


def angles_asked(generator):
    return chosen((5, 7, 9, 11), 2, generator)


@scenario
def weights_into_neurons(student, generator):
    return {f"angles {angles}, into": student.turned_neurons(angles)[0] for angles in angles_asked(generator)}


@scenario
def weights_back_from_neurons(student, generator):
    return {f"angles {angles}, back": student.turned_neurons(angles)[1] for angles in angles_asked(generator)}


def neurons_by_hand(angles):
    into, back = np.zeros((2, angles)), np.zeros((angles, 2))
    for neuron in range(angles):
        angle = 2 * math.pi * neuron / angles
        into[:, neuron] = math.cos(angle), math.sin(angle)
        back[neuron] = math.cos(2 * angle), math.sin(2 * angle)
    return torch.from_numpy(into), torch.from_numpy(back * 9 * math.pi / (2 * angles))


@exercise("08.turned_neurons", points=1)
def test_neurons_read_at_their_own_angle(judge):
    judge(weights_into_neurons).expect(
        lambda generator: {f"angles {angles}, into": neurons_by_hand(angles)[0] for angles in angles_asked(generator)},
        atol=1e-5,
    )


@exercise("08.turned_neurons", points=1)
def test_neurons_write_at_twice_their_angle(judge):
    judge(weights_back_from_neurons).expect(
        lambda generator: {f"angles {angles}, back": neurons_by_hand(angles)[1] for angles in angles_asked(generator)},
        atol=1e-4,
    )


MANY = (
    25  # angles; of the waves that they cannot tell from the second, the largest has 3 / (23² - 1) = 0.006 of its size
)


def halved_sums(generator):
    """Half the sum of two angles, half their difference."""
    return 2 * math.pi * torch.rand(2, 6, generator=generator, dtype=torch.float64)


@scenario
def sums_of_two_angles(student, generator):
    """What attention leaves of the waves of a and b goes through the neurons: in, rectified, out."""
    into, back = (torch.as_tensor(weights).double() for weights in student.turned_neurons(MANY))
    found = {}
    for half, apart in halved_sums(generator).T:
        first, second = half + apart, half - apart
        stream = torch.stack([first.cos() + second.cos(), first.sin() + second.sin()]) / 3
        name = f"{MANY} angles, a' = {first:.3f}, b' = {second:.3f}"
        found[name] = (stream @ into).relu() @ back
    return found


@exercise("08.turned_neurons", points=1)
def test_waves_of_two_numbers_become_the_wave_of_their_sum(judge):
    def expected(generator):
        found = {}
        for half, apart in halved_sums(generator).T:
            first, second = half + apart, half - apart
            wave = torch.stack([(first + second).cos(), (first + second).sin()])
            found[f"{MANY} angles, a' = {first:.3f}, b' = {second:.3f}"] = apart.cos().abs() * wave
        return found

    judge(sums_of_two_angles).expect(expected, atol=0.02)  # 3 / (m² - 1) for m = 23, 27, 73, 77, … add up to 0.013


# ---------------------------------------------------------------- the algorithm as weights


def networks_asked(generator):
    """A modulus, frequencies and angles; the usual number of angles last."""
    cases = [(7, frequencies_of(7, 1, generator), 9), (11, frequencies_of(11, 2, generator), 5)]
    cases.append((13, frequencies_of(13, 3, generator), 15))
    return {
        f"modulus {modulus}, frequencies {frequencies}, {angles} angles": (modulus, frequencies, angles)
        for modulus, frequencies, angles in cases
    }


def answers_of(network, modulus):
    """Logits at the last position, for every question."""
    with torch.no_grad():
        return network(every_sum(modulus)[0])[:, -1]


@scenario
def compiled_networks(student, generator):
    return {
        name: answers_of(student.compile_modular_addition(*asked), asked[0])
        for name, asked in networks_asked(generator).items()
    }


@scenario
def compiled_with_the_usual_angles(student, generator):
    frequencies = frequencies_of(13, 2, generator)
    network = student.compile_modular_addition(13, frequencies)
    return {f"modulus 13, frequencies {frequencies}": answers_of(network, 13)}


def add_without_a_mistake(outcome):
    for name, logits in outcome.items():
        modulus = int(name.split(",")[0].removeprefix("modulus "))
        if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != (modulus**2, modulus):
            return f"{name}: the logits at the last position are no tensor of shape {(modulus**2, modulus)}"
        given = logits.argmax(dim=1)
        for number in range(modulus**2):
            a, b = divmod(number, modulus)
            if int(given[number]) != (a + b) % modulus:
                wrong = int((given != every_sum(modulus)[1]).sum())
                return (
                    f"{name}: {wrong} of {modulus**2} answers are not (a + b) mod {modulus}, first {a} + {b}: "
                    f"{int(given[number])} where {(a + b) % modulus} is right"
                )
    return True


def logits_by_hand(modulus, frequencies):
    """How far each answer is from the sum, frequency by frequency, times what the factor of a - b lets through."""
    turns = 2 * np.pi * np.array(frequencies, dtype=float) / modulus
    a, b, c = np.indices((modulus, modulus, modulus)).reshape(3, -1, modulus)[..., None]
    return torch.from_numpy((np.abs(np.cos(turns * (a - b) / 2)) * np.cos(turns * (a + b - c))).sum(axis=-1))


def leftover(frequencies, angles):
    """How far logits may be from the formula: of a rectified cosine's waves, those taken for the second are left."""
    waves = [2 * angles * n + side for n in range(1, 1000) for side in (-2, 2)]
    return 2 * len(frequencies) * sum(3 / (wave**2 - 1) for wave in waves)


@exercise("08.compile_modular_addition", points=2)
def test_every_answer_is_right(judge):
    judge(compiled_networks).satisfies(add_without_a_mistake, expected="(a + b) mod p as the largest logit, always")


@exercise("08.compile_modular_addition", points=1)
def test_the_logits_are_those_of_the_algorithm(judge):
    def expected(generator):
        frequencies = frequencies_of(13, 2, generator)
        return {f"modulus 13, frequencies {frequencies}": logits_by_hand(13, frequencies)}

    judge(compiled_with_the_usual_angles).expect(expected, atol=leftover([1, 2], 15))


@scenario
def compiled_without_a_frequency(student, generator):
    """The waves of one frequency are taken out of the token vectors."""
    frequencies = frequencies_of(13, 3, generator)
    network = student.compile_modular_addition(13, frequencies)
    with torch.no_grad():
        rest = rest_by_fourier_transform(network.token_vectors[:13], frequencies[:1])
        network.token_vectors[:13] = rest.to(network.token_vectors)
    name = f"modulus 13, frequencies {frequencies}, {frequencies[0]} taken out of the token vectors"
    return {name: answers_of(network, 13)}


@exercise("08.compile_modular_addition", points=1)
def test_each_frequency_works_by_itself(judge):
    def expected(generator):
        frequencies = frequencies_of(13, 3, generator)
        name = f"modulus 13, frequencies {frequencies}, {frequencies[0]} taken out of the token vectors"
        return {name: logits_by_hand(13, frequencies[1:])}

    judge(compiled_without_a_frequency).expect(expected, atol=leftover([1, 2, 3], 15))


# ---------------------------------------------------------------- strength by difference


def strengths_by_difference(modulus, generator):
    """A strength for each difference, no two alike, each another one than that of the opposite difference."""
    return (0.5 + torch.arange(modulus) / 2)[torch.randperm(modulus, generator=generator)]


def clock_with_strengths(modulus, frequency, strengths):
    a, b = torch.arange(modulus**2) // modulus, torch.arange(modulus**2) % modulus
    apart = a[:, None] + b[:, None] - torch.arange(modulus)
    return strengths[(a - b) % modulus, None] * (2 * math.pi * frequency * apart / modulus).cos()


def strengths_in_words(modulus, frequency, other, strengths):
    return (
        f"modulus {modulus}, logits of frequency {frequency}, at a - b = 0, 1, 2, … as strong as {strengths.tolist()}, "
        f"and of frequency {other}, always 2 strong"
    )


@scenario
def strengths_that_are_known(student, generator):
    modulus = chosen((7, 9, 11), 1, generator)[0]
    frequency, other = frequencies_of(modulus, 2, generator)
    strengths = strengths_by_difference(modulus, generator)
    name = strengths_in_words(modulus, frequency, other, strengths)
    logits = clock_with_strengths(modulus, frequency, strengths)
    logits = logits + clock_with_strengths(modulus, other, torch.full((modulus,), 2.0))
    return {
        f"{name}, asked for {frequency}": student.strength_by_difference(logits, modulus, frequency),
        f"{name}, asked for {other}": student.strength_by_difference(logits, modulus, other),
    }


def logits_at_random(generator):
    modulus = chosen((7, 9, 11), 1, generator)[0]
    frequency = frequencies_of(modulus, 1, generator)[0]
    return torch.randn(modulus**2, modulus, generator=generator), modulus, frequency


@scenario
def strengths_of_random_logits(student, generator):
    logits, modulus, frequency = logits_at_random(generator)
    return {f"modulus {modulus}, frequency {frequency}": student.strength_by_difference(logits, modulus, frequency)}


@exercise("08.strength_by_difference", points=2)
def test_strengths_that_were_put_in_come_out(judge):
    def expected(generator):
        modulus = chosen((7, 9, 11), 1, generator)[0]
        frequency, other = frequencies_of(modulus, 2, generator)
        strengths = strengths_by_difference(modulus, generator)
        name = strengths_in_words(modulus, frequency, other, strengths)
        return {
            f"{name}, asked for {frequency}": strengths,
            f"{name}, asked for {other}": torch.full((modulus,), 2.0),
        }

    judge(strengths_that_are_known).expect(expected, atol=1e-4)


@exercise("08.strength_by_difference", points=1)
def test_a_mean_over_the_questions_of_each_difference(judge):
    def expected(generator):
        logits, modulus, frequency = logits_at_random(generator)
        found, numbers = np.zeros(modulus), logits.double().numpy()
        for number, row in enumerate(numbers):
            a, b = divmod(number, modulus)
            for answer, logit in enumerate(row):
                wave = math.cos(2 * math.pi * frequency * (a + b - answer) / modulus)
                found[(a - b) % modulus] += 2 / modulus * logit * wave / modulus
        return {f"modulus {modulus}, frequency {frequency}": torch.from_numpy(found)}

    judge(strengths_of_random_logits).expect(expected, atol=1e-4)


# ---------------------------------------------------------------- questions


def nearest_rival():
    """Of the two answers that come closest to 20 when only frequency 3 is left, the smaller."""
    heights = interference(113, {3: 1.0})
    heights[0] = -math.inf
    return min((20 + int(offset)) % 113 for offset in heights.topk(2).indices)


test_q_rivals = question(
    "08.q_rivals",
    points=1,
    answer=nearest_rival,
    wrong={
        95: "That answer comes as close. The smaller of the two is asked.",
        38: "That is the offset: 3 · 38 = 114 is 1 more than a whole turn of 113. The answer stands at the right "
        "answer plus or minus the offset.",
        75: "That is an offset: -38 is 75 modulo 113. The answer stands at the right answer plus or minus the offset.",
        19: "Neighbours on the line of numbers are not neighbours on this circle: one number further is three steps of "
        "1/113 of a turn. Which offset e makes 3 · e nearest to a whole number of turns, 113?",
        21: "Neighbours on the line of numbers are not neighbours on this circle: one number further is three steps of "
        "1/113 of a turn. Which offset e makes 3 · e nearest to a whole number of turns, 113?",
        17: "3 is the frequency. Three numbers further the wave has turned by 3 · 3 steps of 1/113 of a turn. Which "
        "offset e makes 3 · e nearest to a whole number of turns, 113?",
        23: "3 is the frequency. Three numbers further the wave has turned by 3 · 3 steps of 1/113 of a turn. Which "
        "offset e makes 3 · e nearest to a whole number of turns, 113?",
    },
)


def half_of_53():
    """Which frequency, doubled, is the wave of frequency 53?"""
    return next(frequency for frequency in range(1, 57) if doubled_frequency(113, frequency) == 53)


test_q_double = question(
    "08.q_double",
    points=1,
    answer=half_of_53,
    wrong={
        7: "You doubled 53: 106, which is the same wave as 7. The question goes the other way: which frequency, "
        "doubled, gives 53?",
        106: "You doubled 53. The question goes the other way: which frequency, doubled, gives 53? And frequencies go "
        "from 1 to 56.",
        26.5: "A frequency is a whole number. 53 is odd, but the waves of 53 and of 113 - 53 are the same over whole "
        "numbers, and that one is even.",
        60: "Half of the way: 53 and 60 are the same wave, since they add up to 113. Now halve it.",
        83: "2 · 83 is 53 more than 113, so this is right but for its name: frequency 83 is the same wave as 113 - 83. "
        "Give the one from 1 to 56.",
    },
)

test_q_progress = question(
    "08.q_progress",
    points=1,
    answer="a",
    wrong={
        "b": "A table treats all frequencies alike: with six others its loss is as low. Compare the two losses in the "
        "line of the table, and in those of run 0.",
        "c": "A table still knows them: what differs among questions with one sum is left when the waves are gone. "
        "Compare the last number of the lines.",
        "d": "It has some, at every frequency alike: averaged over the 113 questions with one sum, a table points to "
        "the right answer, if only a little.",
    },
)

test_q_same = question(
    "08.q_same",
    points=1,
    answer="c",
    wrong={
        "a": "Two ways of sorting give the same lists, and are two ways. How strong a wave is for each difference a - "
        "b was measured inside the same 12,769 questions, and there the two differ.",
        "b": "Put the neurons into another order, and all their weights are other numbers; yet the same is computed. "
        "An algorithm is what is done on the way, so look there.",
        "d": "It answers what it never saw, and its mistakes without one frequency were foretold. That is an "
        "algorithm; the question is whether it is yours.",
    },
)
