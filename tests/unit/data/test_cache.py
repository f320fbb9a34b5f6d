from pathlib import Path

import pytest

from innervision.data.cache import DataError, cache_folder


def test_an_argument_goes_before_the_environment_before_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("INNERVISION_CACHE", str(tmp_path / "environment"))
    assert cache_folder(tmp_path / "argument") == tmp_path / "argument"
    assert cache_folder() == tmp_path / "environment"
    monkeypatch.setenv("INNERVISION_CACHE", "~/here")
    assert cache_folder() == Path.home() / "here"


@pytest.mark.parametrize(
    ("platform", "variable", "set_to", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "/x", "/x/innervision"),
        ("linux", "XDG_CACHE_HOME", "", "HOME/.cache/innervision"),
        ("darwin", "XDG_CACHE_HOME", "/x", "HOME/Library/Caches/innervision"),
        ("win32", "LOCALAPPDATA", "/l", "/l/innervision"),
        ("win32", "LOCALAPPDATA", "", "HOME/AppData/Local/innervision"),
    ],
)
def test_each_platform_has_its_own_folder(monkeypatch, platform, variable, set_to, expected):
    monkeypatch.delenv("INNERVISION_CACHE", raising=False)
    monkeypatch.setattr("innervision.data.cache.sys.platform", platform)
    monkeypatch.setenv(variable, set_to)
    assert cache_folder() == Path(expected.replace("HOME", str(Path.home())))


def test_a_data_error_is_a_value_error():
    assert issubclass(DataError, ValueError)
