"""Decodes the bytes of a config into characters for the parsers, and resolves the escapes of both languages.

After `to_text` there is no BOM, every line ends with a line feed, and every character is printable.
"""

import re
from collections.abc import Mapping
from typing import Callable, NoReturn, Union

from ..errors import ConfigError

# YAML's printable characters; JSON allows a few more inside a text, which can be written as escapes.
_FORBIDDEN = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

JSON_ESCAPES: dict[str, str] = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
YAML_ESCAPES: dict[str, str] = {
    **JSON_ESCAPES, "0": "\0", "a": "\a", "v": "\v", "e": "\x1b", " ": " ", "\t": "\t",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip

_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"  # a pair of surrogates is one character
    r"|(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|(.))"
)


def to_text(data: Union[str, bytes], source: str) -> str:
    """Returns the config as text: decoded from UTF-8, without BOM, with line feeds as line ends.

    Raises ConfigError for bytes that are not UTF-8, and for control characters.
    """
    if isinstance(data, bytes):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = _lines(data[: error.start].decode("utf-8"))
            message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
            raise ConfigError(source, *_place(before, len(before)), message) from None
    else:
        text = data
    text = _lines(text)
    found = _FORBIDDEN.search(text)
    if found:
        message = f"the character U+{ord(found.group()):04X} is not allowed in a config; remove it"
        raise ConfigError(source, *_place(text, found.start()), message)
    return text


def unescape(chunk: str, escapes: Mapping[str, str], fail: Callable[[int, str], NoReturn]) -> str:
    """Returns a double-quoted chunk with its escapes resolved; calls `fail(offset, message)` for a bad escape.

    `escapes` also selects the language: only YAML has escapes of two and of eight digits.
    """

    def character(match: re.Match[str]) -> str:
        high, low, two, four, eight, other = match.groups()
        if high:
            return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
        if other in escapes:
            return escapes[other]
        if other or (escapes is JSON_ESCAPES and not four):
            fail(match.start(), f"unknown escape '{match.group()[:2]}'; write '\\\\' for a backslash itself")
        code = int(two or four or eight, 16)
        if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            fail(match.start(), f"the escape {match.group()} is not a character; write the character itself")
        return chr(code)

    return _ESCAPE.sub(character, chunk) if "\\" in chunk else chunk


def _lines(text: str) -> str:
    """Returns the text without BOM and with line feeds as line ends."""
    if text.startswith("\ufeff"):
        text = text[1:]
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _place(text: str, offset: int) -> tuple[int, int]:
    """Returns the line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
