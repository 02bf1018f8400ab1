"""The list of mutants that are judged equivalent: they change nothing that a test could, or should, see.

Each entry of `equivalent.txt` is a paragraph: the file's path in the package, the source line, the change as the tool
prints it, and the reason, on lines of their own (the reason may take several). `* -> *` stands for all changes of the
line: of a size or a count that the simulated runs draw at random (tests/simulation/knobs.py), so that each value is
shown to be as good as any other. Lines that begin with `#` are comments.
An entry holds wherever in the file the line stands, so it does not rot when other lines come and go; with `in NAME`
behind the path, in functions of that name only.
"""

from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

from .operators import Mutant
from .tables import PACKAGE

LIST = Path(__file__).with_name("equivalent.txt")
_LEAST = 4  # lines of an entry
ANY = "* -> *"  # all changes of a line

Key = Tuple[str, str, str]  # path, perhaps with `in NAME`; source line; change


class Entry(NamedTuple):
    """A mutant that is judged equivalent."""

    path: str  # in the package
    text: str
    change: str
    reason: str


class EntryError(Exception):
    """An entry has not the form that it should have."""


def parse(text: str) -> List[Entry]:
    """Returns the entries of a list. Raises EntryError."""
    lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
    paragraphs = [one.splitlines() for one in "\n".join(lines).split("\n\n") if one.strip()]
    entries = []
    for one in paragraphs:
        one = [line for line in one if line]
        if len(one) < _LEAST or " -> " not in one[2]:
            raise EntryError(f"{one[0]!r} begins no entry: a path, a source line, OLD -> NEW and a reason are expected")
        entries.append(Entry(one[0], one[1], one[2], " ".join(one[3:])))
    return entries


def keys_of(mutant: Mutant) -> List[Key]:
    """Returns what an entry may name a mutant by."""
    path = mutant.path[len(PACKAGE) + 1 :]
    wheres = (path, f"{path} in {mutant.function}")
    return [(where, mutant.text, change) for where in wheres for change in (mutant.change, ANY)]


def by_key(entries: List[Entry]) -> Dict[Key, Entry]:
    """Returns the entries by what they name."""
    return {(entry.path, entry.text, entry.change): entry for entry in entries}
