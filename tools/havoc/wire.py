"""Bytes -> replies."""

import re
from typing import List, NamedTuple, Optional, Tuple

_BLOCK = re.compile(rb"VALUE ([^ \r\n]+) ([0-9]+) ([0-9]+)\r\n")
_LONGEST = 1024  # bytes of a line


class OutOfStep(Exception):
    """The bytes are no reply."""


class Value(NamedTuple):
    """One VALUE block."""

    key: bytes
    flags: int
    data: bytes


class Reply(NamedTuple):
    """A reply's last line without its end, and the values before it."""

    line: bytes
    values: List[Value]

    @property
    def failed(self) -> bool:
        """Whether the outcome is unknown."""
        return self.line.startswith(b"SERVER_ERROR ")


def cut(data: bytearray) -> Optional[Tuple[Reply, int]]:
    """The first reply and its size; None if it is not all there. Raises OutOfStep."""
    values: List[Value] = []
    at = 0
    while True:
        end = data.find(b"\n", at, at + _LONGEST)
        if end < 0:
            if len(data) - at >= _LONGEST:
                raise OutOfStep(f"a line without an end: {bytes(data[at : at + 60])!r}")
            return None
        if not data.startswith(b"VALUE ", at):
            line = bytes(data[at:end])
            if not line.endswith(b"\r") or (values and line != b"END\r"):
                raise OutOfStep(f"no reply: {line!r} behind {len(values)} values")
            return Reply(line[:-1], values), end + 1
        head = _BLOCK.fullmatch(data, at, end + 1)
        if head is None:
            raise OutOfStep(f"no head of a value: {bytes(data[at:end])!r}")
        begin, size = end + 1, int(head[3])
        at = begin + size + 2
        if len(data) < at:
            return None
        if data[at - 2 : at] != b"\r\n":
            raise OutOfStep(f"a value of {bytes(head[1])!r} that does not end where it should")
        values.append(Value(bytes(head[1]), int(head[2]), bytes(data[begin : at - 2])))
