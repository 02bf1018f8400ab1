"""A client's large value on its way: the client side of hosts/streaming.py.

A client does one transfer at a time, and nothing else meanwhile: what it asked before is answered first, what it asks
next waits. So its order holds without a shared lane.
"""

from typing import Any, List, Optional, Tuple

from ...proto import outcomes as o
from ...proto.client.lines import BAD_CHUNK
from ...proto.commands import COMMANDS, VALUES
from ...proto.guard import guarded
from ...proto.request import Request

_FIRST = 65536  # bytes of a value that must be there before hosts are asked
_BLOCK_END, _END = b"\r\n", b"END\r\n"


class Upload:
    """A large value that is being stored: the sink of its request, and the feeder of the lanes that carry it.

    Hosts are asked once a good part of the value has come, so that a client that announces one and sends nothing takes
    no host's connection. The client is answered as soon as the route has an answer, but goes on only when every host
    has done its part: what it asks next takes other connections, and must not get there first.

    A host that joins after the first piece has gone cannot have it any more (`may_start`): so a route that would try
    the next host when the first has failed gets an error there, and gives the better of the two answers.

    The last two bytes are sent when they are known to end the value: no host is sent a value that does not end where
    its length says.
    """

    def __init__(self, client: Any, request: Request, route: Any) -> None:
        self._client = client
        self._request = request
        self._route = route
        self._left: int = request.large_value  # bytes that the client has yet to send
        self._held: List[bytes] = []  # what has come, and is not sent yet
        self._begun = False
        self._answer: Optional[Tuple[bytes, bytes]] = None
        self._told = False
        self.connections: List[Any] = []
        request.large_value = self

    def may_start(self) -> bool:
        """Whether another host can still get all of it."""
        return not self._begun

    def is_fed(self) -> bool:
        """Whether the lanes have got all."""
        return not self._left

    def holds(self) -> int:
        """Bytes that are held of it."""
        return sum(map(len, self._held)) + sum(len(connection.unsent) for connection in self._at_work())

    def held_back(self) -> int:
        """Bytes that have come, of a value that hosts have not been asked to store yet."""
        return 0 if self._begun else sum(map(len, self._held))

    def wanted(self) -> int:
        """How many bytes may be read from the client now: none while a host has not taken the last piece."""
        return 0 if any(connection.unsent for connection in self._at_work()) else self._left

    def _at_work(self) -> List[Any]:
        return [connection for connection in self.connections if connection.serves(self)]

    def feed(self, data: bytes) -> bytes:
        """Takes bytes of the client's stream, and gives back what is not of this value."""
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        self._held.append(piece)
        if not self._begun and (not self._left or sum(map(len, self._held)) >= _FIRST):
            guarded(self._request, self._route.start, self._request, self)
            self._begun = True
        if self._begun:
            self._pass_on()
        return rest

    def _pass_on(self) -> None:
        data = b"".join(self._held)
        kept = max(0, len(_BLOCK_END) - self._left)  # bytes of its end that are there
        if not self._left and not data.endswith(_BLOCK_END):
            self._refuse()
            return
        end = len(data) - kept if self._left else len(data)
        self._held = [data[end:]]
        if end:
            for connection in self._at_work():
                connection.send(data[:end])
        self._end_if_done()

    def _refuse(self) -> None:
        """The value does not end where its length says: no host stores it, for none has been sent its end."""
        if self._answer is None:
            self._answer = BAD_CHUNK, o.CLIENT_ERROR
        for connection in self._at_work():
            connection.give_up("the value does not end where its length says")
        self._end_if_done()

    def resume(self) -> None:
        """A host has taken all it got, or has done its part."""
        self._end_if_done()
        self._client.read_more_later()

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """Takes the route's answer, the first one; it may come before all has gone."""
        if self._answer is not None:
            return
        self._answer = reply, outcomes
        self.resume()

    def serves(self, request: Request) -> bool:
        """Whether that is its request, or was made of it."""
        return (request.origin or request) is self._request

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """After an unexpected error: that is the answer, if there is none yet."""
        if self._answer is None:
            self._answer = reply, outcomes
        self._end_if_done()
        self._client.read_more_later()

    def _end_if_done(self) -> None:
        if self._answer is None or self._left:
            return
        if not self._told:
            self._told = True
            self._client.transferred(self._request, *self._answer)
        if not self._at_work():
            self._client.transfer_over(self)

    def cancel(self) -> None:
        """The client has gone: what cannot be whole any more is given up, and no further host is asked."""
        self._begun = True
        if self._left:
            for connection in self._at_work():
                connection.give_up("the client has gone")


class Download:
    """A reply too large to be held: its keys are asked for once more, one by one, through the route.

    | a get of several keys             | the answer                                     |
    | some are found, others fail       | the hits, then END: what fails is as a miss    |
    | none is found, some fail          | the first failure                              |
    | a value breaks off                | the connection closes: there is no other way to say that |

    So it is for small values, too (routes/framework/keyed.py). The next key is asked for when the client has taken what
    it got. The reader of the lanes that stream a value (streaming.py).
    """

    def __init__(self, client: Any, request: Request, route: Any) -> None:
        self._client = client
        self._request = request
        self._route = route
        self._left, self._lines = request.lines()  # keys that have no answer yet, and lines that have not been sent
        self._merges = len(request.commands) == 1 and COMMANDS[request.commands[0]].reply == VALUES  # one END for all
        self._found = False
        self._error = b""  # the first one
        self._failed = b""  # the outcomes of all that failed
        self._is_next = False  # as soon as the client has taken what it got
        self._asked: Any = None  # the sink of the key that is asked for now
        self._connection: Any = None  # that the current value comes from
        self.connections: List[Any] = []

    def may_start(self) -> bool:
        """Any host may be asked, until the key at hand has its answer."""
        return not self._asked.is_answered

    def is_fed(self) -> bool:
        """A get has no more to say."""
        return True

    def holds(self) -> int:
        """Bytes that are held of it, besides what the client is to read."""
        return sum(connection.holds() for connection in self.connections if connection.serves(self))

    def held_back(self) -> int:
        """Nothing of the client's is for it."""
        return 0

    def wanted(self) -> int:
        """Nothing of the client's is for it."""
        return 0

    def serves(self, request: Request) -> bool:
        """Whether that is its request, or was made of it."""
        return (request.origin or request) is self._request

    def next(self) -> None:
        """Asks for the next key."""
        self._is_next = not self.can_take()
        if self._is_next or self._client.is_gone():
            return
        part = Request(self._client, self._request.commands[:1], next(self._lines))
        part.started, part.large_value, part.origin = self._client.loop.now, self, self._request
        self.connections = []
        self._asked = _KeyAsked(self)
        guarded(part, self._route.start, part, self._asked)

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """After an unexpected error: that is the answer for the key at hand. A value that has begun cannot be ended.
        What was asked elsewhere may be held by a route that will never choose from it."""
        if self._connection is not None:
            self._client.abort()
            return
        for connection in self.connections:
            if connection.serves(self):
                connection.close()
        self._asked.on_reply(reply, outcomes)

    def answered(self, reply: Any, outcomes: bytes) -> None:
        """Takes the answer for one key: whole, or the lane that streams it."""
        if self._client.is_gone():
            if not isinstance(reply, bytes):
                reply.close()  # a route may have held it
        elif isinstance(reply, bytes):
            self._one_is_done(self._request.shown(reply, outcomes), outcomes)
        else:
            if self._request.rendering is not None:
                reply.begin_with(self._request.rendering.with_key)
            self._connection = reply
            reply.take(self)

    def piece(self, data: bytes) -> None:
        """Some of the value."""
        self._client.put(data)

    def can_take(self) -> bool:
        """Whether the client has taken what it got."""
        return not self._client.unsent

    def ended(self, tail: bytes) -> None:
        """All of the value has come."""
        self._connection = None
        self._one_is_done(tail, o.VALUE)

    def broken(self) -> None:
        """The host is lost in the midst of a value: nothing that could be said now would be understood."""
        self._connection = None
        self._client.abort()

    def resume(self) -> None:
        """The client has taken all it got."""
        if self._connection is not None:
            self._connection.resume()
        elif self._is_next:
            self.next()

    def _one_is_done(self, reply: bytes, outcomes: bytes) -> None:
        """Passes on what one key gave; of a get of several keys, what it found, and one END for all at the end."""
        self._left -= 1
        if outcomes not in o.ANSWERS:
            self._failed += outcomes
        if self._merges:
            reply = self._part(reply, outcomes in o.ANSWERS)
        self._client.put(reply)
        if self._left:
            self._client.loop.call_soon(self.next)
        else:
            self._client.transfer_over(self)  # first: the next in line may be such a one too
            failed = self._failed[:1] if self._merges else self._failed
            self._client.transferred(self._request, b"", b"" if self._merges and self._found else failed)

    def _part(self, reply: bytes, is_answer: bool) -> bytes:
        if not is_answer:
            self._error = self._error or reply
        found = reply[: -len(_END)] if is_answer else b""
        self._found = self._found or found != b""
        if self._left:
            return found
        return found + (_END if self._found else self._error or _END)

    def cancel(self) -> None:
        """The client has gone."""
        if self._connection is not None:
            self._connection.close()

    def abort(self) -> None:
        """After an unexpected error."""
        self._client.abort()


class _KeyAsked:
    """The sink of the request for one key; takes one answer."""

    __slots__ = ("_download", "is_answered")

    def __init__(self, download: Download) -> None:
        self._download = download
        self.is_answered = False

    def on_reply(self, reply: Any, outcomes: bytes) -> None:
        """Takes the answer."""
        if not self.is_answered:
            self.is_answered = True
            self._download.answered(reply, outcomes)
        elif not isinstance(reply, bytes):
            reply.close()
