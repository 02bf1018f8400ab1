"""What travels: a pipe is one direction of a connection, an end is what the router has of it."""

from typing import Any, Optional

ENDLESS = 1 << 60  # bytes that a pipe takes once its reader has gone: they go nowhere

IN, OUT, ERR, HUP, RDHUP = 0x001, 0x004, 0x008, 0x010, 0x2000


class Pipe:
    """One direction: `wire` has been sent and is on its way, `buffer` has arrived. `fin` is sent, `eof` has arrived."""

    __slots__ = ("buffer", "capacity", "eof", "fin", "kernel", "reader", "wire", "writer")

    def __init__(self, kernel: Any, capacity: int) -> None:
        self.kernel, self.capacity = kernel, capacity
        self.wire, self.buffer = bytearray(), bytearray()
        self.fin = self.eof = False
        self.reader: Optional[End] = None
        self.writer: Optional[End] = None

    def room(self) -> int:
        """How many bytes it takes."""
        return max(0, self.capacity - len(self.wire) - len(self.buffer))

    def is_mostly_full(self) -> bool:
        """Whether a writer is not told yet that there is room again (tcp(7): a third of the buffer)."""
        return self.room() * 3 < self.capacity

    def can_act(self) -> bool:
        """Whether something is on its way."""
        return bool(self.wire) or (self.fin and not self.eof)

    def act(self) -> bool:
        """Lets a segment arrive, or the end."""
        chance = self.kernel.chance
        if self.wire:
            size = self._segment()
            self.buffer += self.wire[:size]
            del self.wire[:size]
            if not self.wire and self.fin and chance.random() < 0.5:
                self.eof = True  # the end comes with the data
        elif self.fin and not self.eof:
            self.eof = True
        else:
            return False
        if self.reader is not None:
            self.kernel.raise_edge(self.reader)
        return True

    def _segment(self) -> int:
        """How much arrives: all, as much as exactly fills the reader's next reads, up to the end of a line, or
        anything."""
        size, chance = len(self.wire), self.kernel.chance
        where = chance.random()
        if where < 0.5:
            return size
        if where < 0.65 and self.reader is not None and self.reader.asked:
            return min(size, self.reader.asked - len(self.buffer) % self.reader.asked)
        anywhere = chance.randint(1, size)
        if where < 0.8:
            return self.wire.find(b"\n", anywhere - 1) + 1 or anywhere
        return anywhere

    def clear(self) -> None:
        """Loses what is in it."""
        self.wire.clear()
        self.buffer.clear()

    def abandon(self) -> None:
        """Its reader has gone."""
        self.capacity = ENDLESS
        self.clear()

    def is_over(self) -> bool:
        """Whether nothing can come of it any more."""
        return self.eof and not self.wire


class End:
    """The router's side of a connection: `incoming` is read, `outgoing` written to. `peer` is the actor on the other
    side, which is `dead` once it answers nothing more."""

    __slots__ = ("asked", "closed", "connected", "error", "fd", "incoming", "outgoing", "peer", "queued", "registered",
                 "reset", "shut", "wants_room")  # fmt: skip

    is_level = False

    def __init__(self, fd: int, incoming: Pipe, outgoing: Pipe, peer: Any) -> None:
        self.fd, self.incoming, self.outgoing, self.peer = fd, incoming, outgoing, peer
        self.asked = 0  # bytes that the last read asked for
        self.error = 0  # what SO_ERROR says
        self.connected = True
        self.wants_room = False  # a write came back short
        self.registered = self.queued = self.reset = self.closed = self.shut = False
        incoming.reader = outgoing.writer = self

    def mask(self) -> int:
        """What epoll says of it."""
        if not self.connected:
            return HUP | ERR if self.error else 0
        if self.reset:
            return IN | OUT | ERR | HUP | RDHUP
        mask = IN if self.incoming.buffer or self.incoming.eof else 0
        if not self.outgoing.is_mostly_full():
            mask |= OUT
        return mask | RDHUP if self.incoming.eof else mask
