"""From a library function to the text of an exercise."""

import textwrap

import pytest

from innervision.classroom import stubs


@pytest.fixture
def function(tmp_path, monkeypatch):
    def write(source: str) -> stubs.LibraryFunction:
        (tmp_path / "library_fixture.py").write_text(textwrap.dedent(source), encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return stubs.library_function("library_fixture.double")

    return write


def test_comments_and_decorators_stay(function):
    found = function('''
        @decorated(1)
        def double(
            value: Float,  # any
        ) -> Float:
            """Twice."""
            # Adding is exact.
            total = value + value

            return total
        ''')
    assert found.stub() == (
        "@decorated(1)\ndef double(\n    value: Float,  # any\n) -> Float:\n"
        '    """Twice."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    )
    assert found.body == "    # Adding is exact.\n    total = value + value\n\n    return total"
    assert found.body_lines == 2
    assert found.needs == {"decorated", "Float"}


def test_needed_names(function):
    found = function('''
        def double(value, scale=DEFAULT):
            """Twice.

            Example:
                >>> small = make(3)
                >>> double(small)
                6
            """
            import math
            def inner(x):
                return helper(x) * math.pi
            return [inner(each) for each in value if each in TABLE] + len(value) * scale
        ''')
    assert found.needs == {"DEFAULT", "make", "helper", "TABLE"}


def test_a_function_without_a_docstring_is_no_exercise(function):
    expected = "function 'library_fixture.double' needs a docstring and a body to become an exercise"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        function("def double(value):\n    return 2 * value\n")


def test_magics_are_commented_out():
    assert stubs.without_magics("%matplotlib inline\nx = 1\n!ls") == "# %matplotlib inline\nx = 1\n# !ls"
