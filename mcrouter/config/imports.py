"""Files that a config imports, and those that it is in."""

import errno
import os
import stat
import sys
from typing import Union

from .errors import ConfigError
from .languages import parse
from .tree import Node, from_file

MAX_BYTES = 1 << 26
"""Bytes that a file of a config may have."""


def read_bytes(path: str) -> bytes:
    """What is in a file, or on standard input if that is '-'. Raises OSError or ValueError.

    A FIFO without a writer would be waited for without end, and a device as /dev/zero has no end, so only regular
    files are read.
    """
    if path != "-":
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ValueError("it is not a regular file")
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES >> 20} MiB")
        return data
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return _read_input()


def _open_at_once(path: str, flags: int) -> int:
    """Opens without waiting for the other end of a FIFO."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_input() -> bytes:
    data: Union[str, bytes] = getattr(sys.stdin, "buffer", sys.stdin).read()
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


class Imports:
    """Reads what `@import(path)` names: relative to the config's own folder. `paths` are those that were read."""

    def __init__(self, source: str) -> None:
        self._folder = os.path.dirname(source)
        self._source = source
        self.paths: list[str] = []

    def load(self, path: str, at: Node) -> Node:
        """The tree of the file; ConfigError at the import if it cannot be read, or in the file."""
        name = os.path.join(self._folder, path)
        try:
            data = read_bytes(name) if path != "-" else b""
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            message = f"cannot import {path!r} ({reason}); name a file, as seen from the config's folder"
            raise ConfigError(at.source or self._source, at.line, at.column, message) from None
        self.paths.append(name)
        return from_file(parse(data, name), name)
