"""Labels drawn by lot, and training by hand."""

from itertools import chain

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from innervision.learning.memorization import accuracy, answers, randomize_labels, train_epoch


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_so_many_labels_are_drawn_anew(share):
    labels = torch.full((4000,), 3)
    changed = (randomize_labels(labels, share, 10, generator()) != 3).float().mean()
    # Of those drawn anew a tenth stays by luck; four standard deviations of 4,000 draws.
    assert float(changed) == pytest.approx(0.9 * share, abs=4 * (0.09 * share / 4000) ** 0.5 + 1e-9)


def test_the_lot_does_not_look_at_the_old_label():
    labels = torch.arange(10).repeat(2000)
    new = randomize_labels(labels, 1.0, 10, generator(1))
    table = torch.zeros(10, 10).index_put_((labels, new), torch.ones(20_000), accumulate=True)
    assert float((table - 200).abs().max()) < 5 * 200**0.5  # five standard deviations of a count


def test_labels_given_stay_and_their_type_too():
    labels = torch.zeros(100, dtype=torch.int32)
    assert randomize_labels(labels, 1.0, 5, generator()).dtype == torch.int32
    assert not labels.any()


def test_one_seed_one_lot():
    labels = torch.arange(100) % 10
    one, same, other = (randomize_labels(labels, 0.5, 10, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_refusals():
    with pytest.raises(ValueError, match=r"^share: 1\.5 is not between 0 and 1$"):
        randomize_labels(torch.tensor([0]), 1.5, 2, generator())
    with pytest.raises(ValueError, match=r"^labels: from 0 to 2; 2 classes are 0 to 1$"):
        randomize_labels(torch.tensor([0, 2]), 1.0, 2, generator())


class Watching(nn.Module):
    """A linear network that notes which images it saw, and in which mode."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.seen, self.modes = [], []

    def forward(self, images):
        self.seen.append(images[:, 0, 0, 0].tolist())
        self.modes.append(self.training)
        return self.linear(images.flatten(1))


@pytest.fixture
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Watching()


def run(network, batch=4, seed=0, rate=0.1):
    images = torch.rand(10, 3, 1, 1, generator=generator(5))
    labels = torch.arange(10) % 4
    loss = train_epoch(
        network.eval(), torch.optim.SGD(network.parameters(), rate), images, labels, generator(seed), batch
    )
    return images, labels, loss


def test_an_epoch_sees_every_image_once_in_a_new_order(network):
    images, _, _ = run(network)
    first = list(chain(*network.seen))
    assert [len(part) for part in network.seen] == [4, 4, 2]
    assert sorted(first) == sorted(images[:, 0, 0, 0].tolist())
    network.seen.clear()
    run(network, seed=1)
    assert list(chain(*network.seen)) != first
    assert all(network.modes)


def test_a_step_follows_the_gradient_of_the_batch_alone(network):
    before = [value.detach().clone() for value in network.linear.parameters()]
    images, labels, loss = run(network, batch=10)
    logits = F.linear(images.flatten(1), *before)
    chance = logits.softmax(dim=1) - F.one_hot(labels, 4)  # the gradient of the cross-entropy by the logits
    assert loss == pytest.approx(float(F.cross_entropy(logits, labels)), abs=1e-6)
    expected = before[0] - 0.1 * chance.T @ images.flatten(1) / 10
    torch.testing.assert_close(network.linear.weight.detach(), expected)
    network.linear.weight.grad.fill_(100.0)  # of somebody else; a step begins with none
    run(network, batch=10, rate=1e-9)
    torch.testing.assert_close(network.linear.weight.detach(), expected)


def test_the_loss_is_the_mean_over_batches(network):
    with torch.no_grad():
        network.linear.weight.zero_()
        network.linear.bias.zero_()
    _, _, loss = run(network, rate=0.0)
    assert loss == pytest.approx(float(torch.tensor(4.0).log()), abs=1e-6)


def test_answers_are_given_in_eval_mode_and_batches(network):
    images = torch.rand(1100, 3, 1, 1, generator=generator())
    network.train()
    found = answers(network, images)
    assert torch.equal(found, network.linear(images.flatten(1)).argmax(dim=1))
    assert network.modes == [False] * 3
    assert accuracy(network, images, found) == 1.0
    assert accuracy(network, images, (found + 1) % 4) == 0.0
