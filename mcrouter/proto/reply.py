"""What a reply is, on its way from a host to a client.

| a reply            | is                                                  | given to                     |
| bytes              | the whole reply                                     | every sink                   |
| memoryview, Pieces | the whole reply, without a copy of its values       | sinks that `takes_pieces`    |
| TOO_LARGE          | a reply that was not kept: it is asked for again    | every sink                   |
| StreamedReply      | the beginning of a large value; the rest is to come | sinks of requests that have  |
|                    |                                                     | a `large_value`              |
"""

from typing import Callable, List, Protocol, Union, cast

Piece = Union[bytes, memoryview]
Pieces = List[Piece]
WholeReply = Union[bytes, memoryview, Pieces]


class TooLarge(bytes):
    """The type of TOO_LARGE: no reply of a host has it, whatever its bytes are."""


TOO_LARGE = TooLarge(b"SERVER_ERROR mcrouter: too large to be held\r\n")
"""Stands, by identity and as a success, for a reply that was skipped; no client gets to see it."""


class StreamReader(Protocol):
    """The receiver of a streamed reply: a download (engine/clients/large_values.py)."""

    def can_take(self) -> bool:
        """Returns whether there is room for another piece."""

    def piece(self, data: bytes) -> None:
        """Takes a piece of the value."""

    def ended(self, tail: bytes) -> None:
        """Takes what ends the reply: all of the value has come."""

    def broken(self) -> None:
        """Records that the host was lost within the value."""


class StreamedReply(Protocol):
    """A large value that a host sends in pieces (engine/hosts/connections/streaming.py)."""

    def begin_with(self, change: Callable[[bytes], bytes]) -> None:
        """Has `change` rewrite the beginning of the reply; to be called before the reply is passed on."""

    def take(self, reader: StreamReader) -> None:
        """Passes the reply to `reader`, from its beginning."""

    def resume(self) -> None:
        """Lets more of the reply come: its reader has room again."""

    def close(self) -> None:
        """Drops the rest of the reply, and closes its connection."""


Reply = Union[bytes, StreamedReply]
"""What every sink may get."""
AnyReply = Union[Reply, memoryview, Pieces]
"""What clients' requests may get, and other sinks that `takes_pieces`."""


def unstreamed(reply: Reply) -> bytes:
    """Returns the reply as it is, for mypy: that to a run, or to a get of several keys, is never streamed."""
    return cast(bytes, reply)


def joined(reply: WholeReply) -> bytes:
    """Returns a whole reply as bytes."""
    return b"".join(reply) if isinstance(reply, list) else bytes(reply)
