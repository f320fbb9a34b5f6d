"""Right answers to lesson 06 in another style."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum, rearrange

from innervision.classroom.exercises import alternative

# ---------------------------------------------------------------- sample_features


@alternative("06.sample_features")
def features_with_bernoulli(probabilities, batch, features, generator):
    chances = probabilities.double().view(-1, 1, 1).expand(-1, batch, features)
    strength = torch.rand(chances.shape, generator=generator, dtype=torch.float64)
    return strength * torch.bernoulli(chances, generator=generator)


@alternative("06.sample_features")
def features_model_by_model(probabilities, batch, features, generator):
    models = []
    for probability in probabilities.tolist():
        drawn = torch.rand(batch, features, generator=generator)
        absent = torch.rand(batch, features, generator=generator) >= probability
        drawn[absent] = 0
        models.append(drawn)
    return torch.stack(models)


@alternative("06.sample_features")
def features_with_one_draw_stretched(probabilities, batch, features, generator):
    """A uniform number below p, divided by p, is uniform again."""
    uniform = torch.rand(len(probabilities), batch, features, generator=generator, dtype=torch.float64)
    chances = rearrange(probabilities.double(), "models -> models 1 1")
    return torch.where(uniform < chances, uniform / chances.clamp(min=1e-300), 0)


# ---------------------------------------------------------------- toy_forward


@alternative("06.toy_forward")
def toy_forward_with_bmm(features, weights, biases):
    weights = weights.double()
    hidden = torch.bmm(features.double(), weights.mT)
    return torch.baddbmm(biases.double()[:, None], hidden, weights).clamp(min=0)


@alternative("06.toy_forward")
def toy_forward_model_by_model(features, weights, biases):
    outputs = [F.relu(F.linear(F.linear(x, w), w.T, b)) for x, w, b in zip(features, weights, biases, strict=True)]
    return torch.stack(outputs)


@alternative("06.toy_forward")
def toy_forward_with_the_square_matrix(features, weights, biases):
    interference = einsum(weights, weights, "models hidden a, models hidden b -> models a b")
    outputs = einsum(interference, features, "models a b, models batch b -> models batch a")
    return torch.maximum(outputs + biases.unsqueeze(1), torch.zeros(()))


# ---------------------------------------------------------------- toy_loss


@alternative("06.toy_loss")
def toy_loss_as_a_product(features, outputs, importance):
    return ((features - outputs).double() ** 2 @ importance.double()).mean(dim=1)


@alternative("06.toy_loss")
def toy_loss_model_by_model(features, outputs, importance):
    losses = []
    for right, mine in zip(features, outputs, strict=True):
        losses.append(sum((importance * (a - b) ** 2).sum() for a, b in zip(right, mine, strict=True)) / len(right))
    return torch.stack(losses)


@alternative("06.toy_loss")
def toy_loss_with_mse(features, outputs, importance):
    errors = F.mse_loss(outputs, features, reduction="none").mean(dim=1)
    return einsum(errors, importance, "models features, features -> models")


# ---------------------------------------------------------------- feature_dimensionality


@alternative("06.feature_dimensionality")
def dimensionality_by_the_fourth_power(weights):
    """|W_i|^4 over the sum of the squared products: the same, with the length moved above."""
    products = (weights.mT.double() @ weights.double()).square().sum(dim=-1)
    fourth = weights.double().square().sum(dim=-2).square()
    return torch.where(products > 0, fourth / products, 0.0)


@alternative("06.feature_dimensionality")
def dimensionality_feature_by_feature(weights):
    columns = weights.movedim(-1, 0)
    shares = []
    for column in columns:
        length = column.norm(dim=-1, keepdim=True)
        overlaps = (columns * column / length).sum(dim=-1)
        shares.append(length[..., 0] ** 2 / (overlaps**2).sum(dim=0))
    return torch.stack(shares, dim=-1).nan_to_num(0.0)


@alternative("06.feature_dimensionality")
def dimensionality_with_einsum(weights):
    unit = F.normalize(weights, dim=-2)
    overlaps = einsum(unit, weights, "... hidden i, ... hidden j -> ... i j")
    return (weights**2).sum(-2) / (overlaps**2).sum(-1).clamp(min=1e-12)


# ---------------------------------------------------------------- class_share


@alternative("06.class_share")
def share_with_index_add(values, labels):
    said = torch.zeros(int(labels.max()) + 1, values.shape[1]).index_add(0, labels, values)
    return (said.max(dim=0).values / said.sum(dim=0)).nan_to_num(0.0)


@alternative("06.class_share")
def share_class_by_class(values, labels):
    said = torch.stack([values[labels == label].double().sum(dim=0) for label in labels.unique()])
    total = values.double().sum(dim=0)
    return torch.where(total == 0, 0.0, said.amax(dim=0) / total)


@alternative("06.class_share")
def share_unit_by_unit(values, labels):
    shares = []
    for unit in values.T:
        said = np.bincount(labels.numpy(), weights=unit.double().numpy())
        shares.append(float(said.max() / said.sum()) if said.any() else 0.0)
    return torch.tensor(shares)


# ---------------------------------------------------------------- polysemanticity


@alternative("06.polysemanticity")
def meanings_unit_by_unit(values, labels, unrelated, count=20):
    found = []
    for unit in values.T:
        classes = Counter(labels[unit.argsort(descending=True)[:count]].tolist())
        pairs = [pair for pair in combinations(range(len(unrelated)), 2) if unrelated[pair]]
        found.append(max((min(classes[a], classes[b]) for a, b in pairs), default=0))
    return torch.tensor(found)


@alternative("06.polysemanticity")
def meanings_pair_by_pair(values, labels, unrelated, count=20):
    strongest = labels[values.topk(count, dim=0).indices]
    best = torch.zeros(values.shape[1])
    for first, second in unrelated.nonzero().tolist():
        both = torch.stack([(strongest == first).sum(dim=0), (strongest == second).sum(dim=0)])
        best = torch.maximum(best, both.amin(dim=0).float())
    return best


@alternative("06.polysemanticity")
def meanings_by_trying_numbers(values, labels, unrelated, count=20):
    """The largest n for which some unrelated pair has n images each."""
    order = values.argsort(dim=0, descending=True)[:count]
    counts = torch.stack([(labels[order] == label).sum(dim=0) for label in range(len(unrelated))])
    found = torch.zeros(values.shape[1], dtype=torch.long)
    for number in range(1, count + 1):
        enough = counts >= number
        pairs = enough[:, None] & enough[None] & unrelated[:, :, None]
        found[pairs.flatten(0, 1).any(dim=0)] = number
    return found


# ---------------------------------------------------------------- sae_encode


@alternative("06.sae_encode")
def codes_with_a_threshold(activations, autoencoder):
    codes = F.linear(activations - autoencoder.decoder_bias, autoencoder.encoder.T, autoencoder.encoder_bias).relu()
    if autoencoder.active is None:
        return codes
    least = codes.sort(dim=-1, descending=True).values[..., autoencoder.active - 1, None]
    return codes * (codes >= least)


@alternative("06.sae_encode")
def codes_row_by_row(activations, autoencoder):
    rows = []
    for activation in activations.reshape(-1, activations.shape[-1]).double():
        code = autoencoder.encoder.double().T @ (activation - autoencoder.decoder_bias) + autoencoder.encoder_bias
        keep = torch.ones_like(code)
        if autoencoder.active is not None:
            keep[code.argsort(descending=True)[autoencoder.active :]] = 0
        rows.append((code * keep).clamp(min=0))
    return torch.stack(rows).reshape(*activations.shape[:-1], -1)


@alternative("06.sae_encode")
def codes_chosen_before_the_rectifier(activations, autoencoder):
    centred = activations - autoencoder.decoder_bias
    read = einsum(centred, autoencoder.encoder, "... channels, channels features -> ... features")
    read = read + autoencoder.encoder_bias
    if autoencoder.active is not None:
        others = read.argsort(dim=-1)[..., : read.shape[-1] - autoencoder.active]
        read = read.scatter(-1, others, 0.0)
    return torch.where(read > 0, read, 0)


# ---------------------------------------------------------------- sae_decode


@alternative("06.sae_decode")
def decoded_with_linear(codes, autoencoder):
    return F.linear(codes.double(), autoencoder.decoder.double().T, autoencoder.decoder_bias.double())


@alternative("06.sae_decode")
def decoded_feature_by_feature(codes, autoencoder):
    total = autoencoder.decoder_bias.expand(*codes.shape[:-1], -1)
    for feature, direction in enumerate(autoencoder.decoder):
        total = total + codes[..., feature, None] * direction
    return total


# ---------------------------------------------------------------- sae_loss


@alternative("06.sae_loss")
def sae_loss_with_norms(activations, reconstructed, codes, penalty=0.0):
    error = torch.linalg.vector_norm(activations.double() - reconstructed.double(), dim=-1) ** 2
    return torch.mean(error + penalty * torch.linalg.vector_norm(codes.double(), ord=1, dim=-1))


@alternative("06.sae_loss")
def sae_loss_over_the_batch(activations, reconstructed, codes, penalty=0.0):
    error = F.mse_loss(reconstructed, activations, reduction="sum")
    return (error + penalty * codes.sum()) / activations.shape[0]


@alternative("06.sae_loss")
def sae_loss_row_by_row(activations, reconstructed, codes, penalty=0.0):
    losses = []
    for activation, back, code in zip(activations, reconstructed, codes, strict=True):
        losses.append((activation - back) @ (activation - back) + penalty * code.abs().sum())
    return sum(losses) / len(losses)


# ---------------------------------------------------------------- normalize_decoder


@alternative("06.normalize_decoder")
def normalized_through_data(autoencoder):
    lengths = autoencoder.decoder.data.norm(dim=1).clamp(min=1e-12)
    autoencoder.decoder.data = autoencoder.decoder.data / lengths[:, None]
    autoencoder.encoder.data = autoencoder.encoder.data * lengths
    autoencoder.encoder_bias.data = autoencoder.encoder_bias.data * lengths
    return autoencoder


@alternative("06.normalize_decoder")
def normalized_feature_by_feature(autoencoder):
    with torch.no_grad():
        for feature in range(len(autoencoder.decoder)):
            length = math.sqrt(float(autoencoder.decoder[feature].double().square().sum()))
            if length:
                autoencoder.decoder[feature] /= length
                autoencoder.encoder[:, feature] *= length
                autoencoder.encoder_bias[feature] *= length


@alternative("06.normalize_decoder")
def normalized_with_copy(autoencoder):
    with torch.inference_mode():
        lengths = torch.linalg.vector_norm(autoencoder.decoder, dim=1)
        lengths = lengths.masked_fill(lengths == 0, 1.0)
        autoencoder.encoder.copy_(torch.einsum("cf,f->cf", autoencoder.encoder, lengths))
        autoencoder.encoder_bias.copy_(autoencoder.encoder_bias * lengths)
        autoencoder.decoder.copy_(F.normalize(autoencoder.decoder, dim=1))


# ---------------------------------------------------------------- dead_features


@alternative("06.dead_features")
def dead_by_the_largest(codes):
    return torch.stack([feature.max() <= 0 for feature in codes.movedim(-1, 0)])


@alternative("06.dead_features")
def dead_by_counting(codes):
    rows = rearrange(codes, "... features -> (...) features")
    return torch.from_numpy((rows.numpy() > 0).sum(axis=0) == 0)


# ---------------------------------------------------------------- mean_max_cosine


@alternative("06.mean_max_cosine")
def found_with_cosine_similarity(found, features):
    cosines = F.cosine_similarity(found[None].double(), features[:, None].double(), dim=2)
    return cosines.max(dim=1).values.mean()


@alternative("06.mean_max_cosine")
def found_feature_by_feature(found, features):
    best = []
    for feature in features.tolist():
        cosines = [float(np.dot(feature, one)) / math.hypot(*feature) / math.hypot(*one) for one in found.tolist()]
        best.append(max(cosines))
    return sum(best) / len(best)


@alternative("06.mean_max_cosine")
def found_with_einsum(found, features):
    products = einsum(found, features, "directions channels, features channels -> directions features")
    lengths = found.norm(dim=1)[:, None] * features.norm(dim=1)[None]
    return (products / lengths).amax(dim=0).mean()


# ---------------------------------------------------------------- turn_up


@alternative("06.turn_up")
def turned_up_with_a_function(direction, amount):
    unit = direction.double() / direction.double().square().sum().sqrt()

    def change(activation):
        return activation + (amount * unit).view(1, -1, 1, 1).to(activation.dtype)

    return change


@alternative("06.turn_up")
def turned_up_channels_last(direction, amount):
    push = F.normalize(direction, dim=0) * amount
    return lambda activation: (activation.movedim(1, -1) + push).movedim(-1, 1)


@alternative("06.turn_up")
def turned_up_channel_by_channel(direction, amount):
    length = math.hypot(*direction.tolist())

    def change(activation):
        pairs = zip(activation.unbind(dim=1), direction.tolist(), strict=True)
        return torch.stack([plane + amount * part / length for plane, part in pairs], dim=1)

    return change
