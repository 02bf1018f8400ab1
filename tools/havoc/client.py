"""One checking client: a connection, its keys, and what it waits for.

    idle ──(its pause is over: a batch)──► waiting ──(all answered)──► idle
                                              └─(late, closed, out of step: a finding; it connects anew)──► idle
"""

import errno
import socket
import struct
from collections import deque
from random import Random
from typing import Deque, List, Optional, Sequence

from .habits import Batches, Habits, make_keys
from .keys import UNANSWERED, WRONG, Finding, Findings, Key, short
from .operations import Operation
from .wire import OutOfStep, cut

_READ = 1 << 18
_CONNECT = 5.0  # seconds; the router is there, so more than enough
_RESET = struct.pack("ii", 1, 0)  # linger: a close drops what is not sent and resets the connection


class Client:
    """`port` is the router's, `patience` the seconds within which each request must be answered after the one before.

    `others` are the clients whose keys it reads. All work is done by `Load`, which calls it when its socket is ready.
    """

    def __init__(self, number: int, habits: Habits, port: int, patience: float, name: str, findings: Findings) -> None:
        self.number, self.habits = number, habits
        self.others: Sequence["Client"] = ()
        self.keys: List[Key] = []
        self.due = 0.0  # when it does something of its own accord
        self.deadline = 0.0  # of the answer it waits for
        self.answers = 0
        self.slowest = 0.0  # seconds that an answer took
        self._port, self._patience, self._name, self._findings = port, patience, name, findings
        self._random = Random(f"{name}/client {number}")
        self._stay = self._sent = 0
        self._since = 0.0  # the last batch or answer
        self.connect()

    # what Load asks -------------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether it waits for nothing."""
        return not self._pending and not self.unsent

    def connect(self) -> None:
        """A new connection, and new keys with it: what was left open on the old one cannot be known on another."""
        self._stay += 1
        self._sent = 0
        self.keys = make_keys(self.habits, self.number, f"{self._name}.{self._stay}")
        self.sock = socket.create_connection(("127.0.0.1", self._port), _CONNECT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.unsent = memoryview(b"")
        self.half = False  # it has stopped in the midst of a request; what it is answered is not looked at any more
        self._received = bytearray()
        self._pending: Deque[Operation] = deque()

    def close(self, reset: bool = False) -> None:
        """Ends the connection."""
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()

    def begin(self, now: float) -> bool:
        """Sends a batch; False if it leaves instead."""
        habits = self.habits
        if habits.stays and self._sent >= habits.stays:
            return False
        readable = [other for other in self.others if habits.may_lose or not other.habits.may_lose]
        foreign = [key for other in readable if other is not self for key in other.keys]
        others = self._random.sample(foreign, min(len(foreign), 6))
        operations = Batches(habits, self.number, self.keys, others, self._random).next()
        self._sent += 1
        self.half = habits.aborts and self._sent == habits.stays
        self.send(operations, now, self._random.random() if self.half else 1.0)
        return True

    def send(self, operations: Sequence[Operation], now: float, share: float = 1.0) -> None:
        """Sends requests, or the first part of their bytes."""
        data = b"".join(operation.data for operation in operations)
        self._pending.extend(() if self.half else operations)
        self.unsent = memoryview(data)[: int(share * len(data))]
        self._since, self.deadline = now, now + self._patience
        self._skip_quiet()
        self.writable()
        self.due = now + self._random.random() * self.habits.pause

    def leave(self) -> None:
        """Goes, sometimes rudely; somebody else comes in its place."""
        self.close(reset=self.habits.aborts and self._random.random() < 0.5)
        self.connect()

    def writable(self) -> None:
        """Goes on sending."""
        try:
            while self.unsent:
                self.unsent = self.unsent[self.sock.send(self.unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # what it has read tells more
            self.unsent = memoryview(b"")

    def readable(self, now: float) -> bool:
        """Takes what has come; False if the connection is of no more use."""
        try:
            data = self.sock.recv(_READ)
        except BlockingIOError:
            return True
        except OSError as error:
            return self._lost(errno.errorcode.get(error.errno or 0, "an error"))
        if not data:
            return self._lost("the end")
        if self.half:
            return True
        self._received += data
        try:
            self._take(now)
        except OutOfStep as error:
            self.fail(Finding(WRONG, f"client {self.number}: {error}"))
            return False
        return True

    def late(self) -> None:
        """The answer that it waits for has not come."""
        what = short(self._pending[0].data[:60]) if self._pending else "what it sends is not taken"
        self.fail(Finding(UNANSWERED, f"client {self.number}: nothing within {self._patience:.1f} s: {what}"))

    def fail(self, finding: Optional[Finding]) -> None:
        """Gives the connection up."""
        self._findings.add(finding)
        while self._pending:
            self._pending.popleft().unanswered()

    # its own --------------------------------------------------------------------------------------------------------

    def _take(self, now: float) -> None:
        while self._received:
            found = cut(self._received)
            if found is None:
                if len(self._received) > _READ:  # a large value comes: that is an answer, too
                    self.deadline = now + self._patience
                return
            reply, size = found
            if not self._pending:
                raise OutOfStep(f"an answer to nothing: {short(bytes(self._received[:size]))}")
            del self._received[:size]
            self._findings.add(self._pending.popleft().answered(reply))
            self._skip_quiet()
            self.answers += 1
            self.slowest = max(self.slowest, now - self._since)
            self._since, self.deadline = now, now + self._patience

    def _skip_quiet(self) -> None:
        while self._pending and self._pending[0].quiet:
            self._pending.popleft().unanswered()

    def _lost(self, how: str) -> bool:
        finding = Finding(UNANSWERED, f"client {self.number}: {how} of the connection, {len(self._pending)} unanswered")
        self.fail(None if self.habits.may_lose else finding)
        return False
