"""Replies in pieces: a get that names a key many times is answered without a copy of the value for each time.

A sink that `takes_pieces` accepts a list of pieces instead of bytes. These are the requests of clients, and the sinks
that only pass a reply on to one.
"""

from typing import List, Optional, cast

from ...proto.reply import Reply
from ...proto.seams import Sink

_WORTH = 65536  # bytes of a reply; shorter replies are joined
_LARGE = 4096  # bytes of a piece, on average; smaller pieces are joined, unless they repeat


def takes_pieces(sink: Optional[Sink]) -> bool:
    """Returns whether the sink accepts a list of pieces."""
    return bool(getattr(sink, "takes_pieces", False))


def values_reply(blocks: List[bytes], sink: Optional[Sink]) -> Reply:
    """Returns the reply to a get that found these blocks: bytes, or pieces if it is large and the sink takes them."""
    size = sum(map(len, blocks))
    if len(blocks) > 1 and size > _WORTH and takes_pieces(sink):
        once = sum(map(len, {id(block): block for block in blocks}.values()))
        if size > 2 * once or size > _LARGE * len(blocks):
            return cast(Reply, [*blocks, b"END\r\n"])
    return b"".join(blocks) + b"END\r\n"
