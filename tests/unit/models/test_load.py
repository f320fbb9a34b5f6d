import importlib
import shutil

import pytest
import torch
from safetensors.torch import save_file

import innervision.models
from innervision.models import FULL, MINI, Inception, load, provenance

packages = importlib.import_module("innervision.models.packaged")


def published_layout(architecture=FULL):
    """A state dict with random numbers under the keys in which InceptionV1 is published for torch."""
    generator = torch.Generator().manual_seed(3)
    state = {}
    for key, value in Inception(architecture).state_dict().items():
        renamed = key.replace(".conv.", "_pre_relu_conv.").replace("_pre_activation.", "_pre_activation_matmul.")
        state[renamed] = torch.randn(value.shape, generator=generator)
    return state


def mini_state():
    return Inception(MINI).state_dict()


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of the packaged weights that a test may damage."""
    folder = tmp_path / "weights"
    shutil.copytree(packages.WEIGHTS_FOLDER, folder)
    monkeypatch.setattr(packages, "WEIGHTS_FOLDER", folder)
    return folder


def test_public_names():
    assert innervision.models.__all__ == [
        "FULL",
        "LITE0",
        "MINI",
        "NETWORKS",
        "Architecture",
        "EfficientNetLite",
        "Inception",
        "LiteArchitecture",
        "class_names",
        "fold_batch_norm",
        "load",
        "provenance",
        "top_predictions",
    ]
    assert all(hasattr(innervision.models, name) for name in innervision.models.__all__)


def test_mini_is_frozen_in_eval_mode_and_answers_images():
    network = load("mini")
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not network.batch_norm
    logits = network(torch.rand(2, 3, 32, 32))
    assert logits.shape == (2, 10)
    assert logits.isfinite().all()


def test_two_loads_share_no_memory():
    one, other = load("mini"), load("mini")
    one.conv2d0.conv.weight.fill_(0)
    assert other.conv2d0.conv.weight.abs().sum() > 0


def test_mini_meets_its_bars_and_its_record_describes_the_file():
    record = provenance("mini")
    path = packages.WEIGHTS_FOLDER / record["file"]
    assert record["sha256"] == packages.file_sha256(path)
    assert record["bytes"] == path.stat().st_size <= 5e6
    assert record["parameters"] == sum(parameter.numel() for parameter in load("mini").parameters())
    assert record["test_images"] == 10_000
    assert record["accuracy"] >= 0.91
    assert record["channels"] == 1248
    assert record["dead_channels"] <= 0.01 * record["channels"]
    assert record["folding_difference"] <= 1e-4
    assert {"command", "seed", "epochs", "data", "data_sha256", "date", "torch"} <= record.keys()


@pytest.mark.parametrize("form", ["safetensors", "pth"])
def test_inceptionv1_reads_the_published_layout(tmp_path, form):
    state = published_layout()
    auxiliary = {
        "head0_bottleneck_pre_relu_conv.weight": torch.zeros(128, 508, 1, 1),
        "nn1_pre_relu_matmul.bias": torch.zeros(1024),
        "softmax0_pre_activation_matmul.weight": torch.zeros(1008, 1024),
    }
    path = tmp_path / f"inception5h.{form}"
    (save_file if form == "safetensors" else torch.save)(state | auxiliary, path)
    network = load("inceptionv1", weights=path)
    assert torch.equal(network.mixed4e_5x5.conv.weight, state["mixed4e_5x5_pre_relu_conv.weight"])
    assert torch.equal(network.softmax2_pre_activation.bias, state["softmax2_pre_activation_matmul.bias"])
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, 1008)


def test_our_own_layout_is_read_too(tmp_path):
    state = mini_state()
    save_file(state, tmp_path / "own.safetensors")
    network = load("mini", weights=str(tmp_path / "own.safetensors"))
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def failure(*args, **kwargs):
    with pytest.raises(ValueError, match=r"^(name|weights): ") as error:
        load(*args, **kwargs)
    return str(error.value)


def test_an_unknown_name_is_answered_with_the_known_and_the_closest():
    known = 'known are "mini", "inceptionv1", "googlenet", "efficientnet-lite0", "mini-robust", "mini-noise"'
    assert failure("inception") == f'name: there is no network "inception"; {known}; did you mean "inceptionv1"?'
    assert failure("MINI") == f'name: there is no network "MINI"; {known}; did you mean "mini"?'
    assert failure("resnet") == f'name: there is no network "resnet"; {known}'


def test_only_what_ships_has_a_record():
    with pytest.raises(
        ValueError, match=r'^name: no weights of "inceptionv1" ship with the package, so nothing is recorded of them$'
    ):
        provenance("inceptionv1")


def test_a_missing_file(tmp_path):
    path = tmp_path / "nowhere.safetensors"
    assert failure("mini", weights=path) == f"weights: there is no file {path}"
    assert failure("mini", weights=tmp_path) == f"weights: there is no file {tmp_path}"


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("damage", ["empty", "text", "truncated"])
def test_a_damaged_file(tmp_path, suffix, damage):
    path = tmp_path / f"weights{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(mini_state(), path)
    content = {"empty": b"", "text": b"not weights\n", "truncated": path.read_bytes()[:-1000]}[damage]
    path.write_bytes(content)
    assert failure("mini", weights=path) == (
        f"weights: {path} cannot be read as weights; it is damaged or of another kind"
    )


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Trap:
        def __reduce__(self):
            return (print, ("executed",))

    path = tmp_path / "trap.pth"
    torch.save({"weight": Trap()}, path)
    assert failure("mini", weights=path) == (
        f"weights: {path} cannot be read as weights; it is damaged or of another kind"
    )


def test_something_else_than_a_state_dict(tmp_path):
    path = tmp_path / "list.pth"
    torch.save([1, 2], path)
    assert failure("mini", weights=path) == f"weights: {path} holds no state dict, that is names with their tensors"


def test_weights_of_another_network(tmp_path):
    path = tmp_path / "w.safetensors"
    state = mini_state()
    end = '; these are not weights of "mini"'

    def answer(change):
        save_file({key: value.contiguous() for key, value in change.items()}, path)
        return failure("mini", weights=path).removeprefix(f"weights: {path} ")

    less = {key: value for key, value in state.items() if key != "conv2d1.conv.bias"}
    assert answer(less) == f'lacks parameter "conv2d1.conv.bias"{end}'
    more = state | {"a": torch.zeros(1), "b": torch.zeros(1), "c": torch.zeros(1)}
    assert answer(more) == f'has the unknown parameter "a" and 2 more{end}'
    wrong = state | {"logits.bias": torch.zeros(9)}
    assert answer(wrong) == f'has "logits.bias" of shape (9,), expected (10,){end}'
    broken = state | {"logits.bias": torch.full((10,), float("nan"))}
    assert answer(broken) == 'has numbers in "logits.bias" that are not finite'


def test_packaged_weights_must_match_their_recorded_hash(shipped):
    path = shipped / "mini.safetensors"
    load("mini")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert failure("mini") == f"weights: {path} is not the file that weights.toml describes; reinstall innervision"
    path.unlink()
    assert failure("mini") == f"weights: {path} is missing; reinstall innervision"


def test_the_hash_is_computed_once_a_process(shipped, monkeypatch):
    calls = []
    monkeypatch.setattr(packages, "file_sha256", lambda path: calls.append(path) or provenance("mini")["sha256"])
    load("mini")
    load("mini")
    assert len(calls) == 1
