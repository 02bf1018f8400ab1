"""Bytes fed to the streams of clients and hosts as the engine feeds them, and what comes out of them."""

from typing import Any, Iterable, List, NamedTuple, Sequence

from mcrouter.proto.client.parser import RequestParser, RunPlan
from mcrouter.proto.client.stream import ClientPlace, ClientStream
from mcrouter.proto.commands import COMMANDS
from mcrouter.proto.host.stream import HostStream
from mcrouter.proto.replies import ProtocolError
from mcrouter.proto.request import ANSWERED, CLOSE, INQUIRY, Request
from mcrouter.proto.runs import MAX_RUN, PatternCache, RequestPatterns, reply_patterns, request_patterns

PLANS = (RunPlan(), RunPlan(gets=True), RunPlan(sets=True), RunPlan(True, True), RunPlan(True, True, True))
_OFTEN = 32  # a length gets its pattern when it is seen so often
_WARM_SIZES = (*range(41), 100)


def _warm(sizes: PatternCache) -> PatternCache:
    for size in _WARM_SIZES:
        for _ in range(_OFTEN):
            sizes.get(size)
    return sizes


WARM_REQUESTS = RequestPatterns(*map(_warm, request_patterns()))
WARM_REPLIES = _warm(reply_patterns())


def split(data: bytes, cuts: Iterable[int]) -> List[bytes]:
    """`data` in pieces, cut at these places (modulo its length)."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in zip(places, places[1:]) if a < b]


def bytewise(data: bytes) -> List[bytes]:
    """`data` byte by byte."""
    return [data[i : i + 1] for i in range(len(data))]


class Command(NamedTuple):
    """What became of one command: its name (or `answer`, `close`, `inquiry`), its bytes, and which outcomes are hidden."""

    name: str
    data: bytes
    hidden: bytes = b""


class _Counting(RequestParser):
    """A parser that counts: `calls` of `next`, and `offered`, the bytes that were looked at in vain."""

    calls = offered = 0
    _nested = False

    def next(self, data: bytes, at: int, client: Any, room: int = MAX_RUN) -> Any:
        """The same as of any parser."""
        if self._nested:  # behind what was swallowed
            return super().next(data, at, client, room)
        self.calls += 1
        swallows, self._nested = not self.at_boundary(), True
        request = super().next(data, at, client, room)
        self._nested = False
        assert at <= self.at <= len(data)
        if request is None:
            assert self.at == at or swallows
            self.offered += len(data) - self.at
        else:
            assert at < self.at
        return request


class ClientFeed:
    """A client's stream, without sockets and windows."""

    def __init__(self, plan: RunPlan = PLANS[0], room: int = 64, patterns: RequestPatterns = WARM_REQUESTS) -> None:
        self.parser = _Counting(Request, patterns, plan)
        self.stream = ClientStream(self.parser)
        self.room = room
        self.requests: List[Request] = []
        self.closed = False

    @property
    def calls(self) -> int:
        """How often the parser was asked."""
        return self.parser.calls

    @property
    def offered(self) -> int:
        """Bytes that it looked at in vain."""
        return self.parser.offered

    def received(self, data: bytes) -> None:
        """One read."""
        if self.closed:
            return
        self.stream.receive(data)
        while not self.closed:
            request = self.stream.next(None, self.room)
            if request is None:
                break
            self.requests.append(request)
            self.closed = request.commands == CLOSE
        assert self.closed or (self.stream.place is ClientPlace.WITHIN) == (self.stream.size() > 0)

    def rest(self) -> bytes:
        """What is not parsed."""
        return b"" if self.closed else self.stream.rest()


def as_commands(requests: Iterable[Request]) -> List[Command]:
    """The commands, each for itself."""
    shown = []
    for request in requests:
        if request.commands == CLOSE:
            shown.append(Command("close", request.data))
        elif request.commands == ANSWERED:
            shown.append(Command("answer", request.data))
        elif request.commands == INQUIRY:
            shown.append(Command("inquiry", request.data))
        else:
            pairs = zip(request.commands, request.split())
            shown += [Command(COMMANDS[kind].name, data, request.rendering.hidden if request.rendering else b"") for kind, data in pairs]
    return shown


def parse(pieces: Sequence[bytes], plan: RunPlan = PLANS[0], room: int = 64, patterns: Any = WARM_REQUESTS) -> Any:
    """(the commands, what is left) of a stream that comes in these pieces."""
    feed = ClientFeed(plan, room, patterns)
    for piece in pieces:
        feed.received(piece)
    return as_commands(feed.requests), feed.rest()


class Reply(NamedTuple):
    """One reply, and what the cutter says about it."""

    data: bytes
    outcomes: bytes
    values: int
    misses: int


class HostFeed:
    """A host's stream and the requests that are due, as engine/hosts/connections/connection.py has them."""

    def __init__(self, requests: Iterable[Request], patterns: PatternCache = WARM_REPLIES) -> None:
        self.stream = HostStream(patterns)
        self.inflight = list(requests)
        self.replies: List[Reply] = []

    def received(self, data: bytes) -> None:
        """One read."""
        stream = self.stream
        stream.receive(data)
        while stream.more:
            if not self.inflight:
                raise ProtocolError("nobody asked")
            reply = stream.next(self.inflight[0])
            if reply is None:
                return
            assert len(stream.outcomes) == len(self.inflight.pop(0).commands)
            self.replies.append(Reply(reply, stream.outcomes, stream.hits, stream.misses))


class Watched:
    """A cutter whose `cut` is another."""

    def __init__(self, cutter: Any, cut: Any) -> None:
        self.__dict__.update(cutter=cutter, cut=cut)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cutter, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.cutter, name, value)


def cut(requests: Iterable[Request], pieces: Sequence[bytes], patterns: Any = WARM_REPLIES) -> List[Reply]:
    """The replies to these requests out of a stream that comes in these pieces."""
    feed = HostFeed(requests, patterns)
    for piece in pieces:
        feed.received(piece)
    return feed.replies


def request(data: bytes, plan: RunPlan = PLANS[-1]) -> Request:
    """The one request (or run) that `data` is."""
    feed = ClientFeed(plan)
    feed.received(data)
    (made,) = feed.requests
    return made
