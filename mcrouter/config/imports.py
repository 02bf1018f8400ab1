"""Files that a config imports, and those that it is in."""

import os
import sys
from typing import Union

from .errors import ConfigError
from .languages import parse
from .tree import Node, from_file


def read_bytes(path: str) -> bytes:
    """What is in a file, or on standard input if that is '-'. Raises OSError or ValueError."""
    if path != "-":
        with open(path, "rb") as file:
            return file.read()
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
