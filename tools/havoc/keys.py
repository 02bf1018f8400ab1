"""A key and what a read of it may give; what was found to be wrong."""

import time
from collections import Counter
from typing import Dict, List, NamedTuple, Optional, Set

from .values import number, number_sequence, piece, pieces

WRONG, OLDER, STALE = "wrong values", "older values read", "stale after rejoin"
UNANSWERED, LOST = "requests without an answer", "processes lost"
NOT_BACK, LOGGED = "hosts not taken back", "errors in the router's log"
KINDS = (WRONG, OLDER, STALE, UNANSWERED, LOST, NOT_BACK, LOGGED)
_SHOWN = 5  # examples of a kind


class Finding(NamedTuple):
    """Something that must not be."""

    kind: str
    text: str


class Findings:
    """All that was found, with the first few of each kind and the round of each."""

    def __init__(self) -> None:
        self.counts: Dict[str, int] = Counter()
        self.rounds: Dict[str, int] = {}  # the first with such a finding
        self.examples: Dict[str, List[str]] = {kind: [] for kind in KINDS}
        self.round = 0

    def add(self, finding: Optional[Finding]) -> None:
        """Takes note, if there is anything to take note of."""
        if finding is not None:
            self.counts[finding.kind] += 1
            self.rounds.setdefault(finding.kind, self.round)
            if len(self.examples[finding.kind]) < _SHOWN:
                self.examples[finding.kind].append(f"round {self.round}, {time.strftime('%T')}: {finding.text}")


class Key:
    """One key; only the client with the number `owner` writes it.

    `possible` are the values that it may have; that it may be missing goes without saying.
    """

    def __init__(self, name: bytes, owner: int, ident: int, counts: bool) -> None:
        self.name = name
        self.owner = owner
        self.counts = counts  # whether it holds a number
        self.possible: Set[bytes] = set()
        self.sequence = 0  # of the last write that was sent
        self.acknowledged = 0  # of the last write that was
        self._ident = ident
        self._highest = 0  # number that it may ever have had

    def next(self) -> int:
        """The sequence number of a new write."""
        self.sequence += 1
        return self.sequence

    def fresh(self, sequence: int, size: int) -> bytes:
        """A value to set."""
        return number(self._ident, sequence) if self.counts else piece(self.name, sequence, size)

    def acknowledge(self, sequence: int, possible: Set[bytes]) -> None:
        """A write was acknowledged: it has one of these values now."""
        self.acknowledged, self.possible = sequence, set()
        self.allow(possible)

    def allow(self, values: Set[bytes]) -> None:
        """It may have these values, too."""
        self.possible |= values
        if self.counts:
            self._highest = max([self._highest, *map(int, values)])

    def grow(self) -> None:
        """An incr was sent: what it has made of a forgotten value somewhere is no newer for it."""
        self._highest += 1

    def last(self, value: bytes) -> Optional[int]:
        """The sequence number of the last write in a value (of the set behind a number); None: it is none of ours."""
        if self.counts:
            return number_sequence(self._ident, value)
        found = pieces(self.name, value)
        return found[-1] if found else None

    def judge(self, value: bytes, flags: int) -> Optional[Finding]:
        """What is wrong with the value that the owner has read; None if nothing is."""
        strange = self.judge_foreign(value, flags)
        if strange is not None or value in self.possible:
            return strange
        older = int(value) <= self._highest if self.counts else (self.last(value) or 0) <= self.acknowledged
        return Finding(OLDER if older else WRONG, f"{self.name.decode()} is {short(value)}, {self.expected()}")

    def judge_foreign(self, value: bytes, flags: int) -> Optional[Finding]:
        """The same for a reader that does not know what the owner has written."""
        if self.last(value) is None:
            return Finding(WRONG, f"{self.name.decode()} is foreign or torn: {short(value)}")
        if flags != self.owner:
            return Finding(WRONG, f"{self.name.decode()} has the flags {flags} instead of {self.owner}")
        return None

    def expected(self) -> str:
        """What it may be, for people."""
        values = " or ".join(short(value) for value in sorted(self.possible)) or "nothing"
        return f"acknowledged is write {self.acknowledged} of {self.sequence}, it may be {values}"


def short(value: bytes) -> str:
    """A value for people."""
    return repr(value if len(value) <= 60 else value[:30] + b"..." + value[-25:])[2:-1]
