"""One client's connection: its requests go to their routes, and their answers back to it, in its order.

    read ──► stream ──► request ──► route ──► ... hosts ...
                          │                      │ on_reply, in any order
                          ▼                      ▼
                  queue: [r1 | r2 | r3]   r2 answered: waits for r1
                          │ r1 answered: r1 and r2 leave together
                          ▼
                  out ──(flush: one write a tick)──► client

Example: a client pipelines `get a`, `get b`, which go to two hosts. b's host answers first: r2 keeps its reply; when
a's host answers, both replies leave in one write, in the order asked.

Most clients ask one thing and wait. While nothing `blocks` it (outbox.py), a read that is one get or set goes
straight to the lane that its route would choose anyway, and its reply straight to the socket.
"""

from os import read
from os import write as write_one
from typing import Any, Set

from ...proto.client.parser import parse_single
from ...proto.client.stream import ClientPlace
from ...proto.reply import TOO_LARGE
from ...proto.request import Request
from ...system.logs import get_logger
from ..poller import IN, OUT
from .handover import MOST
from .inbox import ClientInbox
from .large_values import Download, Upload
from .memory import REQUEST, weight
from .outbox import ASKS_AGAIN, BACKLOG, ENDING, IDLE_CHECKED, READABLE, THROTTLED, ClientState
from .source import ClientRequest

logger = get_logger(__name__)

_READABLE = IN | OUT  # what epoll says of a connection that has something and can take something
_CLOSED, _DRAINING, _OPEN = ClientState.CLOSED, ClientState.DRAINING, ClientState.OPEN


class ClientConnection(ClientInbox):
    """One client connection."""

    __slots__ = ("_asks_again", "counted", "counted_at", "fast_path")

    def __init__(self, frontend: Any, fd: int, connection: int) -> None:
        super().__init__(frontend, fd, connection)
        self.fast_path = frontend.fast_path[connection]
        self._asks_again: Set[Request] = set()  # their replies have passed; ASKS_AGAIN while there are any
        self.counted = 0  # bytes of replies that it holds, or more: memory.py
        self.counted_at = 0.0  # when they were counted

    # the fast path ------------------------------------------------------------------------------------------------

    def on_event(self, mask: int) -> None:
        """The poller's report."""
        if mask != _READABLE or self.blocks or self.queue:
            self.on_any_event(mask)
            return
        try:
            data = read(self.fd, self.read_size)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        request = parse_single(data, self, ClientRequest)
        connection = None
        if request is not None:
            connection = self.fast_path[request.commands[0]]
            if connection is None:
                keyed = self.frontend.keyed[request.commands[0]]
                try:
                    host = keyed.direct_host(request) if keyed is not None else None
                    connection = host.connections[self.connection_number] if host is not None else None
                except Exception:  # a bug of ours: on the general way its exception is the request's own
                    logger.exception("unexpected error; the request takes the long way")
        if connection is None or len(data) == self.read_size:
            self.take_read(data, self.read_size)
            self.read_requests()
            self.settle()
            return
        request.started = now = self.loop.now
        self.queue.append(request)
        if not connection.out:
            connection.out_began()
        connection.out.append(data)
        connection.inflight.append((request, request, now))

    def deliver(self, request: Request, reply: bytes) -> None:
        """Sends a request's reply, and all that waits behind it. A reply to the one request in flight goes straight to
        the socket."""
        queue = self.queue
        if not self.blocks and len(queue) == 1 and queue[0] is request and reply:
            queue.popleft()
            self.kept = 0
            try:
                sent = write_one(self.fd, reply)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.abort()
                return
            if sent != len(reply):
                self.resize(len(reply))
                self.keep_unsent(reply[sent:])
            return
        self.in_turn(request, reply)

    def in_turn(self, request: Any, reply: Any) -> None:
        """Takes a request's reply, bytes or a list of pieces; it leaves with the tick, after those before it."""
        request.reply = reply
        if self._asks_again:
            self._forget_to_ask(request)
        queue = self.queue
        if not queue:
            return
        self.kept -= getattr(request, "gathered", 0)
        request.gathered = 0
        if queue[0] is not request:
            request.gathered = weight(reply)
            self.kept += request.gathered
        else:
            out = self.out
            self.collect()
            while queue:
                head: Any = queue[0].reply
                if head is None:
                    break
                if head is TOO_LARGE:
                    self._download()
                    break
                self.kept -= queue[0].gathered
                if type(head) is list:
                    out += head
                else:
                    out.append(head)
                queue.popleft()
            if not queue:
                self.kept = 0

    def written(self) -> None:
        """The client has taken all that there was for it."""
        if self.transfer is not None:
            self.transfer.resume()
        if self.blocks & (READABLE | BACKLOG):
            self.read_more()
        if self.blocks & ENDING:
            self.close_if_done()
        self.settle()

    # large values ---------------------------------------------------------------------------------------------------

    def begin_upload(self, request: Request) -> None:
        """Begins to pass on a large value, of which the stream has the first bytes."""
        self.pause()
        transfer = self.transfer = Upload(self, request, self.frontend.routes_by_command[request.commands[0]])
        rest = transfer.feed(self.stream.take_rest())
        if rest and self.state is not _CLOSED:
            self.stream.give_back(rest)
        self.read_more_later()

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """The same as of any asker; a transfer takes the failure of its own request."""
        if self.transfer is not None and self.transfer.serves(request):
            self._let_go(request.origin or request)
            self.transfer.fail(request, reply, outcomes)
        else:
            super().fail(request, reply, outcomes)

    def will_ask_again(self, request: Request) -> None:
        """There is no room for a host's reply to it. Its route may still wait for other hosts; until it has its answer
        nothing that comes later is done."""
        if self.awaits(request):
            self._asks_again.add(request.origin or request)
            self.blocks |= ASKS_AGAIN

    def _forget_to_ask(self, request: Request) -> None:
        """The request has its answer, or is asked again now."""
        self._asks_again.discard(request)
        if not self._asks_again:
            self.blocks &= ~ASKS_AGAIN

    def too_large(self, request: Request) -> None:
        """The reply to a request is too large to be held: it is asked again when its turn has come."""
        self._forget_to_ask(request)
        self.pause()
        self.window = 1
        request.reply = TOO_LARGE
        if self.queue and self.queue[0] is request:
            self._download()

    def _download(self) -> None:
        request = self.queue[0]
        self.transfer = Download(self, request, self.frontend.routes_by_command[request.commands[0]])
        self.loop.call_soon(self.transfer.next)

    def transferred(self, request: ClientRequest, reply: bytes, outcomes: bytes) -> None:
        """A transfer has its answer; `reply` is what the client has yet to get of it."""
        if self.state is not _CLOSED:
            request.reply = None  # it was TOO_LARGE
            self.answer(request, reply, outcomes)

    def transfer_over(self, transfer: Any) -> None:
        """The transfer has come to its end: the client may go on."""
        if self.transfer is transfer:
            self.transfer = None
            self.resume()

    def is_gone(self) -> bool:
        """Whether the connection is closed, so that no answer is of use any more."""
        return self.state is _CLOSED

    # limits -------------------------------------------------------------------------------------------------------

    def check_idle(self) -> int:
        """How often this has been asked since it did something, or waited: for an answer, or for memory (HELD). A
        client that does not read its answers waits for nothing. The next event takes the general way, which notices
        it."""
        waits = bool(self.queue or self.blocks & THROTTLED) and not self.unsent
        sends = self.transfer is not None and self.transfer.wanted()  # the rest of a large value is awaited from it
        self.idle_checks = 0 if waits and not sends else self.idle_checks + 1
        self.blocks |= IDLE_CHECKED
        return self.idle_checks

    def may_hold(self, size: int) -> bool:
        """Whether a reply of this size may be kept for it, while memory is short. What comes behind a reply that is
        asked for again could not leave before that."""
        return not self.blocks & ASKS_AGAIN and bool(self.frontend.memory.admits(self, size))

    def has_begun(self) -> int:
        """Bytes of requests that have not come to their end, and of which no host has any."""
        held_back: int = self.transfer.held_back() if self.transfer is not None else 0
        return held_back + self.stream.weight()

    def holds_replies(self) -> int:
        """Bytes of replies, and of large requests, that are held for it, by its routes and by this connection."""
        return self.kept + self.unread() + (0 if self.transfer is None else int(self.transfer.holds()))

    def holds(self) -> int:
        """Bytes that are held for it."""
        return self.stream.weight() + REQUEST * len(self.queue) + self.holds_replies()

    def is_throttled(self) -> bool:
        """Whether it waits for memory."""
        return self.blocks & THROTTLED != 0

    def hold(self, held: bool) -> None:
        """Whether it is to wait, so that others can go on."""
        self.idle_checks = 0
        if held:
            self.blocks |= THROTTLED
            return
        self.blocks &= ~THROTTLED
        if self.state is not _CLOSED:
            self.loop.call_soon(self.resumed if self.transfer is None else self.read_available)

    # ending -------------------------------------------------------------------------------------------------------

    def ended(self) -> None:
        """The client has said all it wants to say; it still gets what it asked for."""
        self.blocks &= ~READABLE
        self.set_state(ClientState.ENDED)
        self.close_if_done()

    def drain(self) -> None:
        """Takes nothing more from the client; closes when what it asked for is answered."""
        if self.state is not _CLOSED:
            self.set_state(_DRAINING)
            self.close_if_done()

    def leave(self) -> None:
        """Goes to the process that comes after this one, at once or when that is possible."""
        if self.state is _OPEN:
            self.set_state(ClientState.LEAVING)
        self.close_if_done()

    def _leave_now(self) -> None:
        begun = self.stream.rest()
        # A long request is read to its end here.
        if self.pauses or len(begun) > MOST or self.stream.place is ClientPlace.SWALLOWING:
            self.set_state(_OPEN)
            self.read_requests()
            self.settle()
        elif self.frontend.leaving.give(self.fd, begun):
            self.abort()

    def begin(self, data: bytes) -> None:
        """Takes what another process has read of this client's next request."""
        self.stream.receive(data)
        self.parse()
        self.settle()

    def close_if_done(self) -> None:
        """Closes the connection when nothing more is to come, or leaves."""
        if self.queue or self.out or self.unsent:
            return
        waits = self.stream.place is ClientPlace.WAITING
        if self.state is ClientState.LEAVING:
            if not waits:
                self._leave_now()
        elif self.state is _DRAINING or (self.state is ClientState.ENDED and not waits):
            self.abort()

    def abort(self) -> None:
        """Closes the connection; answers that are still to come go nowhere."""
        if self.state is _CLOSED:
            return
        self.set_state(_CLOSED)
        self.frontend.forget(self)
        self.loop.close_later(self.fd)
        if self.transfer is not None:
            self.transfer.cancel()
            self.transfer = None
        self.queue.clear()
        self._asks_again.clear()
        self.forget_unsent()
        self.stream.take_rest()
