"""Uploads and downloads of large values: the client's side of hosts/connections/streaming.py.

A client has one transfer at a time, and no other request meanwhile: earlier requests are answered first, later ones
wait. So its order holds without a shared connection.
"""

from typing import TYPE_CHECKING, List, Optional, Tuple

from ...proto import outcomes as o
from ...proto.client.lines import BAD_CHUNK
from ...proto.commands import COMMANDS, VALUES
from ...proto.guard import guarded
from ...proto.request import Request

if TYPE_CHECKING:
    from ...proto.reply import Reply, StreamedReply
    from ...proto.seams import AnyRoute
    from ..hosts.connections.streaming import StreamingConnection
    from ..seams import Served
    from .source import ClientRequest

_FIRST = 65536  # bytes of a value that must have come before hosts are asked
_BLOCK_END, _END = b"\r\n", b"END\r\n"


class Upload:
    """A large value that is being stored: the sink of its request, and the source of the connections that carry it.

    Hosts are asked once 64 KB of the value have come, so that a client that announces a value and sends nothing takes
    no host's connection. The client is answered as soon as the route has an answer, but its next request starts only
    when every host has done its part: it takes other connections, and must not get there first.

    A host that is asked after the first piece was sent cannot have the value any more (`may_start`): a route that fails
    over to it gets an error, and gives the better of the two answers.

    The last two bytes are sent when they are known to end the value: no host gets a value that does not end where its
    length says.
    """

    def __init__(self, client: "Served", request: "ClientRequest", route: "AnyRoute") -> None:
        self._client = client
        self._request = request
        self._route = route
        self._left: int = request.large_value  # bytes that the client has yet to send
        self._held: List[bytes] = []  # pieces that have come, and are not sent yet
        self._begun = False
        self._answer: Optional[Tuple[Reply, bytes]] = None
        self._told = False
        self.connections: List[StreamingConnection] = []
        request.large_value = self

    def may_start(self) -> bool:
        """Returns whether another host can still get all of it."""
        return not self._begun

    def is_fed(self) -> bool:
        """Returns whether all of it has come."""
        return not self._left

    def holds(self) -> int:
        """Returns the bytes that are held of it."""
        return sum(map(len, self._held)) + sum(len(connection.unsent) for connection in self._at_work())

    def held_back(self) -> int:
        """Returns the bytes that have come of a value which no host has been asked to store yet."""
        return 0 if self._begun else sum(map(len, self._held))

    def wanted(self) -> int:
        """Returns how many bytes may be read from the client now: none while a host has not taken the last piece."""
        return 0 if any(connection.unsent for connection in self._at_work()) else self._left

    def _at_work(self) -> "List[StreamingConnection]":
        return [connection for connection in self.connections if connection.serves(self)]

    def feed(self, data: bytes) -> bytes:
        """Takes bytes of the client's stream; returns those that are not of this value."""
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
        """Refuses a value that does not end where its length says. No host stores it, as none has got its end."""
        if self._answer is None:
            self._answer = BAD_CHUNK, o.CLIENT_ERROR
        for connection in self._at_work():
            connection.give_up("the value does not end where its length says")
        self._end_if_done()

    def resume(self) -> None:
        """Continues after a host has taken all that it was sent, or has done its part."""
        self._end_if_done()
        self._client.read_more_later()

    def on_reply(self, reply: "Reply", outcomes: bytes) -> None:
        """Takes the route's first answer; it may come before all of the value is sent."""
        if self._answer is not None:
            return
        self._answer = reply, outcomes
        self.resume()

    def serves(self, request: Request) -> bool:
        """Returns whether `request` is its request, or was made of it."""
        return (request.origin or request) is self._request

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """Takes an error as the answer, unless there is one, after an unexpected error."""
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
        """Gives up what cannot be whole any more, and asks no further host: the client has closed."""
        self._begun = True
        if self._left:
            for connection in self._at_work():
                connection.give_up("the client has closed its connection")


class Download:
    """A reply that is too large to be held: its keys are asked for once more, one by one, through the route.

    | a get of several keys             | the answer                                     |
    | some are found, others fail       | the hits, then END: a failure is as a miss     |
    | none is found, some fail          | the first failure                              |
    | a value breaks off                | none: the connection closes                    |

    The same holds for small values (routes/framework/keyed.py). The next key is asked for when the client has taken the
    reply to the one before. It is the StreamReader of the connections that stream a value.
    """

    def __init__(self, client: "Served", request: "ClientRequest", route: "AnyRoute") -> None:
        self._client = client
        self._request = request
        self._route = route
        self._left, self._lines = request.lines()  # how many keys have no answer yet; requests not sent yet
        self._merges = len(request.commands) == 1 and COMMANDS[request.commands[0]].reply == VALUES  # one END for all
        self._found = False
        self._error = b""  # the first one
        self._failed = b""  # the outcomes of all that failed
        self._is_next = False  # the next key waits until the client has taken the last reply
        self._asked = _KeyAsked(self)  # the sink of the key that is asked for now
        self._asked.is_answered = True  # no key is asked for yet
        self._connection: Optional[StreamedReply] = None  # it streams the current value
        self.connections: List[StreamingConnection] = []

    def may_start(self) -> bool:
        """Returns whether another host may be asked: until the key has its answer."""
        return not self._asked.is_answered

    def is_fed(self) -> bool:
        """Returns True: a get has nothing more to send."""
        return True

    def holds(self) -> int:
        """Returns the bytes that are held of it, besides what the client is to read."""
        return sum(connection.holds() for connection in self.connections if connection.serves(self))

    def held_back(self) -> int:
        """Returns 0: a download takes nothing from the client."""
        return 0

    def wanted(self) -> int:
        """Returns 0: a download takes nothing from the client."""
        return 0

    def serves(self, request: Request) -> bool:
        """Returns whether `request` is its request, or was made of it."""
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
        """Takes an error as the answer for the current key, after an unexpected error. A value that has begun cannot be
        ended. Other hosts' replies may be held by a route that will never choose one of them, so they are dropped."""
        if self._connection is not None:
            self._client.abort()
            return
        for connection in self.connections:
            if connection.serves(self):
                connection.close()
        self._asked.on_reply(reply, outcomes)

    def answered(self, reply: "Reply", outcomes: bytes) -> None:
        """Takes the answer for one key: whole, or streamed."""
        if self._client.is_gone():
            if not isinstance(reply, bytes):
                reply.close()
        elif isinstance(reply, bytes):
            self._one_is_done(self._request.shown(reply, outcomes), outcomes)
        else:
            if self._request.rendering is not None:
                reply.begin_with(self._request.rendering.with_key)
            self._connection = reply
            reply.take(self)

    def piece(self, data: bytes) -> None:
        """Takes a piece of the value."""
        self._client.put(data)

    def can_take(self) -> bool:
        """Returns whether the client has taken all that it was sent."""
        return not self._client.unsent

    def ended(self, tail: bytes) -> None:
        """Takes the end of the reply."""
        self._connection = None
        self._one_is_done(tail, o.VALUE)

    def broken(self) -> None:
        """Closes the client's connection: the host was lost within a value, and no error line would be understood."""
        self._connection = None
        self._client.abort()

    def resume(self) -> None:
        """Continues after the client has taken all that it was sent."""
        if self._connection is not None:
            self._connection.resume()
        elif self._is_next:
            self.next()

    def _one_is_done(self, reply: bytes, outcomes: bytes) -> None:
        """Sends the answer for one key; of a get of several keys, what it found, and one END for all at the end."""
        self._left -= 1
        if outcomes not in o.ANSWERS:
            self._failed += outcomes
        if self._merges:
            reply = self._part(reply, outcomes in o.ANSWERS)
        self._client.put(reply)
        if self._left:
            self._client.loop.call_soon(self.next)
        else:
            self._client.transfer_over(self)  # first, as the next request may be a download too
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
        """Drops what is still to come: the client has closed."""
        if self._connection is not None:
            self._connection.close()

    def abort(self) -> None:
        """Closes the client's connection, after an unexpected error."""
        self._client.abort()


class _KeyAsked:
    """The sink of the request for one key. It takes one answer."""

    __slots__ = ("_download", "is_answered")

    def __init__(self, download: Download) -> None:
        self._download = download
        self.is_answered = False

    def on_reply(self, reply: "Reply", outcomes: bytes) -> None:
        """Takes the answer."""
        if not self.is_answered:
            self.is_answered = True
            self._download.answered(reply, outcomes)
        elif not isinstance(reply, bytes):
            reply.close()
