"""Right answers to lesson 09 in another style."""

import math
from collections import Counter

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum, reduce
from scipy.spatial.distance import cdist
from sklearn.linear_model import LinearRegression, Ridge

from innervision import edit, record
from innervision.classroom.exercises import alternative
from innervision.learning.board_probes import board_probe, read_board

# ---------------------------------------------------------------- ngram_probability


@alternative("09.ngram_probability")
def chances_with_counters(tokens, contexts, vocabulary, strength=1.0):
    text = tokens.tolist()

    def after(context):
        shorter = after(context[1:]) if context else [1 / vocabulary] * vocabulary
        whole = [tuple(text[i : i + len(context) + 1]) for i in range(len(text) - len(context))]
        counts = Counter(window[-1] for window in whole if window[:-1] == context)
        total = sum(counts.values()) + strength
        return [(counts[token] + strength * chance) / total for token, chance in enumerate(shorter)]

    return torch.tensor([after(tuple(context)) for context in contexts.tolist()])


@alternative("09.ngram_probability")
def chances_by_comparing_windows(tokens, contexts, vocabulary, strength=1.0):
    length, before = len(tokens), contexts.shape[1]
    follows = F.one_hot(tokens, vocabulary).double()
    same = torch.ones(len(contexts), length, dtype=torch.double)  # has all of the context that was looked at so far
    found = torch.full((len(contexts), vocabulary), 1 / vocabulary, dtype=torch.double)
    for back in range(before + 1):
        if back:
            moved = torch.full((length,), -1)
            moved[back:] = tokens[: max(length - back, 0)]
            same = same * (moved == contexts[:, before - back, None])
        counts = same @ follows
        found = (counts + strength * found) / (counts.sum(dim=1, keepdim=True) + strength)
    return found


# ---------------------------------------------------------------- cross_entropy


@alternative("09.cross_entropy")
def surprise_by_pytorch(logits, tokens):
    flat = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), tokens.reshape(-1), reduction="none")
    return flat.view(tokens.shape)


@alternative("09.cross_entropy")
def surprise_against_the_largest(logits, tokens):
    below = logits.double() - logits.double().max(dim=-1, keepdim=True).values
    chosen = F.one_hot(tokens, logits.shape[-1])
    return below.exp().sum(dim=-1).log() - (below * chosen).sum(dim=-1)


@alternative("09.cross_entropy")
def surprise_row_by_row(logits, tokens):
    surprises = []
    for row, token in zip(logits.reshape(-1, logits.shape[-1]).tolist(), tokens.reshape(-1).tolist(), strict=True):
        surprises.append(math.log(math.fsum(math.exp(one - max(row)) for one in row)) + max(row) - row[token])
    return torch.tensor(surprises).view(tokens.shape)


# ---------------------------------------------------------------- causal_attention


@alternative("09.causal_attention")
def attention_by_pytorch(queries, keys):
    values = torch.eye(keys.shape[-2]).to(keys).expand(*keys.shape[:-1], -1)
    return F.scaled_dot_product_attention(queries, keys, values, is_causal=True)


@alternative("09.causal_attention")
def attention_with_a_large_penalty(queries, keys):
    scores = einsum(queries * queries.shape[-1] ** -0.5, keys, "... query each, ... key each -> ... query key")
    return (scores - 1e9 * torch.ones_like(scores).triu(1)).softmax(dim=-1)


@alternative("09.causal_attention")
def attention_row_by_row(queries, keys):
    queries, keys = queries.double(), keys.double()
    pattern = queries.new_zeros(*queries.shape[:-1], queries.shape[-2])
    for position in range(queries.shape[-2]):
        scores = (keys[..., : position + 1, :] * queries[..., position, None, :]).sum(-1) / math.sqrt(keys.shape[-1])
        powers = (scores - scores.amax(-1, keepdim=True)).exp()
        pattern[..., position, : position + 1] = powers / powers.sum(-1, keepdim=True)
    return pattern


# ---------------------------------------------------------------- induction_score


@alternative("09.induction_score")
def induction_by_indices(pattern, period):
    here = torch.arange(period, pattern.shape[-1])
    return reduce(pattern[:, :, here, here - period + 1].double(), "batch head position -> head", "mean")


@alternative("09.induction_score")
def induction_with_loops(pattern, period):
    scores = []
    for head in range(pattern.shape[1]):
        looks = [
            float(one[head, position, position + 1 - period])
            for one in pattern
            for position in range(period, pattern.shape[2])
        ]
        scores.append(math.fsum(looks) / len(looks))
    return torch.tensor(scores)


@alternative("09.induction_score")
def induction_with_a_mask(pattern, period):
    wanted = torch.eye(pattern.shape[-1]).roll(1 - period, dims=1)
    wanted[:period] = 0
    return (pattern * wanted).sum(dim=(0, 2, 3)) / (wanted.sum() * len(pattern))


# ---------------------------------------------------------------- pmi_vectors


@alternative("09.pmi_vectors")
def vectors_by_eigenvectors(counts, width):
    shares = counts.double() / counts.sum()
    alone = shares.sum(0)
    information = (shares / torch.outer(alone, alone)).clamp(min=1).log()
    values, vectors = torch.linalg.eigh(information)
    order = values.abs().argsort(descending=True)[:width]
    return vectors[:, order] * values[order].abs().sqrt()


@alternative("09.pmi_vectors")
def vectors_with_loops_in_numpy(counts, width):
    numbers = counts.double().numpy()
    total, rows = numbers.sum(), numbers.sum(axis=1)
    information = np.zeros_like(numbers)
    for a, b in zip(*numbers.nonzero(), strict=True):
        information[a, b] = max(0.0, math.log(numbers[a, b] * total / (rows[a] * rows[b])))
    left, sizes, _ = np.linalg.svd(information)
    return torch.from_numpy(left[:, :width] @ np.diag(np.sqrt(sizes[:width])))


# ---------------------------------------------------------------- analogy


@alternative("09.analogy")
def analogy_by_sorting(vectors, a, b, c, count=1):
    def cosine(first, second):
        return float(F.cosine_similarity(first, second, dim=0))

    towards = sum(sign * vectors[word] / vectors[word].norm() for sign, word in ((1, b), (-1, a), (1, c)))
    others = [word for word in range(len(vectors)) if word not in (a, b, c)]
    return sorted(others, key=lambda word: cosine(vectors[word], towards), reverse=True)[:count]


@alternative("09.analogy")
def analogy_by_distances_of_unit_vectors(vectors, a, b, c, count=1):
    units = vectors.double().numpy() / np.linalg.norm(vectors.double().numpy(), axis=1, keepdims=True)
    apart = cdist([units[b] - units[a] + units[c]], units, "cosine")[0]
    apart[[a, b, c]] = np.inf
    return [int(word) for word in apart.argsort()[:count]]


# ---------------------------------------------------------------- board_probe


@alternative("09.board_probe")
def probe_by_scikit_learn(stream, boards, ridge=1e-3):
    inputs = np.column_stack([stream.numpy(), np.ones(len(stream))])
    squares = [
        Ridge(alpha=ridge * len(stream), fit_intercept=False, solver="cholesky")
        .fit(inputs, np.eye(3)[square.numpy()])
        .coef_.T
        for square in boards.T
    ]
    return torch.from_numpy(np.stack(squares, axis=1)).float()


@alternative("09.board_probe")
def probe_with_imagined_samples(stream, boards, ridge=1e-3):
    """The penalty is one more sample for each input, whose answer is 0."""
    samples, width = stream.shape
    inputs = torch.cat([stream, torch.ones(samples, 1)], dim=1)
    more = math.sqrt(ridge * samples) * torch.eye(width + 1)
    targets = torch.stack([(boards == state).float() for state in range(3)], dim=-1).flatten(1)
    nothing = torch.zeros(width + 1, targets.shape[1])
    weights = torch.linalg.lstsq(torch.cat([inputs, more]), torch.cat([targets, nothing])).solution
    return weights.view(width + 1, boards.shape[1], 3)


@alternative("09.board_probe")
def probe_by_singular_values(stream, boards, ridge=1e-3):
    inputs = torch.column_stack([stream.double(), torch.ones(len(stream), dtype=torch.float64)])
    left, sizes, right = torch.linalg.svd(inputs, full_matrices=False)
    shrunk = right.T @ torch.diag(sizes / (sizes**2 + ridge * len(stream))) @ left.T
    return einsum(
        shrunk, F.one_hot(boards.long(), 3).double(), "input sample, sample square state -> input square state"
    )


# ---------------------------------------------------------------- control_task


@alternative("09.control_task")
def controls_in_a_dictionary(keys, boards, generator):
    dealt = {}
    for key in map(tuple, keys.tolist()):
        if key not in dealt:
            dealt[key] = int(torch.randint(0, len(boards), (1,), generator=generator))
    return torch.stack([boards[dealt[tuple(key)]] for key in keys.tolist()])


@alternative("09.control_task")
def controls_by_one_number_for_each_key(keys, boards, generator):
    places = keys.max(dim=0).values + 1
    numbers = torch.zeros(len(keys), dtype=torch.long)
    for part, size in zip(keys.T, places.tolist(), strict=True):
        numbers = numbers * size + part
    different = sorted(set(numbers.tolist()))
    chosen = (torch.rand(len(different), generator=generator) * len(boards)).long()
    return boards[chosen[torch.searchsorted(torch.tensor(different), numbers)]]


# ---------------------------------------------------------------- selectivity


@alternative("09.selectivity")
def selectivity_probe_by_probe(stream, boards, controls, trained):
    shares = []
    for labels in (boards, controls):
        probe = board_probe(stream[trained], labels[trained])
        rightly = read_board(probe, stream[~trained]) == labels[~trained]
        shares.append(rightly.sum().item() / rightly.numel())
    return shares[0] - shares[1]


@alternative("09.selectivity")
def selectivity_in_numpy(stream, boards, controls, trained):
    fit, rest = trained.numpy().nonzero()[0], (~trained).numpy().nonzero()[0]
    inputs = np.hstack([stream.double().numpy(), np.ones((len(stream), 1))])
    rightly = {"boards": [], "controls": []}
    for name, labels in (("boards", boards.numpy()), ("controls", controls.numpy())):
        for square in labels.T:
            model = Ridge(alpha=1e-3 * len(fit), fit_intercept=False).fit(inputs[fit], np.eye(3)[square[fit]])
            rightly[name].append((model.predict(inputs[rest]).argmax(axis=1) == square[rest]).mean())
    return float(np.mean(rightly["boards"]) - np.mean(rightly["controls"]))


# ---------------------------------------------------------------- board_directions


@alternative("09.board_directions")
def directions_by_scikit_learn(stream, boards, numbers):
    owners = np.select([boards.numpy() == 1, boards.numpy() == 2], [-0.5, 0.5])
    moves = np.stack([numbers.numpy() == number for number in np.unique(numbers.numpy())], axis=1)
    fitted = LinearRegression(fit_intercept=False).fit(np.hstack([owners, moves]), stream.double().numpy())
    return torch.from_numpy(fitted.coef_[:, : boards.shape[1]].T.copy())


@alternative("09.board_directions")
def directions_without_what_the_move_tells(stream, boards, numbers):
    owners = torch.tensor([0.0, -0.5, 0.5])[boards.long()]

    def without(values):
        values = values.clone()
        for number in set(numbers.tolist()):
            values[numbers == number] -= values[numbers == number].mean(dim=0)
        return values

    return torch.linalg.pinv(without(owners)) @ without(stream)


# ---------------------------------------------------------------- intervene


@alternative("09.intervene")
def edit_with_a_mask(network, tokens, layer, places, change):
    here = F.one_hot(places, tokens.shape[1])[..., None]
    with torch.inference_mode(), edit(network, {layer: lambda stream: stream + here * change[:, None]}):
        answers = network(tokens)
    return (answers * here).sum(dim=1).clone()


@alternative("09.intervene")
def edit_sequence_by_sequence(network, tokens, layer, places, change):
    found = []
    for sequence, place, added in zip(tokens, places.tolist(), change, strict=True):

        def hook(module, given, stream, place=place, added=added):
            stream = stream.clone()
            stream[0, place] = stream[0, place] + added
            return stream

        handle = network.get_submodule(layer).register_forward_hook(hook)
        try:
            found.append(network(sequence[None])[0, place].detach())
        finally:
            handle.remove()
    return torch.stack(found)


# ---------------------------------------------------------------- steering_vector


@alternative("09.steering_vector")
def steering_sequence_by_sequence(network, towards, away, layer):
    def mean(sequences):
        rows = [record(network, one[None], layer)[layer].detach()[0].double() for one in sequences]
        return torch.cat(rows).mean(dim=0)

    return mean(towards) - mean(away)


@alternative("09.steering_vector")
def steering_with_a_hook(network, towards, away, layer):
    seen = []
    handle = network.get_submodule(layer).register_forward_hook(lambda module, given, stream: seen.append(stream))
    try:
        with torch.no_grad():
            for tokens in (towards, away):
                network(tokens)
    finally:
        handle.remove()
    first, second = (reduce(stream, "batch position width -> width", "mean") for stream in seen)
    return first.sub(second)


# ---------------------------------------------------------------- dose_response


@alternative("09.dose_response")
def doses_in_a_loop(network, tokens, layer, vector, doses, measure):
    response = torch.zeros(len(doses))
    for number, dose in enumerate(doses):
        with edit(network, {layer: lambda stream, dose=dose: torch.add(stream, vector, alpha=dose)}):
            response[number] = float(measure(network(tokens).detach()))
    return response


@alternative("09.dose_response")
def doses_with_one_hook(network, tokens, layer, vector, doses, measure):
    dose = torch.zeros(())
    handle = network.get_submodule(layer).register_forward_hook(lambda module, given, stream: stream + dose * vector)
    found = []
    try:
        with torch.inference_mode():
            for now in doses:
                dose.fill_(now)
                found.append(measure(network(tokens)).item())
    finally:
        handle.remove()
    return torch.tensor(found, dtype=torch.float64)
