"""What all readers of a tree have in common: the way they fail, and how they take a map apart."""

from collections.abc import Collection
from typing import NoReturn

from ..printable import printable
from .errors import ConfigError, mend_name, show
from .tree import Entry, Map, Node, Scalar, kind


class Checks:
    """Errors and warnings of one config; `warnings` name what was accepted and has no meaning."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.warnings: list[str] = []

    def fail(self, node: Node, message: str) -> NoReturn:
        """Raises the ConfigError for what stands there."""
        raise ConfigError(node.source or self.source, node.line, node.column, message)

    def warn(self, node: Node, message: str) -> None:
        """Notes what the operator should know, and is no error."""
        self.warnings.append(printable(f"{node.source or self.source}:{node.line}:{node.column}: {message}"))

    def parts(
        self, node: Map, known: Collection[str], what: str, of: str = "", unused: Collection[str] = ()
    ) -> dict[str, Entry]:
        """The map's entries by key, each one known; `what` and `of` say what the keys are. Comments, and those
        that are `unused`, are left out with a warning."""
        parts: dict[str, Entry] = {}
        for entry in node.entries:
            key = entry.key.value
            if not isinstance(key, str):
                self.fail(entry.key, f"the key is {kind(entry.key)}; write a text, the name of the {what}")
            if key in known:
                parts[key] = entry
            elif key in unused or key[:1] == "_" or key == "comment":
                self.warn(entry.key, f"the {what} {show(key)}{of} has no meaning here")
            else:
                self.fail(entry.key, f"unknown {what} {show(key)}{of}; {mend_name(key, known, what + 's' + of)}")
        return parts

    def text(self, node: Node, what: str) -> str:
        """The text that stands there; `what` it is."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self.fail(node, f"{what} is {kind(node)}; write a text, in quotes")
        return str(node.value)
