"""Steering: means, doses, and a network that is left as it was."""

from __future__ import annotations

import torch
from tests.unit.refusals import refuses

from innervision.activations import record
from innervision.learning.steering import dose_response, steering_vector
from innervision.learning.transformer import Sizes, Transformer


def small() -> Transformer:
    return Transformer(Sizes(6, 5, 8, width=8, heads=2, blocks=2), torch.Generator().manual_seed(0)).eval()


def test_the_vector_is_the_difference_of_mean_activations() -> None:
    network, generator = small(), torch.Generator().manual_seed(1)
    towards, away = torch.randint(6, (3, 8), generator=generator), torch.randint(6, (5, 4), generator=generator)
    found = steering_vector(network, towards, away, "blocks.0")
    seen = [record(network, tokens, "blocks.0")["blocks.0"].flatten(0, 1).double() for tokens in (towards, away)]
    torch.testing.assert_close(found.double(), seen[0].mean(dim=0) - seen[1].mean(dim=0), atol=1e-5, rtol=1e-5)
    assert not found.requires_grad


def test_each_dose_is_given_by_itself_at_every_position() -> None:
    network, tokens = small(), torch.randint(6, (2, 8), generator=torch.Generator().manual_seed(1))
    vector = torch.randn(8, generator=torch.Generator().manual_seed(2))
    doses = [0.0, 2.0, -1.0]
    found = dose_response(network, tokens, "blocks.1", vector, doses, lambda logits: logits[..., 3].mean())
    with torch.no_grad():
        base, gain = network(tokens)[..., 3].mean(), vector @ network.unembed[:, 3]
    # After the last block there is only the unembedding, which is linear.
    torch.testing.assert_close(found, base + torch.tensor(doses) * gain, atol=1e-5, rtol=1e-5)
    assert not found.requires_grad


def test_refuses_no_dose() -> None:
    with refuses("doses: is empty; give at least one"):
        dose_response(small(), torch.zeros(1, 2, dtype=torch.long), "embed", torch.zeros(8), [], torch.mean)
