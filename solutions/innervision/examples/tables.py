"""Tables that grow batch by batch in memory of their own.

Many small pieces kept in a list, with large activation maps made and freed in between, would leave holes in the
memory that nothing fits into: 0.25 GB of pieces have been seen to take 2.
"""

from __future__ import annotations

import torch
from jaxtyping import Shaped
from torch import Tensor


class Table:
    """Rows appended to a tensor that doubles in size when it is full."""

    def __init__(self) -> None:
        self.storage: Tensor | None = None
        self.count = 0

    def append(self, rows: Shaped[Tensor, "rows ..."]) -> None:
        """Copy some rows to the end."""
        needed = self.count + len(rows)
        if self.storage is None or needed > len(self.storage):
            larger = torch.empty(max(needed, 2 * self.count), *rows.shape[1:], dtype=rows.dtype)
            if self.storage is not None:
                larger[: self.count] = self.storage[: self.count]
            self.storage = larger
        self.storage[self.count : needed] = rows
        self.count = needed

    def finish(self) -> Shaped[Tensor, "rows ..."]:
        """All rows in a tensor that holds nothing else. The table is empty afterwards.

        Raises:
            ValueError: Nothing was ever appended.
        """
        if self.storage is None:
            raise ValueError("images: is empty; give at least one")
        rows = self.storage[: self.count].clone()
        self.storage, self.count = None, 0
        return rows
