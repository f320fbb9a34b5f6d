"""Response normalisation against torch's own module."""

import pytest
import torch
from torch import nn

from innervision.models.normalization import ResponseNorm


@pytest.mark.parametrize(("channels", "radius"), [(20, 5), (4, 5), (7, 0), (1, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_is_torchs_with_the_sum_for_the_mean(channels, radius, dtype):
    values = torch.randn(2, channels, 3, 5, dtype=dtype, generator=torch.Generator().manual_seed(0)) * 50
    size = 2 * radius + 1
    torchs = nn.LocalResponseNorm(size, alpha=1e-3 * size, beta=0.5, k=2.0)
    ours, theirs = values.clone().requires_grad_(True), values.clone().requires_grad_(True)
    found, expected = ResponseNorm(radius, 1e-3, 2.0)(ours), torchs(theirs)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)


def test_says_its_numbers():
    assert repr(ResponseNorm(5, 1e-4, 2.0)) == "ResponseNorm(radius=5, alpha=0.0001, bias=2.0)"
    assert not ResponseNorm(5, 1e-4, 2.0).state_dict()
