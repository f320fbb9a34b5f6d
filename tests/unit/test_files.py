import os
import stat

import pytest

from innervision.files import write_aside, write_text_aside


def test_a_file_appears_whole_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b.txt"

    def write(part):
        assert not path.exists()
        part.write_text("whole")

    write_aside(path, write)
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["b.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "b.txt"
    path.write_text("old")

    def write(part):
        part.write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match=r"^power cut$"):
        write_aside(path, write)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["b.txt"]


def test_text_is_utf8_with_line_feeds(tmp_path):
    write_text_aside(tmp_path / "t", "é\n")
    assert (tmp_path / "t").read_bytes() == b"\xc3\xa9\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_everybody_may_read_the_file(tmp_path):
    write_aside(tmp_path / "t", lambda part: os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600)))
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o644
