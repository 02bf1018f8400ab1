"""The syntax inside a text: `%parameter%`, `@macro(argument, ...)`, and the backslash that takes a character's meaning.

`%` has its meaning anywhere, `@` as the first character alone: there the whole text is one call. A backslash stands
before a character that is meant as such; it is taken away when the text is used, once. The rules are those of
facebook/mcrouter's ConfigPreprocessor.cpp (expandStringMacro, replaceParams, getCallParams).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, Optional, Union


class BadTextError(ValueError):
    """A text that cannot be read; the message is that of the ConfigError to be."""


class Parameter(NamedTuple):
    """A `%name%`."""

    name: str


class Call(NamedTuple):
    """A `@name(argument, ...)`: the name is to be evaluated, and so is each argument; none without brackets."""

    name: str
    arguments: tuple[str, ...]


_SPECIAL = re.compile(r"[@%\\]")
_PIECE = re.compile(r"((?:[^\\%]+|\\.?)+)|%((?:[^\\%]|\\.)*)%|%", re.DOTALL)
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_CALL = re.compile(r"@((?:[^\\(]|\\.?)*)(\(?)", re.DOTALL)
_MARK = re.compile(r"\\.?|[(),]", re.DOTALL)


def is_plain(text: str) -> bool:
    """Whether the text stands for itself."""
    return not _SPECIAL.search(text)


def pieces(text: str) -> Iterator[Union[str, Parameter]]:
    """The stretches of a text that is no call, and the parameters between them, without their backslashes."""
    for match in _PIECE.finditer(text):
        plain, name = match.groups()
        if plain is not None:
            yield _ESCAPE.sub(r"\1", plain)
        elif name is not None:
            yield Parameter(_ESCAPE.sub(r"\1", name))
        else:
            raise BadTextError("a '%' without its partner; put a backslash before a '%' that is only a character")


def call(text: str) -> Optional[Call]:
    """The call that the text is; None if it is none."""
    match = _CALL.match(text)
    if not match:
        return None
    name, opening = match.groups()
    if not opening:
        return Call(name, ())
    end = len(text.rstrip()) - 1
    if end < match.end() or text[end] != ")":
        raise BadTextError("the call does not end in ')'; write @name(argument, ...), or \\@ for the character itself")
    return Call(name, tuple(_arguments(text[match.end() : end])))


def _arguments(text: str) -> Iterator[str]:
    """What stands between the commas that no inner bracket holds."""
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
    """The text without white space at its ends; a space behind a backslash stays."""
    short = text.strip()
    backslashes = len(short) - len(short.rstrip("\\"))
    if backslashes % 2 and len(short) < len(text.lstrip()):
        return text.lstrip()[: len(short) + 1]
    return short
