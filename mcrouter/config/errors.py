"""ConfigError, the one error of this package, and the texts that its messages share.

A message has the form `what is wrong; what would be right`. The exact text of every message is tested
(tests/config/invalid and tests/config/test_config_errors.py).
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..system.deferred import standard
from ..system.printable import printable

if TYPE_CHECKING:
    import difflib
else:
    difflib = standard("difflib")

_LONGEST = 60  # characters of the config's text that a message repeats


class ConfigError(ValueError):
    """Raised for a config that cannot be used: says where, what is wrong, and what would be right.

    `line` and `column` count from 1; both are 0 if the error is about the file as a whole.
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
    """Returns a text of the config as messages repeat it: quoted, on one line, shortened."""
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")


def advice_for_name(word: str, known: Collection[str], what: str) -> str:
    """Returns the advice for an unknown name: the nearest known name, or else all of them; `what` is their plural."""
    if not known:
        return f"there are no {what}, so add it"
    # Compared in lower case, since the case is the most frequent mistake.
    folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), folded, 1)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    return f"known {what}: {', '.join(sorted(known))}"


def duplicate_key(key: object, first_line: int) -> str:
    """Returns the message for a key that its map already has."""
    shown = show(key) if isinstance(key, str) else str(key)
    return f"the key {shown} is here twice; keep this one or that of line {first_line}"


def not_closed(what: str, closing: str) -> str:
    """Returns the message for an opening bracket without a closing one."""
    return f"the {what} that opens here is not closed; add the missing {show(closing)}"
