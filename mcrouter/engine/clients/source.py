"""The source of requests: a client's connection (client.py) or a call of the program around the router (call.py)."""

import collections
from typing import Any, Callable, Deque, List

from ...proto.commands import COMMANDS
from ...proto.reply import TOO_LARGE, Reply
from ...proto.request import Request


class RequestSource:
    """What is in flight, in order. `frontend` is what it shares with the others, `connection` which of a host's
    connections it rides."""

    __slots__ = ("_last", "_unrepeatable", "connection_number", "frontend", "kept", "loop", "queue")

    def __init__(self, frontend: Any, connection: int) -> None:
        self.frontend = frontend
        self.loop = frontend.loop
        self.connection_number = connection
        self.queue: "Deque[ClientRequest]" = collections.deque()
        self.kept = 0  # bytes of its requests in flight, and of replies that wait for their turn
        self._last: Any = None  # the last request up to which `_unrepeatable` is known
        self._unrepeatable: Any = None  # the last one that may not be asked again

    @property
    def owner(self) -> Any:
        """The client whose order a request's writes are part of: this one."""
        return self

    is_background = False  # the program or a client waits for its answers
    can_wait = False  # whether `pause` keeps it from asking for more

    def must_wait(self, request: Request) -> bool:
        """Whether an earlier request may yet be asked of another host, which must not have seen this one by then.

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
        """Whether a request may be asked again that no host has answered: it changes nothing, nor does what has been
        asked since."""
        queue, origin, last = self.queue, request.origin or request, self._find_unrepeatable()
        for earlier in queue:
            if earlier is origin:
                return last is None or last not in queue
            if earlier is last:
                return origin in queue
        return False

    def _find_unrepeatable(self) -> Any:
        """The last request in flight that may not be asked again; it may have left already. Each is looked at once."""
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
        """Whether it still waits for the answer to a request, or to the one that this was made of."""
        origin = request.origin or request
        return origin.reply is None and origin in self.queue

    def gather(self, request: Request, size: int) -> None:
        """Counts so many bytes that are held for a request until it is answered: its own, or what its route, or the
        router itself, has got for it."""
        origin: Any = request.origin or request
        if self.awaits(origin):
            origin.gathered = getattr(origin, "gathered", 0) + size
            self.kept += size

    def may_hold(self, size: int) -> bool:
        """Whether a reply of this size may be kept for it, while memory is short (memory.py)."""
        return True

    def may_ask_again(self, request: Request) -> bool:
        """Whether a get in flight may be asked again later: nothing that was asked after it, answered or not, changes
        anything. One whose answer is not waited for any more will not be asked again."""
        return (request.origin or request) not in self.queue or self.may_repeat(request)

    def answer(self, request: "ClientRequest", reply: Reply, outcomes: bytes, is_counted: bool = False) -> None:
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
        if request.rendering is not None:
            reply = request.rendering.shown(reply, outcomes)
        if type(reply) is list:
            self.in_turn(request, reply)
        else:
            self.deliver(request, reply)

    def deliver(self, request: Request, reply: Any) -> None:
        """Takes what the client is sent for a request, in one piece; it leaves when all before it have left."""
        raise NotImplementedError

    def in_turn(self, request: Request, reply: Any) -> None:
        """The same for bytes or a list of pieces."""
        raise NotImplementedError

    def too_large(self, request: Request) -> None:
        """Asks for a reply again, in a way that needs no memory for all of it, when its turn has come."""
        raise NotImplementedError

    def when_abandoned(self, request: Request, call: Callable[[], None]) -> None:
        """Calls if an unexpected error ends what is done for the request, of which an answer may then never come."""
        origin: Any = request.origin or request
        origin.let_go = [*getattr(origin, "let_go", ()), call]

    @staticmethod
    def _let_go(origin: Any) -> None:
        for call in getattr(origin, "let_go", ()):
            call()

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """Answers the client's request that `request` is, or was made of, unless it has its answer."""
        origin: Any = request.origin or request
        self._let_go(origin)
        if not self.awaits(origin):
            return
        if origin.commands[0] < len(COMMANDS):
            self.answer(origin, reply, outcomes)
        else:
            self.deliver(origin, reply)


class ClientRequest(Request):
    """A client's request; the last sink of all. `let_go` is what `when_abandoned` was given, `gathered` how many
    bytes are held for it until then (`gather`); few have them."""

    __slots__ = ("gathered", "let_go")

    gathered: int
    let_go: List[Callable[[], None]]
    takes_pieces = True  # a reply may be a list of pieces

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer of its route."""
        self.client.answer(self, reply, outcomes)

    def may_ask_another_host(self) -> bool:
        """Whether its route asks another host when the first has failed or has not got it."""
        return bool(self.client.frontend.routes_by_command[self.commands[0]].may_ask_another_host)

    def on_failure(self, host: Any, reply: bytes, outcomes: bytes) -> None:
        """The answer, not a success, of a host that was given the request as its own sink: its route sees to it."""
        self.client.frontend.routes_by_command[self.commands[0]].after_failure(self, self, host, reply, outcomes)
