"""Length-prefixed frames on a pipe. Both ends cap what they read before they read it."""

from __future__ import annotations

import struct
from typing import BinaryIO

MAX_FRAME = 33 * 2**20

_LENGTH = struct.Struct(">Q")


class FrameError(ValueError):
    """The other end does not speak the protocol."""


def write_frame(stream: BinaryIO, payload: bytes) -> None:
    """Write one frame and flush it."""
    stream.write(_LENGTH.pack(len(payload)) + payload)
    stream.flush()


def read_frame(stream: BinaryIO, limit: int = MAX_FRAME) -> bytes | None:
    """Read one frame; None at the end of the stream.

    Raises:
        FrameError: If the frame is larger than ``limit`` bytes or breaks off.
    """
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise FrameError("a frame breaks off")
    (length,) = _LENGTH.unpack(head)
    if length > limit:
        raise FrameError(f"a frame has {length:,} bytes; at most {limit:,} are allowed")
    payload = stream.read(length)
    if len(payload) < length:
        raise FrameError("a frame breaks off")
    return payload
