"""A relay that cuts: what passes it arrives in other pieces than it was sent in.

    router ──► pipe: read a chunk, cut it, send a piece, wait until it has been read, send the next ──► memcached
           ◄── pipe, the same way                                                                  ◄──

The next piece of a chunk is sent only after the receiver has read all before it, so the receiver really sees a read
that ends at the cut. The kernel tells so (sock_diag(7)); where it does not, a piece waits for `_PAUSE` instead. Between
chunks nothing waits: the end of one and the beginning of the next may come in one read.
"""

import collections
import contextlib
import errno
import select
import socket
import struct
import threading
import time
from random import Random
from typing import Deque, Dict, List, Optional, Sequence

_READ = 1 << 16  # bytes
_PAUSE = 0.003  # seconds between pieces where the kernel does not say what has been read
_TICK, _SLOW_TICK = 0.0001, 0.002  # seconds between looks at receivers that have not read yet; when it takes long
_PATIENCE = 100  # ticks after which it takes long
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
_IN = select.EPOLLIN | select.EPOLLRDHUP
REQUESTS, REPLIES = 0, 1  # directions


class Cuts:
    """Where a relay cuts; this one nowhere. A relay calls it from its own thread only."""

    def places(self, data: bytes, direction: int) -> Sequence[int]:
        """The places of a chunk to cut at, in ascending order, each above 0 and below its length."""
        return ()


class Anywhere(Cuts):
    """At up to `most` random places; every second one is just behind a line's end, if there is one."""

    def __init__(self, seed: object, most: int = 3) -> None:
        self._random = Random(str(seed))
        self._most = most

    def places(self, data: bytes, direction: int) -> Sequence[int]:
        """Drawn."""
        draw, size = self._random, len(data)
        found = set()
        for _ in range(draw.randint(0, self._most)):
            at = draw.randrange(size)
            if draw.random() < 0.5:
                at = data.find(b"\n", at) + 1
            found.add(at)
        return sorted(found - {0, size})


class Segments(Cuts):
    """At up to `most` multiples of `size`: so reads end where segments of that size come at their own pace."""

    def __init__(self, seed: object, size: int = 1448, most: int = 4) -> None:
        self._random = Random(str(seed))
        self._size, self._most = size, most

    def places(self, data: bytes, direction: int) -> Sequence[int]:
        """Drawn."""
        places = range(self._size, len(data), self._size)
        return sorted(self._random.sample(places, min(len(places), self._random.randint(1, self._most))))


class Once(Cuts):
    """At one place of the stream, which `at` names: so many bytes of that direction from then on."""

    def __init__(self) -> None:
        self._left = [0, 0]

    def at(self, direction: int, place: int) -> None:
        """Cuts once, `place` bytes from now on. Call it while nothing is under way."""
        self._left[direction] = place

    def places(self, data: bytes, direction: int) -> Sequence[int]:
        """The place, if it is in this chunk."""
        left = self._left[direction]
        self._left[direction] = max(0, left - len(data))
        return (left,) if 0 < left < len(data) else ()


class Relay:
    """A relay to a port of this machine, in a thread of its own; use it in a `with`, or `start` and `stop` it.

    `port` is where it listens.
    `cut` counts the cuts that were made. A connection that ends in one direction, or is reset, is so on the other side.
    """

    def __init__(self, target: int, cuts: Cuts) -> None:
        self._target = target
        self._cuts = cuts
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self.cut = 0
        self._unread = Unread()
        self._epoll = select.epoll()
        self._asleep, self._wake = socket.socketpair()
        self._sources: Dict[int, _Pipe] = {}  # by the descriptor that it reads from
        self._busy: List[_Pipe] = []  # those with pieces to send
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=f"relay to {target}", daemon=True)

    def __enter__(self) -> "Relay":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> "Relay":
        """Begins to relay."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Closes everything."""
        self._ending = True
        with contextlib.suppress(BrokenPipeError):  # it has noticed already
            self._wake.send(b"x")
        self._thread.join()
        self._wake.close()

    def _run(self) -> None:
        with self._listener, self._asleep, self._epoll, self._unread:
            self._epoll.register(self._listener, select.EPOLLIN)
            self._epoll.register(self._asleep, select.EPOLLIN)
            idle = 0
            while not self._ending:
                moved = self._turn(0 if self._busy else None)
                idle = 0 if moved else idle + 1
                if self._busy:
                    time.sleep(_TICK if idle < _PATIENCE else _SLOW_TICK)
            for pipe in list(self._sources.values()):
                pipe.source.close()

    def _turn(self, timeout: Optional[float]) -> bool:
        """Moves what can be moved; whether that was anything."""
        events = self._epoll.poll(timeout)
        for descriptor, _ in events:
            if descriptor == self._listener.fileno():
                self._accept()
            elif descriptor in self._sources:
                self._read(self._sources[descriptor])
        moved = bool(events)
        for pipe in list(self._busy):
            moved |= self._send(pipe)
        return moved

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            near, _ = self._listener.accept()
            far = socket.socket()
            for sock in (near, far):
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            far.connect_ex(("127.0.0.1", self._target))  # what comes of it shows when it is read
            there, back = _Pipe(near, far, REQUESTS), _Pipe(far, near, REPLIES)
            there.other, back.other = back, there
            for pipe in (there, back):
                self._sources[pipe.source.fileno()] = pipe
                self._epoll.register(pipe.source, _IN)

    def _read(self, pipe: "_Pipe") -> None:
        """Reads a chunk and sends its first piece."""
        try:
            data = pipe.source.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            self._close(pipe, reset=True)
            return
        if not data:
            pipe.ended = True
        else:
            places = [0, *self._cuts.places(data, pipe.direction), len(data)]
            pipe.pieces.extend(data[a:b] for a, b in zip(places, places[1:]))
        self._epoll.unregister(pipe.source)  # until all this is sent
        self._busy.append(pipe)
        self._send(pipe)

    def _send(self, pipe: "_Pipe") -> bool:
        """Sends pieces as they are due; whether anything could be done."""
        if pipe not in self._busy:  # closed meanwhile
            return False
        try:
            while pipe.pieces:
                if pipe.waits and self._unread.by_peer(pipe.sink, pipe.since):
                    return False
                sent = pipe.sink.send(pipe.pieces[0])
                pipe.waits = sent == len(pipe.pieces[0])
                if not pipe.waits:
                    pipe.pieces[0] = pipe.pieces[0][sent:]
                    return True
                pipe.pieces.popleft()
                pipe.since = time.monotonic()
                self.cut += bool(pipe.pieces)
        except BlockingIOError:
            return False
        except OSError:  # what the receiver has said before it went is still to be read
            pipe.pieces.clear()
            pipe.ended = True
        pipe.waits = False
        self._busy.remove(pipe)
        if pipe.ended:
            self._end(pipe)
        else:
            self._epoll.register(pipe.source, _IN)
        return True

    def _end(self, pipe: "_Pipe") -> None:
        """Nothing more will be sent in this direction."""
        if pipe.other.ended and pipe.other not in self._busy:
            self._close(pipe)
            return
        with contextlib.suppress(OSError):
            pipe.sink.shutdown(socket.SHUT_WR)

    def _close(self, pipe: "_Pipe", reset: bool = False) -> None:
        for one in (pipe, pipe.other):
            del self._sources[one.source.fileno()]
            if one in self._busy:
                self._busy.remove(one)
            if reset:
                one.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        for one in (pipe, pipe.other):
            one.source.close()


class _Pipe:
    """One direction of a connection."""

    other: "_Pipe"

    def __init__(self, source: socket.socket, sink: socket.socket, direction: int) -> None:
        self.source, self.sink, self.direction = source, sink, direction
        self.pieces: Deque[bytes] = collections.deque()  # to be sent, of the last chunk
        self.waits = False  # whether the receiver has to read before the next piece
        self.since = 0.0  # when the last piece was sent
        self.ended = False


class Unread:
    """What the receiving end of a TCP connection within this machine has not read yet, by asking the kernel."""

    _REQUEST, _ERROR = 20, 2  # SOCK_DIAG_BY_FAMILY, NLMSG_ERROR
    _SOCK_DIAG = 4
    _RECEIVED = 16 + 4 + 48 + 4  # where the answer has the length of the receive queue
    _NO_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)

    def __init__(self) -> None:
        self._netlink: Optional[socket.socket] = None
        with contextlib.suppress(OSError):
            self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, self._SOCK_DIAG)

    def __enter__(self) -> "Unread":
        return self

    def __exit__(self, *_: object) -> None:
        if self._netlink is not None:
            self._netlink.close()

    def by_peer(self, sock: socket.socket, since: float) -> bool:
        """Whether some of what was sent, at last at `since`, has not been read. (What is acknowledged says nothing: an
        acknowledgement may come 40 ms late.)"""
        received = self._received(sock)
        return time.monotonic() < since + _PAUSE if received is None else received > 0

    def _received(self, sock: socket.socket) -> Optional[int]:
        """The bytes in the peer's receive queue; 0 when it has gone, None if the kernel does not tell."""
        if self._netlink is None:
            return None
        (here, port), (there, peer_port) = sock.getsockname(), sock.getpeername()
        peer = struct.pack("!HH4s12x4s12x", peer_port, port, socket.inet_aton(there), socket.inet_aton(here))
        body = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + peer + self._NO_COOKIE
        try:
            self._netlink.send(struct.pack("=IHHII", 16 + len(body), self._REQUEST, 1, 1, 0) + body)
            answer = self._netlink.recv(4096)
        except OSError:
            return None
        if struct.unpack_from("=H", answer, 4)[0] == self._ERROR:
            return 0 if -struct.unpack_from("=i", answer, 16)[0] == errno.ENOENT else None
        return int(struct.unpack_from("=I", answer, self._RECEIVED)[0])
