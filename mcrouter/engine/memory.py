"""The bound on what one event loop holds for its clients: requests that have not come to their end, replies that have
not been read, and what routes keep until they know the answer.

What a reply weighs is not known when it is asked for. So it is weighed when it arrives, by what is held already:

| held                    | a reply                                                                                    |
| up to half of the bound | is kept as it comes                                                                        |
| more ("short")          | is kept while its client holds no more than its share: a client that reads is not touched; |
|                         | else it passes, with what comes behind it, and is asked for again later (transfer.py)      |
| more than the bound     | becomes an error if it cannot be asked for again, as later requests depend on it           |

The shares of all clients are half of the bound together, so that one and a half of it is the most. While memory is
short, a client has as many requests in flight as its share is likely to take the replies of.

Requests that have not come to their end wait in their sockets when the bound is passed, but for the largest of them,
which is nearest to its end. A client that reads nothing for a while, and holds more than its share, is closed.

A look at what is held costs up to 0.5 µs for each client, so it is taken when so much has arrived that it matters.
"""

from typing import Any, Dict, List, Tuple

from ..logs import get_logger

logger = get_logger(__name__)

_NO_BOUND = 1 << 62
_STEPS = 16  # parts of the bound; when so much has come there is another look
_AGAIN = 0.05  # seconds between looks while memory is short
_TURN = 20  # such looks, after which the next of the requests that wait may go on
_PATIENCE = 200  # such looks, after which a client that has read nothing is closed


def weight(reply: Any) -> int:
    """Bytes that a reply, in one piece or a list of them, takes; a piece that is there several times is held once."""
    if type(reply) is not list:
        return len(reply)
    return sum(map(len, {id(piece): piece for piece in reply}.values()))


class Memory:
    """The bound of one event loop: `most` bytes; 0: no bound.

    Whoever reads adds to `arrived`, and calls `look` when it passes `step`. `is_short` is what the fast paths look at.
    """

    def __init__(self, frontend: Any, most: int) -> None:
        self._frontend = frontend
        self._most = most or _NO_BOUND
        self._held = 0  # at the last look
        self._share = 0  # of a client, while memory is short
        self.arrived = 0  # bytes since then: so much more may be held by now
        self.step = self._most // _STEPS
        self.is_short = False
        self._waiting: List[Any] = []  # clients whose requests wait, in the order in which they began to
        self._looks = 0  # in a row that found memory short
        self._unread: Dict[Any, Tuple[Any, int]] = {}  # what a client has yet to read, and for how many looks
        self._timer: Any = None

    def grew(self, size: int) -> None:
        """A client holds so many bytes more."""
        self.arrived += size
        if self.arrived > self.step:
            self.look()

    # what may be kept ---------------------------------------------------------------------------------------------

    def admits(self, client: Any, size: int) -> bool:
        """Whether a client may hold so much more, while memory is short. `client.counted` is what it holds, or more:
        it is counted anew only where that would be too much."""
        if client.counted + size > self._share:
            client.counted = client.holds()
            if client.counted + size > self._share:
                return False
        client.counted += size
        return True

    def window(self, client: Any) -> int:
        """How many commands a client may have in flight, while memory is short: as many as its share can take the
        replies to, if they are as large as the last ones; one of a client that is new."""
        if not client.average:
            return 1
        likely: int = self._share // client.average
        return max(1, min(int(client.window), likely))

    def is_full(self) -> bool:
        """Whether nothing that could be left out may be kept any more."""
        return self._held + self.arrived > self._most

    def takes(self, size: int) -> bool:
        """Whether there is room for a reply of this size; if so the room is taken."""
        if self._held + self.arrived + size > self._most:
            return False
        self.arrived += size
        return True

    # looking ------------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Finds out what is held."""
        clients = self._frontend.clients.values()
        self.arrived = 0
        holding = []
        for client in clients:
            client.counted = client.holds() if client.queue or not client.plain else 0
            if client.counted:
                holding.append(client)
        self._held = sum(client.counted for client in holding)
        spare = self._most // 2 - self._held
        self.is_short = spare < 0
        self.step = max(self._most // _STEPS, spare // 2)
        self._share = self._most // 2 // max(1, len(clients))
        self._hold_requests(holding)
        if (self.is_short or self._waiting) and self._timer is None:
            self._looks = 0
            self._unread = {}
            self._timer = self._frontend.loop.call_later(_AGAIN, self._turn)

    def _turn(self) -> None:
        self.look()  # while there is a timer: this look is one more in the same row
        self._timer = None
        if not (self.is_short or self._waiting):
            return
        self._timer = self._frontend.loop.call_later(_AGAIN, self._turn)
        self._looks += 1
        if self._waiting and self._looks % _TURN == 0:
            self._let_next_go_on()
        self._close_who_do_not_read()

    # requests -----------------------------------------------------------------------------------------------------

    def _hold_requests(self, holding: List[Any]) -> None:
        self._waiting = [client for client in self._waiting if not client.is_gone()]
        if self._held <= self._most:
            for client in self._waiting:
                client.hold(False)
            self._waiting = []
            return
        begun = [client for client in holding if client.has_begun() > self._share and not client.held]
        begun.sort(key=lambda client: -client.has_begun())
        for client in begun[1:]:
            self._wait(client)
        if not begun and self._waiting:
            self._waiting.pop(0).hold(False)

    def _wait(self, client: Any) -> None:
        client.hold(True)
        self._waiting.append(client)

    def _let_next_go_on(self) -> None:
        following = self._waiting.pop(0)
        for client in self._frontend.clients.values():
            if not client.plain and not client.held and client.has_begun() > self._share:
                self._wait(client)
        following.hold(False)

    # replies ------------------------------------------------------------------------------------------------------

    def _close_who_do_not_read(self) -> None:
        known, self._unread = self._unread, {}
        for client in list(self._frontend.clients.values()):
            if not client.unsent or client.counted <= self._share:
                continue
            unsent, looks = known.get(client, (client.unsent, 0))
            if unsent is client.unsent and looks >= _PATIENCE:
                logger.warning("memory is short (--max-memory), and a client has read nothing of %d bytes for %d s; "
                               "its connection is closed", client.counted, _PATIENCE * _AGAIN)  # fmt: skip
                client.abort()
            else:
                self._unread[client] = client.unsent, looks + 1 if unsent is client.unsent else 0
