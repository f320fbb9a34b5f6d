"""The recipe of mini, and training by name."""

import json
import tomllib

import pytest
import torch

from innervision.data import cifar10
from innervision.data.cache import DataError
from innervision.models import load
from innervision.models.packaged import WEIGHTS_FOLDER
from innervision.recipes import RECIPES, mini, train
from innervision.training import fit


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)

    def split(count):
        images = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)
        return images, torch.arange(count) % 10

    return split(2 * mini.BATCH + 5), split(20)


def test_settings_are_those_of_the_shipped_run(data):
    # A checkpoint of other settings is refused, so changing one of these ends every run under way.
    assert mini.task(*data, epochs=26).settings == {
        "epochs": 26,
        "batch": 256,
        "peak_learning_rate": 0.3,
        "weight_decay": 5e-4,
        "label_smoothing": 0.1,
        "images": 517,
    }
    assert mini.EPOCHS == 26


def test_an_epoch_is_shuffled_whole_batches(data):
    task = mini.task(*data)
    batches = list(task.batches(torch.Generator().manual_seed(1)))
    assert [tuple(images.shape) for images, _ in batches] == [(256, 3, 32, 32)] * 2
    again = list(task.batches(torch.Generator().manual_seed(1)))
    assert all(torch.equal(one[0], other[0]) for one, other in zip(batches, again, strict=True))
    assert not torch.equal(batches[0][1], data[0][1][:256])


def test_first_weights_are_a_function_of_the_seed(data):
    before = torch.get_rng_state()
    one, same, other = (mini.task(*data, seed=seed).network.conv2d0.conv.weight for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_augmentation_shifts_and_flips():
    images = torch.zeros(400, 3, 32, 32, dtype=torch.uint8)
    images[:, :, 16, 10] = 255
    changed = mini.augment(images, torch.Generator().manual_seed(0))
    assert changed.shape == images.shape
    assert set(changed.unique().tolist()) == {0.0, 1.0}
    _, _, rows, columns = torch.nonzero(changed, as_tuple=True)
    assert len(rows) == 1200
    assert set((rows - 16).tolist()) == set(range(-4, 5))
    # A flip takes column 10 to column 21.
    assert set(columns.tolist()) == set(range(6, 15)) | set(range(17, 26))
    assert abs((columns < 16).float().mean().item() - 0.5) < 0.1


def test_the_border_that_a_shift_uncovers_is_a_mirror_image():
    image = torch.arange(32, dtype=torch.uint8).repeat(3, 32, 1)[None].repeat(200, 1, 1, 1)
    changed = (mini.augment(image, torch.Generator().manual_seed(0)) * 255).round()
    assert set((changed[:, :, :, 1:] - changed[:, :, :, :-1]).unique().tolist()) == {-1.0, 1.0}


def test_training_by_name_writes_weights_that_load(data, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "load", lambda split, cache: data[split == "test"])
    monkeypatch.setattr(mini, "EPOCHS", 1)
    monkeypatch.setattr(mini, "BATCH", 200)
    rows = []
    entry = train("mini", folder=tmp_path / "run", into=tmp_path / "weights", seed=3, report=rows.append)
    assert [row["epoch"] for row in rows] == [1]
    assert entry["command"] == "innervision train mini --seed 3"
    assert entry["data_sha256"] == cifar10.CONTENT_SHA256
    assert (entry["epochs"], entry["seed"], entry["channels"]) == (1, 3, 1248)
    network = load("mini", weights=tmp_path / "weights" / "mini.safetensors")
    assert network(torch.rand(1, 3, 32, 32)).shape == (1, 10)
    log = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in log] == [1]
    # A finished run is only exported anew, bit for bit.
    again = train("mini", folder=tmp_path / "run", resume=True, seed=3, report=rows.append)
    assert again["sha256"] == entry["sha256"]
    assert len(rows) == 1
    assert (tmp_path / "run" / "mini.safetensors").exists()


def test_the_loss_of_a_learnable_task_falls(tmp_path, monkeypatch):
    monkeypatch.setattr(mini, "BATCH", 20)
    labels = torch.arange(60) % 10
    images = (labels * 25).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 32, 32).contiguous()
    task = mini.task((images, labels), (images[:20], labels[:20]), epochs=8)
    rows = fit(task, 8, tmp_path)
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_an_unknown_recipe():
    known = ", ".join(f'"{name}"' for name in RECIPES)
    with pytest.raises(ValueError, match=rf'^name: there is no recipe for "maxi"; known are {known}$'):
        train("maxi")


def test_whatever_ships_has_a_recipe():
    entries = tomllib.loads((WEIGHTS_FOLDER / "weights.toml").read_text(encoding="utf-8"))
    assert len(entries) >= 5
    for name, entry in entries.items():
        command, recipe, *seed = entry["command"].removeprefix("innervision ").split(" ", 2)
        assert (command, recipe in RECIPES) == ("train", True), name
        assert seed == ([f"--seed {entry['seed']}"] if entry["seed"] else []), name


def test_training_needs_the_data(tmp_path):
    with pytest.raises(DataError, match=r"fetch it with: innervision data cifar10$"):
        train("mini", cache=tmp_path)
