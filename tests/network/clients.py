"""Many clients in one loop, which collect what is wrong."""

import contextlib
import os
import re
import selectors
import socket
import time
from collections import Counter, deque
from typing import Deque, List, Sequence

from tests.network.requests import Draw, Malformed, Request, cut_answer

_READ = 1 << 18
_REPEATED = re.compile(rb"(.{1,100}?)\1{3,}", re.S)
_PIPELINE, _SHORT_PIPELINE = 30, 5  # requests: one that goes wrong takes those with it that are on its connection
_SHOWN = 10  # findings, after which the rest is not looked for
_TURN = 0.01  # seconds between looks at clients that wait
_PAUSE = 0.05  # seconds that a client waits after an error


def amount(variable: str, nightly: int) -> int:
    """How many the environment asks for; a fiftieth of the nightly number if it does not."""
    return int(os.environ.get(variable, nightly // 50))


class Clients:
    """Clients that each ask for keys of their own, one connection each, drawn from `seed`.

    `ports` are where they connect, by turns. With `strict` every answer must be the right one, and connections stay;
    else whatever `Request.excuse` allows is fine, and so is a connection that is closed. Each answer must come within
    `patience` seconds of the one before. `findings` is what was wrong, `counts` the answers of each kind.
    """

    def __init__(self, ports: Sequence[int], count: int, seed: str, strict: bool, patience: float) -> None:
        self.strict, self.patience, self.seed = strict, patience, seed
        self.findings: List[str] = []
        self.counts: "Counter[str]" = Counter()
        self.left = 0  # answers that are still wanted
        self._selector = selectors.DefaultSelector()
        self._clients = [_Client(self, number, ports[number % len(ports)]) for number in range(count)]

    def run(self, answers: int) -> None:
        """Asks until so many answers have come, or too much is wrong."""
        self.left = answers
        try:
            for client in self._clients:
                client.connect(self._selector)
                client.begin()
            while len(self.findings) < _SHOWN and (self.left > 0 or any(client.pending for client in self._clients)):
                self._turn()
        finally:
            for client in self._clients:
                client.close(self._selector)
            self._selector.close()

    def add(self, text: str) -> None:
        """Something that must not be."""
        self.findings.append(text)

    def _turn(self) -> None:
        for key, mask in self._selector.select(_TURN):
            client: _Client = key.data
            if mask & selectors.EVENT_WRITE:
                client.write(self._selector)
            if mask & selectors.EVENT_READ and not client.read():
                client.reconnect(self._selector)
        now = time.monotonic()
        for client in self._clients:
            if client.pending and now > client.since + self.patience:
                self.add(f"{client}: no answer within {self.patience} s to {brief(client.pending[0].data)}")
                client.reconnect(self._selector)
            elif self.left > 0 and client.is_ready(now):
                client.begin()
                client.write(self._selector)


class _Client:
    """One of them."""

    def __init__(self, clients: Clients, number: int, port: int) -> None:
        self._clients, self._number, self._port = clients, number, port
        self._stay = 0
        self._renew()

    def __repr__(self) -> str:
        return f"client {self._number}.{self._stay}"

    def _renew(self) -> None:
        """Keys that nothing is known of: what was left open on a connection cannot be known on another."""
        self._stay += 1
        name = f"{self._clients.seed}.{self._number}.{self._stay}"
        strict = self._clients.strict
        self._draw = Draw(name, name.encode(), _PIPELINE if strict else _SHORT_PIPELINE, strict)
        self.pending: Deque[Request] = deque()
        self.since = self._due = 0.0
        self._received, self._unsent = b"", b""

    def is_ready(self, now: float) -> bool:
        """Whether it may ask for something."""
        return not self.pending and not self._unsent and now >= self._due

    def connect(self, selector: selectors.BaseSelector) -> None:
        """Opens its connection."""
        self._sock = socket.create_connection(("127.0.0.1", self._port), self._clients.patience)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setblocking(False)
        selector.register(self._sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def close(self, selector: selectors.BaseSelector) -> None:
        """Ends it."""
        with contextlib.suppress(KeyError):
            selector.unregister(self._sock)
        self._sock.close()

    def reconnect(self, selector: selectors.BaseSelector) -> None:
        """A new connection."""
        self.close(selector)
        self._renew()
        self.connect(selector)
        if self._clients.left > 0:
            self.begin()

    def begin(self) -> None:
        """Draws a batch; it is sent as the socket takes it."""
        batch = self._draw.batch()
        self.pending.extend(request for request in batch if not request.quiet)
        self._unsent = b"".join(request.data for request in batch)
        self.since = time.monotonic()

    def write(self, selector: selectors.BaseSelector) -> None:
        """Goes on sending; waits for room only while there is something to send."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # reading tells more
            self._unsent = b""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        selector.modify(self._sock, events, self)

    def read(self) -> bool:
        """Takes what has come; whether the connection is of further use."""
        try:
            data = self._sock.recv(_READ)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            return self._lost()
        self._received += data
        self.since = time.monotonic()
        try:
            while self._received:
                answer = cut_answer(self._received)
                if answer is None:
                    return True
                self._received = self._received[len(answer) :]
                if not self._judge(answer):
                    return False
        except Malformed as error:
            self._clients.add(f"{self}: {error}; asked was {brief(self.pending[0].data) if self.pending else None}")
            return False
        return True

    def _lost(self) -> bool:
        if self._clients.strict:
            self._clients.add(f"{self}: the connection was closed, {len(self.pending)} answers missing")
        self._clients.counts["closed"] += 1
        self._clients.left -= len(self.pending)
        return False

    def _judge(self, answer: bytes) -> bool:
        """Whether an answer is as it may be."""
        if not self.pending:
            self._clients.add(f"{self}: an answer to nothing: {brief(answer)}")
            return False
        request = self.pending.popleft()
        self._clients.left -= 1
        if request.is_right(answer):
            self._clients.counts["right"] += 1
            return True
        wrong = f"the right one is {brief(request.right)}" if self._clients.strict else request.excuse(answer)
        if wrong:
            self._clients.add(f"{self}: {brief(request.data)} is answered {brief(answer)}: {wrong}")
            return False
        failed = answer.startswith(b"SERVER_ERROR")
        self._clients.counts["error" if failed else "excused"] += 1
        self._due = time.monotonic() + _PAUSE * failed
        return True


def brief(data: bytes) -> str:
    """Bytes for people: of what is repeated often, how often."""
    short = _REPEATED.sub(lambda match: b"<%b*%d>" % (match[1], len(match[0]) // len(match[1])), data)
    return repr(short if len(short) <= 1000 else short[:600] + b"..." + short[-300:])


