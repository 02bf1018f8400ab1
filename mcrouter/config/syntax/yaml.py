"""A subset of YAML -> a tree. What the parser accepts, it reads as YAML 1.2 with the core schema does.

Accepted: block and flow maps and lists, plain, single- and double-quoted scalars, `|` and `>` blocks, comments, `---`,
`...`. Refused with a message that names it: anchors, aliases, tags, directives, `?` keys, merge keys, several
documents, tabs as indentation. Also refused: keys that are empty, have several lines, or are lists or maps.

A collection's indentation is its `indent`; a value's `parent` is that of the collection around it:

    pool:            mapping(0): key 'pool', then value(parent=0)
    - a              its list may stand at 0 as well: sequence(0), then value(parent=0)
    - b:  1          a compact map: mapping(2), then value(parent=2)
      c:  2
    route: Default
"""

import re
from typing import NoReturn

from ..errors import show
from .flow import COLLECTION_KEY, Flow
from .scan import TAB, indentation, is_marker
from .tree import Entry, Map, Node, Scalar, Seen, Seq

_BLOCK_HEADER = re.compile(r"[|>](?:([1-9])([-+]?)|([-+])([1-9]?))?(?=[ \t]|\Z)")

KEY, ITEM, START = ":", "-", "---"  # the tokens that a value can come after


def parse(text: str, source: str) -> Node:
    """Returns the tree of a text from `to_text`; raises ConfigError if it is not YAML, or not in the subset."""
    return _Blocks(text, source).document()


class _Blocks(Flow):
    """Reads collections that are structured by indentation."""

    def document(self) -> Node:
        """Reads the only document of the text."""
        node: Node = Scalar(None, 1, 1)
        if self._next():
            node = self._node(-1, inline=False)
        elif self._at_marker("---"):
            self.col = 3
            node = self._value(-1, START)
        if self._next():
            if self.lines[node.line - 1][node.column - 1] not in "[{" and self.col < node.column - 1:
                self._wrong_indent(node.column - 1)
            self.fail("there is something after the end of the value; a config is a single value")
        while self._at_marker("..."):
            self.col = 3
            if self._next():
                break
        if self.row < len(self.lines):
            self.fail("several documents are not supported; keep one of them")
        return node

    def _at_marker(self, marker: str) -> bool:
        """Returns whether this line is that document marker."""
        line = self.lines[self.row] if self.row < len(self.lines) else ""
        return self.col == 0 and is_marker(line) and line.startswith(marker)

    def _next(self) -> bool:
        """Moves to the next character that is not white space or a comment; returns False at the end or a marker."""
        while self.row < len(self.lines):
            fresh = self.col == 0
            if fresh and is_marker(self.lines[self.row]):
                return False
            if self.skip_blanks():
                indent = indentation(self.lines[self.row])
                if fresh and indent < self.col:
                    self.fail(TAB, self.row, indent)
                return True
            self.row += 1
            self.col = 0
        return False

    def _value(self, parent: int, behind: str) -> Node:
        """Reads the value after an indicator: on this line, on the next lines, or a null value."""
        row, col = self.row, self.col
        if self._next():
            if self.row == row:
                compact = behind == ITEM and "\t" not in self.lines[row][col : self.col]
                return self._node(parent, inline=not compact)
            if self.col > parent:
                return self._node(parent, inline=False)
            if behind == KEY and self.col == parent and self.at_indicator("-"):
                return self._sequence(parent, under_key=True)
        return Scalar(None, row + 1, col + 1)

    def _node(self, parent: int, inline: bool) -> Node:
        """Reads the value that begins here; `inline`: after something on its line, where no block collection begins."""
        row, col, char = self.row, self.col, self.char()
        if self.at_indicator("-"):
            if inline:
                self.fail("a list cannot begin here; begin it on a line of its own")
            return self._sequence(col, under_key=False)
        if char in "|>":
            return self._block_scalar(parent)
        node: Node
        if char in "[{":
            node = self.flow_node(parent)
        elif char in "\"'":
            node = self.quoted(parent)
        else:
            self.plain_start(flow=False)
            text = self.plain_line(flow=False)
            if self.at_colon():
                node = self.key_of(text, row, col)
            else:
                node = self.scalar_of(self.plain_rest(text, parent, flow=False), row, col)
        if self.at_colon():
            return self._mapping_from(node, row, col, inline)
        self._end_of_value()
        return node

    def _mapping_from(self, node: Node, row: int, col: int, inline: bool) -> Map:
        """Reads the map whose first key is `node`."""
        if not isinstance(node, Scalar):
            self.fail(COLLECTION_KEY, row, col)
        if inline:
            self.fail("a second ':' on the line; begin the map on a line of its own, or quote the text")
        return self._mapping(col, self._one_line(node))

    def _one_line(self, key: Scalar) -> Scalar:
        if self.row != key.line - 1:
            self.fail("a key goes over several lines; write it on one", key.line - 1, key.column - 1)
        return key

    def _mapping(self, indent: int, key: Scalar) -> Map:
        """Reads the map at `indent` whose first key is `key`; the cursor is on the colon."""
        row, seen = self.row, Seen()
        entries: list[Entry] = []
        self.enter(row, indent)
        while True:
            self.check_key(seen, key)
            self.col += 1
            entries.append(Entry(key, self._value(indent, KEY)))
            if not self._next() or self.col < indent:
                break
            self._check_indent(indent)
            key = self._key(indent)
        self.depth -= 1
        return Map(tuple(entries), row + 1, indent + 1)

    def _key(self, indent: int) -> Scalar:
        """Reads the key that begins here; the cursor moves to its colon."""
        char, row = self.char(), self.row
        if self.at_indicator("-"):
            self.fail("a list item among the keys of a map; write key: value")
        if char in "[{":
            self.fail(COLLECTION_KEY)
        key = self.quoted(indent) if char in "\"'" else self.plain_key(flow=False)
        if not self.at_colon():
            shown = show(str(key.value))
            self.fail(f"no ':' and space after the key {shown}; write key: value", row, indent)
        return self._one_line(key)

    def _sequence(self, indent: int, under_key: bool) -> Seq:
        """Reads the list at `indent`; `under_key`: a key with the same indentation ends it."""
        row = self.row
        items: list[Node] = []
        self.enter(row, indent)
        while True:
            self.col += 1
            items.append(self._value(indent, ITEM))
            if not self._next() or self.col < indent:
                break
            self._check_indent(indent)
            if not self.at_indicator("-"):
                if under_key:
                    break
                self.fail("this line among list items is not a list item; write '- ' before it")
        self.depth -= 1
        return Seq(tuple(items), row + 1, indent + 1)

    def _check_indent(self, indent: int) -> None:
        if self.col > indent:
            self._wrong_indent(indent)

    def _wrong_indent(self, indent: int) -> NoReturn:
        self.fail(f"wrong indentation; begin in column {indent + 1} like the lines that it belongs to")

    def _end_of_value(self) -> None:
        """Raises an error if anything but a comment follows a value on its line."""
        char = self.skip_blanks()
        if char:
            advice = {":": "write a space after the ':', or ", "#": "write a space before the '#', or "}.get(char, "")
            rest = show(self.lines[self.row][self.col :])
            self.fail(f"unexpected {rest} after the value; {advice}put all of it in quotes if it is one text")
        self.row += 1
        self.col = 0

    def _block_scalar(self, parent: int) -> Scalar:
        """Reads the `|` or `>` scalar that begins here."""
        row, col, folded = self.row, self.col, self.char() == ">"
        header = _BLOCK_HEADER.match(self.lines[row], col)
        if header:
            self.col = header.end()
        if not header or self.skip_blanks():
            self.fail("a bad block header; write |, |-, |+ or the same with > and the indentation, as |2", row, col)
        digit, chomp = header.group(1) or header.group(4), header.group(2) or header.group(3)
        lines = self._block_lines(parent, max(parent, 0) + int(digit) if digit else -1)
        last = len(lines)
        while last and not lines[last - 1]:
            last -= 1
        text = _fold(lines[:last]) if folded else "\n".join(lines[:last])
        breaks = len(lines) - last + (last > 0)
        if self.row == len(self.lines) and self.lines[-1]:
            breaks -= 1  # the text ends without a line end
        if chomp != "+":
            breaks = min(breaks, 1) if last and not chomp else 0
        return Scalar(text + "\n" * breaks, row + 1, col + 1)

    def _block_lines(self, parent: int, indent: int) -> list[str]:
        """Reads the lines of a block scalar without their indentation (-1: that of the first line with text)."""
        lines: list[str] = []
        deepest, deepest_row = 0, 0  # the deepest blank line before that first line
        self.row += 1
        self.col = 0
        while self.row < len(self.lines):
            line = self.lines[self.row]
            spaces = indentation(line)
            if spaces == len(line):
                if spaces > deepest and indent < 0:
                    deepest, deepest_row = spaces, self.row
                if self.row < len(self.lines) - 1 or line:  # not the '' that split() leaves after the last line end
                    lines.append(line[indent:] if indent >= 0 else "")
                self.row += 1
                continue
            if spaces < indent or spaces <= parent or is_marker(line):
                return lines
            if indent < 0:
                indent = spaces
                if deepest > indent:
                    self.fail("a blank line deeper than the block's text; remove its spaces", deepest_row, indent)
            lines.append(line[indent:])
            self.row += 1
        return lines


def _fold(lines: list[str]) -> str:
    """Folds the lines of a `>` block, of which the last is not empty: single line ends become spaces."""
    parts: list[str] = []
    blanks, before = 0, " "  # `before`: the previous text's first character
    for line in lines:
        if not line:
            blanks += 1
            continue
        if not parts:
            parts.append("\n" * blanks)
        elif line[0] in " \t" or before in " \t":
            parts.append("\n" * (blanks + 1))
        else:
            parts.append("\n" * blanks or " ")
        parts.append(line)
        blanks, before = 0, line[0]
    return "".join(parts)
