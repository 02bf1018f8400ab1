"""The reply of a command: bytes at once, or a Block whose data must come first."""

from typing import Callable, NamedTuple, Union

ERROR = b"ERROR\r\n"
BAD_FORMAT = b"CLIENT_ERROR bad command line format\r\n"
BAD_CHUNK = b"CLIENT_ERROR bad data chunk\r\n"
BAD_EXPTIME = b"CLIENT_ERROR invalid exptime argument\r\n"
NON_NUMERIC = b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
TOO_LARGE = b"SERVER_ERROR object too large for cache\r\n"
NO_MEMORY = b"SERVER_ERROR out of memory storing object\r\n"
LENGTH_MAX = (1 << 31) - 3  # a longer value is a malformed line


class Block(NamedTuple):
    """A command that waits for `size` bytes of data, terminator included; `finish` takes them and returns the reply.

    Without `keep` the bytes are dropped, and `finish` gets none of them.
    """

    size: int
    finish: Callable[[bytes], bytes]
    keep: bool = True


Reply = Union[bytes, Block]


def swallow(length: int, reply: bytes) -> Block:
    """Returns a Block that drops a value of that length, and then replies with an error."""
    return Block(length + 2, lambda _: reply, keep=False)
