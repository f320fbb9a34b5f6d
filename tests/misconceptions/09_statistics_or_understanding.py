"""Wrong answers to lesson 09 that students give, each with the sentence that helps."""

import torch
import torch.nn.functional as F

from innervision import edit, record
from innervision.classroom.exercises import misconception
from innervision.learning.board_probes import board_probe, probe_accuracy, read_board
from innervision.learning.ngrams import following_counts

# ---------------------------------------------------------------- ngram_probability


def _chain(tokens, contexts, vocabulary, strength, lengths=None):
    """Right, except for the lengths of context that are counted."""
    whole = contexts.shape[1]
    found = torch.full((len(contexts), vocabulary), 1 / vocabulary)
    for before in range(whole + 1) if lengths is None else lengths:
        counts = following_counts(tokens, contexts[:, whole - before :], vocabulary)
        found = (counts + strength * found) / (counts.sum(dim=1, keepdim=True) + strength)
    return found


@misconception(
    "09.ngram_probability",
    "The imagined counts were shared out evenly among all tokens. They lean on the shorter context: share them out as "
    "the probabilities of the context without its first token.",
)
def shares_imagined_counts_out_evenly(tokens, contexts, vocabulary, strength=1.0):
    return _chain(tokens, contexts, vocabulary, strength, [contexts.shape[1]])


@misconception(
    "09.ngram_probability",
    "Only real counts were used: what was not seen becomes impossible, and a context that was never seen gives 0 / 0. "
    "Add the imagined counts before you divide.",
)
def counts_without_imagined_ones(tokens, contexts, vocabulary, strength=1.0):
    counts = following_counts(tokens, contexts, vocabulary)
    return counts / counts.sum(dim=1, keepdim=True)


@misconception(
    "09.ngram_probability",
    "The context was shortened at its end. What stands right before says most: leave out the first token and keep the "
    "last, `contexts[:, contexts.shape[1] - before :]`.",
)
def shortens_at_the_end(tokens, contexts, vocabulary, strength=1.0):
    found = torch.full((len(contexts), vocabulary), 1 / vocabulary)
    for before in range(contexts.shape[1] + 1):
        counts = following_counts(tokens, contexts[:, :before], vocabulary)
        found = (counts + strength * found) / (counts.sum(dim=1, keepdim=True) + strength)
    return found


@misconception(
    "09.ngram_probability",
    "`contexts[:, -before:]` is the whole context when before is 0. Begin the slice at `contexts.shape[1] - before`.",
)
def slices_from_minus_zero(tokens, contexts, vocabulary, strength=1.0):
    found = torch.full((len(contexts), vocabulary), 1 / vocabulary)
    for before in range(contexts.shape[1] + 1):
        counts = following_counts(tokens, contexts[:, -before:], vocabulary)
        found = (counts + strength * found) / (counts.sum(dim=1, keepdim=True) + strength)
    return found


@misconception(
    "09.ngram_probability",
    "`strength` was imagined once for each token of the vocabulary. It is the number of imagined counts in all, which "
    "the shorter context shares out: divide by the counts plus `strength`.",
)
def imagines_strength_for_each_token(tokens, contexts, vocabulary, strength=1.0):
    return _chain(tokens, contexts, vocabulary, strength * vocabulary)


@misconception(
    "09.ngram_probability",
    "Counts were divided by their own sum, without the imagined ones, so the rows sum to more than 1. Divide by what "
    "is above the line: counts plus `strength`.",
)
def divides_by_real_counts_alone(tokens, contexts, vocabulary, strength=1.0):
    whole = contexts.shape[1]
    found = torch.full((len(contexts), vocabulary), 1 / vocabulary)
    for before in range(whole + 1):
        counts = following_counts(tokens, contexts[:, whole - before :], vocabulary)
        found = (counts + strength * found) / counts.sum(dim=1, keepdim=True).clamp(min=1)
    return found


@misconception(
    "09.ngram_probability",
    "The context was shortened to one token and no further. The shortest context is none at all: there the tokens of "
    "the whole text are counted, so let the loop begin at 0.",
)
def never_counts_without_context(tokens, contexts, vocabulary, strength=1.0):
    return _chain(tokens, contexts, vocabulary, strength, range(1, contexts.shape[1] + 1))


@misconception(
    "09.ngram_probability",
    "The whole context was never looked up: `range` ends before its last number, so it must be one larger than the "
    "length of the context.",
)
def stops_one_short(tokens, contexts, vocabulary, strength=1.0):
    return _chain(tokens, contexts, vocabulary, strength, range(contexts.shape[1]))


@misconception(
    "09.ngram_probability",
    "The chain was walked from the whole context down to none, so the shortest has the last word. Begin with no "
    "context, and let each longer one correct it.",
)
def walks_from_long_to_short(tokens, contexts, vocabulary, strength=1.0):
    return _chain(tokens, contexts, vocabulary, strength, range(contexts.shape[1], -1, -1))


@misconception(
    "09.ngram_probability",
    "The context was not looked at: this is how often each token stands in the text at all. Count what follows the "
    "context.",
)
def looks_at_no_context(tokens, contexts, vocabulary, strength=1.0):
    return _chain(tokens, contexts, vocabulary, strength, [0])


@misconception(
    "09.ngram_probability",
    "Counted was what stands before the context. Asked is what comes after it.",
)
def counts_what_stood_before(tokens, contexts, vocabulary, strength=1.0):
    return _chain(tokens.flip(0), contexts.flip(1), vocabulary, strength)


@misconception(
    "09.ngram_probability",
    "These are the probabilities of the longest context that was seen, by itself. A context that was seen once or "
    "twice proves little: its counts are added to the imagined ones, which the shorter context shares out.",
)
def believes_the_longest_context_seen(tokens, contexts, vocabulary, strength=1.0):
    whole = contexts.shape[1]
    found = torch.full((len(contexts), vocabulary), 1 / vocabulary)
    for before in range(whole + 1):
        counts = following_counts(tokens, contexts[:, whole - before :], vocabulary)
        total = counts.sum(dim=1, keepdim=True)
        found = torch.where(total > 0, counts / total.clamp(min=1), found)
    return found


# ---------------------------------------------------------------- cross_entropy


def _came(values, tokens):
    return values.gather(-1, tokens[..., None])[..., 0]


@misconception(
    "09.cross_entropy",
    "The softmax came first and its logarithm after it. A probability too small for its dtype is 0, and the logarithm "
    "of that is infinite: take `log_softmax`, or `logsumexp` minus the logit.",
)
def takes_the_logarithm_of_a_softmax(logits, tokens):
    return -_came(logits.softmax(dim=-1).log(), tokens)


@misconception(
    "09.cross_entropy",
    "A little was added before the logarithm, so that it stays finite. Now no surprise is larger than about 20. "
    "Nothing needs to be added to `log_softmax`.",
)
def adds_a_little(logits, tokens):
    return -_came((logits.softmax(dim=-1) + 1e-9).log(), tokens)


@misconception(
    "09.cross_entropy",
    "Exponentials were taken of logits as large as they come: beyond 88 they are infinite in float32. `logsumexp` "
    "takes the largest away first.",
)
def overflows_in_the_sum(logits, tokens):
    return logits.exp().sum(dim=-1).log() - _came(logits, tokens)


@misconception(
    "09.cross_entropy",
    "The mean over all tokens came back. Each token has its own surprise, and later you will want to see where in a "
    "text it is large.",
)
def averages_over_all_tokens(logits, tokens):
    return -_came(logits.log_softmax(dim=-1), tokens).mean()


@misconception(
    "09.cross_entropy",
    "This is the surprise in bits, with the logarithm to base 2. In nats the logarithm is the natural one.",
)
def counts_in_bits(logits, tokens):
    return -_came(logits.log_softmax(dim=-1), tokens) / torch.tensor(2.0).log()


@misconception(
    "09.cross_entropy",
    "These are logarithms of probabilities, which are 0 or below. Surprise is minus that: the less likely, the larger.",
)
def forgets_the_minus(logits, tokens):
    return _came(logits.log_softmax(dim=-1), tokens)


@misconception(
    "09.cross_entropy",
    "This is the probability of what came. Surprise is minus its logarithm.",
)
def gives_the_probability(logits, tokens):
    return _came(logits.softmax(dim=-1), tokens)


@misconception(
    "09.cross_entropy",
    "The likeliest token was looked at, whatever came. Take the probability of `tokens`.",
)
def looks_at_the_likeliest(logits, tokens):
    return -logits.log_softmax(dim=-1).amax(dim=-1)


@misconception(
    "09.cross_entropy",
    "This is the surprise that the model expects on average, the entropy of its own prediction. It does not depend on "
    "what came; the surprise at what came does.",
)
def gives_the_entropy(logits, tokens):
    chances = logits.log_softmax(dim=-1)
    return -(chances.exp() * chances).sum(dim=-1)


@misconception(
    "09.cross_entropy",
    "The logit itself was taken, with a minus. Logits say something only against one another: subtract them from the "
    "`logsumexp` of all.",
)
def takes_the_logit(logits, tokens):
    return -_came(logits, tokens)


@misconception(
    "09.cross_entropy",
    "The softmax went along the first axis. The tokens among which a model shares out its probability are the last "
    "one.",
)
def shares_out_along_the_first_axis(logits, tokens):
    return -_came(logits.log_softmax(dim=0), tokens)


@misconception(
    "09.cross_entropy",
    "`[..., tokens]` looks all tokens up in every row. Each row has one token of its own: "
    "`gather(-1, tokens[..., None])`.",
)
def looks_all_tokens_up_in_every_row(logits, tokens):
    return -logits.log_softmax(dim=-1)[..., tokens]


# ---------------------------------------------------------------- causal_attention


def _scores(queries, keys):
    return queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5


def _later(scores, beyond=1):
    return torch.ones(scores.shape[-2:], dtype=torch.bool).triu(beyond)


def _shares(scores):
    """Right from the scores on."""
    return scores.masked_fill(_later(scores), -torch.inf).softmax(dim=-1)


@misconception(
    "09.causal_attention",
    "Later positions were set to 0 after the softmax, so they had taken their share already and the rows no longer sum "
    "to 1. Mask first: scores of -∞, then softmax.",
)
def masks_after_the_softmax(queries, keys):
    return _scores(queries, keys).softmax(dim=-1).tril()


@misconception(
    "09.causal_attention",
    "Masked after the softmax, then scaled up until each row sums to 1. That goes well until a later position takes "
    "all there is: then nothing is left to scale. Mask first: scores of -∞, then softmax.",
)
def masks_after_and_scales_up(queries, keys):
    shares = _scores(queries, keys).softmax(dim=-1).tril()
    return shares / shares.sum(dim=-1, keepdim=True)


@misconception(
    "09.causal_attention",
    "Scores of later positions were set to 0. The exponential of 0 is 1, so they still get a share; set them to -∞.",
)
def masks_with_zeros(queries, keys):
    return _scores(queries, keys).tril().softmax(dim=-1)


@misconception(
    "09.causal_attention",
    "The mask hides a position from itself, and the first position has nothing left to look at. Only what comes later "
    "is hidden: `triu(1)`, which leaves the diagonal out.",
)
def hides_the_present(queries, keys):
    scores = _scores(queries, keys)
    return scores.masked_fill(_later(scores, 0), -torch.inf).softmax(dim=-1)


@misconception(
    "09.causal_attention",
    "Each position can see the next one, which is just what it should predict. Hide everything above the diagonal: "
    "`triu(1)`.",
)
def sees_the_next_one(queries, keys):
    scores = _scores(queries, keys)
    return scores.masked_fill(_later(scores, 2), -torch.inf).softmax(dim=-1)


@misconception(
    "09.causal_attention",
    "The past is hidden and the future is seen. In row t the columns after t are the later ones: `triu(1)`, not "
    "`tril(-1)`.",
)
def hides_the_past(queries, keys):
    scores = _scores(queries, keys)
    return scores.masked_fill(_later(scores, 1).T, -torch.inf).softmax(dim=-1)


@misconception("09.causal_attention", "Nothing is hidden: a position must not look at what comes after it.")
def hides_nothing(queries, keys):
    return _scores(queries, keys).softmax(dim=-1)


@misconception(
    "09.causal_attention",
    "The softmax went along the queries, so the columns sum to 1. Each position shares out its own attention among "
    "the keys: `softmax(dim=-1)`.",
)
def shares_out_among_queries(queries, keys):
    scores = _scores(queries, keys)
    return scores.masked_fill(_later(scores), -torch.inf).softmax(dim=-2)


@misconception(
    "09.causal_attention",
    "Divided by the number of components. A dot product of d random components is as large as √d: divide by "
    "`queries.shape[-1] ** 0.5`.",
)
def divides_by_all_components(queries, keys):
    return _shares(queries @ keys.transpose(-1, -2) / queries.shape[-1])


@misconception(
    "09.causal_attention",
    "The scores were not scaled. Divide the dot products by the root of the number of components, or long vectors make "
    "the softmax take one position for all.",
)
def scales_nothing(queries, keys):
    return _shares(queries @ keys.transpose(-1, -2))


@misconception(
    "09.causal_attention",
    "Scaled by the root of the number of positions. It is the number of components that makes dot products large: "
    "`queries.shape[-1]`.",
)
def scales_by_positions(queries, keys):
    return _shares(queries @ keys.transpose(-1, -2) / queries.shape[-2] ** 0.5)


@misconception(
    "09.causal_attention",
    "Queries and keys changed places: row t must belong to the query of position t, `queries @ keys.transpose(-1, "
    "-2)`.",
)
def exchanges_queries_and_keys(queries, keys):
    return _shares(_scores(keys, queries))


@misconception(
    "09.causal_attention",
    "The exponential was taken of scores as large as they come, and with a score of 800 no number is large enough for "
    "it. `softmax` first takes the largest score of the row away from all, which changes no share.",
)
def overflows(queries, keys):
    powers = _scores(queries, keys).exp().tril()
    return powers / powers.sum(dim=-1, keepdim=True)


@misconception(
    "09.causal_attention",
    "Each score was squashed by itself, so a row sums to anything. Positions compete for one attention: `softmax`.",
)
def squashes_each_score(queries, keys):
    scores = _scores(queries, keys)
    return scores.masked_fill(_later(scores), -torch.inf).sigmoid()


@misconception(
    "09.causal_attention",
    "These are the scores. Shares of attention are what softmax makes of them.",
)
def stops_at_the_scores(queries, keys):
    return _scores(queries, keys).tril()


# ---------------------------------------------------------------- induction_score


def _diagonal(pattern, period, back, start=None):
    """Mean attention from positions t, beginning with ``start``, to t - back."""
    looks = pattern.diagonal(offset=-back, dim1=-2, dim2=-1)
    return looks[..., (period if start is None else start) - back :].mean(dim=(0, 2))


@misconception(
    "09.induction_score",
    "This is the attention to where the same token stood before, t - period. An induction head looks at what came "
    "after it: t - period + 1.",
)
def looks_at_the_same_token(pattern, period):
    return _diagonal(pattern, period, period)


@misconception(
    "09.induction_score",
    "This is the attention to the token before the last occurrence, t - period - 1. What came after it stands at "
    "t - period + 1.",
)
def looks_at_the_token_before_it(pattern, period):
    return _diagonal(pattern, period, period + 1, period + 1)


@misconception(
    "09.induction_score",
    "This is the attention to the token right before, t - 1. That is another kind of head, which induction heads build "
    "on. Look at t - period + 1.",
)
def scores_previous_token_heads(pattern, period):
    return _diagonal(pattern, period, 1)


@misconception(
    "09.induction_score",
    "Position period - 1 was counted, too. Its token stands there for the first time: begin at t = period.",
)
def begins_one_too_early(pattern, period):
    return _diagonal(pattern, period, period - 1, period - 1)


@misconception(
    "09.induction_score",
    "The sum was divided by all positions. In the first period nothing has come back yet: take the mean over "
    "t ≥ period only.",
)
def divides_by_all_positions(pattern, period):
    looks = pattern.diagonal(offset=1 - period, dim1=-2, dim2=-1)[..., 1:]
    return looks.sum(dim=-1).mean(dim=0) / pattern.shape[-1]


@misconception(
    "09.induction_score",
    "Attention was added up over the positions. A score is a mean, between 0 and 1.",
)
def adds_positions_up(pattern, period):
    return pattern.diagonal(offset=1 - period, dim1=-2, dim2=-1)[..., 1:].sum(dim=-1).mean(dim=0)


@misconception(
    "09.induction_score",
    "Rows and columns changed places: rows are the positions that look, columns the ones looked at. A diagonal below "
    "the main one has a negative offset.",
)
def reads_columns_as_rows(pattern, period):
    return _diagonal(pattern.transpose(-1, -2), period, period - 1)


@misconception(
    "09.induction_score",
    "The mean went over the heads and kept the sequences. One score for each head is asked: mean over axis 0, the "
    "batch, and over positions.",
)
def averages_over_heads(pattern, period):
    return pattern.diagonal(offset=1 - period, dim1=-2, dim2=-1)[..., 1:].mean(dim=(1, 2))


@misconception(
    "09.induction_score",
    "The strongest look was taken. One lucky position proves nothing about a head: take the mean.",
)
def takes_the_strongest_look(pattern, period):
    return pattern.diagonal(offset=1 - period, dim1=-2, dim2=-1)[..., 1:].amax(dim=(0, 2))


@misconception(
    "09.induction_score",
    "This is the share of positions whose strongest look goes there. The score is the attention itself, averaged: half "
    "a look counts half.",
)
def counts_where_it_is_strongest(pattern, period):
    places = torch.arange(period, pattern.shape[-1])
    return (pattern[:, :, places].argmax(dim=-1) == places - period + 1).float().mean(dim=(0, 2))


@misconception(
    "09.induction_score",
    "Only the first sequence was looked at: the mean goes over the batch, too.",
)
def looks_at_the_first_sequence(pattern, period):
    return _diagonal(pattern[:1], period, period - 1)


@misconception(
    "09.induction_score",
    "`diagonal` walks along the first two axes, batch and heads, unless it is told otherwise: `dim1=-2, dim2=-1`.",
)
def walks_along_batch_and_heads(pattern, period):
    return pattern.diagonal(offset=1 - period)[..., 1:].mean(dim=(0, -1))


@misconception(
    "09.induction_score",
    "Counting began a whole period too late. The diagonal at 1 - period begins at position period - 1, so only its "
    "first entry is to be left out.",
)
def begins_a_period_too_late(pattern, period):
    return pattern.diagonal(offset=1 - period, dim1=-2, dim2=-1)[..., period:].mean(dim=(0, -1))


# ---------------------------------------------------------------- pmi_vectors


def _information(counts):
    """Pointwise mutual information, with minus infinity for pairs that were never seen."""
    shares = counts / counts.sum()
    return (shares / (shares.sum(dim=1, keepdim=True) * shares.sum(dim=0))).log()


def _vectors(matrix, width, size=torch.sqrt):
    left, sizes, _ = torch.linalg.svd(matrix)
    return left[:, :width] * size(sizes[:width])


@misconception(
    "09.pmi_vectors",
    "Counts were decomposed as they are, so frequent words drown all others. Ask how much more often a pair stands "
    "together than chance would have it: log of p(a, b) / (p(a) p(b)).",
)
def decomposes_the_counts(counts, width):
    return _vectors(counts, width)


@misconception(
    "09.pmi_vectors",
    "This is the logarithm of the counts (plus 1). It was not compared with chance: divide the share of a pair by the "
    "product of the shares of its words.",
)
def takes_the_logarithm_of_counts(counts, width):
    return _vectors((counts + 1).log(), width)


@misconception(
    "09.pmi_vectors",
    "Values below 0 were kept (and 0 put in for pairs that were never seen). Positive information cuts them off, or a "
    "pair seen too seldom would count and one never seen would not.",
)
def keeps_the_negative_part(counts, width):
    information = _information(counts)
    return _vectors(information.masked_fill(information.isinf(), 0), width)


@misconception(
    "09.pmi_vectors",
    "The logarithm of 0 is minus infinity, and no decomposition can handle that. Positive information is 0 there: "
    "clamp after the logarithm.",
)
def leaves_infinities(counts, width):
    return _vectors(_information(counts), width)


@misconception(
    "09.pmi_vectors",
    "The size of the information was taken, so pairs that avoid each other count as pairs that attract. Values below "
    "0 are cut off, `clamp(min=0)`.",
)
def takes_sizes_of_information(counts, width):
    information = _information(counts)
    return _vectors(information.masked_fill(information.isinf(), 0).abs(), width)


@misconception(
    "09.pmi_vectors",
    "Information was measured in bits. The logarithm here is the natural one.",
)
def measures_in_bits(counts, width):
    return _vectors((_information(counts) / torch.tensor(2.0).log()).clamp(min=0), width)


@misconception(
    "09.pmi_vectors",
    "Counts were divided by both words' counts, without the number of all pairs. Make shares of them first: counts "
    "divided by their sum.",
)
def forgets_the_number_of_pairs(counts, width):
    chance = counts.sum(dim=1, keepdim=True) * counts.sum(dim=0)
    return _vectors((counts / chance).log().clamp(min=0), width)


@misconception(
    "09.pmi_vectors",
    "Divided by the share of one of the two words only. What chance would give is the product of both shares.",
)
def divides_by_one_word(counts, width):
    shares = counts / counts.sum()
    return _vectors((shares / shares.sum(dim=1, keepdim=True)).mul(len(counts)).log().clamp(min=0), width)


@misconception(
    "09.pmi_vectors",
    "The singular vectors all have length 1 here, so the weakest direction counts as much as the strongest. Multiply "
    "each column by the root of its singular value.",
)
def leaves_singular_values_out(counts, width):
    return _vectors(_information(counts).clamp(min=0), width, torch.ones_like)


@misconception(
    "09.pmi_vectors",
    "The columns were multiplied by the singular values themselves. By their root: then the product of two words' "
    "vectors is as large as their information.",
)
def leaves_the_root_out(counts, width):
    return _vectors(_information(counts).clamp(min=0), width, lambda sizes: sizes)


@misconception(
    "09.pmi_vectors",
    "The weakest directions were kept. `svd` sorts singular values downwards: the first `width` columns are the "
    "strongest.",
)
def keeps_the_weakest(counts, width):
    left, sizes, _ = torch.linalg.svd(_information(counts).clamp(min=0))
    return left[:, -width:] * sizes[-width:].sqrt()


@misconception(
    "09.pmi_vectors",
    "`torch.linalg.svd` gives the right singular vectors as rows (Vh), and their columns were taken. Take columns of "
    "the first matrix, U.",
)
def takes_columns_of_the_last_matrix(counts, width):
    _, sizes, right = torch.linalg.svd(_information(counts).clamp(min=0))
    return right[:, :width] * sizes[:width].sqrt()


@misconception(
    "09.pmi_vectors",
    "These are the eigenvectors with the largest eigenvalues. A strong direction may have a negative eigenvalue; "
    "singular values go by size: `torch.linalg.svd`.",
)
def sorts_eigenvalues_with_their_signs(counts, width):
    values, vectors = torch.linalg.eigh(_information(counts).clamp(min=0))
    return vectors.flip(1)[:, :width] * values.flip(0)[:width].abs().sqrt()


@misconception(
    "09.pmi_vectors",
    "The shares of the words were multiplied word by word, a with a and b with b, which gives a row. Every word meets "
    "every other: `torch.outer`.",
)
def multiplies_word_by_word(counts, width):
    shares = counts / counts.sum()
    chance = shares.sum(dim=1) * shares.sum(dim=0)
    return _vectors((shares / chance).log().clamp(min=0), width)


# ---------------------------------------------------------------- analogy


def _nearest(scores, excluded, count):
    scores = scores.clone()
    scores[list(excluded)] = -torch.inf
    return scores.topk(count).indices.tolist()


def _towards(units, a, b, c):
    return units[b] - units[a] + units[c]


@misconception(
    "09.analogy",
    "A word of the question came back. The sum nearly always lies nearest to b or c, so a, b and c are left out: set "
    "their cosines to -∞ first.",
)
def leaves_the_question_in(vectors, a, b, c, count=1):
    units = F.normalize(vectors, dim=1)
    return _nearest(units @ _towards(units, a, b, c), [], count)


@misconception(
    "09.analogy",
    "Only c was left out. a and b cannot be the answer, either.",
)
def leaves_out_c_alone(vectors, a, b, c, count=1):
    units = F.normalize(vectors, dim=1)
    return _nearest(units @ _towards(units, a, b, c), [c], count)


@misconception(
    "09.analogy",
    "Dot products were compared, so long vectors win. Nearest means the largest cosine: divide each vector by its "
    "length.",
)
def compares_dot_products(vectors, a, b, c, count=1):
    units = F.normalize(vectors, dim=1)
    return _nearest(vectors @ _towards(units, a, b, c), [a, b, c], count)


@misconception(
    "09.analogy",
    "The vectors of the question were added with their own lengths, so the longest of the three decides. Make all "
    "three as long as 1 before you add.",
)
def adds_raw_vectors(vectors, a, b, c, count=1):
    return _nearest(F.normalize(vectors, dim=1) @ _towards(vectors, a, b, c), [a, b, c], count)


@misconception(
    "09.analogy",
    "No vector was made as long as 1: neither those that are added nor those that are compared.",
)
def normalizes_nothing(vectors, a, b, c, count=1):
    return _nearest(vectors @ _towards(vectors, a, b, c), [a, b, c], count)


@misconception(
    "09.analogy",
    "The step goes from b to a. From a to b it is b - a, and then c is added.",
)
def steps_backwards(vectors, a, b, c, count=1):
    units = F.normalize(vectors, dim=1)
    return _nearest(units @ (units[a] - units[b] + units[c]), [a, b, c], count)


@misconception(
    "09.analogy",
    "The step was begun at b and c was taken away. It is the way from a to b, put on at c: b - a + c.",
)
def takes_c_away(vectors, a, b, c, count=1):
    units = F.normalize(vectors, dim=1)
    return _nearest(units @ (units[a] + units[b] - units[c]), [a, b, c], count)


@misconception(
    "09.analogy",
    "These are the neighbours of c. The step from a to b is missing: add b - a.",
)
def finds_neighbours_of_c(vectors, a, b, c, count=1):
    units = F.normalize(vectors, dim=1)
    return _nearest(units @ units[c], [a, b, c], count)


@misconception(
    "09.analogy",
    "The farthest words came back: the largest cosine belongs to the nearest.",
)
def finds_the_farthest(vectors, a, b, c, count=1):
    units = F.normalize(vectors, dim=1)
    return _nearest(-(units @ _towards(units, a, b, c)), [a, b, c], count)


@misconception(
    "09.analogy",
    "Distances between vectors of any length were compared. A direction is what a word's meaning is here: give all "
    "vectors the length 1, then the nearest have the largest cosine.",
)
def compares_distances(vectors, a, b, c, count=1):
    return _nearest(-(vectors - _towards(vectors, a, b, c)).norm(dim=1), [a, b, c], count)


@misconception(
    "09.analogy",
    "The cosines of the question's words were set to 0. Words on the far side have cosines below 0, so these three "
    "would still come before them: set them to -∞.",
)
def sets_the_question_to_zero(vectors, a, b, c, count=1):
    units = F.normalize(vectors, dim=1)
    cosines = F.cosine_similarity(units, _towards(units, a, b, c)[None])
    cosines[[a, b, c]] = 0
    return cosines.topk(count).indices.tolist()


# ---------------------------------------------------------------- board_probe


def _inputs(stream):
    return F.pad(stream, (0, 1), value=1).double()


def _fitted(inputs, targets, penalty):
    """Least squares with a ridge, given as a number or as one for each input."""
    ridge = torch.eye(inputs.shape[1], dtype=torch.float64) * penalty
    return torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ targets)


def _one_hot(boards):
    return F.one_hot(boards.long(), 3).flatten(1).double()


def _weights(solution):
    return solution.float().unflatten(1, (-1, 3))


@misconception(
    "09.board_probe",
    "Nothing was appended to the stream. Without a constant a probe cannot say that a square is mostly empty: append a "
    "1 to every row.",
)
def forgets_the_constant(stream, boards, ridge=1e-3):
    return _weights(_fitted(stream.double(), _one_hot(boards), ridge * len(stream)))


@misconception(
    "09.board_probe",
    "The 1 was put before the stream. It is the last column, so that its weights are the last row.",
)
def puts_the_constant_first(stream, boards, ridge=1e-3):
    return _weights(_fitted(_inputs(stream).roll(1, dims=1), _one_hot(boards), ridge * len(stream)))


@misconception(
    "09.board_probe",
    "The ridge was not multiplied by the number of samples. The error is a mean over them; multiply the whole equation "
    "by their number, and the ridge grows with it.",
)
def adds_the_bare_ridge(stream, boards, ridge=1e-3):
    return _weights(_fitted(_inputs(stream), _one_hot(boards), ridge))


@misconception(
    "09.board_probe",
    "The ridge was not used, or hardly. With more numbers in a stream than there are samples, any weights fit.",
)
def leaves_the_ridge_out(stream, boards, ridge=1e-3):
    return _weights(torch.linalg.lstsq(_inputs(stream), _one_hot(boards), driver="gelsd").solution)


@misconception(
    "09.board_probe",
    "The ridge was put on all entries of X'X, also beside the diagonal. A penalty on squares adds to the diagonal "
    "only: multiply by `torch.eye`.",
)
def adds_the_ridge_everywhere(stream, boards, ridge=1e-3):
    inputs = _inputs(stream)
    return _weights(torch.linalg.solve(inputs.T @ inputs + ridge * len(stream), inputs.T @ _one_hot(boards)))


@misconception(
    "09.board_probe",
    "The weights of the constant were left out of the penalty. Here all weights are in it, so that the equation stays "
    "simple.",
)
def spares_the_constant(stream, boards, ridge=1e-3):
    penalty = torch.full((stream.shape[1] + 1,), ridge * len(stream), dtype=torch.float64)
    penalty[-1] = 0
    return _weights(_fitted(_inputs(stream), _one_hot(boards), penalty))


@misconception(
    "09.board_probe",
    "The targets are the numbers 0, 1 and 2, as if theirs were twice as much as mine. The states are names: give each "
    "a column of its own with `F.one_hot`.",
)
def foretells_the_numbers(stream, boards, ridge=1e-3):
    return _fitted(_inputs(stream), boards.double(), ridge * len(stream)).float()


@misconception(
    "09.board_probe",
    "Targets are 1 and -1 here. They are 1 for the state that a square is in and 0 for the other two, as `F.one_hot` "
    "has it.",
)
def aims_at_minus_1(stream, boards, ridge=1e-3):
    return _weights(_fitted(_inputs(stream), 2 * _one_hot(boards) - 1, ridge * len(stream)))


@misconception(
    "09.board_probe",
    "Mine and theirs changed places. The columns are in the order of the states: 0 empty, 1 mine, 2 theirs.",
)
def exchanges_mine_and_theirs(stream, boards, ridge=1e-3):
    return _weights(_fitted(_inputs(stream), _one_hot(boards), ridge * len(stream)))[:, :, [0, 2, 1]]


@misconception(
    "09.board_probe",
    "The columns are sorted by state, then by square. The targets lie square by square, three states each: "
    "`unflatten(1, (-1, 3))`.",
)
def cuts_the_columns_the_other_way(stream, boards, ridge=1e-3):
    solution = _fitted(_inputs(stream), _one_hot(boards), ridge * len(stream)).float()
    return solution.unflatten(1, (3, -1)).transpose(1, 2)


@misconception(
    "09.board_probe",
    "The stream was foretold from the board. A probe reads the board off the stream: the stream is what it is given.",
)
def foretells_the_stream(stream, boards, ridge=1e-3):
    return _weights(_fitted(_one_hot(boards), _inputs(stream), ridge * len(stream)).T)


# ---------------------------------------------------------------- control_task


def _keys(keys):
    """The different keys, and for each sample the number of its own."""
    return keys.unique(dim=0, return_inverse=True)


@misconception(
    "09.control_task",
    "Boards were dealt to samples, not to keys, so samples with one key have different boards and nobody could learn "
    "them. Number the different keys first, `keys.unique(dim=0, return_inverse=True)`, and deal to these.",
)
def shuffles_the_samples(keys, boards, generator):
    return boards[torch.randperm(len(boards), generator=generator)]


@misconception(
    "09.control_task",
    "A board was drawn for each sample by itself. Draw one for each different key; whoever has that key gets it.",
)
def draws_for_each_sample(keys, boards, generator):
    return boards[torch.randint(len(boards), (len(boards),), generator=generator)]


@misconception(
    "09.control_task",
    "States were drawn at random, so boards are no longer as full as real ones, and a control that is easier or harder "
    "for that alone is unfair. Deal boards that exist.",
)
def draws_states(keys, boards, generator):
    different, key_of = _keys(keys)
    return torch.randint(3, (len(different), boards.shape[1]), generator=generator).to(boards.dtype)[key_of]


@misconception(
    "09.control_task",
    "Each square was dealt by itself, so the boards are mixtures of several. Squares of real boards hang together, and "
    "those of the control should as well: deal whole boards.",
)
def deals_square_by_square(keys, boards, generator):
    different, key_of = _keys(keys)
    dealt = torch.randint(len(boards), (len(different), boards.shape[1]), generator=generator)
    return boards.gather(0, dealt)[key_of]


@misconception(
    "09.control_task",
    "Only the first part of a key was looked at, so keys that begin alike have the same board. A key is the whole row: "
    "`unique(dim=0)`.",
)
def looks_at_the_first_part(keys, boards, generator):
    different, key_of = _keys(keys[:, :1])
    return boards[torch.randint(len(boards), (len(different),), generator=generator)][key_of]


@misconception(
    "09.control_task",
    "The parts of a key were added up, and different keys have the same sum. A key is the whole row: `unique(dim=0)`.",
)
def adds_parts_up(keys, boards, generator):
    different, key_of = _keys(keys.sum(dim=1, keepdim=True))
    return boards[torch.randint(len(boards), (len(different),), generator=generator)][key_of]


@misconception(
    "09.control_task",
    "Each key kept the board of its own first sample. That board does say something about the others with this key; a "
    "control must say nothing. Draw from all samples.",
)
def keeps_the_first_board_of_a_key(keys, boards, generator):
    different, key_of = _keys(keys)
    first = [int((key_of == number).nonzero()[0]) for number in range(len(different))]
    return boards[first][key_of]


@misconception(
    "09.control_task",
    "Drawn was from the first boards only, as many as there are different keys. Every sample's board shall be as "
    "likely: `torch.randint(len(boards), …)`.",
)
def draws_from_the_first_boards(keys, boards, generator):
    different, key_of = _keys(keys)
    return boards[torch.randint(len(different), (len(different),), generator=generator)][key_of]


@misconception(
    "09.control_task",
    "Drawn was among the keys, so a frequent key's boards are as rare as a seldom one's. Draw among the samples; then "
    "boards stay as frequent as they were.",
)
def draws_among_keys(keys, boards, generator):
    different, key_of = _keys(keys)
    first = torch.tensor([int((key_of == number).nonzero()[0]) for number in range(len(different))])
    return boards[first[torch.randint(len(different), (len(different),), generator=generator)]][key_of]


@misconception(
    "09.control_task",
    "The generator was not used. Hand it on to `torch.randint`, so that whoever gives another one gets another deal.",
)
def has_a_generator_of_its_own(keys, boards, generator):
    different, key_of = _keys(keys)
    own = torch.Generator().manual_seed(0)
    return boards[torch.randint(len(boards), (len(different),), generator=own)][key_of]


@misconception(
    "09.control_task",
    "Everybody got the same board. Draw one board for each different key.",
)
def deals_one_board_to_all(keys, boards, generator):
    return boards[torch.randint(len(boards), (1,), generator=generator)].expand(len(boards), -1).clone()


# ---------------------------------------------------------------- selectivity


def _read_rightly(stream, fitted, asked, trained, measured):
    """Share of squares of ``asked`` read rightly in ``measured``, by a probe fitted to ``fitted`` in ``trained``."""
    read = read_board(board_probe(stream[trained], fitted[trained]), stream[measured])
    return float((read == asked[measured]).double().mean())


@misconception(
    "09.selectivity",
    "The signs are exchanged: accuracy for the boards comes first, that for the controls is taken away.",
)
def takes_the_boards_away(stream, boards, controls, trained):
    return probe_accuracy(stream, controls, trained) - probe_accuracy(stream, boards, trained)


@misconception(
    "09.selectivity",
    "One was divided by the other. Selectivity is a difference: how many more squares of a hundred.",
)
def divides_one_by_the_other(stream, boards, controls, trained):
    return probe_accuracy(stream, boards, trained) / max(probe_accuracy(stream, controls, trained), 1e-9)


@misconception(
    "09.selectivity",
    "The probe for the boards was compared with the controls, which it was never fitted to. Ask what a probe *could* "
    "learn of the controls: fit one to them.",
)
def asks_one_probe_twice(stream, boards, controls, trained):
    own = _read_rightly(stream, boards, boards, trained, ~trained)
    return own - _read_rightly(stream, boards, controls, trained, ~trained)


@misconception(
    "09.selectivity",
    "The probes were measured on the samples to which they were fitted. What is known by heart counts there; measure "
    "on the others, `~trained`.",
)
def measures_on_the_trained(stream, boards, controls, trained):
    own = _read_rightly(stream, boards, boards, trained, trained)
    return own - _read_rightly(stream, controls, controls, trained, trained)


@misconception(
    "09.selectivity",
    "The probes were fitted to the samples that should be kept for measuring. `trained` marks those to fit to.",
)
def fits_to_the_others(stream, boards, controls, trained):
    return probe_accuracy(stream, boards, ~trained) - probe_accuracy(stream, controls, ~trained)


@misconception(
    "09.selectivity",
    "The probes were fitted to all samples, also to those on which they were then measured. Fit to `trained` only.",
)
def fits_to_all(stream, boards, controls, trained):
    everybody = torch.ones_like(trained)
    own = _read_rightly(stream, boards, boards, everybody, ~trained)
    return own - _read_rightly(stream, controls, controls, everybody, ~trained)


@misconception(
    "09.selectivity",
    "This is how well the boards are read. What a probe can do by itself is still in it: take the accuracy for the "
    "controls away.",
)
def forgets_the_controls(stream, boards, controls, trained):
    return probe_accuracy(stream, boards, trained)


@misconception(
    "09.selectivity",
    "A third was taken away, as if a probe that knows nothing guessed. Boards have favourite states, so guessing is "
    "better than that: the controls say how good.",
)
def takes_a_third_away(stream, boards, controls, trained):
    return probe_accuracy(stream, boards, trained) - 1 / 3


@misconception(
    "09.selectivity",
    "Only boards that were read without any mistake were counted. Count squares.",
)
def counts_whole_boards(stream, boards, controls, trained):
    shares = []
    for each in (boards, controls):
        read = read_board(board_probe(stream[trained], each[trained]), stream[~trained])
        shares.append(float((read == each[~trained]).all(dim=1).double().mean()))
    return shares[0] - shares[1]


# ---------------------------------------------------------------- board_directions


def _owners(boards):
    return ((boards == 2).double() - (boards == 1).double()) / 2


def _moves(numbers):
    return F.one_hot(numbers.long()).double()


def _effects(columns, stream, squares):
    return torch.linalg.lstsq(columns, stream.double(), driver="gelsd").solution[:squares].float()


@misconception(
    "09.board_directions",
    "Each square's direction is the mean stream where it is theirs minus the mean where it is mine. Neighbours often "
    "have the same owner, so that mixes in what other squares do. Let all squares foretell the stream together.",
)
def subtracts_mean_streams(stream, boards, numbers):
    both = [[stream[boards[:, square] == state].mean(dim=0) for square in range(boards.shape[1])] for state in (2, 1)]
    return torch.stack(both[0]) - torch.stack(both[1])


@misconception(
    "09.board_directions",
    "These are a probe's weights: how to *read* a square off the stream, with all else cancelled out. Asked is what "
    "the stream *holds*: foretell the stream from the board.",
)
def takes_a_probes_weights(stream, boards, numbers):
    probe = board_probe(stream, boards)
    return (probe[:-1, :, 2] - probe[:-1, :, 1]).T


@misconception(
    "09.board_directions",
    "The owners were written as 1 and -1, so a step from mine to theirs is 2 long and its vector half as long as it "
    "should be. Write ½ and -½.",
)
def writes_owners_as_ones(stream, boards, numbers):
    return _effects(torch.cat([2 * _owners(boards), _moves(numbers)], dim=1), stream, boards.shape[1])


@misconception(
    "09.board_directions",
    "The directions point from theirs to mine. Theirs is +½, mine is -½.",
)
def points_to_mine(stream, boards, numbers):
    return _effects(torch.cat([-_owners(boards), _moves(numbers)], dim=1), stream, boards.shape[1])


@misconception(
    "09.board_directions",
    "Only the owners foretell the stream. Late boards are fuller and late streams are different, and all of that now "
    "counts as the squares' doing: append a column for each number of a move.",
)
def leaves_the_numbers_out(stream, boards, numbers):
    return _effects(_owners(boards), stream, boards.shape[1])


@misconception(
    "09.board_directions",
    "One constant stands in for all moves. The stream at move 20 is another one than at move 3: a column for each "
    "number, `F.one_hot(numbers)`.",
)
def appends_one_constant(stream, boards, numbers):
    columns = torch.cat([_owners(boards), torch.ones(len(boards), 1, dtype=torch.float64)], dim=1)
    return _effects(columns, stream, boards.shape[1])


@misconception(
    "09.board_directions",
    "The number of the move was taken as a quantity, as if the stream changed by the same step with every move. Give "
    "each number a column of its own: `F.one_hot(numbers)`.",
)
def takes_numbers_as_a_quantity(stream, boards, numbers):
    columns = [_owners(boards), numbers[:, None].double(), torch.ones(len(boards), 1, dtype=torch.float64)]
    return _effects(torch.cat(columns, dim=1), stream, boards.shape[1])


@misconception(
    "09.board_directions",
    "A square that is mine was written like an empty one. The direction from mine to theirs has both ends: +½ where "
    "theirs, -½ where mine, 0 where empty.",
)
def sees_only_theirs(stream, boards, numbers):
    return _effects(torch.cat([(boards == 2).double(), _moves(numbers)], dim=1), stream, boards.shape[1])


@misconception(
    "09.board_directions",
    "The states were used as numbers 0, 1, 2. Then mine lies half-way between empty and theirs. Write +½ for theirs, "
    "-½ for mine, 0 for empty.",
)
def uses_states_as_numbers(stream, boards, numbers):
    return _effects(torch.cat([boards.double(), _moves(numbers)], dim=1), stream, boards.shape[1])


@misconception(
    "09.board_directions",
    "Each square foretold the stream by itself. Neighbours often have the same owner, so each takes credit for the "
    "others: put all squares into one table.",
)
def takes_squares_one_by_one(stream, boards, numbers):
    owners = _owners(boards)
    return torch.cat([_effects(torch.cat([one[:, None], _moves(numbers)], dim=1), stream, 1) for one in owners.T])


@misconception(
    "09.board_directions",
    "The rows of the numbers came back, too. Keep the rows of the squares: the first ones.",
)
def gives_all_rows(stream, boards, numbers):
    return _effects(torch.cat([_owners(boards), _moves(numbers)], dim=1), stream, None)


@misconception(
    "09.board_directions",
    "Rows and columns changed places: a row for each square is asked, as `lstsq` gives it.",
)
def turns_the_table(stream, boards, numbers):
    return _effects(torch.cat([_owners(boards), _moves(numbers)], dim=1), stream, boards.shape[1]).T


@misconception(
    "09.board_directions",
    "The directions were made 1 long. How far a square moves the stream is part of the answer: leave the lengths as "
    "they are.",
)
def makes_directions_one_long(stream, boards, numbers):
    found = _effects(torch.cat([_owners(boards), _moves(numbers)], dim=1), stream, boards.shape[1])
    return F.normalize(found, dim=1)


# ---------------------------------------------------------------- intervene


def _with_edit(network, tokens, layer, changed):
    """All answers of a network in which one layer is changed."""
    with torch.no_grad(), edit(network, {layer: changed}):
        return network(tokens)


def _added(places, change):
    """Right: what to do with an activation."""

    def changed(stream):
        stream = stream.clone()
        stream[torch.arange(len(stream)), places] += change
        return stream

    return changed


@misconception(
    "09.intervene",
    "The change was added at every position. Change sequence i at `places[i]` and nowhere else.",
)
def adds_everywhere(network, tokens, layer, places, change):
    answers = _with_edit(network, tokens, layer, lambda stream: stream + change[:, None])
    return answers[torch.arange(len(tokens)), places]


@misconception(
    "09.intervene",
    "The change was added at the place and at all positions after it. At the place only.",
)
def adds_from_there_on(network, tokens, layer, places, change):
    later = torch.arange(tokens.shape[1]) >= places[:, None]
    answers = _with_edit(network, tokens, layer, lambda stream: stream + later[..., None] * change[:, None])
    return answers[torch.arange(len(tokens)), places]


@misconception(
    "09.intervene",
    "The activation was replaced by the change. What the network holds besides is lost then: add to it.",
)
def replaces_the_activation(network, tokens, layer, places, change):
    rows = torch.arange(len(tokens))
    return _with_edit(network, tokens, layer, lambda stream: stream.index_put((rows, places), change))[rows, places]


ALL_PLACES = (
    "`stream[:, places]` takes all places in every sequence. Sequence i has place i: give both indices, "
    "`stream[rows, places]`."
)


@misconception("09.intervene", ALL_PLACES)
def adds_all_changes_in_each_sequence(network, tokens, layer, places, change):
    def changed(stream):
        stream = stream.clone()
        stream[:, places] += change
        return stream

    return _with_edit(network, tokens, layer, changed)[torch.arange(len(tokens)), places]


@misconception("09.intervene", ALL_PLACES)
def adds_its_change_at_all_places(network, tokens, layer, places, change):
    def changed(stream):
        stream = stream.clone()
        stream[:, places] += change[:, None]
        return stream

    return _with_edit(network, tokens, layer, changed)[torch.arange(len(tokens)), places]


@misconception(
    "09.intervene",
    "The first place was used for all sequences. Each has its own.",
)
def uses_the_first_place(network, tokens, layer, places, change):
    first = places[:1].expand(len(places))
    return _with_edit(network, tokens, layer, _added(first, change))[torch.arange(len(tokens)), first]


@misconception(
    "09.intervene",
    "The change of the first sequence was added to all. Each has its own row.",
)
def uses_the_first_change(network, tokens, layer, places, change):
    answers = _with_edit(network, tokens, layer, _added(places, change[:1]))
    return answers[torch.arange(len(tokens)), places]


@misconception(
    "09.intervene",
    "The answers of the last position came back. Asked are those at `places`.",
)
def answers_at_the_end(network, tokens, layer, places, change):
    return _with_edit(network, tokens, layer, _added(places, change))[:, -1]


@misconception(
    "09.intervene",
    "The answers of all positions came back. Asked are those at `places`: index with rows and places.",
)
def answers_everywhere(network, tokens, layer, places, change):
    return _with_edit(network, tokens, layer, _added(places, change))


@misconception(
    "09.intervene",
    "These are probabilities. Give the logits back as the network has them.",
)
def gives_probabilities(network, tokens, layer, places, change):
    return _with_edit(network, tokens, layer, _added(places, change))[torch.arange(len(tokens)), places].softmax(-1)


@misconception(
    "09.intervene",
    "This is how much the answers change. Asked are the answers of the edited network themselves.",
)
def gives_the_difference(network, tokens, layer, places, change):
    rows = torch.arange(len(tokens))
    with torch.no_grad():
        usual = network(tokens)
    return (_with_edit(network, tokens, layer, _added(places, change)) - usual)[rows, places]


@misconception(
    "09.intervene",
    "The activation was changed in place. Other parts of the network read the same tensor, and they are changed with "
    "it: work on a `clone()`, or with `index_put`, which makes a new one.",
)
def writes_in_place(network, tokens, layer, places, change):
    rows = torch.arange(len(tokens))

    def changed(stream):
        stream[rows, places] += change
        return stream

    return _with_edit(network, tokens, layer, changed)[rows, places]


@misconception(
    "09.intervene",
    "The hook was never taken away, so the network stays changed. `with edit(network, {layer: …}):` takes it away at "
    "the end of the block.",
)
def leaves_its_hook(network, tokens, layer, places, change):
    module = network.get_submodule(layer)
    module.register_forward_hook(lambda module, given, stream: _added(places, change)(stream))
    with torch.no_grad():
        return network(tokens)[torch.arange(len(tokens)), places]


@misconception(
    "09.intervene",
    "The answers still hang on the weights by a gradient, which costs memory for nothing. Run the network in "
    "`torch.no_grad()`.",
)
def keeps_gradients(network, tokens, layer, places, change):
    with edit(network, {layer: _added(places, change)}):
        return network(tokens)[torch.arange(len(tokens)), places]


@misconception("09.intervene", "Nothing was changed: these are the network's usual answers.")
def changes_nothing(network, tokens, layer, places, change):
    with torch.no_grad():
        return network(tokens)[torch.arange(len(tokens)), places]


@misconception(
    "09.intervene",
    "`[:, places]` reads all places of every sequence. Of sequence i the answer at place i is asked: give both "
    "indices, `[rows, places]`.",
)
def answers_at_all_places(network, tokens, layer, places, change):
    return _with_edit(network, tokens, layer, _added(places, change))[:, places]


# ---------------------------------------------------------------- steering_vector


def _activations(network, towards, away, layer):
    with torch.no_grad():
        return [record(network, tokens, layer)[layer] for tokens in (towards, away)]


@misconception(
    "09.steering_vector",
    "The vector points the other way: mean of `towards` minus mean of `away`.",
)
def points_away(network, towards, away, layer):
    first, second = _activations(network, towards, away, layer)
    return second.mean(dim=(0, 1)) - first.mean(dim=(0, 1))


@misconception(
    "09.steering_vector",
    "Only the last positions were averaged. All positions of all sequences count.",
)
def looks_at_last_positions(network, towards, away, layer):
    first, second = _activations(network, towards, away, layer)
    return first[:, -1].mean(dim=0) - second[:, -1].mean(dim=0)


@misconception(
    "09.steering_vector",
    "Sums were compared. With more sequences on one side that is mostly their number: take means.",
)
def compares_sums(network, towards, away, layer):
    first, second = _activations(network, towards, away, layer)
    return first.sum(dim=(0, 1)) - second.sum(dim=(0, 1))


@misconception(
    "09.steering_vector",
    "Positions were added up, and only sequences averaged, so long sequences count more. Take the mean over both.",
)
def adds_positions_of_a_sequence(network, towards, away, layer):
    first, second = _activations(network, towards, away, layer)
    return first.sum(dim=1).mean(dim=0) - second.sum(dim=1).mean(dim=0)


@misconception(
    "09.steering_vector",
    "The vector was made 1 long. Its length is the unit of the dose: how far apart the two kinds of text lie. Leave it "
    "as it is.",
)
def makes_it_one_long(network, towards, away, layer):
    first, second = _activations(network, towards, away, layer)
    return F.normalize(first.mean(dim=(0, 1)) - second.mean(dim=(0, 1)), dim=0)


@misconception(
    "09.steering_vector",
    "This is the mean of `towards` alone. What all texts share is still in it: take the mean of `away` from it.",
)
def forgets_what_to_leave(network, towards, away, layer):
    return _activations(network, towards, away, layer)[0].mean(dim=(0, 1))


@misconception(
    "09.steering_vector",
    "Medians were compared. A mean counts every activation: `mean(dim=(0, 1))`.",
)
def compares_medians(network, towards, away, layer):
    first, second = _activations(network, towards, away, layer)
    return first.flatten(0, 1).median(dim=0).values - second.flatten(0, 1).median(dim=0).values


@misconception(
    "09.steering_vector",
    "The mean of everything together was taken away. Then the vector is too short, and the more so the more sequences "
    "`towards` has: take away the mean of `away`.",
)
def compares_with_all(network, towards, away, layer):
    first, second = _activations(network, towards, away, layer)
    return first.mean(dim=(0, 1)) - torch.cat([first.flatten(0, 1), second.flatten(0, 1)]).mean(dim=0)


@misconception(
    "09.steering_vector",
    "The vector still hangs on the weights by a gradient. Record in `torch.no_grad()`.",
)
def steers_with_gradients(network, towards, away, layer):
    first, second = (record(network, tokens, layer)[layer] for tokens in (towards, away))
    return first.mean(dim=(0, 1)) - second.mean(dim=(0, 1))


# ---------------------------------------------------------------- dose_response


def _responses(network, tokens, layer, doses, measure, changed):
    return torch.stack(
        [measure(_with_edit(network, tokens, layer, lambda stream, dose=dose: changed(stream, dose))) for dose in doses]
    )


@misconception(
    "09.dose_response",
    "The vector was added at the last position only. It is added at every position.",
)
def adds_at_the_end(network, tokens, layer, vector, doses, measure):
    last = torch.arange(tokens.shape[1])[:, None] == tokens.shape[1] - 1
    return _responses(network, tokens, layer, doses, measure, lambda stream, dose: stream + dose * last * vector)


@misconception(
    "09.dose_response",
    "The doses add up: each edit was made on top of those before it. Open and close one `with edit(…)` for each dose.",
)
def lets_doses_add_up(network, tokens, layer, vector, doses, measure):
    totals = torch.tensor(doses).cumsum(dim=0).tolist()
    return _responses(network, tokens, layer, totals, measure, lambda stream, dose: stream + dose * vector)


@misconception(
    "09.dose_response",
    "All doses gave the answer of the last one. A function made in a loop reads `dose` when it is called, and by then "
    "the loop is over: run the network inside the loop.",
)
def gives_the_last_dose_to_all(network, tokens, layer, vector, doses, measure):
    return _responses(network, tokens, layer, doses, measure, lambda stream, dose: stream + doses[-1] * vector)


@misconception(
    "09.dose_response",
    "The vector was made 1 long first. Its own length is the unit of the dose.",
)
def takes_the_direction_only(network, tokens, layer, vector, doses, measure):
    unit = F.normalize(vector, dim=0)
    return _responses(network, tokens, layer, doses, measure, lambda stream, dose: stream + dose * unit)


@misconception(
    "09.dose_response",
    "The activation was replaced by the dose. Then the network forgets what it read: add to it.",
)
def replaces_by_the_dose(network, tokens, layer, vector, doses, measure):
    return _responses(network, tokens, layer, doses, measure, lambda stream, dose: dose * vector.expand_as(stream))


@misconception(
    "09.dose_response",
    "The untouched network's measure was taken away. Asked is the measure itself; with a dose of 0 that is what the "
    "network does anyway.",
)
def gives_the_effect(network, tokens, layer, vector, doses, measure):
    with torch.no_grad():
        usual = measure(network(tokens))
    return _responses(network, tokens, layer, doses, measure, lambda stream, dose: stream + dose * vector) - usual


@misconception(
    "09.dose_response",
    "Probabilities were handed to `measure`. It takes logits, and makes of them what it needs.",
)
def measures_probabilities(network, tokens, layer, vector, doses, measure):
    return _responses(
        network,
        tokens,
        layer,
        doses,
        lambda logits: measure(logits.softmax(dim=-1)),
        lambda stream, dose: stream + dose * vector,
    )


@misconception(
    "09.dose_response",
    "`measure` saw the last position only. Hand it all logits; which positions count is its own business.",
)
def measures_the_end(network, tokens, layer, vector, doses, measure):
    return _responses(
        network,
        tokens,
        layer,
        doses,
        lambda logits: measure(logits[:, -1:]),
        lambda stream, dose: stream + dose * vector,
    )


@misconception(
    "09.dose_response",
    "The doses were sorted. The answers are asked in the order of `doses`.",
)
def sorts_the_doses(network, tokens, layer, vector, doses, measure):
    return _responses(network, tokens, layer, sorted(doses), measure, lambda stream, dose: stream + dose * vector)


@misconception(
    "09.dose_response",
    "The activation was changed in place, `stream += …`. Other parts of the network read the same tensor, and they are "
    "changed with it: write `stream + …`.",
)
def doses_in_place(network, tokens, layer, vector, doses, measure):
    def changed(stream, dose):
        stream += dose * vector
        return stream

    return _responses(network, tokens, layer, doses, measure, changed)


@misconception(
    "09.dose_response",
    "The last hook was never taken away, so the network stays changed. `with edit(network, {layer: …}):` takes it away "
    "at the end of the block.",
)
def leaves_the_last_hook(network, tokens, layer, vector, doses, measure):
    found, handle = [], None
    for dose in doses:
        if handle is not None:
            handle.remove()
        module = network.get_submodule(layer)
        handle = module.register_forward_hook(lambda module, given, stream, dose=dose: stream + dose * vector)
        with torch.no_grad():
            found.append(measure(network(tokens)))
    return torch.stack(found)


@misconception(
    "09.dose_response",
    "The responses still hang on the weights by a gradient, which keeps every run in memory. Run the network in "
    "`torch.no_grad()`.",
)
def doses_with_gradients(network, tokens, layer, vector, doses, measure):
    found = []
    for dose in doses:
        with edit(network, {layer: lambda stream, dose=dose: stream + dose * vector}):
            found.append(measure(network(tokens)))
    return torch.stack(found)
