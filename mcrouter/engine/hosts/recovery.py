"""Rejoining: a host that comes back with its old memory must not serve what it has missed.

While a host is away, whatever policy would have written to it is noted in its journal; so is every write whose outcome
is not known (timed out, connection lost), and that alone takes the host out of the reads. Before it is read again:

    down ──probe answered──► returning: it gets all new writes, and no reads; nobody waits for its answers
                               │ what was sent on connections that broke is done, or never will be (lingering.py)
                               │ the journal is deleted, key by key; one that overflowed is made up for by flush_all
                               ▼
                             clean ──all event loops are clean──► healthy

Example: k = 1 on hosts A and B; A hangs; `set k 2` reaches B alone, so k is in A's journal. A comes back: `delete k`,
and then it may be read: k is a miss there, and 2 on B. A key deleted too many costs a miss; one too few, a wrong value.

The delete travels on the prober's connection, so it may also delete a newer value that a lane has brought meanwhile.
Hosts that were in no trouble still have the key. It is a miss for the client when all hosts had to delete it (`set k 1`
is not answered by A, `set k 2` not by B: neither knows which of them was the last), or while the hosts that have it do
not answer: tests/faults/test_rejoin.py.

Nothing that a host says of itself (its pid, its uptime) makes this unnecessary: what answers may be another router
before several memcacheds, of which one was restarted. On a host that is empty it costs a moment, and deletes nothing.
"""

from itertools import islice
from typing import Any, Callable, Dict, Generator, List, NamedTuple, Tuple, Union

from ...proto import outcomes as o
from ...proto.commands import ADMIN, BY_NAME, COMMANDS
from ...proto.replies import error_outcome
from ...proto.rewriting import deletion

IGNORE, REPLAY, FLUSH = "ignore", "replay", "flush"

_SETTLE = 0.02  # seconds between looks at what is not settled yet
_BATCH = 512  # keys deleted with one write
_PEERS = 0.02  # seconds between looks at the other event loops
_FLUSH_ALL = BY_NAME["flush_all"].number
_GONE = frozenset((b"DELETED", b"NOT_FOUND", b"HD", b"NF"))
# A host that does not take a key, or not in base64, has no item of that key.
_NO_SUCH_KEY = (o.ERROR, o.CLIENT_ERROR)
_TRIES = 3  # at a batch of the journal; then the host is flushed instead: a key must not keep it away for ever


class Question(NamedTuple):
    """Something to say to the host, and how many lines answer it."""

    data: bytes
    lines: int = 1

    def is_answered(self, answer: bytes) -> bool:
        """Whether the answer is all there."""
        return answer.count(b"\n") >= self.lines


class Pause(NamedTuple):
    """Nothing to say for so many seconds."""

    seconds: float


Dialogue = Generator[Union[Question, Pause], Any, Any]


class BadAnswer(Exception):
    """The host said something that means that it is not well."""


class Journal:
    """The keys of a host that may be stale there: at most `limit`, else `overflowed`, and the host must be flushed.

    With `mode` FLUSH no keys are kept. `changed(keys)` is told how many there are.
    """

    def __init__(self, mode: str, changed: Callable[[int], None] = lambda keys: None, limit: int = 0) -> None:
        self.mode = mode
        self.limit = limit
        self._changed = changed
        self._keys: Dict[bytes, None] = {}  # in the order in which they came
        self._failures = 0  # in a row, to make up for what was taken
        self.overflowed = False

    def __bool__(self) -> bool:
        return self.overflowed or bool(self._keys)

    def note(self, request: Any) -> None:
        """The host may not have done what this request wants."""
        kind = request.commands[0]
        if COMMANDS[kind].kind == ADMIN:
            if kind == _FLUSH_ALL:
                self.overflow()
            return
        self._add(request.names())

    def _add(self, keys: List[bytes]) -> None:
        if keys and not self.overflowed:
            self._keys.update(dict.fromkeys(keys))
            if self.mode == FLUSH or len(self._keys) > self.limit:
                self.overflow()
            self._changed(len(self._keys))

    def overflow(self) -> None:
        """Whatever the host has may be stale."""
        self.overflowed = True
        self._keys = {}
        self._changed(0)

    def take(self) -> "Tuple[bool, List[bytes]]":
        """What is to be made up for: whether by flush_all, else the keys to delete. Give back what fails."""
        taken = self.overflowed, [] if self.overflowed else list(islice(self._keys, _BATCH))
        self.overflowed = False
        for delete in taken[1]:
            del self._keys[delete]
        self._changed(len(self._keys))
        return taken

    def give_back(self, taken: "Tuple[bool, List[bytes]]") -> None:
        """It was not made up for."""
        self._failures += 1
        if taken[0] or self._failures >= _TRIES:
            self.overflow()
        self._add(taken[1])

    def count_recovery(self) -> None:
        """What was taken is made up for."""
        self._failures = 0


class Rejoin:
    """What came of it: for the log and the metrics."""

    def __init__(self) -> None:
        self.deleted = 0
        self.flushed = 0

    def __str__(self) -> str:
        if self.flushed:
            return "flushed, for what it has missed is not known in full"
        if self.deleted:
            return f"{self.deleted} keys deleted that it may have missed writes to"
        return "it has missed no write"


def rejoin(host: Any) -> Dialogue:
    """The dialogue with a host that takes writes again; returns a Rejoin when it may be read.

    Of the host it takes `journal`, `is_settled` (whether nothing old may still be done), `all_clean` (whether all event
    loops agree), and `clean`, which is told what this one has to say to that.
    """
    journal = host.journal
    done = Rejoin()
    while True:
        while journal:
            while not host.is_settled():
                yield Pause(_SETTLE)
            yield from _make_up(journal, done)
        host.clean(True)
        if host.all_clean():
            return done
        yield Pause(_PEERS)
        if journal:
            host.clean(False)


def _make_up(journal: Journal, done: Rejoin) -> Dialogue:
    taken = flush, keys = journal.take()
    is_made_up = False
    try:
        if flush:
            answer = yield Question(b"flush_all\r\n")
            if answer != b"OK\r\n":
                raise BadAnswer(f"flush_all answered with {answer[:40]!r}")
            done.flushed += 1
        else:
            answer = yield Question(b"".join(map(deletion, keys)), len(keys))
            for line in answer.splitlines(keepends=True):
                if line[:-2] not in _GONE and error_outcome(line) not in _NO_SUCH_KEY:
                    raise BadAnswer(f"delete answered with {line[:40]!r}")
            done.deleted += len(keys)
        is_made_up = True
        journal.count_recovery()
    finally:
        if not is_made_up:
            journal.give_back(taken)  # the host may also hang, and the dialogue be closed
