"""Right answers to lesson 08 in another style, which every grader must accept."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum
from scipy.linalg import block_diag

from innervision.classroom.exercises import alternative
from innervision.learning import every_sum, fourier_basis, frequency_norms, sum_waves
from innervision.learning.compiled import empty_network, turned_neurons, waves_of_numbers

# ---------------------------------------------------------------- waves over the numbers


@alternative("08.fourier_basis")
def basis_with_loops(modulus):
    rows = [[1 / math.sqrt(modulus)] * modulus]
    for k in range(1, (modulus + 1) // 2):
        for wave in (math.cos, math.sin):
            rows.append(
                [math.sqrt(2 / modulus) * wave(2 * math.pi * k * number / modulus) for number in range(modulus)]
            )
    return torch.tensor(rows)


@alternative("08.fourier_basis")
def basis_from_complex_numbers(modulus):
    frequencies, numbers = torch.arange(1, modulus // 2 + 1), torch.arange(modulus)
    arrows = torch.exp(2j * torch.pi * torch.outer(frequencies, numbers) / modulus)
    waves = torch.view_as_real(arrows).transpose(1, 2).reshape(-1, modulus)
    basis = torch.cat([torch.ones(1, modulus), waves])
    return basis / basis.norm(dim=1, keepdim=True)


@alternative("08.fourier_basis")
def basis_filled_in(modulus):
    basis = torch.empty(modulus, modulus, dtype=torch.float64)
    angles = torch.linspace(0, 2 * torch.pi, modulus + 1, dtype=torch.float64)[:-1]
    basis[0] = 1
    basis[1::2] = torch.cos(torch.arange(1, modulus // 2 + 1)[:, None] * angles)
    basis[2::2] = torch.sin(torch.arange(1, modulus // 2 + 1)[:, None] * angles)
    basis[0] /= modulus**0.5
    basis[1:] /= (modulus / 2) ** 0.5
    return basis


@alternative("08.frequency_norms")
def norms_by_fft(vectors):
    spectrum = torch.fft.rfft(vectors.double(), dim=0, norm="ortho")[1:]
    return (2 * spectrum.abs().square().sum(dim=1)).sqrt()


@alternative("08.frequency_norms")
def norms_with_a_loop(vectors):
    waves = fourier_basis(len(vectors)) @ vectors
    norms = []
    for frequency in range(1, len(vectors) // 2 + 1):
        cosine, sine = waves[2 * frequency - 1], waves[2 * frequency]
        norms.append(math.sqrt(float((cosine**2 + sine**2).sum())))
    return torch.tensor(norms)


@alternative("08.frequency_norms")
def norms_of_every_second_row(vectors):
    squares = (fourier_basis(len(vectors)).double() @ vectors.double()).pow(2).sum(-1)
    return torch.sqrt(squares[1::2] + squares[2::2])


@alternative("08.key_frequencies")
def keys_with_python(vectors, share=0.9):
    squares = {k: norm**2 for k, norm in enumerate(frequency_norms(vectors).tolist(), start=1)}
    found, held = [], 0.0
    for frequency in sorted(squares, key=squares.get, reverse=True):
        found.append(frequency)
        held += squares[frequency]
        if held >= share * sum(squares.values()):
            break
    return sorted(found)


@alternative("08.key_frequencies")
def keys_with_numpy(vectors, share=0.9):
    squares = frequency_norms(vectors).double().numpy() ** 2
    order = np.argsort(squares)[::-1]
    count = np.searchsorted(np.cumsum(squares[order]), share * squares.sum()) + 1
    return [int(frequency) for frequency in np.sort(order[:count] + 1)]


@alternative("08.without_frequencies")
def without_by_fft(vectors, frequencies):
    spectrum = torch.fft.rfft(vectors.double(), dim=0)
    spectrum[list(frequencies)] = 0
    return torch.fft.irfft(spectrum, n=len(vectors), dim=0)


@alternative("08.without_frequencies")
def without_one_wave_after_the_other(vectors, frequencies):
    basis, left = fourier_basis(len(vectors)), vectors.clone()
    for frequency in frequencies:
        for wave in basis[2 * frequency - 1 : 2 * frequency + 1]:
            left -= torch.outer(wave, wave @ left)
    return left


@alternative("08.without_frequencies")
def without_by_keeping_the_rest(vectors, frequencies):
    basis = fourier_basis(len(vectors)).double()
    gone = {row for frequency in frequencies for row in (2 * frequency - 1, 2 * frequency)}
    kept = basis[[row for row in range(len(vectors)) if row not in gone]]
    return kept.T @ kept @ vectors.double()


# ---------------------------------------------------------------- waves of the sum


@alternative("08.sum_waves")
def sum_waves_with_loops(modulus, frequencies):
    rows = []
    for frequency, wave in itertools.product(frequencies, (math.cos, math.sin)):
        turn = 2 * math.pi * frequency / modulus
        rows.append([wave(turn * (a + b)) for a in range(modulus) for b in range(modulus)])
    return F.normalize(torch.tensor(rows), dim=1)


@alternative("08.sum_waves")
def sum_waves_from_complex_numbers(modulus, frequencies):
    questions, _ = every_sum(modulus)
    sums = questions[:, :2].sum(dim=1).double()
    arrows = torch.polar(torch.tensor(2**0.5 / modulus).double(), 2 * torch.pi / modulus * sums)
    arrows = torch.polar(
        torch.full((len(frequencies), len(sums)), 2**0.5 / modulus, dtype=torch.float64),
        torch.outer(torch.tensor(frequencies).double(), arrows.angle()),
    )
    return torch.stack([arrows.real, arrows.imag], dim=1).flatten(0, 1)


@alternative("08.sum_waves")
def sum_waves_by_the_addition_theorem(modulus, frequencies):
    waves = []
    for frequency in frequencies:
        cosine, sine = fourier_basis(modulus)[2 * frequency - 1 : 2 * frequency + 1]
        waves.append(torch.outer(cosine, cosine) - torch.outer(sine, sine))
        waves.append(torch.outer(sine, cosine) + torch.outer(cosine, sine))
    waves = torch.stack(waves).flatten(1)
    return waves / waves.square().sum(dim=1, keepdim=True).sqrt()


@alternative("08.explained_by_frequencies")
def share_of_what_varies_by_variances(values, modulus, frequencies):
    waves = sum_waves(modulus, frequencies)
    return (waves.T @ (waves @ values)).var(dim=0).sum() / values.var(dim=0).sum()


@alternative("08.explained_by_frequencies")
def share_by_what_is_left(values, modulus, frequencies):
    varying = (values - values.mean(0, keepdim=True)).double()
    left = varying.clone()
    for wave in sum_waves(modulus, frequencies).double():
        left -= torch.outer(wave, wave @ left)
    return 1 - left.norm() ** 2 / varying.norm() ** 2


@alternative("08.explained_by_frequencies")
def share_by_fft(values, modulus, frequencies):
    grid = values.double().unflatten(0, (modulus, modulus)) - values.double().mean(dim=0)
    spectrum = torch.fft.fft2(grid, dim=(0, 1)).abs().square()
    both = [*frequencies, *(modulus - frequency for frequency in frequencies)]
    return float(spectrum[both, both].sum() / spectrum.sum())


@alternative("08.interference")
def interference_with_loops(modulus, strengths):
    heights = [0.0] * modulus
    for offset in range(modulus):
        for frequency in strengths:
            heights[offset] += strengths[frequency] * math.cos(2 * math.pi * frequency * offset / modulus)
    return torch.tensor(heights)


@alternative("08.interference")
def interference_by_fft(modulus, strengths):
    spectrum = torch.zeros(modulus, dtype=torch.complex128)
    for frequency, strength in strengths.items():
        spectrum[frequency] = strength
    return torch.fft.fft(spectrum).real


@alternative("08.interference")
def interference_with_a_product(modulus, strengths):
    frequencies = torch.tensor(list(strengths), dtype=torch.float32)
    heights = torch.tensor(list(strengths.values()), dtype=torch.float32)
    return heights @ torch.cos(2 * torch.pi / modulus * torch.outer(frequencies, torch.arange(modulus).float()))


# ---------------------------------------------------------------- with these waves only, and without them


@alternative("08.restricted_loss")
def restricted_by_hand(logits, modulus, frequencies):
    waves = sum_waves(modulus, frequencies)
    kept = logits.mean(dim=0, keepdim=True) + einsum(waves, waves, logits, "w q, w other, other c -> q c")
    _, answers = every_sum(modulus)
    return -kept.log_softmax(dim=1).gather(1, answers[:, None]).mean()


@alternative("08.restricted_loss")
def restricted_by_fft(logits, modulus, frequencies):
    spectrum = torch.fft.fft2(logits.double().view(modulus, modulus, -1), dim=(0, 1))
    kept = torch.zeros_like(spectrum)
    for k in [0, *frequencies, *(-frequency for frequency in frequencies)]:
        kept[k, k] = spectrum[k, k]
    left = torch.fft.ifft2(kept, dim=(0, 1)).real.reshape(modulus**2, -1)
    return F.nll_loss(left.log_softmax(dim=-1), every_sum(modulus)[1])


@alternative("08.restricted_loss")
def restricted_as_means_over_equal_sums(logits, modulus, frequencies):
    """What goes with the sum is the mean over all questions with that sum; of that, the waves over the numbers."""
    _, answers = every_sum(modulus)
    means = torch.stack([logits[answers == answer].mean(dim=0) for answer in range(modulus)])
    basis = fourier_basis(modulus)
    rows = [0] + [row for frequency in frequencies for row in (2 * frequency - 1, 2 * frequency)]
    kept = basis[rows].T @ (basis[rows] @ means)
    return F.cross_entropy(kept, torch.arange(modulus))  # each sum has as many questions as any other


@alternative("08.excluded_loss")
def excluded_wave_by_wave(logits, modulus, frequencies, among=None):
    left = logits.double()
    for wave in sum_waves(modulus, frequencies).double():
        left = left - torch.outer(wave, wave @ left)
    losses = F.cross_entropy(left, every_sum(modulus)[1], reduction="none")
    return losses.mean() if among is None else losses[among].mean()


@alternative("08.excluded_loss")
def excluded_by_hand(logits, modulus, frequencies, among=None):
    waves = sum_waves(modulus, frequencies)
    left = logits - waves.T @ waves @ logits
    among = range(modulus**2) if among is None else among.tolist()
    losses = []
    for question in among:
        right = sum(divmod(question, modulus)) % modulus
        losses.append(float(left[question].logsumexp(0) - left[question, right]))
    return sum(losses) / len(losses)


# ---------------------------------------------------------------- the algorithm as weights


@alternative("08.turned_neurons")
def neurons_with_loops(angles=15):
    into = [[], []]
    back = []
    for neuron in range(angles):
        turn = 2 * math.pi * neuron / angles
        into[0].append(math.cos(turn))
        into[1].append(math.sin(turn))
        back.append([4.5 * math.pi / angles * wave(2 * turn) for wave in (math.cos, math.sin)])
    return torch.tensor(into), torch.tensor(back)


@alternative("08.turned_neurons")
def neurons_from_complex_numbers(angles=15):
    arrows = torch.exp(2j * torch.pi * torch.arange(angles) / angles)
    return torch.view_as_real(arrows).T, torch.view_as_real(arrows**2) * 9 * torch.pi / (2 * angles)


@alternative("08.compile_modular_addition")
def compiled_with_loops(modulus, frequencies, angles=15):
    network, count = empty_network(modulus, frequencies, angles), len(frequencies)
    into, back = turned_neurons(angles)
    block = network.block(0)
    with torch.no_grad():
        for place, frequency in enumerate(frequencies):
            cosine, sine = 2 * place, 2 * place + 1
            for number in range(modulus):
                turn = 2 * math.pi * frequency * number / modulus
                for row, wave in ((cosine, math.cos), (sine, math.sin)):
                    network.token_vectors[number, row] = wave(turn)
                    network.unembed[2 * count + row, number] = wave(turn)
            neurons = slice(place * angles, (place + 1) * angles)
            block.into[cosine : sine + 1, neurons] = into
            block.back[neurons, 2 * count + cosine : 2 * count + sine + 1] = back
            for row in (cosine, sine):
                block.value[0, row, row] = block.out[0, row, row] = 1
    return network


@alternative("08.compile_modular_addition")
def compiled_with_the_halves_exchanged(modulus, frequencies, angles=15):
    """Waves of the numbers below, those of the sum above; neurons mixed in order; scaled elsewhere."""
    network, half = empty_network(modulus, frequencies, angles), 2 * len(frequencies)
    waves = waves_of_numbers(modulus, frequencies)
    into, back = (block_diag(*[part.numpy()] * len(frequencies)) for part in turned_neurons(angles))
    order = np.arange(into.shape[1])[::-1].copy()
    block = network.block(0)
    with torch.no_grad():
        network.token_vectors[:modulus, half:] = 2 * waves
        block.value.copy_(torch.eye(2 * half)[None])
        block.out.copy_(torch.eye(2 * half)[None])
        block.into[half:] = torch.from_numpy(into[:, order]) / 2
        block.back[:, :half] = torch.from_numpy(back[order]) / 3
        network.unembed[:half] = 3 * waves.T
    return network


@alternative("08.compile_modular_addition")
def compiled_without_moving_by_attention(modulus, frequencies, angles=15):
    """Attention brings waves into the second half, where neurons read; so they write into the first, which is 0."""
    network, half = empty_network(modulus, frequencies, angles), 2 * len(frequencies)
    waves, (into, back) = waves_of_numbers(modulus, frequencies), turned_neurons(angles)
    with torch.no_grad():
        network.token_vectors[torch.arange(modulus), :half] = waves
        network.block(0).value[0, :half, half:] = torch.eye(half)
        network.block(0).out[0, half:, half:] = torch.eye(half)
        network.block(0).into.copy_(F.pad(torch.block_diag(*[into] * len(frequencies)), (0, 0, half, 0)))
        network.block(0).back.copy_(F.pad(torch.block_diag(*[back] * len(frequencies)), (0, half)))
        network.unembed.copy_(F.pad(waves.T, (0, 0, 0, half)))
    return network


# ---------------------------------------------------------------- strength by difference


@alternative("08.strength_by_difference")
def strengths_with_loops(logits, modulus, frequency):
    strengths = []
    for difference in range(modulus):
        found = []
        for b in range(modulus):
            a = (b + difference) % modulus
            row = logits[a * modulus + b].tolist()
            turn = 2 * math.pi * frequency / modulus
            found.append(2 / modulus * sum(logit * math.cos(turn * (a + b - c)) for c, logit in enumerate(row)))
        strengths.append(sum(found) / len(found))
    return torch.tensor(strengths)


@alternative("08.strength_by_difference")
def strengths_by_fft(logits, modulus, frequency):
    """The transform of the logits over answers, turned back by the sum."""
    questions, answers = every_sum(modulus)
    held = torch.fft.fft(logits.double(), dim=1)[:, frequency] * torch.exp(
        2j * torch.pi * frequency * answers.double() / modulus
    )
    differences = (questions[:, 0] - questions[:, 1]).remainder(modulus)
    return torch.stack([2 / modulus * held.real[differences == d].mean() for d in range(modulus)])


@alternative("08.strength_by_difference")
def strengths_in_a_square(logits, modulus, frequency):
    a, b, c = np.indices((modulus, modulus, modulus))
    wave = np.cos(2 * np.pi * frequency * (a + b - c) / modulus)
    square = 2 / modulus * (logits.numpy().reshape(modulus, modulus, modulus) * wave).sum(axis=-1)
    return torch.tensor([np.mean([square[a, a - d] for a in range(modulus)]) for d in range(modulus)])
