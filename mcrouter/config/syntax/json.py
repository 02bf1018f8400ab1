"""JSON with `//` and `/* */` comments and trailing commas -> a tree.

Everything else is RFC 8259: texts and keys in double quotes, no NaN. The parser makes one pass; it counts lines where
it skips white space, since a text in quotes has no line end.
"""

import re
from typing import NoReturn

from ..errors import ConfigError, duplicate_key, not_closed, show
from .text import JSON_ESCAPES, unescape
from .tree import MAX_DEPTH, MAX_DIGITS, TOO_DEEP, TOO_LONG, Atom, Entry, Map, Node, Scalar, Seen, Seq

_BLANK = re.compile(r"[ \t\n]+|//[^\n]*|/\*(?s:.*?)\*/")
_CHARACTERS = re.compile(r'[^"\\\n\t]*(?:\\.[^"\\\n\t]*)*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[-+.\w]*")
_WORDS = {"true": True, "false": False, "null": None}


def parse(text: str, source: str) -> Node:
    """Returns the tree of a text from `to_text`; raises ConfigError if it is not JSON."""
    return _Parser(text, source).document()


class _Parser:
    """A parser with its place in the text."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source
        self._at = 0
        self._line = 1
        self._line_start = 0  # offset of the current line's first character
        self._depth = 0

    def document(self) -> Node:
        if not self._next():
            self._fail("the text ends where a value should be; write the value")
        node = self._value()
        if self._next():
            self._fail("there is something after the end of the value; a config is a single value")
        return node

    def _value(self) -> Node:
        """Reads the value that starts here (the caller has skipped the white space)."""
        char = self._text[self._at]
        if char == '"':
            return self._string()
        if char == "{":
            return self._map()
        if char == "[":
            return self._list()
        if char == "-" or char.isdigit():
            return self._number()
        if char == "'":
            self._fail("a text in single quotes; write it in double quotes")
        return self._word()

    def _map(self) -> Map:
        entries: list[Entry] = []
        line, column, seen = self._line, self._enter(), Seen()
        while self._inside("map", "}", line, column):
            key = self._key()
            first = seen.add(key)
            if first:
                raise ConfigError(self._source, key.line, key.column, duplicate_key(key.value, first))
            if self._next() != ":":
                self._fail(f"no ':' after the key {show(str(key.value))}; write \"key\": value")
            self._at += 1
            if self._next() in ("", "}", ","):
                self._fail(f'the key {show(str(key.value))} has no value; write "key": value')
            entries.append(Entry(key, self._value()))
            self._separator("map", "}", line, column)
        return Map(tuple(entries), line, column)

    def _list(self) -> Seq:
        items: list[Node] = []
        line, column = self._line, self._enter()
        while self._inside("list", "]", line, column):
            items.append(self._value())
            self._separator("list", "]", line, column)
        return Seq(tuple(items), line, column)

    def _enter(self) -> int:
        """Steps over an opening bracket; returns its column."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(TOO_DEEP)
        self._at += 1
        return self._at - self._line_start

    def _inside(self, what: str, closing: str, line: int, column: int) -> bool:
        """Returns whether another item starts here; if not, steps over the closing bracket."""
        char = self._next()
        if not char:
            raise ConfigError(self._source, line, column, not_closed(what, closing))
        if char == ",":
            self._fail("a comma without a value before it; remove the comma")
        if char == closing:
            self._at += 1
            self._depth -= 1
        return char != closing

    def _separator(self, what: str, closing: str, line: int, column: int) -> None:
        """Steps over the comma after an item, but not over the closing bracket."""
        char = self._next()
        if char == ",":
            self._at += 1
        elif not char:
            raise ConfigError(self._source, line, column, not_closed(what, closing))
        elif char != closing:
            self._fail(f"unexpected {show(char)} after an item of a {what}; write ',' or '{closing}'")

    def _key(self) -> Scalar:
        if self._text[self._at] != '"':
            self._fail('a key without double quotes; write "key": value')
        return self._string()

    def _string(self) -> Scalar:
        line, column = self._line, self._at - self._line_start + 1
        start = self._at + 1
        match = _CHARACTERS.match(self._text, start)
        assert match
        self._at = match.end()
        if self._text[self._at : self._at + 1] != '"':
            if self._text[self._at : self._at + 1] == "\t":
                self._fail("a tab inside a text; write it as \\t")
            raise ConfigError(self._source, line, column, not_closed("text", '"'))
        self._at += 1

        def fail(offset: int, message: str) -> NoReturn:
            raise ConfigError(self._source, line, column + 1 + offset, message)

        return Scalar(unescape(match.group(), JSON_ESCAPES, fail), line, column)

    def _number(self) -> Scalar:
        match = _NUMBER.match(self._text, self._at)
        word = _WORD.match(self._text, self._at)
        assert word
        if not match or match.end() != word.end():
            self._fail(f"{show(word.group())} is not a JSON number; write it like 5, -5, 0.5 or 5e3")
        if len(match.group()) > MAX_DIGITS:
            self._fail(TOO_LONG)
        fraction, exponent = match.groups()
        return self._scalar(float(match.group()) if fraction or exponent else int(match.group()), match.end())

    def _word(self) -> Scalar:
        match = _WORD.match(self._text, self._at)
        assert match
        word = match.group()
        if word not in _WORDS:
            shown = show(word or self._text[self._at])
            self._fail(f"unexpected {shown}; write a text in double quotes, a number, true, false, null, [ or {{")
        return self._scalar(_WORDS[word], match.end())

    def _scalar(self, value: Atom, end: int) -> Scalar:
        scalar = Scalar(value, self._line, self._at - self._line_start + 1)
        self._at = end
        return scalar

    def _next(self) -> str:
        """Skips white space and comments; returns the next character, '' at the end."""
        text, at = self._text, self._at
        unclosed = False
        while not unclosed:
            match = _BLANK.match(text, at)
            if match:
                at = match.end()
            elif text.startswith("/*", at):
                unclosed = True
            else:
                break
        if at != self._at:
            lines = text.count("\n", self._at, at)
            if lines:
                self._line += lines
                self._line_start = text.rindex("\n", self._at, at) + 1
            self._at = at
        if unclosed:
            self._fail(not_closed("comment", "*/"))
        return text[at : at + 1]

    def _fail(self, message: str) -> NoReturn:
        raise ConfigError(self._source, self._line, self._at - self._line_start + 1, message)
