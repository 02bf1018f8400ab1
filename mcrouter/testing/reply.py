"""What a command gives back: bytes at once, or a Block whose data must come first."""

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
    """A command that waits for `size` bytes of data, terminator included; `finish` takes them and gives the reply.

    With `keep` off the bytes are thrown away and `finish` gets none of them.
    """

    size: int
    finish: Callable[[bytes], bytes]
    keep: bool = True


Reply = Union[bytes, Block]


def swallow(length: int, reply: bytes) -> Block:
    """An error that is told after a value of that length has been thrown away."""
    return Block(length + 2, lambda _: reply, keep=False)
