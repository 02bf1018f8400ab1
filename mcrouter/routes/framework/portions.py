"""Divides requests for several items (the keys of a get, the commands of a run) among routes, and joins the answers in
the order of the request."""

from typing import List, Sequence, Tuple

from ...proto import outcomes as o
from ...proto.replies import split_reply
from ...proto.reply import TOO_LARGE, Reply, unstreamed
from ...proto.request import GET, Request
from ...proto.seams import Sink
from .base import Route, part
from .keyed import Gathering, for_keys, has_several_keys


def size(request: Request) -> int:
    """Returns the number of items in the request: the keys of a get, or the commands of a run."""
    if request.key is not None:
        return 1
    return len(request.keys()) if has_several_keys(request) else len(request.commands)


def commands(request: Request) -> bytes:
    """Returns the command of each item in the request."""
    return request.commands if len(request.commands) > 1 else request.commands * size(request)


def portion(request: Request, places: Sequence[int]) -> Request:
    """Returns a request for the items at these places."""
    if len(request.commands) == 1:
        keys = request.keys()
        return for_keys(request, [keys[place] for place in places])
    lines, expected = request.split(), request.expected
    its_commands = bytes(request.commands[place] for place in places)
    made = part(request, its_commands, b"".join(lines[place] for place in places))
    if len(places) > 1:
        made.expected = [expected[place] for place in places] if expected else None
    elif expected:
        made.key = expected[places[0]] if its_commands[0] == GET else b""
    return made


def divide(request: Request, sink: Sink, shares: Sequence[Tuple[Route, List[int]]]) -> None:
    """Asks each route for the items at its places. Together the places are all places of the request, each once."""
    shares = [(route, places) for route, places in shares if places]
    if len(shares) == 1:
        shares[0][0].start(request, _Passing(sink))
    elif len(request.commands) == 1:
        gathering = Gathering(request, sink, len(shares))
        for route, places in shares:
            route.start(portion(request, places), gathering)
    else:
        whole = _Whole(request, sink, len(shares))
        for route, places in shares:
            asked = portion(request, places)
            route.start(asked, _Portion(whole, asked, places))


class _Passing:
    """Passes an answer on. As this sink is not the request itself, the route handles its failures by itself."""

    __slots__ = ("on_reply",)

    def __init__(self, sink: Sink) -> None:
        self.on_reply = sink.on_reply


class _Whole:
    """A run whose portions are under way."""

    __slots__ = ("_codes", "_replies", "_sink", "_waiting")

    def __init__(self, request: Request, sink: Sink, waiting: int) -> None:
        self._sink = sink
        self._waiting = waiting
        self._codes = bytearray(len(request.commands))
        self._replies: List[Reply] = [b""] * len(request.commands)

    def add(self, places: List[int], replies: Sequence[Reply], outcomes: bytes) -> None:
        """Takes the answers to a portion; passes the whole answer on after the last portion."""
        for place, reply, code in zip(places, replies, outcomes):
            self._replies[place] = reply
            self._codes[place] = code
        self._waiting -= 1
        if self._waiting:
            return
        if any(reply is TOO_LARGE for reply in self._replies):
            self._sink.on_reply(TOO_LARGE, o.VALUE * len(self._codes))
        else:
            self._sink.on_reply(b"".join(map(unstreamed, self._replies)), bytes(self._codes))


class _Portion:
    """The sink of a portion of a run."""

    __slots__ = ("_asked", "_places", "_whole")

    def __init__(self, whole: _Whole, asked: Request, places: List[int]) -> None:
        self._whole = whole
        self._asked = asked
        self._places = places

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer to the portion."""
        whole = reply is TOO_LARGE or len(outcomes) == 1
        replies = [reply] * len(outcomes) if whole else split_reply(unstreamed(reply), self._asked.commands, outcomes)
        self._whole.add(self._places, replies, outcomes)
