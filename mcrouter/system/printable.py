"""Makes text from outside (a config, a host, a server) safe to show in a terminal and in a log."""

import re

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that a terminal obeys instead of showing: controls, writing directions, and surrogates."""


def printable(text: str) -> str:
    """Returns the text on one line, with such characters as escapes."""
    return _OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
