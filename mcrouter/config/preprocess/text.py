"""The syntax inside a text: `%parameter%`, `@macro(argument, ...)`, and the backslash as an escape.

`%` is special anywhere, `@` only as the first character: then the whole text is one call. A backslash before a
character makes it an ordinary one; the backslash is removed once, when the text is used. The rules are those of
facebook/mcrouter's ConfigPreprocessor.cpp (expandStringMacro, replaceParams, getCallParams).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, Optional, Union


class BadTextError(ValueError):
    """Raised for a text that cannot be read; the caller makes a ConfigError with the message."""


class Parameter(NamedTuple):
    """A `%name%`."""

    name: str


class ParsedCall(NamedTuple):
    """A `@name(argument, ...)`, with its name and arguments not yet expanded; no arguments without brackets."""

    name: str
    arguments: tuple[str, ...]


_SPECIAL = re.compile(r"[@%\\]")
_PIECE = re.compile(r"((?:[^\\%]+|\\.?)+)|%((?:[^\\%]|\\.)*)%|%", re.DOTALL)
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_CALL = re.compile(r"@((?:[^\\(]|\\.?)*)(\(?)", re.DOTALL)
_MARK = re.compile(r"\\.?|[(),]", re.DOTALL)


def is_plain(text: str) -> bool:
    """Returns whether the text has no special characters."""
    return not _SPECIAL.search(text)


def pieces(text: str) -> Iterator[Union[str, Parameter]]:
    """Yields the parts of a text that is not a call: plain texts and parameters, without their backslashes."""
    for match in _PIECE.finditer(text):
        plain, name = match.groups()
        if plain is not None:
            yield _ESCAPE.sub(r"\1", plain)
        elif name is not None:
            yield Parameter(_ESCAPE.sub(r"\1", name))
        else:
            raise BadTextError("a '%' without a second one; put a backslash before a '%' that is only a character")


def call(text: str) -> Optional[ParsedCall]:
    """Returns the call that the text is; None if it is not a call."""
    match = _CALL.match(text)
    if not match:
        return None
    name, opening = match.groups()
    if not opening:
        return ParsedCall(name, ())
    end = len(text.rstrip()) - 1
    if end < match.end() or text[end] != ")":
        raise BadTextError("the call does not end in ')'; write @name(argument, ...), or \\@ for the character itself")
    return ParsedCall(name, tuple(_arguments(text[match.end() : end])))


def _arguments(text: str) -> Iterator[str]:
    """Yields the texts between the commas that are not within inner brackets."""
    depth = start = 0
    for match in _MARK.finditer(text):
        mark = match.group()
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(depth - 1, 0)
        elif mark == "," and not depth:
            yield _trim(text[start : match.start()])
            start = match.end()
    if depth:
        raise BadTextError("a '(' is not closed; add the missing ')', or put a backslash before the '('")
    yield _trim(text[start:])


def _trim(text: str) -> str:
    """Returns the text without white space at its ends; a space after a backslash stays."""
    short = text.strip()
    backslashes = len(short) - len(short.rstrip("\\"))
    if backslashes % 2 and len(short) < len(text.lstrip()):
        return text.lstrip()[: len(short) + 1]
    return short
