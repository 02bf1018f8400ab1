"""Replies in pieces: a get that names a key many times is answered without a copy of the value for each time.

A sink that `takes_pieces` accepts a list of pieces instead of bytes. These are the requests of clients, and the sinks
that only pass a reply on to one.
"""

from typing import Any, List

_WORTH = 65536  # bytes of a reply; shorter replies are joined


def takes_pieces(sink: Any) -> bool:
    """Returns whether the sink accepts a list of pieces."""
    return bool(getattr(sink, "takes_pieces", False))


def values_reply(blocks: List[bytes], sink: Any) -> Any:
    """Returns the reply to a get that found these blocks: bytes, or pieces if it is large and the sink takes them."""
    if len(blocks) > 1 and takes_pieces(sink) and sum(map(len, blocks)) > _WORTH:
        return [*blocks, b"END\r\n"]
    return b"".join(blocks) + b"END\r\n"
