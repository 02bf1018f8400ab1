"""The corpus in cases/: one stream a line, `name  bytes`, grouped by file; the facts that each group shows stand there.

The bytes are written as in a bytes literal, `<text*N>` is text N times, and `@` becomes a prefix of the case's own, so
that cases do not meet in a host. Lines that begin with `#` are comments.
"""

import re
from pathlib import Path
from typing import List, NamedTuple

FOLDER = Path(__file__).parent / "cases"

_TIMES = re.compile(r"<([^<>*]*)\*(\d+)>")


class Case(NamedTuple):
    """A stream; `group` is its file's name."""

    group: str
    name: str
    data: bytes

    def stream(self, prefix: bytes) -> bytes:
        """Its bytes, with keys of their own."""
        return self.data.replace(b"@", prefix)


def unescape(text: str) -> bytes:
    """The bytes that a line of a file means."""
    plain = _TIMES.sub(lambda match: match[1] * int(match[2]), text)
    return plain.encode("latin-1").decode("unicode_escape").encode("latin-1")


def _load(path: Path) -> List[Case]:
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return [Case(path.stem, name, unescape(text.lstrip(" "))) for name, _, text in (line.partition(" ") for line in lines)]


CASES = [case for path in sorted(FOLDER.glob("*.txt")) for case in _load(path)]
