"""Replies in pieces: what a get of several keys has found, without a copy of a value each time it is asked for.

A sink that `takes_pieces` may be given a list of pieces in the place of bytes: a client's request, and sinks that only
pass on to one.
"""

from typing import Any, List

_WORTH = 65536  # bytes of a reply; fewer are put together


def takes_pieces(sink: Any) -> bool:
    """Whether a reply for it may be a list of pieces."""
    return bool(getattr(sink, "takes_pieces", False))


def values_reply(blocks: List[bytes], sink: Any) -> Any:
    """The reply to a get that found these VALUE blocks: bytes, or pieces where it is large and the sink takes them."""
    if len(blocks) > 1 and takes_pieces(sink) and sum(map(len, blocks)) > _WORTH:
        return [*blocks, b"END\r\n"]
    return b"".join(blocks) + b"END\r\n"
