"""The cursor of the YAML parser, and the scalars that it reads.

    Scanner (here)        a row and a column; plain and quoted scalars, folded over lines
      Flow (flow.py)      [lists] and {maps} in brackets
        Blocks (yaml.py)  lists and maps by indentation, block scalars, the document

All of them move one cursor (`row`, `col`, from 0) forward over the lines and never back, so the cost is linear.
`parent` is always the indentation of the enclosing collection: lines that continue a value are indented deeper.
"""

import re
from typing import NoReturn

from ..errors import ConfigError, not_closed, show
from .text import YAML_ESCAPES, unescape
from .tree import MAX_DEPTH, MAX_DIGITS, TOO_DEEP, TOO_LONG, Atom, Scalar

TAB = "a tab as indentation; indent with spaces"

_DOUBLE = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*')
_SINGLE = re.compile(r"[^']*(?:''[^']*)*")
_PLAIN_END = re.compile(r":(?=[ \t]|\Z)|(?<=[ \t])#")  # where a plain scalar stops
_PLAIN_END_FLOW = re.compile(r":(?=[ \t,\[\]{}]|\Z)|(?<=[ \t])#|[,\[\]{}]")
_COLON = re.compile(r"[ \t]*(:)(?=[ \t]|\Z)")
_NOT_BLANK = re.compile(r"[^ \t]")
_MARKER = re.compile(r"(?:---|\.\.\.)(?=[ \t]|\Z)")

# YAML 1.2's core schema. Every other plain scalar is a text.
_WORDS: dict[str, Atom] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")

_REFUSED = {
    "&": "anchors (&) are not supported; write the value out where it is used",
    "*": "aliases (*) are not supported; write the value out",
    "!": "tags (!) are not supported; remove the tag",
}


def indentation(line: str) -> int:
    """Returns the number of spaces that the line begins with."""
    return len(line) - len(line.lstrip(" "))


def is_marker(line: str) -> bool:
    """Returns whether the line is a `---` or a `...`."""
    return _MARKER.match(line) is not None


class Scanner:
    """A cursor over the lines of a text."""

    def __init__(self, text: str, source: str) -> None:
        self.lines = text.split("\n")
        self.source = source
        self.row = 0
        self.col = 0
        self.depth = 0

    def fail(self, message: str, row: int = -1, col: int = -1) -> NoReturn:
        """Raises a ConfigError at the cursor, or at `row` and `col`."""
        row, col = (self.row, self.col) if row < 0 else (row, col)
        raise ConfigError(self.source, row + 1, col + 1, message)

    def enter(self, row: int, col: int) -> None:
        """Counts one more open collection."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(TOO_DEEP, row, col)

    def char(self) -> str:
        """Returns the character at the cursor; '' at the end of a line."""
        return self.lines[self.row][self.col : self.col + 1]

    def skip_blanks(self) -> str:
        """Skips spaces and tabs of this line; returns the next character, '' at the end of the line or a comment."""
        line = self.lines[self.row]
        found = _NOT_BLANK.search(line, self.col)
        at = found.start() if found else len(line)
        if found and line[at] == "#" and (at == 0 or line[at - 1] in " \t"):
            at = len(line)
        self.col = at
        return line[at : at + 1]

    def at_indicator(self, indicator: str) -> bool:
        """Returns whether `indicator` is here as a token of its own: before white space or the end of the line."""
        line, col = self.lines[self.row], self.col
        return line[col : col + 1] == indicator and line[col + 1 : col + 2] in ("", " ", "\t")

    def at_colon(self) -> bool:
        """Returns whether a `:` follows that makes the value just read a key; if so, moves to it."""
        found = _COLON.match(self.lines[self.row], self.col)
        if found:
            self.col = found.start(1)
        return found is not None

    def scalar_of(self, text: str, row: int, col: int) -> Scalar:
        """Returns the plain scalar `text` by YAML 1.2's core schema."""
        value: Atom = text
        if text in _WORDS:
            value = _WORDS[text]
        elif text[0] in "+-.0123456789":
            if _INTEGER.match(text):
                self._check_digits(text, row, col)
                value = int(text, {"o": 8, "x": 16}.get(text[1:2], 10))
            elif _FLOAT.match(text):
                self._check_digits(text, row, col)
                value = float(text)
        return Scalar(value, row + 1, col + 1)

    def _check_digits(self, text: str, row: int, col: int) -> None:
        if len(text) > MAX_DIGITS:
            self.fail(TOO_LONG, row, col)

    def plain_line(self, flow: bool) -> str:
        """Reads the plain text from here to its end on this line; the cursor moves to that end."""
        line = self.lines[self.row]
        found = (_PLAIN_END_FLOW if flow else _PLAIN_END).search(line, self.col)
        stop = found.start() if found else len(line)
        text = line[self.col : stop].rstrip(" \t")
        self.col = stop
        return text

    def plain_start(self, flow: bool) -> None:
        """Raises an error at a character that a plain scalar cannot begin with."""
        char = self.char()
        after = self.lines[self.row][self.col + 1 : self.col + 2]
        alone = after in ("", " ", "\t") or (flow and after in ",[]{}")
        if char in _REFUSED:
            self.fail(_REFUSED[char])
        if char == "%" and self.col == 0:
            self.fail("directives (%) are not supported; remove the line")
        if char == "?" and alone:
            self.fail("complex keys (?) are not supported; write key: value")
        if char == ":" and alone:
            self.fail("a ':' without a key before it; write key: value")
        if char in ",[]{}#|>%@`" or (char == "-" and alone):
            self.fail(f"a text cannot begin with {show(char)} here; put it in quotes if it is a text")

    def plain_rest(self, first: str, parent: int, flow: bool) -> str:
        """Reads the other lines of a plain scalar whose first line is `first`; returns all of it, folded."""
        parts = [first]
        while self.col >= len(self.lines[self.row]):
            row = self.row + 1
            while row < len(self.lines) and not _NOT_BLANK.search(self.lines[row]):
                row += 1
            if row == len(self.lines) or not self._goes_on(self.lines[row], parent, flow):
                break
            blanks = row - self.row - 1
            self.row, self.col = row, 0
            self.skip_blanks()
            start = self.col
            text = self.plain_line(flow)
            if not flow and self.char() == ":":
                message = f"the key {show(text)} is inside a text; check its indentation, and the ': ' before it"
                self.fail(message, row, start)
            parts += ("\n" * blanks or " ", text)
        return "".join(parts)

    def _goes_on(self, line: str, parent: int, flow: bool) -> bool:
        """Returns whether this line, which is not blank, continues a plain scalar of the line before."""
        indent = indentation(line)
        text = line[indent:].lstrip("\t ") if indent > parent else "#"
        if text[0] == "#" or is_marker(line):
            return False
        stop = _PLAIN_END_FLOW.match(text) if flow else None
        return stop is None

    def quoted(self, parent: int) -> Scalar:
        """Reads the quoted scalar that begins here, with its lines folded."""
        row, col, quote = self.row, self.col, self.char()
        parts = []
        self.col += 1
        while True:
            line = self.lines[self.row]
            found = (_DOUBLE if quote == '"' else _SINGLE).match(line, self.col)
            assert found
            chunk, end = found.group(), found.end()
            if line[end : end + 1] == quote:
                break
            joined = line[end:] == "\\"  # a backslash at the end of a line joins it to the next one
            if not joined:
                chunk = _strip_end(chunk)
            parts.append(self._unquote(chunk, quote))
            blanks = self._next_quoted_line(parent, row, col, quote)
            parts.append("\n" * blanks or ("" if joined else " "))
        parts.append(self._unquote(chunk, quote))
        self.col = end + 1
        return Scalar("".join(parts), row + 1, col + 1)

    def _next_quoted_line(self, parent: int, row: int, col: int, quote: str) -> int:
        """Moves to the next line of a quoted scalar that is not blank; returns the number of blank lines skipped."""
        start = self.row
        found = None
        while not found:
            self.row += 1
            if self.row == len(self.lines):
                self.fail(not_closed("text", quote), row, col)
            found = _NOT_BLANK.search(self.lines[self.row])
        line, self.col = self.lines[self.row], found.start()
        indent = indentation(line)
        if indent <= parent and line[indent] == "\t":
            self.fail(TAB, self.row, indent)
        if indent <= parent or is_marker(line):
            self.fail(not_closed("text", quote), row, col)
        return self.row - start - 1

    def _unquote(self, chunk: str, quote: str) -> str:
        if quote == "'":
            return chunk.replace("''", "'")
        start = self.col

        def fail(offset: int, message: str) -> NoReturn:
            self.fail(message, self.row, start + offset)

        return unescape(chunk, YAML_ESCAPES, fail)


def _strip_end(chunk: str) -> str:
    """Returns the chunk without white space at its end; a backslash keeps the character after it."""
    text = chunk.rstrip(" \t")
    backslashes = len(text) - len(text.rstrip("\\"))
    return chunk[: len(text) + 1] if backslashes % 2 and len(text) < len(chunk) else text
