"""The one error of the config room, and the words that its messages share.

A message has the form `what is wrong; what would be right`. Every message of the room is tested with its exact text
(tests/config/invalid and tests/test_config_errors.py), so an operator can be told what he will see.
"""

import difflib
from collections.abc import Collection

from ..printable import printable

_LONGEST = 60  # characters of a config's own words that a message repeats


class ConfigError(ValueError):
    """A config that cannot be used: where, what is wrong, what would be right.

    `line` and `column` count from 1; both are 0 when the error is about the file as a whole.
    """

    def __init__(self, file: str, line: int, column: int, message: str) -> None:
        super().__init__(file, line, column, message)
        self.file = file
        self.line = line
        self.column = column
        self.message = message

    def __str__(self) -> str:
        if not self.line:
            return printable(f"{self.file}: {self.message}")
        return printable(f"{self.file}:{self.line}:{self.column}: {self.message}")


def show(text: str) -> str:
    """A word of the config as a message repeats it: quoted, on one line, clipped."""
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")


def mend_name(word: str, known: Collection[str], what: str) -> str:
    """The mend for an unknown name: the nearest known one, or else all of them; `what` is their plural."""
    if not known:
        return f"there are no {what}, so add it"
    # Compared in lower case, for the case is what is misspelt most often.
    folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), folded, 1)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    return f"known {what}: {', '.join(sorted(known))}"


def duplicate_key(key: object, first_line: int) -> str:
    """The message for a key that its map has already."""
    shown = show(key) if isinstance(key, str) else str(key)
    return f"the key {shown} is here twice; keep this one or that of line {first_line}"


def not_closed(what: str, closing: str) -> str:
    """The message for a bracket without its partner."""
    return f"the {what} that opens here is not closed; add the missing {show(closing)}"
