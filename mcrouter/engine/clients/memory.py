"""The bound on what one event loop holds for its clients: unfinished requests, replies that clients have not read, and
what routes keep until they know the answer.

The size of a reply is not known when it is asked for. So it is weighed when it arrives, by what is held already:

| held                    | a reply                                                                                    |
| up to half of the bound | is kept as it comes                                                                        |
| more ("short")          | is kept while its client holds no more than its share: a client that reads is not touched; |
|                         | else it passes, with what comes behind it, and is asked for again later (large_values.py)  |
| more than the bound     | becomes an error if it cannot be asked for again, as later requests depend on it           |

The shares of all clients are half of the bound together, so that one and a half of it is the most. While memory is
short, a client has as many requests in flight as its share is likely to take the replies of.

When the bound is passed, unfinished requests wait in their sockets, except the largest of them, which is nearest to its
end. A client that reads nothing for 10 seconds, and holds more than its share, is closed.

A look at what is held costs up to 0.5 µs for each client, so it is taken when so much has arrived that it matters.
"""

from itertools import islice
from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, Optional, Tuple

from ...system.logs import get_logger
from ..writing import unacknowledged

if TYPE_CHECKING:
    from ...proto.reply import WholeReply
    from ..seams import ConnectedHost, Served, Shared

logger = get_logger(__name__)

_NO_BOUND = 1 << 62
_SAMPLE = 1000  # pieces of a reply that are looked at
_POINTER = 8  # bytes that a list takes for each piece
REQUEST = 700  # bytes that a request in flight takes, about
_LARGE, _SENT = 4096, 5000  # bytes of requests that count; requests to a host that are looked at
_MARGIN = 8  # the part of the bound that is for what is not counted
_STEPS = 16  # parts of the bound; when so much has come there is another look
_AGAIN = 0.05  # seconds between looks while memory is short
_TURN = 20  # such looks, after which the next of the requests that wait may go on
_PATIENCE = 200  # such looks, after which a client that has read nothing is closed


def weight(reply: "WholeReply") -> int:
    """Returns the bytes that a reply, in one piece or a list of pieces, takes; a piece that repeats is held once."""
    if type(reply) is not list:
        return len(reply)
    some = reply if len(reply) <= _SAMPLE else reply[:: len(reply) // _SAMPLE]
    once = {id(piece): piece for piece in some}
    size = sum(map(len, once.values()))
    if some is not reply:  # either they repeat, or hardly any does
        size = size if 2 * len(once) < len(some) else size * len(reply) // len(some)
    return size + _POINTER * len(reply)


def _begun(client: "Served") -> int:
    return client.begun_bytes()


class Memory:
    """The bound of one event loop: `most` bytes; 0: no bound.

    A connection adds what it has read to `arrived`, and calls `look` when that passes `step`. The fast paths check
    `is_short`.
    """

    def __init__(self, frontend: "Shared", most: int) -> None:
        self._frontend = frontend
        self.hosts: Callable[[], Iterable[ConnectedHost]] = tuple
        """The hosts that requests are sent to."""
        self._most = most - most // _MARGIN if most else _NO_BOUND
        self._held = 0  # at the last look
        self._share = 0  # of a client, while memory is short
        self.arrived = 0  # bytes since then: so much more may be held by now
        self.step = self._most // _STEPS
        self.is_short = False
        self._waiting: List[Served] = []  # clients whose requests wait, in the order in which they began to wait
        self._going: Optional[Served] = None  # the client that may send the rest of its request meanwhile
        self._looks = 0  # taken by the clock since memory is short; 0: it is not
        # By client: the bytes that it has yet to read, here and in the kernel, and for how many looks they stay.
        self._unread: Dict[Served, Tuple[Tuple[int, int], int]] = {}

    def grew(self, size: int) -> None:
        """Counts bytes that a client holds in addition."""
        self.arrived += size
        if self.arrived > self.step:
            self.look()

    # what may be kept ---------------------------------------------------------------------------------------------

    def admits(self, client: "Served", size: int) -> bool:
        """Returns whether a client may hold `size` more bytes, while memory is short. `client.counted` is what it
        holds, or more: it is counted anew only where that would be too much."""
        if client.counted + size > self._share:
            now = self._frontend.loop.now
            if client.counted_at == now:  # once a tick
                return False
            client.counted, client.counted_at = client.holds_replies(), now
            if client.counted + size > self._share:
                return False
        self.grew(size)
        client.counted += size
        return True

    def window(self, client: "Served") -> int:
        """Returns how many commands a client may have in flight, while memory is short: as many as its share has room
        for their replies, if these are as large as the last ones; one for a new client."""
        if client.queue and client.held_bytes > self._share:
            return 0
        if not client.average:
            return 1
        likely = self._share // (client.average + REQUEST)
        return max(1, min(client.window, likely))

    def is_full(self) -> bool:
        """Returns whether the bound is reached."""
        return not self.has_room(0)

    def has_room(self, size: int) -> bool:
        """Returns whether `size` more bytes may be held."""
        return self._held + self.arrived + size <= self._most

    def takes(self, size: int) -> bool:
        """Takes room for a reply of `size` bytes; returns whether there is any."""
        if not self.has_room(size):
            return False
        self.arrived += size
        return True

    # looking ------------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Counts what is held, and decides whether memory is short."""
        clients = self._frontend.clients.values()
        self.arrived = 0
        holding = []
        held = self._answered_but_sent()
        for client in clients:
            client.counted = 0
            if client.queue or client.blocks:
                client.counted = client.holds_replies()
                held += client.holds()
                holding.append(client)
                client.stream.unpin()
        self._held = held
        spare = self._most // 2 - self._held
        self.is_short = spare < 0
        self.step = max(self._most // _STEPS, spare // 2)
        self._share = self._most // 2 // max(1, len(clients))
        self._throttle_requests(holding)
        if not self._looks and (self.is_short or self._waiting):
            self._looks = 1
            self._frontend.loop.call_later(_AGAIN, self._turn)

    def _answered_but_sent(self) -> int:
        """Returns the bytes of large requests whose clients have their answer, but which some host has yet to answer. A
        request that several hosts get is held once."""
        sent = {}
        for host in self.hosts():
            for connection in host.connections:
                for request, _sink, _since in islice(connection.inflight, _SENT):
                    if len(request.data) > _LARGE and not request.client.awaits(request):
                        sent[id(request.data)] = len(request.data)
        return sum(sent.values())

    def _turn(self) -> None:
        self.look()
        if not (self.is_short or self._waiting):
            self._looks = 0
            self._unread = {}
            return
        self._frontend.loop.call_later(_AGAIN * max(1, len(self._frontend.clients) / 1000), self._turn)
        if self._waiting and self._looks % _TURN == 0:
            self._resume_next()
        self._looks += 1
        self._close_silent_readers()

    # requests -----------------------------------------------------------------------------------------------------

    def _throttle_requests(self, holding: "List[Served]") -> None:
        self._waiting = [client for client in self._waiting if not client.is_gone()]
        if self._held <= self._most:
            for client in self._waiting:
                client.throttle(False)
            self._waiting, self._going = [], None
            return
        begun = [client for client in holding if not client.is_throttled() and client.begun_bytes() > self._share]
        begun.sort(key=_begun, reverse=True)
        if begun:
            self._going = begun[0]
        for client in begun[1:]:
            self._wait(client)
        # What waits for hosts' answers, or for clients to read, ends by itself.
        if not begun and self._waiting and self._held - sum(map(_begun, self._waiting)) < self._most // 2:
            self._resume(self._waiting.pop(0))

    def _resume(self, client: "Served") -> None:
        self._going = client
        client.throttle(False)

    def read_of(self, client: "Served") -> None:
        """Notes that more of an unfinished request has come. When the bound is reached, only one client at a time may
        send more than its share."""
        if (
            self.is_full()
            and client is not self._going
            and client.begun_bytes() > self._share
            and not client.is_throttled()
        ):
            self._wait(client)
            if not self._looks:
                self.look()

    def _wait(self, client: "Served") -> None:
        client.throttle(True)
        self._waiting.append(client)

    def _resume_next(self) -> None:
        following = self._waiting.pop(0)
        for client in self._frontend.clients.values():
            if not client.is_throttled() and client.begun_bytes() > self._share:
                self._wait(client)
        self._resume(following)

    # replies ------------------------------------------------------------------------------------------------------

    def _close_silent_readers(self) -> None:
        known, self._unread = self._unread, {}
        for client in list(self._frontend.clients.values()):
            if not client.unsent or client.counted <= self._share:
                continue
            left = len(client.unsent), unacknowledged(client.fd)
            before, looks = known.get(client, (left, 0))
            if left == before and looks >= _PATIENCE:
                logger.warning("memory is short (--max-memory), and a client has read nothing of %d bytes for %d s; "
                               "its connection is closed", client.counted, _PATIENCE * _AGAIN)  # fmt: skip
                client.abort()
            else:
                self._unread[client] = left, looks + 1 if left == before else 0
