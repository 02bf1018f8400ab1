"""Sends deletes to hosts: over blocking sockets, one connection per host, pipelined, and checks each answer.

    batch of keys  ->  delete k1 / delete k2 / md BASE64 b  ->  DELETED / NOT_FOUND / HD  ->  one bool per key

If a host cannot be reached or its connection is lost, it is not asked again until `start_over`: so a host that is down
costs one timeout, not one for each batch. An error in answer to one delete concerns that delete alone.
"""

import socket
from itertools import islice
from typing import BinaryIO, Dict, List, Mapping, Sequence, Tuple

from ..proto.rewriting import deletion
from .entry import Address

_BATCH = 512  # deletes under way at once: their answers fit any socket buffer, so that neither side waits for ever
_LONGEST = 2048  # bytes of an answer; memcached's longest error is shorter
_DONE = frozenset((b"DELETED", b"NOT_FOUND", b"HD", b"NF"))


class LostError(Exception):
    """The connection cannot be used any more; the message says why."""


class Deliverer:
    """Deletes keys on hosts; `elsewhere` maps an address to the one to use instead, `timeout` is in seconds."""

    def __init__(self, timeout: float, elsewhere: Mapping[Address, Address]) -> None:
        self.failures: Dict[Address, str] = {}  # the first failure of each host since `start_over`
        self._timeout = timeout
        self._elsewhere = elsewhere
        self._open: Dict[Address, _Delivery] = {}
        self._given_up: Dict[Address, str] = {}

    def start_over(self) -> None:
        """Tries all hosts again, on new connections."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()
        self._given_up.clear()
        self.failures.clear()

    def deliver(self, address: Address, keys: Sequence[bytes]) -> List[bool]:
        """Returns for each key whether the host no longer has it."""
        done: List[bool] = []
        rest = iter(keys)
        while len(done) < len(keys) and address not in self._given_up:
            batch = list(islice(rest, _BATCH))
            answers, lost = self._ask(address, batch)
            done += [answer in _DONE for answer in answers]
            bad = [repr(answer)[2:-1] for answer in answers if answer not in _DONE]
            for reason in (*bad[:1], *filter(None, [lost])):
                self.failures.setdefault(address, reason)
        return done + [False] * (len(keys) - len(done))

    def _ask(self, address: Address, keys: Sequence[bytes]) -> Tuple[List[bytes], str]:
        """Returns the answers, and why the connection was lost, if it was; empty otherwise."""
        answers: List[bytes] = []
        try:
            if address not in self._open:
                self._open[address] = _Delivery(self._elsewhere.get(address, address), self._timeout)
            connection = self._open[address]
            connection.send(b"".join(map(deletion, keys)))
            for _ in keys:
                answers.append(connection.answer())
        except (OSError, UnicodeError, LostError) as error:  # UnicodeError: not the name of a host
            self._given_up[address] = reason = _reason(error)
            if address in self._open:
                self._open.pop(address).close()
            return answers, reason
        return answers, ""


class _Delivery:
    def __init__(self, address: Address, timeout: float) -> None:
        host, port = address
        if host.startswith("/"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(timeout)
            try:
                self._socket.connect(host)
            except OSError:
                self._socket.close()
                raise
        else:
            self._socket = socket.create_connection((host, port), timeout)
        self._answers: BinaryIO = self._socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> bytes:
        """Returns the next line, without its line end."""
        line = self._answers.readline(_LONGEST)
        if line.endswith(b"\n"):
            return line.rstrip(b"\r\n")
        raise LostError("its answer is too long" if len(line) == _LONGEST else "it closed the connection")

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


def _reason(error: Exception) -> str:
    if isinstance(error, socket.timeout):
        return "it does not answer in time"
    if isinstance(error, UnicodeError):
        return "its name is not a valid host name"
    return str(getattr(error, "strerror", None) or error)
