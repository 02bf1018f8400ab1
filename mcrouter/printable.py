"""Text of others (a config, a host, a server) as a terminal and a log may show it."""

import re

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal would do, and not show: control characters, directions of writing, and halves of characters."""


def printable(text: str) -> str:
    """The text on one line, with such characters as their escapes."""
    return _OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
