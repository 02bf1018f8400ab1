"""Hosts that spoil some of their replies, each time in one of these ways:

    cut        the beginning, then the connection is closed, reset, closed for writing, or silent
    doubled    the whole reply twice
    misnamed   another item than the one that was asked for, in the same form
    family     the word of the other family of commands: HD for STORED, STORED for HD ...
    garbage    the beginning, then bytes that are no reply
    inserted   some such bytes in the middle
    late       the whole reply, when the router has given it up
    unasked    the whole reply, and behind it one that nothing was asked for

What they are asked is done, and probes are answered as they should be. What no router could notice is left out: a reply
that names what was asked, with another value in it, be it by chance (so garbage has no end of a line like a value's).
"""

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections import Counter, deque
from random import Random
from typing import Deque, List, Optional, Set, Tuple

from mcrouter.testing.protocol import Conversation
from mcrouter.testing.store import Store

_READ = 1 << 17
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
_GARBAGE = b"\0#\0"
_STORES = {b"set": 4, b"add": 4, b"cas": 4, b"ms": 2}  # the place of the size in the line
_SPOILT = (b"get", b"gets", b"gat", b"mg", b"ma", b"set", b"add", b"ms", b"delete", b"md", b"incr", b"touch")
_FAMILIES = {
    b"STORED": b"HD", b"NOT_STORED": b"NS", b"DELETED": b"HD", b"NOT_FOUND": b"NF", b"TOUCHED": b"HD", b"END": b"EN",
    b"HD": b"STORED", b"NS": b"NOT_STORED", b"NF": b"NOT_FOUND", b"EN": b"END",
}  # fmt: skip
_UNASKED = (b"STORED", b"DELETED", b"NOT_FOUND", b"END", b"HD", b"EN", b"TOUCHED", b"NF", b"OK", b"SERVER_ERROR odd")
CLOSE, RESET, HALF, SILENT = "close", "reset", "half", "silent"

Spoilt = Tuple[bytes, str, bool]
"""What is sent, how the connection ends behind it (empty: not at all), whether it is sent late."""


class Hosts:
    """Hosts in one thread; `share` of their replies are spoilt, drawn from `seed`. Use it in a `with`.

    `ports` are theirs. A late reply comes `lateness` seconds after its time. `spoilt` counts what was done.
    """

    def __init__(self, count: int, seed: str, share: float, lateness: float) -> None:
        self._random, self._share, self.lateness = Random(seed), share, lateness
        self.spoilt: "Counter[str]" = Counter()
        self._selector = selectors.DefaultSelector()
        self._asleep, self._wake = socket.socketpair()
        self._selector.register(self._asleep, selectors.EVENT_READ)
        self.ports = [self._listen() for _ in range(count)]
        self._late: Set[_Connection] = set()  # those with a reply that is to be late
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="hostile hosts", daemon=True)

    def __enter__(self) -> "Hosts":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        with contextlib.suppress(BrokenPipeError):  # it has noticed already
            self._wake.send(b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        self._wake.close()

    def _listen(self) -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, _Host())
        return int(listener.getsockname()[1])

    def _run(self) -> None:
        while not self._ending:
            for key, _ in self._selector.select(self.lateness / 10 if self._late else None):
                if isinstance(key.data, _Host):
                    self._accept(key.fileobj, key.data)
                elif key.data is not None:
                    self._serve(key.data)
            for connection in [one for one in self._late if one.until <= time.monotonic()]:
                connection.until = 0.0
                self._serve(connection, reads=False)

    def _accept(self, listener: socket.socket, host: "_Host") -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(5.0)  # for sends: a router that does not read for so long has a fault
            self._selector.register(sock, selectors.EVENT_READ, _Connection(sock, host))

    def _serve(self, connection: "_Connection", reads: bool = True) -> None:
        """Reads and answers; the answers wait while a late one is due."""
        try:
            alive = not reads or connection.read()
            connection.answer(self)
        except OSError:
            alive = False
        self._late.discard(connection)
        if alive and connection.until:
            self._late.add(connection)
        if not alive or connection.end in (CLOSE, RESET):
            self._selector.unregister(connection.sock)
            if connection.end == RESET:
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.sock.close()

    def spoil(self, words: List[bytes], reply: bytes, host: "_Host") -> Optional[Spoilt]:
        """What becomes of a reply; None if it is sent as it is."""
        draw = self._random
        if words[0] not in _SPOILT or draw.random() >= self._share:
            return None
        kind = draw.choice(("cut", "doubled", "misnamed", "family", "garbage", "inserted", "late", "unasked"))
        self.spoilt[kind] += 1
        at = draw.randrange(len(reply))
        if kind == "cut":
            return reply[:at], draw.choice((CLOSE, RESET, HALF, SILENT)), False
        if kind == "misnamed":
            return host.misnamed(words, reply, draw), "", False
        if kind == "unasked":
            return reply + host.unasked(draw), "", False
        changed = {
            "doubled": reply * 2,
            "family": _other_family(reply),
            "garbage": reply[:at] + _GARBAGE * len(reply) + b"\n",  # more than the rest of any value
            "inserted": reply[:at] + _GARBAGE + reply[at:],
            "late": reply,
        }
        return changed[kind], "", kind == "late"


class _Host:
    """What one of them holds."""

    def __init__(self) -> None:
        self.store = Store()
        self.names: Deque[bytes] = deque([b"nothing"], 100)  # the last keys that were stored

    def ask(self, data: bytes) -> bytes:
        """An answer as it should be."""
        return Conversation(self.store).receive(data)

    def misnamed(self, words: List[bytes], reply: bytes, draw: Random) -> bytes:
        """The answer to the same request for another item, or with another opaque."""
        key, other = words[1], draw.choice([name for name in self.names if name not in words])
        if words[0] in (b"get", b"gets", b"gat"):
            return self.ask(b"gets %b\r\n" % other if words[0] == b"gets" else b"get %b\r\n" % other)
        if words[0] == b"mg":
            changed = self.ask(b" ".join([b"mg", other, *words[2:]]) + b"\r\n")
            return changed if any(word == b"k" for word in words[2:]) else reply.replace(b" O", b" O9", 1)
        return reply.replace(b" k" + key, b" k" + other, 1).replace(b" O", b" O9", 1)

    def unasked(self, draw: Random) -> bytes:
        """Some reply."""
        if draw.random() < 0.5:
            return draw.choice(_UNASKED) + b"\r\n"
        name = draw.choice(self.names)
        return self.ask(draw.choice((b"get %b\r\n", b"mg %b k v\r\n", b"mg %b v\r\n")) % name)


class _Connection:
    """A connection of the router to a host."""

    def __init__(self, sock: socket.socket, host: _Host) -> None:
        self.sock, self.host = sock, host
        self.until = 0.0  # when the reply that is late is sent
        self.end = ""
        self._conversation = Conversation(host.store)
        self._received = b""
        self._late = b""

    def read(self) -> bool:
        """Takes what has come; False at the end."""
        data = self.sock.recv(_READ)
        self._received += data
        return bool(data)

    def answer(self, hosts: Hosts) -> None:
        """Does all that was asked; sends the replies as they are spoilt."""
        out = [self._late] if not self.until else []
        while not self.until:
            found = _cut_request(self._received)
            if found is None:
                break
            words, size = found
            reply = self._conversation.receive(self._received[:size])
            self._received = self._received[size:]
            if words[0] in _STORES and words[1] not in self.host.names:
                self.host.names.append(words[1])
            spoilt = hosts.spoil(words, reply, self.host) if not self.end and reply else None
            data, end, late = spoilt or (reply, "", False)
            if self.end:
                continue
            self.end = end
            if late:
                self.until, self._late = time.monotonic() + hosts.lateness, data
                break
            out.append(data)
        if not self.until:
            self._late = b""
        self.sock.sendall(b"".join(out))
        if self.end == HALF:
            self.sock.shutdown(socket.SHUT_WR)
            self.end = SILENT


def _cut_request(data: bytes) -> Optional[Tuple[List[bytes], int]]:
    """The words of the first request's line and the size of all of it; None if it is not all there."""
    end = data.find(b"\n") + 1
    if not end:
        return None
    words = data[:end].split()
    place = _STORES.get(words[0])
    size = end if place is None else end + int(words[place]) + 2
    return (words, size) if len(data) >= size else None


def _other_family(reply: bytes) -> bytes:
    """The same in the words of the other family."""
    line, _, rest = reply.partition(b"\r\n")
    words = line.split()
    if words[0] == b"VALUE":
        return b"VA %b\r\n%b\r\n" % (words[3], rest[: int(words[3])])
    if words[0] == b"VA":
        return b"VALUE nothing 0 %b\r\n%bEND\r\n" % (words[1], rest)
    if words[0].isdigit():
        return b"VA %d\r\n%b\r\n" % (len(words[0]), words[0])
    return _FAMILIES.get(words[0], b"OK") + b"\r\n"
