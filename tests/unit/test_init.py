"""Importing innervision is cheap and changes nothing."""

import subprocess
import sys

import pytest

import innervision


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_public_names():
    assert innervision.__all__ == [
        "check",
        "edit",
        "hint",
        "load",
        "progress",
        "record",
        "render",
        "to_displayable",
        "top_predictions",
    ]
    assert sorted(innervision._HOMES) == innervision.__all__
    assert set(innervision.__all__) <= set(dir(innervision))


@pytest.mark.parametrize("name", innervision.__all__)
def test_every_name_resolves_to_something_callable(name):
    assert callable(getattr(innervision, name))


def test_importing_loads_nothing_slow():
    heavy = run(
        "import sys, innervision; "
        "print([name for name in ('torch', 'numpy', 'matplotlib', 'PIL', 'rich') if name in sys.modules])"
    )
    assert heavy == "[]"


def test_importing_touches_no_seed():
    code = """
import random, torch, numpy
from innervision.models import MINI, Inception
made = Inception(MINI, batch_norm=True)
torch.manual_seed(5); numpy.random.seed(5); random.seed(5)
before = torch.get_rng_state(), numpy.random.get_state()[1].tolist(), random.getstate()
import innervision, innervision.models, innervision.data, innervision.recipes
innervision.load("mini"); innervision.data.load_sample()
innervision.models.fold_batch_norm(made)
after = torch.get_rng_state(), numpy.random.get_state()[1].tolist(), random.getstate()
print(torch.equal(before[0], after[0]), before[1:] == after[1:])
"""
    assert run(code) == "True True"


def test_an_unknown_name():
    with pytest.raises(AttributeError, match=r"^module 'innervision' has no attribute 'paint'$"):
        _ = innervision.paint


def test_the_version_is_the_installed_one():
    assert innervision.__version__.split(".")[0].isdigit()
