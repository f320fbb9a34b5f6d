"""Maps, their order, and what is left of it without the weights."""

import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from innervision.learning.sanity import (
    edge_map,
    gradient_map,
    guided,
    guided_map,
    input_gradient,
    randomization_test,
    rank_correlation,
)


@pytest.fixture
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)
        )


@pytest.fixture
def images():
    return torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))


LABELS = torch.tensor([0, 3, 4])


def test_ranks_as_scipy_has_them_ties_included():
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randint(0, 6, (4, 5, 5), generator=generator).float() for _ in range(2))
    expected = [
        spearmanr(a, b).statistic for a, b in zip(one.flatten(1).numpy(), other.flatten(1).numpy(), strict=True)
    ]
    found = rank_correlation(one, other)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))


def test_only_the_order_counts():
    maps = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(rank_correlation(maps, maps.exp()), torch.ones(2))
    torch.testing.assert_close(rank_correlation(maps, 1 - maps), -torch.ones(2))
    assert rank_correlation(maps, torch.ones(2, 4, 4)).isnan().all()
    with pytest.raises(
        ValueError, match=r"^one, other: shapes \(2, 4, 4\) and \(1, 4, 4\) are not both \(batch, row, c"
    ):
        rank_correlation(maps, maps[:1])


def test_a_cascade_randomises_one_layer_more_each_time():
    asked = []

    def scramble(model, layers):
        asked.append(layers)
        return float(len(layers))

    fixed = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(0))
    noise = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(1))
    found = randomization_test(0.0, lambda level: fixed + level * noise, ("c", "b", "a"), scramble)
    assert asked == [["c"], ["c", "b"], ["c", "b", "a"]]
    assert list(found) == ["c", "b", "a"]
    for level, values in enumerate(found.values(), start=1):
        torch.testing.assert_close(values, rank_correlation(fixed, fixed + level * noise))


def test_gradient_maps(model, images):
    model, images = model.double(), images.double()
    gradient = input_gradient(model, images, LABELS)
    step = torch.zeros_like(images)
    step[1, 2, 3, 4] = 1e-6  # so small that hardly any rectifier switches
    with torch.no_grad():
        rise = (model(images + step) - model(images - step))[1, 3] / 2e-6
    assert float(gradient[1, 2, 3, 4]) == pytest.approx(float(rise), abs=1e-6)
    torch.testing.assert_close(gradient_map(model, images, LABELS), gradient.abs().amax(dim=1))


def test_guided_gradients_pass_what_is_positive_and_leave_no_hook(model, images):
    plain = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(3, 2, bias=False))
    with torch.no_grad():
        plain[2].weight.copy_(torch.tensor([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]]))
    points = torch.ones(1, 3, 1, 1)
    assert input_gradient(plain, points, torch.tensor([0])).flatten().tolist() == [1.0, -1.0, 0.0]
    with guided(plain):
        assert input_gradient(plain, points, torch.tensor([0])).flatten().tolist() == [1.0, 0.0, 0.0]
    assert guided_map(model, images, LABELS).shape == (3, 8, 8)
    assert not any(module._backward_hooks for module in model.modules())
    with pytest.raises(RuntimeError, match="Kernel size"):
        guided_map(model, images[:, :, :3], LABELS)
    assert not any(module._backward_hooks for module in model.modules())


def test_edges_are_where_the_image_changes():
    image = torch.zeros(1, 3, 6, 6)
    image[..., 3:] = 1.0
    edges = edge_map(image)
    assert edges[0, :, [2, 3]].gt(0).all()
    assert edges[0, :, [0, 1, 4, 5]].eq(0).all()


def test_the_edges_of_an_image_are_its_own():
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    images[1] = 0.5
    edges = edge_map(images)
    assert edges[1].eq(0).all()
    for image, map_of_it in zip(images, edges, strict=True):
        torch.testing.assert_close(edge_map(image[None])[0], map_of_it)


def test_edges_are_those_of_a_convolution_with_the_published_kernels():
    images = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    grey = nn.functional.pad(images.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    expected = nn.functional.conv2d(grey, torch.stack([across, across.T])[:, None]).norm(dim=1)
    torch.testing.assert_close(edge_map(images), expected, atol=1e-5, rtol=1e-5)
