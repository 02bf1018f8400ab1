"""Replies for which there is no room: too large for one client, or too much while memory is short.

A reply that cannot be held is skipped, or left out when it has come whole. Its client asks for it again when its turn
has come (large_values.py), in a form that needs no room; where that cannot be, its values become errors.
"""

from typing import TYPE_CHECKING, Optional, Tuple

from ....proto.commands import COMMANDS, LINES
from ....proto.host.stream import HostStream
from ....proto.replies import ProtocolError, without_values
from ....proto.reply import TOO_LARGE
from ...clients.memory import weight
from .outbox import HostOutbox

if TYPE_CHECKING:
    from ....proto.reply import WholeReply
    from ....proto.request import Request
    from ....proto.seams import HostSource
    from ...seams import ConnectedHost

_SMALL = 1000  # bytes; a reply of so many or less is kept even while memory is short


class ReplyMemory(HostOutbox):
    """A connection that decides which replies it keeps."""

    __slots__ = ("leaves_out", "memory", "skips_for", "stream")

    def __init__(self, host: "ConnectedHost") -> None:
        super().__init__(host)
        self.memory = host.memory

    def reset(self) -> None:
        """Forgets the reply that is being read."""
        super().reset()
        self.stream = HostStream(self.host.patterns)
        self.leaves_out = False  # the reply that is skipped is not asked for again: its values become errors
        self.skips_for: Optional[HostSource] = None  # the client that asks again for the reply that is skipped

    def _may_keep(self, request: "Request", size: int) -> bool:
        """Returns whether a reply may be held, while memory is short."""
        client: Optional[HostSource] = request.client
        if client is None or self.expired > 0 or client.is_background or size <= _SMALL:
            self.memory.arrived += size
            return True
        return client.may_hold(size)

    def _too_large(self, request: "Request") -> None:
        """Skips a reply that is too large to be held, if its client can have it in another way: it asks again, on a
        streaming connection (large_values.py), and until then does nothing that should come later. A reply to a request
        that has timed out is skipped, too: no sink takes it. Statistics do not announce their size; those that are too
        large raise ProtocolError."""
        if self.expired:
            self.stream.skip()
        elif COMMANDS[request.commands[0]].reply == LINES:
            raise ProtocolError("statistics without an end")
        else:
            self._ask_again_later(request)

    def _ask_again_later(self, request: "Request") -> None:
        """Skips a reply that will be asked for again; one that cannot be is kept, if there is room for it."""
        client: Optional[HostSource] = request.client
        if client is None or client.is_background:
            self.stream.skip()
        elif request.repeatable() and client.may_ask_again(request):
            client.pause()
            client.will_ask_again(request)
            self.stream.skip()
            self.skips_for = client
        elif not self.memory.has_room(self.stream.known_size()):
            self.stream.skip()
            self.leaves_out = True

    def end_skip(self) -> None:
        """Lets the client go on whose reply was being skipped."""
        if self.skips_for is not None:
            client, self.skips_for = self.skips_for, None
            client.resume()

    def _left_out(self, request: "Request", reply: "WholeReply", outcomes: bytes) -> "Tuple[WholeReply, bytes]":
        """Returns what takes the place of a reply for which there is no memory, and its outcomes. The reply is asked
        for again when its turn has come; where that cannot be, and no memory is left, its values become errors."""
        client: HostSource = request.client
        if request.repeatable() and client.may_ask_again(request):
            client.will_ask_again(request)
            return TOO_LARGE, outcomes
        if self.memory.takes(weight(reply)):
            return reply, outcomes
        return without_values(reply, request.commands, outcomes)
