"""Lesson 09: what counts of neighbours say, how heads look back, what vectors, probes and edits show."""

from collections import Counter

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import log_softmax
from sklearn.linear_model import LinearRegression, Ridge
from torch import nn

from innervision.classroom.exercises import exercise, question, scenario


def hooks_of(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


# ---------------------------------------------------------------- what came after that?


def short_text(generator):
    """Twelve tokens, few enough to count by hand, with three contexts: nothing, its last token, two tokens in it."""
    text = torch.randint(3, (12,), generator=generator)
    start = int(torch.randint(9, (), generator=generator))
    strength = 0.5 + int(torch.randint(1, 4, (), generator=generator))
    return text, [text[:0], text[-1:], text[start : start + 2]], strength


def asked_of_a_short_text(generator):
    """The case in words, and what the function is given."""
    text, contexts, strength = short_text(generator)
    for context in contexts:
        case = f"text {text.tolist()}, context {context.tolist()}, vocabulary 3, strength {strength:g}"
        yield case, (text, context[None], 3, strength)


def asked_of_longer_texts(generator):
    """Many contexts at once: often seen, seldom seen, never seen; tokens that the text lacks; hardly any text."""
    text = torch.randint(4, (200,), generator=generator)
    for before in (1, 3):
        contexts = torch.randint(5, (12, before), generator=generator)
        contexts[1], contexts[2] = text[-before:], contexts[0]
        yield f"200 tokens, {before} before, vocabulary 5", (text, contexts, 5, 0.7)
    short = torch.randint(4, (2,), generator=generator)
    yield "2 tokens, 3 before, vocabulary 4", (short, torch.randint(4, (3, 3), generator=generator), 4, 1.5)


@scenario
def probabilities_in_a_short_text(student, generator):
    return {case: student.ngram_probability(*given) for case, given in asked_of_a_short_text(generator)}


@scenario
def probabilities_in_longer_texts(student, generator):
    return {case: student.ngram_probability(*given) for case, given in asked_of_longer_texts(generator)}


def counted_by_loops(tokens, contexts, vocabulary, strength):
    tokens, rows = tokens.tolist(), []
    for context in contexts.tolist():
        chances = [1 / vocabulary] * vocabulary
        for before in range(len(context) + 1):
            end = context[len(context) - before :]
            places = range(len(tokens) - before)
            counts = Counter(tokens[place + before] for place in places if tokens[place : place + before] == end)
            total = sum(counts.values()) + strength
            chances = [(counts[token] + strength * chances[token]) / total for token in range(vocabulary)]
        rows.append(chances)
    return torch.tensor(rows, dtype=torch.float64)


@exercise("09.ngram_probability", points=1)
def test_counts_lean_on_shorter_contexts(judge):
    judge(probabilities_in_a_short_text).expect(
        lambda generator: {case: counted_by_loops(*given) for case, given in asked_of_a_short_text(generator)},
        atol=1e-5,  # quotients of small counts, in float32
    )


@exercise("09.ngram_probability", points=1)
def test_contexts_that_were_never_seen_say_what_their_end_says(judge):
    judge(probabilities_in_longer_texts).expect(
        lambda generator: {case: counted_by_loops(*given) for case, given in asked_of_longer_texts(generator)},
        atol=1e-5,
    )


# ---------------------------------------------------------------- how surprising was that?


def to_be_surprised_by_hand(generator):
    """Two positions, three tokens, whole logits; what came was once the least likely."""
    logits = torch.stack([torch.randperm(4, generator=generator)[:3] for _ in range(2)]).float()
    tokens = torch.stack([logits[0].argmin(), torch.randint(3, (), generator=generator)])
    return f"logits {logits.int().tolist()}, tokens {tokens.tolist()}", (logits, tokens)


def to_be_surprised(generator):
    """Sequences, one sequence, a single token."""
    for size in ((2, 5, 7), (6, 4), (3, 2, 2, 3), (5,)):
        logits = 3 * torch.randn(size, generator=generator)
        yield f"logits of shape {size}", (logits, torch.randint(size[-1], size[:-1], generator=generator))


def far_logits(generator):
    """Numbers that no exponential can take, and one token that is as good as certain."""
    logits, tokens = torch.randn(4, 5, generator=generator), torch.randint(5, (4,), generator=generator)
    certain = torch.where(torch.arange(5) == 2, 2000.0, 0.0).expand(4, 5)
    yield "logits near 10000", (logits + 10_000, tokens)
    yield "logits near -10000", (logits - 10_000, tokens)
    yield "the logit of token 2 is 2000 larger, token 2 came", (certain + logits, torch.full((4,), 2))
    yield "the logit of token 2 is 2000 larger, another came", (certain + logits, torch.tensor([0, 1, 3, 4]))


@scenario
def surprise_by_hand(student, generator):
    case, given = to_be_surprised_by_hand(generator)
    return {case: student.cross_entropy(*given)}


@scenario
def surprise_of_sequences(student, generator):
    return {case: student.cross_entropy(*given) for case, given in to_be_surprised(generator)}


@scenario
def surprise_from_far_logits(student, generator):
    return {case: student.cross_entropy(*given) for case, given in far_logits(generator)}


def surprised(logits, tokens):
    chances = log_softmax(logits.double().numpy(), axis=-1)
    return torch.from_numpy(-np.take_along_axis(chances, tokens.numpy()[..., None], axis=-1)).squeeze(-1)


@exercise("09.cross_entropy", points=1)
def test_minus_the_logarithm_of_what_came(judge):
    judge(surprise_by_hand).expect(
        lambda generator: {(case := to_be_surprised_by_hand(generator))[0]: surprised(*case[1])}, atol=1e-4
    )
    judge(surprise_of_sequences).expect(
        lambda generator: {case: surprised(*given) for case, given in to_be_surprised(generator)}, atol=1e-4
    )


@exercise("09.cross_entropy", points=1)
def test_large_logits_give_finite_surprise(judge):
    judge(surprise_from_far_logits).expect(
        lambda generator: {case: surprised(*given) for case, given in far_logits(generator)},
        atol=5e-3,  # float32 knows a logit near 10000 to 0.001
    )


# ---------------------------------------------------------------- who looks where


def to_attend_by_hand(generator):
    """Three positions, four numbers each, all whole."""
    queries, keys = torch.randint(-2, 3, (2, 3, 4), generator=generator).float()
    keys[0] = keys[1] + 1  # no row of scores is the same for all
    return f"queries {queries.int().tolist()}, keys {keys.int().tolist()}", (queries, keys)


def to_attend(generator):
    """Sequences and heads; few and many numbers per position, whose scores are spread alike."""
    for size in ((2, 3, 5, 4), (2, 6, 9), (7, 2)):
        yield f"both of shape {size}", tuple(torch.randn(2, *size, generator=generator))


def far_from_zero(generator):
    """What all keys share moves all scores of a row alike, which changes no share; a later key may be far ahead."""
    queries = torch.ones(4, 16)
    keys = 0.3 * torch.randn(4, 16, generator=generator)
    yield "scores near 800", (queries, keys + 200)
    yield "scores near -800", (queries, keys - 200)
    yield "the last position 800 ahead", (queries, keys + torch.tensor([0.0, 0.0, 0.0, 200.0])[:, None])


@scenario
def a_pattern_by_hand(student, generator):
    case, given = to_attend_by_hand(generator)
    return {case: student.causal_attention(*given)}


@scenario
def patterns_of_heads(student, generator):
    return {case: student.causal_attention(*given) for case, given in to_attend(generator)}


@scenario
def patterns_of_large_scores(student, generator):
    return {case: student.causal_attention(*given) for case, given in far_from_zero(generator)}


def attended(queries, keys):
    """PyTorch's own attention; each position's value is a 1 in a place of its own, so what comes out is the pattern."""
    values = torch.eye(keys.shape[-2], dtype=torch.float64).expand(*keys.shape[:-1], -1)
    return F.scaled_dot_product_attention(queries.double(), keys.double(), values, is_causal=True)


@exercise("09.causal_attention", points=1)
def test_shares_of_what_stands_here_and_before(judge):
    judge(a_pattern_by_hand).expect(
        lambda generator: {(case := to_attend_by_hand(generator))[0]: attended(*case[1])}, atol=1e-5
    )
    judge(patterns_of_heads).expect(
        lambda generator: {case: attended(*given) for case, given in to_attend(generator)}, atol=1e-5
    )


@exercise("09.causal_attention", points=1)
def test_large_scores_break_nothing(judge):
    judge(patterns_of_large_scores).expect(
        lambda generator: {case: attended(*given) for case, given in far_from_zero(generator)},
        atol=2e-3,  # float32 knows a score near 800 to 0.0001
    )


# ---------------------------------------------------------------- after what stood here last time


def small_pattern(generator):
    """One sequence, one head, five positions; whole thousandths, so that they can be added up by hand."""
    thousandths = torch.randint(1, 200, (5, 5), generator=generator).tril()
    thousandths[2, 1] += 200
    rows = ", ".join(str(row[: position + 1].tolist()) for position, row in enumerate(thousandths))
    return f"thousandths of positions 0 to 4, up to themselves: {rows}; period 2", thousandths[None, None] / 1000


def patterns_drawn(generator):
    """Looks of several heads, which fall on the past in any way."""
    for size, period in (((3, 2, 9, 9), 4), ((1, 3, 8, 8), 3), ((2, 2, 7, 7), 6), ((2, 1, 5, 5), 1)):
        scores = 2 * torch.randn(size, generator=generator)
        later = torch.ones(size[-2:], dtype=torch.bool).triu(1)
        yield f"pattern of shape {size}, period {period}", scores.masked_fill(later, -torch.inf).softmax(-1), period


def looks_at(places, positions):
    """A head that puts all its attention on one place for each position; where that lies outside, on the first."""
    places = [max(0, place) for place in places]
    return torch.eye(positions)[places]


def known_heads(period, positions=12):
    """What each head does, and its score."""
    here = range(positions)
    return {
        "after the last time": (looks_at([t - period + 1 for t in here], positions), 1.0),
        "the last time": (looks_at([t - period for t in here], positions), 0.0),
        "the token before": (looks_at([t - 1 for t in here], positions), 0.0),
        "itself": (looks_at(here, positions), 0.0),
        "the first token": (looks_at([0 for _ in here], positions), 0.0),
    }


@scenario
def a_score_by_hand(student, generator):
    case, pattern = small_pattern(generator)
    return {case: student.induction_score(pattern, 2)}


@scenario
def scores_of_heads(student, generator):
    return {case: student.induction_score(pattern, period) for case, pattern, period in patterns_drawn(generator)}


@scenario
def scores_of_known_heads(student, generator):
    found = {}
    for period in (4, 5):
        heads = known_heads(period)
        scores = student.induction_score(torch.stack([pattern for pattern, _ in heads.values()])[None], period)
        found |= {f"period {period}, a head that looks at {name}": scores[number] for number, name in enumerate(heads)}
    return found


def scored_by_loops(pattern, period):
    numbers = pattern.double().numpy()
    batch, heads, positions, _ = numbers.shape
    looks = np.zeros((batch, heads))
    for position in range(period, positions):
        looks += numbers[:, :, position, position - period + 1]
    return torch.from_numpy(looks.mean(axis=0) / (positions - period))


@exercise("09.induction_score", points=1)
def test_the_share_that_falls_on_what_came_next_last_time(judge):
    judge(a_score_by_hand).expect(
        lambda generator: {(case := small_pattern(generator))[0]: scored_by_loops(case[1], 2)}, atol=1e-5
    )
    judge(scores_of_heads).expect(
        lambda generator: {
            case: scored_by_loops(pattern, period) for case, pattern, period in patterns_drawn(generator)
        },
        atol=1e-5,
    )


@exercise("09.induction_score", points=1)
def test_heads_that_do_one_thing_only(judge):
    expected = {
        f"period {period}, a head that looks at {name}": score
        for period in (4, 5)
        for name, (_, score) in known_heads(period).items()
    }
    judge(scores_of_known_heads).expect(expected, atol=1e-5)


# ---------------------------------------------------------------- words by their neighbours


def neighbours_counted(generator, words=7):
    """Symmetric counts, as of words in a text: a few large, many zero, and every word has some neighbour."""
    drawn = torch.rand(words, words, generator=generator)
    counts = (30 * drawn**3).round() * (torch.rand(words, words, generator=generator) < 0.6)
    counts = counts + counts.T
    return counts + torch.eye(words).roll(1, 0) + torch.eye(words).roll(-1, 0)


def two_topics(generator):
    """Words 0 to 2 stand together, and so do 3 to 5; between them nothing is ever seen."""
    counts = torch.zeros(6, 6)
    for start in (0, 3):
        strength = 5 * int(torch.randint(1, 5, (), generator=generator))
        counts[start : start + 3, start : start + 3] = float(strength)
    return counts


@scenario
def products_of_vectors(student, generator):
    found = {}
    for width in (2, 4, 7):
        vectors = student.pmi_vectors(neighbours_counted(generator), width)
        found[f"width {width}, shape"] = list(vectors.shape)
        found[f"width {width}, dot products of all pairs"] = vectors @ vectors.T
    return found


@scenario
def products_in_two_topics(student, generator):
    counts = two_topics(generator)
    vectors = student.pmi_vectors(counts, 2)
    return {f"counts {counts.int().tolist()}, width 2, dot products of all pairs": vectors @ vectors.T}


def positive_information(counts):
    shares = counts.double().numpy() / float(counts.sum())
    alone = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    return np.log(np.maximum(shares / alone, 1))


def products_by_eigenvectors(generator):
    """A symmetric matrix: singular vectors are eigenvectors, singular values the sizes of eigenvalues."""
    found = {}
    for width in (2, 4, 7):
        values, vectors = np.linalg.eigh(positive_information(neighbours_counted(generator)))
        largest = np.argsort(-np.abs(values))[:width]
        products = (vectors[:, largest] * np.abs(values[largest])) @ vectors[:, largest].T
        found[f"width {width}, shape"] = [7, width]
        found[f"width {width}, dot products of all pairs"] = torch.from_numpy(products)
    return found


def products_of_topics(generator):
    """A topic's share of the text is s; each of its pairs has s/9, each of its words s/3: log 1/s in all."""
    counts = two_topics(generator)
    shares = torch.tensor([counts[:3].sum(), counts[3:].sum()]) / counts.sum()
    products = torch.block_diag(*(float(-share.log()) * torch.ones(3, 3) for share in shares))
    return {f"counts {counts.int().tolist()}, width 2, dot products of all pairs": products}


@exercise("09.pmi_vectors", points=1)
def test_products_come_near_to_positive_information(judge):
    judge(products_of_vectors).expect(products_by_eigenvectors, atol=1e-3)  # a decomposition in float32


@exercise("09.pmi_vectors", points=1)
def test_two_topics_that_never_meet(judge):
    judge(products_in_two_topics).expect(products_of_topics, atol=1e-3)


# ---------------------------------------------------------------- a is to b as c is to d


def words_drawn(generator, words=14, width=4):
    """Vectors of very different lengths."""
    lengths = torch.linspace(0.3, 6, words)[torch.randperm(words, generator=generator)]
    return F.normalize(torch.randn(words, width, generator=generator), dim=1) * lengths[:, None]


ASKED = ((0, 1, 2, {}), (5, 3, 9, {"count": 3}), (13, 7, 4, {"count": 11}), (6, 2, 8, {"count": 1}), (1, 11, 0, {}))


def question_of(a, b, c, count):
    return f"{a} is to {b} as {c} is to …, count {count.get('count', 'not given')}"


@scenario
def analogies_drawn(student, generator):
    vectors = words_drawn(generator)
    return {question_of(a, b, c, count): student.analogy(vectors, a, b, c, **count) for a, b, c, count in ASKED}


def planted(generator):
    """Words in a drawn order and turned at random: a step from a to b, the same from c, and d, which lies off by a bit.

    The third word of the question lies nearer to where the step ends than d does, and another word is far longer.
    """
    corners = torch.tensor([[1, 0, -0.3, 0], [1, 0, 0.3, 0], [0, 1, -0.3, 0], [0, 1, 0.3, 0.8], [0, 1, 0, 1.2]])
    lengths = torch.tensor([1.0, 2.0, 3.0, 0.5, 9.0])
    turn = torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q
    order = torch.randperm(5, generator=generator).tolist()
    vectors = torch.empty(5, 4)
    vectors[order] = lengths[:, None] * F.normalize(corners, dim=1) @ turn
    hundredths = (100 * vectors).round().int()
    a, b, c, d, _ = order
    case = f"vectors in hundredths {hundredths.tolist()}: {a} is to {b} as {c} is to …"
    return case, (hundredths / 100, a, b, c), d


@scenario
def a_planted_analogy(student, generator):
    case, given, _ = planted(generator)
    return {case: student.analogy(*given)}


def analogies_by_numpy(generator):
    vectors = words_drawn(generator).double().numpy()
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = {}
    for a, b, c, count in ASKED:
        towards = units[b] - units[a] + units[c]
        order = np.argsort(-(units @ towards)).tolist()
        found[question_of(a, b, c, count)] = [d for d in order if d not in (a, b, c)][: count.get("count", 1)]
    return found


@exercise("09.analogy", points=1)
def test_the_nearest_by_direction_without_the_words_of_the_question(judge):
    judge(analogies_drawn).expect(analogies_by_numpy, atol=0)


@exercise("09.analogy", points=1)
def test_the_fourth_corner_however_long(judge):
    def expected(generator):
        case, _, fourth = planted(generator)
        return {case: [fourth]}

    judge(a_planted_analogy).expect(expected, atol=0)


# ---------------------------------------------------------------- a board, read off


def two_samples(generator):
    """One number each, s and -s, one square, held by me and by the other; the ridge is a half, 1 or 3 halves."""
    size, ridge = (1 + torch.randint(3, (2,), generator=generator)).tolist()
    return torch.tensor([[size], [-size]]).float(), torch.tensor([[1], [2]]), ridge / 2


def boards_drawn(samples, squares, generator):
    """States 0 to 2, in very unequal shares, and each of them in each square."""
    boards = torch.multinomial(torch.tensor([0.2, 0.5, 0.3]), samples * squares, True, generator=generator)
    boards = boards.view(samples, squares)
    boards[:3] = (torch.arange(3)[:, None] + torch.arange(squares)) % 3
    return boards


def to_probe(generator):
    """Many samples, few samples, and a square that is always empty."""
    boards = boards_drawn(40, 4, generator)
    stream = 0.5 + torch.randn(40, 5, generator=generator)
    yield "40 samples, width 5, the default ridge", (stream, boards.to(torch.int8)), 1e-3
    yield "40 samples, width 5, ridge 0.3", (stream, boards, 0.3), 0.3
    boards = boards_drawn(6, 3, generator)
    boards[:, 1] = 0
    yield "6 samples, width 8, ridge 0.05", (torch.randn(6, 8, generator=generator), boards, 0.05), 0.05


@scenario
def a_probe_by_hand(student, generator):
    stream, boards, ridge = two_samples(generator)
    case = f"stream {stream.int().tolist()}, boards {boards.tolist()}, ridge {ridge:g}"
    return {case: student.board_probe(stream, boards, ridge)}


@scenario
def probes_fitted(student, generator):
    return {case: student.board_probe(*given) for case, given, _ in to_probe(generator)}


def probe_in_closed_form(generator):
    """X'X is diagonal: two products s² and two ones, each with the ridge of two samples added to it."""
    stream, boards, ridge = two_samples(generator)
    size = float(stream[0])
    reads = torch.tensor([0.0, 1.0, -1.0]) * size / (2 * size**2 + 2 * ridge)
    always = torch.tensor([0.0, 1.0, 1.0]) / (2 + 2 * ridge)
    case = f"stream {stream.int().tolist()}, boards {boards.tolist()}, ridge {ridge:g}"
    return {case: torch.stack([reads, always])[:, None]}


def probe_by_scikit_learn(stream, boards, ridge):
    inputs = np.column_stack([stream.double().numpy(), np.ones(len(stream))])
    targets = F.one_hot(boards.long(), 3).flatten(1).double().numpy()
    fitted = Ridge(alpha=ridge * len(stream), fit_intercept=False, solver="svd").fit(inputs, targets)
    return torch.from_numpy(fitted.coef_.T.copy()).view(inputs.shape[1], boards.shape[1], 3)


def probes_by_scikit_learn(generator):
    return {case: probe_by_scikit_learn(*given[:2], ridge) for case, given, ridge in to_probe(generator)}


@exercise("09.board_probe", points=1)
def test_two_samples_worked_out_by_hand(judge):
    judge(a_probe_by_hand).expect(probe_in_closed_form, atol=1e-5)


@exercise("09.board_probe", points=1)
def test_least_squares_with_a_ridge(judge):
    judge(probes_fitted).expect(
        probes_by_scikit_learn,
        atol=1e-3,  # room for whoever computes in float32
    )


# ---------------------------------------------------------------- boards that mean nothing


def unlike_boards(samples, squares=12):
    """Boards no two of which are alike: the sample's number, written in threes."""
    return (torch.arange(samples)[:, None] // 3 ** torch.arange(squares) % 3).to(torch.int8)


def pairs_of_keys(generator):
    """Ninety-six samples, each with 2 of 10 numbers: many share their keys with others."""
    return torch.randint(10, (96, 2), generator=generator) % 6, unlike_boards(96)


@scenario
def dealt_by_key(student, generator):
    keys, boards = pairs_of_keys(generator)
    seed = int(torch.randint(1000, (), generator=generator))

    def dealt(seed):
        return student.control_task(keys, boards, torch.Generator().manual_seed(seed))

    found = {"dealt": dealt(seed), "again with that seed": dealt(seed), "with another seed": dealt(seed + 1)}
    return {**found, "keys": keys, "boards": boards}


@scenario
def dealt_to_all_different_keys(student, generator):
    """Every key is another one, though many agree in a part, or in their sum."""
    keys = torch.cartesian_prod(torch.arange(20), torch.arange(20))[torch.randperm(400, generator=generator)]
    boards = unlike_boards(400)
    return {"dealt": student.control_task(keys, boards, generator), "keys": keys, "boards": boards}


@scenario
def dealt_where_one_key_is_frequent(student, generator):
    """300 of 600 samples, in no order, have one key; the others have a key each."""
    keys = torch.arange(600).clamp(max=300)[torch.randperm(600, generator=generator), None].expand(-1, 3)
    boards = unlike_boards(600)
    return {"dealt": student.control_task(keys, boards, generator), "keys": keys, "boards": boards}


def sources(dealt, boards):
    """For each sample, the number of the sample whose board it was dealt, read off that board; -1 where there is "
    "none."""
    digits = dealt.long()
    numbers = digits @ 3 ** torch.arange(boards.shape[1])
    return torch.where(((digits >= 0) & (digits < 3)).all(dim=1) & (numbers < len(boards)), numbers, -1)


def is_a_row_for_each_sample(dealt, boards):
    if not isinstance(dealt, torch.Tensor) or dealt.shape != boards.shape:
        return f"{getattr(dealt, 'shape', type(dealt).__name__)} in place of boards of shape {tuple(boards.shape)}"
    strange = sources(dealt, boards) < 0
    if strange.any():
        sample = int(strange.nonzero()[0])
        return f"sample {sample} was dealt {dealt[sample].tolist()}, which is none of the boards"
    return True


def keys_decide(outcome, reference):
    keys, boards = reference["keys"].tolist(), reference["boards"]
    for name in ("dealt", "again with that seed", "with another seed"):
        if (fits := is_a_row_for_each_sample(outcome[name], boards)) is not True:
            return fits
    found, first = sources(outcome["dealt"], boards).tolist(), {}
    for sample, (key, source) in enumerate(zip(keys, found, strict=True)):
        before = first.setdefault(tuple(key), sample)
        if found[before] != source:
            return (
                f"samples {before} and {sample} both have the key {key}, and were dealt the boards of samples "
                f"{found[before]} and {source}"
            )
    if not torch.equal(outcome["dealt"], outcome["again with that seed"]):
        return "the same seed of the generator dealt other boards"
    return True if not torch.equal(outcome["dealt"], outcome["with another seed"]) else "another seed dealt the same"


def different_keys_differ(outcome, reference):
    """400 draws out of 400 find 253 different ones on average, give or take 6; a generator in order finds all."""
    boards = reference["boards"]
    if (fits := is_a_row_for_each_sample(outcome["dealt"], boards)) is not True:
        return fits
    found = sources(outcome["dealt"], boards)
    if int((found == torch.arange(400)).sum()) > 20:
        return f"{int((found == torch.arange(400)).sum())} of 400 samples kept their own board"
    different = len(found.unique())
    return True if different > 200 else f"400 different keys were dealt {different} different boards"


def shares_are_kept(outcome, reference):
    """Of 301 keys about a half are dealt a board of the frequent key, and about a half a late one: give or take 9."""
    boards, frequent = reference["boards"], reference["keys"][:, 0] == 300
    if (fits := is_a_row_for_each_sample(outcome["dealt"], boards)) is not True:
        return fits
    found = sources(outcome["dealt"], boards)[~frequent]
    if len(found.unique()) < 150:
        return f"300 different keys were dealt {len(found.unique())} different boards"
    shares = {
        "the frequent key": int(frequent[found].sum()),
        "the later half of the samples": int((found >= 300).sum()),
    }
    strange = [
        f"{count} of 300 keys were dealt boards of {name}" for name, count in shares.items() if not 90 < count < 210
    ]
    return strange[0] if strange else True


@exercise("09.control_task", points=1)
def test_the_same_key_always_has_the_same_board(judge):
    expected = "for all samples with one key the board of one sample, drawn with the generator"
    judge(dealt_by_key).satisfies(keys_decide, expected=expected)


@exercise("09.control_task", points=1)
def test_every_key_is_dealt_one_of_all_boards(judge):
    expected = "for each different key the board of a sample drawn by itself, not the key's own"
    judge(dealt_to_all_different_keys).satisfies(different_keys_differ, expected=expected)
    expected = "every sample's board as likely as any other's: about half are of the frequent key, about half late ones"
    judge(dealt_where_one_key_is_frequent).satisfies(shares_are_kept, expected=expected)


# ---------------------------------------------------------------- better than by heart?


def to_compare(generator):
    """A stream that holds much of the boards, something of the controls, and noise."""
    boards, controls = boards_drawn(90, 4, generator), boards_drawn(90, 4, generator)
    held = torch.randn(2, 12, 6, generator=generator)
    parts = [F.one_hot(each, 3).flatten(1).float() for each in (boards, controls)]
    stream = parts[0] @ held[0] + 0.5 * parts[1] @ held[1] + 0.3 * torch.randn(90, 6, generator=generator)
    trained = torch.zeros(90, dtype=torch.bool)
    trained[torch.randperm(90, generator=generator)[:50]] = True
    return stream, boards, controls, trained


def to_compare_what_is_known(generator):
    """Streams that hold boards or controls completely, and controls that are the same for all."""
    boards, controls, trained = boards_drawn(60, 2, generator), boards_drawn(60, 2, generator), torch.arange(60) < 40
    held = [F.one_hot(each, 3).flatten(1).float() for each in (boards, controls)]
    alike = torch.ones_like(boards)
    yield "the stream holds boards and controls", (torch.cat(held, dim=1), boards, controls, trained), 0.0
    yield "the stream holds boards; controls are all 1", (held[0], boards, alike, trained), 0.0
    yield (
        "the stream holds boards; controls are 0 in training, then 2",
        (*(held[0], boards, torch.where(trained, 0, 2)[:, None].expand(-1, 2), trained),),
        1.0,
    )
    yield (
        "the stream holds controls; boards are 0 in training, then 2",
        (*(held[1], torch.where(trained, 0, 2)[:, None].expand(-1, 2), controls, trained),),
        -1.0,
    )


@scenario
def selectivity_drawn(student, generator):
    return [student.selectivity(*to_compare(generator)) for _ in range(4)]


@scenario
def selectivity_known(student, generator):
    return {case: student.selectivity(*given) for case, given, _ in to_compare_what_is_known(generator)}


def read_by_scikit_learn(stream, boards, trained):
    weights = probe_by_scikit_learn(stream[trained], boards[trained], 1e-3).numpy()
    inputs = np.column_stack([stream.double().numpy(), np.ones(len(stream))])[~trained.numpy()]
    read = np.einsum("ni,iqs->nqs", inputs, weights).argmax(axis=-1)
    return float((read == boards[~trained].numpy()).mean())


def selectivity_by_scikit_learn(generator):
    given = [to_compare(generator) for _ in range(4)]
    return [
        read_by_scikit_learn(stream, boards, trained) - read_by_scikit_learn(stream, controls, trained)
        for stream, boards, controls, trained in given
    ]


@exercise("09.selectivity", points=1)
def test_accuracy_for_boards_minus_accuracy_for_controls(judge):
    judge(selectivity_drawn).expect(selectivity_by_scikit_learn, atol=1e-4)
    judge(selectivity_known).expect(
        lambda generator: {case: value for case, _, value in to_compare_what_is_known(generator)}, atol=1e-4
    )


# ---------------------------------------------------------------- which way is "theirs"?


def held_exactly(generator, samples=60, squares=3, width=4):
    """Streams that are a sum of known parts: who holds each square, and what belongs to the number of the move."""
    boards = boards_drawn(samples, squares, generator)
    owner = torch.randint(-3, 4, (squares, width), generator=generator).float()
    late = 5 * torch.randn(4, width, generator=generator)
    numbers = torch.randint(4, (samples,), generator=generator)
    side = (boards == 2).float() / 2 - (boards == 1).float() / 2
    return side @ owner + late[numbers], boards, numbers, owner


def related_boards(numbers, generator, squares=4):
    """Neighbours are often held by the same, and late boards are fuller, with more of theirs."""
    boards = boards_drawn(len(numbers), squares, generator)
    for square in range(1, squares):
        follows = torch.rand(len(numbers), generator=generator) < 0.5
        boards[:, square] = torch.where(follows, boards[:, square - 1], boards[:, square])
    turned = torch.rand(boards.shape, generator=generator) < numbers[:, None] / 12
    return torch.where(turned, 2, boards)


def to_take_apart(generator):
    """Noise on top; moves from the first on, or a few later ones only."""
    for case, first, step in (("moves 0 to 5", 0, 1), ("moves 3, 5 and 7", 3, 2)):
        numbers = first + step * torch.randint(6 // step, (150,), generator=generator)
        boards = related_boards(numbers, generator)
        held, late = torch.randn(12, 5, generator=generator), 3 * torch.randn(8, 5, generator=generator)
        stream = F.one_hot(boards, 3).flatten(1).float() @ held + 0.5 * torch.randn(150, 5, generator=generator)
        yield case, (stream + late[numbers], boards.to(torch.int8), numbers)


def one_square(generator):
    """Mine, theirs and empty at move 0, mine and theirs at move 2; the two moves agree on what theirs adds."""
    mine, more, late = torch.randint(1, 6, (3, 2), generator=generator)
    stream = torch.stack([mine, mine + more, mine + 2 * more, mine + late, mine + more + late])
    return stream.float(), torch.tensor([[1], [2], [0], [1], [2]]), torch.tensor([0, 0, 0, 2, 2]), more[None].float()


@scenario
def a_direction_by_hand(student, generator):
    stream, boards, numbers, _ = one_square(generator)
    case = f"stream {stream.int().tolist()}, boards {boards.tolist()}, numbers {numbers.tolist()}"
    return {case: student.board_directions(stream, boards, numbers)}


@scenario
def known_directions(student, generator):
    return student.board_directions(*held_exactly(generator)[:3])


@scenario
def directions_in_noise(student, generator):
    return {case: student.board_directions(*given) for case, given in to_take_apart(generator)}


def apart_from_the_number(stream, boards, numbers):
    """Only what differs among samples of the same move counts: subtract their mean, from owners and streams alike."""
    owners = np.array([0.0, -0.5, 0.5])[boards.numpy()]
    values = stream.double().numpy().copy()
    for number in numbers.unique().tolist():
        now = (numbers == number).numpy()
        owners[now] -= owners[now].mean(axis=0)
        values[now] -= values[now].mean(axis=0)
    return torch.from_numpy(LinearRegression(fit_intercept=False).fit(owners, values).coef_.T.copy())


@exercise("09.board_directions", points=1)
def test_the_part_that_says_whose_it_is(judge):
    def by_hand(generator):
        stream, boards, numbers, theirs = one_square(generator)
        return {f"stream {stream.int().tolist()}, boards {boards.tolist()}, numbers {numbers.tolist()}": theirs}

    judge(a_direction_by_hand).expect(by_hand, atol=1e-3)
    judge(known_directions).expect(lambda generator: held_exactly(generator)[3], atol=1e-3)


@exercise("09.board_directions", points=1)
def test_other_squares_and_the_move_being_the_same(judge):
    judge(directions_in_noise).expect(
        lambda generator: {case: apart_from_the_number(*given) for case, given in to_take_apart(generator)},
        atol=1e-3,  # room for whoever computes in float32
    )


# ---------------------------------------------------------------- edits


class Reader(nn.Module):
    """Words, a stream that a second layer reads and that goes on beside it, and answers that look at all positions."""

    def __init__(self, generator):
        super().__init__()
        self.words, self.stream = nn.Embedding(6, 4), nn.Identity()
        self.upper, self.answers = nn.Linear(4, 4), nn.Linear(4, 5)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    def forward(self, tokens):
        words = self.words(tokens)
        return self.answers(met(words, self.upper(together(self.stream(words).tanh()))))


def together(stream):
    """Each position hears of all others."""
    return stream + stream.mean(dim=1, keepdim=True) ** 2


def met(words, upper):
    """What was there, and what was computed from it."""
    return (0.5 * words + together(upper.tanh())).tanh()


def answered(model, tokens, layer="", change=None):
    """The answers of ``Reader`` with ``change`` added to a layer, step by step, without hooks."""
    with torch.no_grad():
        words = model.words(tokens)
        if layer == "words":
            words = words + change
        upper = model.upper(together((words + change if layer == "stream" else words).tanh()))
        return model.answers(met(words, upper + change if layer == "upper" else upper))


LAYERS = ("words", "stream", "upper")


def to_edit(generator):
    """Four sequences, a place and a change for each; no place is the last or the same for all."""
    model, tokens = Reader(generator).eval(), torch.randint(6, (4, 5), generator=generator)
    places = torch.stack([torch.randperm(4, generator=generator)[:2] for _ in range(2)]).flatten()
    return model, tokens, places, torch.randn(4, 4, generator=generator)


@scenario
def answers_after_an_edit(student, generator):
    model, tokens, places, change = to_edit(generator)
    case = f"places {places.tolist()}, layer"
    return {f"{case} {layer}": student.intervene(model, tokens, layer, places, change) for layer in LAYERS}


def edited_by_hand(generator):
    model, tokens, places, change = to_edit(generator)
    everywhere, rows = torch.zeros(4, 5, 4), torch.arange(4)
    for row in range(4):
        everywhere[row, places[row]] = change[row]
    case = f"places {places.tolist()}, layer"
    return {f"{case} {layer}": answered(model, tokens, layer, everywhere)[rows, places] for layer in LAYERS}


@scenario
def the_network_after_an_edit(student, generator):
    model, tokens, places, change = to_edit(generator)
    given = tokens.clone(), places.clone(), change.clone()
    before = model(tokens).detach()
    edited = student.intervene(model, tokens, "stream", places, change)
    return {
        "hooks left": hooks_of(model),
        "the network answers as before": torch.equal(before, model(tokens).detach()),
        "what was given is as before": all(map(torch.equal, given, (tokens, places, change))),
        "the answers hang on the weights by a gradient": edited.requires_grad,
        "the edit made a difference": not torch.equal(edited, before[torch.arange(4), places]),
    }


UNTOUCHED = {
    "hooks left": 0,
    "the network answers as before": True,
    "what was given is as before": True,
    "the answers hang on the weights by a gradient": False,
    "the edit made a difference": True,
}


@exercise("09.intervene", points=1)
def test_added_at_one_place_and_read_there(judge):
    judge(answers_after_an_edit).expect(edited_by_hand, atol=1e-4)


@exercise("09.intervene", points=1)
def test_the_network_is_left_as_it_was(judge):
    judge(the_network_after_an_edit).expect(UNTOUCHED, atol=0)


# ---------------------------------------------------------------- a direction to steer by


def to_steer_by(generator):
    """Three sequences of four against five of two."""
    model = Reader(generator).eval()
    return model, torch.randint(6, (3, 4), generator=generator), torch.randint(6, (5, 2), generator=generator)


@scenario
def steering_vectors(student, generator):
    model, towards, away = to_steer_by(generator)
    found = {f"layer {layer}": student.steering_vector(model, towards, away, layer) for layer in LAYERS}
    gradient = any(vector.requires_grad for vector in found.values())
    return {**found, "hangs on the weights by a gradient": gradient, "hooks left": hooks_of(model)}


def steering_vectors_by_hand(generator):
    model, towards, away = to_steer_by(generator)
    with torch.no_grad():
        words = [model.words(tokens) for tokens in (towards, away)]
        upper = [model.upper(together(one.tanh())) for one in words]
        found = {
            f"layer {layer}": first.double().mean(dim=(0, 1)) - second.double().mean(dim=(0, 1))
            for layer, (first, second) in zip(LAYERS, (words, words, upper), strict=True)
        }
    return {**found, "hangs on the weights by a gradient": False, "hooks left": 0}


@exercise("09.steering_vector", points=1)
def test_mean_towards_less_mean_away(judge):
    judge(steering_vectors).expect(steering_vectors_by_hand, atol=1e-5)


# ---------------------------------------------------------------- how much does how much do?

DOSES = [0.5, 0.0, -2.0, 0.5, 1.5]


def share_of_answer_2(logits):
    return logits.softmax(dim=-1)[..., 2].mean()


def spread_at_the_first_position(logits):
    return logits[:, 0].std()


MEASURES = {"share of answer 2": share_of_answer_2, "spread at the first position": spread_at_the_first_position}


def to_dose(generator):
    model, tokens = Reader(generator).eval(), torch.randint(6, (3, 4), generator=generator)
    return model, tokens, 2 * torch.randn(4, generator=generator)


@scenario
def doses_given(student, generator):
    model, tokens, vector = to_dose(generator)
    return {
        f"{name}, layer {layer}, doses {DOSES}": student.dose_response(model, tokens, layer, vector, DOSES, measure)
        for layer in LAYERS
        for name, measure in MEASURES.items()
    }


def doses_by_hand(generator):
    model, tokens, vector = to_dose(generator)
    return {
        f"{name}, layer {layer}, doses {DOSES}": torch.stack(
            [measure(answered(model, tokens, layer, dose * vector)) for dose in DOSES]
        )
        for layer in LAYERS
        for name, measure in MEASURES.items()
    }


@scenario
def the_network_after_doses(student, generator):
    model, tokens, vector = to_dose(generator)
    given = tokens.clone(), vector.clone()
    before = model(tokens).detach()
    response = student.dose_response(model, tokens, "stream", vector, (1.0, 2.0), share_of_answer_2)
    return {
        "hooks left": hooks_of(model),
        "the network answers as before": torch.equal(before, model(tokens).detach()),
        "what was given is as before": all(map(torch.equal, given, (tokens, vector))),
        "the answers hang on the weights by a gradient": response.requires_grad,
        "the edit made a difference": bool(response[0] != response[1]),
    }


@exercise("09.dose_response", points=1)
def test_each_dose_by_itself_at_every_position(judge):
    judge(doses_given).expect(doses_by_hand, atol=1e-4)


@exercise("09.dose_response", points=1)
def test_doses_leave_nothing_behind(judge):
    judge(the_network_after_doses).expect(UNTOUCHED, atol=0)


# ---------------------------------------------------------------- questions

test_q_induction = question(
    "09.q_induction",
    points=1,
    answer="b",
    wrong={
        "a": "Longer sequences show again that it is no induction head. The question is what others do with what it "
        "adds.",
        "c": "A head may add much that nobody reads, or little that others depend on. Look at what changes in those "
        "who may read it.",
        "d": "With two heads away more is broken, and still you would not know by which way. Look at the heads of "
        "block 1, and at a task that needs no looking back.",
    },
)

test_q_withheld = question(
    "09.q_withheld",
    points=1,
    answer="c",
    wrong={
        "a": "A table of pairs has no entry for a pair that was withheld. Yet most of these answers are right, and "
        "most of the wrong ones still name a shape of the scene.",
        "b": "Most withheld pairs are answered rightly. What cannot be written in the stream could not be answered.",
        "d": "By lot a third would be right, of pairs that it knows as of all others. It makes no mistake with those "
        "that it knows, and few with the others.",
    },
)

test_q_control = question(
    "09.q_control",
    points=1,
    answer="b",
    wrong={
        "a": "The embedding sees one token and its number. No position has heard of another yet, so nothing can be "
        "worked out from the moves before.",
        "c": "Fewer weights would read less, but they need not be too many now: what is read here holds for games that "
        "the probe was not fitted to.",
        "d": "Probes were measured on games of their own. A last move and its number say a good deal about any game's "
        "board: what was just named is mine or theirs, and late boards are full.",
    },
)

test_q_edit = question(
    "09.q_edit",
    points=1,
    answer="d",
    wrong={
        "a": "That is what the random directions rule out already: they are as long, and the moves do not follow them.",
        "b": "The count of mistakes is the same for all directions. A mistake in it would show in all of them.",
        "c": "If block 2 could not read what is written there, no edit would help. One does, and other directions do "
        "not.",
    },
)
