"""Destinations that answer by a script, at once or when told to, and a sink that takes exactly one reply."""

from typing import Any, Dict, List, Optional, Tuple

from mcrouter.proto import outcomes as o
from mcrouter.proto.client.parser import RequestParser, RunPlan
from mcrouter.proto.commands import COMMANDS, VALUES
from mcrouter.proto.request import Request
from mcrouter.proto.runs import request_patterns
from mcrouter.routes.framework.pool import Pool

STRETCHES = request_patterns()


class Client:
    """Whose requests they are."""

    repeats = True
    waits = True
    can_wait = False
    connection_number = 0

    @property
    def owner(self) -> "Client":
        """The client whose order its writes are part of."""
        return self

    def when_abandoned(self, request: Request, call) -> None:
        """No errors are expected."""

    def may_repeat(self, request: Request) -> bool:
        """Whether that changes nothing, nor what it has sent since."""
        return self.repeats and request.repeatable()

    def awaits(self, _request: Request) -> bool:
        """Whether it has not been answered yet."""
        return self.waits


CLIENT = Client()
Answer = Tuple[bytes, bytes]
STORED: Answer = (b"STORED\r\n", o.STORED)
NOT_STORED: Answer = (b"NOT_STORED\r\n", o.NOT_STORED)
NOT_FOUND: Answer = (b"NOT_FOUND\r\n", o.NOT_FOUND)
EXISTS: Answer = (b"EXISTS\r\n", o.EXISTS)
DELETED: Answer = (b"DELETED\r\n", o.DELETED)
MISS: Answer = (b"END\r\n", o.MISS)
SERVER_ERROR: Answer = (b"SERVER_ERROR out of memory\r\n", o.SERVER_ERROR)
CLIENT_ERROR: Answer = (b"CLIENT_ERROR bad data chunk\r\n", o.CLIENT_ERROR)
ERROR: Answer = (b"ERROR\r\n", o.ERROR)
NO_HEALTHY: Answer = (b"SERVER_ERROR mcrouter: no healthy upstream\r\n", o.UNAVAILABLE)


def request(data: bytes) -> Request:
    """The one request (or run) that `data` is."""
    parser = RequestParser(Request, STRETCHES, RunPlan(True, True, True))
    made: Request = parser.next(data, 0, CLIENT)
    assert parser.at == len(data)
    return made


def block(key: bytes, value: bytes) -> bytes:
    """A VALUE block."""
    return b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(value), value)


def hit(key: bytes, value: bytes) -> Answer:
    """A get's hit."""
    return block(key, value) + b"END\r\n", o.VALUE


class Sink:
    """Takes one reply, and only one."""

    def __init__(self) -> None:
        self.got: Optional[Answer] = None

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """The reply."""
        assert self.got is None, "two replies to one request"
        self.got = (reply, outcomes)


class Host:
    """A host that has `values`, and answers to what is in `says` (by the command's bytes) as that says.

    With `holds` it answers only when `answer` or `fail` is called.
    """

    def __init__(self, name: str, values: Optional[Dict[bytes, bytes]] = None, says: Any = None, holds: bool = False) -> None:
        self.name = name
        self.healthy = True
        self.refuses_connections = True
        self.journal: Any = None
        self.has_missed: List[bytes] = []
        self.skipped: List[bytes] = []
        self.values = values or {}
        self.says: Dict[bytes, Answer] = says or {}
        self.holds = holds
        self.asked: List[bytes] = []
        self._pending: List[Tuple[Request, Any]] = []

    def send(self, request: Request, sink: Any, since: Optional[float] = None) -> None:
        """Asks it."""
        assert request.client.owner is CLIENT
        self.asked.append(request.data)
        self._pending.append((request, sink))
        if not self.holds:
            self.answer()

    def record_skipped(self, request: Request) -> None:
        """Notes it, and, if it is to be made up for, that it was missed."""
        self.skipped.append(request.data)
        if self.journal is not None and not request.reads_only():
            self.record_missed_write(request)

    def record_missed_write(self, request: Request) -> None:
        """Notes it."""
        self.has_missed.append(request.data)

    def answer(self) -> None:
        """Answers the oldest request."""
        request, sink = self._pending.pop(0)
        answers = [self._single(data) for data in request.split()]
        sink.on_reply(b"".join(reply for reply, _ in answers), b"".join(outcome for _, outcome in answers))

    def fail(self, code: bytes = o.TIMEOUT) -> None:
        """Fails the oldest request, all of it, as the engine does."""
        request, sink = self._pending.pop(0)
        reply, outcome = self.failure(code)
        sink.on_reply(reply * len(request.commands), outcome * len(request.commands))

    def failure(self, code: bytes = o.TIMEOUT) -> Answer:
        """What a failed command gets."""
        return b"SERVER_ERROR mcrouter: %b: it failed\r\n" % self.name.encode(), code

    def _single(self, data: bytes) -> Answer:
        if data in self.says:
            return self.says[data]
        made = request(data)
        if COMMANDS[made.commands[0]].reply != VALUES:
            return STORED
        keys = made.keys()
        found = [block(key, self.values[key]) for key in keys if key in self.values]
        return b"".join(found) + b"END\r\n", o.VALUE if len(found) == len(keys) else o.PARTIAL if found else o.MISS


def ask(route: Any, data: bytes) -> Sink:
    """Starts a request; the sink may have its reply already."""
    sink = Sink()
    route.start(request(data), sink)
    return sink


def answer(route: Any, data: bytes) -> Optional[Answer]:
    """What a request gets at once."""
    return ask(route, data).got


def set_health(pool: Pool, host: Host, healthy: bool) -> None:
    """The host went or came back."""
    host.healthy = healthy
    pool.refresh()
