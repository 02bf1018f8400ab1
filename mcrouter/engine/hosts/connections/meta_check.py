"""Whether a host speaks the meta protocol, asked before the first `ms` of a connection.

A host that does not know `ms` (memcached before 1.6) answers ERROR and runs the data that follows as commands. So `mn`
is asked first, and what comes behind it is held back until the answer is MN:

    out = [a, mn | ms b, c]        written: a, mn        after MN: ms b, c        after anything else: ms b fails, c
"""

import enum
from typing import TYPE_CHECKING, List, Tuple

from ....proto import outcomes as o
from ....proto import results as r
from ....proto.commands import BY_NAME
from ....proto.request import COMMAND_BYTE, Request

if TYPE_CHECKING:
    from ....proto.reply import AnyReply
    from ...seams import SharedConnection

MS = BY_NAME["ms"].number
NOT_SPOKEN = "it does not speak the meta protocol"
MN = Request(None, COMMAND_BYTE[BY_NAME["mn"].number], b"mn\r\n")


class MetaSupport(enum.Enum):
    """UNKNOWN -> ASKED -> SPOKEN or UNSPOKEN."""

    UNKNOWN = "not asked yet"
    ASKED = "asked `mn`"
    SPOKEN = "answered MN"
    UNSPOKEN = "answered something else"


class MetaCheck:
    """The question to one connection's host, and the sink of its answer. While it is asked, `barrier` is the place in
    `connection.out` of the first piece that waits for the answer."""

    __slots__ = ("_connection", "barrier", "state")

    def __init__(self, connection: "SharedConnection") -> None:
        self._connection = connection
        self.state = MetaSupport.UNKNOWN
        self.barrier = 0

    def admits(self) -> bool:
        """Returns whether an `ms` may be put behind what `connection.out` has; asks `mn` before the first one."""
        if self.state is MetaSupport.UNKNOWN and self._connection.is_open():
            self._ask()
        return self.state is not MetaSupport.UNSPOKEN

    def _ask(self) -> None:
        connection = self._connection
        self.state = MetaSupport.ASKED
        if not connection.out:
            connection.out_began()
        connection.out.append(MN.data)
        connection.inflight.append((MN, self, connection.loop.now))
        self.barrier = len(connection.out)

    def connected(self) -> None:
        """Called when the connection is open: if an `ms` has waited for that, asks before the first one."""
        connection = self._connection
        place = next((at for at, entry in enumerate(connection.inflight) if entry[0].commands[0] == MS), None)
        if place is not None:
            self.state, self.barrier = MetaSupport.ASKED, place + 1
            connection.out.insert(place, MN.data)
            connection.inflight.insert(place, (MN, self, connection.inflight[place][2]))

    def split(self, out: List[bytes]) -> Tuple[List[bytes], List[bytes]]:
        """Returns what of `out` may be written now, and what must wait."""
        if self.state is not MetaSupport.ASKED:
            return out, []
        barrier, self.barrier = self.barrier, 0
        return out[:barrier], out[barrier:]

    def on_reply(self, reply: "AnyReply", outcomes: bytes) -> None:
        """Takes the answer to `mn`, however late."""
        if outcomes in o.OUR_ERRORS:
            return  # what waits fails in the same way, in its time
        self.state = MetaSupport.SPOKEN if outcomes == o.HEADER else MetaSupport.UNSPOKEN
        self._release()
        if self._connection.out:
            self._connection.loop.dirty_hosts.append(self._connection)

    def _release(self) -> None:
        """Lets what has waited be sent, except for requests that have timed out meanwhile, which would overtake newer
        writes, and except for each `ms` where the host does not speak it: that fails."""
        connection = self._connection
        entries = list(connection.inflight)
        first = len(entries) - len(connection.out)  # of those that are not sent
        refuses = self.state is MetaSupport.UNSPOKEN
        kept = [
            at < first or (at >= connection.expired and not (refuses and entry[0].commands[0] == MS))
            for at, entry in enumerate(entries)
        ]
        refused = [entry for at, entry in enumerate(entries) if not kept[at] and at >= connection.expired]
        connection.runs -= sum(len(entry[0].commands) > 1 for entry, keep in zip(entries, kept) if not keep)
        connection.inflight.clear()  # not another one: the connection's loops hold on to it
        connection.inflight.extend(entry for entry, keep in zip(entries, kept) if keep)
        connection.out = [piece for piece, keep in zip(connection.out, kept[first:]) if keep]
        connection.expired = sum(kept[: connection.expired])
        for request, sink, _since in refused:
            connection.host.never_sent(request, sink)
            connection.fail_one(request, sink, o.UNAVAILABLE, NOT_SPOKEN, r.LOCAL_ERROR)
