"""Reads the files of a config, and those that it imports."""

import errno
import os
import stat
import sys
from typing import Union

from .errors import ConfigError
from .languages import parse
from .syntax.tree import Node, from_file

MAX_BYTES = 1 << 26
"""The largest size of a config file, in bytes."""


def read_bytes(path: str) -> bytes:
    """Returns the content of a file, or of standard input if `path` is '-'. Raises OSError or ValueError.

    Only regular files are read: a FIFO without a writer would block, and a device such as /dev/zero has no end.
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
    """Reads the files of `@import(path)`, relative to the config's folder. `paths` lists the files read so far."""

    def __init__(self, source: str) -> None:
        self._folder = os.path.dirname(source)
        self._source = source
        self.paths: list[str] = []

    def load(self, path: str, at: Node) -> Node:
        """Returns the tree of the file; raises ConfigError at the import if the file cannot be read, or in the file."""
        name = os.path.join(self._folder, path)
        try:
            data = read_bytes(name) if path != "-" else b""
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            message = f"cannot import {path!r} ({reason}); name a file, relative to the config's folder"
            raise ConfigError(at.source or self._source, at.line, at.column, message) from None
        self.paths.append(name)
        return from_file(parse(data, name), name)
