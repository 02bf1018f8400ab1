"""A call of the program around the router: some requests, and their answers, without a connection.

    ask (any thread) ──► loop: Call.start ──► parser ──► routes ──► ... hosts ...
       waits ◄─────────────────────────────── all answered ◄──────────┘

Each call is a client of its own. Two calls have no order between them, except that which their threads give.
"""

import threading
from typing import TYPE_CHECKING

from ...proto.client.parser import RequestParser
from ...proto.client.stream import ClientPlace, ClientStream
from ...proto.guard import guarded
from ...proto.request import Request
from ...proto.runs import MAX_RUN
from .source import ClientRequest, RequestSource

if TYPE_CHECKING:
    from ...proto.reply import Pieces, WholeReply
    from ..seams import Shared


class Ended(Exception):
    """The event loop has ended, or is ending."""


class ProgramCall(RequestSource):
    """One call. `data` has whole requests; `answers` collects what a connection would have read."""

    __slots__ = ("_all_asked", "_busy", "_data", "_over", "answers", "cut", "ended", "stream")

    def __init__(self, frontend: "Shared", connection_number: int, data: bytes) -> None:
        super().__init__(frontend, connection_number)
        parser = RequestParser(ClientRequest, frontend.patterns, frontend.plan, style=frontend.style)
        self.stream = ClientStream(parser)
        self._data = data
        self._all_asked = False
        self._busy = False
        self._over = threading.Event()
        self.answers: Pieces = []
        self.cut = False  # the last request is not whole
        self.ended = False  # the event loop has ended before all was answered

    def start(self) -> None:
        """Sends the requests to their routes; in the loop's thread."""
        if self.frontend.draining:
            self.ended = True
            self._over.set()
            return
        self.stream.parser.plan = self.frontend.plan
        self.stream.receive(self._data)
        self.frontend.calls.add(self)
        try:
            self._ask_next()
        except Exception:  # a bug must not keep the caller waiting
            self.abort()
            raise

    def wait(self) -> None:
        """Waits until all is answered; in any other thread. Every request has a time limit, so this ends."""
        self._over.wait()

    def _ask_next(self) -> None:
        """Starts requests as far as the order of answers allows."""
        self._busy = True
        while not self._all_asked:
            request = self.stream.next(self, MAX_RUN)
            if request is None or request.large_value is not None:
                self.cut = request is not None or self.stream.place is not ClientPlace.BOUNDARY
                self.drain()
            elif self.queue and self.frontend.needs_ordering and self.must_wait(request):
                self.stream.put_back()
                break
            else:
                request.started = self.loop.now
                self.queue.append(request)
                guarded(request, self.frontend.routes_by_command[request.commands[0]].start, request, request)
        self._busy = False
        self._end_if_done()

    def _end_if_done(self) -> None:
        if not self.queue and self._all_asked:
            self.frontend.calls.discard(self)
            self._over.set()
            self.frontend.check_empty()

    def deliver(self, request: ClientRequest, reply: "WholeReply") -> None:
        """Takes a request's reply, bytes or a list of pieces."""
        request.reply = reply
        queue = self.queue
        while queue and queue[0].reply is not None:
            head = queue.popleft().reply
            if type(head) is list:
                self.answers += head
            else:
                self.answers.append(head)
        if not self._busy and self in self.frontend.calls:
            self._ask_next()

    in_turn = deliver

    def may_ask_again(self, request: Request) -> bool:
        """Returns False: a large value is held whole, since there is no connection through which it could stream."""
        return False

    def pause(self) -> None:
        """Has no effect: all requests of the call are there already."""

    def resume(self) -> None:
        """Has no effect."""

    def drain(self) -> None:
        """Starts no further request: one has come at which a connection would be closed."""
        self._all_asked = True

    def abort(self) -> None:
        """Ends the call without the answers that are missing: the loop ends."""
        self.frontend.calls.discard(self)
        self.ended = True
        self._over.set()


def ask(frontend: "Shared", connection_number: int, data: bytes) -> bytes:
    """Returns what a client that sends `data`, whole requests, over one connection is answered.

    May be called from any thread but the loop's. Raises Ended when the loop ends before all is answered, ValueError
    when the last request is not whole.
    """
    loop = frontend.loop
    if loop.thread == threading.get_ident():
        raise RuntimeError("the event loop's own thread cannot wait for an answer; ask from another one")
    call = ProgramCall(frontend, connection_number, data)
    if not loop.call_soon_threadsafe(call.start):
        raise Ended
    call.wait()
    if call.ended:
        raise Ended
    if call.cut:
        raise ValueError("the last request is not whole; end its line, or its value, with \\r\\n")
    return b"".join(call.answers)
