"""Whether a host speaks the meta protocol, asked before the first `ms` of a connection.

A host that does not know `ms` (memcached before 1.6) answers ERROR and runs the data that follows as commands. So `mn`
is asked first, and what comes behind it is held back until the answer is MN:

    out = [a, mn | ms b, c]        written: a, mn        after MN: ms b, c        after anything else: ms b fails, c
"""

import collections
import enum
from typing import Any, List, Tuple

from ...proto import outcomes as o
from ...proto import results as r
from ...proto.commands import BY_NAME
from ...proto.requests import KIND, Request

MS = BY_NAME["ms"].number
NOT_SPOKEN = "it does not speak the meta protocol"
MN = Request(None, KIND[BY_NAME["mn"].number], b"mn\r\n")


class Meta(enum.Enum):
    """UNKNOWN -> ASKED -> SPOKEN or UNSPOKEN."""

    UNKNOWN = "not asked yet"
    ASKED = "asked `mn`"
    SPOKEN = "answered MN"
    UNSPOKEN = "answered something else"


class MetaCheck:
    """The question to one connection's host, and the sink of its answer. `lane` is the connection; `barrier`, while it
    is asked, the first piece of `lane.out` that waits for the answer."""

    __slots__ = ("_lane", "barrier", "state")

    def __init__(self, lane: Any) -> None:
        self._lane = lane
        self.state = Meta.UNKNOWN
        self.barrier = 0

    def admits(self) -> bool:
        """Whether an `ms` may be put behind what `lane.out` has; asks `mn` before the first one."""
        if self.state is Meta.UNKNOWN and self._lane.is_up():
            self._ask()
        return self.state is not Meta.UNSPOKEN

    def _ask(self) -> None:
        lane = self._lane
        self.state = Meta.ASKED
        if not lane.out:
            lane.out_began()
        lane.out.append(MN.data)
        lane.inflight.append((MN, self, lane.loop.now))
        self.barrier = len(lane.out)

    def connected(self) -> None:
        """The connection is up: if an `ms` has waited for that, asks before the first one."""
        lane = self._lane
        place = next((at for at, entry in enumerate(lane.inflight) if entry[0].kinds[0] == MS), None)
        if place is not None:
            self.state, self.barrier = Meta.ASKED, place + 1
            lane.out.insert(place, MN.data)
            lane.inflight.insert(place, (MN, self, lane.inflight[place][2]))

    def split(self, out: List[bytes]) -> Tuple[List[bytes], List[bytes]]:
        """What of `lane.out` may be written now, and what must wait."""
        if self.state is not Meta.ASKED:
            return out, []
        barrier, self.barrier = self.barrier, 0
        return out[:barrier], out[barrier:]

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """Takes the answer to `mn`, however late."""
        if outcomes in o.OUR_ERRORS:
            return  # what waits fails in the same way, in its time
        self.state = Meta.SPOKEN if outcomes == o.HEADER else Meta.UNSPOKEN
        self._release()
        if self._lane.out:
            self._lane.loop.dirty_hosts.append(self._lane)

    def _release(self) -> None:
        """Lets go what has waited, without what has timed out meanwhile, which would overtake newer writes, and without
        each `ms` where the host does not speak it: that fails."""
        lane = self._lane
        entries = list(lane.inflight)
        first = len(entries) - len(lane.out)  # of those that are not sent
        refuses = self.state is Meta.UNSPOKEN
        kept = [
            at < first or (at >= lane.expired and not (refuses and entry[0].kinds[0] == MS))
            for at, entry in enumerate(entries)
        ]
        refused = [entry for at, entry in enumerate(entries) if not kept[at] and at >= lane.expired]
        lane.runs -= sum(len(entry[0].kinds) > 1 for entry, keep in zip(entries, kept) if not keep)
        lane.inflight = collections.deque(entry for entry, keep in zip(entries, kept) if keep)
        lane.out = [piece for piece, keep in zip(lane.out, kept[first:]) if keep]
        lane.expired = sum(kept[: lane.expired])
        for request, sink, _since in refused:
            lane.host.never_sent(request, sink)
            lane.fail_one(request, sink, o.UNAVAILABLE, NOT_SPOKEN, r.LOCAL_ERROR)
