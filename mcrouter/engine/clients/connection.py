"""A client's connection: its requests go to their routes, and their replies back to it, in the order of the requests.

    read ──► stream ──► request ──► route ──► ... hosts ...
                          │                      │ on_reply, in any order
                          ▼                      ▼
                  queue: [r1 | r2 | r3]   r2 answered: waits for r1
                          │ r1 answered: r1 and r2 leave together
                          ▼
                  out ──(flush: one write a tick)──► client

Example: a client pipelines `get a`, `get b`, which go to two hosts. b's host answers first: r2 keeps its reply. When
a's host answers, both replies leave in one write, in the order of the requests.

Most clients send one request and wait. While no bit of `blocks` is set (outbox.py), a read that is one get or set goes
straight to the host connection that its route would choose anyway, and its reply straight to the socket.
"""

from typing import TYPE_CHECKING, Set

from ...proto.client.parser import parse_single
from ...proto.client.stream import ClientPlace
from ...proto.reply import TOO_LARGE
from ...proto.request import Request
from ...system.logs import get_logger
from ..poller import IN, OUT
from ..stream import SocketStream
from .handover import MOST
from .inbox import ClientInbox
from .large_values import Download, Upload
from .memory import REQUEST, weight
from .outbox import ASKS_AGAIN, BACKLOG, ENDING, IDLE_CHECKED, READABLE, THROTTLED, ClientState
from .source import ClientRequest

if TYPE_CHECKING:
    from ...proto.reply import AnyReply, Piece, WholeReply
    from ..seams import Shared

logger = get_logger(__name__)

_READABLE = IN | OUT  # epoll's report on a connection with something to read and room to write
_CLOSED, _DRAINING, _OPEN = ClientState.CLOSED, ClientState.DRAINING, ClientState.OPEN


class ClientConnection(ClientInbox):
    """A client's connection."""

    __slots__ = ("_asks_again", "counted", "counted_at", "fast_path")

    def __init__(self, frontend: "Shared", wire: SocketStream, connection_number: int) -> None:
        super().__init__(frontend, wire, connection_number)
        self.fast_path = frontend.fast_path[connection_number]
        self._asks_again: Set[Request] = set()  # requests whose replies were not kept; ASKS_AGAIN while there are any
        self.counted = 0  # bytes of replies that it holds, or more (memory.py)
        self.counted_at = 0.0  # when they were counted

    # the fast path ------------------------------------------------------------------------------------------------

    def on_event(self, mask: int) -> None:
        """Takes the poller's report: on the fast path, sends a lone request to its host connection."""
        if mask != _READABLE or self.blocks or self.queue:
            self.on_any_event(mask)
            return
        try:
            data = self.recv(self.read_size)
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
                route = self.frontend.keyed[request.commands[0]]
                try:
                    host = route.direct_host(request) if route is not None else None
                    connection = host.connections[self.connection_number] if host is not None else None
                except Exception:  # a bug: on the general way its exception costs this request alone
                    logger.exception("unexpected error; the request takes the general way")
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

    def deliver(self, request: ClientRequest, reply: "Piece") -> None:
        """Sends a request's reply, and all that waits behind it. A reply to the one request in flight goes straight to
        the socket."""
        queue = self.queue
        if not self.blocks and len(queue) == 1 and queue[0] is request and reply:
            queue.popleft()
            self.held_bytes = 0
            try:
                sent = self.send(reply)
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

    def in_turn(self, request: ClientRequest, reply: "WholeReply") -> None:
        """Takes a request's reply, bytes or a list of pieces; it leaves at the end of the tick, after those before
        it."""
        request.reply = reply
        if self._asks_again:
            self._forget_to_ask_again(request)
        queue = self.queue
        if not queue:
            return
        self.held_bytes -= getattr(request, "gathered", 0)
        request.gathered = 0
        if queue[0] is not request:
            request.gathered = weight(reply)
            self.held_bytes += request.gathered
        else:
            out = self.out
            self.collect()
            while queue:
                head = queue[0].reply
                if head is None:
                    break
                if head is TOO_LARGE:
                    self._download()
                    break
                self.held_bytes -= queue[0].gathered
                if type(head) is list:
                    out += head
                else:
                    out.append(head)
                queue.popleft()
            if not queue:
                self.held_bytes = 0

    def written(self) -> None:
        """Continues after the client has taken all that was sent to it."""
        if self.transfer is not None:
            self.transfer.resume()
        if self.blocks & (READABLE | BACKLOG):
            self.read_more()
        if self.blocks & ENDING:
            self.close_if_done()
        self.settle()

    # large values ---------------------------------------------------------------------------------------------------

    def begin_upload(self, request: ClientRequest) -> None:
        """Starts the upload of a large value, of which the stream has the first bytes."""
        self.pause()
        transfer = self.transfer = Upload(self, request, self.frontend.routes_by_command[request.commands[0]])
        rest = transfer.feed(self.stream.take_rest())
        if rest and self.state is not _CLOSED:
            self.stream.give_back(rest)
        self.read_more_later()

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """Answers a request with an error, as any RequestSource does; a transfer takes the failure of its own
        request."""
        if self.transfer is not None and self.transfer.serves(request):
            self._abandon(request.origin or request)
            self.transfer.fail(request, reply, outcomes)
        else:
            super().fail(request, reply, outcomes)

    def will_ask_again(self, request: Request) -> None:
        """Notes that there was no room for a host's reply to this request. Its route may still wait for other hosts;
        until the request has its answer, no later request is started."""
        if self.awaits(request):
            self._asks_again.add(request.origin or request)
            self.blocks |= ASKS_AGAIN

    def _forget_to_ask_again(self, request: Request) -> None:
        """Drops that note: the request has its answer, or is asked again now."""
        self._asks_again.discard(request)
        if not self._asks_again:
            self.blocks &= ~ASKS_AGAIN

    def too_large(self, request: ClientRequest) -> None:
        """Asks again, when its turn has come, for a reply that is too large to be held."""
        self._forget_to_ask_again(request)
        self.pause()
        self.window = 1
        request.reply = TOO_LARGE
        if self.queue and self.queue[0] is request:
            self._download()

    def _download(self) -> None:
        request = self.queue[0]
        self.transfer = Download(self, request, self.frontend.routes_by_command[request.commands[0]])
        self.loop.call_soon(self.transfer.next)

    def transferred(self, request: ClientRequest, reply: "AnyReply", outcomes: bytes) -> None:
        """Takes the answer of a transfer; `reply` is the part that the client has not got yet."""
        if self.state is not _CLOSED:
            request.reply = None  # it was TOO_LARGE
            self.answer(request, reply, outcomes)

    def transfer_over(self, transfer: object) -> None:
        """Ends a transfer: the client's next requests may start."""
        if self.transfer is transfer:
            self.transfer = None
            self.resume()

    def is_gone(self) -> bool:
        """Returns whether the connection is closed, so that no answer is of use any more."""
        return self.state is _CLOSED

    # limits -------------------------------------------------------------------------------------------------------

    def check_idle(self) -> int:
        """Returns how often this was called since the client last did something, or waited for an answer or for memory
        (THROTTLED). A client that does not read its answers does not wait. The next event takes the general way, which
        resets the count."""
        waits = bool(self.queue or self.blocks & THROTTLED) and not self.unsent
        sends = self.transfer is not None and self.transfer.wanted()  # the client owes the rest of a large value
        self.idle_checks = 0 if waits and not sends else self.idle_checks + 1
        self.blocks |= IDLE_CHECKED
        return self.idle_checks

    def may_hold(self, size: int) -> bool:
        """Returns whether a reply of this size may be kept for it, while memory is short. Replies behind one that is
        asked for again could not leave before it, so they are not kept either."""
        return not self.blocks & ASKS_AGAIN and self.frontend.memory.admits(self, size)

    def begun_bytes(self) -> int:
        """Returns the bytes of unfinished requests, of which no host has any part."""
        held_back = self.transfer.held_back() if self.transfer is not None else 0
        return held_back + self.stream.weight()

    def holds_replies(self) -> int:
        """Returns the bytes of replies, and of large requests, that its routes and this connection hold for it."""
        return self.held_bytes + self.unread() + (0 if self.transfer is None else self.transfer.holds())

    def holds(self) -> int:
        """Returns all bytes that are held for it."""
        return self.stream.weight() + REQUEST * len(self.queue) + self.holds_replies()

    def is_throttled(self) -> bool:
        """Returns whether it waits for memory."""
        return self.blocks & THROTTLED != 0

    def throttle(self, is_throttled: bool) -> None:
        """Stops reading from the client, so that others can continue, or resumes reading."""
        self.idle_checks = 0
        if is_throttled:
            self.blocks |= THROTTLED
            return
        self.blocks &= ~THROTTLED
        if self.state is not _CLOSED:
            self.loop.call_soon(self.resumed if self.transfer is None else self.read_available)

    # ending -------------------------------------------------------------------------------------------------------

    def ended(self) -> None:
        """Notes that the client has closed its side; it still gets the replies to its requests."""
        self.blocks &= ~READABLE
        self.set_state(ClientState.ENDED)
        self.close_if_done()

    def drain(self) -> None:
        """Takes no further request; closes when all requests are answered."""
        if self.state is not _CLOSED:
            self.set_state(_DRAINING)
            self.close_if_done()

    def leave(self) -> None:
        """Hands the client over to the next process, at once or when its requests are answered."""
        if self.state is _OPEN:
            self.set_state(ClientState.LEAVING)
        self.close_if_done()

    def _hand_over(self) -> None:
        begun = self.stream.rest()
        # A long request is read to its end here.
        if self.pauses or len(begun) > MOST or self.stream.place is ClientPlace.SWALLOWING:
            self.set_state(_OPEN)
            self.read_requests()
            self.settle()
        elif self.frontend.leaving.give(self, begun):
            self.abort()

    def begin(self, data: bytes) -> None:
        """Takes what the previous process has read of this client's next request."""
        self.stream.receive(data)
        self.parse()
        self.settle()

    def close_if_done(self) -> None:
        """Closes the connection, or hands it over, when all requests are answered and all replies are sent."""
        if self.queue or self.out or self.unsent:
            return
        waits = self.stream.place is ClientPlace.WAITING
        if self.state is ClientState.LEAVING:
            if not waits:
                self._hand_over()
        elif self.state is _DRAINING or (self.state is ClientState.ENDED and not waits):
            self.abort()

    def abort(self) -> None:
        """Closes the connection; replies that are still to come are dropped."""
        if self.state is _CLOSED:
            return
        self.set_state(_CLOSED)
        self.frontend.forget(self)
        self.loop.close_later(self.wire.detach())
        self.recv, self.send = self.wire.recv, self.wire.send  # another client may soon have the descriptor's number
        if self.transfer is not None:
            self.transfer.cancel()
            self.transfer = None
        self.queue.clear()
        self._asks_again.clear()
        self.forget_unsent()
        self.stream.take_rest()
