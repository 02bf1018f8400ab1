"""A source of requests: a client's connection (connection.py) or a call of the program around the router (call.py)."""

import collections
from typing import TYPE_CHECKING, Any, Callable, Deque, List, Optional

from ...proto.commands import COMMANDS
from ...proto.reply import TOO_LARGE, AnyReply
from ...proto.request import Request

if TYPE_CHECKING:
    from ...proto.client.stream import ClientStream
    from ...proto.reply import WholeReply
    from ...proto.seams import Destination
    from ..seams import Shared


class RequestSource:
    """Base class of the sources of requests: what is in flight, in order. `frontend` is what all sources share,
    `connection_number` says which of a host's connections the requests take."""

    __slots__ = ("_last", "_unrepeatable", "connection_number", "frontend", "held_bytes", "loop", "queue")

    stream: "ClientStream"

    def __init__(self, frontend: "Shared", connection_number: int) -> None:
        self.frontend = frontend
        self.loop = frontend.loop
        self.connection_number = connection_number
        self.queue: "Deque[ClientRequest]" = collections.deque()
        self.held_bytes = 0  # of its requests in flight, and of replies that wait for their turn
        self._last: Optional[ClientRequest] = None  # the last request up to which `_unrepeatable` is known
        self._unrepeatable: Optional[ClientRequest] = None  # the last request that may not be asked again

    @property
    def owner(self) -> "RequestSource":
        """The source in whose order the writes of its requests stand: this one."""
        return self

    is_background = False  # a client, or the program, waits for the answers
    can_wait = False  # whether `pause` keeps it from starting requests

    def must_wait(self, request: Request) -> bool:
        """Returns whether an earlier request may yet go to another host, which must not have this one by then.

        `get k`, `set k` pipelined: when the get misses at the first host and goes on to the second, the set must not
        be there already, or the get would answer with a value from its future.
        """
        if request.commands[0] >= len(COMMANDS):
            return False
        routes_by_command, reads, keys = self.frontend.routes_by_command, request.reads_only(), None
        for earlier in self.queue:
            if (
                earlier.reply is None
                and routes_by_command[earlier.commands[0]].may_ask_another_host
                and not (reads and earlier.reads_only())
            ):
                keys = keys or set(request.names())
                if not keys or not keys.isdisjoint(earlier.names()):
                    return True
        return False

    def may_repeat(self, request: Request) -> bool:
        """Returns whether a request that no host has answered may be asked again: neither it nor any later request
        changes anything."""
        queue, origin, last = self.queue, request.origin or request, self._find_unrepeatable()
        for earlier in queue:
            if earlier is origin:
                return last is None or last not in queue
            if earlier is last:
                return origin in queue
        return False

    def _find_unrepeatable(self) -> "Optional[ClientRequest]":
        """Returns the last request in flight that may not be asked again, or one that is answered. Looks at each
        request once."""
        known, newest = self._last, self.queue[-1] if self.queue else None
        if newest is not known:
            for later in reversed(self.queue):
                if later is known:
                    break
                if later.commands[0] < len(COMMANDS) and not later.repeatable():
                    self._unrepeatable = later
                    break
            self._last = newest
        return self._unrepeatable

    def awaits(self, request: Request) -> bool:
        """Returns whether the answer is still due to this request, or to the one that it was made of."""
        origin = request.origin or request
        return origin.reply is None and origin in self.queue

    def gather(self, request: Request, size: int) -> None:
        """Counts bytes that are held for a request until it is answered: its own, or replies that its route keeps."""
        origin: Any = request.origin or request
        if self.awaits(origin):
            origin.gathered = getattr(origin, "gathered", 0) + size
            self.held_bytes += size

    def may_hold(self, size: int) -> bool:
        """Returns whether a reply of this size may be kept for it, while memory is short (memory.py)."""
        return True

    def may_ask_again(self, request: Request) -> bool:
        """Returns whether a get in flight may be asked again later: no request after it, answered or not, changes
        anything. A get whose answer is not awaited any more will not be asked again."""
        return (request.origin or request) not in self.queue or self.may_repeat(request)

    def answer(self, request: "ClientRequest", reply: AnyReply, outcomes: bytes, is_counted: bool = False) -> None:
        """The one way out of a reply: counts it, unless its host has (`is_counted`), and delivers it as its client sees
        it. One that is too large to be held is asked for again. After the first reply, which an unexpected error may
        have given, others are dropped."""
        if request.reply is not None:
            return
        if reply is TOO_LARGE:
            if self.awaits(request):  # else it has been answered already, at once
                self.too_large(request)
            return
        if not is_counted:
            self.frontend.count(request, outcomes)
        if request.rendering is not None:  # Request.shown() in place, a call less
            reply = request.rendering.shown(reply, outcomes)
        if type(reply) is list:
            self.in_turn(request, reply)
        else:
            self.deliver(request, reply)

    def deliver(self, request: "ClientRequest", reply: Any) -> None:
        """Takes what the client is sent for a request, in one piece; it leaves when all before it have left."""
        raise NotImplementedError

    def in_turn(self, request: "ClientRequest", reply: "WholeReply") -> None:
        """The same for bytes or a list of pieces."""
        raise NotImplementedError

    def will_ask_again(self, request: Request) -> None:
        """Called before a get is asked again later, as `may_ask_again` has allowed."""
        raise NotImplementedError

    def too_large(self, request: "ClientRequest") -> None:
        """Asks for a reply again, in a way that needs no memory for all of it, when its turn has come."""
        raise NotImplementedError

    def when_abandoned(self, request: Request, call: Callable[[], None]) -> None:
        """Has `call` called if an unexpected error ends the work for this request, whose reply may then never come."""
        origin: Any = request.origin or request
        origin.on_abandon = [*getattr(origin, "on_abandon", ()), call]

    @staticmethod
    def _abandon(origin: Request) -> None:
        for call in getattr(origin, "on_abandon", ()):
            call()

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """Answers the client's request, which `request` is or was made of, with an error, unless it has its answer."""
        origin: Any = request.origin or request
        self._abandon(origin)
        if not self.awaits(origin):
            return
        if origin.commands[0] < len(COMMANDS):
            self.answer(origin, reply, outcomes)
        else:
            self.deliver(origin, reply)


class ClientRequest(Request):
    """A client's request, which is the last sink of its reply. Few have the attributes `on_abandon`, what
    `when_abandoned` was given, and `gathered`, the bytes that `gather` has counted."""

    __slots__ = ("gathered", "on_abandon")

    gathered: int
    on_abandon: List[Callable[[], None]]
    takes_pieces = True  # a reply may be a list of pieces

    def on_reply(self, reply: AnyReply, outcomes: bytes) -> None:
        """Takes the reply of its route."""
        self.client.answer(self, reply, outcomes)

    def may_ask_another_host(self) -> bool:
        """Returns whether its route asks another host after the first one has failed or missed."""
        return bool(self.client.frontend.routes_by_command[self.commands[0]].may_ask_another_host)

    def on_failure(self, host: "Destination", reply: bytes, outcomes: bytes) -> None:
        """Takes the reply, not a success, of a host that got this request as its own sink: its route continues."""
        self.client.frontend.routes_by_command[self.commands[0]].after_failure(self, self, host, reply, outcomes)
