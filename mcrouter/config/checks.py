"""Functions that all readers of a tree share: raising errors, and splitting a map into its entries."""

from collections.abc import Collection
from typing import NoReturn

from ..system.printable import printable
from .errors import ConfigError, advice_for_name, show
from .syntax.tree import Entry, Map, Node, Scalar, kind


class Checks:
    """The errors and warnings of one config; `warnings` are about options that are accepted but have no effect."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.warnings: list[str] = []

    def fail(self, node: Node, message: str) -> NoReturn:
        """Raises a ConfigError at the node."""
        raise ConfigError(node.source or self.source, node.line, node.column, message)

    def warn(self, node: Node, message: str) -> None:
        """Records a warning at the node."""
        self.warnings.append(printable(f"{node.source or self.source}:{node.line}:{node.column}: {message}"))

    def parts(
        self, node: Map, known: Collection[str], what: str, of: str = "", unused: Collection[str] = ()
    ) -> dict[str, Entry]:
        """Returns the map's entries by key, and raises an error for a key that is not in `known`.

        `what` and `of` describe the keys in messages. Comments and keys in `unused` are left out with a warning.
        """
        parts: dict[str, Entry] = {}
        for entry in node.entries:
            key = entry.key.value
            if not isinstance(key, str):
                self.fail(entry.key, f"the key is {kind(entry.key)}; write a text, the name of the {what}")
            if key in known:
                parts[key] = entry
            elif key in unused or key[:1] == "_" or key == "comment":
                self.warn(entry.key, f"the {what} {show(key)}{of} has no effect here")
            else:
                self.fail(entry.key, f"unknown {what} {show(key)}{of}; {advice_for_name(key, known, what + 's' + of)}")
        return parts

    def text(self, node: Node, what: str) -> str:
        """Returns the text of a node; `what` describes it in the error."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self.fail(node, f"{what} is {kind(node)}; write a text, in quotes")
        return str(node.value)
