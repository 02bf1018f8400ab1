"""YAML's flow collections: `[a, b]` and `{a: b}`, on one line or several.

Not supported: `[a: b]` (a map without braces), and lists or maps as keys. A closing bracket need not be indented: YAML
requires it, but authors do not write it so, and no parser insists.
"""

from ..errors import duplicate_key, not_closed, show
from .scan import TAB, Scanner, indentation, is_marker
from .tree import Entry, Map, Node, Scalar, Seen, Seq

_NAMES = {"[": ("list", "]"), "{": ("map", "}")}
COLLECTION_KEY = "a list or map as a key is not supported; write a text as the key"
MERGE_KEY = "merge keys (<<) are not supported; write the keys out"


class Flow(Scanner):
    """Reads flow collections."""

    def flow_node(self, parent: int) -> Node:
        """Reads the value that begins here, inside or at the opening of a flow collection."""
        char = self.char()
        if char == "[":
            return self._flow_list(parent)
        if char == "{":
            return self._flow_map(parent)
        if char in "\"'":
            return self.quoted(parent)
        row, col = self.row, self.col
        self.plain_start(flow=True)
        return self.scalar_of(self.plain_rest(self.plain_line(flow=True), parent, flow=True), row, col)

    def _flow_list(self, parent: int) -> Seq:
        row, col = self._open()
        items: list[Node] = []
        while self._inside("[", row, col, parent):
            items.append(self.flow_node(parent))
            self._separator("[", row, col, parent)
        return Seq(tuple(items), row + 1, col + 1)

    def _flow_map(self, parent: int) -> Map:
        row, col = self._open()
        entries: list[Entry] = []
        seen = Seen()
        while self._inside("{", row, col, parent):
            key = self._flow_key(parent)
            self.check_key(seen, key)
            entries.append(Entry(key, self._flow_value(key, row, col, parent)))
            self._separator("{", row, col, parent)
        return Map(tuple(entries), row + 1, col + 1)

    def check_key(self, seen: Seen, key: Scalar) -> None:
        """Records a map's key; raises an error if the map already has it."""
        first = seen.add(key)
        if first:
            self.fail(duplicate_key(key.value, first), key.line - 1, key.column - 1)

    def plain_key(self, flow: bool) -> Scalar:
        """Reads the plain key that begins here; it ends on this line."""
        row, col = self.row, self.col
        self.plain_start(flow)
        return self.key_of(self.plain_line(flow), row, col)

    def key_of(self, text: str, row: int, col: int) -> Scalar:
        """Returns the plain key `text`."""
        if text == "<<":
            self.fail(MERGE_KEY, row, col)
        return self.scalar_of(text, row, col)

    def _flow_key(self, parent: int) -> Scalar:
        char, row = self.char(), self.row
        if char in "[{":
            self.fail(COLLECTION_KEY)
        if char not in "\"'":
            return self.plain_key(flow=True)
        key = self.quoted(parent)
        if self.row != row:
            self.fail("a key goes over several lines; write it on one", key.line - 1, key.column - 1)
        return key

    def _flow_value(self, key: Scalar, row: int, col: int, parent: int) -> Node:
        """Reads the value after a key; a null value if there is no colon, or nothing after it."""
        place = self.row, self.col
        if self._flow_next("{", row, col, parent) == ":":
            # Only after a quoted key may the colon touch the value.
            quoted = self.lines[key.line - 1][key.column - 1] in "\"'"
            if quoted or self.lines[self.row][self.col + 1 : self.col + 2] in ("", *" \t,[]{}"):
                self.col += 1
                place = self.row, self.col
                if self._flow_next("{", row, col, parent) not in ",}":
                    return self.flow_node(parent)
        return Scalar(None, place[0] + 1, place[1] + 1)

    def _open(self) -> tuple[int, int]:
        """Steps over an opening bracket; returns its place."""
        row, col = self.row, self.col
        self.enter(row, col)
        self.col += 1
        return row, col

    def _inside(self, opening: str, row: int, col: int, parent: int) -> bool:
        """Returns whether another item begins here; if not, steps over the closing bracket."""
        char = self._flow_next(opening, row, col, parent)
        if char == ",":
            self.fail("a comma without a value before it; remove the comma")
        if char == _NAMES[opening][1]:
            self.depth -= 1
            self.col += 1
            return False
        return True

    def _separator(self, opening: str, row: int, col: int, parent: int) -> None:
        """Steps over the comma after an item, but not over the closing bracket."""
        char = self._flow_next(opening, row, col, parent)
        what, closing = _NAMES[opening]
        if char == ",":
            self.col += 1
        elif char == ":" and opening == "[":
            self.fail("a key inside a list; write {key: value}, or quote the text")
        elif char != closing:
            self.fail(f"unexpected {show(char)} after an item of a {what}; write ',' or '{closing}'")

    def _flow_next(self, opening: str, row: int, col: int, parent: int) -> str:
        """Skips white space, comments and line ends in the collection that opens at row, col; returns what is next."""
        char = self.skip_blanks()
        while not char:
            self.row += 1
            self.col = 0
            if self.row == len(self.lines):
                self.fail(not_closed(*_NAMES[opening]), row, col)
            char = self.skip_blanks()
            if char:
                self._check_line(opening, row, col, parent, char)
        return char

    def _check_line(self, opening: str, row: int, col: int, parent: int, char: str) -> None:
        """Raises an error for a line that is not part of the collection, whose closing bracket is missing."""
        line = self.lines[self.row]
        indent = indentation(line)
        if is_marker(line) or (indent <= parent and char not in "]}"):
            if line[indent] == "\t":
                self.fail(TAB, self.row, indent)
            self.fail(not_closed(*_NAMES[opening]), row, col)
