"""Recovery: a host that comes back with its old memory must not serve what it has missed.

While a host is down, each write that a route would have sent to it is recorded in its journal; so is every write whose
outcome is not known (timed out, connection lost), and that alone takes the host out of the reads. Before it is read
again:

    DOWN ──probe answered──► RECOVERING: it gets all new writes, for whose answers no client waits, and no reads
                               │ what was sent on connections that broke is done, or never will be (lingering.py)
                               │ each key of the journal is deleted; one that overflowed is made up for by flush_all
                               ▼
                             clean ──all event loops are clean──► HEALTHY

Example: k = 1 on hosts A and B; A hangs; `set k 2` reaches B alone, so k is in A's journal. A comes back: `delete k`,
and then it may be read: k is a miss there, and 2 on B. A key deleted too many costs a miss; one too few, a wrong value.

The delete travels on the prober's connection, so it may also delete a newer value that another connection has brought
meanwhile. Hosts that were not down still have the key. It is a miss for the client when all hosts had to delete it
(`set k 1` is not answered by A, `set k 2` not by B: neither knows which of them was the last), or while the hosts that
have it do not answer: tests/faults/test_rejoin.py.

Nothing that a host says of itself (its pid, its uptime) makes this unnecessary: what answers may be another router
before several memcacheds, of which one was restarted. On a host that is empty it costs a moment, and deletes nothing.
"""

from typing import TYPE_CHECKING, Any, Generator, NamedTuple, TypeVar, Union

from ...proto import outcomes as o
from ...proto.replies import error_outcome
from ...proto.rewriting import deletion
from .journal import Journal

if TYPE_CHECKING:
    from ..seams import RecoveringHost

_SETTLE = 0.02  # seconds between looks at what is not settled yet
_PEERS = 0.02  # seconds between looks at the other event loops
_GONE = frozenset((b"DELETED", b"NOT_FOUND", b"HD", b"NF"))
# A host that does not take a key, or not in base64, has no item of that key.
_NO_SUCH_KEY = (o.ERROR, o.CLIENT_ERROR)


class Question(NamedTuple):
    """A question to the host, and how many lines answer it."""

    data: bytes
    lines: int = 1

    def is_answered(self, answer: bytes) -> bool:
        """Returns whether the answer is complete."""
        return answer.count(b"\n") >= self.lines


class Pause(NamedTuple):
    """A pause of so many seconds."""

    seconds: float


_Result = TypeVar("_Result")
Dialogue = Generator[Union[Question, Pause], Any, _Result]
"""What is asked and waited for. It is sent the answer to each question, in bytes; at first, and after a pause, None."""


class BadAnswer(Exception):
    """An answer that means that the host does not work as it should."""


class Rejoin:
    """What a recovery took: for the log and the metrics."""

    def __init__(self) -> None:
        self.deleted = 0
        self.flushed = 0

    def __str__(self) -> str:
        if self.flushed:
            return "flushed, for what it has missed is not known in full"
        if self.deleted:
            return f"{self.deleted} keys deleted that it may have missed writes to"
        return "it has missed no write"


def rejoin(host: "RecoveringHost") -> Dialogue[Rejoin]:
    """The dialogue with a host that gets writes again; returns a Rejoin when it may be read.

    It uses the host's `journal`, `is_settled` (whether nothing old may still be done), `all_clean` (whether no event
    loop has anything in its journal), and `clean`, which shows the others whether this one has.
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


def _make_up(journal: Journal, done: Rejoin) -> Dialogue[None]:
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
